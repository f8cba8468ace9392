// Package clock provides the simulator's time: a clock that runs at a multiple of wall time, or only when told to.
package clock

import (
	"context"
	"sync"
	"time"
)

// Clock is simulated time. At speed N it runs N times as fast as wall time; at speed 0 it is manual and moves only
// by Advance. It never goes back. All methods are safe for concurrent use.
type Clock struct {
	mu      sync.Mutex
	sim     time.Time // simulated time at the moment wall
	wall    time.Time // carries the monotonic reading, so a stepped wall clock does not move simulated time
	speed   float64
	changed chan struct{} // closed and replaced whenever speed or time is set, to wake sleepers
}

// New returns a clock that shows start now (the wall time if start is zero) and runs at speed. A negative speed
// counts as 0.
func New(start time.Time, speed float64) *Clock {
	wall := time.Now()
	if start.IsZero() {
		start = wall
	}
	return &Clock{sim: start.UTC().Round(0), wall: wall, speed: max(speed, 0), changed: make(chan struct{})}
}

// NewManual returns a clock that stands at start until it is advanced.
func NewManual(start time.Time) *Clock { return New(start, 0) }

// Now returns the simulated time, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.speed == 0 {
		return c.sim
	}
	return c.sim.Add(time.Duration(float64(time.Since(c.wall)) * c.speed))
}

// Speed returns how many simulated seconds pass per wall second; 0 means manual.
func (c *Clock) Speed() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.speed
}

// SetSpeed changes the speed from now on. A negative speed counts as 0.
func (c *Clock) SetSpeed(speed float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rebase(c.now())
	c.speed = max(speed, 0)
}

// Advance moves the clock forward by d at once, at any speed. A negative d is ignored: time does not go back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rebase(c.now().Add(max(d, 0)))
}

// rebase makes sim the time now and wakes the sleepers, who then look again at how long they have to wait.
func (c *Clock) rebase(sim time.Time) {
	c.sim, c.wall = sim, time.Now()
	close(c.changed)
	c.changed = make(chan struct{})
}

// Sleep waits until d of simulated time has passed or ctx ends, and returns ctx's error in the second case.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	until := c.Now().Add(d)
	for {
		c.mu.Lock()
		left, speed, changed := until.Sub(c.now()), c.speed, c.changed
		c.mu.Unlock()
		if left <= 0 {
			return ctx.Err()
		}
		if err := wait(ctx, left, speed, changed); err != nil {
			return err
		}
	}
}

// wait blocks for left of simulated time at speed, until the clock changes, or until ctx ends.
func wait(ctx context.Context, left time.Duration, speed float64, changed <-chan struct{}) error {
	var due <-chan time.Time // never, on a manual clock
	if speed > 0 {
		t := time.NewTimer(time.Duration(float64(left)/speed) + 1)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-due:
	case <-changed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
