package alibabadeploymentset

import (
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Decide says what an instance needs at a stage. Membership decides first: an instance that is in the set needs no stop and no
// placing, whatever a run remembers, and one that is not in it needs no removal.
func (o *observation) Decide(m membership.Moment) membership.Decision {
	i, exists := o.instances[m.Member.ID]
	if m.Undo {
		return o.decideUndo(m, i, exists)
	}
	if !exists {
		return membership.Fail(codeInstanceMissing, "there is no such instance any more")
	}
	if o.operation == membership.Leave {
		return o.decideLeave(m, i)
	}
	switch m.Stage.Name {
	case stageStop:
		return o.decideStop(m, i)
	case stagePlace:
		return o.decidePlace(m, i)
	case stageStart:
		return o.decideStart(m, i)
	case stageVerify:
		return o.decideVerify(m, i)
	default:
		return membership.UnknownStage(ID, m)
	}
}

func (o *observation) in(i alibaba.Instance) bool { return i.DeploymentSet == o.group }

func (o *observation) decideStop(m membership.Moment, i alibaba.Instance) membership.Decision {
	switch {
	case o.in(i), isOff(i):
		return membership.Next()
	case !isOn(i):
		return settling(i)
	case !ranBefore(m):
		return membership.Fail(codePowerChanged, "the instance was off when the run was planned and runs now")
	default:
		return membership.Act(actStop, "the instance runs")
	}
}

func (o *observation) decidePlace(m membership.Moment, i alibaba.Instance) membership.Decision {
	switch before := setBefore(m.Member); {
	case o.in(i):
		return membership.Next()
	case o.set == nil:
		return membership.Fail(codeGroupMissing, "there is no such deployment set any more")
	case i.DeploymentSet != "" && i.DeploymentSet != before:
		return membership.Fail(codeOtherGroup, "the instance is in deployment set "+i.DeploymentSet)
	case o.losesDisks(i):
		return membership.Fail(codeLocalDisk, "the instance has "+membership.Count(i.LocalDisks, "disk")+" of its host")
	case isOn(i) && m.Sends > 0: // the cloud may restart what it moves
		return membership.Wait("the instance runs, and is not seen in the set")
	case isOn(i):
		return membership.Fail(codePowerChanged, "somebody has started the instance")
	case !isOff(i):
		return settling(i)
	default:
		return membership.Act(actPlace, "the instance is not in the set")
	}
}

func (o *observation) decideStart(m membership.Moment, i alibaba.Instance) membership.Decision {
	switch {
	case !ranBefore(m), isOn(i):
		return membership.Next()
	case !isOff(i):
		return settling(i)
	default:
		return membership.Act(actStart, "the instance is off")
	}
}

func (o *observation) decideVerify(m membership.Moment, i alibaba.Instance) membership.Decision {
	switch {
	case !o.in(i):
		return membership.Wait("the instance is not seen in the set")
	case ranBefore(m) && isOn(i), !ranBefore(m) && isOff(i):
		return membership.Next()
	case isOn(i), isOff(i):
		return membership.Fail(codePowerChanged, fmt.Sprintf("the instance is %s, and was %s before", i.Status, m.Member.Power()))
	default:
		return settling(i)
	}
}

func (o *observation) decideLeave(m membership.Moment, i alibaba.Instance) membership.Decision {
	switch {
	case !o.in(i):
		return membership.Next()
	case m.Stage.Name == stageVerify:
		return membership.Wait("the instance is still seen in the set")
	case m.Stage.Name != stageRemove:
		return membership.UnknownStage(ID, m)
	case !isOn(i) && !isOff(i):
		return settling(i)
	default:
		return membership.Act(actRemove, "the instance is in the set")
	}
}

func (o *observation) decideUndo(m membership.Moment, i alibaba.Instance, exists bool) membership.Decision {
	switch m.Stage.Name {
	case stagePlace:
		return o.decideReturn(m, i, exists)
	case stageRemove:
		if !exists {
			return membership.Fail(codeInstanceMissing, "there is no such instance any more")
		}
		if d := o.decideReturn(m, i, exists); d.Verb != membership.DoNext {
			return d
		}
		return decidePower(m, i)
	case stageStop:
		if !exists && ranBefore(m) {
			return membership.Fail(codeInstanceMissing, "there is no such instance any more")
		}
		return decidePower(m, i)
	default:
		return membership.UnknownStage(ID, m)
	}
}

// decideReturn puts an instance back where it was. To come out of a set it needs no stop; to come back into one, it does.
func (o *observation) decideReturn(m membership.Moment, i alibaba.Instance, exists bool) membership.Decision {
	before := setBefore(m.Member)
	switch {
	case !exists, i.DeploymentSet == before:
		return membership.Next()
	case o.operation == membership.Leave && o.set == nil:
		return membership.Fail(codeGroupMissing, "the deployment set that the instance was in is gone")
	case i.DeploymentSet != "" && !o.in(i):
		return membership.Fail(codeOtherGroup, "the instance is in deployment set "+i.DeploymentSet+", into which somebody else has put it")
	case !isOn(i) && !isOff(i):
		return membership.Wait("the instance is " + i.Status)
	case before == "":
		return membership.Act(actRemove, "the instance is in the set")
	case isOn(i):
		return membership.Act(actStop, "the instance runs, and comes back into deployment set "+before+" only while it is off")
	default:
		return membership.Act(actRestore, "the instance was in deployment set "+before)
	}
}

// decidePower starts an instance that ran before.
func decidePower(m membership.Moment, i alibaba.Instance) membership.Decision {
	switch {
	case !ranBefore(m), isOn(i):
		return membership.Next()
	case !isOff(i):
		return membership.Wait("the instance is " + i.Status)
	default:
		return membership.Act(actStart, "the instance is off and ran before")
	}
}

// settling waits for an instance that is on its way to somewhere, and fails for one of which nobody knows.
func settling(i alibaba.Instance) membership.Decision {
	if !busy(i) {
		return membership.Fail(codeInstanceStatus, fmt.Sprintf("the instance is %q", i.Status))
	}
	return membership.Wait("the instance is " + i.Status)
}

func ranBefore(m membership.Moment) bool { return m.Member.Power() == membership.PowerOn }
