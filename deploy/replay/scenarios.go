package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/huaweiservergroup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/control"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// scenario is one story worth remembering.
type scenario struct {
	name    string
	of      string // the scenario whose group and members it takes; "" for its own
	wf      string // workflow type
	members int
	xen     int // how many of them are refused
	unlucky int // how many of the rest fail to start
	input   func(membership.Request) any
	undoes  string // the scenario that it rolls back, when that has ended; "" for none
	faults  []fault.Rule
	meddle  func(ctx context.Context, r *recorder, run client.WorkflowRun) error
	outcome string // of the report, or the type of the error
}

// room is how many members a group takes.
const room = 40

// page is enough members for the one-lane gait.
const page = membership.ByName + 10

func scenarios() []scenario {
	noReads := fault.Rule{Match: fault.Match{Action: "ListServersDetails"}, Nth: 3, Effect: fault.Status, Status: http.StatusForbidden, Code: "APIGW.0302"}
	parked := func(control string) func(context.Context, *recorder, client.WorkflowRun) error {
		return func(ctx context.Context, r *recorder, run client.WorkflowRun) error {
			if err := r.until(ctx, run, func(s seen) bool { return s.Phase == membership.Waiting }); err != nil {
				return err
			}
			if err := r.clearFaults(ctx); err != nil {
				return err
			}
			for { // a server that is still busy with what the first try began is refused by the second
				if err := r.update(ctx, run, control); err != nil {
					return err
				}
				over := false
				if err := r.until(ctx, run, func(s seen) bool {
					over = s.Phase == membership.Ended
					return over || s.Phase == membership.Waiting
				}); err != nil || over {
					return err
				}
			}
		}
	}
	moving := func(s seen) bool { return s.InFlight > 0 }
	return []scenario{
		{name: "join-handful", wf: workflows.TypeJoin, members: 4, outcome: "succeeded"},
		{name: "join-handful-undo", wf: workflows.TypeJoin, members: 5, xen: 1, unlucky: 1, outcome: workflows.ErrRolledBack},
		{name: "join-page", wf: workflows.TypeJoin, members: page, outcome: "succeeded"},
		{name: "join-page-undo", wf: workflows.TypeJoin, members: page, xen: 2, unlucky: 3, outcome: workflows.ErrRolledBack},
		{name: "join-refused", wf: workflows.TypeJoin, members: 2, xen: 2, outcome: "refused"},
		{name: "leave", of: "join-page", wf: workflows.TypeLeave, outcome: "succeeded"},
		{name: "leave-nothing", wf: workflows.TypeLeave, members: 2, outcome: "succeeded"},
		{name: "preview", wf: workflows.TypePreview, members: 5, xen: 1, outcome: "", input: planned(func(*fleet.Plan) {})},
		{name: "bad-input", wf: workflows.TypeJoin, members: 1, outcome: workflows.ErrBadInput,
			input: func(membership.Request) any { return map[string]any{"grupo": "x"} }},
		{name: "unknown-kind", wf: workflows.TypeJoin, members: 1, outcome: workflows.ErrBadInput,
			input: func(r membership.Request) any { r.Kind = "no.such"; return r }},
		{name: "gate-approved", wf: workflows.TypeJoin, members: 2, outcome: "succeeded", input: planned(func(p *fleet.Plan) { p.Canary, p.Approval = 0, &fleet.Approval{} }),
			meddle: func(ctx context.Context, r *recorder, run client.WorkflowRun) error {
				if err := r.signal(ctx, run, membership.ControlApprove); err != nil { // of no program: does not count
					return err
				}
				return r.vote(ctx, run, membership.ControlApprove)
			}},
		{name: "gate-rejected", wf: workflows.TypeJoin, members: 2, outcome: "refused", input: planned(func(p *fleet.Plan) { p.Canary, p.Approval = 0, &fleet.Approval{} }),
			meddle: func(ctx context.Context, r *recorder, run client.WorkflowRun) error {
				return r.vote(ctx, run, membership.ControlReject)
			}},
		{name: "pause-resume", wf: workflows.TypeJoin, members: page, outcome: "succeeded",
			meddle: func(ctx context.Context, r *recorder, run client.WorkflowRun) error {
				if err := r.until(ctx, run, moving); err != nil {
					return err
				}
				if err := r.signal(ctx, run, membership.ControlPause); err != nil {
					return err
				}
				if err := r.until(ctx, run, func(s seen) bool { return s.Phase == membership.Paused }); err != nil {
					return err
				}
				return r.signal(ctx, run, membership.ControlResume)
			}},
		{name: "abort", wf: workflows.TypeJoin, members: page, outcome: "cancelled",
			meddle: func(ctx context.Context, r *recorder, run client.WorkflowRun) error {
				if err := r.until(ctx, run, moving); err != nil {
					return err
				}
				return r.update(ctx, run, membership.ControlAbort)
			}},
		{name: "cancel", wf: workflows.TypeJoin, members: 4, outcome: "cancelled",
			meddle: func(ctx context.Context, r *recorder, run client.WorkflowRun) error {
				if err := r.until(ctx, run, moving); err != nil {
					return err
				}
				return r.client.CancelWorkflow(ctx, run.GetID(), run.GetRunID())
			}},
		{name: "fleet-waves", wf: workflows.TypeFleet, members: 6, unlucky: 1, outcome: workflows.ErrRolledBack,
			input: planned(func(p *fleet.Plan) {
				p.Waves, p.Budget = []fleet.Share{{Percent: 50}, {Percent: 100}}, &fleet.Budget{Failures: fleet.Share{Count: 3}}
			})},
		{name: "fleet-roll-back", wf: workflows.TypeFleet, members: 5, unlucky: 1, outcome: workflows.ErrRolledBack,
			input: planned(func(p *fleet.Plan) {
				p.Canary, p.Approval = 0, &fleet.Approval{}
				p.Members = append(p.Members[1:], p.Members[0]) // the unlucky one comes last
				p.Budget = &fleet.Budget{Failures: fleet.Share{Count: 1}, Then: fleet.ThenRollBackFleet}
			}),
			meddle: func(ctx context.Context, r *recorder, run client.WorkflowRun) error {
				return r.vote(ctx, run, membership.ControlApprove)
			}},
		{name: "fleet-abort", wf: workflows.TypeFleet, members: 4, outcome: "cancelled",
			input: planned(func(p *fleet.Plan) { p.Soak = fleet.Duration(time.Hour) }),
			meddle: func(ctx context.Context, r *recorder, run client.WorkflowRun) error {
				if err := r.until(ctx, run, func(s seen) bool { return s.Phase == membership.Resting }); err != nil {
					return err
				}
				return r.update(ctx, run, membership.ControlAbort)
			}},
		{name: "fleet-put-back", wf: workflows.TypeFleet, members: 4, outcome: "cancelled",
			input: planned(func(p *fleet.Plan) { p.Canary = 0 }),
			meddle: func(ctx context.Context, r *recorder, run client.WorkflowRun) error {
				if err := r.until(ctx, run, func(s seen) bool { return s.InFlight > 0 }); err != nil {
					return err
				}
				if err := r.update(ctx, run, membership.ControlPause); err != nil {
					return err
				}
				return r.update(ctx, run, membership.ControlAbort)
			}},
		{name: "fleet-reserve", wf: workflows.TypeFleet, members: room + 3, outcome: "partial",
			input: planned(func(p *fleet.Plan) { p.Canary = 0 })},
		{name: "fleet-undone", undoes: "fleet-waves", wf: workflows.TypeFleet, outcome: workflows.ErrRolledBack,
			meddle: func(ctx context.Context, r *recorder, run client.WorkflowRun) error {
				return r.vote(ctx, run, membership.ControlApprove)
			}},
		{name: "parked-retry", wf: workflows.TypeJoin, members: 3, faults: []fault.Rule{noReads}, outcome: "succeeded",
			meddle: parked(membership.ControlRetry)},
		{name: "parked-mark-done", wf: workflows.TypeJoin, members: 3, faults: []fault.Rule{noReads}, outcome: "succeeded",
			meddle: parked(membership.ControlMarkDone)},
		{name: "parked-skip", wf: workflows.TypeJoin, members: page, faults: []fault.Rule{noReads}, outcome: "partial",
			meddle: parked(membership.ControlSkip)},
	}
}

