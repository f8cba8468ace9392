package workflows

import (
	"cmp"
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// waitAtGate waits at the program's gate, if it has one and anybody has to go through. Who is not let through ends as not
// started, with the reason.
func (c *cohort) waitAtGate(ctx workflow.Context) error {
	g := c.program.Gate
	if g == nil || c.over() || c.aborting {
		return nil
	}
	c.gateOpen, c.deadline = true, workflow.Now(ctx).Add(g.Timeout.Std())
	c.ballots.open(ctx)
	if err := c.announce(ctx); err != nil {
		return err
	}
	inTime, err := workflow.AwaitWithTimeout(ctx, g.Timeout.Std(), func() bool {
		decided, _ := g.Count(c.votes)
		return decided || c.aborting
	})
	c.gateOpen, c.deadline = false, time.Time{}
	if err := cmp.Or(err, c.ballots.close(ctx)); err != nil || c.aborting {
		return err
	}
	switch _, approved := g.Count(c.votes); {
	case approved:
	case inTime:
		no := g.Rejection(c.votes)
		c.keepOut(membership.CodeNotApproved, fmt.Sprintf("rejected by %s: %s", no.By, no.Reason))
	default:
		c.keepOut(membership.CodeGateTimeout, fmt.Sprintf("not approved within %s", g.Timeout.Std()))
	}
	return nil
}

// keepOut ends everyone who was to go through the gate.
func (c *cohort) keepOut(code, reason string) {
	for i := range c.members {
		if m := &c.members[i]; m.outcome == "" {
			m.notes = append(m.notes, membership.Note{Member: i, Code: code, Reason: reason})
			m.finish(membership.NotStarted)
		}
	}
}

// vote makes a vote of a control.
func (c *cohort) vote(ctx workflow.Context, name string, in membership.Control) membership.Vote {
	return membership.Vote{By: in.By, Approves: name == membership.ControlApprove, Digest: in.Digest, Reason: in.Reason,
		At: workflow.Now(ctx), Signature: in.Signature}
}

// objectionTo says why a vote would not count now, "" when it would.
func (c *cohort) objectionTo(v membership.Vote) string {
	switch {
	case c.phase == membership.Planning:
		return "the run is being planned; there is nothing to vote on yet"
	case c.program.Gate == nil:
		return "the run has no gate; nobody need approve it"
	case !c.gateOpen:
		return "the gate is closed; the vote comes too late"
	}
	return c.program.Gate.Objection(v, c.program.Digest, c.votes)
}
