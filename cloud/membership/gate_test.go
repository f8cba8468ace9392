package membership_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func TestApprovalsThatCannotBeGivenAreBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		requester string
		approval  membership.Approval
		want      string
	}{
		"nobody asks":              {"", membership.Approval{}, "requester: is missing"},
		"less than one":            {"ann", membership.Approval{Quorum: -1}, "approval.quorum: -1: want at least 1"},
		"more than there are":      {"ann", membership.Approval{Quorum: 3, Voters: []string{"bob", "cid"}}, "approval.quorum: 3: want at most 2"},
		"more than may":            {"ann", membership.Approval{Quorum: 2, Voters: []string{"bob", "ann"}}, "approval.quorum: 2: want at most 1"},
		"only the requester":       {"ann", membership.Approval{Voters: []string{"ann"}}, "approval.voters: \"ann\": want somebody else than the requester"},
		"twice the same":           {"ann", membership.Approval{Voters: []string{"bob", "bob"}}, `approval.voters[1]: "bob": is named twice`},
		"no name":                  {"ann", membership.Approval{Voters: []string{"bob", " "}}, "approval.voters[1]: is empty"},
		"no time":                  {"ann", membership.Approval{Timeout: membership.Duration(time.Second)}, "approval.timeout: 1s: want 1m to 720h"},
		"more time than is useful": {"ann", membership.Approval{Timeout: membership.Duration(1000 * time.Hour)}, "approval.timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			r := membership.Request{Kind: "k", Account: "a", Group: "g", Members: []string{"i"}, Requester: c.requester, Approval: &c.approval}
			require.ErrorContains(t, membership.Bad(r.Problems()), c.want)
		})
	}
}

func TestADestructiveProgramAlwaysHasAGate(t *testing.T) {
	p := membership.Program{Operation: membership.Join, Kind: "k", Group: "g", Members: []membership.Member{{ID: "i"}, {ID: "j", Already: true}}}
	require.NoError(t, p.SetGate(membership.Request{}))
	require.Nil(t, p.Gate)
	p.Destructive = true
	require.ErrorContains(t, p.SetGate(membership.Request{}), "requester: is missing")
	require.NoError(t, p.SetGate(membership.Request{Requester: "ann"}))
	require.Equal(t, &membership.Gate{Quorum: 1, Requester: "ann", Timeout: membership.Duration(72 * time.Hour),
		Why: "join 1 member, group g (k); it DESTROYS their data"}, p.Gate)
}

func TestAnybodyCanAskForAGate(t *testing.T) {
	p := membership.Program{}
	require.NoError(t, p.SetGate(membership.Request{Requester: "ann", Approval: &membership.Approval{Quorum: 2}}))
	require.Equal(t, 2, p.Gate.Quorum)
	require.NotContains(t, p.Gate.Why, "DESTROYS")
}

func TestWhoAsksForSignaturesGetsThem(t *testing.T) {
	p := membership.Program{}
	require.NoError(t, p.SetGate(membership.Request{Requester: "ann", Approval: &membership.Approval{Signed: true}}))
	require.True(t, p.Gate.Signed)
	v := membership.Vote{By: "bob", Approves: true, Digest: "sha256:d"}
	require.Contains(t, p.Gate.Objection(v, "sha256:d", nil), "it is not signed, and this gate counts signed votes only")
	v.Signature = "any" // whether it holds is for a worker to say
	require.Empty(t, p.Gate.Objection(v, "sha256:d", nil))
}

// A gate without signatures is written as before there were any: the digests of old programs stay what they are.
func TestGatesWithoutSignaturesAreWrittenAsEver(t *testing.T) {
	g := membership.NewGate("ann", membership.Approval{}, "why", false)
	text, err := json.Marshal(g)
	require.NoError(t, err)
	require.JSONEq(t, `{"quorum":1,"requester":"ann","timeout":"72h0m0s","why":"why"}`, string(text))
}

func TestWhoIsBarred(t *testing.T) {
	g := membership.Gate{Quorum: 2, Requester: "ann", Voters: []string{"ann", "bob", "cid", "dan"}}
	cast := []membership.Vote{{By: "bob", Approves: true}, {By: "cid", Approves: true, Refused: "too late"}, {By: "dan", Reason: "Friday"}}
	for by, words := range map[string]string{
		"ann": "ann has asked for this run and may not vote on it",
		"bob": "bob has voted already",
		"cid": "", // what did not count may be said again
		"eve": "eve is none of the voters, who are ann, bob, cid, dan",
		" ":   "by is missing",
	} {
		if words == "" {
			require.Empty(t, g.Barred(by, cast))
		} else {
			require.Contains(t, g.Barred(by, cast), words)
		}
	}
	require.Equal(t, "dan", g.Rejection(cast).By)
	require.Zero(t, g.Rejection(cast[:2]))
}
