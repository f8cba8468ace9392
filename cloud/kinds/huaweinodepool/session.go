package huaweinodepool

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// session is the I/O of one activity attempt.
type session struct {
	client *huawei.Client
	target membership.Target
	params params
	// seen are the nodes of the last observation, by server: a removal names nodes, not servers. Only Observe writes it.
	seen map[string]huawei.Node
	// xen remembers which flavors are virtualized by Xen: that does not change.
	xen map[string]bool
}

func newSession(client *huawei.Client, t membership.Target, p params) membership.Session {
	return &session{client: client, target: t, params: p}
}

// Observe reads the servers, the cluster with its pool and nodes, and the jobs, side by side.
func (s *session) Observe(ctx context.Context, look membership.Look) (membership.Observation, error) {
	o := &observation{operation: s.target.Operation, params: s.params, poolID: s.target.Group,
		jobs: make(map[string]huawei.ClusterJob)}
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		if o.servers, err = s.client.Servers(ctx, look.Members); err != nil {
			return err
		}
		o.xen, err = s.readXen(ctx, o.servers)
		return err
	})
	reads.Go(func() (err error) {
		o.cluster, o.clusterMissing, err = missing(s.client.Cluster(ctx, s.params.cluster))
		return err
	})
	reads.Go(func() (err error) {
		o.pool, o.poolMissing, err = missing(s.client.NodePool(ctx, s.params.cluster, s.target.Group))
		return err
	})
	var nodesMissing bool
	reads.Go(func() error {
		nodes, gone, err := missing(s.client.Nodes(ctx, s.params.cluster))
		o.nodes, nodesMissing = byServer(nodes, s.target.Group), gone
		return err
	})
	var mu sync.Mutex
	for id := range look.Jobs {
		reads.Go(func() error {
			// A job only explains what the node shows, and jobs are short-lived: one that cannot be read is no evidence, and
			// no error.
			if job, err := s.client.ClusterJob(ctx, id); err == nil {
				mu.Lock()
				defer mu.Unlock()
				o.jobs[id] = job
			}
			return nil
		})
	}
	if look.Thorough {
		reads.Go(func() (err error) {
			o.elsewhere, err = s.readElsewhere(ctx)
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	if nodesMissing && !o.clusterMissing { // that nobody is a node must not rest on a contradiction
		return nil, &verdict.Error{Verdict: verdict.Transient, Op: "ListNodes", Status: http.StatusNotFound,
			Message: "the cluster is there, and it has no list of nodes"}
	}
	s.seen = o.nodes
	return o, nil
}

// missing takes the cloud's word that something is not there for an observation.
func missing[T any](v T, err error) (T, bool, error) {
	if e := verdict.As(err); e != nil && e.Verdict == verdict.Rejected && e.Status == http.StatusNotFound && e.Code == "CCE.01404001" {
		return v, true, nil
	}
	return v, false, err
}

// byServer finds the node that each server is. Of several, as while one is still being removed, the one that stays
// counts, and before others one of the pool.
func byServer(nodes []huawei.Node, pool string) map[string]huawei.Node {
	found := make(map[string]huawei.Node)
	rank := func(n huawei.Node) int {
		switch {
		case n.Phase == phaseDeleting:
			return 0
		case n.Pool != pool:
			return 1
		}
		return 2
	}
	for _, n := range nodes {
		if old, ok := found[n.ServerID]; n.ServerID != "" && (!ok || rank(n) > rank(old)) {
			found[n.ServerID] = n
		}
	}
	return found
}

// readElsewhere tells for each server that is a node of another cluster of the project which that is.
func (s *session) readElsewhere(ctx context.Context) (map[string]string, error) {
	clusters, err := s.client.Clusters(ctx)
	if err != nil {
		return nil, err
	}
	in := make(map[string]string)
	for _, c := range clusters {
		if c.ID == s.params.cluster {
			continue
		}
		nodes, _, err := missing(s.client.Nodes(ctx, c.ID))
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %w", c.ID, err)
		}
		for _, n := range nodes {
			in[n.ServerID] = c.ID
		}
	}
	return in, nil
}

// readXen tells which flavors of the servers are virtualized by Xen. About one that is not there any more nothing is
// known; that the pool has the same says enough.
func (s *session) readXen(ctx context.Context, servers map[string]huawei.Server) (map[string]bool, error) {
	if s.xen == nil {
		s.xen = make(map[string]bool)
	}
	for _, server := range servers {
		id := server.FlavorID
		if _, known := s.xen[id]; known || id == "" {
			continue
		}
		f, err := s.client.Flavor(ctx, id)
		if e := verdict.As(err); e != nil && e.Status != http.StatusNotFound {
			return nil, err
		}
		s.xen[id] = f.ExtraSpecs["ecs:virtualization_env_types"] == "FusionCompute"
	}
	return maps.Clone(s.xen), nil
}

// Do sends one write.
func (s *session) Do(ctx context.Context, action string, members []*membership.Member) (sent membership.Sent, err error) {
	var ids []string
	for _, m := range members {
		id := m.ID
		if action == actRemove {
			id = s.seen[m.ID].ID
		}
		ids = append(ids, id)
	}
	switch action {
	case actAdd:
		sent.Job, err = s.client.AddNodes(ctx, s.params.cluster, s.target.Group, ids)
	case actRemove:
		sent.Job, err = s.client.RemoveNodes(ctx, s.params.cluster, ids)
		if e := verdict.As(err); e != nil && e.Verdict == verdict.Done && len(ids) > 1 {
			// One of them is gone already, and the call did nothing for the others.
			alone := *e
			alone.Verdict = verdict.Rejected
			err = &alone
		}
	default:
		err = &verdict.Error{Verdict: verdict.Rejected, Op: action, Message: fmt.Sprintf("%s has no such action", ID)}
	}
	return sent, err
}
