package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// CohortInput is what a fleet says to a cohort.
type CohortInput struct {
	Operation membership.Operation `json:"operation"`
	Kind      string               `json:"kind"`
	Account   string               `json:"account"`
	Page      fleet.PageInput      `json:"page"`
	Approved  bool                 `json:"approved,omitempty"` // people have said yes to what was seen of it
	WhenHeld  string               `json:"whenHeld,omitempty"` // as in fleet.Plan
}

// PlanInput asks for the program of a cohort.
type PlanInput struct {
	Operation membership.Operation `json:"operation"`
	Page      fleet.PageInput      `json:"page"`
	Approved  bool                 `json:"approved,omitempty"`
	WhenHeld  string               `json:"whenHeld,omitempty"`
}

// FileInput is what becomes a fleet.Record, but for the program, which is in the run's history.
type FileInput struct {
	Page   fleet.PageInput   `json:"page"`
	Report membership.Report `json:"report"`
	Digest string            `json:"digest"` // of the program; "" when there was none
}

// cohort is one run of Cohort: the members of one page and where they stand.
type cohort struct {
	in      CohortInput
	fleet   string             // the workflow id of the fleet that it is a cohort of
	program membership.Program // empty while planning
	started time.Time
	members []memberState // by index into program.Members

	phase     membership.Phase
	saidPhase membership.Phase // the phase that the search attributes tell
	trouble   string           // why nothing could be observed lately
	slice     time.Duration    // how long the next slice runs, see backOff
	quiet     int              // as in membership.Slice
	paused    bool
	aborting  bool
	changed   bool // something happened that run must look at
	// undoing is what the members are that are to be put back, unknown or else joined; "" when the cohort goes forward.
	undoing membership.Outcome

	// forward carries the forward slices: pause and abort cancel it. It hangs on a context that nothing else cancels.
	forward       workflow.Context
	cancelForward workflow.CancelFunc
	cancelPlan    workflow.CancelFunc // abort cancels the planning, too
}

// Cohort takes some members of a fleet through their program, and asks nobody: a member that cannot go on without a person
// ends as unknown, and the fleet asks. It ends well whatever became of its members: the part says what.
func Cohort(ctx workflow.Context, in CohortInput) (fleet.Part, error) {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	if parent == nil { // what a fleet asks people first, nobody may start without it
		return fleet.Part{}, badInput(membership.Bad([]membership.Problem{{Field: "type", Value: membership.Quote(TypeCohort),
			Want: "is started by fleets only; start " + TypeFleet + ", " + TypeJoin + " or " + TypeLeave}}))
	}
	c := &cohort{in: in, fleet: parent.ID, started: workflow.Now(ctx), phase: membership.Planning, undoing: in.undoing(),
		cancelPlan: func() {}}
	c.freshForward(ctx)
	if err := c.listen(ctx); err != nil {
		return fleet.Part{}, err
	}
	if err := c.announce(ctx); err != nil {
		return fleet.Part{}, err
	}
	switch err := c.plan(ctx); {
	case err == nil:
	case c.aborting: // before anything was planned
		c.releaseLeases(ctx)
		return fleet.Part{Counts: map[membership.Outcome]int{membership.NotStarted: in.Page.To - in.Page.From}}, nil
	default:
		c.releaseLeases(ctx)
		return fleet.Part{}, err
	}
	report, err := c.run(ctx)
	if err != nil {
		return fleet.Part{}, err
	}
	c.remind(&report)
	report.Outcome = membership.Judge(report.Counts, c.aborting)
	return c.file(ctx, report)
}

// undoing is what the members are that the cohort is to put back, "" when it is to take them forward. A fleet never mixes
// those that went well with those about which nobody knows.
func (in CohortInput) undoing() membership.Outcome {
	switch again := in.Page.Again; {
	case again == nil || !again.Undo:
		return ""
	case again.Was[membership.Unknown] > 0:
		return membership.Unknown
	default:
		return membership.Joined
	}
}

// remind says of members that were to be tried again, and that nothing touched, what they had come to before.
func (c *cohort) remind(r *membership.Report) {
	for i := range r.Members {
		m, was := &r.Members[i], c.program.Members[i].Was
		if was != "" && (m.Outcome == membership.Refused || m.Outcome == membership.NotStarted) {
			if r.Counts[m.Outcome]--; r.Counts[m.Outcome] == 0 {
				delete(r.Counts, m.Outcome)
			}
			m.Outcome = was
			r.Counts[was]++
		}
	}
}

