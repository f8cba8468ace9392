package workflows

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// flight is a cohort under way.
type flight struct {
	input  fleet.PageInput
	number int // of this run, from 1
	id     string
	was    map[string]membership.Outcome // by id, what the members have come to that are tried again
	child  workflow.ChildWorkflowFuture  // nil until it runs
	over   bool
	// word is the last that it is to be told, told the last that it was, and talking says that somebody does.
	word, told string
	talking    bool
}

// puttingBack reports whether a cohort undoes what another did.
func puttingBack(in fleet.PageInput) bool { return in.Again != nil && in.Again.Undo }

// tryingAgain reports whether a cohort takes members again that failed in another.
func tryingAgain(in fleet.PageInput) bool { return in.Again != nil && !in.Again.Undo }

// mostTwins bounds how many cohorts of other runs with the same id are stepped around.
const mostTwins = 100

// dispatch starts as many cohorts as there is room for: in the pace, in the budget, in the windows.
func (f *fleetRun) dispatch(ctx workflow.Context, w fleet.SurveyedWave) {
	if f.Paused || f.Stopped != "" || f.Ending != "" || !f.left(w) || !f.open(ctx) {
		return
	}
	for len(f.flights) < f.pace() && !full(ctx) {
		in, ok := f.take(w, min(f.Ledger.Room(), f.most()))
		if !ok {
			return
		}
		f.Ledger.Start(in.To - in.From)
		f.start(ctx, in)
	}
}

func (f *fleetRun) pace() int {
	if f.Change.Cohorts > 0 {
		return f.Change.Cohorts
	}
	return fleet.DefaultCohorts
}

// most is how many members a cohort may have; pages are no longer than the kind takes.
func (f *fleetRun) most() int {
	if f.Change.Members > 0 {
		return f.Change.Members
	}
	return membership.MaxMembers
}

// take returns what is to be started next: first what is to be done again, then the wave's members in their order, at
// most room of them.
func (f *fleetRun) take(w fleet.SurveyedWave, room int) (in fleet.PageInput, ok bool) {
	if room == 0 {
		return in, false
	}
	if len(f.Queue) > 0 {
		if in = f.Queue[0]; in.To-in.From > room {
			return in, false
		}
		f.Queue = f.Queue[1:]
		return in, true
	}
	if f.Page == len(w.Pages) {
		return in, false
	}
	in = fleet.PageInput{Manifest: f.Survey.Manifest, Step: f.Step, Wave: f.Wave, Page: f.Page, From: f.From,
		To: min(f.From+room, w.Pages[f.Page]), Seen: f.seen(f.Step, f.Wave, f.Page)}
	if f.From = in.To; f.From == w.Pages[f.Page] {
		f.Page, f.From = f.Page+1, 0
	}
	return in, true
}

// input returns what a cohort was given that has ended.
func (f *fleetRun) input(p fleet.Part) fleet.PageInput {
	in := p.Input
	in.Manifest, in.Seen = f.Survey.Manifest, f.seen(in.Step, in.Wave, in.Page)
	return in
}

// start starts a cohort. It goes on when the fleet is killed: nobody's machine is left half-way for that.
func (f *fleetRun) start(ctx workflow.Context, in fleet.PageInput) {
	f.Cohorts++
	fl := &flight{input: in, number: f.Cohorts, was: f.was(in)}
	f.flights = append(f.flights, fl)
	f.inFlight += in.To - in.From
	workflow.Go(ctx, func(ctx workflow.Context) {
		var p fleet.Part
		err := f.launch(ctx, fl)
		if err == nil {
			err = fl.child.Get(ctx, &p)
		}
		f.land(fl, p, err)
		fl.over, f.changed = true, true
	})
}

// was returns what the members have come to that are tried again.
func (f *fleetRun) was(in fleet.PageInput) map[string]membership.Outcome {
	if !tryingAgain(in) {
		return nil
	}
	was := make(map[string]membership.Outcome)
	for _, p := range f.Parts {
		if recordOf(p) != in.Again.Record {
			continue
		}
		for _, w := range p.Worst {
			if slices.Contains(in.Again.Members, w.ID) {
				was[w.ID] = w.Outcome
			}
		}
	}
	return was
}

