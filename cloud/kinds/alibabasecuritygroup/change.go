package alibabasecuritygroup

import (
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// change is what happens to the set of groups of a member: at most one group comes in and one goes. All other groups,
// whoever put the member there and whenever, stay as they are.
type change struct{ add, drop string } // "" for none

// changeOf is what an operation does: a join may leave another group.
func changeOf(t membership.Target) change {
	if t.Operation == membership.Leave {
		return change{drop: t.Group}
	}
	return change{add: t.Group, drop: t.From}
}

// of returns the set after the change, its order kept.
func (c change) of(set []string) []string {
	after := slices.DeleteFunc(slices.Clone(set), func(g string) bool { return g == c.drop })
	if c.add != "" && !slices.Contains(after, c.add) {
		after = append(after, c.add)
	}
	return after
}

// done reports whether the change would change nothing.
func (c change) done(set []string) bool {
	return (c.add == "" || slices.Contains(set, c.add)) && !slices.Contains(set, c.drop)
}

// undo is the change that takes back c where it changed what was before, and nothing else.
func (c change) undo(before []string) (u change) {
	if c.add != "" && !slices.Contains(before, c.add) {
		u.drop = c.add
	}
	if slices.Contains(before, c.drop) {
		u.add = c.drop
	}
	return u
}

// groupsBefore are the groups that a member was in when the run was planned.
func groupsBefore(m *membership.Member) []string {
	return strings.Split(m.Before[factGroups], ",")
}
