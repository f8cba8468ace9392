package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// announce finds the phase the run is in and tells it to those who watch: search attributes when it changes, which costs
// an event, and the current details, which cost none.
func (c *cohort) announce(ctx workflow.Context) error {
	c.phase = c.findPhase()
	workflow.SetCurrentDetails(ctx, c.details())
	if c.phase == c.said {
		return nil
	}
	updates := []temporal.SearchAttributeUpdate{attrPhase.ValueSet(string(c.phase))}
	if c.said == "" {
		updates = append(updates, attrKind.ValueSet(c.request.Kind), attrAccount.ValueSet(c.request.Account))
		if c.fleet != "" {
			updates = append(updates, attrFleet.ValueSet(c.fleet))
		}
	}
	if c.request.Group != c.saidGroup { // of a fleet's cohort it is known when it has been planned
		updates = append(updates, attrGroup.ValueSet(c.request.Group))
	}
	if c.phase == membership.Ended {
		updates = append(updates, attrOutcome.ValueSet(string(c.judge())))
	}
	c.said, c.saidGroup = c.phase, c.request.Group
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
			if _, undo, due := membership.StageOf(m.mark); m.flying || due && (undo || !c.paused || c.aborting) {
				moving++
			}
		}
	}
	switch {
	case open == 0:
		return membership.Ended
	case c.gateOpen:
		return membership.Awaiting
	case c.aborting:
		return membership.Undoing
	case c.paused:
		return membership.Paused
	case moving == 0:
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
	fmt.Fprintf(&b, "**%s** · %s %s · group %s\n\n", c.phase, c.op, membership.Count(len(c.members), "member"), c.request.Group)
	places, counts := c.counts()
	for _, p := range places {
		fmt.Fprintf(&b, "- %s: %d\n", p, counts[p])
	}
	if c.gateOpen {
		fmt.Fprintf(&b, "\nWaits for %s of `%s`: %s\n", c.program.Gate.Needs(), c.program.Digest, c.program.Gate.Why)
	}
	if c.trouble != "" {
		fmt.Fprintf(&b, "\nThe cloud cannot be read: %s\n", c.trouble)
	}
	const most = 10
	shown := 0
	for i := range c.members {
		m := &c.members[i]
		if m.outcome == "" && m.mark == membership.MarkParked {
			if shown++; shown > most {
				fmt.Fprintf(&b, "\nand more; see the `%s` query\n", membership.QueryStatus)
				break
			}
			last := m.notes[len(m.notes)-1]
			fmt.Fprintf(&b, "\n%s waits for a person: %s: %s\n", c.program.Members[i].ID, last.Code, last.Reason)
		}
	}
	return b.String()
}

func summaryOfPlan(op membership.Operation, r membership.Request) string {
	return fmt.Sprintf("%s %s, group %s, account %s", op, membership.Count(len(r.Members), "member"), r.Group, r.Account)
}

func (c *cohort) status() membership.Status {
	s := membership.Status{Kind: c.request.Kind, Operation: c.op, Account: c.request.Account, Group: c.request.Group,
		Phase: c.phase, Digest: c.program.Digest, Counts: map[string]int{}, Members: []membership.MemberStatus{}, Trouble: c.trouble}
	if len(c.members) == 0 {
		return s
	}
	_, s.Counts = c.counts()
	s.Gate, s.Votes, s.Deadline = c.program.Gate, c.votes, c.deadline
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

// verdictOf is the error with which a run ends that has come to an outcome, nil when all went well or was refused. It
// carries the report, the one truth. A run is only called cancelled when no member was left half-way.
func verdictOf(outcome membership.RunOutcome, counts map[membership.Outcome]int, report any) error {
	failed := func(kind string) error {
		return temporal.NewApplicationErrorWithOptions(fmt.Sprintf("%s: %s", outcome, tally(counts)), kind,
			temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{report}})
	}
	switch outcome {
	case membership.RunIncomplete:
		return failed(ErrRollbackIncomplete)
	case membership.RunCancelled:
		return temporal.NewCanceledError(report)
	case membership.RunRolledBack:
		return failed(ErrRolledBack)
	default:
		return nil
	}
}

func (c *cohort) report(ctx workflow.Context) membership.Report {
	r := membership.Report{Kind: c.request.Kind, Operation: c.op, Account: c.request.Account, Group: c.request.Group,
		Outcome: c.judge(), Counts: make(map[membership.Outcome]int), Warnings: c.program.Warnings,
		Votes: c.votes, Digest: c.program.Digest, Started: c.started, Ended: workflow.Now(ctx)}
	for i := range c.members {
		m, planned := &c.members[i], &c.program.Members[i]
		r.Counts[m.outcome]++
		mr := membership.MemberReport{ID: planned.ID, Name: planned.Name, Outcome: m.outcome, Before: planned.Before}
		if len(planned.Refused) > 0 {
			mr.Code, mr.Reason, mr.Also = planned.Refused[0].Code, planned.Refused[0].Reason, planned.Refused[1:]
		}
		for n, note := range m.notes {
			if n == 0 && m.outcome == membership.NotStarted { // kept out by the gate, before any stage
				mr.Code, mr.Reason = note.Code, note.Reason
				continue
			}
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
