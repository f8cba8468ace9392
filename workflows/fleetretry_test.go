package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// stumbles makes members fail as often as said.
func (v *convoy) stumbles(outcome membership.Outcome, times map[string]int) {
	v.fate = func(id string, try int) membership.Outcome {
		if try <= times[id] {
			return outcome
		}
		return membership.Joined
	}
}

// some of the members, as in a control.
func of(ids ...string) membership.Control {
	return membership.Control{By: "ann", Reason: "looked at it", Members: ids}
}

func TestFailedMembersAreTriedAgainWhileTheRunGoesOn(t *testing.T) {
	v := newConvoy(t, 12, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
	v.stumbles(membership.RolledBack, map[string]int{"i-000": 1, "i-002": 2, "i-004": 1})
	v.at(90*time.Second, func() {
		v.accepts(membership.ControlRetry, of("i-002"), "i-002")
		v.refuses(membership.ControlRetry, of("i-002"), "i-002 has not failed in this step, or has been dealt with")
	})
	v.at(150*time.Second, func() { v.refuses(membership.ControlRetry, of("i-002"), "i-002 has not failed") }) // it is being tried
	v.at(190*time.Second, func() {
		require.Len(t, v.status().Failed, 3)
		require.Equal(t, 3, v.status().Counts[membership.RolledBack])
		v.accepts(membership.ControlRetry, nil, "i-000", "i-004", "i-002")
		v.refuses(membership.ControlRetry, nil, "no member has failed")
	})
	v.run()
	require.Equal(t, "succeeded: 12 joined", v.tally())
	require.Equal(t, []string{"0 1 2", "3 4 5", "2", "6 7 8", "0", "4", "2", "9 10 11"}, v.sailed(func(*vessel) bool { return true }),
		"they are the next, whatever else is to come")
	for _, c := range v.vessels {
		if again(c) {
			require.Equal(t, map[membership.Outcome]int{membership.RolledBack: 1}, c.in.Page.Again.Was)
			require.Equal(t, 1, c.in.Page.To-c.in.Page.From)
		}
	}
}

func TestMembersThatWaitAtTheEndForAPerson(t *testing.T) {
	v := newConvoy(t, 6, nil)
	v.stumbles(membership.Unknown, map[string]int{"i-000": 9, "i-001": 9, "i-002": 1, "i-003": 2, "i-004": 9})
	v.at(time.Hour, func() {
		require.Equal(t, membership.Waiting, v.status().Phase)
		v.accepts(membership.ControlSkip, of("i-000"), "i-000")
		v.refuses(membership.ControlMarkDone, of("i-000"), "i-000 is in no doubt")
		v.accepts(membership.ControlMarkDone, of("i-001"), "i-001")
		v.accepts(membership.ControlRetry, of("i-002", "i-003"), "i-002", "i-003")
	})
	v.at(2*time.Hour, func() {
		require.Equal(t, membership.Waiting, v.status().Phase)
		require.Equal(t, map[membership.Outcome]int{membership.Joined: 3, membership.Skipped: 1, membership.Unknown: 2}, v.status().Counts)
		require.Equal(t, 2, v.status().Waves[0].Failed)
		v.accepts(membership.ControlRetry, of("i-003"), "i-003")
		v.accepts(membership.ControlSkip, of(), "i-004")
	})
	v.run()
	require.Equal(t, "partial: 4 joined, 2 skipped", v.tally())
	require.Contains(t, v.phases, "needs-a-person wave 1")
	said := v.report().Controls
	require.Len(t, said, 5)
	require.Equal(t, "looked at it", said[0].Control.Reason)
}

func TestWhoVouchesForALeaveSaysThatTheyLeft(t *testing.T) {
	v := newConvoy(t, 2, func(p *fleet.Plan) { p.Operation = membership.Leave })
	v.fails(membership.Unknown, "i-000", "i-001")
	v.at(time.Hour, func() { v.accepts(membership.ControlMarkDone, of()) })
	v.run()
	require.Equal(t, "succeeded: 2 left", v.tally())
}

func TestARetryDuringASoakBeginsAtOnce(t *testing.T) {
	v := newConvoy(t, 6, func(p *fleet.Plan) {
		p.Waves, p.Soak, p.Budget = percents(50, 100), fleet.Duration(time.Hour), &fleet.Budget{PerWave: count(2)}
	})
	v.stumbles(membership.RolledBack, map[string]int{"i-001": 2})
	v.at(30*time.Minute, func() { v.accepts(membership.ControlRetry, nil, "i-001") })
	v.at(31*time.Minute, func() { require.Equal(t, 1, v.status().InFlight) })
	v.at(40*time.Minute, func() {
		require.Equal(t, membership.Resting, v.status().Phase)
		v.accepts(membership.ControlRetry, nil, "i-001")
	})
	v.run()
	require.Equal(t, "succeeded: 6 joined", v.tally())
	require.Equal(t, []string{"0 1", "2", "1", "1", "3 4", "5"}, v.sailed(func(*vessel) bool { return true }))
	require.Equal(t, 62*time.Minute, v.vessels[4].begun.Sub(monday), "the soak is as long as it was")
}

// A member of an earlier wave that fails again in the present one counts there, and is forgiven there.
func TestARetryCountsWhereItHappens(t *testing.T) {
	v := newConvoy(t, 12, func(p *fleet.Plan) {
		asking(fleet.Approval{EachWave: true})(p)
		p.Waves, p.Pace.Cohorts, p.Budget = percents(50, 100), 1, &fleet.Budget{PerWave: count(3)}
	})
	v.stumbles(membership.RolledBack, map[string]int{"i-000": 1, "i-001": 3})
	retry := func(id, budget string) func() {
		return func() {
			v.accepts(membership.ControlRetry, of(id), id)
			require.Equal(t, budget, v.status().Budget)
		}
	}
	v.at(time.Hour, func() { v.votes("bob") })
	v.at(2*time.Hour, func() {
		require.Equal(t, "2 of 3 failures allowed in this wave", v.status().Budget)
		v.accepts(membership.ControlRetry, of("i-001"), "i-001") // at the gate of the next
		v.votes("bob")
	})
	v.at(2*time.Hour+90*time.Second, retry("i-001", "1 of 3 failures allowed in this wave"))
	v.at(2*time.Hour+100*time.Second, retry("i-000", "0 of 3 failures allowed in this wave"))
	v.at(2*time.Hour+110*time.Second, func() { require.Equal(t, "0 of 3 failures allowed in this wave", v.status().Budget) })
	v.at(2*time.Hour+210*time.Second, retry("i-001", "1 of 3 failures allowed in this wave"))
	v.run()
	require.Equal(t, "succeeded: 12 joined", v.tally())
}

func TestARetryNeedsRoomInTheBudget(t *testing.T) {
	v := newConvoy(t, 9, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
	v.fails(membership.RolledBack, "i-000", "i-001", "i-002")
	v.at(150*time.Second, func() {
		v.accepts(membership.ControlRetry, nil, "i-000", "i-001", "i-002")
		v.accepts(fleet.ControlChange, fleet.Control{Budget: &fleet.Budget{Failures: count(2)}})
	})
	v.at(time.Hour, func() {
		require.Equal(t, "3 members to be tried again at once, and the budget has room for 2 more failures", v.status().Why)
		require.Equal(t, membership.Stopped, v.status().Phase)
		v.fate = nil
		v.accepts(fleet.ControlChange, fleet.Control{Budget: &fleet.Budget{Failures: count(3)}})
	})
	v.run()
	require.Equal(t, "succeeded: 9 joined", v.tally())
}

func TestToTryAgainInVainTakesNothingBack(t *testing.T) {
	v := newConvoy(t, 3, nil)
	v.fails(membership.RollbackIncomplete, "i-001")
	v.dies = func(in workflows.CohortInput) error {
		if in.Page.Again != nil {
			return temporal.NewNonRetryableApplicationError("forbidden", workflows.ErrCloudRefused, nil)
		}
		return nil
	}
	v.at(time.Hour, func() { v.accepts(membership.ControlRetry, nil, "i-001") })
	v.at(2*time.Hour, func() {
		s := v.status()
		require.Equal(t, membership.Waiting, s.Phase)
		require.Equal(t, []fleet.FailedMember{{ID: "i-001", Outcome: membership.RollbackIncomplete, Code: membership.CodeEngine,
			Reason: "it was not tried again: forbidden"}}, s.Failed)
		require.Equal(t, map[membership.Outcome]int{membership.Joined: 2, membership.RollbackIncomplete: 1}, s.Counts)
		v.dies = nil
		v.accepts(membership.ControlRetry, nil, "i-001")
	})
	v.at(3*time.Hour, func() { v.accepts(membership.ControlMarkDone, of(), "i-001") })
	v.run()
	require.Equal(t, "succeeded: 3 joined", v.tally())
}

func TestARetryThatIsKilledLeavesNobodyInTheDark(t *testing.T) {
	v := newConvoy(t, 3, nil)
	v.fails(membership.RollbackIncomplete, "i-001")
	v.dies = func(in workflows.CohortInput) error {
		if in.Page.Again != nil {
			return errors.New("terminated")
		}
		return nil
	}
	v.at(time.Hour, func() { v.accepts(membership.ControlRetry, nil, "i-001") })
	v.at(2*time.Hour, func() {
		require.Equal(t, membership.Waiting, v.status().Phase)
		require.Equal(t, []fleet.FailedMember{{ID: "i-001", Outcome: membership.Unknown, Code: membership.CodeEngine, Reason: "terminated"}},
			v.status().Failed)
		v.dies = nil
		v.accepts(membership.ControlRetry, nil, "i-001")
	})
	v.at(3*time.Hour, func() { v.accepts(membership.ControlSkip, of(), "i-001") })
	v.run()
	require.Equal(t, "partial: 2 joined, 1 skipped", v.tally())
}

func TestWhoIsStillToBeTriedAgainIsNotOnceTheRunEnds(t *testing.T) {
	for _, then := range []fleet.Then{fleet.ThenFinish, fleet.ThenPutBack, fleet.ThenRollBackFleet} {
		v := newConvoy(t, 6, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
		v.fails(membership.RolledBack, "i-001")
		v.at(90*time.Second, func() {
			v.accepts(membership.ControlRetry, nil, "i-001")
			v.accepts(membership.ControlAbort, fleet.Control{Then: then})
		})
		v.run()
		require.Empty(t, v.sailed(again), then)
		require.Positive(t, v.report().Counts[membership.RolledBack])
	}
}

func TestWhoIsPutBackAfterARetry(t *testing.T) {
	v := newConvoy(t, 9, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
	v.stumbles(membership.Unknown, map[string]int{"i-001": 1, "i-002": 1, "i-004": 9})
	v.at(90*time.Second, func() { v.accepts(membership.ControlRetry, nil, "i-001", "i-002") })
	v.at(190*time.Second, func() {
		v.accepts(membership.ControlMarkDone, of("i-004"), "i-004")
		v.accepts(membership.ControlAbort, fleet.Control{Then: fleet.ThenRollBackFleet})
	})
	v.run()
	require.Equal(t, "cancelled: 1 joined, 8 rolled-back", v.tally(), "whom a person vouches for, no cohort has joined")
	require.Equal(t, []string{"0", "3 5", "1 2"}, v.sailed(undone))
}

func TestMembersOfOneWave(t *testing.T) {
	v := newConvoy(t, 12, func(p *fleet.Plan) { p.Waves = percents(50, 100) })
	v.stumbles(membership.Unknown, map[string]int{"i-000": 9, "i-001": 1, "i-007": 1, "i-008": 9})
	wave := func(n int, ids ...string) fleet.Control { return fleet.Control{Control: of(ids...), Wave: n} }
	v.at(time.Hour, func() {
		require.Equal(t, membership.Waiting, v.status().Phase)
		v.refuses(membership.ControlRetry, wave(3), "wave: 3: want 1 to 2, as status numbers the waves of the present step, or none for all")
		v.refuses(membership.ControlRetry, wave(-1), "wave: -1: want 1 to 2")
		v.refuses(membership.ControlRetry, wave(2, "i-001"), "i-001 has not failed in wave 2, or has been dealt with")
		v.refuses(membership.ControlSkip, wave(1, "i-008"), "i-008 is in no doubt in wave 1")
		v.accepts(membership.ControlRetry, wave(2), "i-007", "i-008")
	})
	v.at(2*time.Hour, func() {
		v.accepts(membership.ControlMarkDone, wave(1, "i-000"), "i-000")
		v.accepts(membership.ControlRetry, wave(1), "i-001")
	})
	v.at(3*time.Hour, func() {
		v.refuses(membership.ControlRetry, wave(1), "no member has failed in wave 1")
		v.accepts(membership.ControlSkip, wave(2), "i-008")
	})
	v.run()
	require.Equal(t, "partial: 11 joined, 1 skipped", v.tally())
	require.Equal(t, 2, v.report().Controls[0].Control.Wave)
}

func TestAnAbortPutsBackWhomNobodyKnows(t *testing.T) {
	for then, c := range map[fleet.Then]struct {
		tally string
		back  []string
	}{
		"":                      {"cancelled: 10 joined, 2 rolled-back", []string{"0", "7"}},
		fleet.ThenFinish:        {"rollback-incomplete: 10 joined, 2 unknown", nil},
		fleet.ThenRollBackFleet: {"cancelled: 12 rolled-back", []string{"0", "7", "1 2", "3 4 5", "6 8", "9 10 11"}},
	} {
		t.Run(string(then), func(t *testing.T) {
			v := newConvoy(t, 12, nil)
			v.fails(membership.Unknown, "i-000", "i-007")
			v.at(time.Hour, func() {
				require.Equal(t, membership.Waiting, v.status().Phase)
				v.accepts(membership.ControlAbort, fleet.Control{Then: then})
			})
			v.run()
			require.Equal(t, c.tally, v.tally())
			require.ElementsMatch(t, c.back, v.sailed(undone))
		})
	}
}
