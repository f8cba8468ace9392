package alibabadeploymentset

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Timings. The vendor publishes none; the Terraform provider waits up to ten minutes for a power change, and knows of
// guests that take eight to start.
const (
	powerTimeout = 15 * time.Minute
	placeTimeout = 15 * time.Minute
	callTimeout  = 5 * time.Minute
	undoTimeout  = 30 * time.Minute
	// readLag is how long a read may tell what was before a write. Not documented; assumed.
	readLag = 5 * time.Second
	// placeLag is how long a change of the set may take to show: with a change of host, it is no mere entry. Assumed.
	placeLag = 30 * time.Second
)

// Codes of objections and failures.
const (
	codeGroupMissing    = "group-missing"
	codeGroupStrategy   = "group-strategy"
	codeInstanceMissing = "instance-missing"
	codeInstanceStatus  = "instance-status"
	codeInstanceBusy    = "instance-busy"
	codeInstanceLocked  = "instance-locked"
	codeNetworkType     = "network-type"
	codeNoHost          = "no-host"
	codeLocalDisk       = "local-disk"
	codeOtherGroup      = "in-other-group"
	codePowerChanged    = "power-changed"
)

// Spec describes the kind.
func (Kind) Spec() membership.Spec {
	const instance = "acs:ecs:{region}:{account}:instance/"
	return membership.Spec{
		ID:        ID,
		Title:     "Alibaba Cloud deployment set (anti-affinity)",
		Provider:  "alibaba",
		Revision:  1,
		PageLimit: membership.MaxMembers,
		Finds:     "instances of the account's region; in a group is whom the deployment set lists",
		Moves:     "in one write, while the instance is off",
		Room:      "what the cloud says that the set takes in all zones together; in each of them it takes fewer",
		Params:    membership.Specs(new(params).declared()),
		Stages: map[membership.Operation][]membership.Stage{
			membership.Join:  joinStages(),
			membership.Leave: leaveStages(),
		},
		Actions: map[string]membership.Action{
			actStop:    {Call: "StopInstances (KeepCharging)", Batch: 100},
			actStart:   {Call: "StartInstances", Batch: 100},
			actPlace:   {Call: "ModifyInstanceDeployment", Batch: 1},
			actRemove:  {Call: "ModifyInstanceDeployment (RemoveFromDeploymentSet)", Batch: 1},
			actRestore: {Call: "ModifyInstanceDeployment", Batch: 1},
		},
		Objections: []membership.Objection{
			{Code: codeGroupMissing, Reason: "the account has no such deployment set in its region"},
			{Code: codeGroupStrategy, Reason: "the set's strategy does not keep instances apart"},
			{Code: codeInstanceMissing, Reason: "the account has no such instance in its region"},
			{Code: codeInstanceStatus, Reason: "the instance is neither running nor stopped"},
			{Code: codeInstanceBusy, Reason: "the instance is doing something else"},
			{Code: codeInstanceLocked, Reason: "the instance is locked, for security or for money"},
			{Code: codeNetworkType, Reason: "the instance is in the classic network"},
			{Code: codeNoHost, Reason: "the instance is stopped without charge, and so on no host"},
			{Code: codeLocalDisk, Reason: "the instance has disks of its host, whose data would be lost on another; see the parameter force"},
			{Code: codeOtherGroup, Reason: "the instance is in another deployment set; move it, with from"},
			{Code: membership.CodeNotInFrom, Reason: "the instance is not in the set that it is to leave for the other"},
		},
		Failures: []membership.Objection{
			{Code: codeGroupMissing, Reason: "the deployment set is gone"},
			{Code: codeInstanceMissing, Reason: "the instance is gone"},
			{Code: codeInstanceStatus, Reason: "the instance has come into a status that nobody knows"},
			{Code: codeLocalDisk, Reason: "right before it was to be placed, the instance turned out to have disks of its host"},
			{Code: codeOtherGroup, Reason: "somebody has put the instance into another deployment set"},
			{Code: codePowerChanged, Reason: "somebody has started or stopped the instance meanwhile"},
		},
		Permissions: []string{
			"ecs:DescribeInstances on " + instance + "*",
			"ecs:DescribeDeploymentSets on acs:ecs:{region}:{account}:deploymentset/*",
			"ecs:StopInstances, ecs:StartInstances, ecs:ModifyInstanceDeployment on " + instance + "{instance}",
		},
		Source: []string{
			"Elastic Compute Service API: ModifyInstanceDeployment, DescribeDeploymentSets",
			"Elastic Compute Service API: StopInstances, StartInstances, DescribeInstances",
		},
	}
}

func joinStages() []membership.Stage {
	d := func(t time.Duration) membership.Duration { return membership.Duration(t) }
	return []membership.Stage{
		{Name: stageStop, Undo: "starts it again, if it ran", Help: "stops the instance, if it runs, softly, and goes on paying for its place",
			Timeout: d(powerTimeout), UndoTimeout: d(undoTimeout), Settle: d(readLag), MaxSends: 3, Risk: membership.Disruptive},
		{Name: stagePlace, Undo: "puts it back into the set that it was in, or into none", Help: "puts the instance into the deployment set and sees it there",
			Timeout: d(placeTimeout), UndoTimeout: d(undoTimeout), Settle: d(placeLag), MaxSends: 3, Risk: membership.Disruptive},
		{Name: stageStart, Help: "starts the instance, if it ran before",
			Timeout: d(powerTimeout), Settle: d(readLag), MaxSends: 3, Risk: membership.Harmless},
		{Name: stageVerify, Help: "sees the instance in the set and powered as before",
			Timeout: d(callTimeout), Settle: d(readLag), Risk: membership.Harmless},
	}
}

// leaveStages: leaving needs no stop. Coming back does, so that what is undone costs more than what was done.
func leaveStages() []membership.Stage {
	d := func(t time.Duration) membership.Duration { return membership.Duration(t) }
	return []membership.Stage{
		{Name: stageRemove, Undo: "stops it, if it runs, puts it back into the set and starts it again",
			Help:    "takes the instance out of the set; its strategy no longer applies, and the instance does not move",
			Timeout: d(placeTimeout), UndoTimeout: d(undoTimeout), Settle: d(placeLag), MaxSends: 3, Risk: membership.Harmless},
		{Name: stageVerify, Help: "sees that the instance is not in the set", Timeout: d(callTimeout), Settle: d(readLag), Risk: membership.Harmless},
	}
}
