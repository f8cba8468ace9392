package huaweinodepool

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Timings. The vendor publishes none; the Terraform provider looks for the first time after two minutes and gives up
// after twenty.
const (
	checkTimeout  = 90 * time.Minute
	addTimeout    = 90 * time.Minute
	removeTimeout = 90 * time.Minute
	verifyTimeout = 30 * time.Minute
	undoTimeout   = 2 * time.Hour
	// settle is how long an accepted write may go unseen: the read lag and the time until its job begins. Not documented;
	// assumed.
	settle = 2 * time.Minute
	// stuckAfter is how long a node may take, patience how long it may look wrong once it is there, before a person is
	// asked. Both end before the stage's timeout does: what has been wiped is not given up by a timer.
	patience   = 10 * time.Minute
	stuckAfter = 45 * time.Minute
)

// Codes of objections and failures.
const (
	codeClusterMissing = "cluster-missing"
	codeClusterStatus  = "cluster-status"
	codePoolMissing    = "pool-missing"
	codePoolStatus     = "pool-status"
	codeServerMissing  = "server-missing"
	codeServerStatus   = "server-status"
	codeServerBusy     = "server-busy"
	codeServerLocked   = "server-locked"
	codeNodeElsewhere  = "node-elsewhere"
	codeNodeState      = "node-state"
	codeDynamicNode    = "dynamic-node"
	codeSpot           = "spot"
	codeBilling        = "billing-mode"
	codeVPC            = "vpc"
	codeSubnet         = "subnet"
	codeSubnetUnknown  = "subnet-unknown"
	codeZone           = "zone"
	codeFlavor         = "flavor"
	codeGroup          = "ecs-group"
	codeTooSmall       = "too-small"
	codeNICs           = "nics"
	codeNotKVM         = "not-kvm"

	codeAddFailed   = "add-failed"
	codeNodeError   = "node-error"
	codeNodeStuck   = "node-stuck"
	codeNodeMissing = "node-missing"
	codeReinstalled = "reinstalled"
	codeNotProved   = "not-proved"
)

// Spec describes the kind.
func (Kind) Spec() membership.Spec {
	return membership.Spec{
		ID:          ID,
		Title:       "Huawei Cloud CCE node pool",
		Provider:    "huawei",
		Revision:    1,
		Destructive: "always",
		PageLimit:   membership.MaxMembers,
		Finds:       "servers of the account's project; in a group are the nodes of the pool",
		Room:        "the nodes that the cluster's flavor takes, less those it has; its pools share it",
		Params:      membership.Specs(new(params).declared()),
		Stages: map[membership.Operation][]membership.Stage{
			membership.Join:  joinStages(),
			membership.Leave: leaveStages(),
		},
		Actions: map[string]membership.Action{
			actAdd:    {Call: "AddNodesToNodePool", Batch: huawei.NodesPerCall},
			actRemove: {Call: "RemoveNode", Batch: huawei.NodesPerCall},
		},
		Objections: append(preconditions(),
			membership.Objection{Code: codeNodeState, Reason: "the server is a node of the pool already, in a phase that leads nowhere"},
		),
		Failures: append(preconditions(),
			membership.Objection{Code: codeAddFailed, Reason: "the job has failed before it touched the server"},
			membership.Objection{Code: codeNodeError, Reason: "the node was not installed; it is removed, and its system installed again"},
			membership.Objection{Code: codeNodeStuck, Reason: "the node does not come out of its phase; look at the server's console and its subnet's DNS"},
			membership.Objection{Code: codeNodeMissing, Reason: "the node has vanished from the pool"},
			membership.Objection{Code: codeReinstalled, Reason: "the server's system was installed anew, and no node tells by whom; nothing more is sent to it"},
			membership.Objection{Code: codeNotProved, Reason: "the node is as it should be, but neither image nor system disk of the server has changed"},
		),
		Permissions: []string{
			"ecs:cloudServers:list, ecs:flavors:get on *",
			"cce:cluster:list, cce:cluster:get, cce:nodepool:get, cce:node:list, cce:job:get on *",
			"cce:node:create, cce:node:remove on *",
		},
		Source: []string{
			"Cloud Container Engine API: Managing a Node in a Customized Node Pool (POST …/nodepools/{id}/nodes/add)",
			"Cloud Container Engine API: Removing a Node; Listing Nodes; Reading a Node Pool, a Cluster, a Job",
		},
	}
}

