package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/rollout"
)

// turnover is after how many events a fleet continues in a fresh history, as soon as nothing is under way. The server begins
// to warn at 10,240.
const turnover = 4000

// CloseResult is what is left to say of a run whose archive is kept.
type CloseResult struct {
	Archive string                    `json:"archive"`           // its key
	Members []membership.MemberReport `json:"members,omitempty"` // as in fleet.Report
}

// fleetRun lets Temporal do what the state machine of a run wants done.
type fleetRun struct {
	*rollout.Rollout
	plan fleet.Plan

	changed     bool // something happened that the machine must look at
	cohorts     map[int]*cohortRun
	stopLooking workflow.CancelFunc
	looking     workflow.Context // that of the looks under way
	closed      CloseResult
	votes       ballots
	hearing     int // signals that are being dealt with
	saidPhase   membership.Phase
	saidWave    string
	saidKind    bool
}

// Fleet moves the members of a plan, 1 to 100,000 and more, through its steps and waves, as cohorts. It counts failures
// against the budget, asks people where they must decide, and ends with one truth about all members.
func Fleet(ctx workflow.Context, input, continued converter.RawValue) (fleet.Report, error) {
	return runFleet(ctx, "", input, continued)
}

// Join is Fleet for a plan of one step, whose members join.
func Join(ctx workflow.Context, input, continued converter.RawValue) (fleet.Report, error) {
	return runFleet(ctx, membership.Join, input, continued)
}

// Leave is Fleet for a plan of one step, whose members leave.
func Leave(ctx workflow.Context, input, continued converter.RawValue) (fleet.Report, error) {
	return runFleet(ctx, membership.Leave, input, continued)
}

// runFleet runs a plan; an operation is that of its only step.
func runFleet(ctx workflow.Context, op membership.Operation, input, continued converter.RawValue) (fleet.Report, error) {
	plan, err := fleet.ParsePlan(payload(input))
	if err == nil && op != "" {
		err = membership.Bad(plan.SetOperation(op))
	}
	if err != nil {
		return fleet.Report{}, badInput(err)
	}
	f := &fleetRun{plan: plan, Rollout: rollout.New(plan, workflow.Now(ctx)), cohorts: make(map[int]*cohortRun), stopLooking: func() {}}
	if len(payload(continued)) > 0 {
		var state rollout.State
		if err := takeUp(ctx, continued, &state); err != nil {
			return fleet.Report{}, err
		}
		f.Rollout = rollout.Resume(plan, state, workflow.Now(ctx))
	}
	if err := f.listen(ctx); err != nil {
		return fleet.Report{}, err
	}
	if err := f.announce(ctx); err != nil {
		return fleet.Report{}, err
	}
	// Nothing below is cut short when the run is cancelled: that is an abort, see listen.
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	for {
		f.changed = false
		for _, c := range f.Next(workflow.Now(ctx), full(ctx)) {
			f.do(ctx, c)
		}
		over, err := f.Over()
		switch {
		case over && err != nil:
			return fleet.Report{}, badInput(err)
		case over:
			return f.end(ctx)
		case f.changed: // some commands are answered at once
			continue
		case f.WantsFreshHistory():
			return fleet.Report{}, f.turnOver(ctx, input)
		}
		if err := f.wait(ctx); err != nil {
			return fleet.Report{}, err
		}
	}
}

// takeUp reads what the run before has handed on. Nobody else may say how far a run is, and so which gates are open.
func takeUp(ctx workflow.Context, state converter.RawValue, into any) error {
	if workflow.GetInfo(ctx).ContinuedExecutionRunID == "" {
		return badInput(membership.Bad([]membership.Problem{{Field: "input", Want: "has a second value; want the plan alone"}}))
	}
	if err := Unpack(state, into); err != nil {
		panic(fmt.Sprintf("the state of the run before cannot be read: %v", err)) // a worker that can read it goes on
	}
	return nil
}

// full reports whether it is time for a fresh history.
func full(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() > turnover
}

// turnOver continues in a fresh history. What is told meanwhile may set the run going again: then it goes on in the next.
func (f *fleetRun) turnOver(ctx workflow.Context, input converter.RawValue) error {
	if err := settle(ctx, func() bool { return f.hearing == 0 }); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, workflow.GetInfo(ctx).WorkflowType.Name, input, Pack(f.State))
}

