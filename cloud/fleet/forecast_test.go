package fleet_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	limiters "github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// priced is a kind that only knows what it costs.
type priced func(m *membership.Member) membership.Cost

func (p priced) Cost(_ membership.Target, m *membership.Member) membership.Cost {
	return p(m)
}

const poll = 2 * time.Second

// flat is a limit without a run-up; 0 is none.
func flat(name string, perSecond float64) membership.Limit {
	return membership.Limit{Name: name, Start: perSecond, Most: perSecond}
}

// restarted stops those that are on, adds everybody and starts again what was on: 12 s, and 22 s more for a restart, half of
// it in the stop.
func restarted(adds membership.Limit) priced {
	read := membership.Calls{API: "Read", Batch: 100, Limit: flat("Read", 50)}
	quota := membership.Calls{API: "Quota", Limit: flat("Quota", 50)}
	write := func(api string, batch int, l membership.Limit) []membership.Calls {
		return []membership.Calls{{API: api, Write: true, Batch: batch, Limit: l}}
	}
	return func(m *membership.Member) membership.Cost {
		c := membership.Cost{Plan: []membership.Calls{read, quota}, Look: []membership.Calls{read}}
		add := membership.StageCost{Stage: "add", Calls: write("Add", 1, adds), Takes: 10 * time.Second}
		if m.Before["power"] != "on" {
			c.Stages = []membership.StageCost{add}
			return c
		}
		add.Off = true
		c.Stages = []membership.StageCost{
			{Stage: "stop", Calls: write("Stop", 100, flat("power", 0)), Takes: 9 * time.Second, Off: true}, add,
			{Stage: "start", Calls: write("Start", 100, flat("power", 0)), Takes: 9 * time.Second, Off: true}}
		return c
	}
}

// some are n members, of which so many are on.
func some(n, on int) []membership.Member {
	members := make([]membership.Member, n)
	for i := range members {
		members[i] = membership.Member{ID: fmt.Sprint(i), Before: map[string]string{"power": "off"}}
		if i < on {
			members[i].Before["power"] = "on"
		}
	}
	return members
}

// forecast plays waves of pages.
func forecast(p fleet.Plan, kind fleet.Costed, waves ...[][]membership.Member) *fleet.Forecast {
	total := 0
	sizes := make([]int, len(waves))
	for i, w := range waves {
		for _, page := range w {
			sizes[i] += len(page)
		}
		total += sizes[i]
	}
	f := fleet.NewForecast(p, fleet.Step{}, total, kind, poll)
	for i, w := range waves {
		f.Wave(sizes[i])
		for _, page := range w {
			f.Page(page)
		}
	}
	return f
}

type pages = [][]membership.Member

func TestCohortsGoAsManyAtOnceAsThePaceAllows(t *testing.T) {
	kind := restarted(flat("Add", 0))
	three := pages{some(10, 0), some(10, 0), some(5, 0)}
	for cohorts, want := range map[int]int{1: 36, 2: 24, 3: 12, 0: 12} {
		f := forecast(fleet.Plan{Pace: fleet.Pace{Cohorts: cohorts}}, kind, three)
		require.Equal(t, []int{want}, f.WaveSeconds(), "%d cohorts", cohorts)
	}
	// A page of the slow is waited for only where it stands in the way.
	f := forecast(fleet.Plan{Pace: fleet.Pace{Cohorts: 2}}, kind, pages{some(1, 1), some(1, 0), some(1, 0), some(1, 0)})
	require.Equal(t, []int{36}, f.WaveSeconds())
}

func TestCallsWaitForTheirLimit(t *testing.T) {
	kind := restarted(flat("Add", 5))
	f := forecast(fleet.Plan{}, kind, pages{some(100, 0)})
	require.Equal(t, []int{32}, f.WaveSeconds(), "100 calls at 5 a second, and the last member's 12 s")
	f = forecast(fleet.Plan{}, kind, pages{some(50, 0), some(50, 0)})
	require.Equal(t, []int{32}, f.WaveSeconds(), "cohorts share it")
	f = forecast(fleet.Plan{Pace: fleet.Pace{Cohorts: 1}}, kind, pages{some(50, 0), some(50, 0)})
	require.Equal(t, []int{44}, f.WaveSeconds(), "10 s and 12 s each")

	e := f.Expected()
	require.Equal(t, fleet.APICalls{API: "Add", Writes: 100, WritesAtMost: 100, Limit: "Add", LimitPerSecond: 5, LimitShare: 100. / 220},
		e.Calls[0])
	// Each page is read when it is planned, and looked at every two seconds of its 22, and at the end.
	require.Equal(t, fleet.APICalls{API: "Read", Reads: 2 * (1 + 12), Limit: "Read", LimitPerSecond: 50, LimitShare: 26. / 2200}, e.Calls[1])
	require.Equal(t, 2, e.Calls[2].Reads, "what only planning reads")
	require.Nil(t, e.Downtime)
}

