package alibabanodepool

import (
	"context"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/finder"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// Find implements membership.Session: the members are instances of the region (DescribeInstances); those in a pool are its
// nodes, in whatever state (DescribeClusterNodes). Who is a node of another cluster is found, and for a plan to refuse.
func (s *session) Find(ctx context.Context, q membership.Query, yield func(membership.Found) error) error {
	nodes, err := s.readPools(ctx, q.Groups())
	if err != nil {
		return err
	}
	pools := make(map[string]string, len(nodes))
	for id, n := range nodes {
		pools[id] = n.Pool
	}
	return finder.Instances(ctx, s.client, q, finder.OneEach(pools, q.In), yield)
}

// Room implements membership.Session: how many more nodes the cluster takes, by the account's quota (DescribeUserQuota), which
// its pools share. A pool has no limit of its own. Whoever may not read the quota may still attach.
func (s *session) Room(ctx context.Context, ids []string) (membership.Room, error) {
	room := membership.Room{All: membership.NoLimit}
	nodes, err := s.readPools(ctx, ids)
	if err != nil {
		return room, err
	}
	quota, err := s.client.ContainerNodeQuota(ctx)
	if err != nil && verdict.Of(err) != verdict.Rejected {
		return room, err
	}
	if quota > 0 { // 0 is one that the cloud did not tell
		room.All = max(quota-len(nodes), 0)
	}
	return room, nil
}

// readPools reads the nodes of the cluster by instance, of all its pools. Those that are wanted must be there.
func (s *session) readPools(ctx context.Context, wanted []string) (map[string]alibaba.Node, error) {
	nodes, gone, err := s.readNodes(ctx, s.params.cluster, nil)
	switch {
	case err != nil:
		return nil, err
	case gone:
		return nil, membership.Bad([]membership.Problem{{Field: "params.cluster", Value: membership.Quote(s.params.cluster),
			Want: "does not exist in the account's region; want a cluster that does"}})
	}
	for _, id := range wanted {
		_, gone, err := missing(s.client.ContainerPool(ctx, s.params.cluster, id))
		switch {
		case err != nil:
			return nil, err
		case gone:
			return nil, membership.NoGroup(id, "in cluster "+s.params.cluster)
		}
	}
	return nodes, nil
}
