package huaweisecuritygroup

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// observation is what the cloud said at one moment.
type observation struct {
	operation               membership.Operation
	change                  change
	servers                 map[string]huawei.Server
	addMissing, dropMissing bool // when planning: there is no such group
}

// factGroups is what a program remembers of a member: ids of groups, sorted, joined by commas.
const factGroups = "groups"

// reached reports whether a set of groups is what the operation wants. Leaving wants no more than to be out: who is out
// already is not put anywhere.
func (o *observation) reached(set []string) bool {
	return o.change.removed(set) && (o.operation == membership.Leave || o.change.added(set))
}

// Compile refuses whom the cloud would refuse and remembers the groups of the others.
func (o *observation) Compile(r membership.Request, op membership.Operation) membership.Program {
	many := 0
	p := membership.Compile(Kind{}.Spec(), r, op, func(id string) membership.Member {
		s, exists := o.servers[id]
		m := remember(id, s, exists)
		if exists && !o.groupsMissing() && o.reached(s.SecurityGroups) {
			m.Already = true
			return m
		}
		m.Refused = o.objections(s, exists)
		if len(m.Refused) == 0 && len(o.after(s.SecurityGroups)) > max(adviceGroups, len(s.SecurityGroups)) {
			many++
		}
		return m
	})
	if many > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("%s would be in more than %d groups, which the vendor advises against: the rules of all are checked",
			membership.Count(many, "server"), adviceGroups))
	}
	return p
}

func remember(id string, s huawei.Server, exists bool) membership.Member {
	m := membership.Member{ID: id, Name: s.Name}
	if !exists {
		return m
	}
	m.Before = map[string]string{factGroups: strings.Join(slices.Sorted(slices.Values(s.SecurityGroups)), ",")}
	switch s.Status {
	case "ACTIVE":
		m.Before[membership.FactPower] = membership.PowerOn
	case "SHUTOFF":
		m.Before[membership.FactPower] = membership.PowerOff
	}
	return m
}

func (o *observation) groupsMissing() bool { return o.addMissing || o.dropMissing }

// after is the set of groups when both writes have been.
func (o *observation) after(set []string) []string {
	after := slices.DeleteFunc(slices.Clone(set), func(g string) bool { return g == o.change.drop })
	if !o.change.added(after) {
		after = append(after, o.change.add)
	}
	return after
}

// deleted reports whether a server is one that nothing can be done for. In whatever other state it is, its groups can be changed:
// no page of the vendor names one.
func deleted(s huawei.Server) bool {
	return s.Status == "DELETED" || s.Status == "SOFT_DELETED" || s.TaskState == "deleting"
}

// objections returns everything that speaks against changing a server's groups.
func (o *observation) objections(s huawei.Server, exists bool) (all membership.Objections) {
	all.When(o.addMissing, codeGroupMissing, "there is no group %s in the project", o.change.add)
	all.When(o.dropMissing, codeGroupMissing, "there is no group %s in the project", o.change.drop)
	if !exists {
		all.Add(codeServerMissing, "there is no such server in the project")
		return all
	}
	all.When(deleted(s), codeServerStatus, "the server is %s %s", s.Status, s.TaskState)
	all.When(o.operation == membership.Join && o.change.removed(s.SecurityGroups) && o.change.drop != "",
		membership.CodeNotInFrom, "it is in %s, and not in %s", strings.Join(s.SecurityGroups, ","), o.change.drop)
	all.When(len(o.after(s.SecurityGroups)) == 0, codeLastGroup, "%s is its only group, and it must be in one", o.change.drop)
	return all
}
