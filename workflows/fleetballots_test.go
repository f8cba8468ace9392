package workflows_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// good is a signature that holds; every other is a stranger's.
const good = "good"

// runChecked plays a fleet to its end, with a worker that takes a minute to check a signature.
func (v *convoy) runChecked() {
	v.embark(monday)
	v.RegisterActivityWithOptions(func(context.Context, membership.Ballot) (string, error) { return "", nil },
		activity.RegisterOptions{Name: workflows.CheckVoteActivity})
	v.OnActivity(workflows.CheckVoteActivity, mock.Anything, mock.Anything).After(time.Minute).
		Return(func(_ context.Context, vote membership.Ballot) (string, error) {
			require.Equal(v.t, "ann", vote.Requester)
			if vote.Signature != good {
				return "its key is a stranger's", nil
			}
			return "", nil
		})
	v.ExecuteWorkflow(workflows.TypeFleet, v.plan)
	close(v.over)
	for _, r := range v.replies {
		r.check(v.t)
	}
}

func (v *convoy) signs(by, signature string) membership.Control {
	return membership.Control{By: by, Digest: v.status().Digest, Reason: strings.Repeat("go ", 100), Signature: signature}
}

// A vote that is being checked when its gate closes counts neither there nor at the next.
func TestAFleetCountsSignedVotes(t *testing.T) {
	v := newConvoy(t, 6, func(p *fleet.Plan) {
		asking(fleet.Approval{EachWave: true, Approval: membership.Approval{Signed: true}})(p)
		p.Waves = percents(50, 100)
	})
	v.at(time.Hour, func() {
		unsigned := v.signs("bob", "")
		v.refuses(membership.ControlApprove, unsigned, "it is not signed")
		v.SignalWorkflow(membership.ControlApprove, v.signs("eve", "forged"))
	})
	v.at(2*time.Hour, func() { v.accepts(membership.ControlApprove, v.signs("bob", good)) })
	v.at(2*time.Hour+time.Second, func() { v.SignalWorkflow(membership.ControlApprove, v.signs("cid", good)) })
	v.at(3*time.Hour, func() {
		require.Equal(t, membership.Awaiting, v.status().Phase)
		require.Equal(t, "wave 2", v.status().Wave)
		v.SignalWorkflow(membership.ControlApprove, v.signs("dan", good))
	})
	v.runChecked()
	require.Equal(t, "succeeded: 6 joined", v.tally())
	var votes []string
	for _, vote := range v.report().Votes {
		votes = append(votes, strings.TrimSpace(vote.By+" "+vote.Refused))
		if vote.Refused != "" {
			require.Empty(t, vote.Signature)
			continue
		}
		require.Equal(t, good, vote.Signature)
		require.Len(t, vote.Reason, 300, "kept whole: that is what was signed")
	}
	require.Equal(t, []string{"eve its key is a stranger's", "bob", "cid no gate is open now", "dan"}, votes)
	for _, said := range v.report().Controls {
		require.Empty(t, said.Control.Signature)
	}
}

func TestAFleetWaitsForNoCheckWhenItsGateClosesInTime(t *testing.T) {
	v := newConvoy(t, 3, asking(fleet.Approval{Approval: membership.Approval{Signed: true, Timeout: membership.Duration(2 * time.Hour)}}))
	v.at(2*time.Hour-time.Second, func() { v.SignalWorkflow(membership.ControlApprove, v.signs("bob", good)) })
	v.runChecked()
	require.Equal(t, "refused: 3 not-started", v.tally())
	require.Equal(t, "wave 1: not approved within 2h0m0s", v.report().Why)
	require.Equal(t, "the run has ended: wave 1: not approved within 2h0m0s", v.report().Votes[0].Refused)
	require.Equal(t, 2*time.Hour, v.report().Ended.Sub(v.report().Started))
}

// Nobody has two votes, however long the name is.
func TestLongNamesVoteOnce(t *testing.T) {
	v := newConvoy(t, 3, asking(fleet.Approval{Approval: membership.Approval{Quorum: 2}}))
	long := strings.Repeat("x", 1000)
	v.at(time.Hour, func() {
		v.votes(long)
		v.refuses(membership.ControlApprove, membership.Control{By: long, Digest: v.status().Digest}, "has voted already")
	})
	v.at(2*time.Hour, func() { v.votes("bob") })
	v.run()
	require.Equal(t, "succeeded: 3 joined", v.tally())
}
