package clock_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestManual(t *testing.T) {
	c := clock.NewManual(epoch)
	require.Equal(t, epoch, c.Now())
	c.Advance(time.Hour)
	c.Advance(-time.Hour)
	require.Equal(t, epoch.Add(time.Hour), c.Now())
	require.Zero(t, c.Speed())
}

func TestSpeed(t *testing.T) {
	c := clock.New(epoch, 1e9)
	wall := time.Now()
	require.NoError(t, c.Sleep(t.Context(), 24*time.Hour))
	require.False(t, c.Now().Before(epoch.Add(24*time.Hour)))
	require.Less(t, time.Since(wall), time.Minute)
	c.SetSpeed(-1)
	stopped := c.Now()
	require.Equal(t, stopped, c.Now())
	require.False(t, clock.New(time.Time{}, 1).Now().Before(wall))
}

func TestSleepersNoticeChanges(t *testing.T) {
	for name, change := range map[string]func(*clock.Clock){
		"advance": func(c *clock.Clock) { c.Advance(30 * time.Minute); c.Advance(30 * time.Minute) },
		"speed":   func(c *clock.Clock) { c.SetSpeed(1e9) },
	} {
		t.Run(name, func(t *testing.T) {
			c := clock.NewManual(epoch)
			done := make(chan error, 1)
			go func() { done <- c.Sleep(context.Background(), time.Hour) }()
			change(c)
			// If the sleeper starts after the change, it has the hour still before it.
			for {
				select {
				case err := <-done:
					require.NoError(t, err)
					return
				default:
					c.Advance(time.Hour)
				}
			}
		})
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, clock.NewManual(epoch).Sleep(ctx, time.Hour), context.Canceled)
}

func TestRange(t *testing.T) {
	for text, want := range map[string]clock.Range{
		`"20s"`:     clock.Fixed(20 * time.Second),
		`"10s-60s"`: {Min: 10 * time.Second, Max: time.Minute},
		`"0s"`:      {},
	} {
		var r clock.Range
		require.NoError(t, json.Unmarshal([]byte(text), &r))
		require.Equal(t, want, r)
		back, err := json.Marshal(r)
		require.NoError(t, err)
		var again clock.Range
		require.NoError(t, json.Unmarshal(back, &again))
		require.Equal(t, r, again)
	}
	for _, text := range []string{`"x"`, `20`, `"60s-10s"`, `"-5s"`, `"5s-"`, `""`} {
		var r clock.Range
		require.Error(t, json.Unmarshal([]byte(text), &r), text)
	}
	random := rand.New(rand.NewPCG(1, 2))
	r := clock.Range{Min: time.Second, Max: 3 * time.Second}
	for range 100 {
		d := r.Draw(random)
		require.GreaterOrEqual(t, d, r.Min)
		require.LessOrEqual(t, d, r.Max)
	}
}
