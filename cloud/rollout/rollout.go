// Package rollout decides what a run does next: the state machine of a fleet, told without Temporal and without any cloud.
// Events come in as method calls, commands go out of Next; between the two nothing happens by itself. A run takes its plan's
// steps one after the other, each in waves:
//
//	survey → for each step: preview → reserve → for each wave: gate → roll-out → soak → check → … → close
//
// and from anywhere, when it is to end before its time, by way of the roll-back to close.
package rollout

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Stage is where a run is on its way.
type Stage string

const (
	Surveying   Stage = "survey"    // finds the members and lays them out
	Previewing  Stage = "preview"   // looks at the members of a step, for those who decide on it
	Reserving   Stage = "reserve"   // gives out the places in the step's groups, when they may be too few
	Gating      Stage = "gate"      // waits for votes before a wave
	RollingOut  Stage = "roll-out"  // takes the members of a wave forward
	Soaking     Stage = "soak"      // rests between two waves
	Checking    Stage = "check"     // looks whether the members of a wave are as they were left
	RollingBack Stage = "roll-back" // puts members back, as the way says in which it ends
	Closing     Stage = "close"     // keeps the archive
	Closed      Stage = "closed"
)

// State is all that a run hands on when it continues in a fresh history, which it does when nothing is under way.
type State struct {
	Survey   fleet.Survey
	Stage    Stage
	Step     int
	Wave     int
	Page     int // the next page of the wave to be started, and
	From     int // the next member of it
	First    int // the first of the Parts that the wave's budget counts
	Looked   int // how many looks of the stage are behind it
	Lost     []string
	Previews [][]fleet.Seen // by step, of each of its pages
	Ledger   *fleet.Ledger  // of the step, from its first gate on

	Parts   []fleet.Part // cohorts that have ended and decisions of people, in that order
	Tracks  []Track      // of each part, what may become of it yet
	Queue   []Queued     // what is to be done again, or undone
	Cohorts int          // started so far

	// Unplannable are the pages that the cloud has refused to plan since a cohort last filed a record, and PlanError its words.
	Unplannable []fleet.PageInput
	PlanError   string

	Pause *Pause // nil: nobody has paused the run
	Block *Block // nil: nothing else keeps it from starting members
	End   *End   // nil: it goes on to the end of its plan

	Soaked   time.Time // until when it soaks
	Rollback int       // the step that is being put back
	Started  time.Time
	Pace     fleet.Pace    // as changed while it ran
	Budget   *fleet.Budget // likewise
	Votes    []membership.Vote
	Controls []fleet.Said
}

// Track is what may become yet of a part.
type Track struct {
	Open   int  `json:",omitempty"` // failed members of it about which nobody has decided
	Undone bool `json:",omitempty"` // its members that went well are being put back, or were
}

// Queued is a cohort that is to be started, of members of a part before.
type Queued struct {
	Input fleet.PageInput
	Part  int                  // the number of that part
	Names []fleet.FailedMember // what was known of them there
}

// Pause is a person's word that nothing more is to be started.
type Pause struct{ By string }

// Block is what keeps a run from starting members until a person decides.
type Block struct {
	Cause Cause
	Why   string
}

// Cause is why a run is blocked.
type Cause string

const (
	BudgetSpent  Cause = "budget"       // change the budget, retry or abort
	PlansRefused Cause = "cannot-plan"  // the cloud refuses to plan cohorts: resume, skip them or abort
	MembersLost  Cause = "members-lost" // members of the wave before are not as they were left: resume or abort
)

// End is how a run ends before its time.
type End struct {
	Mode   fleet.Then
	Why    string
	Person bool // somebody said so
}

// Cohort is one under way.
type Cohort struct {
	Number int // of this run, from 1
	Input  fleet.PageInput
	ID     string // its workflow id, once it is known
	part   int    // that it takes up, when Input.Again
	names  []fleet.FailedMember
	told   string // the last control that it was told
}

// Rollout is one run.
type Rollout struct {
	State
	plan fleet.Plan

	now      time.Time
	commands []Command
	inFlight []*Cohort
	members  int // in flight
	full     bool
	held     bool // something was not begun because it is
	looks    looks
	windows  windows
	gate     *membership.Gate
	digest   string // of what the gate's votes must name
	deadline time.Time
	closing  bool
	scores   [][]score
	failure  error
}

// New begins a run of a plan.
func New(plan fleet.Plan, now time.Time) *Rollout {
	return &Rollout{plan: plan, now: now, State: State{Stage: Surveying, Started: now, Pace: plan.Pace, Budget: plan.Budget}}
}

// Resume goes on where a run before has stopped.
func Resume(plan fleet.Plan, s State, now time.Time) *Rollout {
	r := &Rollout{plan: plan, State: s, now: now}
	for _, p := range s.Parts {
		r.count(p)
	}
	return r
}

// Next returns what is to be done now. It is called whenever something has happened, and when Wake says so. full says that
// nothing more is to be begun, since the run is to continue in a fresh history: see WantsFreshHistory.
func (r *Rollout) Next(now time.Time, full bool) []Command {
	r.now, r.full, r.held = now, full, false
	for r.advance() {
	}
	commands := r.commands
	r.commands = nil
	return commands
}

// WantsFreshHistory reports whether the run has something to begin, and does not because its history is full. It may
// continue in a fresh one, since nothing is under way: what waits for a time or a person makes no history longer.
func (r *Rollout) WantsFreshHistory() bool {
	return r.held && len(r.inFlight) == 0 && r.looks.open == 0 && r.gate == nil
}

// Over reports whether the run has ended; the error is why it ended before anything was touched.
func (r *Rollout) Over() (bool, error) { return r.Stage == Closed, r.failure }

