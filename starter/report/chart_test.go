package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// However a fleet went, its chart keeps to its bounds, time goes from left to right, and nobody who failed is invisible.
func TestCharts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
		f := archive.Of(fleet.Report{Started: start, Steps: []fleet.StepReport{{SurveyedStep: fleet.SurveyedStep{
			Waves: []fleet.Wave{{Name: "canary", Members: 1}, {Name: "wave 1", Members: 900}}}}}})
		at := start
		for i := range rapid.IntRange(1, 60).Draw(t, "cohorts") {
			at = at.Add(time.Duration(rapid.Int64Range(0, int64(72*time.Hour)).Draw(t, "rest")) * time.Duration(rapid.IntRange(0, 1).Draw(t, "rests")))
			took := time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(t, "took"))
			counts := make(map[membership.Outcome]int)
			for _, o := range membership.Outcomes() {
				if n := rapid.IntRange(0, 200).Draw(t, string(o)); n > 120 {
					counts[o] = n
				}
			}
			f.Parts = append(f.Parts, fleet.Part{Cohort: fmt.Sprintf("web.%d", i), Counts: counts, Started: at, Ended: at.Add(took),
				Input: fleet.PageInput{Wave: rapid.IntRange(0, 1).Draw(t, "wave")}})
			f.Report.Ended = later(f.Report.Ended, at.Add(took))
		}
		voted := start.Add(time.Duration(rapid.Int64Range(int64(-time.Hour), int64(100*time.Hour)).Draw(t, "vote")))
		c := newChart(f, []person{{N: 1, At: voted}})
		within := func(x, width float64) {
			require.GreaterOrEqual(t, x, chartLeft-0.01)
			require.LessOrEqual(t, x+width, chartWidth)
		}
		bars := 0
		for _, row := range c.Rows {
			for i, b := range row.Bars {
				bars++
				within(b.X, b.Width)
				require.GreaterOrEqual(t, b.Y, row.Y)
				require.LessOrEqual(t, b.Y+b.Height, row.Y+row.Height)
				require.True(t, i == 0 || b.X >= row.Bars[i-1].X-0.01)
				x := b.X
				for _, p := range b.Pieces {
					require.InDelta(t, x, p.X, 0.01)
					x += p.Width
				}
				require.True(t, len(b.Pieces) == 0 || x-b.X-b.Width < 0.01)
			}
		}
		require.Equal(t, len(f.Parts), bars)
		within(c.Flags[0].X, 0)
		for i, tick := range c.Ticks {
			within(tick.X, 0)
			require.True(t, i == 0 || tick.X-c.Ticks[i-1].X > 40, "labels do not touch")
		}
	})
}

func TestAFewFailuresAmongManyAreSeen(t *testing.T) {
	t.Parallel()
	pieces := cut(map[membership.Outcome]int{membership.Joined: 100_000, membership.Unknown: 1, membership.RolledBack: 2}, 100, 0.5)
	require.Equal(t, []piece{{0, 99, membership.Joined}, {99, 0.5, membership.RolledBack}, {99.5, 0.5, membership.Unknown}}, pieces)
	require.Empty(t, cut(nil, 100, 0.5))
}

// A gate that was open for days does not make a minute of work invisible.
func TestLongRestsAreCutShort(t *testing.T) {
	t.Parallel()
	y, key := small(t)
	c := newChart(open(t, y, key), nil)
	require.Len(t, c.Breaks, 3)
	require.Equal(t, "1d 2h", c.Breaks[0].Label)
	require.Greater(t, c.Rows[0].Bars[0].Width, 60.0)
}

func TestTickSteps(t *testing.T) {
	t.Parallel()
	for least, want := range map[time.Duration]time.Duration{
		0: time.Second, 3 * time.Second: 5 * time.Second, 31 * time.Second: time.Minute, 40 * time.Minute: time.Hour,
		3 * time.Hour: 24 * time.Hour, 40 * time.Hour: 72 * time.Hour,
	} {
		require.Equal(t, want, tickStep(least), least)
	}
}
