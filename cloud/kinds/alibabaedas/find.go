package alibabaedas

import (
	"context"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/finder"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Find implements membership.Session: the members are instances of the region (DescribeInstances); those in a cluster are
// the ones that it lists, in whatever status (ListClusterMembers). Whether a cluster would take them is for a plan to say.
func (s *session) Find(ctx context.Context, q membership.Query, yield func(membership.Found) error) error {
	clusters, err := s.client.EDASClusters(ctx)
	if err != nil {
		return err
	}
	for _, id := range q.Groups() {
		at := slices.IndexFunc(clusters, func(c alibaba.EDASCluster) bool { return c.ID == id })
		switch {
		case at < 0:
			return membership.NoGroup(id, "in the account's region")
		case clusters[at].Type != alibaba.EDASOfECS:
			return membership.Bad([]membership.Problem{{Field: "group", Value: membership.Quote(id),
				Want: "is a cluster of containers, in which no instance is; want one of ECS instances"}})
		}
	}
	in, err := s.readMembers(ctx, clusters)
	if err != nil {
		return err
	}
	return finder.Instances(ctx, s.client, q, finder.OneEach(in, q.In), yield)
}

// Room implements membership.Session: EDAS publishes no limit of a cluster's members, and tells none.
func (*session) Room(context.Context, []string) (membership.Room, error) {
	return membership.NoRoomTold()
}
