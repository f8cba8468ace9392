package alibaba

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// expected is what the pages and the facts say, written down a second time: action, status and code to the verdicts of a
// read and of a write; "-" stands for any, or for none.
const expected = `
	- 0 Throttling                          throttled throttled
	- 0 Throttling.User                     throttled throttled
	- 0 Throttling.Api                      throttled throttled
	- 0 Throttling.ConcurrentLimitExceeded  throttled throttled
	- 0 Rejected.Throttling                 throttled throttled

	- 0   InvalidAccessKeyId.NotFound    rejected rejected
	- 0   InvalidAccessKeyId.Inactive    rejected rejected
	- 400 SignatureDoesNotMatch          rejected rejected
	- 400 IncompleteSignature            rejected rejected
	- 400 SignatureNonceUsed             transient unknown
	- 400 InvalidTimeStamp.Expired       rejected rejected
	- 400 InvalidTimeStamp.Format        rejected rejected
	- 400 IllegalTimestamp               rejected rejected
	- 400 InvalidSecurityToken.Expired   transient transient
	- 400 InvalidSecurityToken.Malformed rejected rejected
	- 403 Forbidden.RAM                  rejected rejected
	- 403 Forbidden                      rejected rejected
	- 403 NoPermission                   rejected rejected
	- 0   InvalidApi.NotFound            rejected rejected
	- 0   InvalidVersion                 rejected rejected
	- 0   MissingAction                  rejected rejected

	JoinSecurityGroup  403 InvalidInstanceId.AlreadyExists            - done
	LeaveSecurityGroup 0   InvalidSecurityGroupAssociation.NotFound   - done
	LeaveSecurityGroup 0   InstanceNotInSecurityGroup                 - done
	JoinResourceGroup  403 InvalidResourceGroup.Duplicate             - done

	LeaveSecurityGroup 404 InvalidSecurityGroupId.NotFound - done
	LeaveSecurityGroup 404 InvalidInstanceId.NotFound      - done
	LeaveSecurityGroup 404 InvalidEniId.NotFound           - done
	LeaveSecurityGroup 404 Forbidden.InstanceNotFound      - done
	LeaveSecurityGroup 404 Instance.Notfound               - done
	- 404 InvalidSecurityGroupId.NotFound rejected rejected
	- 404 InvalidInstanceId.NotFound      rejected rejected
	- 404 InvalidEniId.NotFound           rejected rejected
	- 404 Forbidden.InstanceNotFound      rejected rejected
	- 404 Instance.Notfound               rejected rejected
	- 404 InvalidResourceType.NotFound    rejected rejected
	- 404 InvalidResourceGroup.NotFound   rejected rejected
	- 404 InvalidResourceId.NotFound      rejected rejected

	- 400 InstanceSecurityGroupLimitExceeded             rejected rejected
	- 403 InstanceSecurityGroupLimitExceeded             rejected rejected
	- 403 SecurityGroupInstanceLimitExceeded             rejected rejected
	- 403 InvalidOperation.NetworkInterfaceCountExceeded rejected rejected
	- 403 AclLimitExceed                                 rejected rejected
	- 403 InstanceLastSecurityGroup                      rejected rejected

	- 400 InvalidInstanceId.Mismatch                    rejected rejected
	- 403 InvalidInstanceId.Mismatch                    rejected rejected
	- 400 InvalidOperation.VpcMismatch                  rejected rejected
	- 403 InvalidOperation.VpcMismatch                  rejected rejected
	- 400 InvalidOperation.NotSupportEnterpriseGroup    rejected rejected
	- 400 InvalidOperation.MultiGroupType               rejected rejected
	- 403 InvalidOperation.InvalidEniType               rejected rejected
	- 403 InvalidOperation.EniServiceManaged            rejected rejected
	- 403 InvalidOperation.ResourceManagedByCloudProduct rejected rejected
	- 400 InvalidOperation.EniAndGroupNotBelongSameUser rejected rejected
	- 400 NotBelongUser                                 rejected rejected
	- 403 InstanceLockedForSecurity                     rejected rejected
	- 403 InvalidRegionId.ResourceGroup                 rejected rejected

	- 400 InvalidInstanceId.Malformed            rejected rejected
	- 400 InvalidParam.Malformed                 rejected rejected
	- 403 InvalidInstanceId.Malformed            rejected rejected
	- 403 InvalidParam.Malformed                 rejected rejected
	- 403 InvalidParam.EniIdAndInstanceId.Conflict rejected rejected
	- 400 MissingParameter.RegionId              rejected rejected
	- 400 MissingParameter                       rejected rejected
	- 403 MissingParameter.RegionId              rejected rejected
	- 403 MissingParameter                       rejected rejected
	- 400 IdempotentParameterMismatch            rejected rejected

	- 400 InvalidStatus.EniOrInstanceIsBeingCreated busy busy
	- 403 Forbidden.InstanceIsBeingCreated          busy busy
	- 400 InvalidOperation.InvalidEniState          busy busy
	- 403 IncorrectInstanceStatus                   busy busy
	- 403 IncorrectInstanceStatus.Initializing      busy busy
	- 403 InstanceNotReady                          busy busy
	- 409 InvalidOperation.Conflict                 busy busy
	- 0   OperationConflict                         busy busy
	- 0   Operation.Conflict                        busy busy
	- 0   LastTokenProcessing                       busy busy
	- 0   LastRequestProcessing                     busy busy
	- 0   LastOrderProcessing                       busy busy
	- 0   IdempotentProcessing                      busy busy
	- 403 DiskInvalid                               busy busy
	- 403 IncorrectDiskStatus                       busy busy
	- 403 IncorrectDiskStatus.Initializing          busy busy
	- 400 EntityExists.AssociatedTransferTasks      busy busy
	- 403 InvalidStatus.ResourceGroup               busy busy

	- 0   DryRunOperation    done done
	- 500 InternalError      transient unknown
	- 500 UnknownError       transient unknown
	- 503 ServiceUnavailable transient unknown`

