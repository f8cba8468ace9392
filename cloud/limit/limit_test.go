package limit_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

var (
	key  = limit.Key{Account: "demo", Region: "sim-1", API: "AddMember"}
	seed = limit.Seed{Start: 10, Min: 1, Max: 20, Burst: 1}
)

func TestCallsGoOutAtTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, seed)
		start := time.Now()
		for range 21 { // the first is free
			require.NoError(t, l.Wait(t.Context()))
		}
		assert.Equal(t, 2*time.Second, time.Since(start).Round(time.Millisecond))
	})
}

func TestAWaveOfThrottlingCutsTheRateOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, seed)
		for range 32 {
			l.Throttled(0)
		}
		assert.Equal(t, 5.0, l.State().Rate, "half, when nothing was granted")
		assert.Equal(t, 32, l.State().Throttled)
		for range 20 {
			time.Sleep(time.Minute)
			l.Throttled(0)
		}
		assert.Equal(t, 5.0, l.State().Rate, "a cloud that takes nothing at all says nothing of the rate")
		for range 9 {
			time.Sleep(time.Second)
			l.Succeeded()
			for range 50 {
				l.Throttled(0)
			}
		}
		assert.Equal(t, 1.0, l.State().Rate, "not below the minimum")
	})
}

func TestAFewRefusalsCutLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, limit.Seed{Start: 10, Max: 10})
		for range 100 {
			l.Succeeded()
		}
		l.Throttled(0)
		cut := l.State().Rate
		assert.InDelta(t, 9.8, cut, 0.1)
		for range 20 { // two seconds' worth
			l.Succeeded()
		}
		assert.InDelta(t, cut, l.State().Rate, 0.2, "it grows slowly where it was refused")
		for range 100 {
			l.Succeeded()
		}
		assert.Equal(t, 10.0, l.State().Rate, "and faster when nobody refuses")
	})
}

// A cloud that takes nothing is asked ever more seldom, and again at the full rate as soon as it takes a call.
func TestWhileNothingIsTakenSingleCallsTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, limit.Seed{Start: 10, Max: 10})
		var gaps []time.Duration
		for last := time.Now(); len(gaps) < 9; last = time.Now() {
			l.Throttled(0)
			require.NoError(t, l.Wait(t.Context()))
			gaps = append(gaps, time.Since(last).Round(time.Millisecond))
		}
		for i := range gaps[1:] {
			assert.Equal(t, min(2*gaps[i], 8*time.Second), gaps[i+1])
		}
		waited := make(chan time.Duration)
		go func() {
			begun := time.Now()
			assert.NoError(t, l.Wait(context.Background()))
			waited <- time.Since(begun)
		}()
		time.Sleep(time.Second)
		l.Succeeded()
		assert.Equal(t, time.Second, <-waited)
	})
}

// A queue does not keep the rate at which it was joined.
func TestACutHoldsForThoseWhoAlreadyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, limit.Seed{Start: 10, Min: 1, Max: 10})
		var all sync.WaitGroup
		begun := time.Now()
		for range 41 { // four seconds' worth
			all.Go(func() {
				assert.NoError(t, l.Wait(context.Background()))
				if time.Since(begun) > 2*time.Second {
					l.Succeeded()
				}
			})
		}
		time.Sleep(2 * time.Second)
		l.Throttled(0)
		require.Equal(t, 5.0, l.State().Rate)
		all.Wait()
		assert.InDelta(t, 6, time.Since(begun).Seconds(), 0.5)
	})
}

func TestADeadlineInTheQueueIsAThrottledAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, limit.Seed{Start: 10, Min: 1, Max: 10})
		ctx, stop := context.WithTimeout(context.Background(), 3*time.Second)
		defer stop()
		answers := make(chan error, 21)
		for range 21 {
			go func() { answers <- l.Wait(ctx) }()
		}
		synctest.Wait()
		require.NoError(t, <-answers, "the first need not wait")
		l.Throttled(time.Minute)
		for range 20 {
			err := verdict.As(<-answers)
			assert.Equal(t, verdict.Throttled, err.Verdict)
			assert.Greater(t, err.RetryAfter, 50*time.Second)
		}
	})
}

func TestSuccessCreepsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, seed)
		for range 10 { // one second's worth
			l.Succeeded()
		}
		assert.InDelta(t, 10.2, l.State().Rate, 0.01, "a hundredth of the maximum per second of full use")
		for range 10_000 {
			l.Succeeded()
		}
		assert.Equal(t, 20.0, l.State().Rate, "not above the maximum")
	})
}

func TestRetryAfterStopsTheKeyAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := new(limit.Set)
		l := set.For(key, seed)
		l.Throttled(time.Minute)
		l.Throttled(time.Second) // a shorter one does not shorten it
		assert.Equal(t, time.Minute, l.State().Paused)

		start := time.Now()
		other := limit.Key{Account: "other", Region: "sim-1", API: "AddMember"}
		require.NoError(t, set.For(other, seed).Wait(t.Context()))
		assert.Zero(t, time.Since(start))
		require.NoError(t, l.Wait(t.Context()))
		assert.Equal(t, time.Minute, time.Since(start))
	})
}

func TestAPauseHoldsThoseWhoAlreadyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, seed)
		start := time.Now()
		var mu sync.Mutex
		var sent []time.Duration
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				assert.NoError(t, l.Wait(t.Context()))
				if time.Since(start) > 0 {
					l.Succeeded()
				}
				mu.Lock()
				defer mu.Unlock()
				sent = append(sent, time.Since(start))
			})
		}
		synctest.Wait()
		assert.Equal(t, 4, l.State().Waiting)
		l.Throttled(time.Minute)
		all.Wait()
		assert.Zero(t, sent[0], "the first had gone")
		for i, at := range sent[1:] {
			assert.GreaterOrEqual(t, at, time.Minute)
			if i > 0 { // at the halved rate, not all at once
				assert.InDelta(t, 200*time.Millisecond, at-sent[i], float64(10*time.Millisecond))
			}
		}
		assert.Zero(t, l.State().Waiting)
	})
}

func TestAWaitBeyondTheDeadlineIsRefusedAtOnce(t *testing.T) {
	for name, wait := range map[string]struct {
		before func(*limit.Limiter)
		want   time.Duration
	}{
		"pause": {func(l *limit.Limiter) { l.Throttled(time.Hour) }, time.Hour},
		"queue": {func(l *limit.Limiter) { require.NoError(t, l.Wait(context.Background())) }, 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := new(limit.Set).For(key, seed)
				wait.before(l)
				ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer stop()
				start := time.Now()
				err := verdict.As(l.Wait(ctx))
				assert.Equal(t, verdict.Throttled, err.Verdict)
				assert.Equal(t, "AddMember", err.Op)
				assert.Equal(t, wait.want, err.RetryAfter.Round(time.Millisecond))
				assert.Zero(t, time.Since(start))
			})
		})
	}
}

func TestARefusedCallGivesItsTurnBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, seed)
		require.NoError(t, l.Wait(t.Context()))
		ctx, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		for range 100 {
			require.Error(t, l.Wait(ctx))
		}
		start := time.Now()
		require.NoError(t, l.Wait(t.Context()))
		assert.Equal(t, 100*time.Millisecond, time.Since(start).Round(time.Millisecond))
	})
}

func TestACancelledWaitIsTransient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, seed)
		l.Throttled(time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() { failed <- l.Wait(ctx) }()
		synctest.Wait()
		cancel()
		assert.Equal(t, verdict.Transient, verdict.Of(<-failed))
		assert.Equal(t, verdict.Transient, verdict.Of(l.Wait(ctx)), "nor does it begin to wait")
	})
}

func TestASeedWithoutSenseStillMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, limit.Seed{})
		start := time.Now()
		require.NoError(t, l.Wait(t.Context()))
		require.NoError(t, l.Wait(t.Context()))
		assert.Equal(t, 10*time.Minute, time.Since(start).Round(time.Second))
		l.Succeeded()
		l.Throttled(0)
		assert.Positive(t, l.State().Rate)
	})
}

func TestSetKeepsOneLimiterPerKey(t *testing.T) {
	set := new(limit.Set)
	other := limit.Key{Account: "a", Region: "sim-1", API: "Show"}
	assert.Same(t, set.For(key, seed), set.For(key, limit.Seed{Start: 99, Max: 99}))
	assert.NotSame(t, set.For(key, seed), set.For(other, seed))
	assert.Equal(t, []limit.State{{Key: other, Start: 10, Rate: 10}, {Key: key, Start: 10, Rate: 10}}, set.State())
}

func TestHolding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(limit.Set).For(key, seed)
		assert.False(t, l.State().Holding(), "it begins below its maximum, and holds nobody back")
		require.NoError(t, l.Wait(t.Context()))
		queued := make(chan error)
		go func() { queued <- l.Wait(t.Context()) }()
		synctest.Wait()
		assert.True(t, l.State().Holding(), "a caller waits")
		require.NoError(t, <-queued)
		assert.False(t, l.State().Holding())

		l.Throttled(0)
		assert.True(t, l.State().Holding(), "the rate is cut")
		for l.State().Rate < seed.Start {
			l.Succeeded()
		}
		assert.False(t, l.State().Holding(), "the rate is back")
		slowest := new(limit.Set).For(key, limit.Seed{Start: 1, Min: 1, Max: 1})
		slowest.Throttled(time.Minute)
		assert.True(t, slowest.State().Holding(), "it stands still, at a rate that cannot be cut")
		time.Sleep(time.Minute)
		assert.False(t, slowest.State().Holding())
	})
}

func TestConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := new(limit.Set)
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				l := set.For(key, seed)
				for range 20 {
					assert.NoError(t, l.Wait(t.Context()))
					if i%8 == 0 {
						l.Throttled(time.Millisecond)
					} else {
						l.Succeeded()
					}
					set.State()
				}
			})
		}
		all.Wait()
		assert.Equal(t, 4*20, set.State()[0].Throttled)
	})
}