func TestALimitRunsUp(t *testing.T) {
	kind := restarted(membership.Limit{Name: "Add", Start: 5, Most: 50})
	f := forecast(fleet.Plan{}, kind, pages{some(2975, 0)})
	require.Equal(t, []int{112}, f.WaveSeconds(), "2475 calls in 90 s, 500 in 10 s")
	f = forecast(fleet.Plan{}, kind, pages{some(2475, 0)}, pages{some(500, 0)})
	require.Equal(t, []int{102, 22}, f.WaveSeconds(), "a pause makes it no slower")

	kind = restarted(membership.Limit{Name: "Add", Start: 5, Most: 5, Burst: 10})
	f = forecast(fleet.Plan{}, kind, pages{some(10, 0)})
	require.Equal(t, []int{12}, f.WaveSeconds(), "the first ten need not wait")
	f = forecast(fleet.Plan{}, kind, pages{some(60, 0)})
	require.Equal(t, []int{22}, f.WaveSeconds())
}

// What is foreseen of a limiter is what it does.
func TestALimitRunsUpAsTheLimiterDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, seed := range []limiters.Seed{{Start: 5, Min: 0.1, Max: 50, Burst: 10}, {Start: 0.15, Min: 0.01, Max: 1. / 6, Burst: 2}} {
			var set limiters.Set
			l := set.For(limiters.Key{API: "Add"}, seed)
			kind := restarted(membership.Limit{Name: "Add", Start: seed.Start, Most: seed.Max, Burst: seed.Burst})
			begun, sent := time.Now(), 0
			for _, n := range []int{100, 1000, 4000} {
				for ; sent < n; sent++ {
					require.NoError(t, l.Wait(t.Context()))
					l.Succeeded()
				}
				took := time.Since(begun) + 12*time.Second
				f := forecast(fleet.Plan{}, kind, pages{some(n, 0)})
				require.InEpsilon(t, took.Seconds(), f.WaveSeconds()[0], 0.05, "%d calls of %v", n, seed)
			}
		}
	})
}

func TestASmallBudgetMakesASlowRun(t *testing.T) {
	kind := restarted(flat("Add", 0))
	budget := func(b fleet.Budget) fleet.Plan { return fleet.Plan{Budget: &b} }
	f := forecast(budget(fleet.Budget{Failures: count(10)}), kind, pages{some(25, 0), some(5, 0)})
	require.Equal(t, []int{36}, f.WaveSeconds(), "ten at a time")
	f = forecast(budget(fleet.Budget{Failures: count(100), PerWave: percent(50)}), kind, pages{some(2, 0)}, pages{some(8, 0)})
	require.Equal(t, []int{24, 24}, f.WaveSeconds(), "half a wave at a time")
}

func TestSoaksAreBetweenWaves(t *testing.T) {
	kind := restarted(flat("Add", 0))
	f := forecast(fleet.Plan{Soak: fleet.Duration(10 * time.Minute)}, kind, pages{some(1, 0)}, pages{some(5, 5)}, pages{some(9, 0)})
	require.Equal(t, []int{12, 34, 12}, f.WaveSeconds())
	e := f.Expected()
	require.Equal(t, 1200, e.SoakSeconds)
	require.Equal(t, 1200+58, e.DurationSeconds)
	require.Equal(t, &fleet.Downtime{Members: 5, SecondsEach: 34}, e.Downtime)
	require.Equal(t, e, f.Expected(), "to ask changes nothing")
}

func TestOnlyWhoIsDueCosts(t *testing.T) {
	members := some(250, 120)
	for i := range 10 {
		members[i].Already = true
		members[249-i].Refused = []membership.Objection{{Code: "full"}}
	}
	expect := func(add float64) fleet.Expected {
		return forecast(fleet.Plan{}, restarted(flat("Add", add)), [][]membership.Member{members}).Expected()
	}
	e := expect(0)
	require.Equal(t, 34, e.DurationSeconds)
	var calls []string
	for _, c := range e.Calls {
		calls = append(calls, fmt.Sprintf("%s %d-%d, %d", c.API, c.Writes, c.WritesAtMost, c.Reads))
	}
	require.Equal(t, []string{"Stop 2-110, 0", "Add 230-230, 0", "Start 2-110, 0", "Read 0-0, 57", "Quota 0-0, 1"}, calls,
		"230 are looked at 18 times, and 250 planned")
	require.Equal(t, 110, e.Downtime.Members)

	for i := range members {
		members[i].Already = true
	}
	e = expect(5)
	require.Zero(t, e.DurationSeconds)
	require.Len(t, e.Calls, 2, "that nobody is due is only read")
}

