package membership_test

import (
	"encoding/json"
	"strings"
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
		"twice the same":           {"ann", membership.Approval{Voters: []string{"bob", "bob"}}, `approval.voters[1]: "bob": is named twice: approval.voters[0] is the same person`},
		"no name":                  {"ann", membership.Approval{Voters: []string{"bob", " "}}, "approval.voters[1]: is empty"},
		"no time":                  {"ann", membership.Approval{Timeout: membership.Duration(time.Second)}, "approval.timeout: 1s: want 1m to 720h"},
		"more time than is useful": {"ann", membership.Approval{Timeout: membership.Duration(1000 * time.Hour)}, "approval.timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, membership.Bad(c.approval.Problems(c.requester)), c.want)
		})
	}
}

func TestWhoAsksForSignaturesGetsThem(t *testing.T) {
	g := membership.NewGate("ann", membership.Approval{Signed: true}, "why", false)
	require.True(t, g.Signed)
	v := membership.Vote{By: "bob", Approves: true, Digest: "sha256:d"}
	require.Contains(t, g.Objection(v, "sha256:d", nil), "it is not signed, and this gate counts signed votes only")
	v.Signature = "any" // whether it holds is for a worker to say
	require.Empty(t, g.Objection(v, "sha256:d", nil))
}

// A gate without signatures is written as before there were any: the digests of old programs stay what they are.
func TestGatesWithoutSignaturesAreWrittenAsEver(t *testing.T) {
	g := membership.NewGate("ann", membership.Approval{}, "why", false)
	text, err := json.Marshal(g)
	require.NoError(t, err)
	require.JSONEq(t, `{"quorum":1,"requester":"ann","timeout":"72h0m0s","why":"why"}`, string(text))
}

// Whoever writes their name in several ways is one person: as requester, as voter and as who has voted.
func TestOnePersonIsOneVoter(t *testing.T) {
	for _, same := range []string{"bob", "Bob", "bob ", " BOB", "ｂｏｂ", "bob\t"} {
		require.Equal(t, "bob", membership.Person(same))
		g := membership.Gate{Quorum: 2, Requester: "ann", Voters: []string{"Bob", "cid"}}
		require.Empty(t, g.Barred(same, nil), "%q is one of the voters", same)
		require.Contains(t, g.Barred(same, []membership.Vote{{By: "boB", Approves: true}}), "has voted already")
		g = membership.Gate{Quorum: 1, Requester: same}
		require.Contains(t, g.Barred("Bob", nil), "has asked for this run")
		a := membership.Approval{Voters: []string{"bob", same}}
		require.ErrorContains(t, membership.Bad(a.Problems("ann")), "is named twice: approval.voters[0] is the same person")
		a = membership.Approval{Voters: []string{same}}
		require.ErrorContains(t, membership.Bad(a.Problems("BOB")), "want somebody else than the requester")
	}
	require.NotEqual(t, membership.Person("bob"), membership.Person("bob2"))
	require.Equal(t, membership.Person("Ann  Lee"), membership.Person("ann lee"))
	a := membership.Approval{Voters: []string{"bob\x1b[2J", strings.Repeat("x", 3000)}}
	err := membership.Bad(a.Problems("ann"))
	require.ErrorContains(t, err, `approval.voters[0]: "bob\x1b[2J": want at most 200 bytes`)
	require.ErrorContains(t, err, "approval.voters[1]: ")
	require.Less(t, len(err.Error()), 400)
}

// A signature that nobody checks is not dropped as if somebody had.
func TestASignatureWhereNoneIsWanted(t *testing.T) {
	g := membership.NewGate("ann", membership.Approval{}, "why", false)
	v := membership.Vote{By: "bob", Approves: true, Digest: "sha256:d", Signature: "armored"}
	require.Contains(t, g.Objection(v, "sha256:d", nil), "it is signed, and nobody checks signatures at this gate; vote without one")
	v.Signature = ""
	require.Empty(t, g.Objection(v, "sha256:d", nil))
}

func TestRunIDs(t *testing.T) {
	for _, good := range []string{"a", "join-huawei.servergroup-1", "web/2026:1@x+y", strings.Repeat("a", 200)} {
		require.Empty(t, membership.CheckRunID("id", good))
	}
	for _, bad := range []string{"", "实例", "a b", "-a", "a\n", "\xff", strings.Repeat("a", 201)} {
		require.NotEmpty(t, membership.CheckRunID("id", bad), "%q", bad)
	}
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
