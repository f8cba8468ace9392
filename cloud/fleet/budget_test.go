package fleet_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
)

func TestTheLedgerReservesForWhatIsInFlight(t *testing.T) {
	l := fleet.NewLedger(&fleet.Budget{Failures: percent(5), PerWave: count(3)}, 100)
	l.Wave(20)
	require.Equal(t, 3, l.Room())
	l.Start(2)
	require.Equal(t, 1, l.Room())
	l.Land(2, 2)
	require.Equal(t, 1, l.Room(), "of three in this wave")
	which, spent := l.Spent()
	require.False(t, spent, which)
	l.Start(1)
	require.Zero(t, l.Room())
	l.Land(1, 1)
	which, spent = l.Spent()
	require.True(t, spent)
	require.Equal(t, fleet.SpentPerWave, which)
	require.Zero(t, l.Room())

	l.Wave(80)
	require.Equal(t, 2, l.Room(), "of five in the step")
	l.Start(2)
	l.Land(2, 2)
	which, spent = l.Spent()
	require.True(t, spent)
	require.Equal(t, fleet.SpentFailures, which)

	l.Change(&fleet.Budget{Failures: count(50)})
	_, spent = l.Spent()
	require.False(t, spent)
	require.Equal(t, 45, l.Room())
	l.Change(nil)
	require.Equal(t, math.MaxInt, l.Room())
}

func TestWithoutWavesAStepIsOne(t *testing.T) {
	l := fleet.NewLedger(&fleet.Budget{PerWave: percent(10)}, 100)
	require.Equal(t, 10, l.Room())
}

func TestABudgetOfNobodyIsNotSpent(t *testing.T) {
	_, spent := fleet.NewLedger(&fleet.Budget{Failures: percent(5), PerWave: count(1)}, 0).Spent()
	require.False(t, spent)
}

func TestABudgetThatIsNotStrict(t *testing.T) {
	b := &fleet.Budget{Failures: count(2), Strict: new(bool)}
	l := fleet.NewLedger(b, 100)
	require.Equal(t, math.MaxInt, l.Room())
	l.Start(50)
	l.Land(1, 1)
	require.Equal(t, math.MaxInt, l.Room(), "it is not spent yet")
	l.Land(40, 5)
	require.Zero(t, l.Room())
	require.Equal(t, "6 of 2 failures allowed", l.String())
	require.Equal(t, 29, fleet.Pace{Cohorts: 3, Members: 10}.Overshoot(b, 100, 200))
	require.Equal(t, 11, fleet.Pace{}.Overshoot(b, 12, 200))
	yes := true
	require.Zero(t, fleet.Pace{}.Overshoot(&fleet.Budget{Failures: count(2), Strict: &yes}, 12, 200))
	require.Zero(t, fleet.Pace{}.Overshoot(nil, 12, 200))
}

func TestTheLedgerHasWordsForPeople(t *testing.T) {
	for want, b := range map[string]*fleet.Budget{
		"3 failures, any number allowed":                                                       nil,
		"3 of 5 failures allowed":                                                              {Failures: count(5)},
		"3 of 5 failures allowed (5% of 100 members)":                                          {Failures: percent(5)},
		"1 of 2 failures allowed in this wave (12.5% of 20 members)":                           {PerWave: percent(12.5)},
		"3 of 5 failures allowed (5% of 100 members); in this wave 1 of 2 (10% of 20 members)": {Failures: percent(5), PerWave: percent(10)},
		"3 of 1 failures allowed (0.5% of 100 members)":                                        {Failures: percent(0.5)}, // changed late
	} {
		l := fleet.NewLedger(nil, 100)
		l.Start(80)
		l.Land(80, 2)
		l.Wave(20)
		l.Start(1)
		l.Land(1, 1)
		l.Change(b)
		require.Equal(t, want, l.String())
	}
}

func TestTheLedgerKnowsItsOwnBudget(t *testing.T) {
	b := &fleet.Budget{Failures: count(5)}
	l := fleet.NewLedger(b, 100)
	b.Failures = count(50)
	require.Equal(t, 5, l.Room())
}

func TestTheLedgerRefusesWhatCannotBe(t *testing.T) {
	for name, do := range map[string]func(l *fleet.Ledger){
		"more than there is room for": func(l *fleet.Ledger) { l.Start(6) },
		"fewer than none":             func(l *fleet.Ledger) { l.Start(-1) },
		"more than there are":         func(l *fleet.Ledger) { l.Land(3, 0) },
		"more failed than ended":      func(l *fleet.Ledger) { l.Land(1, 2) },
		"failures taken back":         func(l *fleet.Ledger) { l.Land(1, -1) },
	} {
		l := fleet.NewLedger(&fleet.Budget{Failures: count(5)}, 100)
		l.Start(2)
		require.Panics(t, func() { do(l) }, name)
	}
}

// fleetRun is a step whose members' fates are known, so that one can say how it has to end.
type fleetRun struct {
	budget *fleet.Budget
	waves  []int  // members of each
	fails  []bool // by member
}

func drawRun(t *rapid.T) fleetRun {
	r := fleetRun{budget: drawBudget(t), waves: rapid.SliceOfN(rapid.IntRange(1, 40), 1, 4).Draw(t, "waves")}
	oneIn := rapid.IntRange(1, 20).Draw(t, "one fails in")
	for range r.total() {
		r.fails = append(r.fails, rapid.IntRange(1, oneIn).Draw(t, "fate") == 1)
	}
	return r
}

