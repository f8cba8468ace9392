package alibabaresourcegroup

import (
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Timings. The vendor publishes none. A task of associated transfer holds a move up for minutes.
const (
	moveTimeout   = 15 * time.Minute
	verifyTimeout = 5 * time.Minute
	undoTimeout   = 30 * time.Minute
	// readLag is how long a read may tell what was before a write. Not documented; assumed, and longer than elsewhere
	// since the resource manager learns from ECS.
	readLag = 10 * time.Second
)

// Codes of objections and failures.
const (
	codeGroupMissing    = "group-missing"
	codeGroupStatus     = "group-status"
	codeGroupRegion     = "group-region"
	codeResourceMissing = "resource-missing"
	codeGroupUnknown    = "current-group-unknown"
	codeMoved           = "moved-meanwhile"
)

// Spec describes the kind.
func (Kind) Spec() membership.Spec {
	return membership.Spec{
		ID:        ID,
		Title:     "Alibaba Cloud resource group (ECS resources)",
		Provider:  "alibaba",
		Revision:  1,
		PageLimit: membership.MaxMembers,
		Finds:     "the region's resources of the parameter type, any of the 13; in a group is whom the resource manager lists, which learns of a move a little later",
		Moves:     "in one write, as all that join: a resource is always in one group",
		Room:      "without end",
		Params:    membership.Specs(new(params).declared()),
		Stages: map[membership.Operation][]membership.Stage{
			membership.Join: {
				move(stageJoin, "moves the resource into the group, whose policies and bills it then comes under"),
				verify("sees the resource in the group"),
			},
			membership.Leave: {
				move(stageLeave, "moves the resource into the group of the parameter to"),
				verify("sees that the resource is not in the group"),
			},
		},
		Actions: map[string]membership.Action{
			actJoin:    {Call: "JoinResourceGroup", Batch: 1, Prompt: true},
			actLeave:   {Call: "JoinResourceGroup (into the parameter to)", Batch: 1, Prompt: true},
			actPutBack: {Call: "JoinResourceGroup (into the group it was in)", Batch: 1, Prompt: true},
		},
		Objections: []membership.Objection{
			{Code: codeGroupMissing, Reason: "there is no such resource group in the account, or none to leave for"},
			{Code: codeGroupStatus, Reason: "the group is being created or deleted"},
			{Code: codeGroupRegion, Reason: "the group is not ready in the account's region"},
			{Code: codeResourceMissing, Reason: "there is no such resource; it may be one of another type or in another region"},
			{Code: membership.CodeNotInFrom, Reason: "the resource is not in the group that it is to leave for the other"},
			{Code: codeGroupUnknown, Reason: "the cloud does not say in which group the resource is, so it could not be put back"},
		},
		Failures: []membership.Objection{
			{Code: codeResourceMissing, Reason: "the resource is gone"},
			{Code: codeGroupMissing, Reason: "the group is gone"},
			{Code: codeGroupStatus, Reason: "the group is being deleted"},
			{Code: codeGroupRegion, Reason: "the group is not ready in the account's region any more"},
			{Code: codeMoved, Reason: "somebody has moved the resource into another group"},
		},
		Permissions: []string{
			"ecs:JoinResourceGroup on " + scoped(),
			"ecs:DescribeDedicatedHosts, ecs:DescribeDisks, ecs:DescribeNetworkInterfaces, ecs:DescribeImages, ecs:DescribeInstances, " +
				"ecs:DescribeKeyPairs, ecs:DescribeLaunchTemplates, ecs:DescribeSecurityGroups, ecs:DescribeSnapshots on " + scoped(),
			"ecs:JoinResourceGroup, ecs:DescribeActivations, ecs:DescribeCommands, ecs:DescribeDedicatedHostClusters, " +
				"ecs:DescribeManagedInstances on * (only with type: activation, command, ddhcluster, managedinstance)",
			"ram:GetResourceGroup on acs:ram:*:{account}:resourcegroup/{group}",
			"ram:ListResources, ram:ListAssociatedTransferSetting on *",
		},
		Source: []string{
			"Elastic Compute Service API 2014-05-26: JoinResourceGroup",
			"Resource Management API 2020-03-31: GetResourceGroup, ListResources, ListAssociatedTransferSetting",
		},
	}
}

// scoped are the resources of the types that have resource-level permissions; those of the others are granted all or none.
func scoped() string {
	types := []string{"ddh", "disk", "eni", "image", "instance", "keypair", "launchtemplate", "securitygroup", "snapshot"}
	for i, t := range types {
		types[i] = "acs:ecs:{region}:{account}:" + t + "/*"
	}
	return strings.Join(types, ", ")
}

func move(name, help string) membership.Stage {
	return membership.Stage{Name: name, Undo: "puts it back into the group it was in", Help: help,
		Timeout: membership.Duration(moveTimeout), UndoTimeout: membership.Duration(undoTimeout),
		Settle: membership.Duration(readLag), MaxSends: 3, Risk: membership.Harmless}
}

func verify(help string) membership.Stage {
	return membership.Stage{Name: stageVerify, Help: help, Timeout: membership.Duration(verifyTimeout),
		Settle: membership.Duration(readLag), Risk: membership.Harmless}
}
