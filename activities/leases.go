package activities

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// errHeld is the type of the error with which planning waits for members that another run acts on.
const errHeld = "HeldByAnotherRun"

// heldRetry is how often a run that waits for others looks whether they are done.
const heldRetry = 10 * time.Second

// leaseKey names a member in the book of leases: short, since the book travels, and the same for every account of a
// provider, since several names may lead to one resource.
func leaseKey(provider, member string) string {
	sum := sha256.Sum256([]byte(provider + "/" + member))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// claim is what a run has of its members: alone, or which others hold some.
type claim struct {
	held     map[string]string // by member id, the workflow id of the run that acts on it
	tookOver time.Time         // see workflows.LeaseAnswer
}

// hold is what a program does about who may act on its members.
type hold int

const (
	lookOnly hold = iota // sees who does
	take                 // becomes the only run that does, as far as others do not yet
	takeAll              // the same, for all of them or none
)

// holdOf is the one of a plan's whenHeld.
func holdOf(whenHeld string) hold {
	if whenHeld == fleet.WhenHeldWait {
		return takeAll
	}
	return take
}

// claim looks after who may act on the members of a request.
func (a *Activities) claim(ctx context.Context, provider string, req membership.Request, hold hold) (claim, error) {
	if a.client == nil {
		return claim{}, nil
	}
	keys := make([]string, len(req.Members))
	for i, id := range req.Members {
		keys[i] = leaseKey(provider, id)
	}
	var answer workflows.LeaseAnswer
	var err error
	if hold == lookOnly {
		answer, err = a.holders(ctx, keys)
	} else {
		run := activity.GetInfo(ctx).WorkflowExecution
		answer, err = a.acquire(ctx, workflows.LeaseRequest{Holder: run.ID, Run: run.RunID, Members: keys,
			All: hold == takeAll})
	}
	if err != nil {
		return claim{}, fmt.Errorf("the book of leases (%s): %w", leases(ctx), err)
	}
	c := claim{held: make(map[string]string), tookOver: answer.TookOver}
	for i, id := range req.Members {
		if holder, ok := answer.Held[keys[i]]; ok {
			c.held[id] = holder
		}
	}
	if len(c.held) > 0 && hold == takeAll {
		return claim{}, temporal.NewApplicationErrorWithOptions(c.waits(req.Members), errHeld, temporal.ApplicationErrorOptions{
			NextRetryDelay: heldRetry, Category: temporal.ApplicationErrorCategoryBenign})
	}
	return c, nil
}

// waits says, for people, whom the run waits for.
func (c claim) waits(members []string) string {
	var holders []string
	for _, id := range members {
		if h, ok := c.held[id]; ok && !slices.Contains(holders, h) {
			holders = append(holders, h)
		}
	}
	return fmt.Sprintf("waits for %s that other runs act on: %s", membership.Count(len(c.held), "member"), strings.Join(holders, ", "))
}

// apply refuses the members that others act on, whatever else is known of them: it may be different in a moment. What
// was taken over from a run that ended in the middle is left alone until all that it sent has come to show.
func (c claim) apply(p *membership.Program, made time.Time) {
	for i := range p.Members {
		m := &p.Members[i]
		if holder, ok := c.held[m.ID]; ok {
			m.Already = false
			m.Refused = append([]membership.Objection{{Code: membership.CodeHeld,
				Reason: fmt.Sprintf("run %s acts on it", holder)}}, m.Refused...)
		}
	}
	if !c.tookOver.IsZero() {
		p.Quiet = max(0, int(c.tookOver.Sub(made)/time.Second)+1+p.Settle())
	}
}

func (a *Activities) acquire(ctx context.Context, in workflows.LeaseRequest) (answer workflows.LeaseAnswer, err error) {
	start := a.client.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID:                       leases(ctx),
		TaskQueue:                activity.GetInfo(ctx).TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "which run acts on which member",
	}, workflows.TypeLeases, workflows.LeaseBook{})
	update, err := a.client.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{WorkflowID: leases(ctx), UpdateName: workflows.UpdateAcquire,
			Args: []any{in}, WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	if err != nil {
		return answer, err
	}
	err = update.Get(ctx, &answer)
	return answer, err
}

// holders asks who holds what without taking anything. Where there is no book, nobody does.
func (a *Activities) holders(ctx context.Context, keys []string) (answer workflows.LeaseAnswer, err error) {
	value, err := a.client.QueryWorkflow(ctx, leases(ctx), "", workflows.QueryHolders, keys)
	var none *serviceerror.NotFound
	if errors.As(err, &none) {
		return answer, nil
	}
	if err != nil {
		return answer, err
	}
	if err := value.Get(&answer); err != nil {
		return answer, err
	}
	ended := make(map[string]bool)
	for key, holder := range answer.Held {
		if _, asked := ended[holder]; !asked {
			at, err := a.ended(ctx, workflows.LeaseRun{Workflow: holder})
			if err != nil {
				return answer, err
			}
			ended[holder] = at != nil
		}
		if ended[holder] {
			delete(answer.Held, key)
		}
	}
	return answer, nil
}

// Ended tells when runs ended, of those that have. One that nobody knows any more ended long ago.
func (a *Activities) Ended(ctx context.Context, runs []workflows.LeaseRun) (map[workflows.LeaseRun]time.Time, error) {
	ended := make(map[workflows.LeaseRun]time.Time)
	for _, run := range runs {
		switch at, err := a.ended(ctx, run); {
		case err != nil:
			return nil, err
		case at != nil:
			ended[run] = *at
		}
		activity.RecordHeartbeat(ctx)
	}
	return ended, nil
}

func (a *Activities) ended(ctx context.Context, run workflows.LeaseRun) (*time.Time, error) {
	at := time.Unix(0, 0).UTC()
	d, err := a.client.DescribeWorkflowExecution(ctx, run.Workflow, run.Run)
	var none *serviceerror.NotFound
	switch info := d.GetWorkflowExecutionInfo(); {
	case errors.As(err, &none):
	case err != nil:
		return nil, err
	case info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return nil, nil
	default:
		at = info.GetCloseTime().AsTime()
	}
	return &at, nil
}

// leases is the workflow id of the book of leases that the activity's run goes by.
func leases(ctx context.Context) string { return workflows.LeasesOf(activity.GetInfo(ctx).TaskQueue) }
