package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func (f *fleetRun) objectionToChoice(name string, in fleet.Control) string {
	if name != membership.ControlRetry && strings.TrimSpace(in.Reason) == "" {
		return "reason is missing; say what you saw"
	}
	if f.Ending != "" {
		return "the run is ending: " + f.Why
	}
	if waves := len(f.waves()); in.Wave < 0 || in.Wave > waves {
		return fmt.Sprintf("wave: %d: want 1 to %d, as status numbers the waves of the present step, or none for all", in.Wave, waves)
	}
	vouch := name != membership.ControlRetry
	choices := f.choose(in, vouch)
	where := ""
	if in.Wave > 0 {
		where = " in " + f.waves()[in.Wave-1].Name
	}
	if name == membership.ControlSkip && len(in.Members) == 0 && in.Wave == 0 && len(f.Barred) > 0 {
		return ""
	}
	if len(in.Members) == 0 && len(choices) == 0 {
		if vouch && len(f.choose(in, false)) > 0 {
			return "no member has failed" + where + " but those that are as they were before; they can be tried again"
		}
		return "no member has failed" + where
	}
	var not []string
	for _, id := range in.Members {
		if !slices.ContainsFunc(choices, func(c choice) bool { return slices.Contains(c.members, id) }) {
			not = append(not, id)
		}
	}
	switch {
	case len(not) > 0 && vouch:
		return strings.Join(not, ", ") + " is in no doubt" + where + ": it has not failed, or is as it was before, or has been dealt with"
	case len(not) > 0:
		return strings.Join(not, ", ") + " has not failed" + cmp.Or(where, " in this step") + ", or has been dealt with"
	}
	return ""
}

// waves are those of the present step; none before everybody is found, and when all steps are over.
func (f *fleetRun) waves() []fleet.SurveyedWave {
	if f.Step >= len(f.Survey.Steps) {
		return nil
	}
	return f.Survey.Steps[f.Step].Waves
}

// choice is what is chosen of a part: failed members of it.
type choice struct {
	part    fleet.Part
	members []string                   // by name
	was     map[membership.Outcome]int // and what they had come to
	counted bool                       // in the budget of the present wave
}

// choose finds failed members of the present step: all, or those of a wave, or with the ids. Who rolled back cleanly can
// only be tried again: nobody need vouch for them.
func (f *fleetRun) choose(in fleet.Control, vouch bool) (choices []choice) {
	for i, p := range f.Parts {
		if p.Input.Step != f.Step || in.Wave > 0 && p.Input.Wave != in.Wave-1 || puttingBack(p.Input) || recordOf(p) == "" {
			continue
		}
		c := choice{part: p, was: map[membership.Outcome]int{}, counted: i >= f.First}
		for _, w := range p.Worst {
			wanted := len(in.Members) == 0 || slices.Contains(in.Members, w.ID)
			if wanted && (!vouch || w.Outcome != membership.RolledBack) && !f.superseded(i, w.ID) {
				c.members = append(c.members, w.ID)
				c.was[w.Outcome]++
			}
		}
		if len(c.members) > 0 {
			choices = append(choices, c)
		}
	}
	return choices
}

// superseded reports whether a member of a part, given by its number, has been dealt with since, or is about to be.
func (f *fleetRun) superseded(part int, id string) bool {
	record := recordOf(f.Parts[part])
	later := func(in fleet.PageInput) bool {
		return in.Again != nil && in.Again.Record == record && slices.Contains(in.Again.Members, id)
	}
	return slices.ContainsFunc(f.Queue, later) ||
		slices.ContainsFunc(f.flights, func(fl *flight) bool { return later(fl.input) }) ||
		slices.ContainsFunc(f.Parts[part+1:], func(other fleet.Part) bool { return later(other.Input) })
}

// retry queues failed members to be tried again. Their failures are no longer counted: they are in flight once more.
func (f *fleetRun) retry(in fleet.Control) (members []string) {
	for _, c := range f.choose(in, false) {
		page := f.input(c.part)
		page.Again = &fleet.Again{Record: recordOf(c.part), Members: c.members, Was: c.was}
		page.To = page.From + len(c.members)
		f.Queue = append(f.Queue, page)
		f.forgive(c)
		members = append(members, c.members...)
	}
	return members
}

// vouch takes a person's word for what became of members.
func (f *fleetRun) vouch(in fleet.Control, outcome membership.Outcome) (members []string) {
	for _, c := range f.choose(in, true) {
		page := c.part.Input
		page.Again = &fleet.Again{Record: recordOf(c.part), Members: c.members, Was: c.was}
		f.forget(page)
		f.enter(fleet.Part{Input: page, Counts: map[membership.Outcome]int{outcome: len(c.members)}})
		f.forgive(c)
		members = append(members, c.members...)
	}
	return members
}

func (f *fleetRun) forgive(c choice) {
	f.Ledger.Failed -= len(c.members)
	if c.counted {
		f.Ledger.WaveFailed -= len(c.members)
	}
}

// needsAPerson reports whether the step could end but for members that only a person can decide about.
func (f *fleetRun) needsAPerson() bool {
	return f.lastWave() && len(f.choose(fleet.Control{}, true)) > 0
}
