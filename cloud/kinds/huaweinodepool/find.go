package huaweinodepool

import (
	"context"

	"github.com/fleetjoin/fleetjoin/cloud/huawei/finder"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Find implements membership.Session: the members are servers of the project (ListServersDetails); those in a pool are its
// nodes (ListNodes).
func (s *session) Find(ctx context.Context, q membership.Query, yield func(membership.Found) error) error {
	if err := s.checkPools(ctx, q.Groups()); err != nil {
		return err
	}
	nodes, err := s.client.Nodes(ctx, s.params.cluster)
	if err != nil {
		return err
	}
	pool := make(map[string][]string) // of each server, its pool
	var in []string
	for id, n := range byServer(nodes, q.In) {
		pool[id] = []string{n.Pool}
		if n.Pool == q.In {
			in = append(in, id)
		}
	}
	return finder.Servers(ctx, s.client, q, in, func(server string) []string { return pool[server] }, yield)
}

// Room implements membership.Session: how many more nodes the cluster takes, by its flavor (ShowCluster), which its pools
// share.
func (s *session) Room(ctx context.Context, pools []string) (membership.Room, error) {
	room := membership.Room{All: membership.NoLimit}
	if err := s.checkPools(ctx, pools); err != nil {
		return room, err
	}
	cluster, err := s.client.Cluster(ctx, s.params.cluster)
	if err != nil {
		return room, err
	}
	nodes, err := s.client.Nodes(ctx, s.params.cluster)
	if err != nil {
		return room, err
	}
	if limit := cluster.NodeLimit(); limit > 0 { // 0 is one that the cluster's flavor does not tell
		room.All = max(limit-len(nodes), 0)
	}
	return room, nil
}

// checkPools wants the pools to be there, and with them their cluster.
func (s *session) checkPools(ctx context.Context, ids []string) error {
	for _, id := range ids {
		_, gone, err := missing(s.client.NodePool(ctx, s.params.cluster, id))
		switch {
		case err != nil:
			return err
		case gone:
			return membership.NoGroup(id, "in cluster "+s.params.cluster)
		}
	}
	return nil
}
