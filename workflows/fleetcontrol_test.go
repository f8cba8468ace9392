package workflows_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// heard says what each cohort was told, in the order of their start.
func (v *convoy) heard() (all []string) {
	byNumber := make(map[int]string)
	for _, c := range v.vessels {
		byNumber[c.number] = strings.Join(c.told, " ")
	}
	for n := 1; n <= len(byNumber); n++ {
		all = append(all, byNumber[n])
	}
	return all
}

// ending is an abort.
func ending(then fleet.Then) fleet.Control { return fleet.Control{Then: then} }

// two lets a plan have two cohorts under way.
func two(p *fleet.Plan) { p.Pace.Cohorts = 2 }

func TestAPauseHoldsEverything(t *testing.T) {
	v := newConvoy(t, 12, two)
	v.at(90*time.Second, func() {
		v.accepts(membership.ControlPause, membership.Control{By: "ann"})
		v.refuses(membership.ControlPause, nil, "the run is paused already")
	})
	v.at(time.Hour, func() {
		require.Equal(t, membership.Paused, v.status().Phase)
		require.Equal(t, 6, v.status().InFlight)
		require.Len(t, v.vessels, 4)
		v.accepts(membership.ControlResume, nil)
		v.refuses(membership.ControlResume, nil, "the run is not paused")
	})
	v.run()
	require.Equal(t, "succeeded: 12 joined", v.tally())
	require.Equal(t, []string{"", "", "pause resume", "pause resume"}, v.heard())
	require.Equal(t, monday.Add(time.Hour+30*time.Second), v.vessels[3].ended.UTC())
	require.Contains(t, v.phases, "paused wave 1")
}

func TestWhoBeginsWhenTheRunPausesIsToldToo(t *testing.T) {
	v := newConvoy(t, 3, nil)
	v.when(workflows.SurveyActivity, func() { v.SignalWorkflow(membership.ControlPause, nil) })
	v.at(time.Hour, func() {
		require.Equal(t, membership.Paused, v.status().Phase)
		require.Empty(t, v.vessels)
		v.SignalWorkflow(membership.ControlResume, nil)
		v.SignalWorkflow(membership.ControlPause, nil)
	})
	v.at(2*time.Hour, func() { v.SignalWorkflow(membership.ControlResume, nil) })
	v.run()
	require.Equal(t, "succeeded: 3 joined", v.tally())
	require.Equal(t, monday.Add(2*time.Hour+time.Minute), v.vessels[0].ended.UTC().Truncate(time.Second))
}

func TestAPauseLastsBeyondASoak(t *testing.T) {
	v := newConvoy(t, 4, func(p *fleet.Plan) { p.Canary, p.Soak = 1, fleet.Duration(time.Hour) })
	v.at(2*time.Minute, func() { v.accepts(membership.ControlPause, nil) })
	v.at(3*time.Hour, func() {
		require.Equal(t, membership.Paused, v.status().Phase)
		require.Len(t, v.vessels, 1)
		v.accepts(membership.ControlResume, nil)
	})
	v.run()
	require.Equal(t, "succeeded: 4 joined", v.tally())
}

