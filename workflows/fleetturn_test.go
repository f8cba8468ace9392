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

// nights is a plan whose members are started at night.
func nights(p *fleet.Plan) {
	p.Pace.Cohorts = 1
	p.Windows = []fleet.Window{{From: "22:00", To: "22:02", Zone: "UTC"}}
}

func TestMembersAreStartedWhileAWindowIsOpen(t *testing.T) {
	v := newConvoy(t, 12, nights)
	v.takes = func(workflows.CohortInput) time.Duration { return 90 * time.Second }
	v.at(time.Hour, func() {
		require.Equal(t, membership.Resting, v.status().Phase)
		require.True(t, v.status().Next.Equal(monday.Add(13*time.Hour)), "%v", v.status().Next)
		require.Empty(t, v.vessels)
	})
	v.at(13*time.Hour+150*time.Second, func() {
		require.Equal(t, membership.Running, v.status().Phase, "what is under way when it closes goes on")
	})
	v.at(14*time.Hour, func() { require.Equal(t, membership.Resting, v.status().Phase) })
	v.run()
	require.Equal(t, "succeeded: 12 joined", v.tally())
	var began []time.Duration
	for _, c := range v.vessels {
		began = append(began, c.begun.Sub(monday).Truncate(time.Second))
	}
	night, day := 13*time.Hour, 24*time.Hour
	require.Equal(t, []time.Duration{night, night + 90*time.Second, night + day, night + day + 90*time.Second}, began)
}

func TestNobodyWaitsForAWindowWhenNobodyIsToBeStarted(t *testing.T) {
	v := newConvoy(t, 3, nights)
	v.takes = func(workflows.CohortInput) time.Duration { return time.Hour }
	v.fails(membership.Unknown, "i-001")
	v.at(15*time.Hour, func() {
		require.Equal(t, membership.Waiting, v.status().Phase)
		require.Zero(t, v.status().Next)
		v.accepts(membership.ControlSkip, of(), "i-001")
	})
	v.run()
	require.Equal(t, "partial: 2 joined, 1 skipped", v.tally())
}

func TestPuttingBackWaitsForNoWindow(t *testing.T) {
	v := newConvoy(t, 12, nights)
	v.at(14*time.Hour, func() { v.accepts(membership.ControlAbort, fleet.Control{Then: fleet.ThenRollBackFleet}) })
	v.run()
	require.Equal(t, "cancelled: 6 rolled-back, 6 not-started", v.tally())
	require.Equal(t, 14*time.Hour+2*time.Minute, v.report().Ended.Sub(monday).Truncate(time.Second))
}

func TestALongRunContinuesInAFreshHistory(t *testing.T) {
	v := newConvoy(t, 60, func(p *fleet.Plan) {
		asking(fleet.Approval{EachWave: true})(p)
		p.Waves, p.Soak = percents(20, 100), fleet.Duration(time.Hour)
	})
	v.fails(membership.RolledBack, "i-001", "i-030")
	v.at(time.Minute, func() { v.votes("bob") })
	v.at(90*time.Second, func() { v.SetCurrentHistoryLength(5000) })
	v.at(30*time.Minute, func() {
		require.Equal(t, 1, v.runs, "not while a wave rests: nothing is under way that could grow")
		require.Equal(t, membership.Resting, v.status().Phase)
	})
	v.at(2*time.Hour, func() { v.votes("cid") })
	v.at(2*time.Hour+30*time.Second, func() {
		require.Equal(t, 2, v.runs)
		s := v.status()
		require.Equal(t, membership.Running, s.Phase)
		require.Equal(t, 11, s.Counts[membership.Joined])
		require.Equal(t, "wave 2", s.Wave)
		require.Len(t, s.Votes, 2)
		v.SetContinueAsNewSuggested(true)
	})
	v.at(2*time.Hour+90*time.Second, func() {
		require.Equal(t, 3, v.runs)
		v.accepts(membership.ControlRetry, of("i-030"), "i-030")
	})
	v.run()
	require.Equal(t, "partial: 58 joined, 2 rolled-back", v.tally())
	require.Equal(t, 3, v.runs)
	require.Equal(t, []string{"30"}, v.sailed(again))
	numbers := map[int]bool{}
	for _, c := range v.vessels {
		numbers[c.number] = true
	}
	require.Len(t, numbers, len(v.vessels), "no cohort has the id of another")
	require.True(t, v.report().Started.Equal(monday))
	require.Len(t, v.report().Votes, 2)
	require.Len(t, v.report().Controls, 3)
}

