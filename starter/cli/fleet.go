package cli

import (
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

// applyFleet starts a fleet and follows it.
func (f *Factory) applyFleet(ctx context.Context, o *ApplyOptions, p fleet.Plan) error {
	if p.Requester == "" {
		p.Requester = me()
	}
	if o.Operation == membership.Leave {
		if err := leaves(&p); err != nil {
			return err
		}
	}
	id := o.ID
	if id == "" {
		id = fleetID(p)
	}
	conn, err := f.Connect(ctx, f.Profile)
	if err != nil {
		return err
	}
	defer conn.Close()
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
		return fmt.Errorf("run %s is under way already (run id %s)\nfollow it: fleetjoin watch %s\nend it:    fleetjoin abort %s",
			id, held.RunId, id, id)
	}
	if err != nil {
		return fmt.Errorf("start run %s: %w", id, err)
	}
	switch {
	case f.JSON:
		if err := f.json(startedLine{ID: id, RunID: run.GetRunID(), Started: true}); err != nil {
			return err
		}
	case o.Detach:
		f.printf("run %s is started\nfollow it: fleetjoin watch %s\n", id, id)
	default:
		f.printf("run %s: %s\n", id, fleetSummary(p))
	}
	if o.Detach {
		return nil
	}
	return f.concludeFleet(ctx, conn, run)
}

// leaves turns every step round.
func leaves(p *fleet.Plan) error {
	for i, step := range p.StepList() {
		if step.Operation != "" {
			return bad(fmt.Sprintf("steps[%d].operation", i), string(step.Operation), "says what the step does; use apply")
		}
	}
	p.Operation = membership.Leave
	for i := range p.Steps {
		p.Operation, p.Steps[i].Operation = "", membership.Leave
	}
	return nil
}

// fleetID is the same for the same plan: asking twice for one thing makes one run.
func fleetID(p fleet.Plan) string {
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
	if name == "" {
		name = "fleet"
	}
	return name + "-" + fingerprint([]string{string(body)})
}

func fleetSummary(p fleet.Plan) string {
	steps := p.StepList()
	var kinds []string
	for _, s := range steps {
		if !slices.Contains(kinds, s.Kind) {
			kinds = append(kinds, s.Kind)
		}
	}
	return fmt.Sprintf("fleet %s: %s, %s", p.Name, count(len(steps), "step"), strings.Join(kinds, ", "))
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
	}
)

// needs says that a fleet goes on only when somebody says something.
type needs struct{ status fleet.Status }

func (n *needs) Error() string { return "needs a person" }

// followFleet shows a fleet until it has ended, or until people must do something.
func (f *Factory) followFleet(ctx context.Context, conn *connect.Connection, run client.WorkflowRun) (fleet.Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type ending struct {
		report fleet.Report
		err    error
	}
	over := make(chan ending, 1)
	go func() {
		r, err := fleetReportOf(ctx, run)
		over <- ending{r, err}
	}()
	watchdog := f.watchdog(conn)
	view := fleetView{f: f, run: run, now: time.Now}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		asking, done := context.WithTimeout(ctx, queryTimeout)
		status, err := queryFleet(asking, conn, run.GetID(), run.GetRunID())
		done()
		if err == nil {
			watchdog.heard()
			view.show(status)
			if status.Phase == membership.Waiting || status.Phase == membership.Awaiting || status.Phase == membership.Stopped {
				return fleet.Report{}, &needs{status}
			}
		} else {
			watchdog.silent(ctx)
		}
		select {
		case end := <-over:
			return end.report, end.err
		case <-tick.C:
		}
	}
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
		if err := f.json(fleetReportLine{ID: id, RunID: run.GetRunID(), Report: report}); err != nil {
			return err
		}
	} else {
		f.printFleetReport(id, report)
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
			"  fleetjoin status %s\n  fleetjoin retry %s [--member ID]\n  fleetjoin change %s --failures N\n"+
			"  fleetjoin resume %s\n  fleetjoin abort %s [--then roll-back]", id, clean(s.Why), id, id, id, id, id)}
	}
	return &exitError{ExitNeedsPerson, fmt.Sprintf("run %s waits for a person; look at the members and answer with one of\n"+
		"  fleetjoin status %s\n  fleetjoin retry %s [--member ID]\n  fleetjoin skip %s --reason WHY [--member ID]\n"+
		"  fleetjoin mark-done %s --reason WHY [--member ID]", id, id, id, id, id)}
}