func TestHowARunIsAborted(t *testing.T) {
	for then, c := range map[fleet.Then]struct{ tally, heard string }{
		"":                     {"cancelled: 9 joined, 6 rolled-back, 9 not-started", "|||abort|abort"},
		fleet.ThenFinish:       {"cancelled: 15 joined, 9 not-started", "||||"},
		fleet.ThenPutBack:      {"cancelled: 9 joined, 6 rolled-back, 9 not-started", "|||abort|abort"},
		fleet.ThenRollBackWave: {"cancelled: 3 joined, 12 rolled-back, 9 not-started", "|||abort|abort||"},
		fleet.ThenRollBackFleet: {"cancelled: 15 rolled-back, 9 not-started",
			"|||abort|abort|||"},
	} {
		for _, paused := range []bool{false, true} {
			t.Run(fmt.Sprint(then, paused), func(t *testing.T) {
				v := newConvoy(t, 24, func(p *fleet.Plan) { p.Pace.Cohorts, p.Canary = 2, 3 })
				v.at(150*time.Second, func() {
					v.refuses(membership.ControlAbort, fleet.Control{Then: "explode"}, `then: "explode": want "finish", "put-back", "roll-back-wave" or "roll-back", or none for "put-back"`)
					if paused {
						v.accepts(membership.ControlPause, nil)
					}
					v.accepts(membership.ControlAbort, fleet.Control{Control: membership.Control{By: "ann", Reason: "smoke"}, Then: then})
					v.refuses(membership.ControlAbort, fleet.Control{Then: then}, "the run is ending already: aborted by ann: smoke")
					v.refuses(membership.ControlResume, nil, "the run is not paused")
				})
				v.run()
				require.Equal(t, c.tally, v.tally())
				heard := strings.Join(v.heard(), "|")
				if paused {
					heard = strings.ReplaceAll(strings.ReplaceAll(heard, "pause resume", ""), "pause abort", "abort")
				}
				require.Equal(t, c.heard, heard, "who puts back is told nothing; who is paused goes on, or it would never end")
				var cancelled *temporal.CanceledError
				require.ErrorAs(t, v.GetWorkflowError(), &cancelled)
				require.Equal(t, "aborted by ann: smoke", v.report().Why)
				require.Contains(t, v.phases, "undoing wave 1")
			})
		}
	}
}

func TestAPausedRunThatEndsByItsBudgetGoesOn(t *testing.T) {
	v := newConvoy(t, 9, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
	v.fails(membership.RolledBack, "i-000")
	v.at(90*time.Second, func() { v.accepts(membership.ControlPause, nil) })
	v.at(2*time.Minute, func() {
		v.accepts(fleet.ControlChange, fleet.Control{Budget: &fleet.Budget{Failures: count(1), Then: fleet.ThenRollBackFleet}})
	})
	v.run()
	require.Equal(t, "rolled-back: 6 rolled-back, 3 not-started", v.tally())
	require.Equal(t, []string{"", "pause resume", "", ""}, v.heard())
}

func TestCancellingARunIsAnAbort(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration
		tally string
	}{
		"under way": {90 * time.Second, "cancelled: 3 rolled-back, 3 not-started"},
		"at rest":   {61 * time.Minute, "cancelled: 3 joined, 3 not-started"},
		"at work":   {123 * time.Minute, "cancelled: 3 joined, 3 rolled-back"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newConvoy(t, 6, func(p *fleet.Plan) { p.Waves, p.Soak = percents(50, 100), fleet.Duration(2*time.Hour) })
			v.takes = func(workflows.CohortInput) time.Duration { return 2 * time.Minute }
			v.at(c.after, func() { v.CancelWorkflow() })
			v.run()
			require.Equal(t, c.tally, v.tally())
			require.Equal(t, "cancelled", v.report().Why)
		})
	}
}

