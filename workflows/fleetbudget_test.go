package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

func count(n int) fleet.Share { return fleet.Share{Count: n} }

// failures changes the budget.
func failures(s fleet.Share) fleet.Control { return fleet.Control{Budget: &fleet.Budget{Failures: s}} }

func TestASpentBudgetStopsTheRunUntilAPersonDecides(t *testing.T) {
	v := newConvoy(t, 30, func(p *fleet.Plan) { p.Budget = &fleet.Budget{Failures: count(2)} })
	v.fails(membership.RolledBack, "i-004", "i-007", "i-020")
	v.at(time.Hour, func() {
		require.Equal(t, membership.Stopped, v.status().Phase)
		require.Equal(t, "the budget is spent (failures): 2 of 2 failures allowed", v.status().Why)
		require.Equal(t, "2 of 2 failures allowed", v.status().Budget)
		require.Equal(t, 6, v.status().Counts[membership.Joined], "up to the failure that spends it, and no other")
		v.refuses(membership.ControlResume, nil, "the run is not paused, it has stopped: the budget is spent")
		v.refuses(fleet.ControlChange, fleet.Control{Budget: &fleet.Budget{}}, "budget: allows any number of failures")
		v.refuses(fleet.ControlChange, failures(fleet.Share{Percent: 101}), "want at most 100%")
		v.accepts(fleet.ControlChange, failures(count(3)))
	})
	v.at(2*time.Hour, func() {
		require.Equal(t, "the budget is spent (failures): 3 of 3 failures allowed", v.status().Why)
		require.Len(t, v.status().Failed, 3)
		v.accepts(membership.ControlAbort, fleet.Control{Control: membership.Control{By: "ann", Reason: "enough"}})
	})
	v.run()
	require.Equal(t, "cancelled: 18 joined, 3 rolled-back, 9 not-started", v.tally())
	require.Equal(t, "aborted by ann: enough", v.report().Why)
	for _, c := range v.sailed(first)[:2] {
		require.LessOrEqual(t, len(c), len("0 1"), "no more than the budget is ever at stake")
	}
}

func TestWhereNothingIsLeftThereIsNothingToStop(t *testing.T) {
	v := newConvoy(t, 5, func(p *fleet.Plan) { p.Budget = &fleet.Budget{Failures: count(1)} })
	v.fails(membership.RolledBack, "i-004")
	v.run()
	require.Equal(t, "partial: 4 joined, 1 rolled-back", v.tally())
}

func TestABudgetForEachWave(t *testing.T) {
	v := newConvoy(t, 40, func(p *fleet.Plan) {
		p.Waves, p.Budget = percents(50, 100), &fleet.Budget{PerWave: fleet.Share{Percent: 10}}
	})
	v.fails(membership.RolledBack, "i-003", "i-021", "i-022")
	v.at(time.Hour, func() {
		require.Equal(t, "the budget is spent (perWave): 2 of 2 failures allowed in this wave (10% of 20 members)", v.status().Why)
		v.accepts(membership.ControlAbort, nil)
	})
	v.run()
	require.Equal(t, "cancelled: 20 joined, 3 rolled-back, 17 not-started", v.tally())
}

func TestWhoJoinedInTheWaveIsPutBack(t *testing.T) {
	v := newConvoy(t, 24, func(p *fleet.Plan) {
		p.Waves, p.Budget = []fleet.Share{count(6), count(24)}, &fleet.Budget{PerWave: count(2), Then: fleet.ThenRollBackWave}
	})
	v.fails(membership.RolledBack, "i-008", "i-011")
	v.run()
	require.Equal(t, "partial: 6 joined, 6 rolled-back, 12 not-started", v.tally())
	require.Equal(t, []string{"6 7", "9", "10"}, v.sailed(undone), "those who joined in the wave")
	require.Equal(t, "the budget is spent (perWave): 2 of 2 failures allowed in this wave", v.report().Why)
	for _, c := range v.vessels {
		if undone(c) {
			require.Equal(t, map[membership.Outcome]int{membership.Joined: len(c.ids)}, c.in.Page.Again.Was)
			require.Equal(t, len(c.ids), c.in.Page.To-c.in.Page.From)
			require.Empty(t, c.told)
		}
	}
	require.Contains(t, v.phases, "undoing wave 2")
}

func TestWhoJoinedInTheRunIsPutBack(t *testing.T) {
	v := newConvoy(t, 24, func(p *fleet.Plan) {
		p.Pace.Cohorts = 2
		p.Waves, p.Budget = []fleet.Share{count(6), count(24)}, &fleet.Budget{Failures: count(1), Then: fleet.ThenRollBackFleet}
	})
	v.fails(membership.Unknown, "i-009")
	v.undoing = func(id string) membership.Outcome {
		switch id {
		case "i-001":
			return membership.RollbackIncomplete
		case "i-002":
			return membership.Refused
		}
		return membership.RolledBack
	}
	v.run()
	require.Equal(t, "rollback-incomplete: 8 rolled-back, 2 rollback-incomplete, 14 not-started", v.tally(),
		"nor is anybody left about whom nobody knows")
	require.Len(t, v.sailed(undone), 10)
	var failed []string
	for _, p := range v.archive.Parts {
		for _, w := range p.Worst {
			failed = append(failed, w.ID)
		}
	}
	require.Equal(t, []string{"i-001"}, failed, "who is put back has not failed")
	require.Equal(t, 2, v.most)
}

