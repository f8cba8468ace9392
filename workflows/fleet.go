package workflows

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// turnover is after how many events a fleet continues in a fresh history, as soon as no cohort is under way. The server
// begins to warn at 10,240.
const turnover = 4000

// fleetRun is one run of Fleet.
type fleetRun struct {
	plan fleet.Plan
	fleetState

	flights  []*flight // cohorts under way, in the order of their start
	inFlight int       // their members
	phase    membership.Phase
	said     membership.Phase // as the search attributes tell it
	saidWave string
	changed  bool
	next     time.Time // when it goes on by itself
	gate     *membership.Gate
	digest   string // of what the gate's votes must name
	ballots  ballots
	// scores are what the parts come to, by step and wave: there are thousands of parts, and they are told all the time.
	scores  [][]score
	steer   steering
	opening opening
	// stopLooking ends what only looks, and need not be waited for when the run is to end.
	stopLooking workflow.CancelFunc
}

// fleetState is what a run hands on when it continues in a fresh history.
type fleetState struct {
	Survey   fleet.Survey
	Step     int
	Wave     int
	Page     int            // the next page of the wave to be started, and
	From     int            // the next member of it
	Begun    bool           // the wave's gate is open
	First    int            // the first of the Parts that the wave's budget counts
	Seen     [][]fleet.Seen // by step, a preview of each of its pages
	Ledger   *fleet.Ledger
	Parts    []fleet.Part      // cohorts that have ended, in that order
	Queue    []fleet.PageInput // what is to be done again
	Votes    []membership.Vote
	Said     []fleet.Said
	Cohorts  int // started so far
	Paused   bool
	PausedBy string // and why
	Stopped  string // why nothing more is started until somebody decides; "" when it goes on
	Doubt    string // likewise, until somebody says to go on
	// Barred are the pages that the cloud has refused to plan since a cohort last filed a record, and BarredBy its words.
	Barred   []fleet.PageInput
	BarredBy string
	Ending   fleet.Then // how it ends before its time; "" when it does not
	Why      string     // it does
	Aborted  bool       // because somebody said so
	Started  time.Time
	// Looked is how many pages a look that goes on in a fresh history has behind it, and Lost what it has found so far.
	Looked int
	Lost   []string
	Change fleet.Pace    // as changed while it ran
	Budget *fleet.Budget // likewise; nil: the plan's
}

// Fleet moves the members of a plan, 1 to 100,000 and more, through its steps and waves, as cohorts. It counts failures
// against the budget, asks people where they must decide, and ends with one truth about everybody.
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
	f := &fleetRun{plan: plan, stopLooking: func() {}}
	f.Started, f.Change = workflow.Now(ctx), plan.Pace
	fresh := len(payload(continued)) == 0
	if !fresh {
		if err := f.takeUp(ctx, continued); err != nil {
			return fleet.Report{}, err
		}
	}
	if err := f.listen(ctx); err != nil {
		return fleet.Report{}, err
	}
	if err := f.announce(ctx); err != nil {
		return fleet.Report{}, err
	}
	// Nothing below is cut short when the run is cancelled: that is an abort, see listen.
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	if fresh {
		if err := f.survey(ctx); err != nil {
			return fleet.Report{}, err
		}
	}
	switch err := f.steps(ctx); {
	case errors.Is(err, errTurnover):
		return fleet.Report{}, f.turnOver(ctx, input)
	case err != nil:
		return fleet.Report{}, err
	}
	return f.end(ctx)
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

// takeUp goes on where the run before has stopped.
func (f *fleetRun) takeUp(ctx workflow.Context, state converter.RawValue) error {
	if err := takeUp(ctx, state, &f.fleetState); err != nil {
		return err
	}
	for _, p := range f.Parts {
		f.count(p)
	}
	return nil
}

// errTurnover ends the walk through the steps so that the run continues in a fresh history.
var errTurnover = errors.New("continue as new")

func (f *fleetRun) turnOver(ctx workflow.Context, input converter.RawValue) error {
	if err := settle(ctx, func() bool { return f.steer.hearing == 0 }); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, workflow.GetInfo(ctx).WorkflowType.Name, input, Pack(f.fleetState))
}

