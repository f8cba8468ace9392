package workflows_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

func TestWhoIsRefusedFallsOutAndTheOthersGoOn(t *testing.T) {
	v := newConvoy(t, 0, moving)
	v.fate = func(id string, try int) membership.Outcome {
		switch {
		case try == 2:
			return membership.Joined
		case id == "i-001":
			return membership.Refused
		}
		return membership.Left
	}
	v.run()
	require.Equal(t, "partial: 5 joined, 4 left, 1 refused", v.tally())
}

func TestAStepDoesNotBeginWhenCohortsOfTheOneBeforeCouldNotBePlanned(t *testing.T) {
	v := newConvoy(t, 0, moving)
	v.dies = func(in workflows.CohortInput) error {
		if in.Page.Page == 1 {
			return temporal.NewNonRetryableApplicationError("group: is not there", workflows.ErrBadInput, nil)
		}
		return nil
	}
	v.run()
	require.Equal(t, "partial: 3 joined, 2 refused, 5 not-started", v.tally())
	require.Equal(t, "step 1 has not ended well, so step 2 does not begin", v.report().Why)
}

func TestAChangedBudgetKeepsWhatItDoesNotSay(t *testing.T) {
	v := newConvoy(t, 9, func(p *fleet.Plan) {
		p.Pace.Cohorts, p.Budget = 1, &fleet.Budget{Failures: count(2), PerWave: count(1), Then: fleet.ThenRollBackFleet}
	})
	v.fails(membership.RolledBack, "i-004")
	v.at(30*time.Second, func() { v.accepts(fleet.ControlChange, fleet.Control{Budget: &fleet.Budget{Failures: count(3)}}) })
	v.run()
	require.Equal(t, "rolled-back: 5 rolled-back, 4 not-started", v.tally(), "one failure is still too much for a wave")
}

// It may be about those members alone, and the others know nothing of it.
func TestAPageThatTheCloudRefusesHoldsNobodyUp(t *testing.T) {
	for name, cohorts := range map[string]int{"one by one": 1, "all at once": 5} {
		for _, bad := range []int{0, 2} {
			t.Run(fmt.Sprintf("%s, page %d", name, bad), func(t *testing.T) {
				v := newConvoy(t, 15, func(p *fleet.Plan) { p.Pace.Cohorts = cohorts })
				v.takes = func(in workflows.CohortInput) time.Duration {
					if in.Page.Page == bad {
						return time.Second // before any other has ended
					}
					return time.Minute
				}
				v.dies = func(in workflows.CohortInput) error {
					if in.Page.Page == bad {
						return temporal.NewNonRetryableApplicationError("403: not this group", workflows.ErrCloudRefused, nil)
					}
					return nil
				}
				v.run()
				require.Equal(t, "partial: 12 joined, 3 refused", v.tally())
			})
		}
	}
}

