package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

func percents(values ...float64) (shares []fleet.Share) {
	for _, p := range values {
		shares = append(shares, fleet.Share{Percent: p})
	}
	return shares
}

func TestWavesFollowEachOther(t *testing.T) {
	v := newConvoy(t, 20, func(p *fleet.Plan) {
		p.Canary, p.Waves, p.Soak = 1, percents(50, 100), fleet.Duration(time.Hour)
	})
	v.at(30*time.Second, func() {
		s := v.status()
		require.Equal(t, membership.Running, s.Phase)
		require.Equal(t, []string{"default-test-workflow-id.1"}, s.Cohorts)
		require.Equal(t, [4]int{1, 1, 20, 1}, [4]int{s.Step, s.Steps, s.Members, s.InFlight})
	})
	v.at(30*time.Minute, func() {
		s := v.status()
		require.Equal(t, membership.Resting, s.Phase)
		require.Equal(t, "canary", s.Wave)
		require.True(t, s.Next.Equal(monday.Add(61*time.Minute)), "%v", s.Next)
		require.Equal(t, []fleet.WaveStatus{{Name: "canary", Members: 1, Ended: 1}, {Name: "wave 1", Members: 9},
			{Name: "wave 2", Members: 10}}, s.Waves)
	})
	v.run()
	require.Equal(t, "succeeded: 20 joined", v.tally())
	require.Equal(t, []string{"0", "1 2 3", "4 5 6", "7 8 9", "10 11 12", "13 14 15", "16 17 18", "19"}, v.sailed(first))
	began := map[int]time.Duration{}
	for _, c := range v.vessels {
		began[c.in.Page.Wave] = c.begun.Sub(monday)
	}
	require.Equal(t, map[int]time.Duration{0: 0, 1: 61 * time.Minute, 2: 122 * time.Minute}, began)
	require.Len(t, v.checked, 4, "after each wave but the last, the cohorts of it")
	require.Equal(t, []string{"planning", "running canary", "resting canary", "running canary", "running wave 1", "resting wave 1",
		"running wave 1", "running wave 2", "ended"}, v.phases)
	require.Equal(t, membership.Ended, v.status().Phase)
}

// moving is a plan of two steps: members leave a group, and join another.
func moving(p *fleet.Plan) {
	p.Step, p.WhenHeld = fleet.Step{}, fleet.WhenHeldWait
	p.Steps = []fleet.Step{
		{Operation: membership.Leave, Kind: "toy.group", Account: "demo", Group: "g-1", Members: crowd("i", 5)},
		{Kind: "other.group", Account: "prod", Group: "g-2", Members: crowd("i", 5)},
	}
}

func TestStepsFollowEachOther(t *testing.T) {
	v := newConvoy(t, 0, func(p *fleet.Plan) {
		moving(p)
		p.Waves = percents(50, 100)
	})
	v.fate = func(_ string, try int) membership.Outcome {
		return map[int]membership.Outcome{1: membership.Left, 2: membership.Joined}[try]
	}
	v.run()
	require.Equal(t, "succeeded: 5 joined, 5 left", v.tally())
	require.Equal(t, []string{"0 1", "2 3 4", "0 1", "2 3 4"}, v.sailed(first))
	for i, c := range v.vessels {
		require.Equal(t, i/2, c.in.Page.Step)
		require.Equal(t, v.surveyed.Steps[i/2].Operation, c.in.Operation)
		require.Equal(t, v.plan.Steps[i/2].Kind+v.plan.Steps[i/2].Account, c.in.Kind+c.in.Account)
		require.Equal(t, fleet.WhenHeldWait, c.in.WhenHeld)
		require.Equal(t, monday.Add(time.Duration(i)*time.Minute), c.begun.UTC())
	}
	require.Equal(t, []string{"record of default-test-workflow-id.1", "record of default-test-workflow-id.3"}, v.checked,
		"who left is looked after as well as who joined")
	require.Contains(t, v.phases, "running step 2, wave 1")
}

