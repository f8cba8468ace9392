package alibabanodepool_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// answer is an error of the cloud.
type answer struct {
	status int
	code   string
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.code) }

// answersOfContainers are the error codes that the container service is known to give, those of the gateway before it, and
// what the two writes of the kind make of them.
var answersOfContainers = []struct {
	answer
	attach, remove verdict.Verdict
}{
	{answer{404, "ErrorClusterNotFound"}, verdict.Rejected, verdict.Done},
	{answer{404, "ErrorNodePoolNotFound"}, verdict.Rejected, verdict.Done},
	{answer{404, "NotFound"}, verdict.Rejected, verdict.Done},

	{answer{400, "Throttling"}, verdict.Throttled, verdict.Throttled},
	{answer{400, "Throttling.User"}, verdict.Throttled, verdict.Throttled},
	{answer{429, "Throttling.Api"}, verdict.Throttled, verdict.Throttled},
	{answer{503, "Throttling.ConcurrentLimitExceeded"}, verdict.Throttled, verdict.Throttled},
	{answer{400, "Rejected.Throttling"}, verdict.Throttled, verdict.Throttled},

	{answer{404, "InvalidAccessKeyId.NotFound"}, verdict.Rejected, verdict.Rejected},
	{answer{400, "InvalidAccessKeyId.Inactive"}, verdict.Rejected, verdict.Rejected},
	{answer{400, "SignatureDoesNotMatch"}, verdict.Rejected, verdict.Rejected},
	{answer{400, "IncompleteSignature"}, verdict.Rejected, verdict.Rejected},
	{answer{400, "SignatureNonceUsed"}, verdict.Unknown, verdict.Unknown},
	{answer{400, "InvalidTimeStamp.Expired"}, verdict.Rejected, verdict.Rejected},
	{answer{400, "InvalidTimeStamp.Format"}, verdict.Rejected, verdict.Rejected},
	{answer{400, "IllegalTimestamp"}, verdict.Rejected, verdict.Rejected},
	{answer{400, "InvalidSecurityToken.Expired"}, verdict.Transient, verdict.Transient},
	{answer{400, "InvalidSecurityToken.Malformed"}, verdict.Rejected, verdict.Rejected},
	{answer{403, "Forbidden.RAM"}, verdict.Rejected, verdict.Rejected},
	{answer{403, "Forbidden"}, verdict.Rejected, verdict.Rejected},
	{answer{403, "NoPermission"}, verdict.Rejected, verdict.Rejected},
	{answer{404, "InvalidApi.NotFound"}, verdict.Rejected, verdict.Rejected},
	{answer{400, "InvalidVersion"}, verdict.Rejected, verdict.Rejected},
	{answer{400, "MissingAction"}, verdict.Rejected, verdict.Rejected},

	{answer{409, "OperationConflict"}, verdict.Busy, verdict.Busy},
	{answer{500, "InternalError"}, verdict.Unknown, verdict.Unknown},
	{answer{500, "UnknownError"}, verdict.Unknown, verdict.Unknown},
	{answer{503, "ServiceUnavailable"}, verdict.Unknown, verdict.Unknown},
	{answer{400, "SomethingNew"}, verdict.Unknown, verdict.Unknown},
}

// Every code, on the wire, ends as its meaning says; where that is that nobody knows, whether the write had happened or
// not; and nothing is wiped twice.
func TestEveryCodeOfContainers(t *testing.T) {
	t.Parallel()
	for _, c := range answersOfContainers {
		for _, happened := range []bool{false, true} {
			if !happened || c.attach == verdict.Unknown {
				t.Run(fmt.Sprintf("attach/%s, happened: %v", c.answer, happened), func(t *testing.T) {
					attachAnswered(t, c.answer, c.attach, happened)
				})
			}
			if !happened || c.remove == verdict.Unknown || c.remove == verdict.Done {
				t.Run(fmt.Sprintf("remove/%s, happened: %v", c.answer, happened), func(t *testing.T) {
					removeAnswered(t, c.answer, c.remove, happened)
				})
			}
		}
	}
}