// joinPage and leavePage are the rows of the tables of errors on the reference pages.
const (
	securityGroupPage = `
	400 InstanceSecurityGroupLimitExceeded
	400 InvalidInstanceId.Mismatch
	400 InvalidInstanceId.Malformed
	400 InvalidOperation.NotSupportEnterpriseGroup
	400 InvalidOperation.MultiGroupType
	400 InvalidOperation.InvalidEniState
	400 InvalidOperation.EniAndGroupNotBelongSameUser
	400 NotBelongUser
	400 MissingParameter.RegionId
	400 InvalidStatus.EniOrInstanceIsBeingCreated
	500 InternalError
	403 IncorrectInstanceStatus
	403 InstanceLockedForSecurity
	403 SecurityGroupInstanceLimitExceeded
	403 InvalidInstanceId.AlreadyExists
	403 AclLimitExceed
	403 InstanceSecurityGroupLimitExceeded
	403 InvalidOperation.NetworkInterfaceCountExceeded
	403 InvalidOperation.ResourceManagedByCloudProduct
	403 InvalidOperation.InvalidEniType
	403 InvalidOperation.VpcMismatch
	403 InvalidOperation.EniServiceManaged
	403 InvalidParam.Malformed
	403 InvalidParam.EniIdAndInstanceId.Conflict
	403 Forbidden.InstanceIsBeingCreated
	404 InvalidSecurityGroupId.NotFound
	404 InvalidInstanceId.NotFound
	404 InvalidEniId.NotFound
	409 InvalidOperation.Conflict`
	resourceGroupPage = `
	400 EntityExists.AssociatedTransferTasks
	403 MissingParameter
	403 InvalidResourceGroup.Duplicate
	403 InvalidRegionId.ResourceGroup
	403 InvalidStatus.ResourceGroup
	404 InvalidResourceType.NotFound
	404 InvalidResourceGroup.NotFound
	404 InvalidResourceId.NotFound`
)

// rows splits a table into the fields of its rows.
func rows(table string) [][]string {
	var all [][]string
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) > 0 {
			all = append(all, fields)
		}
	}
	return all
}

func TestEveryRuleThroughTheSDK(t *testing.T) {
	want := map[string][2]verdict.Verdict{}
	for _, f := range rows(expected) {
		want[strings.Join(f[:3], " ")] = [2]verdict.Verdict{verdict.Verdict(f[3]), verdict.Verdict(f[4])}
	}
	var status int
	var says string
	client := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(status, says)(w, r) })
	tested := map[string]bool{}
	for _, rule := range rules {
		op := rule.Op
		if op == "" {
			op = "-"
		}
		name := fmt.Sprintf("%s %d %s", op, rule.Status, rule.Code)
		t.Run(name, func(t *testing.T) {
			verdicts, ok := want[name]
			if !assert.True(t, ok, "a rule that nobody expects") {
				return
			}
			assert.False(t, tested[name], "a rule that an earlier one hides")
			tested[name] = true
			assert.NotEmpty(t, rule.Why)
			if status = rule.Status; status == 0 {
				status = 400
			}
			says = body(rule.Code)
			for side, call := range []string{plainRead, plainWrite} {
				if verdicts[side] == "-" {
					continue
				}
				if rule.Op != "" {
					call = rule.Op
				}
				e := failure(t, client, call)
				assert.Equal(t, verdicts[side], e.Verdict, call)
				assert.Equal(t, rule.Code, e.Code)
				assert.Equal(t, status, e.Status)
				assert.Equal(t, "req-1", e.RequestID)
				assert.Equal(t, "no", e.Message)
			}
		})
	}
	for name := range want {
		assert.True(t, tested[name], "no rule for %q", name)
	}
}

func TestEveryCodeOfThePagesHasARule(t *testing.T) {
	for action, page := range map[string]string{
		"JoinSecurityGroup": securityGroupPage, "JoinResourceGroup": resourceGroupPage,
	} {
		for _, f := range rows(page) {
			var status int
			_, err := fmt.Sscan(f[0], &status)
			assert.NoError(t, err)
			rule, ok := rules.Find(action, status, f[1])
			assert.True(t, ok, "%s %v", action, f)
			assert.Equal(t, f[1] == "InternalError", rule.Write == unknown, "%s %v leaves the effect open", action, f)
		}
	}
}

func TestWhatNoRuleNames(t *testing.T) {
	for _, status := range []int{400, 403, 404, 409, 418, 500, 501, 599} {
		for _, code := range []string{"Nobody.Knows", "Throttling.", "NotFound", "InternalError2"} {
			client := serve(t, answer(status, body(code)))
			assert.Equal(t, verdict.Unknown, failure(t, client, plainWrite).Verdict, "write, %d %s", status, code)
		}
	}
}

// The codes of items in the answer to a batch come without a status.
func TestItemsOfABatch(t *testing.T) {
	for code, want := range map[string]verdict.Verdict{
		"IncorrectInstanceStatus": busy, "InvalidInstanceId.NotFound": rejected, "InternalError": unknown,
		"InvalidInstanceId.AlreadyExists": unknown, "Nobody.Knows": unknown, "": unknown,
	} {
		assert.Equal(t, want, ofItem(startInstances, code), code)
	}
}
