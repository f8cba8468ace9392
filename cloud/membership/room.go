package membership

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Room is how many more members some groups take, or how many of what members have (Member.Places). What is not in it has no limit, or none that is told.
type Room struct {
	Each  map[string]int            // by group
	Zones map[string]map[string]int // by group and zone (FactZone), of groups that take only so many in each
	All   int                       // all of the groups together, where they share a limit, as node pools do that of their cluster
	// Most is the most places that one member can take, where members differ in that (Member.Places); 0: each takes one.
	Most int

	told map[string]int // by Room.limit, what it was before anything was taken of it
}

// NoLimit is the room where the cloud has no limit, or tells none.
const NoLimit = math.MaxInt

// NoRoomTold is the answer of a session whose cloud has no limit of members, or tells none.
func NoRoomTold() (Room, error) { return Room{All: NoLimit}, nil }

// NoGroup is the error for a group that does not exist; where says where it was looked for, such as "in the project".
func NoGroup(id, where string) error {
	return Bad([]Problem{{Field: "group", Value: Quote(id), Want: "does not exist " + where + "; want a group that does"}})
}

// Clone is a room of one's own, to give out places of.
func (r Room) Clone() Room {
	r.Each, r.Zones = maps.Clone(r.Each), maps.Clone(r.Zones)
	for group, zones := range r.Zones {
		r.Zones[group] = maps.Clone(zones)
	}
	r.told = nil
	return r
}

// Of is how many more members a group takes, in whatever zone.
func (r Room) Of(group string) int {
	if n, limited := r.Each[group]; limited {
		return min(n, r.All)
	}
	return r.All
}

// Least is how many more members a group takes for sure, in whatever zone they are.
func (r Room) Least(group string) int {
	least := r.Of(group)
	for _, n := range r.Zones[group] {
		least = min(least, n)
	}
	return least
}

// limit is what bounds the members of a group in a zone, for people, and how many it lets in.
func (r Room) limit(group, zone string) (name string, n int) {
	name, n = "group "+group, r.Of(group)
	if in, limited := r.Zones[group][zone]; limited && in < n {
		return name + " in zone " + zone, in
	}
	return name, n
}

// Fit refuses those of a group's members for which it has no room, and takes off what the others need. Who was refused for
// that alone is looked at anew.
func (r *Room) Fit(group string, members []Member) {
	if r.told == nil {
		r.told = make(map[string]int)
	}
	for i := range members {
		m := &members[i]
		if m.NoRoom() {
			m.Refused = nil
		}
		if !m.Due() || m.Placed {
			continue
		}
		limit, n := r.limit(group, m.Zone())
		if _, known := r.told[limit]; !known {
			r.told[limit] = max(n, 0)
		}
		if n >= m.Takes() {
			r.Add(group, m.Zone(), -m.Takes())
			continue
		}
		reason := fmt.Sprintf("%s takes %d more, and the members before it in the plan take them", limit, r.told[limit])
		if m.Takes() > 1 {
			reason = fmt.Sprintf("%s takes %d more, of which the members before it in the plan leave %d, and it takes %d", limit,
				r.told[limit], max(n, 0), m.Takes())
		}
		m.Refused = []Objection{{Code: CodeNoRoom, Reason: reason}}
	}
}

// Add makes room for so many more members of a group in a zone, or less for fewer.
func (r *Room) Add(group, zone string, n int) {
	if each, limited := r.Each[group]; limited && each != NoLimit {
		r.Each[group] = each + n
	}
	if in, limited := r.Zones[group][zone]; limited {
		r.Zones[group][zone] = in + n
	}
	if r.All != NoLimit {
		r.All += n
	}
}

// NoRoom reports whether a member is refused for want of room, and for nothing else.
func (m *Member) NoRoom() bool {
	return len(m.Refused) > 0 && !slices.ContainsFunc(m.Refused, func(o Objection) bool { return o.Code != CodeNoRoom })
}
