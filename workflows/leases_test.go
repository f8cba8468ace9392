package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/workflows"
)

// register is a book of leases under test.
type register struct {
	*testsuite.TestWorkflowEnvironment
	t     *testing.T
	ended map[string]time.Time // runs that are over
	asked [][]string           // whom the book asked about
	at    time.Duration
}

func newRegister(t *testing.T) *register {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	r := &register{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t, ended: map[string]time.Time{}}
	r.SetTestTimeout(time.Hour)
	r.SetWorkflowRunTimeout(24 * time.Hour)
	workflows.Register(r)
	r.RegisterActivityWithOptions(func(_ context.Context, runs []workflows.LeaseRun) (map[workflows.LeaseRun]time.Time, error) {
		var asked []string
		ended := make(map[workflows.LeaseRun]time.Time)
		for i, run := range runs {
			asked = append(asked, strings.TrimSuffix(run.Workflow+"/"+run.Run, "/"))
			if at, ok := r.ended[asked[i]]; ok {
				ended[run] = at
			}
		}
		r.asked = append(r.asked, asked)
		return ended, nil
	}, activity.RegisterOptions{Name: workflows.EndedActivity})
	return r
}

// then does something a second after what was to be done before.
func (r *register) then(do func()) {
	r.at += time.Second
	r.RegisterDelayedCallback(do, r.at)
}

// acquire asks for a lease and checks the answer.
func (r *register) acquire(in workflows.LeaseRequest, check func(workflows.LeaseAnswer)) {
	id := fmt.Sprint(in.Holder, " after ", r.at) // one update has one answer
	r.then(func() {
		answered := false
		r.UpdateWorkflow(workflows.UpdateAcquire, id, &granting{
			done: func(result any, err error) {
				require.NoError(r.t, err)
				answered = true
				check(result.(workflows.LeaseAnswer))
			},
		}, in)
		r.RegisterDelayedCallback(func() { require.True(r.t, answered, "no answer for %s", in.Holder) }, time.Millisecond*500)
	})
}

// granting receives the answer to an update.
type granting struct{ done func(result any, err error) }

func (g *granting) Accept()                        {}
func (g *granting) Reject(err error)               { g.done(workflows.LeaseAnswer{}, err) }
func (g *granting) Complete(result any, err error) { g.done(result, err) }

func (r *register) holders() workflows.LeaseBook {
	value, err := r.QueryWorkflow(workflows.QueryLeases)
	require.NoError(r.t, err)
	var b workflows.LeaseBook
	require.NoError(r.t, value.Get(&b))
	return b
}

func (r *register) run(given workflows.LeaseBook) error {
	r.ExecuteWorkflow(workflows.TypeLeases, given)
	require.True(r.t, r.IsWorkflowCompleted())
	return r.GetWorkflowError()
}

func granted(t *testing.T) func(workflows.LeaseAnswer) {
	return func(a workflows.LeaseAnswer) { require.Empty(t, a.Held) }
}

func TestOneHolderPerMember(t *testing.T) {
	r := newRegister(t)
	r.acquire(workflows.LeaseRequest{Holder: "run-a", Members: []string{"1", "2"}}, granted(t))
	r.acquire(workflows.LeaseRequest{Holder: "run-b", Members: []string{"2", "3"}}, func(a workflows.LeaseAnswer) {
		require.Equal(t, map[string]string{"2": "run-a"}, a.Held, "told who holds it, and given the rest")
		require.True(t, a.TookOver.IsZero())
	})
	r.acquire(workflows.LeaseRequest{Holder: "run-c", Members: []string{"3", "4"}, All: true}, func(a workflows.LeaseAnswer) {
		require.Equal(t, map[string]string{"3": "run-b"}, a.Held)
	})
	r.acquire(workflows.LeaseRequest{Holder: "run-d", Members: []string{"4"}}, granted(t)) // run-c took none
	r.acquire(workflows.LeaseRequest{Holder: "run-a", Members: []string{"1", "2"}}, granted(t))
	r.then(func() { r.SignalWorkflow(workflows.SignalRelease, "run-a") })
	r.acquire(workflows.LeaseRequest{Holder: "run-e", Members: []string{"1", "2"}}, granted(t))
	r.then(func() {
		for _, holder := range []string{"run-b", "run-d", "run-e"} {
			r.SignalWorkflow(workflows.SignalRelease, holder)
		}
	})
	require.NoError(t, r.run(workflows.LeaseBook{}), "nobody holds anything: it ends")
	require.Equal(t, [][]string{{"run-a"}, {"run-b"}}, r.asked, "asked when somebody wants what is held, and only then")
}

// tookOver wants everything, from runs the last of which ended then.
func tookOver(t *testing.T, at time.Time) func(workflows.LeaseAnswer) {
	return func(a workflows.LeaseAnswer) {
		require.Empty(t, a.Held)
		require.True(t, a.TookOver.Equal(at), "what it sent may still come to show: %v, not %v", a.TookOver, at)
	}
}

