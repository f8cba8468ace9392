package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// cohort is one run: the members of one request and where they stand.
type cohort struct {
	op      membership.Operation
	request membership.Request
	program membership.Program // empty while planning
	started time.Time
	members []standing // by index into program.Members

	phase     membership.Phase
	said      membership.Phase // the phase that the search attributes tell
	saidGroup string           // likewise
	trouble   string           // why nothing could be observed lately
	slice     time.Duration    // how long the next slice runs, see stretch
	quiet     int              // as in membership.Slice
	paused    bool
	aborting  bool
	gateOpen  bool              // the program's gate takes votes
	deadline  time.Time         // until then
	ballots   ballots           // and where they are signed they are checked here
	votes     []membership.Vote // as they came, those that did not count, too
	changed   bool              // something happened that walk must look at
	fleet     string            // the workflow id of the fleet that it is a cohort of, "" when it stands alone
	// putBack is what the members are that are to be put back, joined or unknown; "" when the walk goes forward.
	putBack membership.Outcome
	// unattended: who cannot go on without a person's decision ends as unknown; the fleet asks, not its cohorts.
	unattended bool

	// forward carries the forward slices: pause and abort cancel it. It hangs on a context that nothing else cancels.
	forward       workflow.Context
	cancelForward workflow.CancelFunc
	cancelPlan    workflow.CancelFunc // abort cancels the planning, too
}

// standing is where one member stands.
type standing struct {
	mark    byte               // as in membership.Slice; meaningless once there is an outcome
	sends   byte               // '0' to '9'
	since   int                // the second after Program.Made in which it came to its stage
	job     string             // the job that its last write started
	reach   int                // how many stages it may have begun, whatever its mark says: in a lost slice or attempt
	flying  bool               // part of a slice that runs now
	outcome membership.Outcome // "" until its story is told
	notes   []membership.Note  // why it failed or waits, the first cause first
}

func (m *standing) finish(o membership.Outcome) { m.outcome = o }

func newCohort(ctx workflow.Context, op membership.Operation, req membership.Request) *cohort {
	c := &cohort{op: op, request: req, started: workflow.Now(ctx), phase: membership.Planning, cancelPlan: func() {}}
	c.freshForward(ctx)
	return c
}

func (c *cohort) freshForward(ctx workflow.Context) {
	free, _ := workflow.NewDisconnectedContext(ctx)
	c.forward, c.cancelForward = workflow.WithCancel(free)
}

// walk takes the members through the program. It returns when every member's story has ended, with the one truth about
// all of them. Nothing it waits for is cut short by a cancelled run: cancelling a run is aborting it, see listen.
func (c *cohort) walk(ctx workflow.Context) (membership.Report, error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	c.line()
	if err := c.waitAtGate(ctx); err != nil {
		return membership.Report{}, err
	}
	for {
		if c.aborting {
			c.turnBack(ctx)
		}
		if c.unattended {
			c.giveUp()
		}
		c.dispatch(ctx)
		if err := c.announce(ctx); err != nil {
			return membership.Report{}, err
		}
		if c.phase == membership.Ended {
			return c.report(ctx), nil
		}
		c.changed = false
		if err := workflow.Await(ctx, func() bool { return c.changed }); err != nil {
			return membership.Report{}, err
		}
	}
}

// line puts every member at its start.
func (c *cohort) line() {
	c.slice, c.quiet = c.program.Pace.Slice.Std(), c.program.Quiet
	c.members = make([]standing, len(c.program.Members))
	for i := range c.members {
		m, planned := &c.members[i], &c.program.Members[i]
		m.mark, m.sends = membership.Forward(0), '0'
		switch {
		case len(planned.Refused) > 0:
			m.finish(membership.Refused)
		case planned.Already:
			m.finish(membership.Already)
		case c.putBack != "":
			last := len(c.program.Stages) - 1
			if at, ok := c.program.UndoFrom(last); ok {
				m.mark, m.since = membership.Backward(at), 0
			} else {
				m.notes = []membership.Note{{Stage: last, Code: membership.CodeEngine, Reason: "no stage of it can be undone"}}
				m.finish(c.putBack)
			}
		}
	}
}

// over reports whether every member's story has ended.
func (c *cohort) over() bool {
	return !slices.ContainsFunc(c.members, func(m standing) bool { return m.outcome == "" })
}

// giveUp ends the members that wait for a person, once nobody else is under way.
func (c *cohort) giveUp() {
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

// turnBack decides, after an abort, what becomes of everyone who is not part of a running slice: what has not begun
// does not begin, what can be put back is put back, and what has nothing to put back finishes what it began. From now on
// nobody waits for a person.
func (c *cohort) turnBack(ctx workflow.Context) {
	for i := range c.members {
		m := &c.members[i]
		if m.flying || m.outcome != "" {
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
		case c.back(ctx, m, stage):
			if sent { // what undoes that write goes by what shows, so it must have come to show
				c.hush(ctx)
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

// back sends a member the way back: to the undo of the furthest stage that it may have begun, the given one or one in a
// slice that was lost. It reports false, and changes nothing, when there is nothing to undo.
func (c *cohort) back(ctx workflow.Context, m *standing, stage int) bool {
	return c.backFrom(ctx, m, max(stage, m.reach-1))
}

// backFrom sends a member to the undo of the stage, or of the nearest one before it that has an undo.
func (c *cohort) backFrom(ctx workflow.Context, m *standing, stage int) bool {
	at, ok := c.program.UndoFrom(stage)
	if ok {
		c.move(ctx, m, membership.Backward(at))
	}
	return ok
}

// hush holds every write back until all that was sent before has come to show.
func (c *cohort) hush(ctx workflow.Context) {
	c.quiet = max(c.quiet, c.second(ctx)+c.program.Settle())
}

// move puts a member at the beginning of a stage or an undo.
func (c *cohort) move(ctx workflow.Context, m *standing, mark byte) {
	m.mark, m.sends, m.job, m.since = mark, '0', "", c.second(ctx)
}

// second is now, in seconds after the program was made.
func (c *cohort) second(ctx workflow.Context) int {
	return int(workflow.Now(ctx).Sub(c.program.Made) / time.Second)
}

// pass takes a member beyond the stage, or the undo, that it stands at.
func (c *cohort) pass(ctx workflow.Context, m *standing, stage int, undo bool) {
	switch {
	case undo && c.backFrom(ctx, m, stage-1):
	case undo:
		m.finish(membership.RolledBack)
	case stage+1 < len(c.program.Stages):
		c.move(ctx, m, membership.Forward(stage+1))
	case c.op == membership.Leave:
		m.finish(membership.Left)
	default:
		m.finish(membership.Joined)
	}
}

// record takes in why a member failed or waits. A failure is in history by now, and only now is it undone.
func (c *cohort) record(ctx workflow.Context, n membership.Note) {
	m := &c.members[n.Member]
	m.notes = append(m.notes, n)
	switch {
	case m.mark == membership.MarkParked:
	case n.Undo:
		m.finish(membership.RollbackIncomplete)
	case !c.back(ctx, m, n.Stage):
		m.finish(membership.RolledBack) // nothing before it changed anything
	}
}
