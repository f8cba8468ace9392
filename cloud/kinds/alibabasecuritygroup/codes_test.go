package alibabasecuritygroup_test

import (
	"fmt"
	"net/http"
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

// The error codes on the reference page of JoinSecurityGroup, all of them, and those that every action can answer with.
var (
	// The cloud will not: the member is put back, and the report has the code.
	refusals = []answer{
		{400, "InstanceSecurityGroupLimitExceeded"},
		{400, "InvalidInstanceId.Mismatch"},
		{400, "InvalidInstanceId.Malformed"},
		{400, "InvalidOperation.NotSupportEnterpriseGroup"},
		{400, "InvalidOperation.MultiGroupType"},
		{400, "InvalidOperation.EniAndGroupNotBelongSameUser"},
		{400, "NotBelongUser"},
		{400, "MissingParameter.RegionId"},
		{403, "InstanceLockedForSecurity"},
		{403, "SecurityGroupInstanceLimitExceeded"},
		{403, "AclLimitExceed"},
		{403, "InstanceSecurityGroupLimitExceeded"},
		{403, "InvalidOperation.NetworkInterfaceCountExceeded"},
		{403, "InvalidOperation.ResourceManagedByCloudProduct"},
		{403, "InvalidOperation.InvalidEniType"},
		{403, "InvalidOperation.VpcMismatch"},
		{403, "InvalidOperation.EniServiceManaged"},
		{403, "InvalidParam.Malformed"},
		{403, "InvalidParam.EniIdAndInstanceId.Conflict"},
		{404, "InvalidSecurityGroupId.NotFound"},
		{404, "InvalidInstanceId.NotFound"},
		{404, "InvalidEniId.NotFound"},
		{403, "Forbidden.RAM"},
		{403, "NoPermission"},
		{400, "SignatureDoesNotMatch"},
		{404, "InvalidAccessKeyId.NotFound"},
	}
	// It passes, or nobody knows whether it happened, or it is so already: in the end the member has joined.
	troubles = []answer{
		{400, "InvalidOperation.InvalidEniState"},
		{400, "InvalidStatus.EniOrInstanceIsBeingCreated"},
		{500, "InternalError"},
		{403, "IncorrectInstanceStatus"},
		{403, "InvalidInstanceId.AlreadyExists"},
		{403, "Forbidden.InstanceIsBeingCreated"},
		{409, "InvalidOperation.Conflict"},
		{400, "OperationConflict"},
		{400, "Throttling.User"},
		{503, "ServiceUnavailable"},
		{500, "UnknownError"},
		{400, "Some.CodeThatNobodyKnows"},
	}
)

func TestEveryCodeOfJoiningASecurityGroup(t *testing.T) {
	for name, way := range map[string]membershipWay{"whole set": ofInstances, "whole set, interfaces": ofInterfaces,
		"legacy": legacy, "legacy interfaces": legacyENI} {
		for _, a := range refusals {
			t.Run(fmt.Sprintf("%s/%s", name, a), func(t *testing.T) {
				report := joinWith(t, way, a, way.writes(), false)
				require.Equal(t, membership.RolledBack, report.Outcome, report.Reason)
				require.Equal(t, a.code, report.Code)
				require.NotEmpty(t, report.RequestID)
			})
		}
		for _, a := range troubles {
			t.Run(fmt.Sprintf("%s/%s", name, a), func(t *testing.T) {
				report := joinWith(t, way, a, way.writes(), false)
				require.Equal(t, membership.Joined, report.Outcome, report.Reason)
			})
			// These may also hide that it did happen.
			if a.status >= 500 || a.code == "InvalidInstanceId.AlreadyExists" {
				t.Run(fmt.Sprintf("%s/%s, though it happened", name, a), func(t *testing.T) {
					report := joinWith(t, way, a, way.writes(), true)
					require.Equal(t, membership.Joined, report.Outcome, report.Reason)
				})
			}
		}
	}
}

// joinWith lets the first write of a join be answered with an error and returns what became of the member. Whatever it
// is, the member has to be as the report says, and every write's effect had once.
func joinWith(t *testing.T, way membershipWay, a answer, action string, after bool) (report membership.MemberReport) {
	t.Helper()
	subject := securityGroup(t, way)
	kindtest.Bubble(t, subject, 1, func(r *kindtest.Rig) {
		req := subject.Request(r.Sim)
		before := r.States(req.Members)
		fails(r, a, action, after)
		whole, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		report = whole.Members[0]
		in, _ := subject.Member(r.Sim, report.ID)
		require.Equal(r, report.Outcome == membership.Joined, in)
		if !in {
			require.Equal(r, before, r.States(req.Members))
		}
		require.LessOrEqual(r, len(r.Effects()), 1)
	})
	return report
}

// fails lets the next call of an action fail.
func fails(r *kindtest.Rig, a answer, action string, after bool) {
	r.Helper()
	_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: action}, Effect: fault.Status, Status: a.status,
		Code: a.code, Count: 1, After: after})
	require.NoError(r, err)
}

func TestEveryCodeOfLeavingASecurityGroup(t *testing.T) {
	left, rolledBack := membership.Left, membership.RolledBack
	for _, c := range []struct {
		answer
		after   bool // it did happen
		outcome membership.Outcome
	}{
		{answer{404, "InvalidSecurityGroupAssociation.NotFound"}, true, left},
		{answer{404, "InvalidSecurityGroupAssociation.NotFound"}, false, left},
		{answer{403, "InstanceNotInSecurityGroup"}, true, left},
		{answer{404, "InvalidInstanceId.NotFound"}, true, left},
		{answer{409, "InvalidOperation.Conflict"}, false, left},
		{answer{500, "InternalError"}, true, left},
		{answer{http.StatusInternalServerError, "InternalError"}, false, left},
		{answer{403, "InstanceLastSecurityGroup"}, false, rolledBack},
		{answer{403, "InstanceLockedForSecurity"}, false, rolledBack},
	} {
		t.Run(fmt.Sprintf("%s, happened: %v", c.answer, c.after), func(t *testing.T) {
			subject := securityGroup(t, legacy)
			kindtest.Bubble(t, subject, 1, func(r *kindtest.Rig) {
				req := subject.Request(r.Sim)
				_, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				fails(r, c.answer, "LeaveSecurityGroup", c.after)
				report, err := r.Run(membership.Leave, req)
				require.NoError(r, err)
				require.Equal(r, c.outcome, report.Members[0].Outcome, report.Members[0].Reason)
				in, _ := subject.Member(r.Sim, req.Members[0])
				require.Equal(r, c.outcome == rolledBack, in)
				if c.outcome == rolledBack {
					require.Equal(r, c.code, report.Members[0].Code)
				}
			})
		})
	}
}
