package alibabaresourcegroup_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// answersToJoinResourceGroup are the error codes of the API's page, and those that any call can have.
var answersToJoinResourceGroup = map[string]struct {
	status int
	means  verdict.Verdict
}{
	"EntityExists.AssociatedTransferTasks": {400, verdict.Busy},
	"MissingParameter":                     {403, verdict.Rejected},
	"InvalidResourceGroup.Duplicate":       {403, verdict.Done},
	"InvalidRegionId.ResourceGroup":        {403, verdict.Rejected},
	"InvalidStatus.ResourceGroup":          {403, verdict.Busy},
	"InvalidResourceType.NotFound":         {404, verdict.Rejected},
	"InvalidResourceGroup.NotFound":        {404, verdict.Rejected},
	"InvalidResourceId.NotFound":           {404, verdict.Rejected},

	"Throttling":                         {400, verdict.Throttled},
	"Throttling.User":                    {400, verdict.Throttled},
	"Throttling.Api":                     {400, verdict.Throttled},
	"Throttling.ConcurrentLimitExceeded": {400, verdict.Throttled},
	"Rejected.Throttling":                {400, verdict.Throttled},
	"Forbidden.RAM":                      {403, verdict.Rejected},
	"Forbidden":                          {403, verdict.Rejected},
	"NoPermission":                       {403, verdict.Rejected},
	"InvalidAccessKeyId.NotFound":        {404, verdict.Rejected},
	"InvalidAccessKeyId.Inactive":        {400, verdict.Rejected},
	"SignatureDoesNotMatch":              {400, verdict.Rejected},
	"IncompleteSignature":                {400, verdict.Rejected},
	"SignatureNonceUsed":                 {400, verdict.Unknown},
	"InvalidTimeStamp.Expired":           {400, verdict.Rejected},
	"InvalidSecurityToken.Expired":       {400, verdict.Transient},
	"InvalidSecurityToken.Malformed":     {400, verdict.Rejected},
	"InvalidApi.NotFound":                {404, verdict.Rejected},
	"OperationConflict":                  {409, verdict.Busy},
	"InternalError":                      {500, verdict.Unknown},
	"UnknownError":                       {500, verdict.Unknown},
	"ServiceUnavailable":                 {503, verdict.Unknown},
	"SomethingNew":                       {400, verdict.Unknown},
}

// Every code, on the wire, ends as its meaning says: whether the answer comes once or always, and whether it tells the
// truth or the move had happened all the same.
func TestAnswersToJoinResourceGroup(t *testing.T) {
	type ending struct {
		outcome membership.Outcome
		code    string
	}
	joined := ending{outcome: membership.Joined}
	tooLate := ending{membership.RolledBack, membership.CodeTimeout}
	parked := ending{membership.Skipped, membership.CodeNoEffect}
	once, always := sim.Fault{Count: 1}, sim.Fault{}
	for code, a := range answersToJoinResourceGroup {
		refused := ending{membership.RolledBack, code}
		ends := map[verdict.Verdict]map[string]ending{
			verdict.Busy:      {"once": joined, "always": tooLate},
			verdict.Throttled: {"once": joined, "always": tooLate},
			verdict.Transient: {"once": joined, "always": tooLate},
			verdict.Rejected:  {"once": refused, "always": refused, "though it happened": refused},
			verdict.Unknown:   {"once": joined, "always": parked, "though it happened": joined},
			verdict.Done:      {"once": joined, "always": parked, "though it happened": joined},
		}[a.means]
		for how, want := range ends {
			t.Run(code+" "+how, func(t *testing.T) {
				f := map[string]sim.Fault{"once": once, "always": always, "though it happened": {Count: 1, After: true}}[how]
				s := resourceGroup(t, "instance", "rg-home")
				kindtest.Bubble(t, s, 2, func(r *kindtest.Rig) {
					req := s.Request(r.Sim)
					f.Match = sim.Match{Action: "JoinResourceGroup", Server: req.Members[0], Group: "rg-target"}
					f.Effect, f.Status, f.Code = fault.Status, a.status, code
					_, err := r.Sim.Faults().Add(f)
					require.NoError(r, err)
					r.Later(time.Hour, membership.ControlSkip, membership.Control{By: "ann", Reason: "leave it"})
					report, err := r.Run(membership.Join, req)
					require.NoError(r, err)
					m := report.Members[0]
					require.Equal(r, want, ending{m.Outcome, kindtest.FirstCode(m)}, "%+v", m)
					require.Equal(r, membership.Joined, report.Members[1].Outcome)
					if want == joined {
						requireAllIn(r, "instance", req.Members, "rg-target")
						require.Len(r, r.Effects(), 2, "each was moved once")
					} else {
						requireAllIn(r, "instance", req.Members[:1], "rg-home")
					}
				})
			})
		}
	}
}
