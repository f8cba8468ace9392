package alibabanodepool

import (
	"fmt"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Decide says what an instance needs at a stage. Whether it is a node decides first, then whether it still has the system
// disk that it had: it is attached only while both say that nobody has begun. Where they contradict each other for long, a
// person is asked, since neither waiting nor undoing brings a disk back.
func (o *observation) Decide(m membership.Moment) membership.Decision {
	now, exists := o.instances[m.Member.ID]
	switch {
	case m.Undo && m.Stage.Name == stageSnapshot:
		return o.disks.Decide(m, now, exists)
	case m.Undo:
		return o.decideUndo(m)
	case !exists:
		return membership.Fail(codeInstanceMissing, "there is no such instance any more")
	}
	_, in := o.inPool(m.Member.ID)
	join := o.operation == membership.Join
	switch {
	case join && in && (m.Stage.Name == stageCheck || m.Stage.Name == stageSnapshot):
		return membership.Next() // an attach whose answer was lost, or one before this run
	case join && m.Stage.Name == stageCheck:
		return o.whenUntouched(m, membership.Next())
	case join && m.Stage.Name == stageSnapshot:
		return o.disks.Decide(m, now, exists)
	case join && m.Stage.Name == stageAttach:
		return o.decideAttach(m)
	case join && m.Stage.Name == stageVerify:
		return o.decideVerify(m)
	case !join && m.Stage.Name == stageRemove:
		return o.decideRemove(m)
	case !join && m.Stage.Name == stageVerify:
		return o.decideGone(m)
	default:
		return membership.UnknownStage(ID, m)
	}
}

func (o *observation) decideAttach(m membership.Moment) membership.Decision {
	node, in := o.inPool(m.Member.ID)
	switch {
	case !in:
		return o.whenUntouched(m, membership.Act(actAttach, "the instance is no node"))
	case ready(node):
		return membership.Next()
	case node.State == alibaba.NodeFailed:
		return membership.Fail(codeNodeFailed, describe(node)+o.explain(m))
	default:
		return o.stuck(m, codeNodeStuck, describe(node)+o.explain(m))
	}
}

// whenUntouched returns then for an instance that is no node of the pool, has the system disk that it had when the run was
// planned, and may become one.
func (o *observation) whenUntouched(m membership.Moment, then membership.Decision) membership.Decision {
	instance := o.instances[m.Member.ID]
	node, listed := o.nodes[m.Member.ID]
	system, words := o.system(m)
	held, task := o.taskHolds(m)
	busy, passes := doing(instance), o.passes()
	switch {
	case listed && node.State != alibaba.NodeRemoving:
		return membership.Fail(codeNodeElsewhere, fmt.Sprintf("%s, of the cluster's pool %q", describe(node), node.Pool))
	case listed:
		return o.stuck(m, codeNodeStuck, fmt.Sprintf("%s, of the cluster's pool %q", describe(node), node.Pool))
	case held:
		return o.stuck(m, codeNodeStuck, "the instance is no node yet; "+task)
	case o.taskFailed(m):
		return membership.Fail(codeAttachFailed, "the instance is no node, and "+words+o.explain(m))
	case system != backup.AsBefore:
		return o.stuck(m, codeReinstalled, "the instance is no node, but "+words)
	case busy != "": // which costs nothing but time: it is not wiped
		return membership.Wait(busy)
	case passes != "" && m.In < patience: // then the cloud may say whether it minds
		return membership.Wait(passes)
	}
	if objections := o.objectionsNow(m.Member.ID); len(objections) > 0 {
		return failFor(objections)
	}
	return then
}

func failFor(objections []membership.Objection) membership.Decision {
	reasons := make([]string, len(objections))
	for i, obj := range objections {
		reasons[i] = obj.Reason
	}
	return membership.Fail(objections[0].Code, strings.Join(reasons, "; "))
}

func (o *observation) decideVerify(m membership.Moment) membership.Decision {
	instance := o.instances[m.Member.ID]
	node, in := o.inPool(m.Member.ID)
	system, words := o.system(m)
	busy := doing(instance)
	switch {
	case !in:
		return o.patient(m, codeNodeMissing, "the instance is not seen in the pool any more")
	case node.State == alibaba.NodeFailed:
		return membership.Fail(codeNodeFailed, describe(node))
	case !ready(node):
		return o.patient(m, codeNodeStuck, describe(node))
	case busy != "":
		return o.patient(m, codeInstanceBusy, busy)
	case instance.Status != backup.Running:
		return o.patient(m, codeInstanceStatus, "the instance is "+instance.Status)
	case system == backup.AsBefore:
		return o.patient(m, codeNotProved, describe(node)+", but "+words)
	default:
		return membership.Next()
	}
}

func (o *observation) decideRemove(m membership.Moment) membership.Decision {
	node, in := o.inPool(m.Member.ID)
	held, task := o.taskHolds(m)
	switch {
	case !in:
		return membership.Next()
	case node.State == alibaba.NodeRemoving, node.State == alibaba.NodeInitial:
		return o.stuck(m, codeNodeStuck, describe(node)+o.explain(m))
	case held:
		return o.stuck(m, codeNodeStuck, describe(node)+"; "+task)
	case o.taskFailed(m):
		return membership.Fail(codeRemoveFailed, describe(node)+o.explain(m))
	default:
		return membership.Act(actRemove, describe(node))
	}
}

func (o *observation) decideGone(m membership.Moment) membership.Decision {
	instance := o.instances[m.Member.ID]
	node, in := o.inPool(m.Member.ID)
	busy := doing(instance)
	switch {
	case in:
		return o.patient(m, codeNodeStuck, describe(node))
	case busy != "":
		return o.patient(m, codeInstanceBusy, busy)
	case instance.Status != backup.Running && m.Member.Before[backup.FactPower] == backup.On:
		return membership.Fail(codeInstanceStatus, "the node is removed, and the instance is "+instance.Status)
	default:
		return membership.Next()
	}
}

func (o *observation) decideUndo(m membership.Moment) membership.Decision {
	if m.Stage.Name != stageAttach {
		return membership.UnknownStage(ID, m)
	}
	instance, exists := o.instances[m.Member.ID]
	node, in := o.inPool(m.Member.ID)
	system, words := o.system(m)
	busy := doing(instance)
	switch {
	case m.Member.Before[factNode] != "": // it was a node before this run
		return membership.Next()
	case !in && exists && busy != "":
		return membership.Wait(busy)
	case !in && exists && m.Sends == 0 && system == backup.Changed && m.In < unlisted:
		return membership.Wait("it may yet come to be a node: " + words)
	case !in && exists && instance.Status == backup.Stopped && m.Member.Before[backup.FactPower] == backup.On:
		return membership.Act(backup.ActStart, "the instance is off, and ran before")
	case !in:
		return membership.Next()
	case node.State == alibaba.NodeRemoving:
		return membership.Wait(describe(node))
	case node.State == alibaba.NodeInitial && m.In < stuckAfter: // a node that is made half is none that the cloud knows to remove
		return membership.Wait(describe(node))
	default:
		return membership.Act(actRemove, describe(node))
	}
}

// taskHolds reports whether the task of the last write is under way for the member, or says that all went well: then what
// it did is yet to be seen, and nothing is sent. words say so.
func (o *observation) taskHolds(m membership.Moment) (holds bool, words string) {
	task := o.tasks[m.Job]
	result := task.Results[m.Member.ID]
	holds = task.State != "" && !o.taskFailed(m) && (task.State != alibaba.TaskFailed || result == alibaba.TaskSuccess)
	return holds, fmt.Sprintf("task %s is %s, and %q for the instance", m.Job, task.State, result)
}

// taskFailed reports whether the task of the last write has failed for the member, or as a whole without a word on
// anybody. One that has failed without coming to the member leaves it to be sent again.
func (o *observation) taskFailed(m membership.Moment) bool {
	task := o.tasks[m.Job]
	return task.Results[m.Member.ID] == alibaba.TaskFailed || task.State == alibaba.TaskFailed && len(task.Results) == 0
}

// explain renders what went wrong with the last task, for people.
func (o *observation) explain(m membership.Moment) string {
	if task := o.tasks[m.Job]; task.Error != "" {
		return fmt.Sprintf("; task %s: %s", m.Job, task.Error)
	}
	return ""
}

// stuck waits as long as a node may take. A write may have been sent late in the stage, by a worker that did not live to
// tell, so what contradicts itself before a node is there is given that time too.
func (o *observation) stuck(m membership.Moment, code, what string) membership.Decision {
	if m.In < stuckAfter {
		return membership.Wait(what)
	}
	return membership.Park(code, what)
}

// patient waits for what should pass soon.
func (o *observation) patient(m membership.Moment, code, what string) membership.Decision {
	if m.In < patience {
		return membership.Wait(what)
	}
	return membership.Park(code, what)
}

// system tells whether the system of a member is still the one that it had, and words says what tells so.
func (o *observation) system(m membership.Moment) (system backup.System, words string) {
	now := o.instances[m.Member.ID]
	return o.disks.System(m.Member, now), o.disks.Words(m.Member, now)
}
