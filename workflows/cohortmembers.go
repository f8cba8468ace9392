package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// memberState is where one member stands.
type memberState struct {
	mark     byte               // as in membership.Slice; meaningless once there is an outcome
	sends    byte               // '0' to '9'
	since    int                // the second after Program.Made in which it came to its stage
	job      string             // the job that its last write started
	host     string             // on which it was last seen, where the cloud tells
	reach    int                // how many stages it may have begun, whatever its mark says: in a lost slice or attempt
	inFlight bool               // part of a slice that runs now
	outcome  membership.Outcome // "" until its story is told
	notes    []membership.Note  // why it failed or waits, the first cause first
}

func (m *memberState) finish(o membership.Outcome) { m.outcome = o }

// init puts every member at its start.
func (c *cohort) init() {
	c.slice, c.quiet = c.program.Pace.Slice.Std(), c.program.Quiet
	c.members = make([]memberState, len(c.program.Members))
	for i := range c.members {
		m, planned := &c.members[i], &c.program.Members[i]
		m.mark, m.sends = membership.Forward(0), '0'
		switch {
		case len(planned.Refused) > 0:
			m.finish(membership.Refused)
		case planned.Already:
			m.finish(membership.Already)
		case c.undoing != "":
			last := len(c.program.Stages) - 1
			if at, ok := c.program.UndoFrom(last); ok {
				m.mark, m.since = membership.Backward(at), 0
			} else {
				m.notes = []membership.Note{{Stage: last, Code: membership.CodeNoUndo,
					Reason: fmt.Sprintf("a %s of %s cannot be undone", c.in.Operation, c.in.Kind)}}
				if m.finish(membership.RollbackIncomplete); c.undoing == membership.Unknown {
					m.finish(membership.Unknown) // nor is it known any better
				}
			}
		}
	}
}

// finishParked ends the members that wait for a person, once nothing else is under way.
func (c *cohort) finishParked() {
	if c.findPhase() != membership.Waiting {
		return
	}
	for i := range c.members {
		if m := &c.members[i]; m.outcome == "" && m.mark == membership.MarkParked {
			if last := m.notes[len(m.notes)-1]; last.Undo {
				m.finish(membership.RollbackIncomplete)
			} else {
				m.finish(membership.Unknown)
			}
		}
	}
}

// compensateAll decides, after an abort, what becomes of every member that is not part of a running slice: what has not
// begun does not begin, what can be undone is undone, and what has nothing to undo finishes what it began. From now on no
// member waits for a person.
func (c *cohort) compensateAll(ctx workflow.Context) {
	for i := range c.members {
		m := &c.members[i]
		if m.inFlight || m.outcome != "" {
			continue
		}
		stage, undo, due := membership.StageOf(m.mark)
		parked, sent := m.mark == membership.MarkParked, m.sends != '0'
		if parked {
			last := m.notes[len(m.notes)-1]
			stage, undo = last.Stage, last.Undo
		}
		switch {
		case undo && due: // on its way back already
		case undo:
			m.finish(membership.RollbackIncomplete)
		case stage == 0 && m.reach == 0 && !sent && !parked:
			m.finish(membership.NotStarted)
		case c.compensate(ctx, m, stage):
			if sent { // what undoes that write goes by what shows, so it must have come to show
				c.holdWrites(ctx)
			}
		case parked:
			m.finish(membership.Unknown)
		case m.reach > 0: // nor can it be finished without doing what may not have begun
			m.notes = append(m.notes, membership.Note{Stage: stage, Code: membership.CodeEngine,
				Reason: "the run was stopped, and no worker told how far it had come"})
			m.finish(membership.Unknown)
		}
	}
}

// compensate sends a member the way back: to the undo of the furthest stage that it may have begun, the given one or one in
// a slice that was lost. It reports false, and changes nothing, when there is nothing to undo.
func (c *cohort) compensate(ctx workflow.Context, m *memberState, stage int) bool {
	return c.compensateFrom(ctx, m, max(stage, m.reach-1))
}

// compensateFrom sends a member to the undo of the stage, or of the nearest one before it that has an undo.
func (c *cohort) compensateFrom(ctx workflow.Context, m *memberState, stage int) bool {
	at, ok := c.program.UndoFrom(stage)
	if ok {
		c.move(ctx, m, membership.Backward(at))
	}
	return ok
}

// holdWrites holds every write back until all that was sent before has come to show.
func (c *cohort) holdWrites(ctx workflow.Context) {
	c.quiet = max(c.quiet, c.second(ctx)+c.program.Settle())
}

// move puts a member at the beginning of a stage or an undo.
func (c *cohort) move(ctx workflow.Context, m *memberState, mark byte) {
	m.mark, m.sends, m.job, m.since = mark, '0', "", c.second(ctx)
}

// second is now, in seconds after the program was made.
func (c *cohort) second(ctx workflow.Context) int {
	return int(workflow.Now(ctx).Sub(c.program.Made) / time.Second)
}

// fail takes in why a member failed or waits. A failure is in history by now, and only now is it undone.
func (c *cohort) fail(ctx workflow.Context, n membership.Note) {
	m := &c.members[n.Member]
	m.notes = append(m.notes, n)
	switch {
	case m.mark == membership.MarkParked:
	case n.Undo:
		m.finish(membership.RollbackIncomplete)
	case !c.compensate(ctx, m, n.Stage):
		m.finish(membership.RolledBack) // nothing before it changed anything
	}
}

// complete ends the story of a member that has gone through all stages.
func (c *cohort) complete(m *memberState) {
	if c.in.Operation == membership.Leave {
		m.finish(membership.Left)
	} else {
		m.finish(membership.Joined)
	}
}