// recordOf is the key of the record that tells about a part's members: when they could not even be tried again, that of
// the try before.
func recordOf(p fleet.Part) string {
	if p.Record == "" && tryingAgain(p.Input) {
		return p.Input.Again.Record
	}
	return p.Record
}

// launch waits until a cohort runs.
func (f *fleetRun) launch(ctx workflow.Context, fl *flight) error {
	step := f.Survey.Steps[fl.input.Step]
	fl.id = fmt.Sprintf("%s.%d", workflow.GetInfo(ctx).WorkflowExecution.ID, fl.number)
	for try := 2; ; try++ {
		options := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:            fl.id,
			ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			StaticSummary: fmt.Sprintf("%s, %s, %s", step.Kind, step.Waves[fl.input.Wave].Name,
				membership.Count(fl.input.To-fl.input.From, "member")),
		})
		child := workflow.ExecuteChildWorkflow(options, TypeCohort, CohortInput{Operation: step.Operation, Kind: step.Kind,
			Account: step.Account, Page: fl.input, Was: fl.was, Approved: step.Preview, WhenHeld: f.plan.WhenHeld})
		err := child.GetChildWorkflowExecution().Get(ctx, nil)
		if err == nil {
			fl.child = child
			return nil
		}
		var twin *temporal.ChildWorkflowExecutionAlreadyStartedError
		if !errors.As(err, &twin) || try > mostTwins {
			return err
		}
		// Of a run of this fleet that was reset, or had the same id. Leases keep their members apart.
		fl.id = fmt.Sprintf("%s.%d.%d", workflow.GetInfo(ctx).WorkflowExecution.ID, fl.number, try)
	}
}

// land takes a cohort in that has ended.
func (f *fleetRun) land(fl *flight, p fleet.Part, err error) {
	n := fl.input.To - fl.input.From
	f.flights = slices.DeleteFunc(f.flights, func(other *flight) bool { return other == fl })
	f.inFlight -= n
	switch {
	case p.Record != "" && fl.input.Again == nil && f.Doubt == "":
		f.closeBarred(membership.Refused) // the account is in order, so it was about them
	case p.Record == "" && f.Ending == "" && fl.input.Again == nil && cloudRefused(err):
		f.Ledger.Land(n, 0)
		f.Barred, f.BarredBy = append(f.Barred, fl.input), rootCause(err)
		return
	}
	if p.Record == "" {
		p = fl.unrecorded(err)
	}
	p.Cohort, p.Input = fl.id, fl.input
	p.Input.Manifest, p.Input.Seen = "", "" // the same for all: thousands of parts are carried along
	if puttingBack(fl.input) {              // which is no member's failure to join
		stuck(&p)
	} else {
		f.Ledger.Land(n, min(n, p.Failed()))
	}
	f.forget(p.Input)
	if room := f.roomForNames(); len(p.Worst) > room {
		p.Worst = p.Worst[:room]
	}
	f.enter(p)
}

// judgeBarred stops the run when the cloud has refused to plan two cohorts in a row, or nobody else of the wave is left to
// ask about: it would refuse those behind them, too, one by one. Where nobody was moved yet the run ends.
func (f *fleetRun) judgeBarred(ctx workflow.Context, w fleet.SurveyedWave) {
	alone := len(f.flights) == 0 && !f.left(w)
	switch {
	case f.Ending != "" || len(f.Barred) == 0 || len(f.Barred) < 2 && !alone:
	case len(f.flights) == 0 && !slices.ContainsFunc(f.Parts, func(p fleet.Part) bool { return p.Record != "" }):
		f.closeBarred(membership.Refused)
		f.ending(ctx, fleet.ThenFinish, "no cohort could be planned: "+f.BarredBy)
	default:
		f.Doubt = fmt.Sprintf("%s could not be planned: %s; resume when that is mended, skip them, or abort",
			membership.Count(len(f.Barred), "cohort"), f.BarredBy)
	}
}

