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

// ahead turns the room that there is now into that which there is when the steps before have ended well, and takes out of
// their groups who will have left: a plan is surveyed before any of it is done. Who is in a group already takes no room in
// it, and who is not frees none. changed says whether the steps before have anything to do with the spread.
func (r *roster) ahead(ctx context.Context, session membership.Session, room membership.Room) (
	_ membership.Room, changed bool, err error) {
	now, then := make(map[place]bool), make(map[place]bool)
	for _, p := range r.before {
		if p.step.Kind != r.step.Kind || p.step.Account != r.step.Account {
			continue
		}
		var ids []string
		for _, g := range p.groups {
			concerns, err := r.concerns(ctx, session, room, g.Group)
			if err != nil {
				return room, false, err
			}
			if !concerns {
				continue
			}
			for _, id := range g.Members {
				then[place{id, g.Group}] = operation(p.step) == membership.Join
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
			return room, false, err
		}
	}
	return r.foretold(room, now, then), len(then) > 0, nil
}

// concerns reports whether members of a group count for the spread: in one of its groups, or under the limit that these
// share. Which groups there are to share it only the kind knows.
func (r *roster) concerns(ctx context.Context, session membership.Session, room membership.Room,
	group string) (bool, error) {
	if slices.Contains(r.step.Spread.Groups, group) {
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

// foretold is the room when members are where they will be then; where those are who are not named does not change.
func (r *roster) foretold(room membership.Room, now, then map[place]bool) membership.Room {
	freed, all := make(map[string]int), 0
	for at, in := range then {
		switch {
		case in && !now[at]:
			freed[at.group]--
			all--
		case !in && now[at]:
			freed[at.group]++
			all++
		}
	}
	each := make(map[string]int, len(room.Each))
	for group, n := range room.Each {
		if n == room.All { // it has no limit of its own
			each[group] = more(n, all)
		} else {
			each[group] = more(n, freed[group])
		}
	}
	for i, m := range r.list {
		if in, named := then[place{m.ID, m.In}]; named && !in {
			r.list[i].In = ""
		}
	}
	return membership.Room{Each: each, All: more(room.All, all)}
}

// more is room of which so much is freed, or taken.
func more(room, freed int) int {
	if room == membership.NoLimit {
		return room
	}
	return max(room+freed, 0)
}