// preconditions are looked at when a run is planned and once more right before the add.
func preconditions() []membership.Objection {
	return []membership.Objection{
		{Code: codeClusterMissing, Reason: "there is no such cluster in the project"},
		{Code: codeClusterStatus, Reason: "the cluster is not Available"},
		{Code: codePoolMissing, Reason: "there is no such node pool in the cluster"},
		{Code: codePoolStatus, Reason: "the node pool is being deleted"},
		{Code: codeServerMissing, Reason: "there is no such server in the project"},
		{Code: codeServerStatus, Reason: "the server does not run"},
		{Code: codeServerBusy, Reason: "the server is doing something else"},
		{Code: codeServerLocked, Reason: "the server is locked, by an order or by the provider"},
		{Code: codeNodeElsewhere, Reason: "the server is a node of another pool or cluster"},
		{Code: codeDynamicNode, Reason: "the server has the tag of nodes that a cluster made itself"},
		{Code: codeSpot, Reason: "the server is a spot instance"},
		{Code: codeBilling, Reason: "the server's billing mode is not the pool's"},
		{Code: codeVPC, Reason: "the server's VPC is not the cluster's"},
		{Code: codeSubnet, Reason: "the server's subnet is not the pool's"},
		{Code: codeSubnetUnknown, Reason: "the cloud does not tell the server's subnet; see the parameter assumeSubnet"},
		{Code: codeZone, Reason: "the server's availability zone is not the pool's"},
		{Code: codeFlavor, Reason: "the server's flavor is not the pool's"},
		{Code: codeGroup, Reason: "the server's ECS group is not the pool's; huawei.servergroup puts it there"},
		{Code: codeTooSmall, Reason: "the server has less than 2 vCPUs or 4 GiB"},
		{Code: codeNICs, Reason: "the server has not exactly one network interface"},
		{Code: codeNotKVM, Reason: "the flavor is virtualized by Xen, on which nodes do not work"},
	}
}

func joinStages() []membership.Stage {
	d := func(t time.Duration) membership.Duration { return membership.Duration(t) }
	return []membership.Stage{
		{Name: stageCheck, Help: "checks once more, right before the add, that everything is still so",
			Timeout: d(checkTimeout), Settle: d(settle), Risk: membership.Harmless},
		{Name: stageAdd, Undo: "removes the node from the cluster (RemoveNode), which installs the server's system once again; what was on its disks is lost either way",
			Help:    "makes the server a node of the pool: WIPES its disks, installs the cluster's system, and waits until the node is Active",
			Timeout: d(addTimeout), UndoTimeout: d(undoTimeout), Settle: d(settle), MaxSends: 2, Risk: membership.Destructive},
		{Name: stageVerify, Help: "sees the node Active in the pool, and that the server's image or system disk is another",
			Timeout: d(verifyTimeout), Settle: d(settle), Risk: membership.Harmless},
	}
}

// leaveStages: nothing of it can be undone. A node that has left comes back only by a Join, which wipes it once more.
func leaveStages() []membership.Stage {
	d := func(t time.Duration) membership.Duration { return membership.Duration(t) }
	return []membership.Stage{
		{Name: stageRemove, Help: "removes the node from the cluster: evicts its pods, WIPES its disks and installs a plain system; the server stays",
			Timeout: d(removeTimeout), Settle: d(settle), MaxSends: 2, Risk: membership.Destructive},
		{Name: stageVerify, Help: "sees that the node is gone and the server runs", Timeout: d(verifyTimeout), Settle: d(settle),
			Risk: membership.Harmless},
	}
}