func TestARunKnowsOnlySoManyFailedMembersByName(t *testing.T) {
	v := newConvoy(t, 5200, func(p *fleet.Plan) { p.Pace.Cohorts = 4 })
	v.page = 100
	v.fate = func(string, int) membership.Outcome { return membership.RolledBack }
	v.at(90*time.Second, func() { v.SetContinueAsNewSuggested(true) })
	v.run()
	require.Equal(t, "rolled-back: 5200 rolled-back", v.tally())
	require.Equal(t, 2, v.runs)
	named := 0
	for _, p := range v.archive.Parts {
		named += len(p.Worst)
	}
	require.Equal(t, 5000, named)
}

func TestWhatIsPutBackContinuesToo(t *testing.T) {
	v := newConvoy(t, 30, func(p *fleet.Plan) { p.Pace.Cohorts = 2 })
	v.at(290*time.Second, func() { v.accepts(membership.ControlAbort, fleet.Control{Then: fleet.ThenRollBackFleet}) })
	for _, s := range []time.Duration{300, 420} {
		v.at(s*time.Second, func() { v.SetContinueAsNewSuggested(true) })
	}
	v.run()
	require.Equal(t, "cancelled: 30 rolled-back", v.tally())
	require.Equal(t, 3, v.runs)
	require.Len(t, v.sailed(undone), 8, "each once")
}

// A signal that comes with the very task in which the run continues is in nobody's hands.
func TestASignalThatComesWhileTheRunContinuesIsHeard(t *testing.T) {
	night := 13 * time.Hour
	for name, c := range map[string]struct {
		signal func(v *convoy)
		after  func(v *convoy)
		tally  string
	}{
		"pause": {
			func(v *convoy) {
				v.SignalWorkflowSkippingWorkflowTask(membership.ControlPause, membership.Control{By: "ann"})
			},
			func(v *convoy) {
				require.Equal(t, membership.Paused, v.status().Phase)
				v.accepts(membership.ControlAbort, nil)
			}, "cancelled: 3 not-started"},
		"abort": {
			func(v *convoy) {
				v.SignalWorkflowSkippingWorkflowTask(membership.ControlAbort, membership.Control{By: "ann"})
			},
			func(*convoy) {}, "cancelled: 3 not-started"},
		"change": {
			func(v *convoy) { v.SignalWorkflowSkippingWorkflowTask(fleet.ControlChange, fleet.Control{Cohorts: 7}) },
			func(v *convoy) { require.Equal(t, 7, v.status().Pace) }, "succeeded: 3 joined"},
		"cancel": {
			func(v *convoy) { v.CancelWorkflow() },
			func(*convoy) {}, "cancelled: 3 not-started"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newConvoy(t, 3, nights)
			v.at(night-time.Second, func() {
				v.SetContinueAsNewSuggested(true)
				c.signal(v)
			})
			v.at(night+30*time.Second, func() { c.after(v) })
			v.run()
			require.Equal(t, c.tally, v.tally())
		})
	}
}

func TestTheEndIsTheSameHoweverOftenARunContinues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDrill(t)
		whole := d.convoy(t)
		whole.run()
		cut := d.convoy(t)
		for _, s := range rapid.SliceOfN(rapid.IntRange(1, 5000), 1, 6).Draw(t, "continues") {
			cut.at(time.Duration(s)*time.Second+time.Millisecond, func() { cut.SetContinueAsNewSuggested(true) })
		}
		cut.run()
		a, b := whole.report(), cut.report()
		require.Equal(t, a.Outcome, b.Outcome)
		require.Equal(t, a.Counts, b.Counts)
		require.Equal(t, a.Why, b.Why)
		require.ElementsMatch(t, ids(whole, first), ids(cut, first))
		require.ElementsMatch(t, ids(whole, undone), ids(cut, undone))
	})
}

// ids are the members of the cohorts that keep says.
func ids(v *convoy, keep func(c *vessel) bool) (all []string) {
	for _, c := range v.vessels {
		if keep(c) {
			all = append(all, c.ids...)
		}
	}
	return all
}