func (r *Rollout) do(c Command) { r.commands = append(r.commands, c) }

// advance takes the run to its next stage, if it can go there now.
func (r *Rollout) advance() (moved bool) {
	if r.End != nil && !r.endingStage() {
		return r.turnBack()
	}
	switch r.Stage {
	case Surveying:
		r.look(1)
	case Previewing:
		return r.preview()
	case Reserving:
		return r.reserve()
	case Gating:
		return r.awaitVotes()
	case RollingOut:
		return r.rollOut()
	case Soaking:
		return r.soak()
	case Checking:
		return r.check()
	case RollingBack:
		return r.rollBack()
	case Closing:
		r.close()
	}
	return false
}

func (r *Rollout) endingStage() bool {
	return r.Stage == RollingBack || r.Stage == Closing || r.Stage == Closed
}

func (r *Rollout) to(s Stage) bool {
	r.Stage, r.Looked, r.looks = s, 0, looks{}
	return true
}

// Surveyed says who the members are.
func (r *Rollout) Surveyed(s fleet.Survey, err error) {
	r.looks.open--
	switch {
	case r.End != nil: // it came too late, and may be the error of being cut short
	case err != nil:
		r.fail(err)
	case r.plan.Rollback != "":
		r.takeOver(s)
	default:
		r.Survey = s
		r.beginStep()
	}
}

// fail ends the run before anything was touched.
func (r *Rollout) fail(err error) {
	r.failure = err
	r.to(Closed)
}

// impossible ends the run because a step cannot begin: with the error while nothing was touched, else with the truth.
func (r *Rollout) impossible(err error, why string) {
	if r.Cohorts == 0 {
		r.fail(err)
		return
	}
	r.end(fleet.ThenFinish, numbered(r.Step)+" cannot begin: "+why, false)
}

func (r *Rollout) beginStep() {
	switch {
	case r.Step >= len(r.Survey.Steps):
		r.to(Closing)
	case r.Survey.Steps[r.Step].Preview, r.Survey.Steps[r.Step].Scarce:
		r.to(Previewing)
	default:
		r.beginWaves()
	}
}

func (r *Rollout) beginWaves() {
	r.Ledger = fleet.NewLedger(r.Budget, r.step().Members)
	r.Wave = 0
	r.to(Gating)
}

func (r *Rollout) step() fleet.SurveyedStep { return r.Survey.Steps[r.Step] }

// waves are those of the present step; none before the members are found, and when all steps are over.
func (r *Rollout) waves() []fleet.Wave {
	if r.Step >= len(r.Survey.Steps) {
		return nil
	}
	return r.step().Waves
}

func (r *Rollout) wave() fleet.Wave { return r.waves()[r.Wave] }

func (r *Rollout) lastWave() bool { return r.Wave+1 >= len(r.waves()) }

// beginWave opens the wave, once people have let it.
func (r *Rollout) beginWave() bool {
	r.First, r.Page, r.From = len(r.Parts), 0, 0
	r.Ledger.Wave(r.wave().Members)
	return r.to(RollingOut)
}

// rollOut starts the wave's members until all have ended.
func (r *Rollout) rollOut() bool {
	r.enforceBudget()
	if r.End != nil {
		return true
	}
	r.dispatch()
	switch {
	case len(r.inFlight) > 0 || r.left() || r.Block != nil || r.needsAPerson():
		return false
	case r.lastWave():
		return r.endStep()
	}
	r.Soaked = r.now.Add(r.plan.Soak.Std())
	return r.to(Soaking)
}

// soak waits the plan's time between two waves. What is tried again meanwhile belongs to the wave before.
func (r *Rollout) soak() bool {
	r.enforceBudget()
	if r.End != nil {
		return true
	}
	r.dispatch()
	if len(r.inFlight) > 0 || len(r.Queue) > 0 || r.Pause != nil || r.Block != nil || r.now.Before(r.Soaked) {
		return false
	}
	return r.to(Checking)
}

// endStep goes on to the next step, unless this one has not ended well.
func (r *Rollout) endStep() bool {
	if !r.stepSucceeded() && r.Step+1 < len(r.Survey.Steps) {
		r.end(fleet.ThenFinish, numbered(r.Step)+" has not ended well, so "+numbered(r.Step+1)+" does not begin", false)
		return true
	}
	r.Step, r.Wave, r.Ledger = r.Step+1, 0, nil
	r.beginStep()
	return true
}

// stepSucceeded reports whether no member of the present step has failed, nor was kept from being looked at. A member that
// is refused for what it is falls out, and the others go on.
func (r *Rollout) stepSucceeded() bool {
	for _, p := range r.Parts {
		if p.Input.Step == r.Step && p.Record == "" && p.Counts[membership.Refused] > 0 {
			return false
		}
	}
	return r.Ledger.Failed == 0
}

// close keeps the archive. Of a run whose members were never found there is none.
func (r *Rollout) close() {
	switch {
	case r.closing:
	case r.Survey.Manifest == "":
		r.to(Closed)
	default:
		r.closing = true
		r.do(Close{Archive: fleet.Archive{Plan: r.plan, Manifest: r.Survey.Manifest, Report: r.Report(), Seen: r.Previews, Parts: r.Parts}})
	}
}

// Archived says that the archive is kept, or that it cannot be.
func (r *Rollout) Archived() {
	r.closing = false
	r.to(Closed)
}

// Wake is when Next is to be called although nothing has happened; zero: never.
func (r *Rollout) Wake() time.Time {
	switch {
	case r.End != nil:
	case r.gate != nil:
		return r.deadline
	case r.Stage == Soaking && r.now.Before(r.Soaked):
		return r.Soaked
	case r.waitsForWindow():
		return r.windows.until
	}
	return time.Time{}
}
