package workflows_test

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// vessel is one cohort of a convoy.
type vessel struct {
	number     int
	in         workflows.CohortInput
	ids        []string
	told       []string // controls
	begun      time.Time
	ended      time.Time
	failed     int
	joinedThen []string
}

func first(c *vessel) bool { return c.in.Page.Again == nil }
func again(c *vessel) bool { return c.in.Page.Again != nil && !c.in.Page.Again.Undo }
func undone(c *vessel) bool {
	return c.in.Page.Again != nil && c.in.Page.Again.Undo
}

// members returns whom a cohort is about: as the activities choose them.
func (v *convoy) members(in fleet.PageInput) (ids []string) {
	if in.Again != nil && in.Again.Record != "" {
		return in.Again.Of(membership.Report{Members: v.records[in.Again.Record]})
	}
	step := v.surveyed.Steps[in.Step]
	first := 0
	for _, w := range step.Waves[:in.Wave] {
		first += w.Members
	}
	for _, n := range step.Waves[in.Wave].Pages[:in.Page] {
		first += n
	}
	return v.plan.StepList()[in.Step].Members[first+in.From : first+in.To]
}

// cohort stands in for workflows.Cohort.
func (v *convoy) cohort(ctx workflow.Context, in workflows.CohortInput) (fleet.Part, error) {
	c, left := v.begin(ctx, in), v.takes(in)
	paused, aborted := false, false
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var word string
			workflow.GetSignalChannel(ctx, workflows.SignalControl).Receive(ctx, &word)
			c.told = append(c.told, word)
			switch word {
			case membership.ControlAbort:
				aborted = true
			default:
				paused = word == membership.ControlPause
			}
		}
	})
	for left > 0 && !aborted {
		since := workflow.Now(ctx)
		if paused {
			_ = workflow.Await(ctx, func() bool { return !paused || aborted })
			continue
		}
		_, _ = workflow.AwaitWithTimeout(ctx, left, func() bool { return paused || aborted })
		left -= workflow.Now(ctx).Sub(since)
	}
	return v.end(ctx, c, aborted)
}

func (v *convoy) begin(ctx workflow.Context, in workflows.CohortInput) *vessel {
	v.mu.Lock()
	defer v.mu.Unlock()
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	number, _ := strconv.Atoi(id[strings.LastIndex(id, ".")+1:])
	c := &vessel{number: number, in: in, ids: v.members(in.Page), begun: workflow.Now(ctx)}
	v.vessels = append(v.vessels, c)
	v.flying += len(c.ids)
	under := 0
	for _, other := range v.vessels {
		if other.ended.IsZero() {
			under++
		}
	}
	v.most = max(v.most, under)
	if v.begins != nil {
		v.begins(c)
	}
	return c
}

func (v *convoy) end(ctx workflow.Context, c *vessel, aborted bool) (fleet.Part, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c.ended = workflow.Now(ctx)
	v.flying -= len(c.ids)
	if v.dies != nil {
		if err := v.dies(c.in); err != nil {
			c.failed = len(c.ids)
			return fleet.Part{}, err
		}
	}
	undo := c.in.Page.Again != nil && c.in.Page.Again.Undo
	part := fleet.Part{Record: "record of " + workflow.GetInfo(ctx).WorkflowExecution.ID, Counts: map[membership.Outcome]int{}}
	for _, id := range c.ids {
		outcome := membership.Joined
		switch {
		case undo && v.undoing != nil:
			outcome = v.undoing(id)
		case undo, aborted:
			outcome = membership.RolledBack
		case v.fate != nil:
			v.tries[id]++
			outcome = v.fate(id, v.tries[id])
		}
		v.records[part.Record] = append(v.records[part.Record], membership.MemberReport{ID: id, Outcome: outcome})
		part.Counts[outcome]++
		switch outcome {
		case membership.RolledBack, membership.RollbackIncomplete, membership.Unknown:
			part.Worst = append(part.Worst, fleet.FailedMember{ID: id, Outcome: outcome, Code: "no-luck", Reason: "because"})
			c.failed++
		case membership.Joined:
			c.joinedThen = append(c.joinedThen, id)
		}
	}
	return part, nil
}

// fails makes the members fail like that whenever they are tried; the others join.
func (v *convoy) fails(outcome membership.Outcome, ids ...string) {
	v.fate = func(id string, _ int) membership.Outcome {
		if slices.Contains(ids, id) {
			return outcome
		}
		return membership.Joined
	}
}

// sailed returns the members of the cohorts that keep says, one string a cohort, in the order of their start.
func (v *convoy) sailed(keep func(c *vessel) bool) (cohorts []string) {
	all := slices.Clone(v.vessels)
	slices.SortFunc(all, func(a, b *vessel) int { return a.number - b.number })
	for _, c := range all {
		if keep(c) {
			short := make([]string, len(c.ids))
			for i, id := range c.ids {
				short[i] = strings.TrimLeft(strings.TrimPrefix(id, "i-"), "0")
				if short[i] == "" {
					short[i] = "0"
				}
			}
			cohorts = append(cohorts, strings.Join(short, " "))
		}
	}
	return cohorts
}
