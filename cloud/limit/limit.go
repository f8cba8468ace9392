// Package limit paces the calls to a cloud by what the cloud says: it halves the rate when it is throttled, creeps up
// again while calls succeed, and stands still for as long as a Retry-After asks.
package limit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// One wave of throttling answers is one message: the calls that were already under way do not cut the rate again.
const oneWave = time.Second

// slowest is the lowest rate of all, one call in ten minutes: a rate of zero would never learn that it may go on.
const slowest = 1.0 / 600

// Seed is what is known about an API before the first call. Rates are in calls per second.
type Seed struct {
	Start float64 // the first rate, brought between Min and Max
	Min   float64 // throttling never pushes the rate below it
	Max   float64 // success never lifts the rate above it
	Burst int     // calls that may go out at once after a pause, at least 1
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
		l = &Limiter{key: key, seed: seed, bucket: rate.NewLimiter(rate.Limit(seed.Start), max(seed.Burst, 1))}
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

// Limiter paces the calls of one key.
type Limiter struct {
	key    Key
	seed   Seed
	bucket *rate.Limiter

	mu        sync.Mutex
	until     time.Time // nothing is sent before
	lastCut   time.Time
	waiting   int
	throttled int
}

// Wait returns nil when the next call may be sent. When that would be after ctx's deadline it does not wait at all: it
// returns at once a *verdict.Error, Throttled, with the time to wait in RetryAfter. When ctx ends first it returns a
// Transient one. Either way nothing was sent.
func (l *Limiter) Wait(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return l.refuse(verdict.Transient, 0, "cancelled while waiting for its turn, nothing was sent")
		}
		now := time.Now()
		var turn *rate.Reservation
		delay := l.pause(now)
		if delay == 0 {
			turn = l.bucket.ReserveN(now, 1)
			delay = turn.DelayFrom(now)
		}
		if deadline, ok := ctx.Deadline(); ok && now.Add(delay).After(deadline) {
			cancel(turn)
			return l.refuse(verdict.Throttled, delay, "its turn would come after the deadline, nothing was sent")
		}
		if delay > 0 && !l.sleep(ctx, delay) {
			cancel(turn)
			continue // the loop's head says why
		}
		// A pause that began while this call waited takes its turn away: it queues again, at the new rate.
		if turn != nil && l.pause(time.Now()) == 0 {
			return nil
		}
	}
}

// Succeeded tells the limiter of a call that the cloud took. The rate grows by a hundredth of its maximum for every
// second in which it is used to the full.
func (l *Limiter) Succeeded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := float64(l.bucket.Limit())
	l.bucket.SetLimit(rate.Limit(min(l.seed.Max, now+l.seed.Max/100/now)))
}

// Throttled tells the limiter of a call that the cloud refused for coming too fast; retryAfter is what it asked for, 0
// when it did not. The rate is halved once per wave of such answers.
func (l *Limiter) Throttled(retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.throttled++
	now := time.Now()
	if until := now.Add(retryAfter); retryAfter > 0 && until.After(l.until) {
		l.until = until
	}
	if l.lastCut.IsZero() || now.Sub(l.lastCut) >= oneWave {
		l.lastCut = now
		l.bucket.SetLimit(max(rate.Limit(l.seed.Min), l.bucket.Limit()/2))
	}
}

// State returns what the limiter does now.
func (l *Limiter) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return State{
		Key:       l.key,
		Start:     l.seed.Start,
		Rate:      float64(l.bucket.Limit()),
		Paused:    max(0, time.Until(l.until)),
		Waiting:   l.waiting,
		Throttled: l.throttled,
	}
}

func (l *Limiter) enter(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting += n
}

func (l *Limiter) pause(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, l.until.Sub(now))
}

func (l *Limiter) refuse(v verdict.Verdict, retryAfter time.Duration, why string) error {
	return &verdict.Error{Verdict: v, Op: l.key.API, RetryAfter: retryAfter, Message: "own pacing: " + why}
}

func cancel(turn *rate.Reservation) {
	if turn != nil {
		turn.Cancel()
	}
}

// sleep reports whether it slept to the end.
func (l *Limiter) sleep(ctx context.Context, d time.Duration) bool {
	l.enter(1)
	defer l.enter(-1)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
