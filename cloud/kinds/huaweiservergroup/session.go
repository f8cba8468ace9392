package huaweiservergroup

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
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
	// flavors: a flavor's extra specs do not change; which flavor a server has is read anew each time.
	flavors map[string]huawei.Flavor
}

func newSession(c *huawei.Client, t membership.Target, p params) membership.Session {
	return &session{client: c, target: t, params: p, flavors: make(map[string]huawei.Flavor)}
}

// Observe reads the servers, their flavors and the group side by side, and then the jobs that matter.
func (s *session) Observe(whole context.Context, look membership.Look) (membership.Observation, error) {
	o := &observation{operation: s.target.Operation, params: s.params, jobs: make(map[string]huawei.Job)}
	reads, ctx := errgroup.WithContext(whole)
	reads.Go(func() (err error) {
		if o.servers, err = s.client.Servers(ctx, look.Members); err != nil {
			return err
		}
		o.flavors, err = s.readFlavors(ctx, o.servers)
		return err
	})
	reads.Go(func() (err error) {
		o.group, o.groupMissing, err = s.readGroup(ctx, s.target.Group)
		return err
	})
	if s.target.From != "" {
		reads.Go(func() (err error) {
			o.from, o.fromMissing, err = s.readGroup(ctx, s.target.From)
			o.from.ID = s.target.From
			return err
		})
	}
	if look.Thorough {
		reads.Go(func() (err error) {
			o.elsewhere, err = s.readElsewhere(ctx, look.Members)
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	s.readJobs(whole, o, look.Jobs)
	return o, s.readHosts(whole, o)
}

// readHosts reads the other members of the group, when somebody is to be on another host than they.
func (s *session) readHosts(ctx context.Context, o *observation) (err error) {
	var others []string
	joined := false
	for _, id := range o.group.Members {
		if server, asked := o.servers[id]; !asked {
			others = append(others, id)
		} else {
			joined = joined || isOn(server)
		}
	}
	if joined && o.operation == membership.Join {
		o.others, err = s.client.Servers(ctx, others)
	}
	return err
}

// readJobs reads the jobs that can explain something: a server on which something is under way explains itself. Jobs are
// short-lived, and one that cannot be read is no evidence, and no error.
func (s *session) readJobs(ctx context.Context, o *observation, jobs map[string][]string) {
	var mu sync.Mutex
	var reads errgroup.Group
	for id, members := range jobs {
		if !slices.ContainsFunc(members, func(m string) bool { return idle(o.servers[m]) }) {
			continue
		}
		reads.Go(func() error {
			if job, err := s.client.Job(ctx, id); err == nil {
				mu.Lock()
				defer mu.Unlock()
				o.jobs[id] = job
			}
			return nil
		})
	}
	_ = reads.Wait() // it has no errors
}

// readGroup reads the group. That it is missing is only believed when the list of groups agrees: the single read
// answers a query that failed with the same class of error.
func (s *session) readGroup(ctx context.Context, id string) (g huawei.Group, missing bool, err error) {
	g, err = s.client.Group(ctx, id)
	if err == nil {
		return g, false, nil
	}
	e := verdict.As(err)
	if e.Status != http.StatusNotFound && e.Code != "Ecs.0313" {
		return g, false, err
	}
	listed := false
	if err := s.client.EachGroup(ctx, func(g huawei.Group) error { listed = listed || g.ID == id; return nil }); err != nil {
		return g, false, err
	}
	if listed {
		return g, false, &verdict.Error{Verdict: verdict.Transient, Op: e.Op, Status: e.Status, Code: e.Code, RequestID: e.RequestID,
			Message: "the group is listed but cannot be read"}
	}
	return g, true, nil
}

// readElsewhere tells for each of the servers that is in another group which that is.
func (s *session) readElsewhere(ctx context.Context, servers []string) (map[string]string, error) {
	asked := make(map[string]bool, len(servers))
	for _, id := range servers {
		asked[id] = true
	}
	in := make(map[string]string)
	return in, s.client.EachGroup(ctx, func(g huawei.Group) error {
		for _, id := range g.Members {
			if asked[id] && g.ID != s.target.Group {
				in[id] = g.ID
			}
		}
		return nil
	})
}

// readFlavors reads the flavors of the servers. One that is not there any more is absent: nothing is known about it.
func (s *session) readFlavors(ctx context.Context, servers map[string]huawei.Server) (map[string]huawei.Flavor, error) {
	missing := make(map[string]bool)
	for _, server := range servers {
		if _, known := s.flavors[server.FlavorID]; !known && server.FlavorID != "" {
			missing[server.FlavorID] = true
		}
	}
	var mu sync.Mutex
	reads, ctx := errgroup.WithContext(ctx)
	for id := range missing {
		reads.Go(func() error {
			f, err := s.client.Flavor(ctx, id)
			if e := verdict.As(err); e != nil && e.Status == http.StatusNotFound {
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			s.flavors[id] = f
			return nil
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	return maps.Clone(s.flavors), nil
}

// Do sends one write.
func (s *session) Do(ctx context.Context, action string, members []*membership.Member) (membership.Sent, error) {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	var sent membership.Sent
	var err error
	switch action {
	case actStop:
		sent.Job, err = s.client.StopServers(ctx, ids, false)
	case actStopHard:
		sent.Job, err = s.client.StopServers(ctx, ids, true)
	case actStart:
		sent.Job, err = s.client.StartServers(ctx, ids)
	case actAdd:
		err = s.client.AddMember(ctx, s.target.Group, ids[0])
	case actRemove:
		err = s.client.RemoveMember(ctx, s.target.Group, ids[0])
	case actPullOut:
		err = s.client.RemoveMember(ctx, s.target.From, ids[0])
	case actPutBack:
		err = s.client.AddMember(ctx, s.target.From, ids[0])
	default:
		err = &verdict.Error{Verdict: verdict.Rejected, Op: action, Message: fmt.Sprintf("%s has no such action", ID)}
	}
	return sent, err
}