// answers lets the cloud answer the calls of an action that name a member, once, or for as long as it is asked when that is
// what a refusal is like.
func answers(r *kindtest.Rig, action, member string, a answer, v verdict.Verdict, happened bool) {
	r.Helper()
	f := sim.Fault{Match: sim.Match{Action: action, Server: member}, Effect: fault.Status, Status: a.status, Code: a.code,
		After: happened}
	if v != verdict.Rejected {
		f.Count = 1
	}
	_, err := r.Sim.Faults().Add(f)
	require.NoError(r, err)
}

func attachAnswered(t *testing.T, a answer, v verdict.Verdict, happened bool) {
	s := containerNodePool(t, false)
	kindtest.Bubble(t, s, 2, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		answers(r, "AttachInstances", req.Members[0], a, v, happened)
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		m, want, installed := report.Members[0], []any{membership.Joined, ""}, 2
		if v == verdict.Rejected {
			want, installed = []any{membership.RolledBack, a.code}, 1
		}
		require.Equal(r, want, []any{m.Outcome, m.Code}, m.Reason)
		require.Equal(r, membership.Joined, report.Members[1].Outcome, report.Members[1].Reason)
		first, _ := r.Sim.Instance(req.Members[0])
		second, _ := r.Sim.Instance(req.Members[1])
		require.Equal(r, []int{installed, 2}, []int{first.OSGeneration, second.OSGeneration})
	})
}

func removeAnswered(t *testing.T, a answer, v verdict.Verdict, happened bool) {
	s := containerNodePool(t, false)
	kindtest.Bubble(t, s, 2, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		_, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		answers(r, "RemoveNodePoolNodes", req.Members[0], a, v, happened)
		report, err := r.Run(membership.Leave, req)
		require.NoError(r, err)
		m, want := report.Members[0], []any{membership.Left, ""}
		if v == verdict.Rejected {
			want = []any{membership.RolledBack, a.code}
		}
		require.Equal(r, want, []any{m.Outcome, m.Code}, m.Reason)
		require.Equal(r, membership.Left, report.Members[1].Outcome, report.Members[1].Reason)
		_, in := r.Sim.ContainerNode(m.ID)
		require.Equal(r, v == verdict.Rejected, in)
	})
}

// What the cloud says for ever ends, too, one code of each meaning: with a person, or with a timeout. Only what nobody knows
// the effect of is sent just once more.
func TestAnswersOfContainersForEver(t *testing.T) {
	t.Parallel()
	looked := map[verdict.Verdict]bool{verdict.Rejected: true} // see above
	for _, c := range answersOfContainers {
		if looked[c.attach] {
			continue
		}
		looked[c.attach] = true
		t.Run(c.String(), func(t *testing.T) {
			s := containerNodePool(t, false)
			kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
				_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "AttachInstances"}, Effect: fault.Status,
					Status: c.status, Code: c.code})
				require.NoError(r, err)
				r.Later(3*time.Hour, membership.ControlSkip, membership.Control{By: "bob", Reason: "a ticket is open"})
				report, err := r.Run(membership.Join, s.Request(r.Sim))
				require.NoError(r, err)
				m := report.Members[0]
				if c.attach == verdict.Unknown {
					require.Equal(r, []any{membership.Skipped, membership.CodeNoEffect}, []any{m.Outcome, kindtest.FirstCode(m)}, "%+v", m)
					require.Len(r, r.Writes(), 2)
				} else {
					require.Equal(r, []any{membership.RolledBack, membership.CodeTimeout}, []any{m.Outcome, m.Code}, "%+v", m)
				}
				i, _ := r.Sim.Instance(m.ID)
				require.Equal(r, 1, i.OSGeneration)
			})
		})
	}
}
