package fleet_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func count(n int) fleet.Share               { return fleet.Share{Count: n} }
func percent(n float64) fleet.Share         { return fleet.Share{Percent: n} }
func shares(s ...fleet.Share) []fleet.Share { return s }

func TestLayout(t *testing.T) {
	type waves = []fleet.Wave
	for name, c := range map[string]struct {
		plan  fleet.Plan
		total int
		want  waves
	}{
		"everything at once": {fleet.Plan{}, 7, waves{{Name: "wave 1", Members: 7}}},
		"a canary and the rest": {fleet.Plan{Canary: 2}, 7,
			waves{{Name: "canary", Members: 2}, {Name: "wave 1", Members: 5}}},
		"all are canaries":  {fleet.Plan{Canary: 5}, 5, waves{{Name: "canary", Members: 5}}},
		"more than all are": {fleet.Plan{Canary: 6, Waves: shares(percent(50), percent(100))}, 5, waves{{Name: "canary", Members: 5}}},
		"shares say what is done": {fleet.Plan{Canary: 1, Waves: shares(percent(5), percent(50), percent(100))}, 100,
			waves{{Name: "canary", Members: 1}, {Name: "wave 1", Members: 4}, {Name: "wave 2", Members: 45},
				{Name: "wave 3", Members: 50}}},
		"counts": {fleet.Plan{Waves: shares(count(10), count(30))}, 30,
			waves{{Name: "wave 1", Members: 10}, {Name: "wave 2", Members: 20}}},
		"counts and percentages": {fleet.Plan{Waves: shares(count(10), percent(50), percent(100))}, 30,
			waves{{Name: "wave 1", Members: 10}, {Name: "wave 2", Members: 5},
				{Name: "wave 3", Members: 15}}},
		"too few for all waves": {fleet.Plan{Waves: shares(percent(5), percent(10), percent(100))}, 3,
			waves{{Name: "wave 1", Members: 1}, {Name: "wave 2", Members: 2}}},
		"the canary is the first wave already": {fleet.Plan{Canary: 2, Waves: shares(percent(5), percent(100))}, 20,
			waves{{Name: "canary", Members: 2}, {Name: "wave 1", Members: 18}}},
		"one member": {fleet.Plan{Waves: shares(percent(5), percent(50), percent(100))}, 1,
			waves{{Name: "wave 1", Members: 1}}},
		"nobody": {fleet.Plan{Canary: 2, Waves: shares(count(5), percent(100))}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, ps := c.plan.Layout(0, c.total)
			require.Empty(t, ps)
			require.Equal(t, c.want, got)
		})
	}
}

// wrongWaves are wrong for any total; Problems says so of every plan.
var wrongWaves = map[string]struct {
	plan fleet.Plan
	want []string
}{
	"negative canary": {fleet.Plan{Canary: -1}, []string{"canary: -1: want at least 1, or none"}},
	"none of it": {fleet.Plan{Waves: shares(count(0), percent(100))},
		[]string{`waves[0]: 0: want a count of at least 1, such as 12, or a percentage above 0 with at most 3 decimals, such as "5%"`}},
	"less than none": {fleet.Plan{Waves: shares(count(-3), percent(100))},
		[]string{"waves[0]: -3: want a count of at least 1, "}},
	"a percentage too fine": {fleet.Plan{Waves: shares(percent(0.0001), percent(100))},
		[]string{"waves[0]: 0.0001%: want a count"}},
	"more than the whole": {fleet.Plan{Waves: shares(percent(5), percent(101))},
		[]string{"waves[1]: 101%: want at most 100%"}},
	"both": {fleet.Plan{Waves: shares(fleet.Share{Count: 1, Percent: 5}, percent(100))},
		[]string{"waves[0]: 5%: want a count or a percentage, not both"}},
	"falling percentages": {fleet.Plan{Waves: shares(percent(50), percent(20), percent(100))},
		[]string{"waves[1]: 20%: want more than the 50% of waves[0]: a wave's share is how much of a step is done when the wave ends"}},
	"rising again, but not yet above": {
		fleet.Plan{Waves: shares(percent(50), percent(20), count(9), percent(30), count(5), count(7), percent(100))},
		[]string{"waves[1]: 20%: want more than the 50% of waves[0]", "waves[3]: 30%: want more than the 50% of waves[0]",
			"waves[4]: 5: want more than the 9 of waves[2]", "waves[5]: 7: want more than the 9 of waves[2]"}},
	"less after the whole": {fleet.Plan{Waves: shares(percent(100), percent(50))},
		[]string{"waves[1]: 50%: comes after waves[0]"}},
	"empty percentage": {fleet.Plan{Waves: shares(percent(2.5), percent(2.5), percent(100))},
		[]string{"waves[1]: 2.5%: want more than the 2.5% of waves[0]"}},
	"falling counts, with a percentage between": {fleet.Plan{Waves: shares(count(50), percent(30), count(20), percent(100))},
		[]string{"waves[2]: 20: want more than the 50 of waves[0]: a wave's share is how much of a step is done when the wave ends"}},
	"empty count": {fleet.Plan{Waves: shares(count(5), count(5), percent(100))},
		[]string{"waves[1]: 5: want more than the 5 of waves[0]"}},
	"no more than canary": {fleet.Plan{Canary: 5, Waves: shares(count(5), percent(100))},
		[]string{"waves[0]: 5: want more than the 5 of canary"}},
	"after the whole": {fleet.Plan{Waves: shares(percent(100), count(1000))},
		[]string{"waves[1]: 1000: comes after waves[0], which is 100% already; leave it out"}},
	"the whole twice": {fleet.Plan{Waves: shares(percent(100), percent(100))},
		[]string{"waves[1]: 100%: comes after waves[0]"}},
	"some would be left": {fleet.Plan{Waves: shares(percent(5), percent(50))},
		[]string{`waves[1]: 50%: want "100%", since it is the last: everybody has a wave`}},
	"one, and some left": {fleet.Plan{Waves: shares(percent(99.999))}, []string{`waves[0]: 99.999%: want "100%"`}},
	"several things wrong": {fleet.Plan{Canary: -1, Waves: shares(percent(50), percent(20))},
		[]string{"canary: -1", "waves[1]: 20%: want more", `waves[1]: 20%: want "100%"`}},
}

