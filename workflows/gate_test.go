package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// gated is a run of two members behind a gate.
func gated(t *testing.T, a membership.Approval) *bench {
	b := newBench(t, some(2), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) { return through(in), nil })
	b.program.Destructive = true
	require.NoError(t, b.program.SetGate(membership.Request{Requester: "ann", Approval: &a}))
	require.NoError(t, b.program.Seal("run", b.Now(), b.program.Pace))
	return b
}

func (b *bench) says(by, reason string) membership.Control {
	return membership.Control{By: by, Reason: reason, Digest: b.program.Digest}
}

func TestNothingIsDoneBeforeTheGateOpens(t *testing.T) {
	b := gated(t, membership.Approval{Quorum: 2})
	b.RegisterDelayedCallback(func() {
		s := b.status()
		require.Equal(t, membership.Awaiting, s.Phase)
		require.Contains(t, s.Gate.Why, "DESTROYS")
		require.Empty(t, b.slices)
		b.accepted(membership.ControlApprove, b.says("bob", ""))
	}, time.Hour)
	b.RegisterDelayedCallback(func() {
		require.Equal(t, membership.Awaiting, b.status().Phase, "one is not enough")
		require.Empty(t, b.slices)
		b.SignalWorkflow(membership.ControlApprove, b.says("cid", "go"))
	}, 2*time.Hour)
	b.join()
	require.Equal(t, "joined joined", b.outcomes())
	votes := b.report().Votes
	require.Len(t, votes, 2)
	require.Equal(t, "bob", votes[0].By)
	require.Equal(t, "go", votes[1].Reason)
}

func TestOneRejectionClosesTheGate(t *testing.T) {
	b := gated(t, membership.Approval{Quorum: 2})
	b.RegisterDelayedCallback(func() {
		b.accepted(membership.ControlApprove, b.says("bob", ""))
		b.accepted(membership.ControlReject, b.says("cid", "it is Friday"))
		b.SignalWorkflow(membership.ControlApprove, b.says("dan", ""))
	}, time.Hour)
	b.join()
	require.Equal(t, "not-started not-started", b.outcomes())
	require.NoError(t, b.GetWorkflowError())
	r := b.report()
	require.Equal(t, membership.RunRefused, r.Outcome)
	require.Equal(t, membership.CodeNotApproved, r.Members[0].Code)
	require.Equal(t, "rejected by cid: it is Friday", r.Members[0].Reason)
	require.Empty(t, b.slices)
}

func TestAGateThatNobodyOpensClosesInTime(t *testing.T) {
	b := gated(t, membership.Approval{Timeout: membership.Duration(2 * time.Hour)})
	start := b.Now()
	b.join()
	require.Equal(t, "not-started not-started", b.outcomes())
	require.Equal(t, membership.CodeGateTimeout, b.report().Members[1].Code)
	require.Equal(t, 2*time.Hour, b.Now().Sub(start))
	require.Empty(t, b.slices)
}

func TestAbortAtTheGateStartsNothing(t *testing.T) {
	b := gated(t, membership.Approval{})
	b.RegisterDelayedCallback(b.CancelWorkflow, time.Hour)
	b.join()
	require.Equal(t, "not-started not-started", b.outcomes())
	require.Equal(t, membership.RunCancelled, b.report().Outcome)
	require.Empty(t, b.slices)
}

func TestVotesThatDoNotCountChangeNothing(t *testing.T) {
	b := gated(t, membership.Approval{Voters: []string{"bob", "cid"}, Quorum: 2})
	old := b.says("bob", "")
	old.Digest = "sha256:another"
	for i, c := range []struct {
		vote  membership.Control
		words string
	}{
		{b.says("ann", ""), "ann has asked for this run and may not vote on it"},
		{b.says("eve", ""), "eve is none of the voters, who are bob, cid"},
		{b.says("", ""), "by is missing"},
		{old, `it is for the program "sha256:another", and the program is sha256:`},
		{membership.Control{By: "bob"}, "digest is missing"},
	} {
		b.RegisterDelayedCallback(func() {
			b.refused(membership.ControlApprove, c.vote, c.words)
			b.SignalWorkflow(membership.ControlApprove, c.vote) // the same as a signal: recorded, and no more
		}, time.Duration(i+1)*time.Minute)
	}
	b.RegisterDelayedCallback(func() {
		b.refused(membership.ControlReject, b.says("bob", " "), "reason is missing")
		b.accepted(membership.ControlApprove, b.says("bob", ""))
		b.refused(membership.ControlApprove, b.says("bob", ""), "bob has voted already")
		b.SignalWorkflow(membership.ControlApprove, "rubbish")
	}, time.Hour)
	b.RegisterDelayedCallback(func() { b.accepted(membership.ControlApprove, b.says("cid", "")) }, 2*time.Hour)
	b.join()
	require.Equal(t, "joined joined", b.outcomes())
	counted, refused := 0, 0
	for _, v := range b.report().Votes {
		if v.Refused == "" {
			counted++
		} else {
			refused++
		}
	}
	require.Equal(t, [2]int{2, 6}, [2]int{counted, refused})
}

func TestVotesWithoutAGateAreRefusedWithWords(t *testing.T) {
	b := newBench(t, some(1), parkingAt("add", 2))
	b.RegisterDelayedCallback(func() {
		b.refused(membership.ControlApprove, b.says("bob", ""), "the run has no gate")
		b.accepted(membership.ControlRetry, nil)
	}, time.Hour)
	b.join()
	require.Equal(t, "joined", b.outcomes())
}
