package limit_test

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
)

// cloud grants so many calls a second, as a token bucket, or in windows as long as it says.
type cloud struct {
	rate    func(at time.Duration) float64 // since its begin
	burst   float64                        // of a bucket
	window  time.Duration                  // 0: a bucket
	latency time.Duration                  // of the way there, and of the way back, at most
	asks    time.Duration                  // Retry-After of each refusal

	mu     sync.Mutex
	begun  time.Time
	filled time.Time
	tokens float64
}

func steady(perSecond float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return perSecond }
}

// turning grants one rate, and from a moment on another.
func turning(before, after float64, at time.Duration) func(time.Duration) float64 {
	return func(now time.Duration) float64 {
		if now < at {
			return before
		}
		return after
	}
}

// take reports when a call came, and whether it was granted.
func (c *cloud) take() (at time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	at = now.Sub(c.begun)
	perSecond := c.rate(at)
	switch {
	case c.window > 0:
		if begun := c.begun.Add(at.Truncate(c.window)); begun.After(c.filled) {
			c.filled, c.tokens = begun, perSecond*c.window.Seconds()
		}
	case c.filled.IsZero():
		c.filled, c.tokens = now, c.burst
	default:
		c.filled, c.tokens = now, min(c.burst, c.tokens+perSecond*now.Sub(c.filled).Seconds())
	}
	if c.tokens < 1-1e-9 { // sums of fractions
		return at, false
	}
	c.tokens--
	return at, true
}

// user calls a cloud through a limiter.
type user struct {
	*limit.Limiter
	callers int           // at once
	every   time.Duration // each of them; 0: as soon as it may
	begins  time.Duration
	ends    time.Duration // 0: at the end of all

	mu               sync.Mutex
	random           *rand.Rand
	granted, refused []time.Duration
}

// worker is a process with a limiter of its own that has more to do than it may.
func worker(seed limit.Seed) *user {
	return &user{Limiter: new(limit.Set).For(key, seed), callers: 60}
}

// serve lets users call until a while has passed. Every run is the same: what is random is so by a seed, and no two users
// do anything at the same moment, of which the scheduler would choose the first.
func (c *cloud) serve(t *testing.T, until time.Duration, users ...*user) {
	c.begun = time.Now()
	var all sync.WaitGroup
	for n, u := range users {
		u.random = rand.New(rand.NewPCG(1, uint64(n)))
		u.begins += time.Duration(n) * time.Microsecond
		ends := cmp.Or(u.ends, until)
		for i := range u.callers {
			all.Go(func() {
				time.Sleep(u.begins + u.every*time.Duration(i)/time.Duration(u.callers))
				for time.Since(c.begun) < ends {
					time.Sleep(u.every)
					if !assert.NoError(t, u.Wait(context.Background())) {
						return
					}
					u.call(c)
				}
			})
		}
	}
	all.Wait()
}

func (u *user) call(c *cloud) {
	u.travel(c.latency)
	at, ok := c.take()
	u.travel(c.latency)
	u.mu.Lock()
	defer u.mu.Unlock()
	if ok {
		u.granted = append(u.granted, at)
		u.Succeeded()
	} else {
		u.refused = append(u.refused, at)
		u.Throttled(c.asks)
	}
}

func (u *user) travel(longest time.Duration) {
	if longest > 0 {
		u.mu.Lock()
		takes := time.Duration(u.random.Int64N(int64(longest)))
		u.mu.Unlock()
		time.Sleep(takes)
	}
}

// share is what a user had between two moments: calls granted a second, and the part of its calls that was refused.
func (u *user) share(from, to time.Duration) (perSecond, refused float64) {
	yes, no := between(u.granted, from, to), between(u.refused, from, to)
	return yes / (to - from).Seconds(), no / max(1, yes+no)
}

// share is the same of all.
func share(users []*user, from, to time.Duration) (perSecond, refused float64) {
	var all user
	for _, u := range users {
		all.granted, all.refused = append(all.granted, u.granted...), append(all.refused, u.refused...)
	}
	return all.share(from, to)
}

func between(moments []time.Duration, from, to time.Duration) (n float64) {
	for _, at := range moments {
		if at >= from && at < to {
			n++
		}
	}
	return n
}
