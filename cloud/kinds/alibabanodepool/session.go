package alibabanodepool

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

const (
	// tasksPerLook and taskPatience keep tasks, which only explain, from making an observation old.
	tasksPerLook = 5
	taskPatience = time.Second
)

// session is the I/O of one activity attempt.
type session struct {
	client *alibaba.Client
	target membership.Target
	params params
	disks  *backup.Session
	// tasks are those that were read, as they were then; turn says whose it is to be read next. Only Observe uses them.
	tasks map[string]alibaba.Task
	turn  int
}

func newSession(client *alibaba.Client, t membership.Target, p params) membership.Session {
	return &session{client: client, target: t, params: p, disks: backup.Open(client, t.Program, p.backup),
		tasks: make(map[string]alibaba.Task)}
}

// Observe reads the instances, the cluster with its pool and their nodes, the system disks and some tasks, side by side,
// each in as few calls as there are hundreds of members.
func (s *session) Observe(ctx context.Context, look membership.Look) (membership.Observation, error) {
	o := &observation{operation: s.target.Operation, params: s.params, poolID: s.target.Group}
	if s.params.password != nil && o.operation == membership.Join {
		o.password = s.client.CheckPassword(*s.params.password)
	}
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		o.instances, err = s.client.Instances(ctx, look.Members)
		return err
	})
	reads.Go(func() (err error) {
		o.cluster, o.clusterMissing, err = missing(s.client.ContainerCluster(ctx, s.params.cluster))
		return err
	})
	reads.Go(func() (err error) {
		o.pool, o.poolMissing, err = missing(s.client.ContainerPool(ctx, s.params.cluster, s.target.Group))
		return err
	})
	var nodesMissing bool
	reads.Go(func() (err error) {
		o.nodes, nodesMissing, err = s.readNodes(ctx, s.params.cluster, look.Members)
		return err
	})
	reads.Go(func() error {
		o.tasks = s.readTasks(ctx, look.Jobs)
		return nil
	})
	if o.operation == membership.Leave {
		look.Thorough = false // what is asked of disks and other clusters is asked for a join
	}
	reads.Go(func() (err error) {
		o.disks, err = s.disks.Observe(ctx, look)
		return err
	})
	if look.Thorough {
		reads.Go(func() (err error) {
			o.elsewhere, err = s.readElsewhere(ctx, look.Members)
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	if nodesMissing && !o.clusterMissing { // that nobody is a node must not rest on a contradiction
		return nil, &verdict.Error{Verdict: verdict.Transient, Op: "DescribeClusterNodes", Status: http.StatusNotFound,
			Message: "the cluster is there, and it has no list of nodes"}
	}
	return o, nil
}

// missing takes the cloud's own word that something is not there for an observation.
func missing[T any](v T, err error) (T, bool, error) {
	if e := verdict.As(err); e != nil && e.Verdict == verdict.Rejected && e.Status == http.StatusNotFound && e.Code != "" {
		return v, true, nil
	}
	return v, false, err
}

// readNodes finds the nodes of a cluster that instances are. Of several, as while one is still being removed, the one
// that stays counts.
func (s *session) readNodes(ctx context.Context, cluster string, instances []string) (
	found map[string]alibaba.Node, gone bool, err error,
) {
	nodes, gone, err := missing(s.client.ContainerNodes(ctx, cluster, instances...))
	found = make(map[string]alibaba.Node)
	for _, n := range nodes {
		if old, ok := found[n.Instance]; !ok || old.State == alibaba.NodeRemoving {
			found[n.Instance] = n
		}
	}
	return found, gone, err
}

// readElsewhere tells for each instance that is a node of another cluster of the region which that is.
func (s *session) readElsewhere(ctx context.Context, instances []string) (map[string]string, error) {
	clusters, err := s.client.ContainerClusters(ctx)
	if err != nil {
		return nil, err
	}
	in := make(map[string]string)
	for _, c := range clusters {
		if c.ID == s.params.cluster {
			continue
		}
		nodes, _, err := s.readNodes(ctx, c.ID, instances)
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %w", c.ID, err)
		}
		for id := range nodes {
			in[id] = c.ID
		}
	}
	return in, nil
}

// readTasks reads some of the tasks that may still be under way, in turns, and returns what is known of all. A task only
// explains what the nodes show, and it is forgotten some day: one that cannot be read is no evidence, and no error.
func (s *session) readTasks(ctx context.Context, jobs map[string][]string) map[string]alibaba.Task {
	ctx, stop := context.WithTimeout(ctx, taskPatience)
	defer stop()
	open := slices.DeleteFunc(slices.Sorted(maps.Keys(jobs)), func(id string) bool {
		state := s.tasks[id].State
		return state == alibaba.TaskSuccess || state == alibaba.TaskFailed
	})
	var mu sync.Mutex
	var reads sync.WaitGroup
	for range min(len(open), tasksPerLook) {
		id := open[s.turn%len(open)]
		s.turn++
		reads.Go(func() {
			if task, err := s.client.ContainerTask(ctx, id); err == nil {
				mu.Lock()
				defer mu.Unlock()
				s.tasks[id] = task
			}
		})
	}
	reads.Wait()
	return maps.Clone(s.tasks)
}

// Do sends one write.
func (s *session) Do(ctx context.Context, action string, members []*membership.Member) (sent membership.Sent, err error) {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	switch action {
	case actAttach:
		sent.Job, sent.Refused, err = s.client.AttachInstances(ctx, alibaba.Attach{Cluster: s.params.cluster,
			Pool: s.target.Group, Instances: ids, Password: s.params.password, FormatDisk: s.params.formatDisk})
	case actRemove:
		sent.Job, err = s.client.RemoveNodes(ctx, s.params.cluster, s.target.Group, ids, s.params.drain)
		if e := verdict.As(err); e != nil && e.Verdict == verdict.Done && len(ids) > 1 {
			// One of them is gone already, and the call did nothing for the others.
			alone := *e
			alone.Verdict = verdict.Rejected
			err = &alone
		}
	default:
		err = s.disks.Do(ctx, action, members[0])
	}
	return sent, err
}
