package alibabanodepool

import (
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Timings. The vendor publishes none; the Terraform provider gives a node pool an hour.
const (
	checkTimeout  = 90 * time.Minute
	attachTimeout = 90 * time.Minute
	removeTimeout = 90 * time.Minute
	verifyTimeout = 30 * time.Minute
	undoTimeout   = 2 * time.Hour
	// settle is how long an accepted write may go unseen: the read lag and the time until its task begins. Not documented;
	// assumed.
	settle = 2 * time.Minute
	// stuckAfter is how long a node may take, patience how long it may look wrong once it is there, before a person is
	// asked. Both end before the stage's timeout does: what has been wiped is not given up by a timer.
	patience   = 10 * time.Minute
	stuckAfter = 45 * time.Minute
	// unlisted is how long an instance may be a node, and have lost its system, before the cluster lists it.
	unlisted = 5 * time.Minute
)

// perCall is how many instances one call takes. No limit is documented; assumed.
const perCall = 50

// Codes of objections and failures.
const (
	codeClusterMissing  = "cluster-missing"
	codeClusterState    = "cluster-state"
	codePoolMissing     = "pool-missing"
	codePoolState       = "pool-state"
	codeInstanceMissing = "instance-missing"
	codeInstanceStatus  = "instance-status"
	codeInstanceBusy    = "instance-busy"
	codeInstanceLocked  = "instance-locked"
	codeNodeElsewhere   = "node-elsewhere"
	codeNodeState       = "node-state"
	codeRegion          = "region"
	codeVPC             = "vpc"
	codeNotLinux        = "not-linux"
	codePassword        = "password"

	codeAttachFailed = "attach-failed"
	codeRemoveFailed = "remove-failed"
	codeNodeFailed   = "node-failed"
	codeNodeStuck    = "node-stuck"
	codeNodeMissing  = "node-missing"
	codeReinstalled  = "reinstalled"
	codeNotProved    = "not-proved"
)

// Spec describes the kind.
func (Kind) Spec() membership.Spec {
	return membership.Spec{
		ID:          ID,
		Title:       "Alibaba Cloud ACK node pool",
		Provider:    "alibaba",
		Revision:    1,
		Destructive: "always",
		PageLimit:   membership.MaxMembers,
		Finds:       "instances of the account's region; in a group are the nodes of the pool, also those that failed or are on their way out",
		Room:        "the account's quota of nodes of a cluster, less those it has; its pools share it",
		Params:      membership.Specs(new(params).declared()),
		Stages: map[membership.Operation][]membership.Stage{
			membership.Join:  stages(membership.Join, params{backup: true}),
			membership.Leave: stages(membership.Leave, params{}),
		},
		Actions: actions(),
		Objections: slices.Concat(preconditions(), backup.Objections(), []membership.Objection{
			{Code: codeNodeState, Reason: "the instance is a node of the pool already, in a state that leads nowhere"},
		}),
		Failures: slices.Concat(preconditions(), backup.Failures(), []membership.Objection{
			{Code: codeAttachFailed, Reason: "the cluster's task has failed for the instance, and it is no node"},
			{Code: codeNodeFailed, Reason: "the node was not installed; it is removed"},
			{Code: codeNodeStuck, Reason: "the node does not come to rest, or not to Ready; look at the cluster's console and at the node's system log"},
			{Code: codeNodeMissing, Reason: "the node has vanished from the pool"},
			{Code: codeReinstalled, Reason: "the instance has another system disk, and no node tells by whom; nothing more is sent to it"},
			{Code: codeNotProved, Reason: "the node is as it should be, but the instance still has its former system disk"},
			{Code: codeRemoveFailed, Reason: "the cluster's task to remove the node has failed, as when its pods cannot be moved"},
		}),
		Permissions: append([]string{
			"cs:DescribeClusterDetail, cs:DescribeClusterNodePoolDetail, cs:DescribeClusterNodes, cs:AttachInstances, cs:RemoveNodePoolNodes on acs:cs:{region}:{account}:cluster/{cluster}",
			"cs:DescribeClusterNodes on acs:cs:{region}:{account}:cluster/*", // nobody may be a node of two clusters
			"cs:DescribeClustersV1, cs:DescribeTaskInfo, cs:DescribeUserQuota on *",
			"ecs:DescribeInstances, ecs:DescribeDisks on acs:ecs:{region}:{account}:instance/*, acs:ecs:{region}:{account}:disk/*",
			"ecs:StartInstances on acs:ecs:{region}:{account}:instance/{instance}", // one that an attach has left off
		}, backup.Permissions()...),
		Source: append([]string{
			"Container Service API 2015-12-15: AttachInstances, RemoveNodePoolNodes, DescribeTaskInfo, DescribeUserQuota",
			"Container Service API 2015-12-15: DescribeClusterDetail, DescribeClustersV1, DescribeClusterNodePoolDetail, DescribeClusterNodes",
			"Elastic Compute Service API 2014-05-26: DescribeInstances",
		}, backup.Source()...),
	}
}

// actions are the kind's writes and those of backups.
func actions() map[string]membership.Action {
	all := backup.Actions()
	all[actAttach] = membership.Action{Call: "AttachInstances", Batch: perCall}
	all[actRemove] = membership.Action{Call: "RemoveNodePoolNodes", Batch: perCall}
	return all
}

// preconditions are looked at when a run is planned and once more right before the attach.
func preconditions() []membership.Objection {
	return []membership.Objection{
		{Code: codeClusterMissing, Reason: "the account has no such cluster in its region"},
		{Code: codeClusterState, Reason: "the cluster is neither running nor on its way there"},
		{Code: codePoolMissing, Reason: "there is no such node pool in the cluster"},
		{Code: codePoolState, Reason: "the node pool is neither active nor on its way there"},
		{Code: codeInstanceMissing, Reason: "the account has no such instance in its region"},
		{Code: codeInstanceStatus, Reason: "the instance does not run"},
		{Code: codeInstanceBusy, Reason: "the instance is doing something else"},
		{Code: codeInstanceLocked, Reason: "the instance is locked, for security, for money or since it is to be taken back"},
		{Code: codeNodeElsewhere, Reason: "the instance is a node of another pool or cluster"},
		{Code: codeRegion, Reason: "the instance and the cluster are in different regions"},
		{Code: codeVPC, Reason: "the instance's VPC is not the cluster's"},
		{Code: codeNotLinux, Reason: "the instance has another system than Linux"},
		{Code: codePassword, Reason: "the password that passwordFrom names cannot be read, or would not be taken"},
	}
}

// stages returns the stages of an operation with its parameters.
func stages(op membership.Operation, p params) []membership.Stage {
	d := func(t time.Duration) membership.Duration { return membership.Duration(t) }
	if op == membership.Leave { // which cannot be undone: an instance comes back only by a join, which wipes it
		return []membership.Stage{
			{Name: stageRemove, Help: "takes the node out of the pool and the cluster: moves its pods elsewhere, unless drain is false; their data on the node is lost; the instance stays, and is not released",
				Timeout: d(removeTimeout), Settle: d(settle), MaxSends: 2, Risk: membership.Destructive},
			{Name: stageVerify, Help: "sees that the node is gone and the instance is as it was", Timeout: d(verifyTimeout),
				Settle: d(settle), Risk: membership.Harmless},
		}
	}
	all := []membership.Stage{
		{Name: stageCheck, Help: "waits a while for others who are at work on the pool, and checks once more that everything is still so",
			Timeout: d(checkTimeout), Settle: d(settle), Risk: membership.Harmless},
		{Name: stageAttach, Undo: "takes the node out of the pool and the cluster; the instance stays, with the system that it got as a node",
			Help:    "makes the instance a node of the pool: REPLACES its system disk, and waits until the node is Ready",
			Timeout: d(attachTimeout), UndoTimeout: d(undoTimeout), Settle: d(settle), MaxSends: 2, Risk: membership.Destructive},
		{Name: stageVerify, Help: "sees the node Ready in the pool, and that the instance's former system disk is gone",
			Timeout: d(verifyTimeout), Settle: d(settle), Risk: membership.Harmless},
	}
	if p.backup {
		all = slices.Insert(all, 1, backup.Stage())
	}
	return all
}