func TestHoldersThatHaveEnded(t *testing.T) {
	r := newRegister(t)
	at := r.Now().Add(-time.Minute)
	r.acquire(workflows.LeaseRequest{Holder: "killed", Members: []string{"1", "2", "3"}}, granted(t))
	r.acquire(workflows.LeaseRequest{Holder: "alive", Members: []string{"4"}}, granted(t))
	r.then(func() { r.ended["killed"] = at })
	r.acquire(workflows.LeaseRequest{Holder: "patient", Members: []string{"3", "4"}, All: true}, func(a workflows.LeaseAnswer) {
		require.Equal(t, map[string]string{"4": "alive"}, a.Held, "it takes nothing, and so nothing is forgotten")
	})
	r.acquire(workflows.LeaseRequest{Holder: "next", Members: []string{"2"}}, tookOver(t, at))
	r.acquire(workflows.LeaseRequest{Holder: "next", Members: []string{"2"}}, tookOver(t, at)) // a second try of its plan
	r.acquire(workflows.LeaseRequest{Holder: "other", Members: []string{"1"}}, tookOver(t, at))
	r.acquire(workflows.LeaseRequest{Holder: "patient", Members: []string{"3"}, All: true}, tookOver(t, at))
	r.then(func() {
		require.Len(t, r.holders().Holders, 4, "who has lost everything is forgotten")
		for _, holder := range []string{"alive", "next", "other", "patient"} {
			r.SignalWorkflow(workflows.SignalRelease, holder)
		}
	})
	require.NoError(t, r.run(workflows.LeaseBook{}))
}

// A run that was terminated and started again under its id is another run.
func TestARunOfTheSameIDIsAnother(t *testing.T) {
	r := newRegister(t)
	at := r.Now().Add(-time.Minute)
	r.acquire(workflows.LeaseRequest{Holder: "web", Run: "1", Members: []string{"a", "b"}}, granted(t))
	r.then(func() { r.ended["web/1"] = at })
	r.acquire(workflows.LeaseRequest{Holder: "web", Run: "2", Members: []string{"a"}}, tookOver(t, at))
	r.acquire(workflows.LeaseRequest{Holder: "other", Members: []string{"a", "b"}}, func(a workflows.LeaseAnswer) {
		require.Equal(t, map[string]string{"a": "web"}, a.Held)
		require.True(t, a.TookOver.Equal(at), "of what the first run held and the second did not want")
	})
	r.then(func() {
		r.SignalWorkflow(workflows.SignalRelease, "web")
		r.SignalWorkflow(workflows.SignalRelease, "other")
	})
	require.NoError(t, r.run(workflows.LeaseBook{}))
	require.Equal(t, [][]string{{"web/1"}, {"web"}}, r.asked, "others ask whether anything runs under the id: it may have been reset")
}

// A dead run is remembered after nobody asked for it at first, and forgotten when nothing of it can still come to show.
func TestTheSweepForgetsLate(t *testing.T) {
	r := newRegister(t)
	r.acquire(workflows.LeaseRequest{Holder: "killed", Members: []string{"1"}}, granted(t))
	var at time.Time
	r.then(func() { at = r.Now(); r.ended["killed"] = at })
	r.RegisterDelayedCallback(func() {
		require.Empty(t, r.holders().Holders, "the sweep has asked: it holds nothing, and is only remembered")
	}, 25*time.Minute)
	begun := r.Now()
	require.NoError(t, r.run(workflows.LeaseBook{}))
	require.Greater(t, r.Now().Sub(begun), time.Hour)
	require.Less(t, r.Now().Sub(begun), 2*time.Hour)
}

func TestTheBookContinues(t *testing.T) {
	r := newRegister(t)
	const many = 500
	r.then(func() {
		for i := range many {
			r.UpdateWorkflow(workflows.UpdateAcquire, fmt.Sprint(i), &granting{done: func(_ any, err error) { require.NoError(t, err) }},
				workflows.LeaseRequest{Holder: "busy", Members: []string{fmt.Sprint(i)}})
		}
	})
	err := r.run(workflows.LeaseBook{Holders: []workflows.LeaseHolder{{Workflow: "old", Members: []string{"x"}}}})
	var again *workflow.ContinueAsNewError
	require.True(t, errors.As(err, &again), "%v", err)
	var kept workflows.LeaseBook
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &kept))
	require.Len(t, kept.Holders, 2)
	require.Equal(t, []string{"x"}, kept.Holders[0].Members)
	require.Equal(t, []string{fmt.Sprint(many - 1)}, kept.Holders[1].Members, "who asks anew lets go of what it had")
}

// What B took from A, and gave back before it could show, C takes with A's end, too.
func TestAQuietTimeOutlivesWhoLetsGoEarly(t *testing.T) {
	r := newRegister(t)
	r.acquire(workflows.LeaseRequest{Holder: "killed", Run: "1", Members: []string{"a"}}, granted(t))
	var at time.Time
	r.then(func() { at = r.Now(); r.ended["killed"] = at })
	r.acquire(workflows.LeaseRequest{Holder: "early", Run: "2", Members: []string{"a"}}, func(a workflows.LeaseAnswer) {
		require.True(t, a.TookOver.Equal(at))
	})
	r.then(func() {
		r.SignalWorkflow(workflows.SignalRelease, workflows.LeaseRun{Workflow: "early", Run: "another"})
	})
	r.acquire(workflows.LeaseRequest{Holder: "late", Run: "3", Members: []string{"a"}}, func(a workflows.LeaseAnswer) {
		require.Equal(t, map[string]string{"a": "early"}, a.Held, "only the run that holds lets go")
	})
	r.then(func() { r.SignalWorkflow(workflows.SignalRelease, workflows.LeaseRun{Workflow: "early", Run: "2"}) })
	r.acquire(workflows.LeaseRequest{Holder: "late", Run: "3", Members: []string{"a"}}, func(a workflows.LeaseAnswer) {
		require.Empty(t, a.Held)
		require.True(t, a.TookOver.Equal(at))
	})
	r.then(func() { r.SignalWorkflow(workflows.SignalRelease, "late") })
	require.NoError(t, r.run(workflows.LeaseBook{}))
}