// closeBarred takes in what becomes of the pages that the cloud has refused to plan.
func (f *fleetRun) closeBarred(as membership.Outcome) {
	for _, in := range f.Barred {
		in.Manifest, in.Seen = "", ""
		f.enter(fleet.Part{Input: in, Counts: map[membership.Outcome]int{as: in.To - in.From}, Error: f.BarredBy,
			Code: membership.CodeUnobservable})
	}
	f.Barred = nil
}

// unrecorded makes the part of a cohort that ended without a record: it was killed, or nothing was done because it could
// not be planned or the run ended first. To have tried again in vain takes nothing back of what was known.
func (fl *flight) unrecorded(err error) fleet.Part {
	p, outcome := fleet.Part{}, membership.NotStarted
	if err != nil {
		p.Error, outcome = rootCause(err), lostOutcome(err)
		if p.Code = membership.CodeEngine; cloudRefused(err) {
			p.Code = membership.CodeUnobservable
		}
	}
	p.Counts = map[membership.Outcome]int{outcome: fl.input.To - fl.input.From}
	if outcome == membership.Unknown || !tryingAgain(fl.input) {
		return p
	}
	p.Counts = maps.Clone(fl.input.Again.Was)
	for _, id := range fl.input.Again.Members {
		p.Worst = append(p.Worst, fleet.FailedMember{ID: id, Outcome: fl.was[id], Code: membership.CodeEngine,
			Reason: membership.Short("it was not tried again: " + cmp.Or(p.Error, "the run ended first"))})
	}
	return p
}

// stuck says of members that were to be put back, and that nobody touched, that they were not.
func stuck(p *fleet.Part) {
	for _, o := range []membership.Outcome{membership.Refused, membership.NotStarted} {
		if n := p.Counts[o]; n > 0 {
			p.Counts[membership.RollbackIncomplete] += n
			delete(p.Counts, o)
		}
	}
	p.Worst = slices.DeleteFunc(p.Worst, func(m fleet.FailedMember) bool { return m.Outcome == membership.RolledBack })
}

// mostNamed bounds how many failed members a run knows by name, so that its state stays small enough to be handed on. It
// can do nothing more for those beyond: the report tells them.
const mostNamed = 5000

// roomForNames is how many more may be known.
func (f *fleetRun) roomForNames() int {
	room := mostNamed
	for _, p := range f.Parts {
		room -= len(p.Worst)
	}
	return room
}

func cloudRefused(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == ErrCloudRefused
}

// lostOutcome says what is to be thought of the members of a cohort that ended without a word.
func lostOutcome(err error) membership.Outcome {
	var app *temporal.ApplicationError
	var twin *temporal.ChildWorkflowExecutionAlreadyStartedError
	if errors.As(err, &app) && (app.Type() == ErrBadInput || app.Type() == ErrCloudRefused) || errors.As(err, &twin) {
		return membership.Refused // before or while it was planned: nothing was touched
	}
	return membership.Unknown
}

// rootCause is the words of the innermost error, for people.
func rootCause(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	return err.Error()
}

// hand passes a control on to every cohort under way, as soon as it runs, but not to those that put back. One that has
// ended needs it no more.
func (f *fleetRun) hand(ctx workflow.Context, control string) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	for _, fl := range f.flights {
		switch {
		case puttingBack(fl.input):
		case fl.word != membership.ControlAbort: // after which there is nothing to say
			if fl.word = control; !fl.talking {
				fl.talking = true
				workflow.Go(ctx, fl.talk)
			}
		}
	}
}

// talk tells a cohort one word after the other, and of those that come meanwhile only the last.
func (fl *flight) talk(ctx workflow.Context) {
	for fl.word != fl.told && !fl.over {
		word := fl.word
		fl.tell(ctx, word)
		fl.told = word
	}
	fl.talking = false
}

func (fl *flight) tell(ctx workflow.Context, control string) {
	err := workflow.Await(ctx, func() bool { return fl.child != nil || fl.over })
	if err == nil && !fl.over {
		_ = fl.child.SignalChildWorkflow(ctx, control, membership.Control{By: "the fleet"}).Get(ctx, nil)
	}
}
