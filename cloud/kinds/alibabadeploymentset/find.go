package alibabadeploymentset

import (
	"context"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/finder"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Find implements membership.Session: the members are instances of the region (DescribeInstances), which tell their sets; who
// is in one, the set itself lists.
func (s *session) Find(ctx context.Context, q membership.Query, yield func(membership.Found) error) error {
	sets, err := s.readSets(ctx, q.Groups())
	if err != nil {
		return err
	}
	of := func(i alibaba.Instance) []string {
		if i.DeploymentSet == "" {
			return nil
		}
		return []string{i.DeploymentSet}
	}
	return finder.Instances(ctx, s.client, q, finder.Groups{Of: of, In: sets[q.In].Members}, yield)
}

// Room implements membership.Session: what each set takes in all zones together (DescribeDeploymentSets). How much it is in
// the zone of a member, planning tells.
func (s *session) Room(ctx context.Context, ids []string) (membership.Room, error) {
	room := membership.Room{Each: make(map[string]int, len(ids)), All: membership.NoLimit}
	sets, err := s.readSets(ctx, ids)
	if err != nil {
		return room, err
	}
	for _, id := range ids {
		room.Each[id] = membership.NoLimit
		if zones := sets[id].Room; len(zones) > 0 {
			room.Each[id] = 0
			for _, free := range zones {
				room.Each[id] += free
			}
		}
	}
	return room, nil
}

// readSets reads sets, all of which must be there.
func (s *session) readSets(ctx context.Context, ids []string) (map[string]alibaba.DeploymentSet, error) {
	sets, err := s.client.DeploymentSets(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, ok := sets[id]; !ok {
			return nil, membership.NoGroup(id, "in the account's region")
		}
	}
	return sets, nil
}
