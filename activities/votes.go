package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/ballot"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// CheckVote says why a vote does not count as far as its signature goes, "" when it does. The file of allowed signers is
// read each time, so that an edit of it counts from the next vote on; a file that cannot be read lets nobody vote.
func (a *Activities) CheckVote(_ context.Context, b membership.Ballot) (why string, err error) {
	if a.signers == "" {
		return "it cannot be checked: " + noSigners, nil
	}
	signers, err := ballot.LoadSigners(a.signers)
	if err == nil {
		err = signers.Check(b.Vote, b.Signature, b.At)
	}
	if err == nil && b.Requester != "" {
		err = signers.CheckRequester(b.Vote, b.Signature, b.Requester)
	}
	if err != nil {
		return err.Error(), nil
	}
	return "", nil
}

const noSigners = "the worker knows nobody who may sign; start it with --allowed-signers FILE"

// checkSigned keeps a run from waiting for votes that can never count: a gate that wants more of them signed than there are
// people who can sign is told before the run begins.
func (a *Activities) checkSigned(approval *membership.Approval, requester string, now time.Time) error {
	if approval == nil || !approval.Signed {
		return nil
	}
	if a.signers == "" {
		return bad("approval.signed", "", "cannot be had: "+noSigners)
	}
	signers, err := ballot.LoadSigners(a.signers)
	if err != nil {
		return bad("approval.signed", "", "cannot be had: "+err.Error())
	}
	gate := membership.NewGate(requester, *approval, "", false)
	able := signers.Able(gate.Voters, requester, now, now.Add(gate.Timeout.Std()))
	if able >= gate.Quorum {
		return nil
	}
	want := fmt.Sprintf("cannot be had: the worker's allowed signers have keys of %s; want at most so many, or more keys in its "+
		"file (those of the requester do not count, and a key is one voter)", membership.Count(able, "voter"))
	return bad("approval.quorum", fmt.Sprint(gate.Quorum), want)
}
