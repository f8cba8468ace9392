package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// good is a signature that holds; every other is a stranger's.
const good = "good"

// signedBench is a run of two members behind a gate that counts signed votes, and a worker that takes its time to check
// one. checked is by whom the votes were that it has seen.
func signedBench(t *testing.T, a membership.Approval, takes time.Duration) (b *bench, checked *[]string) {
	a.Signed = true
	b, checked = gated(t, a), new([]string)
	b.RegisterActivityWithOptions(func(context.Context, membership.Ballot) (string, error) { return "", nil },
		activity.RegisterOptions{Name: workflows.CheckVoteActivity})
	b.OnActivity(workflows.CheckVoteActivity, mock.Anything, mock.Anything).After(takes).
		Return(func(_ context.Context, v membership.Ballot) (string, error) {
			require.Equal(t, "ann", v.Requester)
			b.mu.Lock()
			defer b.mu.Unlock()
			*checked = append(*checked, v.By)
			require.Equal(t, b.program.Digest, v.Digest)
			if v.Signature != good {
				return "its key is a stranger's", nil
			}
			return "", nil
		})
	return b, checked
}

func (b *bench) signs(by, signature string) membership.Control {
	c := b.says(by, "it is Friday")
	c.Signature = signature
	return c
}

// told sends an update that is taken in, and then answered with the words: the answer takes a moment.
func (b *bench) told(name string, payload any, words string) {
	a := &answer{control: name, words: words}
	b.answers = append(b.answers, a)
	taken := false
	b.UpdateWorkflow(name, "", &testsuite.TestUpdateCallback{
		OnAccept:   func() { taken = true },
		OnReject:   func(err error) { require.NoError(b.t, err, "it was to be taken in first") },
		OnComplete: func(_ any, err error) { require.True(b.t, taken); a.err = err },
	}, payload)
}

func TestOnlySignedVotesCount(t *testing.T) {
	b, checked := signedBench(t, membership.Approval{Quorum: 2}, time.Second)
	b.RegisterDelayedCallback(func() {
		b.refused(membership.ControlApprove, b.says("bob", ""), "it is not signed, and this gate counts signed votes only")
		b.SignalWorkflow(membership.ControlApprove, b.says("bob", ""))
		b.told(membership.ControlReject, b.signs("eve", "forged"), "reject: its key is a stranger's")
		b.SignalWorkflow(membership.ControlReject, b.signs("eve", "forged"))
	}, time.Hour)
	b.RegisterDelayedCallback(func() {
		require.Equal(t, membership.Awaiting, b.status().Phase)
		require.True(t, b.status().Gate.Signed)
		require.Equal(t, []string{"eve", "eve"}, *checked, "nobody asks about a vote without a signature")
		b.accepted(membership.ControlApprove, b.signs("bob", good))
		b.SignalWorkflow(membership.ControlApprove, b.signs("cid", good))
	}, 2*time.Hour)
	b.join()
	require.Equal(t, "joined joined", b.outcomes())
	counted := map[string]string{}
	for _, v := range b.report().Votes {
		if v.Refused == "" {
			counted[v.By] = v.Signature
			continue
		}
		require.Empty(t, v.Signature, "what did not count need not be proven")
	}
	require.Equal(t, map[string]string{"bob": good, "cid": good}, counted)
	require.Len(t, b.report().Votes, 4)
	require.Equal(t, "it is not signed, and this gate counts signed votes only; sign it with --key PATH", b.report().Votes[0].Refused)
	require.Equal(t, "its key is a stranger's", b.report().Votes[1].Refused)
}

func TestASignedRejectionClosesTheGate(t *testing.T) {
	b, _ := signedBench(t, membership.Approval{Quorum: 2}, time.Minute)
	b.RegisterDelayedCallback(func() { b.accepted(membership.ControlReject, b.signs("bob", good)) }, time.Hour)
	b.RegisterDelayedCallback(func() {
		b.told(membership.ControlApprove, b.signs("cid", good), "the gate is closed; the vote comes too late")
		b.SignalWorkflow(membership.ControlApprove, b.signs("dan", good))
	}, time.Hour+time.Second)
	b.join()
	require.Equal(t, "not-started not-started", b.outcomes())
	require.Equal(t, "rejected by bob: it is Friday", b.report().Members[0].Reason)
}

// What is being checked when the gate closes comes too late, and everybody is told before the run goes on.
func TestVotesUnderWayWhenTheGateClosesAreLate(t *testing.T) {
	for name, closes := range map[string]func(*bench){
		"in time":  func(*bench) {},
		"by abort": func(b *bench) { b.RegisterDelayedCallback(b.CancelWorkflow, time.Hour+59*time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := signedBench(t, membership.Approval{Timeout: membership.Duration(2 * time.Hour)}, 24*time.Hour)
			start := b.Now()
			b.RegisterDelayedCallback(func() {
				require.Equal(t, start.Add(2*time.Hour).UTC(), b.status().Deadline.UTC())
				b.told(membership.ControlApprove, b.signs("bob", good), "approve: the gate is closed; the vote comes too late")
				b.SignalWorkflow(membership.ControlApprove, b.signs("cid", good))
			}, time.Hour)
			closes(b)
			b.join()
			require.Equal(t, "not-started not-started", b.outcomes())
			require.LessOrEqual(t, b.Now().Sub(start), 2*time.Hour, "nobody waits for the check")
			votes := b.report().Votes
			require.Len(t, votes, 1)
			require.Equal(t, "the gate is closed; the vote comes too late", votes[0].Refused)
			require.Zero(t, b.status().Deadline)
			require.Empty(t, b.slices)
		})
	}
}

func TestNobodyVotesTwiceWhileTheFirstIsChecked(t *testing.T) {
	b, checked := signedBench(t, membership.Approval{Quorum: 2}, time.Minute)
	b.RegisterDelayedCallback(func() { b.accepted(membership.ControlApprove, b.signs("bob", good)) }, time.Hour)
	b.RegisterDelayedCallback(func() {
		b.told(membership.ControlApprove, b.signs("bob", good), "bob has voted already")
	}, time.Hour+time.Second)
	b.RegisterDelayedCallback(func() {
		require.Equal(t, membership.Awaiting, b.status().Phase, "one is not enough")
		b.accepted(membership.ControlApprove, b.signs("cid", good))
	}, 2*time.Hour)
	b.join()
	require.Equal(t, "joined joined", b.outcomes())
	require.Equal(t, []string{"bob", "bob", "cid"}, *checked)
}

func TestSignaturesThatNobodyAskedForAreNotKept(t *testing.T) {
	b := gated(t, membership.Approval{})
	b.RegisterDelayedCallback(func() { b.accepted(membership.ControlApprove, b.signs("bob", "of anything")) }, time.Hour)
	b.join()
	require.Equal(t, "joined joined", b.outcomes())
	require.Empty(t, b.report().Votes[0].Signature, "it would look as if somebody had checked it")
}
