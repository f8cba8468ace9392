package alibabaedas

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Decide says what an instance needs at a stage. Whether it is a member decides first, then, where systems are at stake,
// whether its system is still the one that it had: it is imported only while everything says that nobody has begun. Where
// they contradict each other for long, a person is asked, since neither waiting nor undoing brings a disk back.
func (o *observation) Decide(m membership.Moment) membership.Decision {
	if m.Undo {
		return o.decideUndo(m)
	}
	if o.operation == membership.Leave {
		return o.decideLeave(m)
	}
	is, in := o.members[m.Member.ID]
	now, exists := o.instances[m.Member.ID]
	stage := m.Stage.Name
	switch {
	case !slices.Contains([]string{stageCheck, backup.StageName, stageInstall, stageImport, stageVerify}, stage):
		return membership.UnknownStage(ID, m)
	case !exists:
		return membership.Fail(codeInstanceMissing, "there is no such instance any more")
	case stage == stageVerify:
		return o.decideVerify(m, now)
	case in && (stage == stageInstall || stage == stageImport):
		return o.seenThrough(m, is)
	case in: // by a write whose answer was lost, or one before this run
		return membership.Next()
	case stage == stageCheck:
		return o.decideCheck(m, now)
	case stage == backup.StageName:
		return o.disks.Decide(m, now, exists)
	case stage == stageImport:
		return o.decideImport(m, now)
	default:
		return o.whenUntouched(m, now, membership.Act(actInstall, "the instance is no member"))
	}
}

// decideCheck has EDAS look at an instance that it does not offer, once, and gives it time to.
func (o *observation) decideCheck(m membership.Moment, now alibaba.Instance) membership.Decision {
	d := o.whenUntouched(m, now, membership.Next())
	_, offered := o.offered[m.Member.ID]
	const unseen = "EDAS does not offer the instance for the cluster"
	switch {
	case d.Verb != membership.DoNext, offered:
		return d
	case m.Sends == 0:
		return membership.Act(actSync, unseen)
	case o.params.reimage: // a worker that did not live to tell may have imported it, and EDAS only be slow to show it
		return o.stuck(m, codeNotOffered, unseen+", although it was made to look at it")
	default:
		return o.patient(m, codeNotOffered, unseen+", although it was made to look at it")
	}
}

// decideImport asks for the import. One that was accepted is never sent again. One that may or may not have come through
// is, once, when for a long time nothing has come of it and EDAS still offers the instance.
func (o *observation) decideImport(m membership.Moment, now alibaba.Instance) membership.Decision {
	_, offered := o.offered[m.Member.ID]
	switch {
	case m.Job != "":
		return o.stuck(m, codeImportLost, "EDAS has accepted the import, and the instance is no member")
	case !offered && o.system(m, now) != backup.Changed:
		return o.stuck(m, codeNotOffered, "the instance is no member, and EDAS does not offer it for the cluster any more")
	case m.Sends > 0 && m.In < patience:
		return membership.Wait("EDAS did not say whether it takes the import, and the instance is no member")
	}
	return o.whenUntouched(m, now, membership.Act(actImport, "the instance is no member"))
}

// whenUntouched returns then for an instance that is no member, has the system that it had when the run was planned, and
// may become one. What an import under way would look like is given the time of one.
func (o *observation) whenUntouched(m membership.Moment, now alibaba.Instance, then membership.Decision) membership.Decision {
	switch {
	case o.system(m, now) != backup.AsBefore:
		return o.stuck(m, codeReinstalled, "the instance is no member, but "+o.disks.Words(m.Member, now))
	case busy(now):
		return o.stuck(m, codeInstanceBusy, backup.Doing(now))
	case now.Status != backup.Running && o.params.reimage && m.In < patience: // as during an import, perhaps
		return membership.Wait(backup.Doing(now))
	}
	if objections := o.objections(m.Member.ID); len(objections) > 0 {
		reasons := make([]string, len(objections))
		for i, obj := range objections {
			reasons[i] = obj.Reason
		}
		return membership.Fail(objections[0].Code, strings.Join(reasons, "; "))
	}
	return then
}

// seenThrough waits for a member to run.
func (o *observation) seenThrough(m membership.Moment, is alibaba.EDASMember) membership.Decision {
	what := fmt.Sprintf("member %s is %s", is.ID, statusName(is.Status))
	switch is.Status {
	case alibaba.EDASRunning:
		return membership.Next()
	case alibaba.EDASFailed:
		return membership.Fail(codeConversionFailed, what)
	case alibaba.EDASOffline: // it may be on its way to being heard of
		return o.stuck(m, codeMemberOffline, what)
	default:
		return o.stuck(m, codeMemberStuck, what)
	}
}

