// Package kindtest is the conformance suite of the kinds. It runs the whole of fleetjoin but Temporal's server: the
// interpreter, the activities, the kind, the cloud's real SDK and, behind its wire protocol, the simulator, all in a
// bubble of virtual time. So it can afford to kill the worker again and again, all over a story.
package kindtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/fleetjoin/fleetjoin/activities"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// Subject is what the suite must know of a kind.
type Subject struct {
	// Kind makes the kind over a transport, with an account named "demo".
	Kind func(http.RoundTripper) membership.Kind
	// World describes a world with n members that can join, some on and some off, and the group they can join.
	World func(n int) sim.World
	// Request asks for all n members of that world.
	Request func(s *sim.Sim) membership.Request
	// Member tells whether a member is in the group, and its state as far as a rollback must restore it: power, OS,
	// groups. It is what the simulator knows, not what a read would answer.
	Member func(s *sim.Sim, id string) (in bool, state string)
	// Failures are the ways in which one member's join can fail in the middle.
	Failures []Failure
}

// Failure is one way to fail.
type Failure struct {
	Name  string
	Fault sim.Fault // Match.Server is filled in
	Code  string    // the code in the report
}

// Rig is one world with everything that acts on it.
type Rig struct {
	*testing.T
	Subject Subject
	Sim     *sim.Sim
	crash   *crash
	people  []later
}

// later is what a person says some time into a run.
type later struct {
	after   time.Duration
	name    string
	control membership.Control
}

// Later lets a person say something, so long after the start of each run to come.
func (r *Rig) Later(after time.Duration, name string, c membership.Control) {
	r.people = append(r.people, later{after, name, c})
}

// Bubble runs f with a fresh world of n members, in virtual time.
func Bubble(t *testing.T, s Subject, n int, f func(*Rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		world, err := sim.New(sim.Options{World: s.World(n)})
		require.NoError(t, err)
		defer world.Close()
		f(&Rig{T: t, Subject: s, Sim: world, crash: &crash{sim: world.RoundTripper()}})
	})
}

// Run takes a request through the engine and returns the one truth. Its error is the run's, when it carries no report.
func (r *Rig) Run(op membership.Operation, request any) (membership.Report, error) {
	r.Helper()
	env := r.environment(nil)
	wf := workflows.TypeJoin
	if op == membership.Leave {
		wf = workflows.TypeLeave
	}
	env.ExecuteWorkflow(wf, request)
	require.True(r, env.IsWorkflowCompleted())
	var report membership.Report
	err := env.GetWorkflowError()
	var app *temporal.ApplicationError
	var cancelled *temporal.CanceledError
	switch {
	case err == nil:
		err = env.GetWorkflowResult(&report)
	case errors.As(err, &app) && (app.Type() == workflows.ErrRolledBack || app.Type() == workflows.ErrRollbackIncomplete):
		err = app.Details(&report)
	case errors.As(err, &cancelled):
		err = cancelled.Details(&report)
	}
	return report, err
}

// environment is where workflows run. Fleets need a store.
func (r *Rig) environment(blobs store.Blobs) *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetStartTime(time.Now())
	env.SetTestTimeout(120 * time.Hour) // of virtual time
	workflows.Register(env)
	kind := r.Subject.Kind(r.crash)
	activities.New(activities.Options{Kinds: []membership.Kind{kind}, Store: blobs, Pace: membership.Pace{
		Slice: membership.Duration(10 * time.Second), Poll: membership.Duration(2 * time.Second), Parallel: 20,
	}}).Register(mortal{env, r.crash})
	env.OnUpsertTypedSearchAttributes(mock.Anything).Return(nil)
	env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, "", workflows.SignalRelease, mock.Anything).Return(nil)
	env.SetOnActivityCompletedListener(func(info *activity.Info, result converter.EncodedValue, err error) {
		if info.ActivityType.Name == membership.PlanActivity && err == nil {
			approve(env, result)
		}
	})
	for _, p := range r.people {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(p.name, p.control) }, p.after)
	}
	return env
}

// approve votes for the program that was planned, when it has a gate: what a kind does behind its gate is what is tested.
func approve(env *testsuite.TestWorkflowEnvironment, planned converter.EncodedValue) {
	var p membership.Program
	if err := planned.Get(&p); err != nil || p.Gate == nil {
		return
	}
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(membership.ControlApprove, membership.Control{By: "the suite", Digest: p.Digest})
	}, time.Minute)
}

// mortal registers activities that die with their worker: what a killed activity would have returned is lost, and
// the activity is tried again, as the server does when the heartbeats stop.
type mortal struct {
	env   *testsuite.TestWorkflowEnvironment
	crash *crash
}

func (m mortal) RegisterActivity(any)                                         {}
func (m mortal) RegisterDynamicActivity(any, activity.DynamicRegisterOptions) {}
func (m mortal) RegisterActivityWithOptions(a any, options activity.RegisterOptions) {
	switch f := a.(type) {
	case func(context.Context, workflows.PlanInput) (membership.Program, error):
		m.env.RegisterActivityWithOptions(func(ctx context.Context, in workflows.PlanInput) (membership.Program, error) {
			return live(ctx, m.crash, func(ctx context.Context) (membership.Program, error) { return f(ctx, in) })
		}, options)
	case func(context.Context, membership.SliceInput) (membership.Slice, error):
		m.env.RegisterActivityWithOptions(func(ctx context.Context, in membership.SliceInput) (membership.Slice, error) {
			return live(ctx, m.crash, func(ctx context.Context) (membership.Slice, error) { return f(ctx, in) })
		}, options)
	default:
		m.env.RegisterActivityWithOptions(a, options) // of fleets, in which the suite kills nobody
	}
}

// Writes returns the writes that were sent, as "Action member", in order.
func (r *Rig) Writes() []string {
	return r.writes(func(sim.Entry) bool { return true })
}

// Effects returns the writes that had an effect, as "Action member", in order.
func (r *Rig) Effects() []string {
	return r.writes(func(e sim.Entry) bool { return e.Effect == journal.Changed })
}

// Needless returns the writes that the cloud took although there was nothing to do, or refused of itself.
func (r *Rig) Needless() []string {
	return r.writes(func(e sim.Entry) bool {
		return e.Effect == journal.None || e.Effect == journal.Refused && e.Fault == ""
	})
}

func (r *Rig) writes(which func(sim.Entry) bool) []string {
	var writes []string
	for _, e := range r.Sim.Journal().Entries() {
		if e.Write && which(e) {
			for _, id := range e.Servers {
				writes = append(writes, e.Action+" "+id)
			}
		}
	}
	return writes
}

// States returns what the simulator knows of each member.
func (r *Rig) States(ids []string) map[string]string {
	states := make(map[string]string)
	for _, id := range ids {
		in, state := r.Subject.Member(r.Sim, id)
		states[id] = fmt.Sprintf("%s, in group: %v", state, in)
	}
	return states
}