// wait waits until something happens, or until the machine wants to be woken.
func (f *fleetRun) wait(ctx workflow.Context) error {
	if err := f.announce(ctx); err != nil {
		return err
	}
	changed := func() bool { return f.changed }
	if wake, now := f.Wake(), workflow.Now(ctx); wake.After(now) {
		_, err := workflow.AwaitWithTimeout(ctx, wake.Sub(now), changed)
		return err
	}
	return workflow.Await(ctx, changed)
}

// do begins what the machine wants done.
func (f *fleetRun) do(ctx workflow.Context, command rollout.Command) {
	switch c := command.(type) {
	case rollout.Survey:
		look(ctx, f, SurveyActivity, time.Hour, "which the members are", c.Plan, f.Surveyed)
	case rollout.PreviewPage:
		look(ctx, f, PreviewActivity, lookTime, fmt.Sprintf("preview %d of %d", c.I+1, c.Of), c.Page,
			func(seen fleet.Seen, err error) { f.Previewed(c.I, seen, failureOf(err)) })
	case rollout.Reserve:
		look(ctx, f, ReserveActivity, lookTime, "who finds a place", Pack(ReserveInput{Manifest: c.Manifest, Step: c.Step, Seen: c.Seen}),
			func(seen []fleet.Seen, err error) { f.Reserved(seen, failureOf(err)) })
	case rollout.CheckPart:
		look(ctx, f, CheckActivity, lookTime, fmt.Sprintf("members still, %d of %d", c.I+1, c.Of), c.Part,
			func(lost []string, err error) { f.Checked(lost, failureOf(err)) })
	case rollout.StopLooking:
		f.stopLooking()
		f.looking = nil
	case rollout.AskWindows:
		f.askWindows(ctx, c.Windows)
	case rollout.StartCohort:
		f.startCohort(ctx, c)
	case rollout.TellCohort:
		f.tellCohort(ctx, c)
	case rollout.CloseGate:
		f.votes.stop(ctx)
	case rollout.Close:
		workflow.Go(ctx, func(ctx workflow.Context) {
			err := workflow.ExecuteActivity(persist(ctx, lookTime, "keep the archive"), CloseActivity, Pack(c.Archive)).Get(ctx, &f.closed)
			if err != nil {
				workflow.GetLogger(ctx).Error("the archive could not be kept", "error", err)
			}
			f.Archived()
			f.changed = true
		})
	}
}

// look has an activity look at something that it changes nothing of, until the machine stops it.
func look[T any](ctx workflow.Context, f *fleetRun, activity string, try time.Duration, summary string, in any, answer func(T, error)) {
	if f.looking == nil {
		f.looking, f.stopLooking = workflow.WithCancel(ctx)
	}
	looking := workflow.ExecuteActivity(persist(f.looking, try, summary), activity, in)
	workflow.Go(ctx, func(ctx workflow.Context) {
		var found T
		err := looking.Get(ctx, &found)
		answer(found, err)
		f.changed = true
	})
}

// askWindows writes what the windows say into the history: workers may have different ideas of the world's time zones.
func (f *fleetRun) askWindows(ctx workflow.Context, windows fleet.Windows) {
	type opening struct {
		Open  bool
		Until time.Time
	}
	now := workflow.Now(ctx)
	said := workflow.SideEffect(ctx, func(workflow.Context) any {
		o := opening{Open: windows.Open(now)}
		if o.Open {
			o.Until, _ = windows.NextClosing(now)
		} else {
			o.Until, _ = windows.NextOpening(now)
		}
		return o
	})
	var o opening
	if err := said.Get(&o); err != nil {
		workflow.GetLogger(ctx).Error("what the windows say cannot be read", "error", err)
	}
	f.WindowsAre(o.Open, o.Until)
	f.changed = true
}

// end tells the one truth.
func (f *fleetRun) end(ctx workflow.Context) (fleet.Report, error) {
	r := f.Report()
	r.Archive, r.Members = f.closed.Archive, f.closed.Members
	if err := f.announce(ctx); err != nil {
		return r, err
	}
	return r, runError(r.Outcome, r.Counts, r)
}