func drawBudget(t *rapid.T) *fleet.Budget {
	part := rapid.Custom(func(t *rapid.T) fleet.Share {
		switch rapid.IntRange(0, 2).Draw(t, "form") {
		case 0:
			return fleet.Share{}
		case 1:
			return count(rapid.IntRange(1, 20).Draw(t, "count"))
		default:
			return percent(float64(rapid.IntRange(1, 100_000).Draw(t, "thousandths of a percent")) / 1000)
		}
	})
	return &fleet.Budget{Failures: part.Draw(t, "failures"), PerWave: part.Draw(t, "per wave")}
}

func (r fleetRun) total() (n int) {
	for _, size := range r.waves {
		n += size
	}
	return n
}

func limit(s fleet.Share, of int) int {
	if s == (fleet.Share{}) {
		return math.MaxInt
	}
	return s.Of(of)
}

// oneByOne says how many members are started when each begins after the one before has ended.
func (r fleetRun) oneByOne() (started int) {
	failed := 0
	for _, size := range r.waves {
		inWave := 0
		for range size {
			if r.fails[started] {
				failed++
				inWave++
			}
			started++
			if failed >= limit(r.budget.Failures, r.total()) || inWave >= limit(r.budget.PerWave, size) {
				return started
			}
		}
	}
	return started
}

// play runs the step with up to window cohorts of up to page members in flight, which end in any order and in parts, and
// returns how many members were started. each is called whenever something has happened.
func (r fleetRun) play(t *rapid.T, window, page int, each func(l *fleet.Ledger, wave int)) (started int) {
	l := fleet.NewLedger(r.budget, r.total())
	end := 0
	for wave, size := range r.waves {
		l.Wave(size)
		end += size
		each(l, wave)
		var cohorts [][]bool
		for {
			for n := 1; n > 0 && len(cohorts) < window; {
				if n = min(l.Room(), page, end-started); n > 0 {
					l.Start(n)
					cohorts = append(cohorts, r.fails[started:started+n])
					started += n
					each(l, wave)
				}
			}
			if len(cohorts) == 0 {
				break
			}
			i := rapid.IntRange(0, len(cohorts)-1).Draw(t, "cohort")
			fates := rapid.Permutation(cohorts[i]).Draw(t, "order")
			n := rapid.IntRange(1, len(fates)).Draw(t, "ended")
			failed := 0
			for _, fails := range fates[:n] {
				if fails {
					failed++
				}
			}
			l.Land(n, failed)
			if cohorts[i] = fates[n:]; n == len(fates) {
				cohorts = append(cohorts[:i], cohorts[i+1:]...)
			}
			l = reborn(t, l)
			each(l, wave)
		}
		if _, spent := l.Spent(); spent {
			return started
		}
	}
	return started
}

// reborn is the ledger after a continue-as-new.
func reborn(t require.TestingT, l *fleet.Ledger) *fleet.Ledger {
	data, err := json.Marshal(l)
	require.NoError(t, err)
	again := new(fleet.Ledger)
	require.NoError(t, json.Unmarshal(data, again))
	require.Equal(t, l, again)
	return again
}

func TestABudgetHoldsWhateverTheConcurrency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRun(t)
		window, page := rapid.IntRange(1, 12).Draw(t, "window"), rapid.IntRange(1, 50).Draw(t, "page")
		started := r.play(t, window, page, func(l *fleet.Ledger, _ int) {
			require.LessOrEqual(t, l.InFlight+l.Failed, limit(r.budget.Failures, r.total()))
			require.LessOrEqual(t, l.InFlight+l.WaveFailed, limit(r.budget.PerWave, l.Size))
			if _, spent := l.Spent(); spent {
				require.Zero(t, l.Room())
				require.Zero(t, l.InFlight, "nothing is in flight when the last allowed failure comes")
			}
		})
		require.Equal(t, r.oneByOne(), started, "the members up to the failure that spends the budget, and no other")
	})
}

func TestABudgetMayChangeAtAnyTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRun(t)
		window, page := rapid.IntRange(1, 12).Draw(t, "window"), rapid.IntRange(1, 50).Draw(t, "page")
		// What may fail at most: the budget or, where that is more, what had failed or was in flight when it changed.
		most, mostInWave, present := limit(r.budget.Failures, r.total()), 0, -1
		r.play(t, window, page, func(l *fleet.Ledger, wave int) {
			changed := rapid.IntRange(0, 3).Draw(t, "change") == 0
			if changed {
				l.Change(drawBudget(t))
				most = max(limit(l.Budget.Failures, l.Total), l.Failed+l.InFlight)
			}
			if changed || wave != present {
				mostInWave, present = max(limit(l.Budget.PerWave, l.Size), l.WaveFailed+l.InFlight), wave
			}
			room := l.Room()
			require.GreaterOrEqual(t, room, 0)
			if room == math.MaxInt {
				require.Equal(t, fleet.Budget{}, *l.Budget, "unlimited")
				room = 0
			}
			require.LessOrEqual(t, l.Failed+l.InFlight+room, most)
			require.LessOrEqual(t, l.WaveFailed+l.InFlight+room, mostInWave)
		})
	})
}
