package huaweiservergroup

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Timings. The vendor publishes none; the Terraform provider reckons 15 to 35 seconds for a power change and gives up
// after three minutes, which is too early for a guest that shuts down databases.
const (
	stopTimeout  = 10 * time.Minute
	startTimeout = 10 * time.Minute
	callTimeout  = 5 * time.Minute
	undoTimeout  = 30 * time.Minute
	// readLag is how long a read may tell what was before a write. Not documented; assumed.
	readLag = 5 * time.Second
)

// Codes of objections and failures.
const (
	codeGroupMissing  = "group-missing"
	codeGroupPolicy   = "group-policy"
	codeServerMissing = "server-missing"
	codeServerStatus  = "server-status"
	codeServerBusy    = "server-busy"
	codeServerLocked  = "server-locked"
	codeNotKVM        = "not-kvm"
	codeKVMUnknown    = "kvm-unknown"
	codeLocalDisk     = "local-disk"
	codePassThrough   = "pci-passthrough"
	codeOtherGroup    = "in-other-group"
	codeNotApart      = "not-apart"
	codePowerChanged  = "power-changed"
	codeStopFailed    = "stop-failed"
	codeStartFailed   = "start-failed"
)

// Spec describes the kind.
func (Kind) Spec() membership.Spec {
	return membership.Spec{
		ID:        ID,
		Title:     "Huawei Cloud ECS group (anti-affinity)",
		Provider:  "huawei",
		Revision:  1,
		PageLimit: membership.MaxMembers,
		Finds:     "servers of the account's project; in a group is whom the ECS group lists",
		Moves:     "out of the one and into the other while the server is off",
		Room:      "the project's quota of members of a group, less those it has",
		Params:    membership.Specs(new(params).declared()),
		Stages: map[membership.Operation][]membership.Stage{
			membership.Join:  joinStages(),
			membership.Leave: leaveStages(),
		},
		Actions: map[string]membership.Action{
			actStop:     {Call: "BatchStopServers (SOFT)", Batch: 100},
			actStopHard: {Call: "BatchStopServers (HARD)", Batch: 100},
			actStart:    {Call: "BatchStartServers", Batch: 100},
			actAdd:      {Call: "AddServerGroupMember", Batch: 1, Prompt: true},
			actRemove:   {Call: "DeleteServerGroupMember", Batch: 1, Prompt: true},
			actPullOut:  {Call: "DeleteServerGroupMember", Batch: 1, Prompt: true},
			actPutBack:  {Call: "AddServerGroupMember", Batch: 1, Prompt: true},
		},
		Objections: []membership.Objection{
			{Code: codeGroupMissing, Reason: "there is no such group in the project"},
			{Code: codeGroupPolicy, Reason: "the group's policy is not anti-affinity, the only one that servers can be added to"},
			{Code: codeServerMissing, Reason: "there is no such server in the project"},
			{Code: codeServerStatus, Reason: "the server is neither running nor stopped"},
			{Code: codeServerBusy, Reason: "the server is doing something else"},
			{Code: codeServerLocked, Reason: "the server is locked, by an order or by the provider"},
			{Code: codeNotKVM, Reason: "the flavor is virtualized by something else than KVM"},
			{Code: codeKVMUnknown, Reason: "the cloud does not tell how the flavor is virtualized; see the parameter assumeKVM"},
			{Code: codeLocalDisk, Reason: "the flavor has local disks, which cannot move to another host"},
			{Code: codePassThrough, Reason: "the flavor has a GPU or FPGA card, which cannot move to another host"},
			{Code: codeOtherGroup, Reason: "the server is in another group; a server takes one policy only: move it, with from"},
			{Code: membership.CodeNotInFrom, Reason: "the server is not in the group that it is to leave for the other"},
		},
		Failures: []membership.Objection{
			{Code: codeServerMissing, Reason: "the server is gone"},
			{Code: codeGroupMissing, Reason: "the group is gone"},
			{Code: codeServerStatus, Reason: "the server has come into a state that it does not leave by itself"},
			{Code: codeNotKVM, Reason: "right before the add the server turned out not to be KVM"},
			{Code: codeKVMUnknown, Reason: "right before the add the cloud did not tell the hypervisor"},
			{Code: codeLocalDisk, Reason: "right before the add the server turned out to have local disks"},
			{Code: codePassThrough, Reason: "right before the add the server turned out to have a GPU or FPGA card"},
			{Code: codeOtherGroup, Reason: "somebody has put the server into another group"},
			{Code: codePowerChanged, Reason: "somebody has started or stopped the server meanwhile"},
			{Code: codeStopFailed, Reason: "the guest did not stop; see the parameter hardStopAfter"},
			{Code: codeNotApart, Reason: "the server runs on the host of another member: the group does not keep them apart"},
			{Code: codeStartFailed, Reason: "the server did not start, as when no host is left that the policy allows; it is taken out of the group and started again"},
		},
		Permissions: []string{
			"ecs:cloudServers:list, ecs:cloudServers:showServerGroup, ecs:flavors:get, ecs:cloudServerQuotas:get on *",
			"ecs:cloudServers:start, ecs:cloudServers:stop on ECS:{region}:{domain}:instance:{server}",
			"ecs:cloudServers:addServerGroupMember, ecs:cloudServers:deleteServerGroupMember on *",
		},
		Source: []string{
			"Elastic Cloud Server API: Adding an ECS to an ECS Group (POST …/os-server-groups/{id}/action)",
			"Elastic Cloud Server API: Deleting an ECS from an ECS Group; Batch Starting and Stopping ECSs; Querying Tasks",
		},
	}
}