// steps takes the members through the plan's steps and waves, from wherever the run is. A step begins when the one
// before has ended well. When it returns, Step and Wave say where it has stopped.
func (f *fleetRun) steps(ctx workflow.Context) error {
	for f.Ending == "" && f.Step < len(f.Survey.Steps) {
		if err := f.step(ctx, f.Survey.Steps[f.Step]); err != nil {
			return err
		}
		if f.Ending == "" && !f.well() && f.Step+1 < len(f.Survey.Steps) {
			f.ending(ctx, fleet.ThenFinish, fmt.Sprintf("step %d has not ended well, so step %d does not begin", f.Step+1, f.Step+2))
		}
		if f.Ending == "" {
			f.Step, f.Wave, f.Ledger = f.Step+1, 0, nil
		}
	}
	return f.putBack(ctx)
}

// well reports whether nobody of the present step has failed, nor was kept from being looked at. Who is refused for what
// they are falls out, and the others go on.
func (f *fleetRun) well() bool {
	barred := func(p fleet.Part) bool {
		return p.Input.Step == f.Step && p.Record == "" && p.Counts[membership.Refused] > 0
	}
	return f.Ledger.Failed == 0 && !slices.ContainsFunc(f.Parts, barred)
}

func (f *fleetRun) step(ctx workflow.Context, step fleet.SurveyedStep) error {
	if f.Ledger == nil {
		if err := f.preview(ctx, step); err != nil || f.Ending != "" {
			return err
		}
		f.Ledger = fleet.NewLedger(f.budget(), step.Members)
	}
	for f.Ending == "" && f.Wave < len(step.Waves) {
		if err := f.wave(ctx, step.Waves[f.Wave]); err != nil {
			return err
		}
		if f.Ending == "" {
			f.Wave, f.Page, f.From, f.Begun = f.Wave+1, 0, 0, false
		}
	}
	return nil
}

// budget is the plan's, unless somebody has changed it.
func (f *fleetRun) budget() *fleet.Budget {
	if f.Budget != nil {
		return f.Budget
	}
	return f.plan.Budget
}

// wave takes one wave from its gate to the check after its soak.
func (f *fleetRun) wave(ctx workflow.Context, w fleet.SurveyedWave) error {
	if !f.Begun {
		if err := f.waitAtGate(ctx, w); err != nil || f.Ending != "" {
			return err
		}
		f.Begun, f.First = true, len(f.Parts)
		f.Ledger.Wave(w.Members)
	}
	if err := f.run(ctx, w); err != nil || f.Ending != "" || f.lastWave() {
		return err
	}
	if f.Looked == 0 { // else the check has begun
		if err := f.soak(ctx, w); err != nil || f.Ending != "" {
			return err
		}
	}
	return f.check(ctx, w)
}

func (f *fleetRun) lastWave() bool { return f.Wave+1 == len(f.Survey.Steps[f.Step].Waves) }

// run starts the wave's members, cohort by cohort, until all of them have ended or the run has to stop.
func (f *fleetRun) run(ctx workflow.Context, w fleet.SurveyedWave) error {
	for {
		f.judge(ctx, w)
		f.dispatch(ctx, w)
		if len(f.flights) == 0 {
			switch {
			case f.Ending != "":
				return nil
			case !f.left(w) && f.Stopped == "" && !f.needsAPerson():
				return nil
			case full(ctx):
				return errTurnover
			}
		}
		if err := f.wait(ctx, time.Time{}); err != nil {
			return err
		}
	}
}

// left reports whether anybody is to be started yet in the wave.
func (f *fleetRun) left(w fleet.SurveyedWave) bool { return f.Page < len(w.Pages) || len(f.Queue) > 0 }

// full reports whether it is time for a fresh history.
func full(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() > turnover
}

