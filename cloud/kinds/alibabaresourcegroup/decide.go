package alibabaresourcegroup

import (
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Decide says what a resource needs at a stage. The group that it is in decides first: what is where it should be is not
// moved, whatever a run remembers.
func (o *observation) Decide(m membership.Moment) membership.Decision {
	switch m.Stage.Name {
	case stageJoin, stageLeave, stageVerify:
	default:
		return membership.UnknownStage(ID, m)
	}
	if m.Undo && m.Stage.Undo == "" {
		return membership.UnknownStage(ID, m)
	}
	current, exists := o.groups[m.Member.ID]
	switch {
	case o.waiting[m.Member.ID]:
		return membership.Wait("its group is looked up in turn")
	case !exists && m.Undo: // what is gone is in no group
		return membership.Next()
	case !exists:
		return membership.Fail(codeResourceMissing, "there is no such resource any more")
	case current == "":
		return membership.Wait("the cloud does not say in which group the resource is")
	case m.Undo:
		return o.decideUndo(current)
	case o.operation == membership.Leave:
		return o.decideLeave(m, current)
	default:
		return o.decideJoin(m, current)
	}
}

func (o *observation) decideJoin(m membership.Moment, current string) membership.Decision {
	switch before := m.Member.Before[factGroup]; {
	case current == o.goal.ID:
		return membership.Next()
	case current != before: // to put it back would undo what somebody else wanted
		return membership.Fail(codeMoved, fmt.Sprintf("somebody has moved the resource into %s; it was in %s", current, before))
	case m.Stage.Name == stageVerify:
		return membership.Wait("the resource is still seen in " + current)
	default:
		return o.move(actJoin, current)
	}
}

func (o *observation) decideLeave(m membership.Moment, current string) membership.Decision {
	switch {
	case o.left(current):
		return membership.Next()
	case m.Stage.Name == stageVerify:
		return membership.Wait("the resource is still seen in " + current)
	default:
		return o.move(actLeave, current)
	}
}

// move asks for a move into the goal, as long as that can take it.
func (o *observation) move(action, current string) membership.Decision {
	switch troubles, passing := o.goal.objections(o.region); {
	case passing:
		return membership.Wait(troubles[0].Reason)
	case len(troubles) > 0:
		return membership.Fail(troubles[0].Code, troubles[0].Reason)
	default:
		return membership.Act(action, "the resource is in "+current)
	}
}

// decideUndo puts back what is where we have put it. What is anywhere else never came there, is back, or has been moved
// by somebody since.
func (o *observation) decideUndo(current string) membership.Decision {
	if current != o.goal.ID {
		return membership.Next()
	}
	return membership.Act(actPutBack, "the resource is in "+current)
}
