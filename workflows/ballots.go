package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ballots has the signatures of votes checked while a gate is open. It is a worker that does so: who may sign is in a
// file of its own, which may change at any time.
type ballots struct {
	ctx      workflow.Context // of the checks
	giveUp   workflow.CancelFunc
	checking int // checks under way
}

// open is called when a gate opens for votes.
func (b *ballots) open(ctx workflow.Context) { b.ctx, b.giveUp = workflow.WithCancel(ctx) }

// close is called when the gate takes no more votes, and objects to all that come: those whose check is under way are
// among them. It returns when everybody who waited for one has been told so.
func (b *ballots) close(ctx workflow.Context) error {
	b.giveUp()
	return workflow.Await(ctx, func() bool { return b.checking == 0 })
}

// admit returns a vote to which there was no objection as it is to be counted, or why it does not count after all. At a
// gate that wants signatures that takes a moment, in which others vote or the gate closes: objection is asked again.
func (b *ballots) admit(ctx workflow.Context, g *membership.Gate, v membership.Vote,
	objection func(membership.Vote) string) (membership.Vote, error) {
	if !g.Signed {
		v.Signature = "" // nobody has looked at it
		return v, nil
	}
	b.checking++
	why := b.check(ctx, membership.Ballot{Vote: v, Requester: g.Requester})
	b.checking--
	if late := objection(v); late != "" {
		why = late
	}
	if why != "" {
		return v, errors.New(why)
	}
	return v, nil
}

func (b *ballots) check(ctx workflow.Context, v membership.Ballot) (why string) {
	cancellable := persist(b.ctx, time.Minute, "the signature of "+membership.Short(v.By))
	if err := workflow.ExecuteActivity(cancellable, CheckVoteActivity, v).Get(ctx, &why); err != nil {
		return "its signature could not be checked: " + err.Error()
	}
	return why
}