// judge stops the run when its budget is spent. Where nothing is left to be started, there is nothing to stop.
func (f *fleetRun) judge(ctx workflow.Context, w fleet.SurveyedWave) {
	f.judgeBarred(ctx, w)
	if f.Ending != "" {
		return
	}
	f.Stopped = f.Doubt
	if which, spent := f.Ledger.Spent(); spent {
		why := fmt.Sprintf("the budget is spent (%s): %s", which, f.Ledger)
		switch then := f.budget().Then; {
		case then != "" && then != fleet.ThenStop:
			f.ending(ctx, then, why)
		case f.left(w) || !f.lastWave():
			f.Stopped = why
		}
	} else if f.Doubt == "" && len(f.flights) == 0 && len(f.Queue) > 0 && f.Queue[0].To-f.Queue[0].From > f.Ledger.Room() {
		f.Stopped = fmt.Sprintf("%s to be tried again at once, and the budget has room for %s",
			membership.Count(f.Queue[0].To-f.Queue[0].From, "member"), membership.Count(f.Ledger.Room(), "more failure"))
	}
}

// ending lets the run end before its time. What somebody says later may only add to what is put back. Cohorts under way
// are told: what is paused would never end.
func (f *fleetRun) ending(ctx workflow.Context, then fleet.Then, why string) {
	if reach(then) >= reach(f.Ending) {
		f.Ending = then
	}
	if f.Why == "" {
		f.Why = why
	}
	switch {
	case f.Aborted && reach(f.Ending) >= reach(fleet.ThenPutBack):
		f.hand(ctx, membership.ControlAbort)
	case f.Paused:
		f.hand(ctx, membership.ControlResume)
	}
	f.changed, f.Paused, f.Stopped = true, false, ""
	f.stopLooking()
}

// reach orders the ways to end by how much they put back.
func reach(t fleet.Then) int {
	for i, known := range []fleet.Then{"", fleet.ThenFinish, fleet.ThenPutBack, fleet.ThenRollBackWave, fleet.ThenRollBackFleet} {
		if t == known {
			return i
		}
	}
	return 0
}

// soak waits the plan's time between two waves. Who is tried again meanwhile belongs to the wave before.
func (f *fleetRun) soak(ctx workflow.Context, w fleet.SurveyedWave) error {
	until := workflow.Now(ctx).Add(f.plan.Soak.Std())
	for f.Paused || workflow.Now(ctx).Before(until) {
		if err := f.wait(ctx, until); err != nil {
			return err
		}
		if err := f.run(ctx, w); err != nil || f.Ending != "" {
			return err
		}
	}
	return nil
}

// wait waits until something changes, or until a moment when it is not zero.
func (f *fleetRun) wait(ctx workflow.Context, until time.Time) error {
	if until.IsZero() {
		until = f.next
	}
	f.next = until
	if err := f.announce(ctx); err != nil {
		return err
	}
	f.changed = false
	changed := func() bool { return f.changed }
	if now := workflow.Now(ctx); until.After(now) {
		_, err := workflow.AwaitWithTimeout(ctx, until.Sub(now), changed)
		f.next = time.Time{}
		return err
	}
	f.next = time.Time{}
	return workflow.Await(ctx, changed)
}

// CloseResult is what is left to say of a run whose account is kept.
type CloseResult struct {
	Account string                    `json:"account"` // its key
	Members []membership.MemberReport `json:"members"` // as in fleet.Report
}

// end tells the one truth.
func (f *fleetRun) end(ctx workflow.Context) (fleet.Report, error) {
	f.phase = membership.Ended // what anybody says from now on comes too late
	r := f.report(ctx)
	account := fleet.Account{Plan: f.plan, Manifest: f.Survey.Manifest, Report: r, Seen: f.Seen, Parts: f.Parts}
	if f.Survey.Manifest != "" {
		var closed CloseResult
		if err := workflow.ExecuteActivity(persist(ctx, lookTime, "keep the account"), CloseActivity, Pack(account)).Get(ctx, &closed); err != nil {
			workflow.GetLogger(ctx).Error("the account could not be kept", "error", err)
		}
		r.Account, r.Members = closed.Account, closed.Members
	}
	if err := f.tell(ctx, r.Outcome); err != nil {
		return r, err
	}
	return r, runError(r.Outcome, r.Counts, r)
}
