package alibabaedas

import (
	"maps"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Timings. The vendor publishes none; an import takes 5 to 20 minutes, as a rule.
const (
	checkTimeout  = 90 * time.Minute
	joinTimeout   = 90 * time.Minute
	removeTimeout = 90 * time.Minute
	verifyTimeout = 30 * time.Minute
	undoTimeout   = 2 * time.Hour
	// settle is how long an accepted write may go unseen: the read lag and the time until EDAS begins. Not documented;
	// assumed. Every slice gives it to what the one before has sent, so it stays well below the longest, of 5 minutes. What
	// takes longer is not left to it: an import that was accepted is never sent again, see decideImport.
	settle = 2 * time.Minute
	// stuckAfter is how long a member may take, patience how long it may look wrong once it is there, or how long it has to
	// look as if nothing had happened before an import whose outcome is unknown is sent again. Both end before the stage's
	// timeout does: what has been destroyed is not given up by a timer.
	patience   = 10 * time.Minute
	stuckAfter = 45 * time.Minute
)

// installAtOnce is how many instances one call installs the agent on. It answers when all of them have; no limit is
// documented.
const installAtOnce = 10

// Codes of objections and failures, beside those of package backup.
const (
	codeClusterMissing  = "cluster-missing"
	codeClusterType     = "cluster-type"
	codeClusterRegion   = "cluster-region"
	codeInstanceMissing = "instance-missing"
	codeInstanceStatus  = "instance-status"
	codeInstanceBusy    = "instance-busy"
	codeInstanceLocked  = "instance-locked"
	codeExpired         = "expired"
	codeOSType          = "os-type"
	codeNetworkType     = "network-type"
	codeVPC             = "vpc"
	codePassword        = "password"
	codeOtherCluster    = "other-cluster"
	codeMemberStatus    = "member-status"

	codeNotOffered       = "not-offered"
	codeConversionFailed = "conversion-failed"
	codeMemberStuck      = "member-stuck"
	codeMemberOffline    = "member-offline"
	codeMemberMissing    = "member-missing"
	codeImportLost       = "import-lost"
	codeReinstalled      = "reinstalled"
	codeNotProved        = "not-proved"
	codeSystemLost       = "system-lost"
	codeStillMember      = "still-member"
)

// Spec describes the kind.
func (Kind) Spec() membership.Spec {
	actions := map[string]membership.Action{
		actSync:    {Call: "SynchronizeResource", Batch: alibaba.SynchronizedAtOnce},
		actInstall: {Call: "InstallAgent", Batch: installAtOnce},
		// One instance a call: the answer holds for all of them alike, and most refusals come as text, so that one instance
		// would put the others in doubt.
		actImport: {Call: "InsertClusterMember", Batch: 1},
		actRemove: {Call: "DeleteClusterMember", Batch: 1},
	}
	maps.Copy(actions, backup.Actions())
	return membership.Spec{
		ID:          ID,
		Title:       "Alibaba Cloud EDAS, ECS cluster",
		Provider:    "alibaba",
		Revision:    1,
		Destructive: "with route: reimage",
		PageLimit:   membership.MaxMembers,
		Finds:       "instances of the account's region; in a group are the members of the cluster, also those that failed or are offline",
		Room:        "nobody knows: the vendor publishes no limit, and the cloud tells none",
		Params:      membership.Specs(new(params).declared()),
		Stages: map[membership.Operation][]membership.Stage{
			membership.Join:  joinStages(func(string) bool { return true }),
			membership.Leave: leaveStages(),
		},
		Actions: actions,
		Objections: slices.Concat(preconditions(), []membership.Objection{
			{Code: codeOtherCluster, Reason: "the instance is in another cluster of EDAS, and can be in one only"},
			{Code: codeMemberStatus, Reason: "the instance is a member already, in a status in which nothing can be done with it"},
		}, backup.Objections()),
		Failures: slices.Concat(preconditions(), []membership.Objection{
			{Code: codeNotOffered, Reason: "EDAS does not offer the instance for the cluster: it does not know it, or has it somewhere else"},
			{Code: codeConversionFailed, Reason: "EDAS could not make a member of the instance; what there is of a member is removed"},
			{Code: codeMemberStuck, Reason: "the member does not come out of its status; look at it in the console of EDAS"},
			{Code: codeMemberOffline, Reason: "the agent of EDAS on the instance is not heard of"},
			{Code: codeMemberMissing, Reason: "the member has vanished from the cluster"},
			{Code: codeImportLost, Reason: "EDAS has accepted the import, and nothing has come of it; " +
				"it is not sent again unless somebody says retry"},
			{Code: codeReinstalled, Reason: "the system was installed anew, and no member tells by whom; nothing more is sent to it"},
			{Code: codeNotProved, Reason: "the member is as it should be, but neither image nor system disk of the instance has changed"},
			{Code: codeSystemLost, Reason: "the member was removed again, but its system was installed anew and there is no backup " +
				"to put it back from"},
			{Code: codeStillMember, Reason: "the member was removed, and is in the cluster again"},
		}, backup.Failures()),
		Permissions: append([]string{
			"edas:ReadCluster, edas:ManageCluster on acs:edas:{region}:{account}:namespace/{namespace}/cluster/{cluster}",
			"edas:ReadCluster on acs:edas:{region}:{account}:namespace/*/cluster/*", // so that no instance is taken from another
			"ecs:DescribeInstances, ecs:DescribeDisks on acs:ecs:{region}:{account}:instance/*, acs:ecs:{region}:{account}:disk/*",
			"ecs:StartInstances on acs:ecs:{region}:{account}:instance/{instance} (only with route: reimage)",
		}, backup.Permissions()...),
		Source: append([]string{
			"EDAS API 2017-08-01: InsertClusterMember, InstallAgent, DeleteClusterMember",
			"EDAS API 2017-08-01: ListCluster, ListClusterMembers, ListConvertableEcu, SynchronizeResource",
		}, backup.Source()...),
	}
}

// preconditions are looked at when a run is planned and once more right before the write.
func preconditions() []membership.Objection {
	return []membership.Objection{
		{Code: codeClusterMissing, Reason: "the account has no such cluster of EDAS in its region"},
		{Code: codeClusterType, Reason: "the cluster is one of containers, not of ECS instances"},
		{Code: codeClusterRegion, Reason: "the cluster is in another region than the instance"},
		{Code: codeInstanceMissing, Reason: "the account has no such instance in its region"},
		{Code: codeInstanceStatus, Reason: "the instance does not run"},
		{Code: codeInstanceBusy, Reason: "the instance is doing something else"},
		{Code: codeInstanceLocked, Reason: "the instance is locked, for security or for money"},
		{Code: codeExpired, Reason: "the instance's subscription has ended"},
		{Code: codeOSType, Reason: "the instance's system is not Linux"},
		{Code: codeNetworkType, Reason: "the cluster is in the classic network and the instance in a VPC, or the other way round"},
		{Code: codeVPC, Reason: "the instance's VPC is not the cluster's"},
		{Code: codePassword, Reason: "the worker cannot read the password, or no system would take it; see the parameter passwordFrom"},
	}
}

// stagesOf are the stages of a program.
func stagesOf(op membership.Operation, p params) []membership.Stage {
	if op == membership.Leave {
		return leaveStages()
	}
	return joinStages(func(stage string) bool {
		switch stage {
		case backup.StageName:
			return p.reimage && p.backup
		case stageImport:
			return p.reimage
		case stageInstall:
			return !p.reimage
		}
		return true
	})
}

// joinStages are the stages of all routes, of which a program takes some.
func joinStages(taken func(stage string) bool) []membership.Stage {
	d := func(t time.Duration) membership.Duration { return membership.Duration(t) }
	snapshots := backup.Stage()
	snapshots.Help = "route " + routeReimage + " with backup: " + snapshots.Help
	const removes = "removes the member from the cluster (DeleteClusterMember)"
	all := []membership.Stage{
		{Name: stageCheck, Help: "checks once more that everything is still so, and has EDAS look at instances that it does not know",
			Timeout: d(checkTimeout), Settle: d(settle), MaxSends: 1, Risk: membership.Harmless},
		snapshots,
		{Name: stageInstall, Undo: removes,
			Help:    "route " + routeInstall + ": installs the agent of EDAS, and waits until the member runs; the system stays as it is",
			Timeout: d(joinTimeout), UndoTimeout: d(undoTimeout), Settle: d(settle), MaxSends: 3, Risk: membership.Harmless},
		{Name: stageImport, Undo: removes + ", and starts the instance if that has left it off; " +
			"what was on its system disk only a backup gives back",
			Help: "route " + routeReimage + ": imports the instance: INSTALLS its system ANEW, which destroys what is there, " +
				"and waits until the member runs",
			// Once more only when EDAS did not answer and still offers the instance for import, see decideImport.
			Timeout: d(joinTimeout), UndoTimeout: d(undoTimeout), Settle: d(settle), MaxSends: 2, Risk: membership.Destructive},
		{Name: stageVerify, Help: "sees the member and its instance run and, after an import, " +
			"that the instance's image or system disk is another",
			Timeout: d(verifyTimeout), Settle: d(settle), Risk: membership.Harmless},
	}
	return slices.DeleteFunc(all, func(s membership.Stage) bool { return !taken(s.Name) })
}

// leaveStages: nothing of it can be undone but by a join.
func leaveStages() []membership.Stage {
	d := func(t time.Duration) membership.Duration { return membership.Duration(t) }
	return []membership.Stage{
		{Name: stageRemove, Help: "removes the member from the cluster; the instance and its system stay as they are",
			Timeout: d(removeTimeout), Settle: d(settle), MaxSends: 3, Risk: membership.Harmless},
		{Name: stageVerify, Help: "sees once more that the member is gone", Timeout: d(verifyTimeout), Settle: d(settle),
			Risk: membership.Harmless},
	}
}
