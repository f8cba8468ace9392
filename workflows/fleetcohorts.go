package workflows

import (
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/rollout"
)

// cohortRun is a cohort under way.
type cohortRun struct {
	child workflow.ChildWorkflowFuture // nil until it runs
	over  bool
	// word is the last control that it is to be told, told the last that it was, and telling says that somebody does.
	word, told string
	telling    bool
}

// mostTwins bounds how many cohorts of other runs with the same id are stepped around.
const mostTwins = 100

// startCohort starts a cohort. It goes on when the fleet is killed: no machine is left half-way for that.
func (f *fleetRun) startCohort(ctx workflow.Context, c rollout.StartCohort) {
	run := &cohortRun{}
	f.cohorts[c.Number] = run
	workflow.Go(ctx, func(ctx workflow.Context) {
		var p fleet.Part
		err := f.launch(ctx, c, run)
		if err == nil {
			err = run.child.Get(ctx, &p)
		}
		run.over, f.changed = true, true
		delete(f.cohorts, c.Number)
		f.CohortEnded(c.Number, p, failureOf(err))
	})
}

// launch waits until a cohort runs.
func (f *fleetRun) launch(ctx workflow.Context, c rollout.StartCohort, run *cohortRun) error {
	id := fmt.Sprintf("%s.%d", workflow.GetInfo(ctx).WorkflowExecution.ID, c.Number)
	for try := 2; ; try++ {
		f.CohortRuns(c.Number, id)
		options := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:            id,
			ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			StaticSummary: fmt.Sprintf("%s, %s, %s", c.Step.Kind, c.Step.Waves[c.Input.Wave].Name,
				membership.Count(c.Input.To-c.Input.From, "member")),
		})
		child := workflow.ExecuteChildWorkflow(options, TypeCohort, CohortInput{Operation: c.Step.Operation, Kind: c.Step.Kind,
			Account: c.Step.Account, Page: c.Input, Approved: c.Approved, WhenHeld: f.plan.WhenHeld})
		err := child.GetChildWorkflowExecution().Get(ctx, nil)
		if err == nil {
			run.child = child
			return nil
		}
		var twin *temporal.ChildWorkflowExecutionAlreadyStartedError
		if !errors.As(err, &twin) || try > mostTwins {
			return err
		}
		// Of a run of this fleet that was reset, or had the same id. Leases keep their members apart.
		id = fmt.Sprintf("%s.%d.%d", workflow.GetInfo(ctx).WorkflowExecution.ID, c.Number, try)
	}
}

// tellCohort passes a control on to a cohort: one after the other, and of those that come meanwhile only the last.
func (f *fleetRun) tellCohort(ctx workflow.Context, c rollout.TellCohort) {
	run := f.cohorts[c.Number]
	if run.word = c.Control; run.telling {
		return
	}
	run.telling = true
	workflow.Go(ctx, func(ctx workflow.Context) {
		for run.word != run.told && !run.over {
			run.told = run.word
			err := workflow.Await(ctx, func() bool { return run.child != nil || run.over })
			if err == nil && !run.over {
				run.told = run.word
				_ = run.child.SignalChildWorkflow(ctx, SignalControl, run.told).Get(ctx, nil)
			}
		}
		run.telling = false
	})
}

// failureOf tells why a look or a cohort failed, nil when it has not.
func failureOf(err error) *rollout.Failure {
	if err == nil {
		return nil
	}
	f := &rollout.Failure{Err: err, Why: rootCause(err)}
	var app *temporal.ApplicationError
	var twin *temporal.ChildWorkflowExecutionAlreadyStartedError
	switch {
	case errors.As(err, &app):
		f.Cloud = app.Type() == ErrCloudRefused
		f.Refused = app.Type() == ErrBadInput // before or while it was planned: nothing was touched
	case errors.As(err, &twin):
		f.Refused = true
	}
	return f
}

// rootCause is the words of the innermost error, for people.
func rootCause(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	return err.Error()
}