func TestAStepThatFailedIsTheLast(t *testing.T) {
	v := newConvoy(t, 0, moving)
	v.fails(membership.RolledBack, "i-003")
	v.run()
	require.Equal(t, "partial: 4 joined, 1 rolled-back, 5 not-started", v.tally())
	require.Equal(t, "step 1 has not ended well, so step 2 does not begin", v.report().Why)
	require.Equal(t, []string{"0 1 2", "3 4"}, v.sailed(first))
}

func TestNeverMoreCohortsThanThePaceAllows(t *testing.T) {
	v := newConvoy(t, 60, func(p *fleet.Plan) { p.Pace.Cohorts, p.Pace.Members = 2, 2 })
	v.page = 5
	v.takes = func(in workflows.CohortInput) time.Duration {
		return time.Minute + time.Duration(in.Page.Page)*time.Second
	}
	v.at(90*time.Second, func() {
		require.Equal(t, 2, v.most)
		require.Equal(t, 2, v.status().Pace)
		v.refuses(fleet.ControlChange, nil, "says nothing to change; want cohorts, budget or both")
		v.refuses(fleet.ControlChange, fleet.Control{Cohorts: -1}, "cohorts: -1: want 1 to 1000")
		v.refuses(fleet.ControlChange, fleet.Control{Cohorts: 1001}, "cohorts: 1001: want 1 to 1000")
		v.accepts(fleet.ControlChange, fleet.Control{Cohorts: 7})
	})
	v.at(2*time.Minute, func() { require.Len(t, v.status().Cohorts, 7, "more at once") })
	v.at(3*time.Minute, func() { v.accepts(fleet.ControlChange, fleet.Control{Cohorts: 1}) })
	v.at(6*time.Minute, func() { require.Len(t, v.status().Cohorts, 1, "those under way end, and one goes on") })
	v.run()
	require.Equal(t, "succeeded: 60 joined", v.tally())
	require.Equal(t, 7, v.most)
	for _, c := range v.vessels {
		require.LessOrEqual(t, len(c.ids), 2)
	}
	require.Equal(t, "change", v.report().Controls[0].What)
}

func TestTheUsualPaceIsTen(t *testing.T) {
	v := newConvoy(t, 60, nil)
	v.run()
	require.Equal(t, "succeeded: 60 joined", v.tally())
	require.Equal(t, fleet.DefaultCohorts, v.most)
}

func TestPlansThatCannotBeMeantEndAtOnce(t *testing.T) {
	good := newConvoy(t, 1, nil).plan
	with := func(field string, value any) map[string]any {
		return map[string]any{"kind": "k", "account": "a", "group": "g", "members": []string{"i"}, field: value}
	}
	for words, args := range map[string][]any{
		"plan: ":                      {nil},
		"a JSON string":               {"join"},
		"grupo: is not a field":       {map[string]any{"grupo": "x"}},
		"kind: is missing":            {map[string]any{"account": "a", "group": "g", "members": []string{"i"}}},
		"budget.then":                 {with("budget", map[string]any{"failures": 1, "then": "x"})},
		"input: has a second value":   {good, map[string]any{"Begun": true}},
		"canary: -1: want at least 1": {with("canary", -1)},
	} {
		v := newConvoy(t, 1, nil)
		v.embark(monday)
		v.ExecuteWorkflow(workflows.TypeFleet, args...)
		var app *temporal.ApplicationError
		require.ErrorAs(t, v.GetWorkflowError(), &app, words)
		require.Equal(t, workflows.ErrBadInput, app.Type())
		require.Contains(t, app.Message(), words)
		var problems []membership.Problem
		require.NoError(t, app.Details(&problems))
		require.NotEmpty(t, problems)
		require.Empty(t, v.vessels)
	}
}

func TestOnlyFleetsStartCohorts(t *testing.T) {
	b := newBench(t, some(1), nil)
	b.ExecuteWorkflow(workflows.TypeCohort, workflows.CohortInput{Operation: membership.Join, Kind: "toy.group"})
	require.ErrorContains(t, b.GetWorkflowError(), `type: "Cohort": is started by fleets only; start Fleet, Join or Leave`)
}

func TestASurveyThatIsRefusedEndsTheRun(t *testing.T) {
	v := newConvoy(t, 3, nil)
	v.surveys = func() error {
		return temporal.NewNonRetryableApplicationError("targets.file: is not there", workflows.ErrBadInput, nil)
	}
	v.run()
	require.ErrorContains(t, v.GetWorkflowError(), "targets.file: is not there")
	require.Empty(t, v.vessels)
}

