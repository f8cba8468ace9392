package workflows_test

import (
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

func TestNamesOfWhoIsTriedAgainAreGivenBack(t *testing.T) {
	v := newConvoy(t, 4000, nil)
	v.page = 1000
	v.fate = func(_ string, try int) membership.Outcome {
		if try <= 2 {
			return membership.Unknown
		}
		return membership.Joined
	}
	for try := range 2 {
		v.at(time.Duration(try+1)*time.Hour, func() {
			require.Equal(t, membership.Waiting, v.status().Phase)
			v.accepts(membership.ControlRetry, nil)
		})
	}
	v.run()
	require.Equal(t, "succeeded: 4000 joined", v.tally())
}

func TestAStepBeginsOnlyWhenEverybodyBeforeIsWell(t *testing.T) {
	for outcome, ends := range map[membership.Outcome]string{
		membership.Already: "succeeded: 5 joined, 5 already",
		membership.Refused: "refused: 5 refused, 5 not-started",
	} {
		t.Run(string(outcome), func(t *testing.T) {
			v := newConvoy(t, 0, moving)
			v.fate = func(_ string, try int) membership.Outcome {
				return map[int]membership.Outcome{1: outcome, 2: membership.Joined}[try]
			}
			v.run()
			require.Equal(t, ends, v.tally())
		})
	}
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
	require.False(t, v.vessels[0].in.Approved)
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
	require.Equal(t, membership.CodeUnobservable, v.account.Parts[0].Code)
	require.Equal(t, "the first cohort could not be planned: 401: the key is not valid", v.report().Why)
}

func TestWhenTheCloudRefusesALaterCohortThatWaitsUntilItIsMended(t *testing.T) {
	for name, end := range map[string]struct {
		control, tally string
	}{
		"mended": {membership.ControlResume, "succeeded: 12 joined"},
		"over":   {membership.ControlAbort, "cancelled: 6 joined, 6 not-started"},
	} {
		t.Run(name, func(t *testing.T) {
			refuses := true
			v := newConvoy(t, 12, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
			v.refusedFrom(3, &refuses)
			v.at(time.Hour, func() {
				s := v.status()
				require.Equal(t, membership.Stopped, s.Phase)
				require.Equal(t, "a cohort could not be planned: 401: the key is not valid; resume when that is mended, or abort", s.Why)
				v.SetContinueAsNewSuggested(true)
				v.accepts(membership.ControlResume, nil) // too early
			})
			v.at(2*time.Hour, func() {
				require.Equal(t, membership.Stopped, v.status().Phase)
				refuses = false
				v.accepts(end.control, nil)
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
	require.Len(t, v.account.Seen[0], 10)
	require.False(t, slices.ContainsFunc(v.account.Seen[0], func(s fleet.Seen) bool { return s.Key == "" }))
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