// listen makes the cohort hear its fleet, and answer the status query, from its first moment. Cancelling it aborts it.
func (c *cohort) listen(ctx workflow.Context) error {
	if err := workflow.SetQueryHandlerWithOptions(ctx, membership.QueryStatus, func() (membership.Status, error) {
		return c.status(), nil
	}, workflow.QueryHandlerOptions{Description: "where every member is"}); err != nil {
		return err
	}
	free, _ := workflow.NewDisconnectedContext(ctx)
	words := workflow.GetSignalChannel(ctx, SignalControl)
	workflow.Go(free, func(ctx workflow.Context) {
		for {
			var word string
			words.Receive(ctx, &word)
			switch word {
			case membership.ControlPause:
				c.paused = true
				c.cancelForward()
			case membership.ControlResume:
				c.paused = false
				c.freshForward(ctx)
			case membership.ControlAbort:
				c.abort()
			}
			c.changed, c.trouble = true, ""
		}
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		ctx.Done().Receive(ctx, nil)
		c.abort()
	})
	return nil
}

// abort turns the members back. It may be asked for more than once.
func (c *cohort) abort() {
	c.aborting, c.changed = true, true
	c.cancelForward()
	c.cancelPlan()
}

func (c *cohort) freshForward(ctx workflow.Context) {
	free, _ := workflow.NewDisconnectedContext(ctx)
	c.forward, c.cancelForward = workflow.WithCancel(free)
}

// plan has the program of the members made by an activity that observes the cloud. Reads are harmless: it is tried for as
// long as the cloud is merely out of reach. An abort cuts that short, and so does cancelling the cohort.
func (c *cohort) plan(ctx workflow.Context) error {
	free, _ := workflow.NewDisconnectedContext(ctx)
	planning, cancel := workflow.WithCancel(free)
	c.cancelPlan = cancel
	if c.aborting { // since the first task
		cancel()
	}
	planning = persist(planning, 5*time.Minute, fmt.Sprintf("%s %s, account %s", c.in.Operation,
		membership.Count(c.in.Page.To-c.in.Page.From, "member"), c.in.Account))
	return workflow.ExecuteActivity(planning, PlanActivity, PlanInput{Operation: c.in.Operation, Page: c.in.Page,
		Approved: c.in.Approved, WhenHeld: c.in.WhenHeld}).Get(ctx, &c.program)
}

// run takes the members through the program. It returns when every member's story has ended, with the one truth about
// all of them. Nothing it waits for is cut short by a cancelled workflow: that is an abort, see listen.
func (c *cohort) run(ctx workflow.Context) (membership.Report, error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	c.init()
	for {
		if c.aborting {
			c.compensateAll(ctx)
		}
		c.finishParked()
		c.dispatch(ctx)
		if err := c.announce(ctx); err != nil {
			return membership.Report{}, err
		}
		if c.phase == membership.Ended {
			return c.report(ctx), nil
		}
		c.changed = false
		if err := workflow.Await(ctx, func() bool { return c.changed }); err != nil {
			return membership.Report{}, err
		}
	}
}

// file keeps the truth about the cohort where it outlives Temporal's retention.
func (c *cohort) file(ctx workflow.Context, r membership.Report) (part fleet.Part, err error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	err = workflow.ExecuteActivity(persist(ctx, sliceGrace, "keep the record"), FileActivity,
		FileInput{Page: c.in.Page, Report: r, Digest: c.program.Digest}).Get(ctx, &part)
	if err != nil {
		return part, temporal.NewNonRetryableApplicationError(fmt.Sprintf("the record could not be kept: %v", err), errNotFiled, nil, r)
	}
	return part, nil
}

// releaseLeases tells the book of leases that the cohort is done with its members. There is no book when nobody holds any.
func (c *cohort) releaseLeases(ctx workflow.Context) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	info := workflow.GetInfo(ctx)
	if err := workflow.SignalExternalWorkflow(ctx, LeasesOf(info.TaskQueueName), "", SignalRelease,
		LeaseRun{Workflow: info.WorkflowExecution.ID, Run: info.WorkflowExecution.RunID}).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Debug("nobody to let go of the members", "error", err)
	}
}
