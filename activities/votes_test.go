package activities

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/fleetjoin/fleetjoin/cloud/ballot"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
)

func TestVotesAreCheckedAgainstTheFileAsItIsNow(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	key, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	v := membership.Vote{By: "bob", Approves: true, Digest: "sha256:d", At: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	v.Signature, err = ballot.Sign(v, key)
	require.NoError(t, err)
	line := string(ssh.MarshalAuthorizedKey(key.PublicKey()))

	file := filepath.Join(t.TempDir(), "allowed_signers")
	a := New(Options{Signers: file})
	for _, c := range []struct{ content, requester, words string }{
		{"ann " + line, "ann", "is allowed for ann, and the vote is by bob"},
		{"bob " + line, "ann", ""},
		{"bob,ann " + line, "ann", "is allowed for ann, who has asked for this run and may not vote on it, as bob either"},
		{"bob,ann " + line, "", ""},                                    // of a workflow that does not tell it
		{`bob valid-before="20261121Z" ` + line, "ann", "has expired"}, // by the time of the vote, not of the check
		{`bob valid-before="20261122Z" ` + line, "ann", ""},
		{"rubbish", "ann", "allowed_signers line 1: rubbish: no key can be read"},
	} {
		require.NoError(t, os.WriteFile(file, []byte(c.content), 0o600))
		why, err := a.CheckVote(t.Context(), membership.Ballot{Vote: v, Requester: c.requester})
		require.NoError(t, err, "it is the answer, not an error: nothing is tried for ever")
		require.Contains(t, why, c.words)
		require.Equal(t, c.words == "", why == "", why)
	}
	require.NoError(t, os.Remove(file))
	why, err := a.CheckVote(t.Context(), membership.Ballot{Vote: v})
	require.NoError(t, err)
	require.Contains(t, why, "no such file")
}

func TestAWorkerWithoutSignersTakesNoSignedGates(t *testing.T) {
	blobs, err := store.Open(t.TempDir())
	require.NoError(t, err)
	a := New(Options{Store: blobs})
	why, err := a.CheckVote(t.Context(), membership.Ballot{Vote: membership.Vote{By: "bob", Signature: "any"}})
	require.NoError(t, err)
	require.Equal(t, "it cannot be checked: the worker knows nobody who may sign; start it with --allowed-signers FILE", why)

	approval := membership.Approval{Signed: true}
	const words = "approval.signed: cannot be had: the worker knows nobody who may sign"
	_, err = a.survey(t.Context(), fleet.Plan{Approval: &fleet.Approval{Approval: approval}}, nil)
	require.ErrorContains(t, err, words)
}

// Too few who can sign are told when the plan is read, and not after three days of waiting.
func TestTooFewSignersAreToldBeforeTheRunBegins(t *testing.T) {
	line := func(who string) string {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		key, err := ssh.NewSignerFromKey(private)
		require.NoError(t, err)
		return who + " " + string(ssh.MarshalAuthorizedKey(key.PublicKey()))
	}
	file := filepath.Join(t.TempDir(), "allowed_signers")
	require.NoError(t, os.WriteFile(file, []byte(line("bob,Ann")+line("cid")+line(`dan valid-before="20261101"`)), 0o600))
	blobs, err := store.Open(t.TempDir())
	require.NoError(t, err)
	a := New(Options{Store: blobs, Signers: file})
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	require.NoError(t, a.checkSigned(nil, "ann", now))
	require.NoError(t, a.checkSigned(&membership.Approval{Quorum: 9}, "ann", now), "nobody has to sign")
	require.NoError(t, a.checkSigned(&membership.Approval{Signed: true}, "ann", now))
	require.NoError(t, a.checkSigned(&membership.Approval{Signed: true, Quorum: 2}, "eve", now))
	const words = "approval.quorum: 2: cannot be had: the worker's allowed signers have keys of 1 voter; want at most so many, or more keys"
	require.ErrorContains(t, a.checkSigned(&membership.Approval{Signed: true, Quorum: 2}, "ann", now), words)
	plan := fleet.Plan{Requester: "ann", Approval: &fleet.Approval{Approval: membership.Approval{Signed: true, Quorum: 2}}}
	_, err = a.survey(t.Context(), plan, nil)
	require.ErrorContains(t, err, words)
	a.signers += "-none"
	require.ErrorContains(t, a.checkSigned(&membership.Approval{Signed: true}, "ann", now), "approval.signed: cannot be had: allowed signers: open")
}

// What workflows send is a vote with, or without, the requester beside its fields.
func TestABallotIsWrittenAsAVote(t *testing.T) {
	v := membership.Vote{By: "bob", Approves: true, Digest: "sha256:d", Reason: "why not", Signature: "armored"}
	vote, err := json.Marshal(v)
	require.NoError(t, err)
	ballot, err := json.Marshal(membership.Ballot{Vote: v})
	require.NoError(t, err)
	require.JSONEq(t, string(vote), string(ballot))
	ballot, err = json.Marshal(membership.Ballot{Vote: v, Requester: "ann"})
	require.NoError(t, err)
	require.Contains(t, string(ballot), `"requester":"ann"`)
	var b membership.Ballot
	require.NoError(t, json.Unmarshal(ballot, &b))
	require.Equal(t, membership.Ballot{Vote: v, Requester: "ann"}, b)
}
