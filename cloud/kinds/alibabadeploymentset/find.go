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

// Room implements membership.Session: what each set takes in each zone, and in all of them together (DescribeDeploymentSets). Of
// a zone that the cloud does not tell, it will say when an instance is placed.
func (s *session) Room(ctx context.Context, ids []string) (membership.Room, error) {
	room := membership.Room{Each: make(map[string]int), Zones: make(map[string]map[string]int), All: membership.NoLimit}
	sets, err := s.readSets(ctx, ids)
	if err != nil {
		return room, err
	}
	for _, id := range ids {
		zones := sets[id].Room
		if len(zones) == 0 {
			continue
		}
		room.Zones[id] = zones
		for _, free := range zones {
			room.Each[id] += free
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