func TestACohortThatEndsWithoutAWord(t *testing.T) {
	v := newConvoy(t, 9, nil)
	v.dies = func(in workflows.CohortInput) error {
		switch in.Page.Page {
		case 0:
			return errors.New("terminated by hand")
		case 1:
			return temporal.NewNonRetryableApplicationError("no such account", workflows.ErrBadInput, nil)
		}
		return nil
	}
	v.at(time.Hour, func() {
		require.Equal(t, membership.Waiting, v.status().Phase)
		require.Equal(t, 3, v.status().Counts[membership.Unknown])
		v.dies = nil
		v.accepts(membership.ControlRetry, nil)
	})
	v.run()
	require.Equal(t, "partial: 6 joined, 3 refused", v.tally())
	require.Equal(t, []string{"0 1 2"}, v.sailed(again), "all that it had, since there is no record of it")
	require.Equal(t, &fleet.Again{Cohort: "default-test-workflow-id.1", Was: map[membership.Outcome]int{membership.Unknown: 3}},
		v.vessels[3].in.Page.Again)
	said := map[string]string{}
	for _, p := range v.archive.Parts {
		said[p.Error] = p.Code
	}
	require.Equal(t, map[string]string{"": "", "no such account": membership.CodeEngine, "terminated by hand": membership.CodeEngine}, said)
}

func TestAMemberThatIsLostAfterAWaveStopsTheNext(t *testing.T) {
	for name, c := range map[string]struct {
		checks func(fleet.Part) ([]string, error)
		words  string
	}{
		"lost": {func(p fleet.Part) ([]string, error) {
			return []string{p.Record[len(p.Record)-1:] + " is gone"}, nil
		},
			"after wave 1, not as they were left (2): 1 is gone; 2 is gone"},
		"nobody can tell": {func(fleet.Part) ([]string, error) {
			return nil, temporal.NewNonRetryableApplicationError("forbidden", workflows.ErrCloudRefused, nil)
		}, "after wave 1, it could not be told whether its members are as they were left: forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newConvoy(t, 12, func(p *fleet.Plan) { p.Waves, p.Pace.Cohorts = percents(50, 100), 1 })
			v.checks = c.checks
			v.at(time.Hour, func() {
				s := v.status()
				require.Equal(t, membership.Stopped, s.Phase)
				require.Equal(t, c.words, s.Why)
				require.Len(t, v.vessels, 2)
				v.accepts(membership.ControlResume, membership.Control{By: "ann", Reason: "known"})
				v.refuses(membership.ControlResume, nil, "the run is not paused")
			})
			v.run()
			require.Equal(t, "succeeded: 12 joined", v.tally())
			require.Equal(t, monday.Add(time.Hour), v.vessels[2].begun.UTC())
		})
	}
}

func TestTheCheckAfterAWaveIsCutShortByAnAbort(t *testing.T) {
	v := newConvoy(t, 6, func(p *fleet.Plan) { p.Waves = percents(50, 100) })
	v.checks = func(fleet.Part) ([]string, error) { <-v.over; return []string{"too late"}, nil }
	v.when(workflows.CheckActivity, func() { v.accepts(membership.ControlAbort, nil) })
	v.run()
	require.Equal(t, "cancelled: 3 joined, 3 not-started", v.tally())
}

func TestWhatARunHandsOnIsItsOwn(t *testing.T) {
	v := newConvoy(t, 9, func(p *fleet.Plan) { p.Pace.Cohorts = 1 })
	v.at(90*time.Second, func() { v.SetContinueAsNewSuggested(true) })
	v.embark(monday)
	v.ExecuteWorkflow(workflows.TypeFleet, v.plan)
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, v.GetWorkflowError(), &next)
	require.Len(t, next.Input.Payloads, 2)
	require.Len(t, v.vessels, 2, "those under way end, and no more begin")
	var plan fleet.Plan
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(next.Input.Payloads[0], &plan))
	require.Equal(t, v.plan, plan)
}
