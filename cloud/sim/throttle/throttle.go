// Package throttle limits how often the accounts of a simulated cloud may call it.
package throttle

import (
	"cmp"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Limiter holds the token buckets of all accounts and actions, in simulated time. It is safe for concurrent use.
type Limiter struct {
	config world.Throttle

	mu      sync.Mutex
	buckets map[[2]string]*bucket // by account and action; the action "" stands for all of them
}

type bucket struct {
	tokens float64
	filled time.Time
}

// New returns a limiter with full buckets.
func New(config world.Throttle) *Limiter {
	return &Limiter{config: config, buckets: map[[2]string]*bucket{}}
}

// Take takes a token for the call and returns 0, or returns how long it takes until there is one.
func (l *Limiter) Take(account, action string, now time.Time) time.Duration {
	if l.config.PerSecond == 0 && len(l.config.Actions) == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.takeFrom([2]string{account, action}, l.config.Actions[action], now); wait > 0 {
		return wait
	}
	return l.takeFrom([2]string{account, ""}, l.config.Rate, now)
}

func (l *Limiter) takeFrom(key [2]string, rate world.Rate, now time.Time) time.Duration {
	if rate.PerSecond == 0 {
		return 0
	}
	burst := float64(cmp.Or(rate.Burst, 1))
	b := l.buckets[key]
	if b == nil {
		b = &bucket{tokens: burst, filled: now}
		l.buckets[key] = b
	}
	if passed := now.Sub(b.filled); passed > 0 {
		b.tokens, b.filled = min(burst, b.tokens+passed.Seconds()*rate.PerSecond), now
	}
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) / rate.PerSecond * float64(time.Second))
	}
	b.tokens--
	return 0
}

// RetryAfter writes a wait as the Retry-After header that the world asks for; empty means none. The real header
// is seldom there and may carry fractions of seconds.
func (l *Limiter) RetryAfter(wait time.Duration) string {
	switch l.config.RetryAfter {
	case "int":
		return strconv.Itoa(int(math.Ceil(wait.Seconds())))
	case "float":
		return strconv.FormatFloat(wait.Seconds(), 'f', 3, 64)
	}
	return ""
}
