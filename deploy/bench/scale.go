package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	plans "github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/huaweiservergroup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// scaleSection asks whether a fleet of any size costs what its members cost, and no more.
func scaleSection(ctx context.Context, b *bed, size sizes) (Table, error) {
	var entries []entry
	for _, f := range size.fleets {
		entries = append(entries, entry{sized("fleet", f), f, b.fleet(manner{pace: size.pace, cohorts: size.cohorts})})
	}
	const beside = 1 // the fleet that is measured next to the script
	entries = append(entries, entry{sized("script", size.fleets[beside]), size.fleets[beside], bare(size.pace, size.cohorts)})
	rows, runs, err := b.compare(ctx, 1, entries...)
	if err != nil {
		return Table{}, err
	}
	last := len(size.fleets) - 1
	for i := range rows {
		rows[i].Peak, rows[i].LongestEvents, rows[i].LongestMB = runs[i].peak, runs[i].longestEvents, runs[i].longestMB
	}
	script := rows[len(rows)-1]
	for i := range rows {
		rows[i].Ratio = rows[i].Seconds / float64(rows[i].Members) / (script.Seconds / float64(script.Members))
	}
	return Table{
		Setup: []string{
			"Fleet: one Fleet workflow over a target file, on a worker in a process of its own; script: as in overhead, as many pages at once.",
			fmt.Sprintf("A cloud whose calls and transitions take no time; %d cohorts at once. Of each history: events, and MB.", size.cohorts),
		},
		Against: "× script's time per member",
		Rows:    rows,
		Claims: []Claim{
			atMost("wall time over the script's, same size", rows[beside].Ratio, 1.5),
			atMost("history events per member, largest fleet", rows[last].Events, 0.5),
			atMost("events of the longest history", float64(rows[last].LongestEvents), 10_000),
			atMost("MB of the longest history", rows[last].LongestMB, 10),
			atMost("peak MB of the worker, largest fleet", rows[last].Peak, 250),
			atMost("peak MB, largest over smallest fleet", rows[last].Peak/rows[0].Peak, 1.3),
		},
	}, nil
}

// aloneSection asks what a fleet of one size, which may be too large to be compared with anything, takes of time and memory.
func aloneSection(ctx context.Context, b *bed, size sizes) (Table, error) {
	f := size.fleets[0]
	rows, runs, err := b.compare(ctx, 1, entry{sized("fleet", f), f, b.fleet(manner{pace: size.pace, cohorts: size.cohorts})})
	if err != nil {
		return Table{}, err
	}
	rows[0].Peak, rows[0].LongestEvents, rows[0].LongestMB = runs[0].peak, runs[0].longestEvents, runs[0].longestMB
	return Table{
		Setup: []string{"Fleet: as in scale, alone."},
		Rows:  rows,
		Claims: []Claim{
			atMost("history events per member", rows[0].Events, 0.5),
			atMost("events of the longest history", float64(rows[0].LongestEvents), 10_000),
			atMost("MB of the longest history", rows[0].LongestMB, 10),
			atMost("peak MB of the worker", rows[0].Peak, 500),
		},
	}, nil
}

// manner is how a Fleet workflow is run.
type manner struct {
	pace      membership.Pace
	cohorts   int                                           // at once
	learning  bool                                          // the worker finds out what the cloud takes, as one that is told nothing does
	meanwhile func(ctx context.Context, fleet string) error // done while it runs; nil: nothing
}

// fleet runs a Fleet workflow over all pages.
func (b *bed) fleet(how manner) variant {
	return func(ctx context.Context, c *cloud) (m measured, err error) {
		queue := fmt.Sprintf("bench-%d", b.runs)
		dir, err := os.MkdirTemp(b.dir, "fleet-")
		if err != nil {
			return m, err
		}
		const list = "members.csv"
		if err := writeList(filepath.Join(dir, list), c.pages); err != nil {
			return m, err
		}
		peak, stop, err := spawnWorker(ctx, workOrder{Temporal: b.address, Queue: queue, Cloud: c.url, Keys: c.keys,
			Store: dir, Targets: dir, Pace: how.pace, Learning: how.learning})
		if err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, stop()) }()
		plan := plans.Plan{Step: plans.Step{Kind: huaweiservergroup.ID, Account: accountName, Targets: &plans.Targets{File: list}},
			Pace: plans.Pace{Cohorts: how.cohorts}}
		begin := time.Now()
		run, err := b.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: queue, TaskQueue: queue}, workflows.TypeFleet, plan)
		if err != nil {
			return m, err
		}
		first := run.GetRunID()
		if how.meanwhile != nil {
			if err := how.meanwhile(ctx, queue); err != nil {
				return m, err
			}
		}
		if err := run.Get(ctx, nil); err != nil {
			return m, b.explain(ctx, queue, err)
		}
		m.seconds = time.Since(begin).Seconds()
		if m.peak, err = peak(); err != nil {
			return m, err
		}
		return m, b.histories(ctx, queue, first, &m)
	}
}

func writeList(path string, pages []page) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	fmt.Fprintln(w, "member,group")
	for _, p := range pages {
		for _, id := range p.Members {
			fmt.Fprintf(w, "%s,%s\n", id, p.Group)
		}
	}
	return errors.Join(w.Flush(), file.Close())
}

// histories sums up a run, those in which it was continued, and its children.
func (b *bed) histories(ctx context.Context, id, run string, m *measured) error {
	for run != "" {
		d, err := b.client.DescribeWorkflowExecution(ctx, id, run)
		if err != nil {
			return err
		}
		info := d.GetWorkflowExecutionInfo()
		m.events += info.GetHistoryLength()
		m.longestEvents = max(m.longestEvents, info.GetHistoryLength())
		m.longestMB = max(m.longestMB, float64(info.GetHistorySizeBytes())/(1<<20))
		next := ""
		history := b.client.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for history.HasNext() {
			event, err := history.Next()
			if err != nil {
				return err
			}
			if child := event.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowExecution(); child != nil {
				if err := b.histories(ctx, child.GetWorkflowId(), child.GetRunId(), m); err != nil {
					return err
				}
			}
			next = event.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
		}
		run = next
	}
	return nil
}

// explain adds to why a fleet did not do its work what it says of some members.
func (b *bed) explain(ctx context.Context, fleet string, why error) error {
	s, err := b.status(ctx, fleet)
	if err != nil {
		return errors.Join(why, err)
	}
	for _, m := range s.Failed {
		why = fmt.Errorf("%w\n%s %s %s: %s", why, m.ID, m.Outcome, m.Code, m.Reason)
	}
	return why
}

func (b *bed) status(ctx context.Context, fleet string) (s plans.Status, err error) {
	answer, err := b.client.QueryWorkflow(ctx, fleet, "", membership.QueryStatus)
	if err != nil {
		return s, err
	}
	return s, answer.Get(&s)
}
