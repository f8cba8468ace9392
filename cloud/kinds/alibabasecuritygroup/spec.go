package alibabasecuritygroup

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Timings. The vendor says that a change takes effect after a slight delay, and no figure.
const (
	callTimeout = 5 * time.Minute
	undoTimeout = 30 * time.Minute
	// settle is how long a read may tell what was before a write: the delay of the effect and the lag of reads. Assumed.
	settle = 10 * time.Second
)

// How much a group has room for, by its type: a basic one for private addresses, an enterprise one for network interfaces (Basic
// and advanced security groups). The quota can be raised.
const (
	basicCapacity      = 6000
	enterpriseCapacity = 65536
	// mostPerInterface is more private addresses, of both versions and with prefixes, than an interface of any instance type has.
	mostPerInterface = 100
)

// Codes of objections and failures.
const (
	codeMemberMissing = "member-missing"
	codeMemberStatus  = "member-status"
	codeMemberLocked  = "member-locked"
	codeMemberManaged = "member-managed"
	codeMemberType    = "interface-type"
	codeGroupMissing  = "group-missing"
	codeGroupManaged  = "group-managed"
	codeNetworkType   = "network-type"
	codeVPCMismatch   = "vpc-mismatch"
	codeTypeMix       = "group-type-mix"
	codeTooMany       = "too-many-groups"
	codeTooManyRules  = "too-many-rules"
	codeLastGroup     = "last-group"
	codeChanged       = "groups-changed"
)

// Spec describes the kind.
func (Kind) Spec() membership.Spec {
	const modify = "ModifyInstanceAttribute or ModifyNetworkInterfaceAttribute"
	return membership.Spec{
		ID:        ID,
		Title:     "Alibaba Cloud security group",
		Provider:  "alibaba",
		Revision:  1,
		PageLimit: membership.MaxMembers,
		Finds:     "instances of the account's region, interfaces have to be listed; in a group is whose primary interface is in it",
		Moves:     "in one write, so that no moment is without rules",
		Room:      "the parameter capacity, or what is documented for the group's type, less what is in it: of a basic group private addresses, of an enterprise one interfaces",
		Params:    membership.Specs(new(params).declared()),
		Stages: map[membership.Operation][]membership.Stage{
			membership.Join: stages(membership.Stage{Name: stageJoin,
				Help: "adds the group to those that the member is in right then, and sees it there",
				Undo: "restores the set of groups that was before: takes the group out, puts it back into the one that it left for it"}),
			membership.Leave: stages(membership.Stage{Name: stageLeave,
				Help: "takes the group out of those that the member is in right then, and sees it gone",
				Undo: "restores the set of groups that was before: puts the member back into the group"}),
		},
		Actions: map[string]membership.Action{
			actJoin:    {Call: modify + "; legacy: JoinSecurityGroup", Batch: 1, Prompt: true},
			actLeave:   {Call: modify + "; legacy: LeaveSecurityGroup", Batch: 1, Prompt: true},
			actRestore: {Call: modify + "; legacy: LeaveSecurityGroup or JoinSecurityGroup", Batch: 1, Prompt: true},
		},
		Objections: []membership.Objection{
			{Code: codeMemberMissing, Reason: "the account has no such instance or network interface in its region"},
			{Code: codeMemberStatus, Reason: "the instance is neither Running nor Stopped, or the network interface neither InUse nor Available"},
			{Code: codeMemberLocked, Reason: "the instance, or that of the network interface, is locked for security"},
			{Code: codeMemberManaged, Reason: "the network interface belongs to a product of the cloud, which alone may change it"},
			{Code: codeMemberType, Reason: "the network interface is not a secondary one; a primary one's groups are its instance's"},
			{Code: codeGroupMissing, Reason: "the account has no such group in its region"},
			{Code: codeGroupManaged, Reason: "the group belongs to a product of the cloud, which alone may change its members"},
			{Code: codeNetworkType, Reason: "one is in a VPC and the other in the classic network, or the classic network takes legacy: true"},
			{Code: codeVPCMismatch, Reason: "the member and the group are in different VPCs"},
			{Code: codeTypeMix, Reason: "the member would be in basic and enterprise groups at once"},
			{Code: codeTooMany, Reason: "the member would be in more groups than may be; see the parameter maxGroups, and from"},
			{Code: codeTooManyRules, Reason: "the member's groups would have more rules than may be; see the parameter maxRules, and from"},
			{Code: membership.CodeNotInFrom, Reason: "the member is not in the group that it is to leave for the other"},
			{Code: codeLastGroup, Reason: "the member would be in no group; let it join another one, from this one"},
		},
		Failures: []membership.Objection{
			{Code: codeMemberMissing, Reason: "the member is gone"},
			{Code: codeMemberLocked, Reason: "the instance has been locked for security meanwhile"},
			{Code: codeGroupMissing, Reason: "the group is gone"},
			{Code: codeLastGroup, Reason: "somebody has taken the member out of all other groups meanwhile"},
			{Code: codeChanged, Reason: "somebody has changed the member's groups meanwhile, so that what was before cannot be told from what they want"},
		},
		Permissions: []string{
			"ecs:DescribeInstances on acs:ecs:{region}:{account}:instance/*",
			"ecs:DescribeNetworkInterfaces on acs:ecs:{region}:{account}:eni/*",
			"ecs:DescribeSecurityGroups on acs:ecs:{region}:{account}:securitygroup/*",
			"ecs:ModifyInstanceAttribute on acs:ecs:{region}:{account}:instance/{instance}, acs:ecs:{region}:{account}:securitygroup/*",
			"ecs:ModifyNetworkInterfaceAttribute on acs:ecs:{region}:{account}:eni/{eni}, acs:ecs:{region}:{account}:securitygroup/*",
			"ecs:JoinSecurityGroup, ecs:LeaveSecurityGroup on acs:ecs:{region}:{account}:instance/{instance}, " +
				"acs:ecs:{region}:{account}:eni/{eni}, acs:ecs:{region}:{account}:securitygroup/{group} (only with legacy: true)",
		},
		Source: []string{
			"Elastic Compute Service API 2014-05-26: JoinSecurityGroup, LeaveSecurityGroup",
			"Elastic Compute Service API 2014-05-26: ModifyInstanceAttribute, ModifyNetworkInterfaceAttribute",
			"Elastic Compute Service API 2014-05-26: DescribeInstances, DescribeNetworkInterfaces, DescribeSecurityGroups",
			"Elastic Compute Service: Security group limits",
			"Elastic Compute Service: Basic and advanced security groups",
		},
	}
}

// stages are the one that writes and the one that reads back.
func stages(write membership.Stage) []membership.Stage {
	write.Timeout, write.UndoTimeout = membership.Duration(callTimeout), membership.Duration(undoTimeout)
	write.Settle, write.MaxSends, write.Risk = membership.Duration(settle), 3, membership.Disruptive
	return []membership.Stage{write, {Name: stageVerify, Help: "sees once more that the member's groups are as they should be",
		Timeout: membership.Duration(callTimeout), Settle: membership.Duration(settle), Risk: membership.Harmless}}
}