func TestCallsThatAreNeededMoreThanOnce(t *testing.T) {
	snapshots := priced(func(m *membership.Member) membership.Cost {
		each := membership.Calls{API: "Snapshot", Write: true, Batch: 1, Times: 1 + len(m.ID)}
		once := membership.Calls{API: "Detach", Write: true, Times: 3}
		return membership.Cost{Stages: []membership.StageCost{{Stage: "snapshot", Calls: []membership.Calls{each, once}}}}
	})
	l := fleet.NewLoad(poll)
	for _, id := range []string{"a", "bc", "def"} {
		m := membership.Member{ID: id}
		l.Add(&m, snapshots(&m))
	}
	calls := l.Calls(time.Minute)
	require.Equal(t, []int{9, 9, 3, 3}, []int{calls[0].Writes, calls[0].WritesAtMost, calls[1].Writes, calls[1].WritesAtMost})
}

// march is a random fleet.
type march struct {
	limit   membership.Limit
	cohorts int
	waves   []pages
}

func drawMarch(t *rapid.T) march {
	m := march{cohorts: rapid.IntRange(1, 6).Draw(t, "cohorts")}
	m.limit = flat("Add", rapid.Float64Range(0.1, 20).Draw(t, "start"))
	m.limit.Most *= rapid.Float64Range(1, 10).Draw(t, "run-up")
	m.limit.Burst = rapid.IntRange(0, 20).Draw(t, "burst")
	for range rapid.IntRange(1, 4).Draw(t, "waves") {
		var wave pages
		for range rapid.IntRange(1, 8).Draw(t, "pages") {
			n := rapid.IntRange(1, 30).Draw(t, "members")
			wave = append(wave, some(n, rapid.IntRange(0, n).Draw(t, "on")))
		}
		m.waves = append(m.waves, wave)
	}
	return m
}

func (m march) plan() fleet.Plan {
	return fleet.Plan{Pace: fleet.Pace{Cohorts: m.cohorts}, Soak: fleet.Duration(90 * time.Second)}
}

func (m march) expected() (fleet.Expected, []int) {
	f := forecast(m.plan(), restarted(m.limit), m.waves...)
	return f.Expected(), f.WaveSeconds()
}

func TestWhatForecastsHaveInCommon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMarch(t)
		before, waves := m.expected()
		sum := 90 * (len(waves) - 1)
		for _, s := range waves {
			sum += s
		}
		require.Equal(t, sum, before.DurationSeconds, "the waves and the soaks are all")
		members := 0
		for _, w := range m.waves {
			for _, page := range w {
				members += len(page)
			}
		}
		adds := before.Calls[0]
		for _, c := range before.Calls {
			require.LessOrEqual(t, c.Writes, c.WritesAtMost)
			if c.API == "Add" {
				adds = c
			}
		}
		require.Equal(t, members, adds.Writes)
		work := float64(before.DurationSeconds - before.SoakSeconds)
		require.GreaterOrEqual(t, work*m.limit.Most+float64(m.limit.Burst), float64(members), "no limit is outrun")

		faster := m
		faster.cohorts++
		after, _ := faster.expected()
		require.LessOrEqual(t, after.DurationSeconds, before.DurationSeconds, "more cohorts never take more")

		// More calls let a limit run up earlier: what that may save those behind them is less than one call's time.
		w := rapid.IntRange(0, len(m.waves)-1).Draw(t, "wave of another")
		p := rapid.IntRange(0, len(m.waves[w])-1).Draw(t, "page of another")
		m.waves[w][p] = append(m.waves[w][p], some(1, rapid.IntRange(0, 1).Draw(t, "another is on"))...)
		after, _ = m.expected()
		saved := 0.
		if m.limit.Most > m.limit.Start {
			saved = 1/m.limit.Start + float64(len(m.waves))
		}
		require.GreaterOrEqual(t, float64(after.DurationSeconds)+saved, float64(before.DurationSeconds), "more members never take less")
	})
}
