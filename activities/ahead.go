package activities

import (
	"context"
	"errors"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// planned is what a step will have done when those after it begin.
type planned struct {
	step   fleet.Step
	groups []fleet.Assignment
}

// place is that of a member in a group.
type place struct{ member, group string }

// moves are what the steps of a plan do to the members of one kind in one account: which places they give up and which they take,
// each with what is known of the member that is to have it.
type moves struct{ left, joined map[place]taker }

// taker is the zone of a member, "" where it is not known, and how many places it takes.
type taker struct {
	zone  string
	takes int
}

func takerOf(m *membership.Member) taker { return taker{m.Zone(), m.Takes()} }

func newMoves() *moves {
	return &moves{left: make(map[place]taker), joined: make(map[place]taker)}
}

// note takes in what a step will do to the members of a page.
func (m *moves) note(step fleet.Step, group string, members []membership.Member) {
	for i := range members {
		member := &members[i]
		if !member.Due() {
			continue
		}
		if operation(step) == membership.Leave {
			m.leave(place{member.ID, group}, takerOf(member))
			continue
		}
		if step.From != "" {
			m.leave(place{member.ID, step.From}, takerOf(member))
		}
		m.join(place{member.ID, group}, takerOf(member))
	}
}

func (m *moves) leave(at place, who taker) {
	m.left[at] = who
	delete(m.joined, at)
}

func (m *moves) join(at place, who taker) {
	m.joined[at] = who
	delete(m.left, at)
}

func (m *moves) leaves(at place) bool { _, is := m.left[at]; return is }
func (m *moves) joins(at place) bool  { _, is := m.joined[at]; return is }

// apply tells of members what will be when the moves are done, where they change it; nil moves change nothing.
func (m *moves) apply(step fleet.Step, group string, members []membership.Member) {
	if m == nil {
		return
	}
	for i := range members {
		member := &members[i]
		here := place{member.ID, group}
		member.Refused = slices.DeleteFunc(member.Refused, func(o membership.Objection) bool {
			return o.Group != "" && m.leaves(place{member.ID, o.Group})
		})
		join := operation(step) == membership.Join
		switch {
		case join && m.leaves(here), !join && m.joins(here):
			member.Already, member.Placed = false, false
		case join && m.joins(here), !join && m.leaves(here):
			member.Already, member.Refused = true, nil
		}
	}
}

// free makes of the room that some groups have now the one that they have when the moves are done; nil moves change nothing.
func (m *moves) free(ctx context.Context, session membership.Session, room *membership.Room, groups []string) error {
	if m == nil {
		return nil
	}
	concern := make(map[string]bool)
	for _, places := range []struct {
		of map[place]taker
		n  int
	}{{m.left, 1}, {m.joined, -1}} {
		for at, who := range places.of {
			concerns, known := concern[at.group]
			if !known {
				var err error
				if concerns, err = shares(ctx, session, *room, groups, at.group); err != nil {
					return err
				}
				concern[at.group] = concerns
			}
			if concerns {
				room.Add(at.group, who.zone, places.n*who.takes)
			}
		}
	}
	return nil
}

// shares reports whether members of a group count for the room of some: it is one of them, or under the limit that these share.
// Which groups there are to share it only the kind knows.
func shares(ctx context.Context, session membership.Session, room membership.Room, groups []string, group string) (bool, error) {
	if slices.Contains(groups, group) {
		return true, nil
	}
	if room.All == membership.NoLimit {
		return false, nil
	}
	_, err := session.Room(ctx, []string{group})
	var none *membership.BadInput
	if errors.As(err, &none) {
		return false, nil
	}
	return err == nil, err
}

// ahead turns the room that there is now into that which there is when the steps before have ended well, and takes out of
// their groups who will have left: a plan is surveyed before any of it is done. Who is in a group already takes no room in
// it, and who is not frees none. changed says whether the steps before have anything to do with the spread.
func (r *roster) ahead(ctx context.Context, session membership.Session, room *membership.Room) (changed bool, err error) {
	now, m := make(map[place]bool), newMoves()
	for _, p := range r.before {
		if p.step.Kind != r.step.Kind || p.step.Account != r.step.Account {
			continue
		}
		var ids []string
		for _, g := range p.groups {
			concerns, err := shares(ctx, session, *room, r.step.Spread.Groups, g.Group)
			if err != nil {
				return false, err
			}
			if !concerns {
				continue
			}
			for _, id := range g.Members { // nobody has looked yet at how many places they take
				if operation(p.step) == membership.Leave {
					m.leave(place{id, g.Group}, taker{takes: 1})
				} else {
					m.join(place{id, g.Group}, taker{takes: 1})
				}
			}
			ids = append(ids, g.Members...)
		}
		if len(ids) == 0 {
			continue
		}
		err := session.Find(ctx, membership.Query{IDs: ids}, func(f membership.Found) error {
			for _, group := range f.Groups {
				now[place{f.ID, group}] = true
			}
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	changed = len(m.left)+len(m.joined) > 0
	for i, member := range r.list {
		if m.leaves(place{member.ID, member.In}) {
			r.list[i].In = ""
		}
	}
	for at := range m.joined {
		if now[at] {
			delete(m.joined, at)
		}
	}
	for at := range m.left {
		if !now[at] {
			delete(m.left, at)
		}
	}
	return changed, m.free(ctx, session, room, r.step.Spread.Groups)
}
