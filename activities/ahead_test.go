package activities

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// inTurn finds the members of one step after the other: "group: members" of the last, groups in order.
func inTurn(t *testing.T, kind membership.Kind, steps ...fleet.Step) (groups []string, err error) {
	t.Helper()
	a := New(Options{Kinds: []membership.Kind{kind}})
	var before []planned
	for i, step := range steps {
		r := &roster{kind: kind, step: step, before: before}
		found, err := a.members(t.Context(), r)
		if err != nil {
			require.Equal(t, len(steps)-1, i, "%v", err)
			return nil, err
		}
		before = append(before, planned{step: step, groups: found})
	}
	for _, g := range before[len(before)-1].groups {
		groups = append(groups, g.Group+": "+strings.Join(g.Members, " "))
	}
	return groups, nil
}

func TestASpreadCountsOnTheStepsBefore(t *testing.T) {
	list := func(group, members string) fleet.Step {
		return fleet.Step{Kind: "toy.town", Account: "demo", Group: group, Members: strings.Fields(members)}
	}
	leave := func(group, members string) fleet.Step {
		s := list(group, members)
		s.Operation = membership.Leave
		return s
	}
	spread := func(members string, groups ...string) fleet.Step {
		s := list("", members)
		s.Spread = &fleet.Spread{Groups: groups}
		return s
	}
	elsewhere := list("g1", "m2 m3 m4")
	elsewhere.Account = "prod"
	each := func(room ...int) membership.Room {
		r := membership.Room{Each: make(map[string]int), All: membership.NoLimit}
		for i, n := range room {
			r.Each[[]string{"g1", "g2", "g3"}[i]] = n
		}
		return r
	}
	shared := func(room int) membership.Room {
		r := each(membership.NoLimit, membership.NoLimit, membership.NoLimit)
		r.All = room
		return r
	}
	for name, c := range map[string]struct { // m1 is in g1
		room  membership.Room
		steps []fleet.Step
		want  []string // or else words of an error
		words string
	}{
		"a list fills the group": {each(4, 9), []fleet.Step{list("g1", "m2 m3 m4"), spread("m5 m6", "g1", "g2")},
			[]string{"g1: m5", "g2: m6"}, ""},
		"so does a spread": {each(4, 9), []fleet.Step{spread("m2 m3 m4 m5", "g1"), spread("m6", "g1", "g2")},
			[]string{"g2: m6"}, ""},
		"both do": {each(3, 9), []fleet.Step{list("g1", "m2"), spread("m3 m4", "g1"), spread("m6", "g1", "g2")},
			[]string{"g2: m6"}, ""},
		"there is too little": {each(4), []fleet.Step{list("g1", "m2 m3 m4 m5"), spread("m6 m7 m8", "g1")}, nil,
			"spread.groups: 3 of 3 members are left over: g1 is full when the steps before are done; name more groups"},
		"who is in the group takes no room": {each(2), []fleet.Step{list("g1", "m1 m2"), spread("m6", "g1")},
			[]string{"g1: m6"}, ""},
		"who leaves makes room": {each(0), []fleet.Step{leave("g1", "m1"), spread("m2", "g1")}, []string{"g1: m2"}, ""},
		"who has left comes anew": {each(0, 1), []fleet.Step{leave("g1", "m1"), list("g1", "m2"), spread("m1", "g1", "g2")},
			[]string{"g2: m1"}, ""},
		"who is not in the group leaves nothing": {each(0), []fleet.Step{leave("g1", "m2"), spread("m3", "g1")}, nil,
			"spread.groups: 1 of 1 members are left over: g1 is full when the steps before are done"},
		"who comes and goes": {each(1), []fleet.Step{list("g1", "m2"), leave("g1", "m2"), spread("m3", "g1")},
			[]string{"g1: m3"}, ""},
		"other groups":                 {each(1, 9), []fleet.Step{list("g2", "m2 m3"), spread("m4", "g1")}, []string{"g1: m4"}, ""},
		"the group of another account": {each(1), []fleet.Step{elsewhere, spread("m5", "g1")}, []string{"g1: m5"}, ""},
		"a limit that another group shares": {shared(2), []fleet.Step{list("g3", "m2"), spread("m4 m5", "g1", "g2")}, nil,
			"1 of 2 members are left over: together they take 1 more when the steps"},
		"who leaves a group that shares it": {shared(0), []fleet.Step{leave("g1", "m1"), spread("m1", "g2")},
			[]string{"g2: m1"}, ""},
		"a group that does not": {shared(1), []fleet.Step{list("g9", "m2"), spread("m4", "g1")}, []string{"g1: m4"}, ""},
		"no limit":              {each(membership.NoLimit), []fleet.Step{list("g1", "m2"), spread("m4", "g1")}, []string{"g1: m4"}, ""},
	} {
		kind := populated()
		kind.room = c.room
		got, err := inTurn(t, kind, c.steps...)
		if c.words != "" {
			require.ErrorContains(t, err, c.words, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
}