func TestLaterStepsArePutBackBeforeEarlierOnes(t *testing.T) {
	v := newConvoy(t, 0, func(p *fleet.Plan) {
		moving(p)
		p.Steps[0].Operation, p.Canary, p.Soak = membership.Join, 2, fleet.Duration(time.Hour)
	})
	v.at(2*time.Hour, func() { v.accepts(membership.ControlAbort, fleet.Control{Then: fleet.ThenRollBackFleet}) })
	v.run()
	require.Equal(t, "cancelled: 7 rolled-back, 3 not-started", v.tally())
	require.Equal(t, []string{"0 1", "0 1", "2 3 4"}, v.sailed(undone))
	undos := v.vessels[3:]
	require.Equal(t, 1, undos[0].in.Page.Step)
	require.Equal(t, undos[0].ended, undos[1].begun)
	require.Equal(t, undos[1].begun, undos[2].begun)
}

func TestARollBackThatReachesFurther(t *testing.T) {
	v := newConvoy(t, 12, func(p *fleet.Plan) {
		p.Waves, p.Budget = []fleet.Share{count(6), count(12)}, &fleet.Budget{PerWave: count(1), Then: fleet.ThenRollBackWave}
	})
	v.fails(membership.RolledBack, "i-008")
	v.at(9*time.Minute+30*time.Second, func() { // the wave is being put back
		require.Equal(t, membership.Undoing, v.status().Phase)
		v.refuses(membership.ControlPause, nil, "the run is ending; putting back is never paused")
		v.refuses(membership.ControlAbort, fleet.Control{Then: fleet.ThenRollBackWave}, "the run is ending already: the budget is spent")
		v.refuses(membership.ControlRetry, nil, "the run is ending")
		v.accepts(membership.ControlAbort, fleet.Control{Then: fleet.ThenRollBackFleet})
	})
	v.run()
	require.Equal(t, "cancelled: 9 rolled-back, 3 not-started", v.tally())
	for _, c := range v.vessels {
		require.Empty(t, c.told, "what puts back goes on")
	}
}

func TestACancelDoesNotCutARollBackShort(t *testing.T) {
	v := newConvoy(t, 0, func(p *fleet.Plan) {
		moving(p)
		p.Steps[0].Operation = membership.Join
		p.Pace.Cohorts, p.Budget = 1, &fleet.Budget{Failures: count(2), Then: fleet.ThenRollBackFleet}
	})
	v.fate = func(id string, try int) membership.Outcome {
		if try == 2 && id > "i-002" {
			return membership.RolledBack
		}
		return membership.Joined
	}
	v.at(6*time.Minute+30*time.Second, func() {
		require.Equal(t, membership.Undoing, v.status().Phase)
		v.CancelWorkflow()
	})
	v.run()
	require.Equal(t, "cancelled: 10 rolled-back", v.tally())
	require.Equal(t, []string{"0 1", "2", "0 1", "2", "3 4"}, v.sailed(undone))
	require.Equal(t, "the budget is spent (failures): 2 of 2 failures allowed", v.report().Why)
}

func TestASmallerBudgetHoldsForWhatIsNotYetUnderWay(t *testing.T) {
	v := newConvoy(t, 60, func(p *fleet.Plan) { p.Budget = &fleet.Budget{Failures: count(60)} })
	v.fails(membership.RolledBack, "i-001", "i-002", "i-010", "i-031")
	v.at(30*time.Second, func() {
		require.Equal(t, 30, v.status().InFlight)
		v.accepts(fleet.ControlChange, fleet.Control{Budget: &fleet.Budget{Failures: count(4), Then: fleet.ThenRollBackFleet}})
	})
	v.run()
	require.Equal(t, "rolled-back: 32 rolled-back, 28 not-started", v.tally())
}

// drill is a fleet of random fates.
type drill struct {
	members, page int
	plan          func(p *fleet.Plan)
	fates         map[string]membership.Outcome
	slow          map[string]int // seconds that members take
}