func TestACancelNeverHidesWhatIsHalfWay(t *testing.T) {
	v := newConvoy(t, 6, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
	v.fails(membership.RollbackIncomplete, "i-001")
	v.at(90*time.Second, func() { v.CancelWorkflow() })
	v.run()
	require.Equal(t, "rollback-incomplete: 2 joined, 3 rolled-back, 1 rollback-incomplete", v.tally())
	var app *temporal.ApplicationError
	require.ErrorAs(t, v.GetWorkflowError(), &app)
}

func TestARunThatIsStoppedBeforeAnybodyWasFound(t *testing.T) {
	for name, stop := range map[string]func(v *convoy){
		"cancel":    func(v *convoy) { v.CancelWorkflow() },
		"abort":     func(v *convoy) { v.accepts(membership.ControlAbort, nil) },
		"roll-back": func(v *convoy) { v.accepts(membership.ControlAbort, ending(fleet.ThenRollBackFleet)) },
	} {
		t.Run(name, func(t *testing.T) {
			v := newConvoy(t, 3, nil)
			v.surveys = func() error { <-v.over; return errors.New("too late") }
			v.when(workflows.SurveyActivity, func() {
				require.Equal(t, membership.Planning, v.status().Phase)
				v.refuses(membership.ControlRetry, nil, "no member has failed")
				v.refuses(membership.ControlApprove, membership.Control{By: "bob"}, "no gate is open now")
				v.accepts(fleet.ControlChange, fleet.Control{Cohorts: 3, Budget: &fleet.Budget{Failures: count(1)}})
				stop(v)
			})
			v.run()
			require.Equal(t, "cancelled: ", v.tally())
			require.Nil(t, v.archive)
			require.Empty(t, v.vessels)
		})
	}
}

func TestABudgetThatWasChangedEarly(t *testing.T) {
	v := newConvoy(t, 30, nil)
	v.fails(membership.RolledBack, "i-004")
	v.when(workflows.SurveyActivity, func() {
		v.accepts(fleet.ControlChange, fleet.Control{Budget: &fleet.Budget{Failures: count(1)}})
	})
	v.at(time.Hour, func() {
		require.Equal(t, membership.Stopped, v.status().Phase)
		v.accepts(membership.ControlAbort, nil)
	})
	v.run()
	require.Equal(t, "cancelled: 4 joined, 1 rolled-back, 25 not-started", v.tally())
}

func TestControlsThatMakeNoSenseForAFleetAreRefusedWithWords(t *testing.T) {
	v := newConvoy(t, 6, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
	v.fails(membership.RolledBack, "i-001")
	v.at(30*time.Second, func() {
		v.refuses(membership.ControlRetry, nil, "no member has failed")
		v.refuses(membership.ControlSkip, membership.Control{Reason: "x"}, "no member has failed")
		v.refuses(membership.ControlApprove, membership.Control{By: "bob", Digest: "x"}, "no gate is open now")
		v.refuses(membership.ControlResume, nil, "the run is not paused")
		v.refuses(membership.ControlPause, map[string]any{"why": "x"}, "the payload cannot be read")
		v.refuses(membership.ControlPause, "rubbish", "the payload cannot be read")
	})
	v.at(90*time.Second, func() {
		v.refuses(membership.ControlSkip, nil, "reason is missing; say what you saw")
		v.refuses(membership.ControlMarkDone, membership.Control{Reason: " "}, "reason is missing")
		v.refuses(membership.ControlSkip, of(), "no member has failed but those that are as they were before; they can be tried again")
		v.refuses(membership.ControlMarkDone, of("i-001"), "i-001 is in no doubt: it has not failed, or is as it was before")
		v.refuses(membership.ControlRetry, of("i-001", "i-002", "x"), "i-002, x has not failed in this step")
	})
	v.run()
	require.Equal(t, "partial: 5 joined, 1 rolled-back", v.tally())
	require.Empty(t, v.report().Controls, "whoever sent an update was told")
}

func TestWhatComesTooLateChangesNothing(t *testing.T) {
	v := newConvoy(t, 3, nil)
	v.when(workflows.CloseActivity, func() {
		require.Equal(t, membership.Ended, v.status().Phase)
		for _, name := range []string{membership.ControlPause, membership.ControlAbort, membership.ControlRetry, fleet.ControlChange} {
			v.refuses(name, nil, "the run has ended")
		}
		v.CancelWorkflow()
	})
	v.run()
	require.Equal(t, "succeeded: 3 joined", v.tally())
}

func TestSignalsThatAreRefusedAreRemembered(t *testing.T) {
	v := newConvoy(t, 3, nil)
	v.at(30*time.Second, func() {
		long := strings.Repeat("x", 1<<12)
		for range 150 {
			v.SignalWorkflow(membership.ControlResume, fleet.Control{Control: membership.Control{By: long, Reason: long, Digest: long,
				Members: []string{long, long, long, long, long, long, long}}, Then: fleet.Then(long)})
		}
		v.SignalWorkflow(membership.ControlPause, "rubbish")
		v.SignalWorkflow(membership.ControlPause, membership.Control{By: "ann"})
	})
	v.at(time.Hour, func() { v.SignalWorkflow(membership.ControlResume, membership.Control{By: "ann", Reason: "go"}) })
	v.run()
	require.Equal(t, "succeeded: 3 joined", v.tally())
	said := v.report().Controls
	require.Len(t, said, 102, "strangers cannot make a run forget who did what, nor remember more than it can carry")
	require.Equal(t, "members: does not belong to it; it takes by, reason", said[0].Refused)
	require.Less(t, len(fmt.Sprint(said)), 300_000)
	require.Equal(t, "go", said[101].Control.Reason)
	require.Equal(t, "ann", said[100].Control.By)
}

func TestAnAccountThatCannotBeKeptHidesNothing(t *testing.T) {
	v := newConvoy(t, 3, nil)
	v.closes = temporal.NewNonRetryableApplicationError("no store", workflows.ErrBadInput, errors.New("x"))
	v.run()
	var r fleet.Report
	require.NoError(t, v.GetWorkflowResult(&r))
	require.Equal(t, membership.RunSucceeded, r.Outcome)
	require.Empty(t, r.Archive)
}

// Who names members means those: no control for the whole run may take them for a reason.
func TestWhatDoesNotBelongToAControl(t *testing.T) {
	v := newConvoy(t, 6, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
	v.at(30*time.Second, func() {
		v.refuses(membership.ControlAbort, of("i-000"), "members: does not belong to it; it takes then, by, reason")
		v.refuses(membership.ControlPause, fleet.Control{Wave: 1}, "wave: does not belong to it; it takes by, reason")
		v.refuses(membership.ControlSkip, fleet.Control{Then: fleet.ThenFinish}, "then: does not belong to it; it takes members, wave, by, reason")
		v.refuses(fleet.ControlChange, of("i-000"), "members: does not belong to it; it takes cohorts, budget, by, reason")
	})
	v.run()
	require.Equal(t, "succeeded: 6 joined", v.tally())
}

func TestABudgetThatComesTooLate(t *testing.T) {
	v := newConvoy(t, 12, func(p *fleet.Plan) { p.Budget = &fleet.Budget{Failures: count(1), Then: fleet.ThenRollBackFleet} })
	v.fails(membership.RolledBack, "i-004")
	v.at(5*time.Minute+30*time.Second, func() {
		require.Equal(t, membership.Undoing, v.status().Phase)
		v.refuses(fleet.ControlChange, fleet.Control{Budget: &fleet.Budget{Failures: count(5)}}, "budget: comes too late, the run is ending")
		v.accepts(fleet.ControlChange, fleet.Control{Cohorts: 2})
	})
	v.run()
	require.Equal(t, "rolled-back: 5 rolled-back, 7 not-started", v.tally())
}

// The worker was down, and both signals come with one task.
func TestTheSignalThatStopsMoreIsTheLastWord(t *testing.T) {
	v := newConvoy(t, 12, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
	v.at(30*time.Second, func() { v.accepts(membership.ControlPause, nil) })
	v.at(10*time.Minute, func() {
		v.SignalWorkflowSkippingWorkflowTask(membership.ControlResume, membership.Control{By: "ann"})
		v.SignalWorkflow(membership.ControlPause, membership.Control{By: "bob"})
	})
	v.at(11*time.Minute, func() {
		require.Equal(t, membership.Paused, v.status().Phase)
		require.Equal(t, "paused by bob", v.status().Why)
		v.accepts(membership.ControlResume, nil)
	})
	v.run()
	require.Equal(t, "succeeded: 12 joined", v.tally())
}

func TestWhatFinishesCanBePaused(t *testing.T) {
	v := newConvoy(t, 6, nil)
	v.takes = func(workflows.CohortInput) time.Duration { return 10 * time.Hour }
	v.at(time.Hour, func() { v.accepts(membership.ControlAbort, fleet.Control{Then: fleet.ThenFinish}) })
	v.at(2*time.Hour, func() { v.accepts(membership.ControlPause, nil) })
	v.at(3*time.Hour, func() {
		require.Equal(t, membership.Paused, v.status().Phase)
		v.accepts(membership.ControlResume, nil)
	})
	v.at(4*time.Hour, func() { require.Equal(t, membership.Undoing, v.status().Phase) })
	v.run()
	require.Equal(t, "cancelled: 6 joined", v.tally())
}
