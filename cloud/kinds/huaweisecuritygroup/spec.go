package huaweisecuritygroup

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Timings. The vendor publishes none.
const (
	callTimeout = 5 * time.Minute
	undoTimeout = 30 * time.Minute
	// settle is how long a read may tell what was before a write. Assumed.
	settle = 10 * time.Second
)

// adviceGroups is how many groups of one server the vendor advises not to exceed. It is no limit.
const adviceGroups = 5

// Codes of objections and failures.
const (
	codeServerMissing = "server-missing"
	codeServerStatus  = "server-status"
	codeGroupMissing  = "group-missing"
	codeLastGroup     = "last-group"
)

// Spec describes the kind.
func (Kind) Spec() membership.Spec {
	return membership.Spec{
		ID:        ID,
		Title:     "Huawei Cloud VPC security group",
		Provider:  "huawei",
		Revision:  1,
		PageLimit: membership.MaxMembers,
		Finds:     "servers of the account's project; in a group is who has a network interface in it",
		Room:      "without end: the vendor publishes no number of servers",
		Moves:     "in two writes: into the one first, so that no moment is without rules",
		Params:    []membership.ParamSpec{},
		Stages: map[membership.Operation][]membership.Stage{
			membership.Join: stages("adds the server to the group, with all its network interfaces, and sees it there",
				"of a move: removes the server from the group that it leaves, and sees it gone"),
			membership.Leave: stages("adds the server to the group of swap, if there is one, and sees it there",
				"removes the server from the group and sees it gone"),
		},
		Actions: map[string]membership.Action{
			actAdd:     {Call: "NovaAssociateSecurityGroup", Batch: 1, Prompt: true},
			actRemove:  {Call: "NovaDisassociateSecurityGroup", Batch: 1, Prompt: true},
			actTakeOut: {Call: "NovaDisassociateSecurityGroup", Batch: 1, Prompt: true},
			actPutBack: {Call: "NovaAssociateSecurityGroup", Batch: 1, Prompt: true},
		},
		Objections: []membership.Objection{
			{Code: codeServerMissing, Reason: "there is no such server in the project"},
			{Code: codeServerStatus, Reason: "the server is being deleted, or was"},
			{Code: codeGroupMissing, Reason: "there is no such group in the project"},
			{Code: membership.CodeNotInFrom, Reason: "the server is not in the group that it is to leave for the other"},
			{Code: codeLastGroup, Reason: "the server would be in no group; let it join another one, from this one"},
		},
		Failures: []membership.Objection{
			{Code: codeServerMissing, Reason: "the server is gone"},
			{Code: codeLastGroup, Reason: "somebody has taken the server out of all other groups meanwhile"},
		},
		Permissions: []string{
			"ecs:cloudServers:list on *",
			"ecs:securityGroups:use on *",
			"vpc:securityGroups:get, vpc:securityGroups:update, vpc:ports:get, vpc:ports:update on *", // what the one above depends on
		},
		Source: []string{
			"Elastic Cloud Server API: Adding an ECS to a Security Group (POST …/servers/{id}/action, addSecurityGroup)",
			"Elastic Cloud Server API: Removing an ECS from a Security Group (removeSecurityGroup); Querying Details About ECSs",
			"Elastic Cloud Server API: Permissions and Supported Actions, Security Group Management",
			"Virtual Private Cloud API: Querying a Security Group; Querying Ports",
		},
	}
}

// stages are two writes, of which each may have nothing to do, and a read. First comes what lets traffic through.
func stages(add, remove string) []membership.Stage {
	write := membership.Stage{Timeout: membership.Duration(callTimeout), UndoTimeout: membership.Duration(undoTimeout),
		Settle: membership.Duration(settle), MaxSends: 3, Risk: membership.Disruptive}
	first, second := write, write
	first.Name, first.Help, first.Undo = stageAdd, add, "takes the server out again, if it was not in before"
	second.Name, second.Help, second.Undo = stageRemove, remove, "puts the server back, if it was in before"
	return []membership.Stage{first, second, {Name: stageVerify, Help: "sees once more that the server's groups are as they should be",
		Timeout: membership.Duration(callTimeout), Settle: membership.Duration(settle), Risk: membership.Harmless}}
}