func TestTheLastPageThatTheCloudRefusesIsSkipped(t *testing.T) {
	refuses := true
	v := newConvoy(t, 9, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
	v.refusedFrom(3, &refuses)
	v.at(time.Hour, func() {
		require.Equal(t, membership.Stopped, v.status().Phase)
		v.refuses(membership.ControlSkip, nil, "reason is missing")
		v.accepts(membership.ControlSkip, membership.Control{Reason: "its cluster is not ours"})
	})
	v.run()
	require.Equal(t, "partial: 6 joined, 3 skipped", v.tally())
}

// A harmless plan asks for people: somebody becomes due whom nobody has seen so.
func TestWhoWasNotDueWhenPeopleLookedIsHeldToThat(t *testing.T) {
	v := newConvoy(t, 3, asking(fleet.Approval{}))
	v.looks = func(in fleet.PageInput) (fleet.Seen, error) { return fleet.Seen{Key: sight(in), Already: 3}, nil }
	v.run()
	require.Equal(t, sight(fleet.PageInput{}), v.vessels[0].in.Page.Seen)
}

// The fleet says to a cohort what is to hold in the end, and not what was said on the way.
func TestACohortHearsTheLastWord(t *testing.T) {
	v := newConvoy(t, 3, nil)
	v.takes = func(workflows.CohortInput) time.Duration { return time.Hour }
	v.at(time.Minute, func() { v.accepts(membership.ControlPause, nil) })
	v.at(10*time.Minute, func() {
		v.SignalWorkflowSkippingWorkflowTask(membership.ControlResume, membership.Control{By: "ann"})
		v.SignalWorkflow(membership.ControlPause, membership.Control{By: "bob"})
	})
	v.at(11*time.Minute, func() {
		require.Equal(t, []string{membership.ControlPause}, v.vessels[0].told)
		v.accepts(membership.ControlResume, nil)
	})
	v.run()
	require.Equal(t, []string{membership.ControlPause, membership.ControlResume}, v.vessels[0].told)
}

func TestNamesAreGivenBackBeforeThereIsNoRoom(t *testing.T) {
	v := newConvoy(t, 5000, nil)
	v.page = 200
	v.fate = func(_ string, try int) membership.Outcome {
		if try <= 2 {
			return membership.Unknown
		}
		return membership.Joined
	}
	for try := range 2 {
		v.at(time.Duration(try+1)*time.Hour, func() { v.accepts(membership.ControlRetry, nil) })
	}
	v.run()
	require.Equal(t, "succeeded: 5000 joined", v.tally())
}

// Their kind could destroy, and does not: nobody was asked, so nobody is held to what was seen.
func TestNobodyHasDriftedWhereNobodyWasAsked(t *testing.T) {
	v := newConvoy(t, 3, nil)
	v.looks = func(in fleet.PageInput) (fleet.Seen, error) {
		return fleet.Seen{Key: sight(in), Due: 2, Refused: 1}, nil
	}
	v.run()
	require.Len(t, v.vessels, 1)
	require.Empty(t, v.vessels[0].in.Page.Seen)
}

// refusedFrom lets the cloud refuse to plan every cohort from a number on, while it does.
func (v *convoy) refusedFrom(first int, refuses *bool) {
	planned := 0
	v.dies = func(workflows.CohortInput) error {
		if planned++; planned < first || !*refuses {
			return nil
		}
		return temporal.NewNonRetryableApplicationError("401: the key is not valid", workflows.ErrCloudRefused, nil)
	}
}

func TestWhenTheCloudRefusesTheFirstCohortNobodyElseIsStarted(t *testing.T) {
	refuses := true
	v := newConvoy(t, 12, func(p *fleet.Plan) { p.Waves = []fleet.Share{count(3), count(12)} })
	v.refusedFrom(1, &refuses)
	v.run()
	require.Equal(t, "refused: 3 refused, 9 not-started", v.tally())
	require.Equal(t, membership.CodeUnobservable, v.archive.Parts[0].Code)
	require.Equal(t, "no cohort could be planned: 401: the key is not valid", v.report().Why)
}

func TestWhenTheCloudRefusesALaterCohortThatWaitsUntilItIsMended(t *testing.T) {
	for name, end := range map[string]struct {
		control, tally string
	}{
		"mended": {membership.ControlResume, "succeeded: 12 joined"},
		"over":   {membership.ControlAbort, "cancelled: 6 joined, 6 not-started"},
		"left":   {membership.ControlSkip, "partial: 6 joined, 6 skipped"},
	} {
		t.Run(name, func(t *testing.T) {
			refuses := true
			v := newConvoy(t, 12, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
			v.refusedFrom(3, &refuses)
			v.at(time.Hour, func() {
				s := v.status()
				require.Equal(t, membership.Stopped, s.Phase)
				require.Equal(t, "2 cohorts could not be planned: 401: the key is not valid; resume when that is mended, skip them, or abort", s.Why)
				v.SetContinueAsNewSuggested(true)
				v.accepts(membership.ControlResume, nil) // too early
			})
			v.at(2*time.Hour, func() {
				require.Equal(t, membership.Stopped, v.status().Phase)
				refuses = false
				v.accepts(end.control, membership.Control{Reason: "seen"})
			})
			v.run()
			require.Equal(t, end.tally, v.tally())
		})
	}
}

func TestALookAtManyPagesContinuesInAFreshHistory(t *testing.T) {
	v := newConvoy(t, 30, func(p *fleet.Plan) {
		asking(fleet.Approval{})(p)
		p.Pace.Cohorts = 2
	})
	v.when(workflows.PreviewActivity, func() { v.SetCurrentHistoryLength(5000) })
	var last atomic.Int64 // history in which anybody was looked at
	v.looks = func(in fleet.PageInput) (fleet.Seen, error) {
		last.Store(int64(v.runs))
		return fleet.Seen{Key: sight(in), Due: in.To - in.From}, nil
	}
	v.at(time.Hour, func() { v.votes("bob") })
	v.run()
	require.Equal(t, "succeeded: 30 joined", v.tally())
	require.Greater(t, last.Load(), int64(1))
	require.Len(t, v.seen, 10, "each page once")
	require.Len(t, v.archive.Seen[0], 10)
	require.False(t, slices.ContainsFunc(v.archive.Seen[0], func(s fleet.Seen) bool { return s.Key == "" }))
}

func TestACheckOfManyCohortsContinuesInAFreshHistory(t *testing.T) {
	v := newConvoy(t, 36, func(p *fleet.Plan) {
		p.Pace.Cohorts, p.Waves, p.Soak = 2, []fleet.Share{count(30), count(36)}, fleet.Duration(time.Hour)
	})
	v.when(workflows.CheckActivity, func() { v.SetCurrentHistoryLength(5000) })
	var last atomic.Int64 // history in which anybody was looked at
	v.checks = func(p fleet.Part) ([]string, error) {
		last.Store(int64(v.runs))
		return []string{p.Cohort}, nil
	}
	v.at(2*time.Hour, func() {
		s := v.status()
		require.Equal(t, membership.Stopped, s.Phase)
		require.Contains(t, s.Why, "not as they were left (10): ")
		v.accepts(membership.ControlResume, nil)
	})
	v.run()
	require.Equal(t, "succeeded: 36 joined", v.tally())
	require.Greater(t, last.Load(), int64(1))
	require.Len(t, v.checked, 10, "each cohort once")
}
