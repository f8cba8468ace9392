package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Who may not vote, for what is no more, a second time, or under a signature that is another's: each is told why when they
// ask, each is on the record when they do not wait for an answer, and the votes that count are not touched by any.
func TestBadVotesAreToldAndRecorded(t *testing.T) {
	v := newConvoy(t, 6, func(p *fleet.Plan) {
		asking(fleet.Approval{EachWave: true, Approval: membership.Approval{Signed: true, Quorum: 2, Voters: []string{"ann", "bob", "cid", "dan"}}})(p)
		p.Waves = percents(50, 100)
	})
	var first, second string // the digests of the waves
	vote := func(by, digest, signature string) membership.Control {
		return membership.Control{By: by, Digest: digest, Signature: signature}
	}
	both := func(c membership.Control, words string) { // refused with words at once, and recorded
		v.refuses(membership.ControlApprove, c, words)
		v.SignalWorkflow(membership.ControlApprove, c)
	}
	var forged error
	v.at(time.Hour, func() {
		first = v.status().Digest
		both(vote("eve", first, good), "eve is none of the voters, who are ann, bob, cid, dan")
		both(vote("ann", first, good), "ann has asked for this run and may not vote on it")
		both(vote("bob", "sha256:old", good), `it is for the program "sha256:old", and the program is `+first)
		both(vote("bob", "", good), "digest is missing; name the program that you have looked at, which is "+first+" now")
		both(vote("bob", first, ""), "it is not signed, and this gate counts signed votes only; sign it with --key PATH")
		both(vote("", first, good), "by is missing; say who votes")
		v.SignalWorkflow(membership.ControlApprove, vote("bob", first, "forged"))
		v.UpdateWorkflow(membership.ControlApprove, "", &testsuite.TestUpdateCallback{ // it takes a worker to tell
			OnAccept: func() {}, OnReject: func(err error) { forged = err }, OnComplete: func(_ any, err error) { forged = err },
		}, vote("cid", first, "forged"))
	})
	v.at(2*time.Hour, func() {
		require.ErrorContains(t, forged, "approve: its key is a stranger's")
		require.Empty(t, v.vessels)
		v.SignalWorkflow(membership.ControlApprove, vote("bob", first, good))
		v.SignalWorkflow(membership.ControlApprove, vote("bob", first, good)) // while the first is being checked
	})
	v.at(3*time.Hour, func() {
		both(vote("bob", first, good), "bob has voted already")
		v.accepts(membership.ControlApprove, vote("cid", first, good))
	})
	v.at(4*time.Hour, func() {
		second = v.status().Digest
		require.NotEqual(t, first, second)
		both(vote("dan", first, good), "and the program is "+second)
		v.accepts(membership.ControlApprove, vote("dan", second, good))
	})
	v.at(5*time.Hour, func() { v.accepts(membership.ControlApprove, vote("cid", second, good)) })
	v.runChecked()
	require.Equal(t, "succeeded: 6 joined", v.tally())
	var counted, refused []string
	for _, vote := range v.report().Votes {
		require.False(t, vote.At.IsZero())
		if vote.Refused == "" {
			counted = append(counted, vote.By)
			continue
		}
		require.Empty(t, vote.Signature)
		refused = append(refused, strings.TrimSpace(vote.By+": "+vote.Refused))
	}
	require.Equal(t, []string{"bob", "cid", "dan", "cid"}, counted)
	require.Equal(t, []string{
		"eve: eve is none of the voters, who are ann, bob, cid, dan",
		"ann: ann has asked for this run and may not vote on it",
		`bob: it is for the program "sha256:old", and the program is ` + first,
		"bob: digest is missing; name the program that you have looked at, which is " + first + " now",
		"bob: it is not signed, and this gate counts signed votes only; sign it with --key PATH",
		": by is missing; say who votes",
		"bob: its key is a stranger's",
		"bob: bob has voted already",
		"bob: bob has voted already",
		`dan: it is for the program "` + first[:60] + `"… (71 bytes), and the program is ` + second,
	}, refused)
}
