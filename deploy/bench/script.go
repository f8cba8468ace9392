package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
)

// The stages of a server's way, as the script sees them.
const (
	toStop = iota
	toAdd
	toStart
	through
)

// script moves pages of servers the way a program without durability does: it forgets everything when it dies. It reads
// what the engine reads (servers in batches of 100, the group, the jobs that it started), sends what the engine sends
// (100 stops or starts in a call, adds one by one), polls as often, and lets every server go on at its own pace.
type script struct {
	client   *huawei.Client
	poll     time.Duration
	parallel int // most writes at once in a page
	pages    int // most pages at once, or allAtOnce
}

// runner is one server on its way.
type runner struct {
	id    string
	stage int
	sent  bool   // the stage's write
	job   string // what the write started
}

// run moves all pages.
func (s script) run(ctx context.Context, all []page) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.pages)
	for _, p := range all {
		group.Go(func() error {
			if err := s.check(ctx, p); err != nil {
				return err
			}
			return s.walk(ctx, p, toStop, toStart)
		})
	}
	return group.Wait()
}

// check reads what the engine's plan reads, and refuses servers that are not KVM.
func (s script) check(ctx context.Context, p page) error {
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() error {
		servers, err := s.client.Servers(ctx, p.Members)
		if err != nil {
			return err
		}
		flavors := make(map[string]bool)
		for _, server := range servers {
			flavors[server.FlavorID] = true
		}
		for id := range flavors {
			flavor, err := s.client.Flavor(ctx, id)
			if err != nil {
				return err
			}
			if flavor.ExtraSpecs["ecs:virtualization_env_types"] != "CloudCompute" {
				return fmt.Errorf("flavor %s is not KVM", id)
			}
		}
		return nil
	})
	reads.Go(func() error { _, err := s.client.Group(ctx, p.Group); return err })
	reads.Go(func() error { return s.client.EachGroup(ctx, func(huawei.Group) error { return nil }) })
	reads.Go(func() error { _, err := s.client.Limits(ctx); return err })
	return reads.Wait()
}

// walk takes the page's servers through the stages from first to last.
func (s script) walk(ctx context.Context, p page, first, last int) error {
	runners := make([]*runner, len(p.Members))
	for i, id := range p.Members {
		runners[i] = &runner{id: id, stage: first}
	}
	for {
		seen, err := s.look(ctx, p, runners)
		if err != nil {
			return err
		}
		going := runners[:0]
		due := [through][]*runner{}
		for _, r := range runners {
			seen.advance(r)
			if r.stage > last {
				continue
			}
			going = append(going, r)
			if !r.sent && seen.ready(r) {
				due[r.stage] = append(due[r.stage], r)
			}
		}
		if runners = going; len(runners) == 0 {
			return nil
		}
		if err := s.write(ctx, p, due); err != nil {
			return err
		}
		if len(due[toAdd]) > 0 {
			continue // an add usually shows at once
		}
		select {
		case <-time.After(s.poll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sight is what the cloud said at one moment.
type sight struct {
	servers map[string]huawei.Server
	members map[string]bool
}

func (s script) look(ctx context.Context, p page, runners []*runner) (seen sight, err error) {
	ids := make([]string, len(runners))
	jobs := make(map[string]bool)
	for i, r := range runners {
		ids[i] = r.id
		if r.job != "" {
			jobs[r.job] = true
		}
	}
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		seen.servers, err = s.client.Servers(ctx, ids)
		return err
	})
	reads.Go(func() error {
		group, err := s.client.Group(ctx, p.Group)
		seen.members = make(map[string]bool, len(group.Members))
		for _, id := range group.Members {
			seen.members[id] = true
		}
		return err
	})
	for id := range jobs {
		reads.Go(func() error { _, err := s.client.Job(ctx, id); return err })
	}
	return seen, reads.Wait()
}

// advance takes a server beyond every stage that holds.
func (s sight) advance(r *runner) {
	for r.stage < through {
		server := s.servers[r.id]
		idle := server.TaskState == ""
		holds := false
		switch r.stage {
		case toStop:
			holds = idle && server.Status == "SHUTOFF"
		case toAdd:
			holds = s.members[r.id]
		case toStart:
			holds = idle && server.Status == "ACTIVE"
		}
		if !holds {
			return
		}
		*r = runner{id: r.id, stage: r.stage + 1}
	}
}

// ready reports whether the stage's write would be taken.
func (s sight) ready(r *runner) bool {
	server := s.servers[r.id]
	want := "SHUTOFF"
	if r.stage == toStop {
		want = "ACTIVE"
	}
	return server.TaskState == "" && server.Status == want
}

const perPowerCall = 100

// write sends what is due, so many calls at once.
func (s script) write(ctx context.Context, p page, due [through][]*runner) error {
	writes, ctx := errgroup.WithContext(ctx)
	writes.SetLimit(s.parallel)
	power := func(runners []*runner, send func(context.Context, []string) (string, error)) {
		for len(runners) > 0 {
			batch := runners[:min(perPowerCall, len(runners))]
			runners = runners[len(batch):]
			writes.Go(func() error {
				ids := make([]string, len(batch))
				for i, r := range batch {
					ids[i] = r.id
				}
				job, err := send(ctx, ids)
				for _, r := range batch {
					r.sent, r.job = true, job
				}
				return err
			})
		}
	}
	power(due[toStop], func(ctx context.Context, ids []string) (string, error) {
		return s.client.StopServers(ctx, ids, false)
	})
	for _, r := range due[toAdd] {
		writes.Go(func() error {
			r.sent = true
			return s.client.AddMember(ctx, p.Group, r.id)
		})
	}
	power(due[toStart], s.client.StartServers)
	return writes.Wait()
}
