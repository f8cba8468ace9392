package rollout

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// windows is what the plan's windows say, and until when that holds; a zero until is for ever. Workers may have different
// ideas of the world's time zones, so a run asks, and what it is told is in its history.
type windows struct {
	asked, open bool
	until       time.Time
}

// windowOpen reports whether members may be started now.
func (r *Rollout) windowOpen() bool {
	if len(r.plan.Windows) == 0 {
		return true
	}
	if w := r.windows; !w.asked || !w.until.IsZero() && !r.now.Before(w.until) {
		r.windows = windows{}
		r.do(AskWindows{Windows: fleet.Windows(r.plan.Windows)})
		return false
	}
	return r.windows.open
}

// WindowsAre says whether members may be started now, and until when that holds; a zero time is for ever.
func (r *Rollout) WindowsAre(open bool, until time.Time) {
	r.windows = windows{asked: true, open: open, until: until}
}

// waitsForWindow reports whether members are left to be started and no window is open.
func (r *Rollout) waitsForWindow() bool {
	return (r.Stage == RollingOut || r.Stage == Soaking) && r.Pause == nil && r.Block == nil && r.left() &&
		len(r.plan.Windows) > 0 && r.windows.asked && !r.windows.open
}

// left reports whether members are left to be started in the wave.
func (r *Rollout) left() bool {
	return len(r.Queue) > 0 || r.Stage == RollingOut && r.Page < len(r.wave().Pages)
}

// dispatch starts as many cohorts as there is room for: in the pace, in the budget, in the windows.
func (r *Rollout) dispatch() {
	if r.Pause != nil || r.Block != nil || !r.left() || !r.windowOpen() {
		return
	}
	for !r.hold() {
		next, ok := r.take()
		if !ok {
			return
		}
		r.Ledger.Start(size(next.Input))
		r.start(next)
	}
}

// hold reports whether nothing may be begun because the history is full.
func (r *Rollout) hold() bool {
	r.held = r.held || r.full
	return r.full
}

func size(in fleet.PageInput) int { return in.To - in.From }

// take returns what is to be started next: first what is to be done again, then the wave's members in their order.
func (r *Rollout) take() (next Queued, ok bool) {
	if len(r.Queue) > 0 {
		next = r.Queue[0]
		n := size(next.Input)
		if ok = r.Pace.Admit(r.Ledger, len(r.inFlight), n) == n; ok {
			r.Queue = r.Queue[1:]
		}
		return next, ok
	}
	if !r.left() {
		return next, false
	}
	page := r.wave().Pages[r.Page]
	n := r.Pace.Admit(r.Ledger, len(r.inFlight), page-r.From)
	if n == 0 {
		return next, false
	}
	next.Input = fleet.PageInput{Manifest: r.Survey.Manifest, Step: r.Step, Wave: r.Wave, Page: r.Page, From: r.From, To: r.From + n,
		Seen: r.previewOf(r.Step, r.Wave, r.Page)}
	if r.From += n; r.From == page {
		r.Page, r.From = r.Page+1, 0
	}
	return next, true
}

func (r *Rollout) start(next Queued) {
	r.Cohorts++
	c := &Cohort{Number: r.Cohorts, Input: next.Input, part: next.Part, names: next.Names}
	r.inFlight = append(r.inFlight, c)
	r.members += size(c.Input)
	r.do(StartCohort{Number: c.Number, Step: r.Survey.Steps[c.Input.Step], Input: c.Input, Approved: !r.asksNobody(c.Input.Step)})
}

// InFlight returns the cohort under way with the number, nil when it has ended.
func (r *Rollout) InFlight(number int) *Cohort {
	for _, c := range r.inFlight {
		if c.Number == number {
			return c
		}
	}
	return nil
}

// CohortRuns says with which workflow id a cohort runs.
func (r *Rollout) CohortRuns(number int, id string) { r.InFlight(number).ID = id }

// CohortEnded takes in a cohort that has ended: with a part, or with the reason why it has none.
func (r *Rollout) CohortEnded(number int, p fleet.Part, f *Failure) {
	c := r.InFlight(number)
	r.inFlight = slices.DeleteFunc(r.inFlight, func(other *Cohort) bool { return other == c })
	n := size(c.Input)
	r.members -= n
	switch {
	case p.Record != "" && c.Input.Again == nil && (r.Block == nil || r.Block.Cause != PlansRefused):
		r.closeUnplannable(membership.Refused) // the archive is in order, so it was about them
	case p.Record == "" && r.End == nil && c.Input.Again == nil && f != nil && f.Cloud:
		r.Ledger.Land(n, 0)
		r.Unplannable, r.PlanError = append(r.Unplannable, c.Input), f.Why
		return
	}
	if p.Record == "" {
		p = c.unrecorded(f)
	}
	p.Cohort, p.Input = c.ID, c.Input
	p.Input.Manifest, p.Input.Seen = "", "" // the same for all: thousands of parts are carried along
	if undoes(c.Input) {                    // which is no member's failure
		stuck(&p)
	} else {
		r.Ledger.Land(n, min(n, p.Failed()))
	}
	r.enter(p)
}

// undoes reports whether a cohort undoes what another did.
func undoes(in fleet.PageInput) bool { return in.Again != nil && in.Again.Undo }

// unrecorded makes the part of a cohort that ended without a record: it was killed, or nothing was done because it could
// not be planned or the run ended first. To have tried again in vain takes nothing back of what was known.
func (c *Cohort) unrecorded(f *Failure) fleet.Part {
	p, outcome := fleet.Part{}, membership.NotStarted
	switch {
	case f == nil:
	case f.Cloud:
		p.Error, p.Code, outcome = f.Why, membership.CodeUnobservable, membership.Refused
	case f.Refused:
		p.Error, p.Code, outcome = f.Why, membership.CodeEngine, membership.Refused
	default:
		p.Error, p.Code, outcome = f.Why, membership.CodeEngine, membership.Unknown
	}
	p.Counts = map[membership.Outcome]int{outcome: size(c.Input)}
	if c.Input.Again == nil || c.Input.Again.Undo {
		return p
	}
	if outcome == membership.Unknown {
		for _, m := range c.names {
			p.Worst = append(p.Worst, fleet.FailedMember{ID: m.ID, Outcome: outcome, Code: p.Code, Reason: membership.Short(p.Error)})
		}
		return p
	}
	p.Counts = maps.Clone(c.Input.Again.Was)
	reason := p.Error
	if reason == "" {
		reason = "the run ended first"
	}
	for _, m := range c.names {
		m.Code, m.Reason = membership.CodeEngine, membership.Short("it was not tried again: "+reason)
		p.Worst = append(p.Worst, m)
	}
	return p
}

// stuck says of members that were to be put back, and that are not, that they were not: whatever they are now, the run was
// to leave them as they were before it.
func stuck(p *fleet.Part) {
	for _, o := range []membership.Outcome{membership.Refused, membership.NotStarted, membership.Joined, membership.Left, membership.Already} {
		if n := p.Counts[o]; n > 0 {
			p.Counts[membership.RollbackIncomplete] += n
			delete(p.Counts, o)
		}
	}
	p.Worst = slices.DeleteFunc(p.Worst, func(m fleet.FailedMember) bool { return m.Outcome == membership.RolledBack })
}

// mostNamed bounds how many failed members a run knows by name, so that its state stays small enough to be handed on. Those
// beyond can still be tried again, all of a cohort at once.
const mostNamed = 5000

// enter takes in what became of a cohort, or what a person has vouched for.
func (r *Rollout) enter(p fleet.Part) {
	t := Track{}
	if !undoes(p.Input) {
		t.Open = p.Failed()
	}
	room := mostNamed
	for i := range r.Parts {
		room -= len(r.Parts[i].Worst)
	}
	if len(p.Worst) > room {
		p.Worst = p.Worst[:max(room, 0)]
	}
	r.Parts, r.Tracks = append(r.Parts, p), append(r.Tracks, t)
	r.count(p)
}

func numbered(step int) string { return fmt.Sprintf("step %d", step+1) }