func joinStages() []membership.Stage {
	d := func(t time.Duration) membership.Duration { return membership.Duration(t) }
	return []membership.Stage{
		{Name: stageStop, Undo: "starts it again, if it ran", Help: "stops the server, if it runs, softly",
			Timeout: d(stopTimeout), UndoTimeout: d(undoTimeout), Settle: d(readLag), MaxSends: 3, Risk: membership.Disruptive},
		{Name: stageVerifyKVM, Help: "proves once more, right before the add, that the server is KVM and stopped",
			Timeout: d(callTimeout), Settle: d(readLag), Risk: membership.Harmless},
		{Name: stageRemove, Undo: "puts it back into the group that it was in", Help: "of a move: takes the server out of the group that it leaves",
			Timeout: d(callTimeout), UndoTimeout: d(undoTimeout), Settle: d(readLag), MaxSends: 3, Risk: membership.Disruptive},
		{Name: stageAdd, Undo: "removes it from the group", Help: "adds the server to the group and sees it there",
			Timeout: d(callTimeout), UndoTimeout: d(undoTimeout), Settle: d(readLag), MaxSends: 3, Risk: membership.Disruptive},
		{Name: stageStart, Help: "starts the server, if it ran before",
			Timeout: d(startTimeout), Settle: d(readLag), MaxSends: 3, Risk: membership.Harmless},
		{Name: stageVerify, Help: "sees it in the group, apart from other members, and powered as before",
			Timeout: d(callTimeout), Settle: d(readLag), Risk: membership.Harmless},
	}
}

// leaveStages: leaving needs no stop. Coming back does, so that what is undone costs more than what was done.
func leaveStages() []membership.Stage {
	d := func(t time.Duration) membership.Duration { return membership.Duration(t) }
	return []membership.Stage{
		{Name: stageRemove, Undo: "stops it, if it runs, puts it back into the group and starts it again",
			Help:    "removes the server from the group; its policy no longer applies, and the server does not move",
			Timeout: d(callTimeout), UndoTimeout: d(undoTimeout), Settle: d(readLag), MaxSends: 3, Risk: membership.Harmless},
		{Name: stageVerify, Help: "sees that the server is not in the group", Timeout: d(callTimeout), Settle: d(readLag), Risk: membership.Harmless},
	}
}
