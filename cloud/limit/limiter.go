package limit

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// Once throttled, calls go out one by one, and no more of them at once than what timers may be late: most clouds take bursts
// now and then, but nobody knows which.
const slack = 20 * time.Millisecond

// Limiter paces the calls of one key. They queue, and only the head of the queue knows when it is sent: so a rate that is
// cut is cut for those too that wait already, however many they are.
type Limiter struct {
	key    Key
	head   chan struct{} // holds the one at the head of the queue
	sooner chan struct{} // tells the head that it may go earlier than it thought

	mu        sync.Mutex
	bucket    *rate.Limiter
	pace      pace
	waiting   int
	throttled int
}

func newLimiter(key Key, seed Seed) *Limiter {
	return &Limiter{
		key:    key,
		head:   make(chan struct{}, 1),
		sooner: make(chan struct{}, 1),
		bucket: rate.NewLimiter(rate.Limit(seed.Start), max(seed.Burst, 1)),
		pace:   pace{seed: seed, rate: seed.Start},
	}
}

// Wait returns nil when the next call may be sent. When that would be after ctx's deadline it does not wait at all: it
// returns at once a *verdict.Error, Throttled, with the time to wait in RetryAfter; it returns that later when the cloud
// grants less than it did when the call came. When ctx is cancelled first it returns a Transient one. Either way nothing
// was sent.
func (l *Limiter) Wait(ctx context.Context) error {
	if ctx.Err() != nil {
		return l.ended(ctx)
	}
	if wait := l.queue(); missed(ctx, wait) {
		return l.late(wait)
	}
	l.count(1)
	defer l.count(-1)
	select {
	case l.head <- struct{}{}:
		defer func() { <-l.head }()
	case <-ctx.Done():
		return l.ended(ctx)
	}
	for ctx.Err() == nil {
		wait := l.take()
		if wait == 0 {
			return nil
		}
		if missed(ctx, wait) {
			return l.late(wait)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-l.sooner:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return l.ended(ctx)
}

// Succeeded tells the limiter of a call that the cloud took.
func (l *Limiter) Succeeded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	ended := l.pace.granted(time.Now())
	l.bucket.SetLimit(rate.Limit(l.pace.rate))
	if !ended {
		return
	}
	select {
	case l.sooner <- struct{}{}:
	default: // it has been told
	}
}

// Throttled tells the limiter of a call that the cloud refused for coming too fast; retryAfter is what it asked for, 0
// when it did not.
func (l *Limiter) Throttled(retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.throttled++
	l.pace.refused(time.Now(), retryAfter)
	l.bucket.SetLimit(rate.Limit(l.pace.rate))
	l.bucket.SetBurst(max(1, int(l.pace.rate*slack.Seconds())))
}

// State returns what the limiter does now.
func (l *Limiter) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return State{
		Key:       l.key,
		Start:     l.pace.seed.Start,
		Rate:      l.pace.rate,
		Paused:    max(0, time.Until(l.pace.asked)),
		Waiting:   l.waiting,
		Throttled: l.throttled,
	}
}

// take takes the turn of the head of the queue and returns 0, or returns how long it is until it comes.
func (l *Limiter) take() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if pause := l.pace.pause(now); pause > 0 {
		return pause
	}
	if !l.bucket.AllowN(now, 1) {
		return seconds((1 - l.bucket.TokensAt(now)) / l.pace.rate)
	}
	l.pace.sent(now)
	return 0
}

// queue estimates how long a call waits that joins the queue now: until there are tokens for those before it and itself.
func (l *Limiter) queue() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	wait := l.pace.pause(now)
	if missing := float64(l.waiting+1) - l.bucket.TokensAt(now); missing > 0 {
		wait += seconds(missing / l.pace.rate)
	}
	return wait
}

func (l *Limiter) count(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting += n
}

func (l *Limiter) late(wait time.Duration) error {
	return l.refuse(verdict.Throttled, wait, "its turn would come after the deadline, nothing was sent")
}

func (l *Limiter) ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return l.late(l.queue())
	}
	return l.refuse(verdict.Transient, 0, "cancelled while waiting for its turn, nothing was sent")
}

func (l *Limiter) refuse(v verdict.Verdict, retryAfter time.Duration, why string) error {
	return &verdict.Error{Verdict: v, Op: l.key.API, RetryAfter: retryAfter, Message: "own pacing: " + why}
}

func missed(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Now().Add(wait).After(deadline)
}
