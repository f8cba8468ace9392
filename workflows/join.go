package workflows

import (
	"encoding/json"
	"errors"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Register makes every workflow type known to a worker.
func Register(r worker.WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(Join, workflow.RegisterOptions{Name: TypeJoin})
	r.RegisterWorkflowWithOptions(Leave, workflow.RegisterOptions{Name: TypeLeave})
	r.RegisterWorkflowWithOptions(Plan, workflow.RegisterOptions{Name: TypePlan})
	r.RegisterWorkflowWithOptions(Leases, workflow.RegisterOptions{Name: TypeLeases})
	r.RegisterWorkflowWithOptions(Fleet, workflow.RegisterOptions{Name: TypeFleet})
	r.RegisterWorkflowWithOptions(FleetPlan, workflow.RegisterOptions{Name: TypeFleetPlan})
	r.RegisterWorkflowWithOptions(Read, workflow.RegisterOptions{Name: TypeRead})
	r.RegisterWorkflowWithOptions(Cohort, workflow.RegisterOptions{Name: TypeCohort})
}

// PlanInput asks what a run would do.
type PlanInput struct {
	Operation membership.Operation `json:"operation"`
	Request   membership.Request   `json:"request"`
	Preview   bool                 `json:"preview,omitempty"` // nothing will be done: leases are only looked at
	// Page says who the members are, in place of Request, when a cohort of a fleet is planned. Approved: people have said
	// yes to what they saw of it.
	Page     *fleet.PageInput `json:"page,omitempty"`
	Approved bool             `json:"approved,omitempty"`
}

// Join moves the members of a request into its group. The input is a membership.Request as JSON; it is taken raw
// so that a field nobody knows is refused with its name instead of being dropped in silence.
func Join(ctx workflow.Context, input converter.RawValue) (membership.Report, error) {
	return run(ctx, membership.Join, input)
}

// Leave moves the members of a request out of its group.
func Leave(ctx workflow.Context, input converter.RawValue) (membership.Report, error) {
	return run(ctx, membership.Leave, input)
}

// Plan returns the program that a run would follow. It changes nothing.
func Plan(ctx workflow.Context, input converter.RawValue) (membership.Program, error) {
	in := struct {
		Operation membership.Operation `json:"operation"`
		Request   json.RawMessage      `json:"request"`
	}{Operation: membership.Join}
	if err := json.Unmarshal(payload(input), &in); err != nil {
		return membership.Program{}, badInput(membership.Bad([]membership.Problem{{Field: "input",
			Want: "cannot be read (" + err.Error() + `); want {"operation": "join" or "leave", "request": {…}}`}}))
	}
	if in.Operation != membership.Join && in.Operation != membership.Leave {
		return membership.Program{}, badInput(membership.Bad([]membership.Problem{{Field: "operation",
			Value: membership.Quote(string(in.Operation)), Want: `want "join" or "leave"`}}))
	}
	req, err := membership.ParseRequest(in.Request)
	if err != nil {
		return membership.Program{}, badInput(err)
	}
	return plan(ctx, PlanInput{Operation: in.Operation, Request: req, Preview: true})
}

func run(ctx workflow.Context, op membership.Operation, input converter.RawValue) (membership.Report, error) {
	req, err := membership.ParseRequest(payload(input))
	if err != nil {
		return membership.Report{}, badInput(err)
	}
	c := newCohort(ctx, op, req)
	if err := c.listen(ctx); err != nil {
		return membership.Report{}, err
	}
	if err := c.announce(ctx); err != nil {
		return membership.Report{}, err
	}
	switch err := c.plan(ctx, PlanInput{Operation: op, Request: req}); {
	case err == nil:
	case c.aborting: // before anything was planned: everyone ends as not started
		c.program = unplanned(op, req)
	default:
		letGo(ctx)
		return membership.Report{}, err
	}
	report, err := c.walk(ctx)
	letGo(ctx)
	if err != nil {
		return report, err
	}
	return report, verdictOf(report.Outcome, report.Counts, report)
}

// plan has the program of the members made. An abort cuts that short, and so does cancelling the run, which is an abort
// that listen hears of.
func (c *cohort) plan(ctx workflow.Context, in PlanInput) (err error) {
	free, _ := workflow.NewDisconnectedContext(ctx)
	planning, cancel := workflow.WithCancel(free)
	c.cancelPlan = cancel
	// An abort that was there before the first task did not find it. Runs from before this was seen planned on.
	if c.aborting && (c.fleet != "" || workflow.GetVersion(ctx, changeEarlyAbort, workflow.DefaultVersion, 1) != workflow.DefaultVersion) {
		cancel()
	}
	c.program, err = plan(planning, in)
	return err
}

// changeEarlyAbort marks the runs in which an abort that comes with the first task keeps them from planning.
const changeEarlyAbort = "early-abort"

// unplanned is the program of a run that was ended before it had one.
func unplanned(op membership.Operation, req membership.Request) membership.Program {
	p := membership.Program{Kind: req.Kind, Operation: op, Account: req.Account, Group: req.Group}
	for _, id := range req.Members {
		p.Members = append(p.Members, membership.Member{ID: id})
	}
	return p
}

// plan runs the activity that observes the cloud and compiles the program. Reads are harmless: it is tried for as long
// as the cloud is merely out of reach.
func plan(ctx workflow.Context, in PlanInput) (membership.Program, error) {
	ctx = persist(ctx, 5*time.Minute, summaryOfPlan(in.Operation, in.Request))
	var p membership.Program
	err := workflow.ExecuteActivity(ctx, membership.PlanActivity, in).Get(ctx, &p)
	return p, err
}

func payload(v converter.RawValue) []byte {
	if v.Payload() == nil {
		return nil
	}
	return v.Payload().GetData()
}

// badInput turns problems into the error that ends a run before anything was touched.
func badInput(err error) error {
	var bad *membership.BadInput
	if !errors.As(err, &bad) {
		return err
	}
	return temporal.NewNonRetryableApplicationError(bad.Error(), ErrBadInput, nil, bad.Problems)
}

// persist prepares for an activity that is tried for ever, each time for so long: one that fails has lost its worker, not
// its work.
func persist(ctx workflow.Context, try time.Duration, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: try,
		HeartbeatTimeout:    heartbeatTimeout,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2,
			MaximumInterval: 30 * time.Second},
		Summary: summary,
	})
}
