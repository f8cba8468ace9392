package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const (
	// sliceGrace is what an activity may need beyond its slice: a call under way has a deadline of its own.
	sliceGrace = 2 * time.Minute
	// longestSlice bounds how far slices stretch while nothing moves, so that a day of outage costs hundreds of events
	// and not tens of thousands. A cancelled slice returns within seconds, however long it was to be.
	longestSlice = 5 * time.Minute
)

// dispatch starts a slice for every lane in which members are due that no slice has. This one rule serves both ways to
// lay lanes, and both directions.
func (c *cohort) dispatch(ctx workflow.Context) {
	if c.aborting || !c.paused {
		forward := c.forward
		if c.aborting { // what still goes forward finishes what it began
			forward = ctx
		}
		for _, lane := range c.program.Lanes {
			c.start(forward, lane, false)
		}
	}
	for _, lane := range c.program.UndoLanes {
		c.start(ctx, lane, true)
	}
}

// start runs one slice, when there are members for it, beside everything else. ctx is what cancels it.
func (c *cohort) start(ctx workflow.Context, lane membership.Lane, undo bool) {
	in := c.dueMembers(lane, undo)
	if len(in.Since) == 0 {
		return
	}
	ctx = workflow.WithWaitForCancellation(persist(ctx, in.For.Std()+sliceGrace, c.program.Summary(in.Marks)), true)
	slice := workflow.ExecuteActivity(ctx, membership.LaneActivity(in.Kind, lane), in)
	workflow.Go(ctx, func(ctx workflow.Context) {
		var out membership.Slice
		err := slice.Get(ctx, &out)
		c.applySlice(ctx, in, out, err)
		c.changed = true
	})
}

// dueMembers collects the members that are due in a lane.
func (c *cohort) dueMembers(lane membership.Lane, undo bool) membership.SliceInput {
	in := membership.SliceInput{Kind: c.program.Kind, Digest: c.program.Digest, Lane: lane, Undo: undo,
		For: membership.Duration(c.slice)}
	marks, sends := make([]byte, len(c.members)), make([]byte, len(c.members))
	for i := range c.members {
		m := &c.members[i]
		marks[i], sends[i] = membership.MarkAbsent, '0'
		stage, back, due := membership.StageOf(m.mark)
		if !due || m.inFlight || m.outcome != "" || back != undo || stage < lane.First || stage > lane.Last {
			continue
		}
		m.inFlight = true
		marks[i], sends[i] = m.mark, m.sends
		in.Since = append(in.Since, m.since)
		if m.job != "" {
			in.AddJob(m.job, i)
		}
	}
	in.Marks, in.Sends, in.Quiet = string(marks), string(sends), c.quiet
	return in
}

// applySlice takes the members of a slice back.
func (c *cohort) applySlice(ctx workflow.Context, in membership.SliceInput, out membership.Slice, err error) {
	var cancelled *temporal.CanceledError
	switch {
	case err == nil:
	case errors.As(err, &cancelled), temporal.IsTimeoutError(err):
		// It was told to stop, and no worker handed its state back: none may ever have taken it, but one may also have
		// died over it, between two attempts or in the last.
		out = in.Slice
		c.holdWrites(ctx)
	default:
		out = parkAll(in, err) // failed for good
	}
	c.trouble, c.quiet = out.Trouble, max(c.quiet, out.Quiet)
	c.backOff(in.Marks == out.Marks && in.Sends == out.Sends)
	due := 0
	for i := range c.members {
		if in.Marks[i] == membership.MarkAbsent {
			continue
		}
		m := &c.members[i]
		m.inFlight, m.job = false, ""
		if (err != nil || out.Retried) && !in.Undo {
			m.reach = max(m.reach, in.Lane.Last+1)
		}
		m.mark, m.sends, m.since = out.Marks[i], out.Sends[i], out.Since[due]
		if host := out.Hosts[i]; host != "" {
			m.host = host
		}
		due++
		switch {
		case m.mark == membership.Forward(len(c.program.Stages)):
			c.complete(m)
		case m.mark == membership.MarkUndone:
			m.finish(membership.RolledBack)
		}
	}
	for _, j := range out.Jobs {
		for _, i := range j.Members {
			c.members[i].job = j.ID
		}
	}
	for _, n := range out.Notes {
		c.fail(ctx, n)
	}
}

// parkAll parks every member in a slice whose activity failed for good.
func parkAll(in membership.SliceInput, err error) membership.Slice {
	out := in.Slice
	marks := []byte(in.Marks)
	for i := range marks {
		if stage, undo, ok := membership.StageOf(marks[i]); ok {
			marks[i] = membership.MarkParked
			out.Notes = append(out.Notes, membership.Note{Member: i, Stage: stage, Undo: undo,
				Code: membership.CodeEngine, Reason: err.Error()})
		}
	}
	out.Marks = string(marks)
	return out
}

// backOff makes slices longer while nothing moves, and as long as planned once something does.
func (c *cohort) backOff(still bool) {
	base := c.program.Pace.Slice.Std()
	switch {
	case !still:
		c.slice = base
	case c.slice < longestSlice:
		c.slice = min(2*c.slice, max(longestSlice, base))
	}
}
