package activities

import (
	"crypto/ed25519"
	"crypto/rand"
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
	"github.com/fleetjoin/fleetjoin/workflows"
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
	for _, c := range []struct{ content, words string }{
		{"ann " + line, "is allowed for ann, and the vote is by bob"},
		{"bob " + line, ""},
		{`bob valid-before="20261121Z" ` + line, "has expired"}, // by the time of the vote, not of the check
		{`bob valid-before="20261122Z" ` + line, ""},
		{"rubbish", "allowed_signers line 1: rubbish: no key can be read"},
	} {
		require.NoError(t, os.WriteFile(file, []byte(c.content), 0o600))
		why, err := a.CheckVote(t.Context(), v)
		require.NoError(t, err, "it is the answer, not an error: nothing is tried for ever")
		require.Contains(t, why, c.words)
		require.Equal(t, c.words == "", why == "", why)
	}
	require.NoError(t, os.Remove(file))
	why, err := a.CheckVote(t.Context(), v)
	require.NoError(t, err)
	require.Contains(t, why, "no such file")
}

func TestAWorkerWithoutSignersTakesNoSignedGates(t *testing.T) {
	blobs, err := store.Open(t.TempDir())
	require.NoError(t, err)
	a := New(Options{Store: blobs})
	why, err := a.CheckVote(t.Context(), membership.Vote{By: "bob", Signature: "any"})
	require.NoError(t, err)
	require.Equal(t, "it cannot be checked: the worker knows nobody who may sign; start it with --allowed-signers FILE", why)

	approval := membership.Approval{Signed: true}
	const words = "approval.signed: cannot be had: the worker knows nobody who may sign"
	_, err = a.planRun(t.Context(), workflows.PlanInput{Request: membership.Request{Approval: &approval}})
	require.ErrorContains(t, err, words)
	_, err = a.survey(t.Context(), fleet.Plan{Gate: &fleet.Approval{Approval: approval}})
	require.ErrorContains(t, err, words)
	require.NoError(t, New(Options{Signers: "file"}).checkSigned(&approval))
}
