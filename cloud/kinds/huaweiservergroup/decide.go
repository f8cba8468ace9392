package huaweiservergroup

import (
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Decide says what a server needs at a stage. Membership decides first: a server that is in the group needs no stop and
// no add, whatever a run remembers, and one that is not in it needs no removal.
func (o *observation) Decide(m membership.Moment) membership.Decision {
	server, exists := o.servers[m.Member.ID]
	if m.Undo {
		return o.decideUndo(m, server, exists)
	}
	if !exists {
		return membership.Fail(codeServerMissing, "there is no such server any more")
	}
	if o.operation == membership.Leave {
		return o.decideLeave(m, server)
	}
	switch m.Stage.Name {
	case stageStop:
		return o.decideStop(m, server)
	case stageVerifyKVM:
		return o.decideVerifyKVM(server)
	case stageRemove:
		return o.decidePullOut(server)
	case stageAdd:
		return o.decideAdd(server)
	case stageStart:
		return o.decideStart(m, server)
	case stageVerify:
		return o.decideVerify(m, server)
	default:
		return membership.UnknownStage(ID, m)
	}
}

func (o *observation) decideStop(m membership.Moment, s huawei.Server) membership.Decision {
	hard := o.params.hardStopAfter > 0 && m.In >= o.params.hardStopAfter
	switch job := o.job(m); {
	case o.inGroup(s.ID):
		return membership.Next()
	case isOff(s):
		return membership.Next()
	case isOn(s) && !o.params.stop:
		return membership.Next()
	case isOn(s) && !ranBefore(m):
		return membership.Fail(codePowerChanged, "the server was off when the run was planned and runs now")
	case s.Status != statusActive:
		return o.settling(s)
	case !idle(s) && hard && m.Sends == 1: // the soft stop hangs
		return membership.Act(actStopHard, doing(s))
	case !idle(s):
		return membership.Wait(doing(s))
	case job.running():
		return membership.Wait("the stop is under way")
	case hard:
		return membership.Act(actStopHard, "the server runs")
	case job.failed() && o.params.hardStopAfter > 0:
		return membership.Wait("the guest has not heeded the soft stop: " + job.why())
	case job.failed():
		return membership.Fail(codeStopFailed, "the guest has not heeded the soft stop: "+job.why())
	default:
		return membership.Act(actStop, "the server runs")
	}
}

func (o *observation) decideVerifyKVM(s huawei.Server) membership.Decision {
	if o.inGroup(s.ID) {
		return membership.Next()
	}
	for _, obj := range o.hardware(s) {
		return membership.Fail(obj.Code, obj.Reason)
	}
	return o.whenStopped(s, membership.Next())
}

// decidePullOut takes a server that is moved out of the group that it leaves.
func (o *observation) decidePullOut(s huawei.Server) membership.Decision {
	if o.inGroup(s.ID) || !o.inFrom(s.ID) {
		return membership.Next()
	}
	return o.whenStopped(s, membership.Act(actPullOut, "the server is in group "+o.from.ID))
}

func (o *observation) decideAdd(s huawei.Server) membership.Decision {
	if o.inGroup(s.ID) {
		return membership.Next()
	}
	if o.groupMissing {
		return membership.Fail(codeGroupMissing, "there is no such group any more")
	}
	for _, other := range s.Groups {
		switch {
		case other == "" || other == o.group.ID:
		case other == o.from.ID: // which does not list it any more
			return membership.Wait("the server is still seen in group " + other)
		default:
			return membership.Fail(codeOtherGroup, "the server is in group "+other)
		}
	}
	return o.whenStopped(s, membership.Act(actAdd, "the server is not in the group"))
}

// whenStopped returns then for a server in the power state that adding wants.
func (o *observation) whenStopped(s huawei.Server, then membership.Decision) membership.Decision {
	switch {
	case isOff(s), isOn(s) && !o.params.stop:
		return then
	case isOn(s):
		return membership.Fail(codePowerChanged, "somebody has started the server")
	default:
		return o.settling(s)
	}
}

func (o *observation) decideStart(m membership.Moment, s huawei.Server) membership.Decision {
	switch job := o.job(m); {
	case !ranBefore(m), isOn(s):
		return membership.Next()
	case !isOff(s):
		return o.settling(s)
	case job.running():
		return membership.Wait("the start is under way")
	case job.failed():
		return membership.Fail(codeStartFailed, job.why())
	default:
		return membership.Act(actStart, "the server is off")
	}
}

func (o *observation) decideVerify(m membership.Moment, s huawei.Server) membership.Decision {
	switch near := o.onHostOf(s); {
	case !o.inGroup(s.ID):
		return membership.Wait("the server is not seen in the group")
	case near != "":
		return membership.Fail(codeNotApart, "the server is on the host of "+near+", which is a member, too")
	case ranBefore(m) && isOn(s), !ranBefore(m) && isOff(s):
		return membership.Next().On(hostOf(s))
	case isOn(s), isOff(s):
		return membership.Fail(codePowerChanged, fmt.Sprintf("the server is %s, and was %s before", s.Status, m.Member.Power()))
	default:
		return o.settling(s)
	}
}

// hostOf is a short name of the host of a server that runs, "" when the cloud does not tell it. The id, a hash of 56 digits, is told
// for every project in another way: it tells hosts apart, and names none.
func hostOf(s huawei.Server) string {
	const enough = 12
	if !isOn(s) {
		return ""
	}
	return s.HostID[:min(enough, len(s.HostID))]
}

// onHostOf returns another member of the group that runs on the same host, "" when there is none, or the cloud does not tell.
func (o *observation) onHostOf(s huawei.Server) string {
	if !isOn(s) || s.HostID == "" {
		return ""
	}
	for _, id := range o.group.Members {
		other, asked := o.servers[id]
		if !asked {
			other = o.others[id]
		}
		if id != s.ID && isOn(other) && other.HostID == s.HostID {
			return id
		}
	}
	return ""
}

func (o *observation) decideLeave(m membership.Moment, s huawei.Server) membership.Decision {
	switch in := o.inGroup(s.ID); {
	case !in:
		return membership.Next()
	case m.Stage.Name == stageVerify:
		return membership.Wait("the server is still seen in the group")
	case m.Stage.Name != stageRemove:
		return membership.UnknownStage(ID, m)
	case !idle(s):
		return membership.Wait(doing(s))
	default:
		return membership.Act(actRemove, "the server is in the group")
	}
}

func (o *observation) decideUndo(m membership.Moment, s huawei.Server, exists bool) membership.Decision {
	switch {
	case m.Stage.Name == stageAdd:
		switch {
		case !exists, !o.inGroup(s.ID):
			return membership.Next()
		case !idle(s):
			return membership.Wait(doing(s))
		default:
			return membership.Act(actRemove, "the server is in the group")
		}
	case m.Stage.Name == stageRemove && o.operation == membership.Join:
		if !exists || o.from.ID == "" {
			return membership.Next()
		}
		return o.decideReturn(m, s, o.inFrom(s.ID), o.fromMissing, membership.Act(actPutBack, "the server is not in group "+o.from.ID))
	case m.Stage.Name == stageRemove:
		if !exists {
			return membership.Fail(codeServerMissing, "there is no such server any more")
		}
		d := o.decideReturn(m, s, o.inGroup(s.ID), o.groupMissing, membership.Act(actAdd, "the server is not in the group"))
		if d.Verb != membership.DoNext {
			return d
		}
		return o.decidePower(m, s)
	case m.Stage.Name == stageStop && !exists && ranBefore(m):
		return membership.Fail(codeServerMissing, "there is no such server any more")
	case m.Stage.Name == stageStop:
		return o.decidePower(m, s)
	default:
		return membership.UnknownStage(ID, m)
	}
}

// decideReturn puts a server back into the group that it was in before, which it takes a stop for, as the first time.
func (o *observation) decideReturn(m membership.Moment, s huawei.Server, in, missing bool, put membership.Decision) membership.Decision {
	hard := o.params.hardStopAfter > 0 && m.In >= o.params.hardStopAfter
	switch job := o.job(m); {
	case in:
		return membership.Next()
	case missing:
		return membership.Fail(codeGroupMissing, "the group that the server was in is gone")
	case isOff(s), isOn(s) && !o.params.stop:
		return put
	case !isOn(s):
		return membership.Wait(doing(s))
	case job.running():
		return membership.Wait("the stop is under way")
	case hard:
		return membership.Act(actStopHard, "the server runs")
	default:
		return membership.Act(actStop, "the server runs"+job.failure("stop"))
	}
}

// decidePower starts a server that ran before.
func (o *observation) decidePower(m membership.Moment, s huawei.Server) membership.Decision {
	switch {
	case !ranBefore(m), isOn(s):
		return membership.Next()
	case !isOff(s):
		return membership.Wait(doing(s))
	case o.job(m).running():
		return membership.Wait("the start is under way")
	default:
		return membership.Act(actStart, "the server is off and ran before"+o.job(m).failure("start"))
	}
}

// settling waits for a server that is on its way to somewhere, and fails for one that is nowhere.
func (o *observation) settling(s huawei.Server) membership.Decision {
	if idle(s) && s.Status != statusActive && s.Status != statusShutoff && s.Status != "REBOOT" && s.Status != "HARD_REBOOT" {
		return membership.Fail(codeServerStatus, "the server is "+s.Status)
	}
	return membership.Wait(doing(s))
}

func doing(s huawei.Server) string {
	if idle(s) {
		return "the server is " + s.Status
	}
	return fmt.Sprintf("the server is %s, %s", s.Status, s.TaskState)
}

func ranBefore(m membership.Moment) bool { return m.Member.Power() == membership.PowerOn }

// evidence is what the job behind a member's last write says about that member.
type evidence struct {
	status string // "" when nothing is known
	code   string
	reason string
}

// job finds the evidence. A job over many servers can fail as a whole while most of them went well, so only the part
// that is about the server counts, where there is one.
func (o *observation) job(m membership.Moment) evidence {
	j, ok := o.jobs[m.Job]
	if !ok || m.Job == "" {
		return evidence{}
	}
	for _, sub := range j.SubJobs {
		if sub.ServerID == m.Member.ID {
			return evidence{sub.Status, sub.ErrorCode, sub.FailReason}
		}
	}
	return evidence{j.Status, j.ErrorCode, j.FailReason}
}

func (e evidence) running() bool { return e.status == "INIT" || e.status == "RUNNING" }
func (e evidence) failed() bool  { return e.status == "FAIL" }

func (e evidence) why() string {
	if e.code == "" {
		return e.reason
	}
	return e.code + ": " + e.reason
}

func (e evidence) failure(of string) string {
	if !e.failed() {
		return ""
	}
	return "; the last " + of + " failed: " + e.why()
}
