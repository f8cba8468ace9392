package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/fleetjoin/fleetjoin/activities"
	plans "github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/huaweiservergroup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/starter/devstack"
	"github.com/fleetjoin/fleetjoin/worker/host"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// bed is what variants run on: one Temporal server for all of them.
type bed struct {
	client   client.Client
	address  string // of the Temporal server
	cli      string // the temporal CLI
	dir      string
	progress io.Writer
	runs     int
}

// withBed starts the Temporal server of the dev stack, its database in a file, for as long as do runs. The stack's own
// simulator and worker stay idle: a variant brings its own of both.
func withBed(ctx context.Context, temporal string, progress io.Writer, do func(*bed) error) error {
	cli, err := devstack.FindTemporal(temporal)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fleetjoin-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover in the temporary folder hurts nobody
	idle, _ := fleet{pages: 1, size: 1, speed: 1}.world()
	quiet := slog.New(slog.DiscardHandler)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return devstack.Run(ctx, devstack.Options{World: idle, StateDir: filepath.Join(dir, "stack"), Temporal: cli,
		Worker: host.Defaults(), Logger: quiet}, func(where devstack.Ready) error {
		defer stop()
		c, err := client.DialContext(ctx, client.Options{HostPort: where.Temporal, Logger: log.NewStructuredLogger(quiet)})
		if err != nil {
			return err
		}
		defer c.Close()
		return do(&bed{client: c, address: where.Temporal, cli: cli, dir: dir, progress: progress})
	})
}

// entry is one line of a table to be: a way to do a fleet's work.
type entry struct {
	name string
	fleet
	run variant
}

// variant does a cloud's work in one way and says what it took.
type variant func(context.Context, *cloud) (measured, error)

// measured is what one run of a variant took and left.
type measured struct {
	seconds float64 // from the first start to the last end
	events  int64   // in all histories; 0 without Temporal
	calls   int64   // that reached the cloud
	writes  []journal.Entry
	granted int // of the calls, those that the cloud took
	// Of fleets:
	peak          float64 // MB of the worker's process
	longestEvents int64   // of all histories
	longestMB     float64
}

// compare runs every entry so many times, in turns, so that a noisy machine is noisy for all of them. Of each it returns
// the run with the median time.
func (b *bed) compare(ctx context.Context, rounds int, entries ...entry) ([]Row, []measured, error) {
	runs := make([][]measured, len(entries))
	for range rounds {
		for i, e := range entries {
			m, err := b.measure(ctx, e)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", e.name, err)
			}
			runs[i] = append(runs[i], m)
		}
	}
	rows, medians := make([]Row, len(entries)), make([]measured, len(entries))
	for i, e := range entries {
		slices.SortFunc(runs[i], func(a, b measured) int { return cmp.Compare(a.seconds, b.seconds) })
		medians[i] = runs[i][rounds/2]
		rows[i] = newRow(e, medians[i])
		rows[i].Slowest = runs[i][rounds-1].seconds
	}
	return rows, medians, nil
}

// measure runs an entry on a fresh simulator and checks that it did its work.
func (b *bed) measure(ctx context.Context, e entry) (m measured, err error) {
	b.runs++
	fmt.Fprintf(b.progress, "%s: %d members …\n", e.name, e.members())
	url, stop, err := spawnCloud(ctx)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	c, err := fill(ctx, url, e.fleet, b.dir)
	if err != nil {
		return m, err
	}
	if m, err = c.run(ctx, e.run); err == nil {
		fmt.Fprintf(b.progress, "%s: %.1f s\n", e.name, m.seconds)
	}
	return m, err
}

// run lets a variant do the cloud's work and looks at what it did.
func (c *cloud) run(ctx context.Context, do variant) (measured, error) {
	m, err := do(ctx, c)
	if err != nil {
		return m, err
	}
	if err := c.checkJoined(ctx); err != nil {
		return m, err
	}
	if m.writes, m.calls, err = c.writes(ctx); err != nil {
		return m, err
	}
	m.granted, err = c.granted(ctx)
	return m, err
}

// allAtOnce lets the script move all pages at once.
const allAtOnce = -1

// bare runs the script, on so many pages at once.
func bare(pace membership.Pace, pages int) variant {
	return func(ctx context.Context, c *cloud) (m measured, err error) {
		ecs, err := c.dial(ctx, boundless)
		if err != nil {
			return m, err
		}
		begin := time.Now()
		err = script{client: ecs, poll: pace.Poll.Std(), parallel: pace.Parallel, pages: pages}.run(ctx, c.pages)
		m.seconds = time.Since(begin).Seconds()
		return m, err
	}
}

// durable runs a workflow for every page, on a worker of its own: name is the workflow's type, and input makes its
// arguments.
func (b *bed) durable(pace membership.Pace, workflow string, input func(page) []any) variant {
	return func(ctx context.Context, c *cloud) (m measured, err error) {
		queue := fmt.Sprintf("bench-%d", b.runs)
		stop, err := b.work(ctx, c, queue, pace)
		if err != nil {
			return m, err
		}
		defer stop()
		runs := make([]client.WorkflowRun, len(c.pages))
		begin := time.Now()
		for i, p := range c.pages {
			options := client.StartWorkflowOptions{ID: fmt.Sprintf("%s-%d", queue, i+1), TaskQueue: queue}
			if runs[i], err = b.client.ExecuteWorkflow(ctx, options, workflow, input(p)...); err != nil {
				return m, err
			}
		}
		for _, run := range runs {
			if err := run.Get(ctx, nil); err != nil {
				return m, err
			}
		}
		m.seconds = time.Since(begin).Seconds()
		for _, run := range runs {
			n, err := b.events(ctx, run.GetID(), run.GetRunID())
			if err != nil {
				return m, err
			}
			m.events += n
		}
		return m, nil
	}
}

// work starts a worker as fleetjoin-worker has it.
func (b *bed) work(ctx context.Context, c *cloud, queue string, pace membership.Pace) (stop func(), err error) {
	w := worker.New(b.client, queue, workerOptions())
	if err := register(ctx, w, c, b.client, pace); err != nil {
		return nil, err
	}
	return w.Stop, w.Start()
}

// register makes the engine and what it is compared with known to a worker. Without a client, runs must stay on it.
func register(ctx context.Context, r worker.Registry, c *cloud, temporal client.Client, pace membership.Pace) error {
	ecs, err := c.dial(ctx, boundless)
	if err != nil {
		return err
	}
	dial := func(context.Context, string) (*huawei.Client, error) { return ecs, nil }
	blobs, err := store.Open(c.keys)
	if err != nil {
		return err
	}
	workflows.Register(r)
	activities.New(activities.Options{Kinds: kinds.All(kinds.Clouds{Huawei: dial}), Client: temporal, Pace: pace, Store: blobs}).Register(r)
	registerOthers(r, script{client: ecs, poll: pace.Poll.Std(), parallel: pace.Parallel})
	return nil
}

// events counts the events in the history of a run and of its children.
func (b *bed) events(ctx context.Context, id, run string) (n int64, err error) {
	history := b.client.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if err != nil {
			return 0, err
		}
		n++
		if child := event.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowExecution(); child != nil {
			more, err := b.events(ctx, child.GetWorkflowId(), child.GetRunId())
			if err != nil {
				return 0, err
			}
			n += more
		}
	}
	return n, nil
}

// plan is what the engine is asked for.
func plan(p page) []any {
	return []any{plans.Plan{Step: plans.Step{Kind: huaweiservergroup.ID, Account: accountName, Group: p.Group, Members: p.Members}}}
}
