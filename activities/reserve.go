package activities

import (
	"context"
	"errors"
	"maps"
	"slices"

	"go.temporal.io/sdk/converter"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// What cohorts share is counted once: each sees the room that a group has for its own members, and there may be others. So
// whoever finds no place is told by the look at the whole step, before anybody is touched.

// demand is how many members the steps so far want to bring into each group.
type demand map[membershipOf]map[string]int

// scarce reports whether the groups of a step may have no room for all that come into them.
func (d demand) scarce(ctx context.Context, r *roster, groups []fleet.Assignment) (bool, error) {
	of := membershipOf{operation: operation(r.step), kind: r.step.Kind, account: r.step.Account}
	if of.operation != membership.Join {
		return false, nil
	}
	wanted := d[of]
	if wanted == nil {
		wanted = make(map[string]int)
		d[of] = wanted
	}
	var ids []string
	all := 0
	for _, g := range groups {
		wanted[g.Group] += len(g.Members)
		ids = append(ids, g.Group)
	}
	for _, n := range wanted {
		all += n
	}
	session, err := r.session(ctx, groups[0].Group)
	if err != nil {
		return false, err
	}
	room, err := roomOf(ctx, session, ids)
	switch {
	case err != nil && verdict.Of(err) == verdict.Rejected:
		return false, nil // the look at each page says what is the matter
	case err != nil:
		return false, err
	}
	return all > room.All || slices.ContainsFunc(ids, func(id string) bool { return wanted[id] > room.Of(id) }), nil
}

// Reserve gives the places of a step's groups to its members, in their order, from what was seen of them. Its input is a
// workflows.ReserveInput, which may be packed.
func (a *Activities) Reserve(ctx context.Context, packed converter.RawValue) ([]fleet.Seen, error) {
	var in workflows.ReserveInput
	if err := workflows.Unpack(packed, &in); err != nil {
		return nil, err
	}
	return look(ctx, a, "", "counting the places", func() ([]fleet.Seen, error) {
		m, err := a.manifests.get(ctx, a.store, store.Key(in.Manifest))
		if err != nil {
			return nil, err
		}
		return a.reserve(ctx, m.Steps[in.Step], in.Seen, nil)
	})
}

// reserve looks at what was seen of each page of a step once more: with the room that there is for all of them, and as it
// will be when the steps before are done. ahead is nil when they are.
func (a *Activities) reserve(ctx context.Context, step fleet.PagedStep, seen []fleet.Seen, ahead *moves) ([]fleet.Seen, error) {
	seen = slices.Clone(seen)
	room, counted := membership.Room{}, false
	n := 0
	for _, refs := range step.Waves {
		for _, ref := range refs {
			page, err := store.GetJSON[fleet.Page](ctx, a.store, store.Key(ref.Key))
			if err != nil {
				return nil, err
			}
			sight, err := store.GetJSON[fleet.Sight](ctx, a.store, store.Key(seen[n].Key))
			if err != nil {
				return nil, err
			}
			ahead.apply(step.Step, page.Group, sight.Members)
			if operation(step.Step) == membership.Join {
				if !counted {
					if room, err = a.stepRoom(ctx, step); err != nil {
						return nil, err
					}
					ahead.free(&room)
					counted = true
				}
				room.Fit(page.Group, sight.Members)
			}
			if seen[n], err = a.keep(ctx, sight); err != nil {
				return nil, err
			}
			n++
		}
	}
	return seen, nil
}

// keep keeps what was seen of a page.
func (a *Activities) keep(ctx context.Context, sight fleet.Sight) (fleet.Seen, error) {
	f := fleet.Foresee(sight.Members)
	key, err := store.PutJSON(ctx, a.store, sight)
	return fleet.Seen{Key: string(key), Destructive: sight.Destructive, Due: f.Due, Already: f.Already, Refused: f.Refused}, err
}

// stepRoom reads the room of all groups of a step.
func (a *Activities) stepRoom(ctx context.Context, step fleet.PagedStep) (membership.Room, error) {
	room := membership.Room{All: membership.NoLimit}
	kind, err := membership.Find(a.kinds, step.Kind)
	if err != nil {
		return room, err
	}
	var groups []string
	for _, refs := range step.Waves {
		for _, ref := range refs {
			page, err := store.GetJSON[fleet.Page](ctx, a.store, store.Key(ref.Key))
			if err != nil {
				return room, err
			}
			if !slices.Contains(groups, page.Group) {
				groups = append(groups, page.Group)
			}
		}
	}
	session, err := kind.Open(ctx, membership.Target{Operation: operation(step.Step), Account: step.Account, Group: groups[0],
		From: step.From, Params: step.Params})
	if err != nil {
		return room, err
	}
	return roomOf(ctx, session, groups)
}

// roomOf is the room of groups. One that does not exist has none, for which the look at its members has the better words.
func roomOf(ctx context.Context, session membership.Session, groups []string) (membership.Room, error) {
	room, err := session.Room(ctx, groups)
	var none *membership.BadInput
	if errors.As(err, &none) {
		return membership.Room{All: membership.NoLimit}, nil
	}
	room.Each = maps.Clone(room.Each) // which is changed as places are given out
	return room, err
}

// moves are what the steps of a plan do to the members of one kind in one account.
type moves struct{ left, joined map[place]bool }

func newMoves() *moves { return &moves{left: make(map[place]bool), joined: make(map[place]bool)} }

// note takes in what a step will do to the members of a page.
func (m *moves) note(step fleet.Step, group string, members []membership.Member) {
	for i := range members {
		if !members[i].Due() {
			continue
		}
		id := members[i].ID
		if operation(step) == membership.Leave {
			m.leave(id, group)
			continue
		}
		if step.From != "" {
			m.leave(id, step.From)
		}
		m.joined[place{id, group}] = true
		delete(m.left, place{id, group})
	}
}

func (m *moves) leave(member, group string) {
	m.left[place{member, group}] = true
	delete(m.joined, place{member, group})
}

// apply tells of members what will be when the steps before are done, where they change it.
func (m *moves) apply(step fleet.Step, group string, members []membership.Member) {
	if m == nil {
		return
	}
	for i := range members {
		member := &members[i]
		here := place{member.ID, group}
		member.Refused = slices.DeleteFunc(member.Refused, func(o membership.Objection) bool {
			return o.Group != "" && m.left[place{member.ID, o.Group}]
		})
		switch {
		case operation(step) == membership.Join && m.left[here], operation(step) == membership.Leave && m.joined[here]:
			member.Already, member.Placed = false, false
		case operation(step) == membership.Join && m.joined[here], operation(step) == membership.Leave && m.left[here]:
			member.Already, member.Refused = true, nil
		}
	}
}

// free changes the room of groups by what the steps before will take of it, and give back.
func (m *moves) free(room *membership.Room) {
	if m == nil {
		return
	}
	for at := range m.left {
		room.Add(at.group, 1)
	}
	for at := range m.joined {
		room.Add(at.group, -1)
	}
}
