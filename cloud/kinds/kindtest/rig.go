// Package kindtest is the conformance suite of the kinds. It runs the whole of fleetjoin but Temporal's server: the
// interpreter, the activities, the kind, the cloud's real SDK and, behind its wire protocol, the simulator, all in a
// bubble of virtual time. So it can afford to kill the worker again and again, all over a story.
package kindtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/fleetjoin/fleetjoin/activities"
	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// Subject is what the suite must know of a kind.
type Subject struct {
	looks, writes int // at how many of a story's calls, and of its writes, the worker dies; 0: mostCalls and mostWrites
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
	Poll    time.Duration // how often it looks at members
	// Votes are those of the last run's report.
	Votes   []membership.Vote
	archive string // the key of what is kept of the last run
}

// How often members are looked at: in life unless it is told otherwise, and in stories that bear deaths, where a death at one look is like
// one at the next.
const (
	PollInLife = 2 * time.Second
	pollRarely = 5 * time.Second
)

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
		f(&Rig{T: t, Subject: s, Sim: world, Poll: pollRarely, crash: &crash{sim: world.RoundTripper(),
			store: &memory{blobs: make(map[store.Key][]byte)}}})
	})
}

// Run has a fleet do what a request asks for, and returns the one truth, as the records of its cohorts tell it. Its error is
// the run's, when it carries no report.
func (r *Rig) Run(op membership.Operation, request membership.Request) (membership.Report, error) {
	r.Helper()
	return r.run(op, planOf(request), nil)
}

// RunPlan is Run with a plan that says more than the request.
func (r *Rig) RunPlan(op membership.Operation, request membership.Request, more func(*fleet.Plan)) (membership.Report, error) {
	r.Helper()
	plan := planOf(request)
	more(&plan)
	return r.run(op, plan, nil)
}

// RollBack puts back what the last run did.
func (r *Rig) RollBack() (membership.Report, error) {
	r.Helper()
	return r.run("", fleet.Plan{Requester: "the rig", Rollback: r.archive}, nil)
}

// DieIn kills the worker at each of these calls, counted from now, when the cloud has done what the call asks for.
func (r *Rig) DieIn(calls ...int) {
	made, _ := r.crash.made()
	deaths := make([]death, len(calls))
	for i, n := range calls {
		deaths[i] = death{step: made + n, after: true}
	}
	r.crash.arm(deaths...)
}

// planOf is what a request asks for as a plan.
func planOf(r membership.Request) fleet.Plan {
	return fleet.Plan{Requester: "the rig", Step: fleet.Step{Kind: r.Kind, Account: r.Account, Group: r.Group, From: r.From,
		Members: r.Members, Params: r.Params}}
}

// run runs a plan. waits is called when the run waits for a person, once.
func (r *Rig) run(op membership.Operation, plan fleet.Plan, waits func(*testsuite.TestWorkflowEnvironment)) (membership.Report, error) {
	r.Helper()
	env := r.environment()
	r.attend(env, waits)
	wf := map[membership.Operation]string{membership.Join: workflows.TypeJoin, membership.Leave: workflows.TypeLeave, "": workflows.TypeFleet}[op]
	env.ExecuteWorkflow(wf, plan)
	require.True(r, env.IsWorkflowCompleted())
	var report fleet.Report
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
	if err != nil {
		return membership.Report{}, err
	}
	r.Votes, r.archive = report.Votes, report.Archive
	return r.told(op, plan, report), nil
}

// told makes of what is kept of a run one report, and sees that the two say the same.
func (r *Rig) told(op membership.Operation, plan fleet.Plan, run fleet.Report) membership.Report {
	r.Helper()
	told := membership.Report{Kind: plan.Kind, Operation: op, Account: plan.Account, Group: plan.Group, Outcome: run.Outcome,
		Counts: run.Counts, Started: run.Started, Ended: run.Ended}
	if run.Archive == "" { // it ended before its members were found
		return told
	}
	get := func(ctx context.Context, key string) ([]byte, error) { return r.crash.store.Get(ctx, store.Key(key)) }
	kept, err := archive.Open(context.Background(), get, run.Archive)
	require.NoError(r, err)
	_, err = kept.Verify(context.Background())
	require.NoError(r, err)
	for m, err := range kept.Members(context.Background()) {
		require.NoError(r, err)
		told.Members = append(told.Members, m.MemberReport())
	}
	require.Equal(r, run.Members, told.Members)
	for _, p := range kept.Parts {
		if p.Record == "" {
			continue
		}
		record, err := store.GetJSON[fleet.Record](context.Background(), r.crash.store, store.Key(p.Record))
		require.NoError(r, err)
		told.Digest = cmp.Or(told.Digest, record.Report.Digest)
		for _, w := range record.Report.Warnings {
			if !slices.Contains(told.Warnings, w) {
				told.Warnings = append(told.Warnings, w)
			}
		}
	}
	return told
}

// environment is where workflows run.
func (r *Rig) environment() *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetStartTime(time.Now())
	env.SetTestTimeout(120 * time.Hour) // of virtual time
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&beatless{}}})
	workflows.Register(env)
	kind := r.Subject.Kind(r.crash)
	activities.New(activities.Options{Kinds: []membership.Kind{kind}, Store: r.crash, Pace: membership.Pace{
		Slice: membership.Duration(5 * r.Poll), Poll: membership.Duration(r.Poll), Parallel: 20,
	}}).Register(mortal{env, r.crash})
	env.OnUpsertTypedSearchAttributes(mock.Anything).Return(nil)
	env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, "", workflows.SignalRelease, mock.Anything).Return(nil)
	for _, p := range r.people {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(p.name, p.control) }, p.after)
	}
	return env
}

// attend looks at a run every minute at first, and then every hour: it says yes at its gates, and calls waits when the run
// waits for a person, once; with none it has the run end there.
func (r *Rig) attend(env *testsuite.TestWorkflowEnvironment, waits func(*testsuite.TestWorkflowEnvironment)) {
	waited := false
	look := func() {
		var s fleet.Status
		value, err := env.QueryWorkflow(membership.QueryStatus)
		if err != nil || value.Get(&s) != nil {
			return // it has ended
		}
		needs := s.Phase == membership.Waiting || s.Phase == membership.Stopped
		switch {
		case s.Gate != nil:
			env.SignalWorkflow(membership.ControlApprove, membership.Control{By: "the suite", Digest: s.Digest})
		case needs && waits == nil && len(r.people) == 0:
			env.SignalWorkflow(membership.ControlAbort, fleet.Control{Then: fleet.ThenFinish})
		case needs && waits != nil && !waited:
			waited = true
			waits(env)
		}
	}
	const minutes, hours = 10, 100
	for n := range minutes {
		env.RegisterDelayedCallback(look, time.Duration(n+1)*time.Minute)
	}
	for n := range hours {
		env.RegisterDelayedCallback(look, time.Duration(n+1)*time.Hour)
	}
}

// memory is a store that is gone with the test.
type memory struct {
	mu    sync.Mutex
	blobs map[store.Key][]byte
}

func (m *memory) Put(_ context.Context, data []byte) (store.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := store.KeyOf(data)
	m.blobs[key] = slices.Clone(data)
	return key, nil
}

func (m *memory) Get(_ context.Context, key store.Key) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.blobs[key]
	if !ok {
		return nil, fmt.Errorf("blob %s: %w", key, store.ErrMissing)
	}
	return data, nil
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
