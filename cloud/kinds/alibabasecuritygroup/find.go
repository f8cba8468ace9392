package alibabasecuritygroup

import (
	"context"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/finder"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Find implements membership.Session: the members are instances of the region (DescribeInstances). Network interfaces are
// found by their ids alone.
func (s *session) Find(ctx context.Context, q membership.Query, yield func(membership.Found) error) error {
	if _, err := s.readGroups(ctx, q.Groups()); err != nil {
		return err
	}
	ids := slices.DeleteFunc(slices.Clone(q.IDs), func(id string) bool { return !isInterface(id) })
	q.IDs = slices.DeleteFunc(slices.Clone(q.IDs), isInterface) // nil, which is everybody, stays so
	of := func(i alibaba.Instance) []string { return i.SecurityGroups }
	if err := finder.Instances(ctx, s.client, q, finder.Groups{Of: of, SecurityGroup: q.In}, yield); err != nil {
		return err
	}
	interfaces, err := s.client.NetworkInterfaces(ctx, ids)
	if err != nil {
		return err
	}
	for _, n := range interfaces {
		f := membership.Found{ID: n.ID, Name: n.Name, VPC: n.VPC, Groups: n.SecurityGroups,
			Traits: membership.Traits(n.Zone, nil)}
		if !q.Matches(f) {
			continue
		}
		if err := yield(f); err != nil {
			return err
		}
	}
	return nil
}

// Room implements membership.Session: what the capacity of each group leaves, which is the parameter's, or what is
// documented for its type, beside the network interfaces that it has (DescribeNetworkInterfaces). In a basic group, each takes as
// many places as it has private addresses.
func (s *session) Room(ctx context.Context, ids []string) (membership.Room, error) {
	room := membership.Room{Each: make(map[string]int, len(ids)), All: membership.NoLimit}
	groups, err := s.readGroups(ctx, ids)
	if err != nil {
		return room, err
	}
	for _, id := range ids {
		count := s.client.GroupInterfaces
		if byAddress(groups[id]) {
			count, room.Most = s.client.GroupAddresses, mostPerInterface
		}
		taken, err := count(ctx, id)
		if err != nil {
			return room, err
		}
		room.Each[id] = max(s.params.capacityOf(groups[id])-taken, 0)
	}
	return room, nil
}

// readGroups reads groups, all of which must be there.
func (s *session) readGroups(ctx context.Context, ids []string) (map[string]alibaba.SecurityGroup, error) {
	groups, err := s.client.SecurityGroups(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, ok := groups[id]; !ok {
			return nil, membership.NoGroup(id, "in the account's region")
		}
	}
	return groups, nil
}
