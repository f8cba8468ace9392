package alibabasecuritygroup

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Decide says what a member needs at a stage. The set of groups that it is in decides, whatever a run remembers.
func (o *observation) Decide(m membership.Moment) membership.Decision {
	s, exists := o.members[m.Member.ID]
	write := stageJoin
	action := actJoin
	if o.target.Operation == membership.Leave {
		write, action = stageLeave, actLeave
	}
	switch {
	case m.Stage.Name == write && m.Undo:
		return o.decideUndo(m, s, exists)
	case m.Stage.Name != write && (m.Stage.Name != stageVerify || m.Undo):
		return membership.Park(membership.CodeEngine, fmt.Sprintf(
			"this worker's %s knows no stage %q; a worker of the version that planned the run does", ID, m.Stage.Name))
	case !exists:
		return membership.Fail(codeMemberMissing, "it is not there any more")
	case o.reached(s.groups):
		return membership.Next()
	case m.Stage.Name == stageVerify:
		return membership.Wait("its groups are " + strings.Join(s.groups, ","))
	default:
		return o.decideWrite(s, action)
	}
}

func (o *observation) decideWrite(s subject, action string) membership.Decision {
	c := o.change()
	_, known := o.groups[o.target.Group]
	switch {
	case !known:
		return membership.Fail(codeGroupMissing, "there is no such group any more")
	case s.locked:
		return membership.Fail(codeMemberLocked, s.lock())
	case len(c.of(s.groups)) == 0:
		return membership.Fail(codeLastGroup, c.drop+" is its only group by now, and it must be in one")
	case !s.ready:
		return membership.Wait("it is " + s.status)
	default:
		return membership.Act(action, "its groups are "+strings.Join(s.groups, ","))
	}
}

// decideUndo restores what was before, as far as the run can have changed it. A swap is one write: of its two groups
// the member is in the one or in the other. Whoever is in none was moved by somebody else, and a firewall that
// somebody has taken away is not put back on doubt.
func (o *observation) decideUndo(m membership.Moment, s subject, exists bool) membership.Decision {
	c := o.change().undo(groupsBefore(m.Member))
	switch {
	case !exists, c.done(s.groups):
		return membership.Next()
	case c.drop != "" && c.add != "" && !slices.Contains(s.groups, c.drop):
		return membership.Fail(codeChanged, fmt.Sprintf("it is neither in %s nor in %s, but in %s", c.drop, c.add,
			strings.Join(s.groups, ",")))
	case len(c.of(s.groups)) == 0:
		return membership.Fail(codeLastGroup, c.drop+" is its only group by now, and it must be in one")
	case !s.ready:
		return membership.Wait("it is " + s.status)
	default:
		return membership.Act(actRestore, "its groups are "+strings.Join(s.groups, ","))
	}
}
