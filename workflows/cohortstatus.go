package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// announce finds the phase the cohort is in and tells it to those who watch: search attributes when it changes, which costs
// an event, and the current details, which cost none.
func (c *cohort) announce(ctx workflow.Context) error {
	c.phase = c.findPhase()
	workflow.SetCurrentDetails(ctx, c.details())
	if c.phase == c.saidPhase {
		return nil
	}
	updates := []temporal.SearchAttributeUpdate{attrPhase.ValueSet(string(c.phase))}
	switch {
	case c.saidPhase == "":
		updates = append(updates, attrKind.ValueSet(c.in.Kind), attrAccount.ValueSet(c.in.Account), attrFleet.ValueSet(c.fleet))
	case c.saidPhase == membership.Planning: // only now it is known
		updates = append(updates, attrGroup.ValueSet(c.program.Group))
	}
	if c.phase == membership.Ended {
		updates = append(updates, attrOutcome.ValueSet(string(c.judge())))
	}
	c.saidPhase = c.phase
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

func (c *cohort) findPhase() membership.Phase {
	if c.members == nil {
		return membership.Planning
	}
	open, moving := 0, 0
	for i := range c.members {
		if m := &c.members[i]; m.outcome == "" {
			open++
			if _, undo, due := membership.StageOf(m.mark); m.inFlight || due && (undo || !c.paused || c.aborting) {
				moving++
			}
		}
	}
	switch {
	case open == 0:
		return membership.Ended
	case c.aborting:
		return membership.Undoing
	case c.paused:
		return membership.Paused
	case moving == 0: // all that are left wait for a person
		return membership.Waiting
	default:
		return membership.Running
	}
}

// at names the place of a member: its outcome, "parked", or the stage it is at.
func (c *cohort) at(i int) string {
	m := &c.members[i]
	if m.outcome != "" {
		return string(m.outcome)
	}
	if m.mark == membership.MarkParked {
		return membership.AtParked
	}
	return c.program.Place(m.mark)
}

// counts returns how many members are at each place, and the places in the order of the story.
func (c *cohort) counts() (places []string, counts map[string]int) {
	counts = make(map[string]int)
	for i := range c.members {
		counts[c.at(i)]++
	}
	order := c.program.Places()
	order = append(order, membership.AtParked)
	for _, o := range membership.Outcomes() {
		order = append(order, string(o))
	}
	for _, p := range order {
		if counts[p] > 0 {
			places = append(places, p)
		}
	}
	return places, counts
}

// details is what the Web UI and `temporal workflow describe` show of a run that is under way.
func (c *cohort) details() string {
	if len(c.members) == 0 {
		return "planning"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** · %s %s · group %s\n\n", c.phase, c.in.Operation, membership.Count(len(c.members), "member"), c.program.Group)
	places, counts := c.counts()
	for _, p := range places {
		fmt.Fprintf(&b, "- %s: %d\n", p, counts[p])
	}
	if c.trouble != "" {
		fmt.Fprintf(&b, "\nThe cloud cannot be read: %s\n", c.trouble)
	}
	return b.String()
}

func (c *cohort) status() membership.Status {
	s := membership.Status{Kind: c.in.Kind, Operation: c.in.Operation, Account: c.in.Account, Group: c.program.Group,
		Phase: c.phase, Digest: c.program.Digest, Counts: map[string]int{}, Members: []membership.MemberStatus{}, Trouble: c.trouble}
	if len(c.members) == 0 {
		return s
	}
	_, s.Counts = c.counts()
	for i := range c.members {
		planned := &c.program.Members[i]
		ms := membership.MemberStatus{ID: planned.ID, Name: planned.Name, At: c.at(i)}
		if notes := c.members[i].notes; len(notes) > 0 {
			last := notes[len(notes)-1]
			ms.Code, ms.Reason = last.Code, last.Reason
		} else if len(planned.Refused) > 0 {
			ms.Code, ms.Reason = planned.Refused[0].Code, planned.Refused[0].Reason
		}
		s.Members = append(s.Members, ms)
	}
	return s
}

func (c *cohort) judge() membership.RunOutcome {
	counts := make(map[membership.Outcome]int)
	for i := range c.members {
		counts[c.members[i].outcome]++
	}
	return membership.Judge(counts, c.aborting)
}

func (c *cohort) report(ctx workflow.Context) membership.Report {
	r := membership.Report{Kind: c.in.Kind, Operation: c.in.Operation, Account: c.in.Account, Group: c.program.Group,
		Outcome: c.judge(), Counts: make(map[membership.Outcome]int), Warnings: c.program.Warnings,
		Digest: c.program.Digest, Started: c.started, Ended: workflow.Now(ctx)}
	for i := range c.members {
		m, planned := &c.members[i], &c.program.Members[i]
		r.Counts[m.outcome]++
		mr := membership.MemberReport{ID: planned.ID, Name: planned.Name, Outcome: m.outcome, Before: planned.Before}
		if len(planned.Refused) > 0 {
			mr.Code, mr.Reason, mr.Also = planned.Refused[0].Code, planned.Refused[0].Reason, planned.Refused[1:]
		}
		if m.outcome == membership.Joined {
			mr.Host = m.host
		}
		for n, note := range m.notes {
			if n == 0 {
				mr.Stage, mr.Code, mr.Reason, mr.RequestID = c.program.StageName(note.Stage, note.Undo), note.Code, note.Reason, note.RequestID
				continue
			}
			mr.Also = append(mr.Also, membership.Objection{Code: note.Code,
				Reason: c.program.StageName(note.Stage, note.Undo) + ": " + note.Reason})
		}
		r.Members = append(r.Members, mr)
	}
	return r
}
