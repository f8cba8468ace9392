package huaweisecuritygroup

import (
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Decide says what a server needs at a stage. The groups that it is in decide, whatever a run remembers.
func (o *observation) Decide(m membership.Moment) membership.Decision {
	s, exists := o.servers[m.Member.ID]
	set := s.SecurityGroups
	switch {
	case m.Undo:
		return o.decideUndo(m, s, exists)
	case !exists:
		return membership.Fail(codeServerMissing, "there is no such server any more")
	}
	switch m.Stage.Name {
	case stageAdd:
		if o.change.added(set) || o.reached(set) {
			return membership.Next()
		}
		return membership.Act(actAdd, "its groups are "+strings.Join(set, ","))
	case stageRemove:
		switch {
		case o.change.removed(set):
			return membership.Next()
		case !o.change.added(set):
			return membership.Wait("its groups are " + strings.Join(set, ","))
		case len(set) == 1:
			return membership.Fail(codeLastGroup, o.change.drop+" is its only group by now, and it must be in one")
		}
		return membership.Act(actRemove, "its groups are "+strings.Join(set, ","))
	case stageVerify:
		if o.reached(set) {
			return membership.Next()
		}
		return membership.Wait("its groups are " + strings.Join(set, ","))
	}
	return membership.UnknownStage(ID, m)
}

// decideUndo takes back what the run did, and nothing else: whoever was in a group before, or was not, is so again.
func (o *observation) decideUndo(m membership.Moment, s huawei.Server, exists bool) membership.Decision {
	set, before := s.SecurityGroups, groupsBefore(m.Member)
	switch m.Stage.Name {
	case stageAdd:
		switch c := o.change; {
		case !exists, c.add == "", slices.Contains(before, c.add), !slices.Contains(set, c.add):
			return membership.Next()
		case len(set) == 1:
			return membership.Fail(codeLastGroup, c.add+" is its only group by now, and it must be in one")
		}
		return membership.Act(actTakeOut, "its groups are "+strings.Join(set, ","))
	case stageRemove:
		if c := o.change; !exists || c.drop == "" || !slices.Contains(before, c.drop) || slices.Contains(set, c.drop) {
			return membership.Next()
		}
		return membership.Act(actPutBack, "its groups are "+strings.Join(set, ","))
	}
	return membership.UnknownStage(ID, m)
}
