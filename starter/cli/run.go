package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// start starts a Fleet. When a run of that id is under way, the error says so.
func start(ctx context.Context, conn *connect.Connection, p fleet.Plan, id string) (client.WorkflowRun, error) {
	run, err := conn.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                                       id,
		TaskQueue:                                workflows.TaskQueue,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            summary(p),
	}, workflows.TypeFleet, p)
	var held *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &held) {
		return nil, fmt.Errorf("run %s is under way already (run id %s)\nfollow it: fleetjoin watch %s\nend it:    fleetjoin abort %s",
			id, held.RunId, id, id)
	}
	if err != nil {
		return nil, fmt.Errorf("start run %s: %w", id, err)
	}
	return run, nil
}

// runID is the same for the same plan, and for the same members of the same group whatever their order: asking twice for
// one thing makes one run, not two that get in each other's way. Who asks makes no other thing of it.
func runID(p fleet.Plan) string {
	if p.Name == "" && ofOneGroup(p) {
		return fmt.Sprintf("%s-%s-%s-%s", cmp.Or(p.Operation, membership.Join), p.Kind, p.Group, fingerprint(p.Members))
	}
	p.Requester = ""
	body, _ := json.Marshal(p) // of plain data
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, p.Name)
	return cmp.Or(name, "fleet") + "-" + fingerprint([]string{string(body)})
}

// ofOneGroup reports whether a plan is no more than members for one group.
func ofOneGroup(p fleet.Plan) bool { return len(p.Steps) == 0 && p.Group != "" && len(p.Members) > 0 }

func summary(p fleet.Plan) string {
	if ofOneGroup(p) {
		return fmt.Sprintf("%s %s, group %s", cmp.Or(p.Operation, membership.Join), membership.Count(len(p.Members), "member"), p.Group)
	}
	if p.Rollback != "" {
		return strings.TrimSuffix(p.Name, ", rolled back") + " is rolled back"
	}
	steps := p.StepList()
	var kinds []string
	for _, s := range steps {
		if !slices.Contains(kinds, s.Kind) {
			kinds = append(kinds, s.Kind)
		}
	}
	return fmt.Sprintf("%s: %s, %s", strings.TrimSpace("fleet "+p.Name), membership.Count(len(steps), "step"),
		strings.Join(kinds, ", "))
}

// The lines that a fleet prints with --json beside startedLine.
type (
	statusLine struct {
		ID     string       `json:"id"`
		RunID  string       `json:"runId"`
		Status fleet.Status `json:"fleet"`
	}
	reportLine struct {
		ID     string       `json:"id"`
		RunID  string       `json:"runId"`
		Report fleet.Report `json:"report"`
	}
)

// needs says that a fleet goes on only when somebody says something.
type needs struct{ status fleet.Status }

func (n *needs) Error() string { return "needs a person" }

// followRun shows a fleet. The error is *needs when people must do something.
func followRun(ctx context.Context, f *Factory, conn *connect.Connection, run client.WorkflowRun) (fleet.Report, error) {
	view := runView{f: f, run: run, runID: run.GetRunID(), now: time.Now} // the run id changes while it is waited for
	id, now := run.GetID(), foundRun{first: run.GetRunID()}
	if r, ok := run.(begunRun); ok {
		now = r.found
	}
	wait := func(ctx context.Context) (fleet.Report, error) { return reportOf(ctx, run) }
	return follow(ctx, f, conn, wait, func(ctx context.Context) (err error) {
		if !now.over {
			now, err = goesOn(ctx, conn, id, now)
		}
		if err != nil {
			return &unheard{id, err}
		}
		if now.over {
			return nil // its report is on the way, and another run may have its name
		}
		status, err := query(ctx, conn, id, now.id)
		if err != nil {
			return &unheard{id, err}
		}
		view.show(status, lookCloser(ctx, f, conn, id, status))
		switch status.Phase {
		case membership.Waiting, membership.Awaiting, membership.Stopped:
			return &needs{status}
		}
		return nil
	})
}

// goesOn finds the history in which a fleet goes on: the latest of its name, if that began where the fleet did. What began
// elsewhere is another run, and ours is over.
func goesOn(ctx context.Context, conn *connect.Connection, id string, from foundRun) (foundRun, error) {
	now, err := describe(ctx, conn, id, "")
	if err != nil {
		return from, err
	}
	now.over = now.over || now.first != "" && now.first != from.first
	return now, nil
}

func query(ctx context.Context, conn *connect.Connection, id, run string) (fleet.Status, error) {
	var s fleet.Status
	answer, err := conn.QueryWorkflow(ctx, id, run, membership.QueryStatus)
	if err != nil {
		return s, err
	}
	return s, answer.Get(&s)
}

// reportOf waits for a fleet and returns its truth.
func reportOf(ctx context.Context, run client.WorkflowRun) (fleet.Report, error) {
	var r fleet.Report
	err := answered(ctx, func() error { return run.Get(ctx, &r) })
	var app *temporal.ApplicationError
	var cancelled *temporal.CanceledError
	switch {
	case err == nil:
		return r, nil
	case errors.As(err, &app) && (app.Type() == workflows.ErrRolledBack || app.Type() == workflows.ErrRollbackIncomplete) &&
		app.HasDetails() && app.Details(&r) == nil:
		return r, nil
	case errors.As(err, &cancelled) && cancelled.HasDetails() && cancelled.Details(&r) == nil:
		return r, nil
	}
	return r, ended(run.GetID(), err)
}

// conclude follows a fleet and ends the verb.
func conclude(ctx context.Context, f *Factory, conn *connect.Connection, run client.WorkflowRun) error {
	id := run.GetID()
	report, err := followRun(ctx, f, conn, run)
	var n *needs
	switch {
	case ctx.Err() != nil:
		return &exitError{ExitInterrupted, fmt.Sprintf("stopped watching; run %s goes on\n"+
			"follow it: fleetjoin watch %s\nend it:    fleetjoin abort %s", id, id, id)}
	case errors.As(err, &n):
		return asks(f, id, n.status)
	case err != nil:
		return err
	}
	if f.JSON {
		if err := f.json(reportLine{ID: id, RunID: run.GetRunID(), Report: report}); err != nil {
			return err
		}
	} else {
		printReport(&f.Streams, id, report)
		printMembers(&f.Streams, report.Members, false)
	}
	return exitWith(exitOf(report.Outcome, report.Counts))
}

// asks says what the operator can do about a fleet that does not go on by itself.
func asks(f *Factory, id string, s fleet.Status) error {
	switch s.Phase {
	case membership.Awaiting:
		return askForVotes(id, s.Gate, s.Digest)
	case membership.Stopped:
		return &exitError{ExitNeedsPerson, fmt.Sprintf("run %s has stopped: %s\nlook at it, then answer with one of\n"+
			"  fleetjoin status %s\n  fleetjoin retry %s [--member ID]\n  fleetjoin change %s --failures N   (a spent budget)\n"+
			"  fleetjoin resume %s                (what a check has found)\n  fleetjoin abort %s [--then roll-back]",
			id, clean(s.Why), id, id, id, id, id)}
	}
	return &exitError{ExitNeedsPerson, fmt.Sprintf("run %s waits for a person; look at the members and answer with one of\n"+
		"  fleetjoin status %s\n  fleetjoin retry %s [--member ID]\n  fleetjoin skip %s --reason WHY [--member ID]\n"+
		"  fleetjoin mark-done %s --reason WHY [--member ID]", id, id, id, id, id)}
}
