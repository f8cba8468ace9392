package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// planTimeout ends a plan that nobody waits for any more.
const planTimeout = 10 * time.Minute

func fingerprint(members []string) string {
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(members)), "\n")))
	return hex.EncodeToString(sum[:4])
}

// answered asks again for as long as it is only the server that does not answer: a run outlives a server's restart, and
// so must who waits for it.
func answered(ctx context.Context, ask func() error) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil || ctx.Err() != nil || !outOfReach(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// outOfReach reports whether an error is about the way to the server, or how busy it is, and not about the run.
func outOfReach(err error) bool {
	var (
		unavailable *serviceerror.Unavailable
		late        *serviceerror.DeadlineExceeded
		busy        *serviceerror.ResourceExhausted
	)
	return errors.As(err, &unavailable) || errors.As(err, &late) || errors.As(err, &busy) ||
		errors.Is(err, context.DeadlineExceeded)
}

// ended explains why a run has no report.
func ended(id string, err error) error {
	var (
		app        *temporal.ApplicationError
		cancelled  *temporal.CanceledError
		terminated *temporal.TerminatedError
		late       *temporal.TimeoutError
		gone       *serviceerror.NotFound
	)
	switch {
	case errors.As(err, &app) && app.Type() == workflows.ErrBadInput:
		var problems []membership.Problem
		if app.HasDetails() && app.Details(&problems) == nil && len(problems) > 0 {
			return membership.Bad(problems)
		}
		return badValue("request", "", app.Message())
	case errors.As(err, &app) && app.Type() == workflows.ErrCloudRefused:
		return fmt.Errorf("the cloud refused to be read, and nothing was touched: %s", clean(app.Message()))
	case errors.As(err, &cancelled):
		return &exitError{ExitRolledBack, "run " + id + " was stopped before anything was touched"}
	case errors.As(err, &terminated), errors.As(err, &late):
		return &exitError{ExitNeedsPerson, fmt.Sprintf("run %s was ended from outside (%v) and could put nothing back\n"+
			"a new run would not know which servers ran before; take this one up where it was ended:\n"+
			"  temporal workflow reset --workflow-id %s --type LastWorkflowTask --reason 'ended from outside'", id, err, id)}
	case errors.As(err, &gone):
		return noRun(id)
	}
	return fmt.Errorf("run %s: %w", id, err)
}

func noRun(id string) error {
	return fmt.Errorf("there is no run %q in this namespace; list them with: "+
		`temporal workflow list --query 'WorkflowType IN ("Fleet", "Join", "Leave")'`, id)
}

// describe finds a run, and makes sure that it is one of ours; run "" is the latest of that id.
func describe(ctx context.Context, conn *connect.Connection, id, run string) (found foundRun, err error) {
	d, err := conn.DescribeWorkflowExecution(ctx, id, run)
	var gone *serviceerror.NotFound
	var invalid *serviceerror.InvalidArgument
	switch {
	case errors.As(err, &gone), errors.As(err, &invalid):
		return found, noRun(id)
	case err != nil:
		return found, fmt.Errorf("find run %s: %w", id, err)
	}
	info := d.GetWorkflowExecutionInfo()
	switch t := info.GetType().GetName(); t {
	case workflows.TypeFleet, workflows.TypeJoin, workflows.TypeLeave:
	case workflows.TypeCohort:
		found.cohort = true
	default:
		return found, fmt.Errorf("%q is a %s workflow; want a run that joins or leaves a group", id, t)
	}
	found.running = info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	found.over = !found.running && info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
	found.id, found.first = info.GetExecution().GetRunId(), info.GetFirstRunId()
	found.started = info.GetStartTime().AsTime()
	return found, nil
}

// foundRun is what Temporal knows of a run.
type foundRun struct {
	id      string // Temporal's run id
	first   string // that of the first of its histories; "" from a server that does not tell
	started time.Time
	running bool
	over    bool // and does not go on in a fresh history
	cohort  bool // it is a run's cohort
}

// queryCohort asks a cohort where its members are. It takes a worker to answer.
func queryCohort(ctx context.Context, conn *connect.Connection, id, run string) (membership.Status, error) {
	var s membership.Status
	answer, err := conn.QueryWorkflow(ctx, id, run, membership.QueryStatus)
	if err != nil {
		return s, err
	}
	return s, answer.Get(&s)
}
