package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// choice is what is chosen of a part's failed members: those with the names, or all with the outcomes.
type choice struct {
	part  int
	names []fleet.FailedMember
	all   bool                       // more have failed than the run knows by name, and all of them are chosen
	was   map[membership.Outcome]int // what they have come to
}

func (c choice) size() (n int) {
	for _, o := range membership.Outcomes() {
		n += c.was[o]
	}
	return n
}

// ids are those of the members, none when all with the outcomes are meant.
func (c choice) ids() (ids []string) {
	if c.all {
		return nil
	}
	for _, m := range c.names {
		ids = append(ids, m.ID)
	}
	return ids
}

// failedOutcomes are those of members that count as failed.
var failedOutcomes = [...]membership.Outcome{membership.RolledBack, membership.RollbackIncomplete, membership.Unknown}

// open chooses the failed members of a part about which nobody has decided: those with an outcome, and of these, when ids
// are given, those with the ids.
func (r *Rollout) open(part int, ids []string, wanted func(membership.Outcome) bool) (c choice, ok bool) {
	p, t := &r.Parts[part], r.Tracks[part]
	c = choice{part: part, was: make(map[membership.Outcome]int)}
	if t.Open == 0 {
		return c, false
	}
	for _, m := range p.Worst {
		if wanted(m.Outcome) && (len(ids) == 0 || slices.Contains(ids, m.ID)) {
			c.names = append(c.names, m)
			c.was[m.Outcome]++
		}
	}
	if t.Open > len(p.Worst) && len(ids) == 0 { // not all are known by name: it is all of them or none
		c.all, c.was = true, make(map[membership.Outcome]int)
		for _, o := range failedOutcomes {
			if n := p.Counts[o]; n > 0 && wanted(o) {
				c.was[o] = n
			}
		}
	}
	return c, c.size() > 0
}

// settle takes the members of a choice off its part: somebody has decided about them.
func (r *Rollout) settle(c choice) {
	p := &r.Parts[c.part]
	r.Tracks[c.part].Open -= c.size()
	p.Worst = slices.DeleteFunc(p.Worst, func(m fleet.FailedMember) bool {
		return slices.ContainsFunc(c.names, func(chosen fleet.FailedMember) bool { return chosen.ID == m.ID })
	})
}

// again returns the input of a cohort that takes up members of a part.
func (r *Rollout) again(part int, a fleet.Again) fleet.PageInput {
	p := r.Parts[part]
	in := p.Input
	in.Manifest, in.Seen = r.Survey.Manifest, r.previewOf(in.Step, in.Wave, in.Page)
	switch {
	case p.Record != "":
		a.Record = p.Record
	case in.Again != nil: // it did not come to a record of its own
		a.Record, a.Cohort = in.Again.Record, in.Again.Cohort
		if len(a.Members) == 0 {
			a.Members, a.Outcomes = in.Again.Members, in.Again.Chosen()
		}
	default:
		a.Cohort = p.Cohort
	}
	n := 0
	for _, o := range membership.Outcomes() {
		n += a.Was[o]
	}
	if a.Record != "" { // else the members are those between From and To
		in.To = in.From + n
	}
	in.Again = &a
	return in
}

// needsAPerson reports whether the step could end but for members that only a person can decide about.
func (r *Rollout) needsAPerson() bool {
	return r.lastWave() && len(r.choose(fleet.Control{}, true)) > 0
}

// choose finds failed members of the present step: all, or those of a wave, or with the ids. A member that was rolled back
// cleanly can only be tried again: nobody need vouch for it.
func (r *Rollout) choose(in fleet.Control, vouch bool) (choices []choice) {
	for i, p := range r.Parts {
		if p.Input.Step != r.Step || in.Wave > 0 && p.Input.Wave != in.Wave-1 || undoes(p.Input) {
			continue
		}
		c, ok := r.open(i, in.Members, func(o membership.Outcome) bool { return !vouch || o != membership.RolledBack })
		if ok {
			choices = append(choices, c)
		}
	}
	return choices
}

// retry queues failed members to be tried again. Their failures are no longer counted: they are in flight once more.
func (r *Rollout) retry(in fleet.Control) (members []string) {
	for _, c := range r.choose(in, false) {
		members = append(members, r.decided(c)...)
		r.Queue = append(r.Queue, Queued{Input: r.again(c.part, fleet.Again{Members: c.ids(), Was: c.was}), Part: c.part, Names: c.names})
	}
	return members
}

// vouch takes a person's word for what became of members.
func (r *Rollout) vouch(in fleet.Control, outcome membership.Outcome) (members []string) {
	for _, c := range r.choose(in, true) {
		members = append(members, r.decided(c)...)
		page := r.again(c.part, fleet.Again{Members: c.ids(), Was: c.was})
		page.Manifest, page.Seen = "", ""
		r.enter(fleet.Part{Input: page, Counts: map[membership.Outcome]int{outcome: c.size()}})
	}
	return members
}

// decided takes the failures of a choice off the budget, and returns the members that are known by name.
func (r *Rollout) decided(c choice) (members []string) {
	r.settle(c)
	r.Ledger.Failed -= c.size()
	if c.part >= r.First {
		r.Ledger.WaveFailed -= c.size()
	}
	for _, m := range c.names {
		members = append(members, m.ID)
	}
	return members
}

func (r *Rollout) objectionToChoice(name string, in fleet.Control) string {
	if name != membership.ControlRetry && strings.TrimSpace(in.Reason) == "" {
		return "reason is missing; say what you saw"
	}
	if r.End != nil {
		return "the run is ending: " + r.End.Why
	}
	if waves := len(r.waves()); in.Wave < 0 || in.Wave > waves {
		return fmt.Sprintf("wave: %d: want 1 to %d, as status numbers the waves of the present step, or none for all", in.Wave, waves)
	}
	vouch := name != membership.ControlRetry
	choices := r.choose(in, vouch)
	where := ""
	if in.Wave > 0 {
		where = " in " + r.waves()[in.Wave-1].Name
	}
	if name == membership.ControlSkip && len(in.Members) == 0 && in.Wave == 0 && len(r.Unplannable) > 0 {
		return ""
	}
	if len(in.Members) == 0 && len(choices) == 0 {
		if vouch && len(r.choose(in, false)) > 0 {
			return "no member has failed" + where + " but those that are as they were before; they can be tried again"
		}
		return "no member has failed" + where
	}
	var not []string
	for _, id := range in.Members {
		if !slices.ContainsFunc(choices, func(c choice) bool { return slices.Contains(c.ids(), id) }) {
			not = append(not, id)
		}
	}
	switch {
	case len(not) == 0:
		return ""
	case r.nameless():
		return strings.Join(not, ", ") + " is not among the failed members that the run knows by name; choose all of them, or those of a wave"
	case vouch:
		return strings.Join(not, ", ") + " is in no doubt" + where + ": it has not failed, or is as it was before, or has been dealt with"
	default:
		return strings.Join(not, ", ") + " has not failed" + cmp.Or(where, " in this step") + ", or has been dealt with"
	}
}

// nameless reports whether failed members of the present step are not known by name.
func (r *Rollout) nameless() bool {
	for i, p := range r.Parts {
		if p.Input.Step == r.Step && r.Tracks[i].Open > len(p.Worst) {
			return true
		}
	}
	return false
}
