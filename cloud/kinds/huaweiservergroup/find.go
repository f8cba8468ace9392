package huaweiservergroup

import (
	"context"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/huawei/finder"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Find implements membership.Session: the members are servers of the project (ListServersDetails), in the groups that list
// them (ListServerGroups).
func (s *session) Find(ctx context.Context, q membership.Query, yield func(membership.Found) error) error {
	groups, err := s.readGroups(ctx, q.Groups())
	if err != nil {
		return err
	}
	of := make(map[string][]string)
	for id, g := range groups {
		for _, server := range g.Members {
			of[server] = append(of[server], id)
		}
	}
	return finder.Servers(ctx, s.client, q, groups[q.In].Members, func(server string) []string { return of[server] }, yield)
}

// Room implements membership.Session: what the project's quota of members per group leaves (ShowServerLimits,
// maxServerGroupMembers).
func (s *session) Room(ctx context.Context, ids []string) (membership.Room, error) {
	room := membership.Room{Each: make(map[string]int, len(ids)), All: membership.NoLimit}
	groups, err := s.readGroups(ctx, ids)
	if err != nil {
		return room, err
	}
	limits, err := s.client.Limits(ctx)
	if err != nil {
		return room, err
	}
	for _, id := range ids {
		room.Each[id] = membership.NoLimit
		if quota := limits.MaxServerGroupMembers; quota > 0 { // 0 is one that the cloud did not tell
			room.Each[id] = max(quota-len(groups[id].Members), 0)
		}
	}
	return room, nil
}

// readGroups reads all groups of the project, by id. Those that are wanted must be there.
func (s *session) readGroups(ctx context.Context, wanted []string) (map[string]huawei.Group, error) {
	groups := make(map[string]huawei.Group)
	if err := s.client.EachGroup(ctx, func(g huawei.Group) error { groups[g.ID] = g; return nil }); err != nil {
		return nil, err
	}
	for _, id := range wanted {
		if _, ok := groups[id]; !ok {
			return nil, membership.NoGroup(id, "in the project")
		}
	}
	return groups, nil
}