func (o *observation) decideVerify(m membership.Moment, now alibaba.Instance) membership.Decision {
	is, in := o.members[m.Member.ID]
	switch {
	case !in:
		return o.patient(m, codeMemberMissing, "the instance is not seen in the cluster any more")
	case is.Status == alibaba.EDASFailed:
		return membership.Fail(codeConversionFailed, fmt.Sprintf("member %s is %s", is.ID, statusName(is.Status)))
	case is.Status == alibaba.EDASOffline:
		return o.patient(m, codeMemberOffline, fmt.Sprintf("member %s is offline", is.ID))
	case is.Status != alibaba.EDASRunning:
		return o.patient(m, codeMemberStuck, fmt.Sprintf("member %s is %s", is.ID, statusName(is.Status)))
	case busy(now):
		return o.patient(m, codeInstanceBusy, backup.Doing(now))
	case now.Status != backup.Running:
		return o.patient(m, codeInstanceStatus, fmt.Sprintf("member %s runs, but %s", is.ID, backup.Doing(now)))
	case o.params.reimage && o.system(m, now) == backup.AsBefore:
		return o.patient(m, codeNotProved, fmt.Sprintf("member %s runs, but %s", is.ID, o.disks.Words(m.Member, now)))
	default:
		return membership.Next()
	}
}

func (o *observation) decideLeave(m membership.Moment) membership.Decision {
	is, in := o.members[m.Member.ID]
	switch stage := m.Stage.Name; {
	case stage != stageRemove && stage != stageVerify:
		return membership.UnknownStage(ID, m)
	case !in:
		return membership.Next()
	case stage == stageVerify:
		return o.patient(m, codeStillMember, fmt.Sprintf("the instance is member %s, which is %s", is.ID, statusName(is.Status)))
	case !removable(is):
		return o.stuck(m, codeMemberStuck, fmt.Sprintf("member %s is %s", is.ID, statusName(is.Status)))
	default:
		return membership.Act(actRemove, "the instance is member "+is.ID)
	}
}

func (o *observation) decideUndo(m membership.Moment) membership.Decision {
	now, exists := o.instances[m.Member.ID]
	switch {
	case m.Stage.Name == backup.StageName && o.disks != nil:
		return o.disks.Decide(m, now, exists)
	case m.Stage.Name != stageInstall && m.Stage.Name != stageImport:
		return membership.UnknownStage(ID, m)
	}
	is, in := o.members[m.Member.ID]
	_, offered := o.offered[m.Member.ID]
	switch {
	case in && is.ID == m.Member.Before[factMember]: // it was one before this run
		return membership.Next()
	case in && !removable(is):
		return membership.Wait(fmt.Sprintf("member %s is %s, in which it is not removed", is.ID, statusName(is.Status)))
	case in:
		return membership.Act(actRemove, "the instance is member "+is.ID)
	case !exists, m.Stage.Name == stageInstall:
		return membership.Next()
	case busy(now):
		return membership.Wait(backup.Doing(now))
	case !offered && m.In < patience: // an import that was accepted may still begin
		return membership.Wait("the instance is no member, and EDAS does not offer it for the cluster")
	}
	changed := o.system(m, now) == backup.Changed
	switch {
	case changed && o.params.backup: // the undo of an earlier stage puts the system back, and sees to its power
		return membership.Next()
	case now.Status == backup.Stopped && m.Member.Before[backup.FactPower] == backup.On:
		return membership.Act(backup.ActStart, "the instance ran before, and is off")
	case changed: // the member is no member any more, but it is not as it was
		return membership.Fail(codeSystemLost, "there is no backup, and "+o.disks.Words(m.Member, now))
	default:
		return membership.Next()
	}
}

// system tells whether the instance has the system that it had. The route that installs the agent leaves systems alone.
func (o *observation) system(m membership.Moment, now alibaba.Instance) backup.System {
	if !o.params.reimage {
		return backup.AsBefore
	}
	return o.disks.System(m.Member, now)
}

// stuck waits as long as a member may take. A write may have been sent late in the stage, by a worker that did not live
// to tell, so what contradicts itself before a member is there is given that time too.
func (o *observation) stuck(m membership.Moment, code, what string) membership.Decision {
	if m.In < stuckAfter {
		return membership.Wait(what)
	}
	return o.giveUp(code, what)
}

// patient waits for what should pass soon.
func (o *observation) patient(m membership.Moment, code, what string) membership.Decision {
	if m.In < patience {
		return membership.Wait(what)
	}
	return o.giveUp(code, what)
}

// giveUp asks a person when a system may be lost; what destroys nothing is simply undone.
func (o *observation) giveUp(code, what string) membership.Decision {
	if o.operation == membership.Join && o.params.reimage {
		return membership.Park(code, what)
	}
	return membership.Fail(code, what)
}