// seen is what a status says of a run, whatever its type.
type seen struct {
	Phase    membership.Phase `json:"phase"`
	Digest   string           `json:"digest"`
	Counts   map[string]int   `json:"counts"`
	InFlight int              `json:"inFlight"` // of a fleet
}

// planned makes a fleet's plan of a request.
func planned(change func(*fleet.Plan)) func(membership.Request) any {
	return func(r membership.Request) any {
		p := fleet.Plan{Requester: "somebody else", Canary: 1, Step: fleet.Step{Kind: r.Kind, Account: r.Account, Group: r.Group,
			Members: r.Members}}
		change(&p)
		return p
	}
}

// contest makes two holders want one member, the first of which has ended. The runs before have taken and freed leases.
func (r *recorder) contest(ctx context.Context) error {
	for _, holder := range []string{"join-page", "nobody"} {
		start := r.client.NewWithStartWorkflowOperation(client.StartWorkflowOptions{ID: workflows.LeasesOf(workflows.TaskQueue),
			TaskQueue:                workflows.TaskQueue,
			WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING}, workflows.TypeLeases, workflows.LeaseBook{})
		update, err := r.client.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{StartWorkflowOperation: start,
			UpdateOptions: client.UpdateWorkflowOptions{UpdateName: workflows.UpdateAcquire,
				WaitForStage: client.WorkflowUpdateStageCompleted,
				Args:         []any{workflows.LeaseRequest{Holder: holder, Members: []string{"member"}}}}})
		if err != nil {
			return err
		}
		var answer workflows.LeaseAnswer
		if err := update.Get(ctx, &answer); err != nil {
			return err
		}
		if len(answer.Held) > 0 || answer.TookOver.IsZero() != (holder == "join-page") {
			return fmt.Errorf("the book of leases answered %s with %+v", holder, answer)
		}
	}
	return nil
}

