// Package backup keeps what the disks of instances held before their systems are installed anew, and gives a system back
// from there. Kinds that destroy systems share it: it gives them the stage in which snapshots are made, whose undo is the
// restore, and it tells from the disks whether a system is still the one that was. It knows no kind.
//
// What a run makes is tagged with the digest of its program, so that it is found again, whoever made it, and its writes
// carry tokens made of that digest, so that the cloud takes a repeated one for the first.
package backup

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// StageName is the name of the stage in which snapshots are made.
const StageName = "snapshot"

// Actions: the writes of the stage and of its undo.
const (
	ActSnapshot = "snapshot"
	ActImage    = "create-image"
	ActStop     = "stop"
	ActReplace  = "replace-system-disk"
	ActStart    = "start" // also for kinds, to have running again what ran
)

// Facts that a program remembers of a member.
const (
	FactPower      = membership.FactPower
	FactImage      = "image"      // the system as it was: what tells, with its disk, whether it was installed anew
	FactSystemDisk = "systemDisk" //
	FactDataDisks  = "dataDisks"  // ids, separated by commas; left out when there are none
	FactKeyPair    = "keyPair"    // what people logged on with; left out when it was a password
)

// Values of FactPower.
const (
	On  = membership.PowerOn
	Off = membership.PowerOff
)

// Statuses of an instance at rest.
const (
	Running = "Running"
	Stopped = "Stopped"
)

// Codes of objections.
const (
	CodeSystemDisk = "system-disk-unknown"
	CodeDiskStatus = "disk-status"
	CodeDiskLocal  = "disk-local"
)

// Codes of failures.
const (
	CodeSnapshotFailed = "snapshot-failed"
	CodeBackupMissing  = "backup-missing"
	CodeImageFailed    = "image-failed"
)

// Timings. A first snapshot of a full disk may take more than an hour, and an image is copied from it.
const (
	stageTimeout = 6 * time.Hour
	undoTimeout  = 6 * time.Hour
	// settle covers the read lag of ECS. What is sent too early again does no harm: it carries the same token, or is
	// refused while the first is under way.
	settle   = 30 * time.Second
	patience = 10 * time.Minute // how long what contradicts itself may do so
	maxSends = 5
)

// tagKey marks what was made; its value begins with the short digest.
const tagKey = "fleetjoin"

// parts is how many tags the snapshots of a run share: the cloud lists no more than 1,000 with one, and 200 instances have
// up to 3,400 disks. It must stay as it is, or runs under way lose what they have kept.
const parts = 8

// Param is the parameter that asks for backups.
func Param(into *bool, when string) membership.Param {
	return membership.Flag(into, "backup", false, when+"makes snapshots of all disks first, and puts the system back from them "+
		"when the member fails; they are kept after the run, and cost money until they are deleted")
}

// Stage makes the snapshots, and puts the system back when it is undone. It belongs before the stage that destroys.
func Stage() membership.Stage {
	d := func(t time.Duration) membership.Duration { return membership.Duration(t) }
	return membership.Stage{
		Name: StageName,
		Help: "makes a snapshot of every disk and waits until all are complete; they are named fleetjoin-DIGEST-DISK, " +
			"with the first 12 digits of the program's digest, have the tag fleetjoin=DIGEST-PART, and are kept",
		Undo: "puts the system back when it was installed anew: makes an image of the system disk's snapshot, " +
			"stops the instance, replaces its system disk and starts it again; " +
			"data disks are not touched, their snapshots are kept for people",
		Timeout: d(stageTimeout), UndoTimeout: d(undoTimeout), Settle: d(settle), MaxSends: maxSends, Risk: membership.Harmless}
}

// Actions are those that the stage and its undo ask for.
func Actions() map[string]membership.Action {
	return map[string]membership.Action{
		ActSnapshot: {Call: "CreateSnapshot", Batch: 1}, // a call for each disk of the member
		ActImage:    {Call: "CreateImage", Batch: 1},
		ActStop:     {Call: "StopInstances", Batch: 1},
		ActReplace:  {Call: "ReplaceSystemDisk", Batch: 1},
		ActStart:    {Call: "StartInstances", Batch: 1},
	}
}

