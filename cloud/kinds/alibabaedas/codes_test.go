package alibabaedas_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// answer is an error of the cloud.
type answer struct {
	status int
	code   string
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.code) }

// The reference pages of EDAS name no codes but one for trouble; what there is besides comes from the gateway of all
// products, or is a number in the body of a success, which says no with nothing but text.
var (
	// The cloud will not: the member is put back, and the report has the code.
	edasRefusals = []answer{
		{403, "Forbidden.RAM"},
		{403, "Forbidden"},
		{403, "NoPermission"},
		{404, "InvalidAccessKeyId.NotFound"},
		{400, "InvalidAccessKeyId.Inactive"},
		{400, "SignatureDoesNotMatch"},
		{400, "IncompleteSignature"},
		{400, "InvalidTimeStamp.Expired"},
		{400, "InvalidTimeStamp.Format"},
		{400, "IllegalTimestamp"},
		{400, "InvalidSecurityToken.Malformed"},
		{404, "InvalidApi.NotFound"},
		{400, "InvalidVersion"},
		{400, "MissingAction"},
		{400, "MissingParameter"},
	}
	// It passes, or nobody knows whether it happened: in the end it is done, once.
	edasTroubles = []answer{
		{400, "Throttling"},
		{400, "Throttling.User"},
		{400, "Throttling.Api"},
		{400, "Throttling.ConcurrentLimitExceeded"},
		{400, "Rejected.Throttling"},
		{429, "Throttling.User"},
		{503, "Throttling"},
		{400, "InvalidSecurityToken.Expired"},
		{400, "SignatureNonceUsed"},
		{500, "InternalError"},
		{500, "UnknownError"},
		{503, "ServiceUnavailable"},
		{400, "Some.CodeThatNobodyKnows"},
		{200, "400"},
		{200, "401"},
		{200, "403"},
		{200, "404"},
		{200, "500"},
		{200, "501"},
	}
)

func TestEveryCodeOfEDAS(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		params membership.Params
		op     membership.Operation
		action string
	}{
		"agent":  {byAgent, membership.Join, "InstallAgent"},
		"import": {byImport, membership.Join, "InsertClusterMember"},
		"remove": {byAgent, membership.Leave, "DeleteClusterMember"},
	} {
		for _, a := range edasRefusals {
			t.Run(fmt.Sprintf("%s/%s", name, a), func(t *testing.T) {
				report := edasWith(t, c.params, c.op, c.action, sim.Fault{Effect: fault.Status, Status: a.status, Code: a.code})
				require.Equal(t, []any{membership.RolledBack, a.code}, []any{report.Outcome, report.Code}, report.Reason)
				require.NotEmpty(t, report.RequestID)
			})
		}
		for _, a := range edasTroubles {
			for _, after := range []bool{false, true} {
				if after && passes(a) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s, happened: %v", name, a, after), func(t *testing.T) {
					report := edasWith(t, c.params, c.op, c.action,
						sim.Fault{Effect: fault.Status, Status: a.status, Code: a.code, After: after, Count: 1})
					want := map[membership.Operation]membership.Outcome{membership.Join: membership.Joined, membership.Leave: membership.Left}
					require.Equal(t, want[c.op], report.Outcome, report.Reason)
				})
			}
		}
	}
	t.Run("applications that go", func(t *testing.T) {
		report := edasWith(t, byAgent, membership.Leave, "DeleteClusterMember", sim.Fault{Effect: fault.Status, Status: 200, Code: "400",
			Message: "there are still applications deployed in this cluster", Count: 3})
		require.Equal(t, membership.Left, report.Outcome, report.Reason)
	})
}

// edasWith lets a write go wrong and returns what became of the member. Whatever it is, the member has to be as the report
// says, and every write's effect had once.
func edasWith(t *testing.T, params membership.Params, op membership.Operation, action string, f sim.Fault) (report membership.MemberReport) {
	t.Helper()
	s := edas(t, params)
	kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		if op == membership.Leave {
			_, err := r.Run(membership.Join, req)
			require.NoError(r, err)
		}
		before, done := r.States(req.Members), len(r.Effects())
		r.Trouble(action, "", f)
		whole, err := r.Run(op, req)
		require.NoError(r, err)
		report = whole.Members[0]
		in, _ := s.Member(r.Sim, report.ID)
		require.Equal(r, report.Outcome == membership.Joined || op == membership.Leave && report.Outcome != membership.Left, in)
		if report.Outcome == membership.RolledBack {
			require.Equal(r, before, r.States(req.Members))
			require.Len(r, r.Effects(), done)
		}
		require.LessOrEqual(r, imports(r, report.ID), 1)
	})
	return report
}

// Reads that fail now and then hold nobody up; those that the cloud will never answer end the run before it begins.
func TestReadsOfEDASThatFail(t *testing.T) {
	for _, action := range []string{"ListCluster", "ListClusterMembers", "ListConvertableEcu", "DescribeDisks", "DescribeSnapshots"} {
		for _, a := range []answer{{200, "500"}, {500, "UnknownError"}, {400, "Throttling.User"}, {503, "ServiceUnavailable"}} {
			t.Run(fmt.Sprintf("%s/%s", action, a), func(t *testing.T) {
				s := edas(t, withBackup)
				kindtest.Bubble(t, s, 2, func(r *kindtest.Rig) {
					r.Trouble(action, "", sim.Fault{Effect: fault.Status, Status: a.status, Code: a.code, Nth: 2, Count: 2})
					report, err := r.Run(membership.Join, s.Request(r.Sim))
					require.NoError(r, err)
					require.Equal(r, 2, report.Counts[membership.Joined], "%+v", report)
					require.Equal(r, unique(r.Effects()), r.Effects())
				})
			})
		}
		if action == "DescribeSnapshots" { // is not read for planning
			continue
		}
		t.Run(action+" is not permitted", func(t *testing.T) {
			s := edas(t, withBackup)
			kindtest.Bubble(t, s, 2, func(r *kindtest.Rig) {
				r.Trouble(action, "", sim.Fault{Effect: fault.Status, Status: 403, Code: "Forbidden.RAM"})
				_, err := r.Run(membership.Join, s.Request(r.Sim))
				require.ErrorContains(r, err, "Forbidden.RAM")
				require.Empty(r, r.Writes())
			})
		})
	}
}

func unique(all []string) (once []string) {
	seen := make(map[string]bool)
	for _, s := range all {
		if !seen[s] {
			once = append(once, s)
		}
		seen[s] = true
	}
	return once
}

// A cluster that is deleted under a run is missing, however EDAS says so.
func TestAClusterThatGoes(t *testing.T) {
	s := edas(t, byAgent)
	kindtest.Bubble(t, s, 2, func(r *kindtest.Rig) {
		for _, action := range []string{"ListClusterMembers", "ListConvertableEcu"} { // beyond the looks for the preview and for planning, at this cluster and the other
			r.Trouble(action, "", sim.Fault{Effect: fault.Status, Status: 200, Code: "404", Nth: 5})
		}
		report, err := r.Run(membership.Join, s.Request(r.Sim))
		require.NoError(r, err)
		require.Equal(r, 2, report.Counts[membership.RolledBack], "%+v", report)
		require.Equal(r, "cluster-missing", report.Members[0].Code)
	})
}

// passes are those of the troubles with which nothing can have happened.
func passes(a answer) bool {
	for _, code := range []string{"Throttling", "Throttling.User", "Throttling.Api", "Throttling.ConcurrentLimitExceeded",
		"Rejected.Throttling", "InvalidSecurityToken.Expired"} {
		if a.code == code {
			return true
		}
	}
	return false
}
