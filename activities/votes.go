package activities

import (
	"context"

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

// checkSigned keeps a run from waiting for votes that can never count.
func (a *Activities) checkSigned(approval *membership.Approval) error {
	if approval != nil && approval.Signed && a.signers == "" {
		return membership.Bad([]membership.Problem{{Field: "approval.signed", Want: "cannot be had: " + noSigners}})
	}
	return nil
}