// Objections are the codes that Evidence.Objections refuses with.
func Objections() []membership.Objection {
	return []membership.Objection{
		{Code: CodeSystemDisk, Reason: "the cloud does not tell which disk the system is on, " +
			"so that nothing would tell whether it was installed anew"},
		{Code: CodeDiskStatus, Reason: "a disk is not In_use, so that there can be no snapshot of it"},
		{Code: CodeDiskLocal, Reason: "a disk is local to its host, so that there can be no snapshot of it"},
	}
}

// Failures are the codes that Evidence.Decide fails with.
func Failures() []membership.Objection {
	return []membership.Objection{
		{Code: CodeSnapshotFailed, Reason: "a snapshot could not be made; nothing was destroyed"},
		{Code: CodeBackupMissing, Reason: "the system was installed anew, and there is no complete snapshot of the one before"},
		{Code: CodeImageFailed, Reason: "no image could be made of the snapshot of the system; the snapshot is kept"},
	}
}

// Permissions are what backups need of an account; DescribeDisks and StartInstances are for the kind to ask for, since it
// needs them without backups, too.
func Permissions() []string {
	const ecs = "acs:ecs:{region}:{account}:"
	const disk, snapshot, image = ecs + "disk/*", ecs + "snapshot/*", ecs + "image/*"
	const only = " (only with backup: true)"
	return []string{
		"ecs:DescribeSnapshots, ecs:DescribeImages on " + snapshot + ", " + image + only,
		"ecs:CreateSnapshot, ecs:CreateImage on " + disk + ", " + snapshot + ", " + image + only,
		"ecs:ReplaceSystemDisk, ecs:StopInstances on " + ecs + "instance/{instance}, " + disk + ", " + image + only,
	}
}

// Source names the API pages that the package rests on.
func Source() []string {
	return []string{
		"Elastic Compute Service API 2014-05-26: CreateSnapshot, CreateImage, ReplaceSystemDisk",
		"Elastic Compute Service API 2014-05-26: DescribeDisks, DescribeSnapshots, DescribeImages",
	}
}

// Warnings is what people should know before they approve a program that installs systems anew.
func Warnings(wanted bool) []string {
	if !wanted {
		return []string{"there is no backup: a system that was installed anew is never given back; see the parameter backup"}
	}
	return []string{
		"snapshots and images are kept after the run and cost money until somebody deletes them: look for the tag " + tagKey,
		"snapshots are made of systems that run: what these have not yet written to their disks is not in them",
	}
}

// origin is the digest of the program that the backups of a member are named by: the one under which its story began, so
// that who is tried again, or put back later, finds what was kept at first.
func origin(p *membership.Program, m *membership.Member) string { return cmp.Or(m.Origin, p.Digest) }

// short is the part of a program's digest that names what its run makes.
func short(digest string) string {
	const digits = 12
	hash := strings.TrimPrefix(digest, "sha256:")
	return hash[:min(digits, len(hash))]
}

// name names a snapshot of a disk, or an image of its system.
func name(digest, disk string) string { return tagKey + "-" + short(digest) + "-" + disk }

// tag marks the images that the run of a program makes.
func tag(digest string) alibaba.Tag { return alibaba.Tag{Key: tagKey, Value: short(digest)} }

// partTag marks the snapshots of an instance's disks, and those of some other instances.
func partTag(digest, instance string) alibaba.Tag {
	sum := sha256.Sum256([]byte(instance))
	return alibaba.Tag{Key: tagKey, Value: fmt.Sprintf("%s-%d", short(digest), sum[0]%parts)}
}

// token makes a repeated write the same to the cloud, and no other: at most 64 letters and digits.
func token(p *membership.Program, action, of string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{p.Digest, action, of}, "\n")))
	return hex.EncodeToString(sum[:20])
}

// disksOf lists the disks that a member had, its system disk first.
func disksOf(m *membership.Member) []string {
	var ids []string
	for _, id := range append([]string{m.Before[FactSystemDisk]}, strings.Split(m.Before[FactDataDisks], ",")...) {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}
