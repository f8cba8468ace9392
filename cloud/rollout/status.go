package rollout

import (
	"fmt"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// score counts members by what became of them.
type score = map[membership.Outcome]int

// count adds a part to the scores by step and wave: there are thousands of parts, and they are told all the time.
func (r *Rollout) count(p fleet.Part) {
	for len(r.scores) <= p.Input.Step {
		r.scores = append(r.scores, nil)
	}
	step := &r.scores[p.Input.Step]
	for len(*step) <= p.Input.Wave {
		*step = append(*step, score{})
	}
	p.Score((*step)[p.Input.Wave])
}

func sum(scores ...score) score {
	all := score{}
	for _, s := range scores {
		fleet.Part{Counts: s}.Score(all)
	}
	return all
}

// scoresOf are those of a step's waves; waves of which no member has come through may be missing at the end.
func (r *Rollout) scoresOf(step int) []score {
	if step >= len(r.scores) {
		return nil
	}
	return r.scores[step]
}

// Phase is what the run is doing, for people.
func (r *Rollout) Phase() membership.Phase {
	switch {
	case r.Stage == Closing, r.Stage == Closed: // what anybody says from now on comes too late
		return membership.Ended
	case r.End != nil && r.Pause != nil:
		return membership.Paused
	case r.End != nil:
		return membership.Undoing
	case r.Stage == Surveying, r.Stage == Previewing, r.Stage == Reserving:
		return membership.Planning
	case r.gate != nil:
		return membership.Awaiting
	case r.Pause != nil:
		return membership.Paused
	case len(r.inFlight) > 0:
		return membership.Running
	case r.Block != nil:
		return membership.Stopped
	case r.Wake().After(r.now):
		return membership.Resting
	case r.Stage == RollingOut && r.needsAPerson():
		return membership.Waiting
	}
	return membership.Running
}

func (r *Rollout) why() string {
	switch {
	case r.End != nil:
		return r.End.Why
	case r.Pause != nil:
		return "paused by " + r.Pause.By
	case r.Block != nil:
		return r.Block.Why
	case r.gate != nil:
		return fmt.Sprintf("waits for %s: %s", r.gate.Needs(), r.gate.Why)
	}
	return ""
}

// waveName names where the run is.
func (r *Rollout) waveName() string {
	if r.Wave >= len(r.waves()) || r.plan.Rollback != "" {
		return ""
	}
	name := r.wave().Name
	if len(r.Survey.Steps) > 1 {
		name = numbered(r.Step) + ", " + name
	}
	return name
}

// Status says how far the run is.
func (r *Rollout) Status() fleet.Status {
	s := fleet.Status{Name: r.plan.Name, Phase: r.Phase(), Why: r.why(), Steps: len(r.Survey.Steps), InFlight: r.members,
		Cohorts: []string{}, Counts: sum(slices.Concat(r.scores...)...), Waves: []fleet.WaveStatus{}, Pace: r.Pace.MostAtOnce(), Next: r.Wake(),
		Gate: r.gate, Digest: r.digest, Votes: r.Votes, Wave: r.waveName(), Manifest: r.Survey.Manifest, Warnings: r.Survey.Warnings}
	s.Step = min(r.Step+1, s.Steps)
	for _, step := range r.Survey.Steps {
		s.Members += step.Members
	}
	for _, c := range r.inFlight {
		s.Cohorts = append(s.Cohorts, c.ID)
	}
	if r.Ledger != nil {
		s.Budget = r.Ledger.String()
	}
	scores := r.scoresOf(r.Step)
	for i, w := range r.waves() {
		var p fleet.Part
		if i < len(scores) {
			p.Counts = scores[i]
		}
		s.Waves = append(s.Waves, fleet.WaveStatus{Name: w.Name, Members: w.Members, Ended: p.Members(), Failed: p.Failed()})
	}
	for i := len(r.Parts) - 1; i >= 0; i-- {
		for _, m := range r.Parts[i].Worst {
			if len(s.Failed) == fleet.MostFailed {
				return s
			}
			s.Failed = append(s.Failed, m)
		}
	}
	return s
}

// Report tells what became of all members. Those that were never started are counted by what is missing.
func (r *Rollout) Report() fleet.Report {
	rep := fleet.Report{Name: r.plan.Name, Counts: sum(slices.Concat(r.scores...)...), Steps: []fleet.StepReport{}, Votes: r.Votes,
		Controls: r.Controls, Started: r.Started, Ended: r.now}
	if r.End != nil {
		rep.Why = r.End.Why
	}
	for i, step := range r.Survey.Steps {
		sr := fleet.StepReport{SurveyedStep: step, Counts: sum(r.scoresOf(i)...)}
		left := step.Members
		for _, o := range membership.Outcomes() {
			left -= sr.Counts[o]
		}
		if left > 0 {
			sr.Counts[membership.NotStarted] += left
			rep.Counts[membership.NotStarted] += left
		}
		rep.Steps = append(rep.Steps, sr)
	}
	rep.Outcome = membership.Judge(rep.Counts, r.End != nil && r.End.Person && r.plan.Rollback == "")
	return rep
}
