package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// heldAtOnce is of how many members the book of leases is asked in one query.
const heldAtOnce = 2000

// heldNow tells of those members of a plan that other runs hold while it is surveyed. That is for people: each is looked at
// again when its cohort begins.
func (a *Activities) heldNow(ctx context.Context, plan fleet.Plan, members naming) (warnings []string, err error) {
	if a.client == nil {
		return nil, nil
	}
	var held, runs []string
	asked := make(map[string]string, heldAtOnce) // members by key
	ask := func() error {
		keys := make([]string, 0, len(asked))
		for key := range asked {
			keys = append(keys, key)
		}
		answer, err := a.holders(ctx, keys)
		if err != nil {
			return fmt.Errorf("the book of leases (%s): %w", leases(ctx), err)
		}
		for key, run := range answer.Held {
			held, runs = append(held, asked[key]), append(runs, run)
		}
		clear(asked)
		return nil
	}
	for of, ids := range members {
		kind, err := membership.Find(a.kinds, of.kind)
		if err != nil {
			return nil, err
		}
		for id := range ids {
			asked[leaseKey(kind.Spec().Provider, id)] = id
			if len(asked) == heldAtOnce {
				if err := ask(); err != nil {
					return nil, err
				}
			}
		}
	}
	if err := ask(); err != nil || len(held) == 0 {
		return nil, err
	}
	then := "each is refused if it still is when its cohort begins"
	if plan.WhenHeld == fleet.WhenHeldWait {
		then = "its cohort waits for that"
	}
	held, runs = distinct(held), distinct(runs)
	return []string{fmt.Sprintf("other runs (%s) act on %s now, %s: %s", strings.Join(membership.Few(runs), ", "),
		membership.Count(len(held), "member"), strings.Join(membership.Few(held), ", "), then)}, nil
}

func distinct(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }
