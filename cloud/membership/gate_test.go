package membership_test

import (
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
		"only the requester":       {"ann", membership.Approval{Voters: []string{"ann"}}, "approval.quorum: 1: want at most 0"},
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
		Why: "join 1 members, group g (k); it DESTROYS their data"}, p.Gate)
}

func TestAnybodyCanAskForAGate(t *testing.T) {
	p := membership.Program{}
	require.NoError(t, p.SetGate(membership.Request{Requester: "ann", Approval: &membership.Approval{Quorum: 2}}))
	require.Equal(t, 2, p.Gate.Quorum)
	require.NotContains(t, p.Gate.Why, "DESTROYS")
}
