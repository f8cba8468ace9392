package backup

import (
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Decide says what a member needs at the stage, or at its undo. now is its instance; exists is false when there is none.
// Whether the member is in the group already, so that it needs no snapshots any more, is for the kind to decide first.
func (e *Evidence) Decide(m membership.Moment, now alibaba.Instance, exists bool) membership.Decision {
	if m.Undo {
		return e.restore(m, now, exists)
	}
	return e.snapshot(m, now)
}

func (e *Evidence) snapshot(m membership.Moment, now alibaba.Instance) membership.Decision {
	var missing, progress string
	for _, disk := range disksOf(m.Member) {
		switch s := e.Snapshots[disk]; {
		case s.ID == "":
			missing = disk
		case s.Status == alibaba.SnapshotFailed:
			return membership.Fail(CodeSnapshotFailed, fmt.Sprintf("snapshot %s of disk %s has failed", s.ID, disk))
		case s.Status != alibaba.SnapshotAccomplished:
			progress = fmt.Sprintf("snapshot %s of disk %s is %s, %s", s.ID, disk, s.Status, s.Progress)
		}
	}
	switch {
	case missing == "" && progress == "": // also when there is nothing to be kept, since nothing is known of it
		return membership.Next()
	case missing == "":
		return membership.Wait(progress)
	case e.System(m.Member, now) != AsBefore:
		return patient(m, CodeSnapshotFailed, "there is no snapshot of disk "+missing+", and "+e.Words(m.Member, now))
	case !Idle(now):
		return membership.Wait(Doing(now))
	default:
		return membership.Act(ActSnapshot, "there is no snapshot of disk "+missing)
	}
}

// restore goes from the image that the instance runs from back to what is still to be done for that. A system that
// cannot be told from the one before is left alone.
func (e *Evidence) restore(m membership.Moment, now alibaba.Instance, exists bool) membership.Decision {
	disk := m.Member.Before[FactSystemDisk]
	snapshot, image := e.Snapshots[disk], e.Images[disk]
	switch system := e.System(m.Member, now); {
	case !exists, system == Unmeasured, system == AsBefore:
		return membership.Next()
	case image.ID != "" && now.Image == image.ID:
		return started(m, now)
	case e.attached(m.Member):
		return patient(m, CodeBackupMissing, "it cannot be told whether the system was installed anew: "+e.Words(m.Member, now))
	case snapshot.Status != alibaba.SnapshotAccomplished:
		return patient(m, CodeBackupMissing, "there is no complete snapshot of disk "+disk+", and "+e.Words(m.Member, now))
	case image.ID == "":
		return membership.Act(ActImage, "there is no image of snapshot "+snapshot.ID)
	case image.Status == alibaba.ImageFailed:
		return membership.Fail(CodeImageFailed, fmt.Sprintf("image %s of snapshot %s could not be made", image.ID, snapshot.ID))
	case image.Status != alibaba.ImageAvailable:
		return membership.Wait(fmt.Sprintf("image %s of snapshot %s is %s", image.ID, snapshot.ID, image.Status))
	case !Idle(now):
		return membership.Wait(Doing(now))
	case now.Status == Running:
		return membership.Act(ActStop, "the instance runs, and its system is to be replaced by image "+image.ID)
	default:
		return membership.Act(ActReplace, "the instance is stopped, and image "+image.ID+" has its system")
	}
}

// started sees to it that an instance runs when it ran before.
func started(m membership.Moment, now alibaba.Instance) membership.Decision {
	switch {
	case !Idle(now):
		return membership.Wait(Doing(now))
	case now.Status == Stopped && m.Member.Before[FactPower] == On:
		return membership.Act(ActStart, "the instance has its system again, and is off")
	default:
		return membership.Next()
	}
}

// patient waits for what should clear soon.
func patient(m membership.Moment, code, what string) membership.Decision {
	if m.In < patience {
		return membership.Wait(what)
	}
	return membership.Fail(code, what)
}
