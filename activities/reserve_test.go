package activities

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// roomy is a watched town, whose groups take so many more members each.
func roomy(room map[string]int) *priced {
	w := &priced{}
	w.room = membership.Room{Each: room, All: membership.NoLimit}
	return w
}

// refusedFor counts the members of a step that are refused with a code.
func refusedFor(s fleet.PreviewStep, code string) int {
	for _, r := range s.Refusals {
		if r.Code == code {
			return r.Members
		}
	}
	return 0
}

func TestRoomIsCountedOverTheWholePlan(t *testing.T) {
	// Of m1 to m30 every fourth is refused for what it is, and m3, m13 and m23 are members already: 20 want to join.
	members := numbered(1, 30)
	step := func(group string, ids []string) fleet.Step {
		return fleet.Step{Kind: "toy.town", Account: "demo", Group: group, Members: ids}
	}
	for name, c := range map[string]struct {
		room    int
		refused []int // for want of room, by step
		steps   []fleet.Step
	}{
		"room for all":             {20, []int{0}, []fleet.Step{step("g1", members)}},
		"room for fewer":           {13, []int{7}, []fleet.Step{step("g1", members)}},
		"no room":                  {0, []int{20}, []fleet.Step{step("g1", members)}},
		"the step before takes it": {13, []int{0, 7}, []fleet.Step{step("g1", members[:15]), step("g1", members[15:])}},
		"of another group":         {13, []int{0, 0}, []fleet.Step{step("g1", members[:15]), step("g3", members[15:])}},
	} {
		p, _ := foreseeOf(t, roomy(map[string]int{"g1": c.room, "g3": 99}), fleet.Plan{Requester: "ann", Steps: c.steps})
		for i, s := range p.Steps {
			require.Equal(t, c.refused[i], refusedFor(s, membership.CodeNoRoom), "%s: step %d: %+v", name, i+1, s.Refusals)
		}
	}
}

// Who takes several places is counted so over the whole plan, and only a look tells: more members than there are places need not come.
func TestPlacesOfMembersAreCountedOverTheWholePlan(t *testing.T) {
	for name, c := range map[string]struct{ room, most, refused int }{
		"each takes one":                     {30, 0, 0},
		"each takes two, and all fit":        {40, 2, 0},
		"each takes two, and some find none": {30, 2, 5},
	} {
		w := roomy(map[string]int{"g1": c.room})
		w.room.Most, w.places = c.most, c.most
		p, _ := foreseeOf(t, w, fleet.Plan{Requester: "ann",
			Steps: []fleet.Step{{Kind: "toy.town", Account: "demo", Group: "g1", Members: numbered(1, 30)}}})
		require.Equal(t, c.refused, refusedFor(p.Steps[0], membership.CodeNoRoom), "%s: %+v", name, p.Steps[0].Refusals)
	}
}

// What a step before takes out of a group is out of it, and what it brings in is in it.
func TestTheStepsBeforeAreDoneInAPreview(t *testing.T) {
	m := newMoves()
	due := func(ids string) (members []membership.Member) {
		for id := range strings.FieldsSeq(ids) {
			members = append(members, membership.Member{ID: id})
		}
		return members
	}
	join, leave := fleet.Step{}, fleet.Step{Operation: membership.Leave}
	stays := membership.Member{ID: "stays", Refused: []membership.Objection{{Code: "locked"}}}
	m.note(leave, "a", append(due("one two"), stays))
	m.note(fleet.Step{From: "c"}, "d", due("three"))
	inA := func(id string) membership.Member {
		return membership.Member{ID: id, Refused: []membership.Objection{{Code: "in-other-group", Group: "a"}}}
	}
	into := []membership.Member{inA("one"), inA("stays"), {ID: "two", Refused: []membership.Objection{{Code: "in-other-group", Group: "a"}, {Code: "locked"}}}}
	m.apply(join, "b", into)
	require.True(t, into[0].Due())
	require.False(t, into[1].Due())
	require.Equal(t, []membership.Objection{{Code: "locked"}}, into[2].Refused)
	back := []membership.Member{{ID: "one", Already: true}, {ID: "three", Already: true}}
	m.apply(join, "a", back[:1])
	require.True(t, back[0].Due(), "it will have left")
	m.apply(leave, "d", back[1:])
	require.True(t, back[1].Due(), "it will have joined")
	again := due("three")
	m.apply(join, "d", again)
	require.True(t, again[0].Already)
	place := roomy(map[string]int{"a": 0, "d": 1})
	session, err := place.Open(t.Context(), membership.Target{})
	require.NoError(t, err)
	room := membership.Room{Each: map[string]int{"a": 0, "d": 1}, All: 5}
	require.NoError(t, m.free(t.Context(), session, &room, []string{"a"}))
	require.Equal(t, map[string]int{"a": 2, "d": 0}, room.Each)
	require.Equal(t, 6, room.All, "two have left and one has come; c, which shares no limit with them, is another matter")
}