// recorder runs scenarios.
type recorder struct {
	client client.Client
	world  world.World
	plane  control.Plane
}

func (r *recorder) run(ctx context.Context, s scenario) error {
	defer func() { _ = r.clearFaults(ctx) }()
	for _, f := range s.faults {
		if err := r.plane.Do(ctx, http.MethodPost, "faults", f, nil); err != nil {
			return err
		}
	}
	var input any = r.request(s)
	if s.input != nil {
		input = s.input(r.request(s))
	}
	if s.undoes != "" {
		kept, err := r.archive(ctx, s.undoes)
		if err != nil {
			return err
		}
		input = fleet.Plan{Requester: "somebody else", Rollback: kept, Approval: &fleet.Approval{}}
	}
	run, err := r.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: s.name, TaskQueue: workflows.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL}, s.wf, input)
	if err != nil {
		return err
	}
	if s.meddle != nil {
		if err := s.meddle(ctx, r, run); err != nil {
			return err
		}
	}
	var report struct { // of a run; a preview has no outcome
		Outcome string `json:"outcome"`
	}
	err = run.Get(ctx, &report)
	got := report.Outcome
	var app *temporal.ApplicationError
	var cancelled *temporal.CanceledError
	switch {
	case errors.As(err, &app):
		got = app.Type()
	case errors.As(err, &cancelled):
		got = "cancelled"
	case err != nil:
		return err
	}
	if got != s.outcome {
		return fmt.Errorf("ended %q (%v), and was to end %q", got, err, s.outcome)
	}
	return nil
}

// archive is the key of what is kept of a run that has ended in whatever way.
func (r *recorder) archive(ctx context.Context, id string) (string, error) {
	var report fleet.Report
	err := r.client.GetWorkflow(ctx, id, "").Get(ctx, &report)
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.HasDetails() {
		err = app.Details(&report)
	}
	return report.Archive, err
}

func (r *recorder) request(s scenario) membership.Request {
	name := cmp.Or(s.of, s.name)
	req := membership.Request{Kind: huaweiservergroup.ID, Account: "demo", Group: world.ID(r.world.Seed, "group", name)}
	for _, server := range r.world.Huawei.Servers {
		if at := strings.LastIndexByte(server.Name, '-'); server.Name[:at] == name {
			req.Members = append(req.Members, server.ID)
		}
	}
	return req
}

// until waits until the run's status is as wanted.
func (r *recorder) until(ctx context.Context, run client.WorkflowRun, want func(seen) bool) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		v, err := r.client.QueryWorkflow(ctx, run.GetID(), run.GetRunID(), membership.QueryStatus)
		if err != nil {
			return err
		}
		var s seen
		if err := v.Get(&s); err != nil {
			return err
		}
		if want(s) {
			return nil
		}
		if s.Phase == membership.Ended {
			return fmt.Errorf("it ended before it came to what was waited for: %v", s.Counts)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: the run is %s, %v", ctx.Err(), s.Phase, s.Counts)
		}
	}
}

var somebody = membership.Control{By: "recorder", Reason: "for the record"}

func (r *recorder) signal(ctx context.Context, run client.WorkflowRun, control string) error {
	return r.client.SignalWorkflow(ctx, run.GetID(), run.GetRunID(), control, somebody)
}

// vote waits until a run stands before its gate, and votes on its program.
func (r *recorder) vote(ctx context.Context, run client.WorkflowRun, control string) error {
	vote := somebody
	err := r.until(ctx, run, func(s seen) bool {
		vote.Digest = s.Digest
		return s.Phase == membership.Awaiting
	})
	if err != nil {
		return err
	}
	return r.send(ctx, run, control, vote)
}

func (r *recorder) update(ctx context.Context, run client.WorkflowRun, control string) error {
	return r.send(ctx, run, control, somebody)
}

func (r *recorder) send(ctx context.Context, run client.WorkflowRun, name string, c membership.Control) error {
	h, err := r.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: run.GetID(), RunID: run.GetRunID(),
		UpdateName: name, Args: []any{c}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		return err
	}
	return h.Get(ctx, nil)
}

func (r *recorder) clearFaults(ctx context.Context) error {
	return r.plane.Do(ctx, http.MethodDelete, "faults", nil, nil)
}