func TestWavesThatAreWrongForAnyTotal(t *testing.T) {
	for name, c := range wrongWaves {
		t.Run(name, func(t *testing.T) {
			for _, total := range []int{0, 1000} {
				got, ps := c.plan.Layout(0, total)
				require.Nil(t, got)
				requireProblems(t, c.want, ps)
			}
		})
	}
}

func TestWavesThatAreWrongForATotal(t *testing.T) {
	for name, c := range map[string]struct {
		plan  fleet.Plan
		total int
		want  []string
	}{
		"more than there are": {fleet.Plan{Waves: shares(count(5), count(50), percent(100))}, 30,
			[]string{`waves[1]: 50: want at most the 30 members of the step; a last wave of "100%" is right for any number`}},
		"some would be left": {fleet.Plan{Waves: shares(count(5), count(20))}, 30,
			[]string{`waves[1]: 20: want 30, all members of the step, since it is the last; a last wave of "100%"`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ps := c.plan.Layout(0, c.total)
			require.Nil(t, got)
			requireProblems(t, c.want, ps)
		})
	}
}

// requireProblems wants each problem to begin with the words for it, and no further ones.
func requireProblems(t *testing.T, want []string, ps []membership.Problem) {
	t.Helper()
	require.Len(t, ps, len(want), "%v", ps)
	for i, p := range ps {
		require.Equal(t, want[i], p.String()[:min(len(want[i]), len(p.String()))])
	}
}

func TestWavesPartitionTheMembers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(1, 5000).Draw(t, "total")
		p := fleet.Plan{Canary: rapid.IntRange(0, total-1).Draw(t, "canary")}
		for _, n := range risen(rapid.SliceOfN(rapid.IntRange(p.Canary+1, total), 0, 4).Draw(t, "counts")) {
			p.Waves = append(p.Waves, count(n))
		}
		for _, n := range risen(rapid.SliceOfN(rapid.IntRange(1, 99_999), 0, 4).Draw(t, "thousandths of a percent")) {
			p.Waves = append(p.Waves, percent(float64(n)/1000))
		}
		p.Waves = rapid.Permutation(p.Waves).Draw(t, "mixed")
		inOrder(p.Waves)
		if len(p.Waves) > 0 {
			p.Waves = append(p.Waves, percent(100))
		}
		waves, ps := p.Layout(0, total)
		require.Empty(t, ps)
		done, number := 0, 0
		var reached []int // by wave, how many are done at its end
		for i, w := range waves {
			require.Positive(t, w.Members)
			done += w.Members
			reached = append(reached, done)
			if i == 0 && p.Canary > 0 {
				require.Equal(t, fleet.Wave{Name: "canary", Members: p.Canary}, w)
				continue
			}
			number++
			require.Equal(t, fmt.Sprintf("wave %d", number), w.Name)
		}
		require.Equal(t, total, done)
		require.LessOrEqual(t, number, max(1, len(p.Waves)))
		for _, s := range p.Waves { // whatever a share says is done has been, when some wave is
			require.True(t, slices.ContainsFunc(reached, func(n int) bool { return n >= s.Of(total) }))
		}
	})
}

func risen(ns []int) []int {
	slices.Sort(ns)
	return slices.Compact(ns)
}

// inOrder lets counts rise among counts and percentages among percentages, wherever they stand.
func inOrder(all []fleet.Share) {
	for i := range all {
		for j := range i {
			a, b := all[i], all[j]
			if (a.Percent > 0) == (b.Percent > 0) && (a.Percent < b.Percent || a.Count < b.Count) {
				all[i], all[j] = all[j], all[i]
			}
		}
	}
}
