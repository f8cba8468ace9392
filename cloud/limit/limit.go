// Package limit paces the calls to a cloud by what the cloud says: it cuts the rate when it is throttled, lets it grow
// again while calls succeed, and stands still for as long as a Retry-After asks. What the cloud grants is found that way
// and kept to, see pace.
package limit

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// slowest is the lowest rate of all, one call in ten minutes: a rate of zero would never learn that it may go on.
const slowest = 1.0 / 600

// Seed is what is known about an API before the first call. Rates are in calls per second.
type Seed struct {
	Start float64 // the first rate, brought between Min and Max
	Min   float64 // throttling never pushes the rate below it
	Max   float64 // success never lifts the rate above it
	Burst int     // calls that may go out at once after a pause, at least 1; throttling ends that
}

// Key names what is paced: clouds count the calls of an account, in a region, to an API.
type Key struct {
	Account, Region, API string
}

// Set holds the limiters of a process, one per key. The zero value is ready; it is safe for concurrent use.
type Set struct {
	mu    sync.Mutex
	byKey map[Key]*Limiter
}

// For returns the limiter of a key. The first call for a key decides its seed.
func (s *Set) For(key Key, seed Seed) *Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.byKey[key]
	if !ok {
		if s.byKey == nil {
			s.byKey = map[Key]*Limiter{}
		}
		seed.Min = max(seed.Min, slowest)
		seed.Max = max(seed.Max, seed.Min)
		seed.Start = min(max(seed.Start, seed.Min), seed.Max)
		l = newLimiter(key, seed)
		s.byKey[key] = l
	}
	return l
}

// State is what a limiter does at a moment.
type State struct {
	Key       Key
	Start     float64       // calls per second allowed at the beginning
	Rate      float64       // calls per second allowed now
	Paused    time.Duration // how long it still stands still by the cloud's wish
	Waiting   int           // callers that wait for their turn
	Throttled int           // throttling answers since the start
}

// Holding reports whether the limiter holds calls back: they wait, or go out more slowly than at the beginning. The
// maximum is no measure of that, since most limiters begin below theirs and only creep up when they are used to the full.
func (s State) Holding() bool { return s.Paused > 0 || s.Waiting > 0 || s.Rate < s.Start }

// State returns the state of every limiter, sorted by key.
func (s *Set) State() []State {
	s.mu.Lock()
	limiters := make([]*Limiter, 0, len(s.byKey))
	for _, l := range s.byKey {
		limiters = append(limiters, l)
	}
	s.mu.Unlock()
	states := make([]State, len(limiters))
	for i, l := range limiters {
		states[i] = l.State()
	}
	slices.SortFunc(states, func(a, b State) int {
		return strings.Compare(fmt.Sprint(a.Key), fmt.Sprint(b.Key))
	})
	return states
}
