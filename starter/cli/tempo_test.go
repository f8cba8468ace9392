package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// look is a moment at which somebody looked at a run.
type look struct {
	after  time.Duration // since the one before
	ended  int
	moving bool
}

func tempoOf(looks ...look) *tempo {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	t := &tempo{}
	for _, l := range looks {
		at = at.Add(l.after)
		t.note(at, l.ended, l.moving)
	}
	return t
}

func TestTempo(t *testing.T) {
	t.Parallel()
	const s, m = time.Second, time.Minute
	for name, c := range map[string]struct {
		looks []look
		rate  float64
		left  time.Duration // of 60 members
		known bool
	}{
		"nobody has looked": {},
		"one look":          {looks: []look{{0, 40, true}}},
		"nobody has ended":  {looks: []look{{0, 0, true}, {m, 0, true}}},
		"too early to say":  {looks: []look{{0, 0, true}, {9 * s, 60, true}}},
		"one a second":      {looks: []look{{0, 0, true}, {m, 60, true}}, rate: 60, left: m, known: true},
		"who had ended before we came is not ours": {
			looks: []look{{0, 500, true}, {m, 530, true}}, rate: 30, left: 2 * m, known: true},
		"a night at a gate does not count": {
			looks: []look{{0, 0, true}, {m, 60, false}, {8 * time.Hour, 60, true}, {m, 120, true}}, rate: 60, left: m, known: true},
		"what ends in a pause ends in no time": {
			looks: []look{{0, 0, true}, {m, 50, false}, {m, 60, false}}, rate: 60, left: m, known: true},
		"a cohort that is tried again counts nobody twice": {
			looks: []look{{0, 60, true}, {m, 30, true}}},
		"the window forgets": {
			looks: []look{{0, 0, true}, {m, 6000, true}, {5 * m, 6060, true}}, rate: 12, left: 5 * m, known: true},
		"more than a year is no guess": {
			looks: []look{{0, 0, true}, {20000 * time.Hour, 1, true}}, rate: 1 / (20000 * 60.0)},
		"the clock goes back": {
			looks: []look{{0, 0, true}, {-m, 10, true}, {m, 60, true}}, rate: 60, left: m, known: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tempo := tempoOf(c.looks...)
			require.InDelta(t, c.rate, tempo.rate(), 1e-9)
			left, known := tempo.left(60)
			require.Equal(t, c.known, known)
			require.Equal(t, c.left, left)
		})
	}
}

// Whatever is seen, no rate and no time is negative, no rate means no guess, more members take no less time, and standing
// still changes nothing.
func TestTempoHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		looks := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) look {
			return look{after: time.Duration(rapid.Int64Range(int64(-time.Minute), int64(time.Hour)).Draw(t, "after")),
				ended: rapid.IntRange(0, 100_000).Draw(t, "ended"), moving: rapid.Bool().Draw(t, "moving")}
		}), 0, 60).Draw(t, "looks")
		tempo := tempoOf(looks...)
		rate := tempo.rate()
		require.GreaterOrEqual(t, rate, 0.0)
		some := rapid.Int().Draw(t, "members")
		left, known := tempo.left(some)
		require.GreaterOrEqual(t, left, time.Duration(0))
		if rate == 0 || some < 0 {
			require.False(t, known)
		}
		if more, knownToo := tempo.left(max(some, some+1)); knownToo && known {
			require.GreaterOrEqual(t, more, left)
		}
		require.LessOrEqual(t, len(tempo.marks), len(looks))
		if n := len(looks); n > 0 && !looks[n-1].moving {
			tempo.note(tempo.last.Add(time.Hour), looks[n-1].ended, false)
			require.Equal(t, rate, tempo.rate())
		}
	})
}
