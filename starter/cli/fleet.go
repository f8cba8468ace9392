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

// fleetFields are those of a plan that a request has not: with one of them, a file is a fleet's.
var fleetFields = []string{"name", "operation", "steps", "groups", "targets", "spread", "canary", "waves", "soak", "budget", "windows", "pace"}

// isFleet reports whether a plan says anything that only fleets know, or has more members than one run takes.
func isFleet(data []byte) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return false
	}
	var members []json.RawMessage
	if json.Unmarshal(fields["members"], &members) == nil && len(members) > membership.MaxMembers {
		return true
	}
	return slices.ContainsFunc(fleetFields, func(name string) bool { _, ok := fields[name]; return ok })
}

// parseFleet reads a plan and checks all that can be without Temporal or a cloud.
func parseFleet(data []byte, kinds []membership.Kind) (fleet.Plan, error) {
	p, err := fleet.ParsePlan(data)
	if err != nil {
		return p, err
	}
	for i, step := range p.StepList() {
		if _, err := membership.Find(kinds, step.Kind); err != nil {
			var bad *membership.BadInput
			if errors.As(err, &bad) && len(p.Steps) > 0 {
				bad.Problems[0].Field = fmt.Sprintf("steps[%d].kind", i)
			}
			return p, err
		}
	}
	return p, nil
}

// parsePlan reads a plan of any size. One that is a request, too, is checked for its kind right here.
func parsePlan(data []byte, kinds []membership.Kind) (fleet.Plan, error) {
	if !isFleet(data) {
		if _, err := parse(data, kinds); err != nil {
			return fleet.Plan{}, err
		}
	}
	return parseFleet(data, kinds)
}

// startFleet starts a Fleet. When a run of that id is under way, the error says so.
func startFleet(ctx context.Context, conn *connect.Connection, p fleet.Plan, id string) (client.WorkflowRun, error) {
	run, err := conn.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                                       id,
		TaskQueue:                                workflows.TaskQueue,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            fleetSummary(p),
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

// leaves turns every step round.
func leaves(p *fleet.Plan) error {
	for i, step := range p.StepList() {
		if step.Operation != "" {
			return bad(p.At(i)+"operation", string(step.Operation), "says what the step does; use apply")
		}
	}
	p.Operation = membership.Leave
	for i := range p.Steps {
		p.Operation, p.Steps[i].Operation = "", membership.Leave
	}
	return nil
}

// fleetID is the same for the same plan, and for the same members of the same group whatever their order: asking twice for
// one thing makes one run, not two that get in each other's way.
func fleetID(p fleet.Plan) string {
	if req, ok := asRequest(p); ok && p.Name == "" {
		return runID(cmp.Or(p.Operation, membership.Join), req)
	}
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

// asRequest is what a plan asks for as a request, if it names members for one group.
func asRequest(p fleet.Plan) (membership.Request, bool) {
	return membership.Request{Kind: p.Kind, Account: p.Account, Group: p.Group, Members: p.Members},
		len(p.Steps) == 0 && p.Group != "" && len(p.Members) > 0
}

func fleetSummary(p fleet.Plan) string {
	if req, ok := asRequest(p); ok {
		return summary(cmp.Or(p.Operation, membership.Join), req)
	}
	steps := p.StepList()
	var kinds []string
	for _, s := range steps {
		if !slices.Contains(kinds, s.Kind) {
			kinds = append(kinds, s.Kind)
		}
	}
	return fmt.Sprintf("fleet %s: %s, %s", p.Name, membership.Count(len(steps), "step"), strings.Join(kinds, ", "))
}

// The lines that a fleet prints with --json beside startedLine.
type (
	fleetStatusLine struct {
		ID     string       `json:"id"`
		RunID  string       `json:"runId"`
		Status fleet.Status `json:"fleet"`
	}
	fleetReportLine struct {
		ID     string       `json:"id"`
		RunID  string       `json:"runId"`
		Report fleet.Report `json:"report"`
		// Members are told of a fleet that is as small as a cohort; of a larger one, report --json tells them.
		Members []membership.MemberReport `json:"members,omitempty"`
	}
)

// needs says that a fleet goes on only when somebody says something.
type needs struct{ status fleet.Status }

func (n *needs) Error() string { return "needs a person" }

// followFleet shows a fleet. The error is *needs when people must do something.
func (f *Factory) followFleet(ctx context.Context, conn *connect.Connection, run client.WorkflowRun) (fleet.Report, error) {
	view := fleetView{f: f, run: run, runID: run.GetRunID(), now: time.Now} // the run id changes while it is waited for
	wait := func(ctx context.Context) (fleet.Report, error) { return fleetReportOf(ctx, run) }
	return follow(ctx, f, conn, wait, func(ctx context.Context) (bool, error) {
		status, err := queryFleet(ctx, conn, run.GetID(), "")
		if err != nil {
			return false, nil
		}
		view.show(status, f.closeUp(ctx, conn, run.GetID(), status))
		switch status.Phase {
		case membership.Waiting, membership.Awaiting, membership.Stopped:
			return true, &needs{status}
		}
		return true, nil
	})
}

func queryFleet(ctx context.Context, conn *connect.Connection, id, run string) (fleet.Status, error) {
	var s fleet.Status
	answer, err := conn.QueryWorkflow(ctx, id, run, membership.QueryStatus)
	if err != nil {
		return s, err
	}
	return s, answer.Get(&s)
}

// fleetReportOf waits for a fleet and returns its truth.
func fleetReportOf(ctx context.Context, run client.WorkflowRun) (fleet.Report, error) {
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

// concludeFleet follows a fleet and ends the verb.
func (f *Factory) concludeFleet(ctx context.Context, conn *connect.Connection, run client.WorkflowRun) error {
	id := run.GetID()
	report, err := f.followFleet(ctx, conn, run)
	var n *needs
	switch {
	case ctx.Err() != nil:
		return &exitError{ExitInterrupted, fmt.Sprintf("stopped watching; run %s goes on\n"+
			"follow it: fleetjoin watch %s\nend it:    fleetjoin abort %s", id, id, id)}
	case errors.As(err, &n):
		return f.asks(id, n.status)
	case err != nil:
		return err
	}
	if f.JSON {
		if err := f.json(fleetReportLine{ID: id, RunID: run.GetRunID(), Report: report, Members: f.few(ctx, conn, report)}); err != nil {
			return err
		}
	} else {
		f.printFleetReport(id, report)
		f.printMembers(f.few(ctx, conn, report), false)
	}
	return exitWith(exitOf(report.Outcome))
}

// asks says what the operator can do about a fleet that does not go on by itself.
func (f *Factory) asks(id string, s fleet.Status) error {
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
