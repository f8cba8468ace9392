package membership

import (
	"fmt"
	"math"
	"slices"
)

// Room is how many more members some groups take.
type Room struct {
	Each map[string]int // by group
	All  int            // all of the groups together, where they share a limit, as node pools do that of their cluster

	told map[string]int // what it was before anything was taken of it
}

// NoLimit is the room where the cloud has no limit, or tells none.
const NoLimit = math.MaxInt

// NoRoomTold is the answer of a session whose cloud has no limit of members, or tells none.
func NoRoomTold() (Room, error) { return Room{All: NoLimit}, nil }

// NoGroup is the error for a group that does not exist; where says where it was looked for, such as "in the project".
func NoGroup(id, where string) error {
	return Bad([]Problem{{Field: "group", Value: Quote(id), Want: "does not exist " + where + "; want a group that does"}})
}

// Of is how many more members a group takes.
func (r Room) Of(group string) int {
	if n, limited := r.Each[group]; limited {
		return min(n, r.All)
	}
	return r.All
}

// Fit refuses those of a group's members for which it has no room, and takes off what the others need. Who was refused for
// that alone is looked at anew.
func (r *Room) Fit(group string, members []Member) {
	if r.told == nil {
		r.told = make(map[string]int)
	}
	if _, known := r.told[group]; !known {
		r.told[group] = r.Of(group)
	}
	for i := range members {
		m := &members[i]
		if m.NoRoom() {
			m.Refused = nil
		}
		switch {
		case !m.Due() || m.Placed:
		case r.Of(group) <= 0:
			m.Refused = []Objection{{Code: CodeNoRoom, Reason: fmt.Sprintf(
				"group %s takes %d more, and the members before it in the plan take them", group, max(r.told[group], 0))}}
		default:
			r.Add(group, -1)
		}
	}
}

// Add makes room for so many more members of a group, or less for fewer.
func (r *Room) Add(group string, n int) {
	if each, limited := r.Each[group]; limited && each != NoLimit {
		r.Each[group] = each + n
	}
	if r.All != NoLimit {
		r.All += n
	}
}

// NoRoom reports whether a member is refused for want of room, and for nothing else.
func (m *Member) NoRoom() bool {
	return len(m.Refused) > 0 && !slices.ContainsFunc(m.Refused, func(o Objection) bool { return o.Code != CodeNoRoom })
}
