package kindtest

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// retriesFinish breaks each write of a story in turn, for as long as it takes the members of a fleet to give up, mends it,
// and has the fleet try again: whatever the break has left behind, everybody is to join then, and to be as before.
func retriesFinish(t *testing.T, s Subject) {
	for _, action := range actions(t, s, gaits["a handful"]) {
		t.Run(action, func(t *testing.T) {
			Bubble(t, s, gaits["a handful"], func(r *Rig) { r.retried(action) })
		})
	}
}

// actions are the writes of a join of n members in which nothing goes wrong, each once.
func actions(t *testing.T, s Subject, n int) (actions []string) {
	Bubble(t, s, n, func(r *Rig) {
		_, err := r.Run(membership.Join, s.Request(r.Sim))
		require.NoError(r, err)
		actions = unique(r.WriteCalls())
	})
	return actions
}

func (r *Rig) retried(action string) {
	r.Helper()
	req := r.Subject.Request(r.Sim)
	before := r.States(req.Members)
	broken, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: action}, Effect: fault.Status,
		Status: http.StatusInternalServerError, Code: "InternalError", Message: "it is broken"})
	require.NoError(r, err)
	report, err := r.run(membership.Join, planOf(req), func(env *testsuite.TestWorkflowEnvironment) {
		r.Sim.Faults().Remove(broken)
		env.SignalWorkflow(membership.ControlRetry, membership.Control{By: "the suite"})
	})
	require.NoError(r, err)
	require.Equal(r, map[membership.Outcome]int{membership.Joined: len(req.Members)}, report.Counts)
	r.joined(req.Members, before)
}

// beatless takes the heartbeats out of activities: the test environment knows those of a child workflow's activities not,
// cancels them at their first, and takes them for dead.
type beatless struct {
	interceptor.WorkerInterceptorBase
}

func (*beatless) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	a := &beatlessActivity{}
	a.Next = next
	return a
}

func (*beatless) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	w := &beatlessWorkflow{}
	w.Next = next
	return w
}

type beatlessActivity struct {
	interceptor.ActivityInboundInterceptorBase
}

func (a *beatlessActivity) Init(next interceptor.ActivityOutboundInterceptor) error {
	out := &silent{}
	out.Next = next
	return a.Next.Init(out)
}

type silent struct {
	interceptor.ActivityOutboundInterceptorBase
}

func (*silent) RecordHeartbeat(context.Context, ...any) {}

type beatlessWorkflow struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (w *beatlessWorkflow) Init(next interceptor.WorkflowOutboundInterceptor) error {
	out := &patient{}
	out.Next = next
	return w.Next.Init(out)
}

type patient struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (p *patient) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	return p.Next.ExecuteActivity(workflow.WithHeartbeatTimeout(ctx, 0), name, args...)
}
