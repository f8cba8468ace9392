package activities

import (
	"context"
	"errors"
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
	most := max(room.Most, 1) // only a look tells how many places each takes
	tight := func(n, places int) bool { return places != membership.NoLimit && n*most > places }
	return tight(all, room.All) || slices.ContainsFunc(ids, func(id string) bool { return tight(wanted[id], room.Least(id)) }), nil
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
	room, err := a.stepRoom(ctx, step, ahead)
	if err != nil {
		return nil, err
	}
	seen = slices.Clone(seen)
	for n, ref := range slices.Concat(step.Waves...) {
		sight, err := store.GetJSON[fleet.Sight](ctx, a.store, store.Key(seen[n].Key))
		if err != nil {
			return nil, err
		}
		ahead.apply(step.Step, ref.Group, sight.Members)
		room.Fit(ref.Group, sight.Members)
		if seen[n], err = a.keep(ctx, sight); err != nil {
			return nil, err
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

// stepRoom is the room of all groups of a step, when the steps before are done. Who leaves needs none.
func (a *Activities) stepRoom(ctx context.Context, step fleet.PagedStep, ahead *moves) (membership.Room, error) {
	room := membership.Room{All: membership.NoLimit}
	var groups []string
	for _, ref := range slices.Concat(step.Waves...) {
		if !slices.Contains(groups, ref.Group) {
			groups = append(groups, ref.Group)
		}
	}
	if operation(step.Step) == membership.Leave || len(groups) == 0 {
		return room, nil
	}
	kind, err := membership.Find(a.kinds, step.Kind)
	if err != nil {
		return room, err
	}
	session, err := kind.Open(ctx, membership.Target{Operation: membership.Join, Account: step.Account, Group: groups[0],
		From: step.From, Params: step.Params})
	if err != nil {
		return room, err
	}
	if room, err = roomOf(ctx, session, groups); err != nil {
		return room, err
	}
	return room, ahead.free(ctx, session, &room, groups)
}

// roomOf is the room of groups. One that does not exist has none, for which the look at its members has the better words.
func roomOf(ctx context.Context, session membership.Session, groups []string) (membership.Room, error) {
	room, err := session.Room(ctx, groups)
	var none *membership.BadInput
	if errors.As(err, &none) {
		return membership.Room{All: membership.NoLimit}, nil
	}
	return room.Clone(), err
}
