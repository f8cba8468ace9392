package huaweisecuritygroup

import (
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// change is what happens to the groups of a server: at most one comes in, and then at most one goes. All others stay.
type change struct{ add, drop string } // "" for none

// changeOf is what an operation does: a join may leave another group.
func changeOf(t membership.Target) change {
	if t.Operation == membership.Leave {
		return change{drop: t.Group}
	}
	return change{add: t.Group, drop: t.From}
}

// added reports whether the first of the two writes has nothing to do, removed the same of the second.
func (c change) added(set []string) bool   { return c.add == "" || slices.Contains(set, c.add) }
func (c change) removed(set []string) bool { return c.drop == "" || !slices.Contains(set, c.drop) }

// groupsBefore are the groups that a member was in when the run was planned.
func groupsBefore(m *membership.Member) []string { return strings.Split(m.Before[factGroups], ",") }
