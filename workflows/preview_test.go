package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// looking is a Preview under test.
type looking struct {
	*testsuite.TestWorkflowEnvironment
	t      *testing.T
	survey fleet.Survey
	fails  map[string]error // by activity

	mu        sync.Mutex
	now, most int // previews under way
	seen      int
	summed    *workflows.SumUpInput
}

func newLooking(t *testing.T) *looking {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	l := &looking{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t, fails: map[string]error{}}
	l.survey = fleet.Survey{Manifest: "manifest", Run: "run-1", Steps: []fleet.SurveyedStep{
		{Members: 7, Waves: []fleet.Wave{{Name: "canary", Members: 1, Pages: []int{1}}, {Name: "wave 1", Members: 6, Pages: []int{3, 3}}}},
		{Members: 60, Waves: []fleet.Wave{{Name: "wave 1", Members: 60, Pages: make([]int, 20)}}},
	}}
	for i := range 20 {
		l.survey.Steps[1].Waves[0].Pages[i] = 3
	}
	workflows.Register(l)
	for name, f := range map[string]any{
		workflows.SurveyActivity: func(context.Context, fleet.Plan) (fleet.Survey, error) {
			return l.survey, l.fails[workflows.SurveyActivity]
		},
		workflows.PreviewActivity: l.preview,
		workflows.SumUpActivity: func(_ context.Context, in workflows.SumUpInput) (fleet.Preview, error) {
			l.summed = &in
			return fleet.Preview{Name: in.Plan.Name}, nil
		},
	} {
		l.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	return l
}

func (l *looking) preview(ctx context.Context, in fleet.PageInput) (fleet.Seen, error) {
	l.mu.Lock()
	l.now++
	l.seen++
	l.most = max(l.most, l.now)
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.now--
	}()
	require.Equal(l.t, "manifest", in.Manifest)
	require.Equal(l.t, l.survey.Steps[in.Step].Waves[in.Wave].Pages[in.Page], in.To)
	require.Zero(l.t, in.From)
	return fleet.Seen{Key: fmt.Sprintf("%d-%d-%d", in.Step, in.Wave, in.Page), Due: in.To}, l.fails[workflows.PreviewActivity]
}

var looked = fleet.Plan{Name: "all of web", Pace: fleet.Pace{Cohorts: 4},
	Step: fleet.Step{Kind: "toy.group", Account: "demo", Group: "g-1", Members: []string{"i-1"}}}

func TestPreviewLooksAtEverybody(t *testing.T) {
	l := newLooking(t)
	l.ExecuteWorkflow(workflows.TypePreview, looked)
	require.NoError(t, l.GetWorkflowError())
	var p fleet.Preview
	require.NoError(t, l.GetWorkflowResult(&p))
	require.Equal(t, "all of web", p.Name)
	require.Equal(t, 23, l.seen)
	require.LessOrEqual(t, l.most, 4, "no more at once than the plan's pace")
	require.Equal(t, looked, l.summed.Plan)
	require.Equal(t, l.survey, l.summed.Survey)
	require.Equal(t, []fleet.Seen{{Key: "0-0-0", Due: 1}, {Key: "0-1-0", Due: 3}, {Key: "0-1-1", Due: 3}}, l.summed.Seen[0],
		"in the order of waves and pages, however they end")
	require.Len(t, l.summed.Seen[1], 20)
	require.Equal(t, workflows.PreviewProgress{Members: 67, Looked: 67}, l.progress(t))
	require.Equal(t, "1-0-19", l.summed.Seen[1][19].Key)
}

func (l *looking) progress(t *testing.T) (p workflows.PreviewProgress) {
	answer, err := l.QueryWorkflow(workflows.QueryProgress)
	require.NoError(t, err)
	require.NoError(t, answer.Get(&p))
	return p
}

func TestPreviewEndsWithTheFirstError(t *testing.T) {
	for name, want := range map[string]int{workflows.SurveyActivity: 0, workflows.PreviewActivity: 4} {
		l := newLooking(t)
		l.fails[name] = temporal.NewNonRetryableApplicationError("no", workflows.ErrCloudRefused, nil)
		l.ExecuteWorkflow(workflows.TypePreview, looked)
		var app *temporal.ApplicationError
		require.ErrorAs(t, l.GetWorkflowError(), &app, name)
		require.Equal(t, workflows.ErrCloudRefused, app.Type())
		l.mu.Lock() // those under way may not have ended
		require.LessOrEqual(t, l.seen, want, "nothing more is looked at")
		l.mu.Unlock()
		require.Nil(t, l.summed)
	}
}

func TestPreviewRefusesBadInput(t *testing.T) {
	l := newLooking(t)
	l.ExecuteWorkflow(workflows.TypePreview, map[string]any{"kind": "toy.group", "colour": "red"})
	var app *temporal.ApplicationError
	require.True(t, errors.As(l.GetWorkflowError(), &app))
	require.Equal(t, workflows.ErrBadInput, app.Type())
	var problems []membership.Problem
	require.NoError(t, app.Details(&problems))
	require.Equal(t, "colour", problems[0].Field)
}

func TestPreviewContinuesInAFreshHistory(t *testing.T) {
	l := newLooking(t)
	l.SetCurrentHistoryLength(5000)
	l.ExecuteWorkflow(workflows.TypePreview, looked)
	var turned *workflow.ContinueAsNewError
	require.ErrorAs(t, l.GetWorkflowError(), &turned)
	var args []any
	for _, p := range turned.Input.Payloads {
		args = append(args, converter.NewRawValue(p))
	}
	next := newLooking(t)
	next.SetContinuedExecutionRunID("the-run-before")
	next.ExecuteWorkflow(workflows.TypePreview, args...)
	require.NoError(t, next.GetWorkflowError())
	require.Positive(t, l.seen)
	require.Equal(t, workflows.PreviewProgress{Members: 67, Looked: 67}, next.progress(t), "what was looked at before counts")
	require.Equal(t, 23, l.seen+next.seen, "each page once")
	for step, pages := range next.summed.Seen {
		for page, seen := range pages {
			require.NotEmpty(t, seen.Key, "page %d of step %d", page, step)
		}
	}
	require.Equal(t, l.survey, next.summed.Survey)

	forged := newLooking(t)
	forged.ExecuteWorkflow(workflows.TypePreview, args...)
	require.ErrorContains(t, forged.GetWorkflowError(), "input: has a second value; want the plan alone")
}
