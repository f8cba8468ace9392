package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// TypeCohort is the workflow of a fleet's cohort: a Join or Leave of members that the fleet's manifest names, which waits
// for nobody and files its report in the store. Only fleets start it.
const TypeCohort = "Cohort"

// FileActivity keeps the record of a cohort that has ended and lets go of its members: FileInput in, fleet.Part out.
const FileActivity = "fleetjoin.file"

// CohortInput is what a fleet says to a cohort.
type CohortInput struct {
	Operation membership.Operation `json:"operation"`
	Kind      string               `json:"kind"`
	Account   string               `json:"account"`
	Page      fleet.PageInput      `json:"page"`
	Approved  bool                 `json:"approved,omitempty"` // people have said yes to what was seen of it
	WhenHeld  string               `json:"whenHeld,omitempty"` // as in membership.Request
	// Was says, by id, what the members have come to that are tried again.
	Was map[string]membership.Outcome `json:"was,omitempty"`
}

// FileInput is what becomes a fleet.Record, but for the program, which is in the run's history.
type FileInput struct {
	Page   fleet.PageInput   `json:"page"`
	Report membership.Report `json:"report"`
	Digest string            `json:"digest"` // of the program; "" when there was none
}

// Cohort takes some members of a fleet through their program. It ends well whatever became of them: the part says what.
func Cohort(ctx workflow.Context, in CohortInput) (fleet.Part, error) {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	if parent == nil { // what a fleet asks people first, nobody may start without it
		return fleet.Part{}, badInput(membership.Bad([]membership.Problem{{Field: "type", Value: membership.Quote(TypeCohort),
			Want: "is started by fleets only; start " + TypeFleet + " or " + TypeJoin}}))
	}
	c := newCohort(ctx, in.Operation, membership.Request{Kind: in.Kind, Account: in.Account, WhenHeld: in.WhenHeld})
	c.fleet, c.unattended, c.putBack = parent.ID, true, in.putBack()
	if err := c.listen(ctx); err != nil {
		return fleet.Part{}, err
	}
	if err := c.announce(ctx); err != nil {
		return fleet.Part{}, err
	}
	switch err := c.plan(ctx, PlanInput{Operation: in.Operation, Request: c.request, Page: &in.Page, Approved: in.Approved}); {
	case err == nil:
		c.request.Group = c.program.Group
	case c.aborting: // before anything was planned
		letGo(ctx)
		return fleet.Part{Counts: map[membership.Outcome]int{membership.NotStarted: in.Page.To - in.Page.From}}, nil
	default:
		letGo(ctx)
		return fleet.Part{}, err
	}
	report, err := c.walk(ctx)
	if err != nil {
		return fleet.Part{}, err
	}
	in.remind(&report)
	report.Outcome = membership.Judge(report.Counts, c.aborting)
	return file(ctx, FileInput{Page: in.Page, Report: report, Digest: c.program.Digest})
}

// putBack is what the members are that the cohort is to put back, "" when it is to take them forward. A fleet never mixes
// those who joined with those about whom nobody knows.
func (in CohortInput) putBack() membership.Outcome {
	switch again := in.Page.Again; {
	case again == nil || !again.Undo:
		return ""
	case again.Was[membership.Unknown] > 0:
		return membership.Unknown
	default:
		return membership.Joined
	}
}

// remind says of members that were to be tried again, and that nobody touched, what they had come to before.
func (in CohortInput) remind(r *membership.Report) {
	for i := range r.Members {
		m := &r.Members[i]
		was, again := in.Was[m.ID]
		if again && (m.Outcome == membership.Refused || m.Outcome == membership.NotStarted) {
			if r.Counts[m.Outcome]--; r.Counts[m.Outcome] == 0 {
				delete(r.Counts, m.Outcome)
			}
			m.Outcome = was
			r.Counts[was]++
		}
	}
}

// file keeps the truth about the cohort where it outlives Temporal's retention.
func file(ctx workflow.Context, in FileInput) (part fleet.Part, err error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	err = workflow.ExecuteActivity(persist(ctx, sliceGrace, "keep the record"), FileActivity, in).Get(ctx, &part)
	if err != nil {
		return part, temporal.NewNonRetryableApplicationError(fmt.Sprintf("the record could not be kept: %v", err), "NotFiled", nil, in.Report)
	}
	return part, nil
}