func drawDrill(t *rapid.T) drill {
	d := drill{members: rapid.IntRange(1, 40).Draw(t, "members"), page: rapid.IntRange(1, 8).Draw(t, "page"),
		fates: map[string]membership.Outcome{}, slow: map[string]int{}}
	oneIn := rapid.IntRange(1, 12).Draw(t, "one fails in")
	for _, id := range crowd("i", d.members) {
		if rapid.IntRange(1, oneIn).Draw(t, "fate") == 1 {
			ends := []membership.Outcome{membership.RolledBack, membership.Unknown, membership.Refused}
			d.fates[id] = rapid.SampledFrom(ends).Draw(t, "how")
		}
		d.slow[id] = rapid.IntRange(1, 1000).Draw(t, "slow")
	}
	budget := rapid.Custom(func(t *rapid.T) fleet.Share {
		switch rapid.IntRange(0, 2).Draw(t, "form") {
		case 0:
			return fleet.Share{}
		case 1:
			return count(rapid.IntRange(1, 8).Draw(t, "count"))
		default:
			return fleet.Share{Percent: float64(rapid.IntRange(1, 100).Draw(t, "percent"))}
		}
	})
	b := &fleet.Budget{Failures: budget.Draw(t, "failures"), PerWave: budget.Draw(t, "per wave")}
	if *b == (fleet.Budget{}) {
		b = nil
	} else {
		b.Then = rapid.SampledFrom([]fleet.Then{"", fleet.ThenRollBackWave, fleet.ThenRollBackFleet}).Draw(t, "then")
	}
	pace := rapid.IntRange(1, 6).Draw(t, "pace")
	most := rapid.IntRange(0, 8).Draw(t, "most")
	waves := rapid.SampledFrom([][]fleet.Share{nil, percents(100), percents(30, 100), percents(10, 50, 100)}).Draw(t, "waves")
	canary := rapid.IntRange(0, min(2, d.members-1)).Draw(t, "canary")
	soak := rapid.IntRange(0, 2000).Draw(t, "soak")
	d.plan = func(p *fleet.Plan) {
		p.Budget, p.Pace, p.Waves, p.Canary = b, fleet.Pace{Cohorts: pace, Members: most}, waves, canary
		p.Soak = fleet.Duration(time.Duration(soak) * time.Second)
	}
	return d
}

// convoy is the fleet of the drill. What it waits for people for is left as it is.
func (d drill) convoy(t rapid.TB) *convoy {
	v := newConvoy(t, d.members, d.plan)
	v.page = d.page
	v.fate = func(id string, _ int) membership.Outcome {
		if o, ok := d.fates[id]; ok {
			return o
		}
		return membership.Joined
	}
	v.takes = func(in workflows.CohortInput) time.Duration {
		slowest := 0
		for _, id := range v.members(in.Page) {
			slowest = max(slowest, d.slow[id])
		}
		return time.Duration(slowest) * time.Second
	}
	for i := range 8 { // whenever it has stopped or needs somebody
		v.at(time.Duration(i+1)*1000*time.Hour, func() {
			switch v.status().Phase {
			case membership.Stopped:
				v.accepts(membership.ControlAbort, nil)
			case membership.Waiting:
				v.accepts(membership.ControlSkip, membership.Control{Reason: "seen"})
			}
		})
	}
	return v
}

// promised is how many members are started: those up to the failure that spends the budget.
func (d drill) promised(p fleet.Plan) (n int) {
	waves, _ := p.Layout(0, d.members)
	failed := 0
	for _, w := range waves {
		inWave := 0
		for range w.Members {
			if o := d.fates[p.Members[n]]; o == membership.RolledBack || o == membership.Unknown {
				failed++
				inWave++
			}
			n++
			if b := p.Budget; b != nil && (b.Failures != fleet.Share{} && failed >= b.Failures.Of(d.members) ||
				b.PerWave != fleet.Share{} && inWave >= b.PerWave.Of(w.Members)) {
				return n
			}
		}
	}
	return n
}

func TestTheStartedMembersAreThoseThatTheLedgerPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDrill(t)
		v := d.convoy(t)
		ended := func() (failed int) {
			for _, c := range v.vessels {
				if !c.ended.IsZero() && first(c) {
					failed += c.failed
				}
			}
			return failed
		}
		v.begins = func(c *vessel) {
			b := v.plan.Budget
			if b != nil && b.Failures != (fleet.Share{}) && first(c) && ended()+v.flying > max(b.Failures.Of(d.members), 1) {
				t.Errorf("%d in flight and %d failed of a budget of %v", v.flying, ended(), b.Failures)
			}
		}
		v.run()
		report := v.report() // which counts everybody
		var started []string
		for _, c := range v.vessels {
			if first(c) {
				started = append(started, c.ids...)
			}
		}
		require.ElementsMatch(t, v.plan.Members[:d.promised(v.plan)], started)
		require.Equal(t, d.members-len(started), report.Counts[membership.NotStarted])
		require.LessOrEqual(t, v.most, v.plan.Pace.Cohorts)
		for _, c := range v.vessels {
			require.LessOrEqual(t, len(c.ids), d.page)
			if v.plan.Pace.Members > 0 {
				require.LessOrEqual(t, len(c.ids), v.plan.Pace.Members)
			}
		}
		if undos := v.sailed(undone); len(undos) > 0 {
			require.NotEqual(t, membership.RunSucceeded, report.Outcome)
		}
		if v.plan.Budget != nil && v.plan.Budget.Then == fleet.ThenRollBackFleet && report.Why != "" {
			require.Zero(t, report.Counts[membership.Joined], "everybody who joined is put back")
		}
	})
}
