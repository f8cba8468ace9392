package activities

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Limit is a limiter of one worker that holds calls back. A heartbeat carries those of its account after its words: each
// worker has limiters of its own, so only the one that works for a run can tell what holds that run up.
type Limit struct {
	Account   string              `json:"account"`
	Region    string              `json:"region"`
	API       string              `json:"api"`
	Rate      float64             `json:"rate"`             // calls per second allowed now
	Waiting   int                 `json:"waiting"`          // calls that wait for their turn
	Throttled int                 `json:"throttled"`        // answers since the worker's start that said "too fast"
	Paused    membership.Duration `json:"paused,omitempty"` // how long nothing is sent because the cloud asked for that
}

// mostLimits is how many a heartbeat carries at most. A run calls fewer APIs; it keeps heartbeats small whatever comes.
const mostLimits = 16

// holding returns the limiters that hold calls of an account back, those that do it most first.
func holding(states []limit.State, account string) []Limit {
	states = slices.DeleteFunc(states, func(s limit.State) bool { return s.Key.Account != account || !s.Holding() })
	slices.SortStableFunc(states, func(a, b limit.State) int {
		return cmp.Or(cmp.Compare(b.Paused, a.Paused), cmp.Compare(b.Waiting, a.Waiting), cmp.Compare(a.Rate/a.Start, b.Rate/b.Start))
	})
	var held []Limit
	for _, s := range states[:min(len(states), mostLimits)] {
		held = append(held, Limit{Account: s.Key.Account, Region: s.Key.Region, API: s.Key.API, Rate: s.Rate,
			Waiting: s.Waiting, Throttled: s.Throttled, Paused: membership.Duration(s.Paused.Round(time.Second / 10))})
	}
	return held
}

// beatAt is beat for work at one account: it also tells what holds the account's calls back, while something does.
func (a *Activities) beatAt(ctx context.Context, account string, words func() string) (stop func()) {
	return beatWith(ctx, func() []any {
		details := []any{words()}
		if held := holding(a.limits.State(), account); len(held) > 0 {
			details = append(details, held)
		}
		return details
	})
}
