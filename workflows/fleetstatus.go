package workflows

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// announce finds the phase the run is in and tells it to those who watch.
func (f *fleetRun) announce(ctx workflow.Context) error {
	f.phase = f.findPhase(ctx)
	workflow.SetCurrentDetails(ctx, f.details())
	return f.tell(ctx, "")
}

// tell sets the search attributes when they change, which costs an event.
func (f *fleetRun) tell(ctx workflow.Context, outcome membership.RunOutcome) error {
	wave := f.waveName()
	if f.phase == f.said && wave == f.saidWave {
		return nil
	}
	updates := []temporal.SearchAttributeUpdate{attrPhase.ValueSet(string(f.phase)), attrWave.ValueSet(wave)}
	if f.said == "" {
		first := f.plan.StepList()[0]
		updates = append(updates, attrKind.ValueSet(first.Kind), attrAccount.ValueSet(first.Account))
		if first.Group != "" {
			updates = append(updates, attrGroup.ValueSet(first.Group))
		}
	}
	if outcome != "" {
		updates = append(updates, attrOutcome.ValueSet(string(outcome)))
	}
	f.said, f.saidWave = f.phase, wave
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

func (f *fleetRun) waveName() string {
	if f.Wave >= len(f.waves()) {
		return ""
	}
	name := f.waves()[f.Wave].Name
	if len(f.Survey.Steps) > 1 {
		name = fmt.Sprintf("step %d, %s", f.Step+1, name)
	}
	return name
}

func (f *fleetRun) findPhase(ctx workflow.Context) membership.Phase {
	switch {
	case f.Ending != "" && f.Paused:
		return membership.Paused
	case f.Ending != "":
		return membership.Undoing
	case f.Ledger == nil: // the step has not been looked at
		return membership.Planning
	case f.gate != nil:
		return membership.Awaiting
	case f.Paused:
		return membership.Paused
	case len(f.flights) > 0:
		return membership.Running
	case f.Stopped != "":
		return membership.Stopped
	case f.next.After(workflow.Now(ctx)):
		return membership.Resting
	case f.Begun && f.needsAPerson():
		return membership.Waiting
	}
	return membership.Running
}

func (f *fleetRun) why() string {
	switch {
	case f.Why != "":
		return f.Why
	case f.Paused && f.PausedBy != "":
		return "paused by " + f.PausedBy
	case f.Stopped != "":
		return f.Stopped
	case f.gate != nil:
		return fmt.Sprintf("waits for %s: %s", f.gate.Needs(), f.gate.Why)
	}
	return ""
}

// details is what the Web UI and `temporal workflow describe` show of a run that is under way.
func (f *fleetRun) details() string {
	s := f.status()
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**", s.Phase)
	if s.Wave != "" {
		fmt.Fprintf(&b, " · %s", s.Wave)
	}
	fmt.Fprintf(&b, " · %s, %d in flight in %s\n\n", membership.Count(s.Members, "member"), s.InFlight, membership.Count(len(s.Cohorts), "cohort"))
	for _, o := range membership.Outcomes() {
		if n := s.Counts[o]; n > 0 {
			fmt.Fprintf(&b, "- %s: %d\n", o, n)
		}
	}
	if s.Why != "" {
		fmt.Fprintf(&b, "\n%s\n", s.Why)
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "\n%s\n", w)
	}
	if s.Digest != "" {
		fmt.Fprintf(&b, "\nVotes must name `%s`\n", s.Digest)
	}
	return b.String()
}

func (f *fleetRun) status() fleet.Status {
	s := fleet.Status{Name: f.plan.Name, Phase: f.phase, Why: f.why(), Steps: len(f.Survey.Steps), InFlight: f.inFlight,
		Cohorts: []string{}, Counts: sum(slices.Concat(f.scores...)...), Waves: []fleet.WaveStatus{}, Pace: f.pace(), Next: f.next,
		Gate: f.gate, Digest: f.digest, Votes: f.Votes, Wave: f.waveName(), Warnings: f.Survey.Warnings}
	s.Step = min(f.Step+1, s.Steps)
	for _, step := range f.Survey.Steps {
		s.Members += step.Members
	}
	for _, fl := range f.flights {
		s.Cohorts = append(s.Cohorts, fl.id)
	}
	if f.Ledger != nil {
		s.Budget = f.Ledger.String()
	}
	for i, w := range f.waves() {
		s.Waves = append(s.Waves, f.waveStatus(i, w))
	}
	for i := len(f.Parts) - 1; i >= 0 && len(s.Failed) < fleet.MostFailed; i-- {
		for _, w := range f.Parts[i].Worst {
			if len(s.Failed) < fleet.MostFailed && !f.superseded(i, w.ID) {
				s.Failed = append(s.Failed, w)
			}
		}
	}
	return s
}

// enter takes in what became of a cohort, or what a person has vouched for.
func (f *fleetRun) enter(p fleet.Part) {
	f.Parts = append(f.Parts, p)
	f.count(p)
}

// forget drops the names of members whose story has gone on in another cohort.
func (f *fleetRun) forget(next fleet.PageInput) {
	for i := range f.Parts {
		if p := &f.Parts[i]; next.Again != nil && recordOf(*p) == next.Again.Record {
			p.Worst = slices.DeleteFunc(p.Worst, func(m fleet.FailedMember) bool { return slices.Contains(next.Again.Members, m.ID) })
		}
	}
}

func (f *fleetRun) count(p fleet.Part) {
	for len(f.scores) <= p.Input.Step {
		f.scores = append(f.scores, nil)
	}
	step := &f.scores[p.Input.Step]
	for len(*step) <= p.Input.Wave {
		*step = append(*step, score{})
	}
	p.Score((*step)[p.Input.Wave])
}

// score counts members by what became of them.
type score = map[membership.Outcome]int

func sum(scores ...score) score {
	all := score{}
	for _, s := range scores {
		fleet.Part{Counts: s}.Score(all)
	}
	return all
}

// scoresOf are those of a step's waves; waves that nobody has come through may be missing at the end.
func (f *fleetRun) scoresOf(step int) []score {
	if step >= len(f.scores) {
		return nil
	}
	return f.scores[step]
}

func (f *fleetRun) waveStatus(i int, w fleet.SurveyedWave) fleet.WaveStatus {
	var p fleet.Part
	if scores := f.scoresOf(f.Step); i < len(scores) {
		p.Counts = scores[i]
	}
	return fleet.WaveStatus{Name: w.Name, Members: w.Members, Ended: p.Members(), Failed: p.Failed()}
}

// report tells what became of everybody. Who was never started is counted by what is missing.
func (f *fleetRun) report(ctx workflow.Context) fleet.Report {
	r := fleet.Report{Name: f.plan.Name, Counts: sum(slices.Concat(f.scores...)...), Steps: []fleet.StepReport{}, Votes: f.Votes, Said: f.Said,
		Why: f.Why, Started: f.Started, Ended: workflow.Now(ctx)}
	for i, step := range f.Survey.Steps {
		sr := fleet.StepReport{SurveyedStep: step, Counts: sum(f.scoresOf(i)...)}
		left := step.Members
		for _, o := range membership.Outcomes() {
			left -= sr.Counts[o]
		}
		if left > 0 {
			sr.Counts[membership.NotStarted] += left
			r.Counts[membership.NotStarted] += left
		}
		r.Steps = append(r.Steps, sr)
	}
	r.Outcome = membership.Judge(r.Counts, f.Aborted)
	return r
}

func tally(counts map[membership.Outcome]int) string {
	return membership.Report{Counts: counts}.Tally()
}
