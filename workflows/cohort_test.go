package workflows_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// slicer answers the slices of a run under test. It is given the input and returns what an activity would.
type slicer func(ctx context.Context, in membership.SliceInput) (membership.Slice, error)

// bench is one run under test, its slices scripted.
type bench struct {
	*testsuite.TestWorkflowEnvironment
	t       *testing.T
	script  slicer
	mu      sync.Mutex
	slices  []string // what was asked of activities, as "lane marks"
	program membership.Program
	answers []*answer
	filed   []workflows.FileInput // by the only cohort, see join
	// released are the holders that the book of leases was told are done.
	released []string
	groups   []string // as search attributes told them
	// planning is called by the plan activity.
	planning func(context.Context)
}

func stages() []membership.Stage {
	return []membership.Stage{
		{Name: "stop", Undo: "starts it", Timeout: membership.Duration(time.Hour), Settle: membership.Duration(5 * time.Second)},
		{Name: "check"},
		{Name: "add", Undo: "removes it"},
		{Name: "start"},
	}
}

func newBench(t *testing.T, members []membership.Member, script slicer) *bench {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	b := &bench{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t, script: script, planning: func(context.Context) {}}
	workflows.Register(b)
	b.RegisterWorkflowWithOptions(func(ctx workflow.Context) (p fleet.Part, err error) {
		ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: cohortID, WaitForCancellation: true})
		err = workflow.ExecuteChildWorkflow(ctx, workflows.TypeCohort, workflows.CohortInput{Operation: membership.Join,
			Kind: "toy.group", Account: "demo", Page: fleet.PageInput{To: len(b.program.Members)}}).Get(ctx, &p)
		return p, err
	}, workflow.RegisterOptions{Name: "escort"})
	b.program = membership.Program{Kind: "toy.group", Operation: membership.Join, Account: "demo", Group: "g-1",
		Stages: stages(), Members: members}
	require.NoError(t, b.program.Seal("run", b.Now(), membership.Pace{Slice: membership.Duration(10 * time.Second),
		Poll: membership.Duration(time.Second), Parallel: 5}))
	b.RegisterActivityWithOptions(func(ctx context.Context, _ workflows.PlanInput) (membership.Program, error) {
		b.planning(ctx)
		return b.program, nil
	}, activity.RegisterOptions{Name: membership.PlanActivity})
	names := membership.LaneActivities(membership.Spec{ID: "toy.group",
		Stages: map[membership.Operation][]membership.Stage{membership.Join: stages(), membership.Leave: stages()}})
	for _, name := range names {
		b.RegisterActivityWithOptions(func(ctx context.Context, in membership.SliceInput) (membership.Slice, error) {
			b.mu.Lock()
			b.slices = append(b.slices, in.Lane.Name+" "+in.Marks)
			b.mu.Unlock()
			return b.script(ctx, in)
		}, activity.RegisterOptions{Name: name})
	}
	b.OnUpsertTypedSearchAttributes(mock.Anything).Return(nil).Run(func(args mock.Arguments) {
		told := args.Get(0).(temporal.SearchAttributes)
		if group, ok := told.GetKeyword(temporal.NewSearchAttributeKeyKeyword("FleetjoinGroup")); ok {
			b.groups = append(b.groups, group)
		}
	})
	b.OnSignalExternalWorkflow(mock.Anything, mock.Anything, "", workflows.SignalRelease, mock.Anything).
		Return(nil).Run(func(args mock.Arguments) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.released = append(b.released, args.Get(4).(workflows.LeaseRun).Workflow)
	})
	return b
}

// cohortID is the workflow id of the cohort under test.
const cohortID = "fleet.1"

// join runs one cohort to its end, as the child of a fleet that does nothing else.
func (b *bench) join() {
	b.RegisterActivityWithOptions(func(_ context.Context, in workflows.FileInput) (fleet.Part, error) {
		b.filed = append(b.filed, in)
		return fleet.Part{Record: "record", Counts: in.Report.Counts}, nil
	}, activity.RegisterOptions{Name: workflows.FileActivity})
	b.ExecuteWorkflow("escort")
}

// tell sends the cohort a control, as its fleet does.
func (b *bench) tell(control string) {
	require.NoError(b.t, b.SignalWorkflowByID(cohortID, workflows.SignalControl, control))
}

// report returns the one truth, which the cohort has filed.
func (b *bench) report() membership.Report {
	b.t.Helper()
	require.True(b.t, b.IsWorkflowCompleted())
	require.NoError(b.t, b.GetWorkflowError())
	require.Len(b.t, b.filed, 1)
	require.Empty(b.t, b.released, "filing releases the members")
	return b.filed[0].Report
}

// truth reads the report with which a run ended: its result, or the details of the error that carries it.
func truth(t rapid.TB, env *testsuite.TestWorkflowEnvironment, report any) {
	t.Helper()
	err := env.GetWorkflowError()
	var app *temporal.ApplicationError
	var cancelled *temporal.CanceledError
	switch {
	case err == nil:
		require.NoError(t, env.GetWorkflowResult(report))
	case errors.As(err, &app):
		require.NoError(t, app.Details(report), "%v", err)
	case errors.As(err, &cancelled):
		require.NoError(t, cancelled.Details(report), "%v", err)
	default:
		require.NoError(t, err)
	}
}

func (b *bench) outcomes() string {
	b.t.Helper()
	var parts []string
	for _, m := range b.report().Members {
		parts = append(parts, string(m.Outcome))
	}
	return strings.Join(parts, " ")
}

func some(n int) []membership.Member {
	ms := make([]membership.Member, n)
	for i := range ms {
		ms[i] = membership.Member{ID: "i-" + string(rune('a'+i%26)) + string(rune('a'+i/26))}
	}
	return ms
}

// each answers a slice member by member: f returns the new mark of one.
func each(in membership.SliceInput, f func(i int, mark byte) byte) membership.Slice {
	out := in.Slice
	out.Jobs = nil
	marks := []byte(in.Marks)
	for i := range marks {
		if marks[i] != membership.MarkAbsent {
			marks[i] = f(i, marks[i])
		}
	}
	out.Marks = string(marks)
	return out
}

// through takes everyone to the end of the lane.
func through(in membership.SliceInput) membership.Slice {
	return each(in, func(int, byte) byte { return leave(in) })
}

// leave is the mark with which members leave a lane of the test program.
func leave(in membership.SliceInput) byte {
	if !in.Undo {
		return membership.Forward(in.Lane.Last + 1)
	}
	p := membership.Program{Stages: stages()}
	if at, ok := p.UndoFrom(in.Lane.First - 1); ok {
		return membership.Backward(at)
	}
	return membership.MarkUndone
}

func fail(in membership.SliceInput, out *membership.Slice, i, stage int, mark byte) {
	marks := []byte(out.Marks)
	marks[i] = mark
	out.Marks = string(marks)
	out.Notes = append(out.Notes, membership.Note{Member: i, Stage: stage, Undo: in.Undo, Code: "no-luck", Reason: "because"})
}

func TestAHandfulWalksStageByStage(t *testing.T) {
	b := newBench(t, some(2), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) { return through(in), nil })
	b.join()
	require.Equal(t, "joined joined", b.outcomes())
	require.Equal(t, []string{"stop aa", "check bb", "add cc", "start dd"}, b.slices)
}

func TestAPageWalksInOneLane(t *testing.T) {
	b := newBench(t, some(membership.ByName+1), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		return through(in), nil
	})
	b.join()
	require.Len(t, b.slices, 1)
	require.Equal(t, membership.RunSucceeded, b.report().Outcome)
	require.Equal(t, membership.ByName+1, b.report().Counts[membership.Joined])
}

func TestWhoIsDoneGoesOnAtOnce(t *testing.T) {
	first := true
	b := newBench(t, some(2), func(ctx context.Context, in membership.SliceInput) (membership.Slice, error) {
		if in.Lane.Name == "stop" && first { // only the first member has stopped
			first = false
			return each(in, func(i int, mark byte) byte {
				if i == 0 {
					return leave(in)
				}
				return mark
			}), nil
		}
		return through(in), nil
	})
	b.join()
	require.Equal(t, "joined joined", b.outcomes())
	require.Contains(t, b.slices, "check b.")
	require.Contains(t, b.slices, "stop .a")
}

func TestRefusedAndAlreadyAreLeftAlone(t *testing.T) {
	members := some(3)
	members[0].Refused = []membership.Objection{{Code: "not-kvm", Reason: "xen"}, {Code: "locked", Reason: "order"}}
	members[1].Already = true
	b := newBench(t, members, func(_ context.Context, in membership.SliceInput) (membership.Slice, error) { return through(in), nil })
	b.join()
	require.Equal(t, "refused already joined", b.outcomes())
	require.Equal(t, membership.RunPartial, b.report().Outcome)
	require.Equal(t, "not-kvm", b.report().Members[0].Code)
	require.Equal(t, "locked", b.report().Members[0].Also[0].Code)
	require.Equal(t, "stop ..a", b.slices[0])
}

func TestAFailureIsUndoneInReverse(t *testing.T) {
	b := newBench(t, some(2), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		out := through(in)
		if in.Lane.Name == "start" && in.Marks[0] != membership.MarkAbsent {
			fail(in, &out, 0, 3, membership.MarkFailed)
		}
		return out, nil
	})
	b.join()
	require.Equal(t, "rolled-back joined", b.outcomes())
	require.Equal(t, []string{"undo-add C.", "undo-stop A."}, b.slices[4:])
	r := b.report()
	require.Equal(t, membership.RunPartial, r.Outcome)
	require.Equal(t, "start", r.Members[0].Stage)
	require.Equal(t, "no-luck", r.Members[0].Code)
}

func TestAnUndoThatFailsIsSaid(t *testing.T) {
	b := newBench(t, some(2), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		out := through(in)
		switch {
		case in.Lane.Name == "add" && in.Marks[1] != membership.MarkAbsent:
			fail(in, &out, 1, 2, membership.MarkFailed)
		case in.Lane.Name == "undo-stop":
			fail(in, &out, 1, 0, membership.MarkFailed)
		}
		return out, nil
	})
	b.join()
	require.Equal(t, "joined rollback-incomplete", b.outcomes())
	require.Equal(t, membership.RunIncomplete, b.report().Outcome)
	m := b.report().Members[1]
	require.Equal(t, "add", m.Stage)
	require.Len(t, m.Also, 1)
	require.Contains(t, m.Also[0].Reason, "undo-stop")
}

// parkingAt returns a script that parks member 0 at a stage, the first time.
func parkingAt(lane string, stage int) slicer {
	parked := false
	return func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		out := through(in)
		if in.Lane.Name == lane && !parked {
			parked = true
			fail(in, &out, 0, stage, membership.MarkParked)
		}
		return out, nil
	}
}

// The SDK's test environment ends a cancelled activity at once, as the server does with one that no worker has taken;
// slices that hand their vector back when they are cancelled are covered on a real server.
func TestPauseCancelsSlicesAndKeepsTheirVectors(t *testing.T) {
	cancelled := make(chan struct{})
	b := newBench(t, some(1), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		if in.Lane.Name == "check" {
			<-cancelled
		}
		return through(in), nil
	})
	b.SetOnActivityCanceledListener(func(*activity.Info) { close(cancelled) })
	b.onStart("check", func() { b.tell(membership.ControlPause) })
	b.RegisterDelayedCallback(func() {
		require.Equal(t, membership.Paused, b.status().Phase)
		require.Equal(t, map[string]int{"check": 1}, b.status().Counts)
		b.tell(membership.ControlResume)
	}, time.Hour)
	b.join()
	require.Equal(t, "joined", b.outcomes())
	require.Equal(t, []string{"stop a", "check b", "check b", "add c", "start d"}, b.slices)
}

// What a fleet says in one breath is heard in its order.
func TestTheLastWordCounts(t *testing.T) {
	for last, slices := range map[string]int{membership.ControlPause: 1, membership.ControlResume: 5} {
		b := newBench(t, some(1), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) { return through(in), nil })
		first := membership.ControlPause
		if last == first {
			first = membership.ControlResume
		}
		b.onStart("stop", func() { b.tell(first); b.tell(last) })
		b.RegisterDelayedCallback(func() {
			require.GreaterOrEqual(t, slices, len(b.slices), last)
			b.tell(membership.ControlResume)
		}, time.Hour)
		b.join()
		require.Equal(t, "joined", b.outcomes())
	}
}

func TestAbortPutsBackWhatIsUnderWay(t *testing.T) {
	for name, how := range map[string]func(*bench){
		"told":      func(b *bench) { b.tell(membership.ControlAbort) },
		"cancelled": func(b *bench) { b.CancelWorkflow() },
	} {
		t.Run(name, func(t *testing.T) {
			members := some(membership.ByName + 1)
			b := newBench(t, members, func(ctx context.Context, in membership.SliceInput) (membership.Slice, error) {
				switch {
				case in.Undo:
					return each(in, func(int, byte) byte { return membership.MarkUndone }), nil
				case strings.Trim(in.Marks, "a") == "":
					return each(in, func(i int, _ byte) byte {
						return [...]byte{membership.Forward(0), membership.Forward(2), membership.Forward(4)}[i%3]
					}), nil
				}
				<-t.Context().Done() // cancelled under its feet
				return in.Slice, nil
			})
			started := 0
			b.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
				if info.ActivityType.Name == "toy.group.advance" {
					if started++; started == 2 {
						how(b)
					}
				}
			})
			b.join()
			r := b.report()
			require.Equal(t, map[membership.Outcome]int{membership.RolledBack: 14, membership.Joined: 7}, r.Counts)
			require.Equal(t, membership.RunCancelled, r.Outcome)
		})
	}
}

func TestAnAbortWhilePlanningEndsTheCohort(t *testing.T) {
	for name, how := range map[string]func(*bench){
		"abort":  func(b *bench) { b.tell(membership.ControlAbort) },
		"cancel": func(b *bench) { b.CancelWorkflow() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, some(2), nil)
			b.planning = func(context.Context) { <-t.Context().Done() } // the cloud is out of reach
			b.SetOnActivityStartedListener(func(*activity.Info, context.Context, converter.EncodedValues) { how(b) })
			b.join()
			var p fleet.Part
			require.NoError(t, b.GetWorkflowResult(&p))
			require.Equal(t, fleet.Part{Counts: map[membership.Outcome]int{membership.NotStarted: 2}}, p)
			require.Empty(t, b.filed)
			require.Equal(t, []string{cohortID}, b.released)
		})
	}
}

func TestACancelNeverHidesAFailedRollback(t *testing.T) {
	b := newBench(t, some(1), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		out := in.Slice
		switch {
		case in.Undo:
			fail(in, &out, 0, in.Lane.First, membership.MarkFailed)
		case in.Lane.Name == "add":
			<-t.Context().Done() // cancelled under its feet
		default:
			out = through(in)
		}
		return out, nil
	})
	b.onStart("add", b.CancelWorkflow)
	b.join()
	require.Equal(t, membership.RunIncomplete, b.report().Outcome)
	require.Equal(t, "rollback-incomplete", b.outcomes())
}

func TestAMemberThatNeedsAPersonEndsAsUnknown(t *testing.T) {
	b := newBench(t, some(2), parkingAt("add", 2))
	b.join()
	require.Equal(t, "unknown joined", b.outcomes())
	require.Equal(t, "no-luck", b.report().Members[0].Code)
}

func TestAnUndoThatNeedsAPersonIsIncomplete(t *testing.T) {
	b := newBench(t, some(1), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		out := through(in)
		switch in.Lane.Name {
		case "add":
			fail(in, &out, 0, 2, membership.MarkFailed)
		case "undo-stop":
			fail(in, &out, 0, 0, membership.MarkParked)
		}
		return out, nil
	})
	b.join()
	require.Equal(t, "rollback-incomplete", b.outcomes())
}

func TestAParkedMemberIsUndoneByAnAbort(t *testing.T) {
	b := newBench(t, some(2), nil)
	b.script = func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		out := through(in)
		if in.Lane.Name == "add" && !in.Undo {
			fail(in, &out, 0, 2, membership.MarkParked)
			out.Marks = out.Marks[:1] + in.Marks[1:] // the other one goes on, so that the first waits
			b.tell(membership.ControlAbort)
		}
		return out, nil
	}
	b.join()
	require.Equal(t, "rolled-back rolled-back", b.outcomes())
	require.Equal(t, membership.RunCancelled, b.report().Outcome)
}

func TestAnActivityThatFailsForGoodParksItsMembers(t *testing.T) {
	b := newBench(t, some(2), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		if in.Lane.Name == "add" {
			return membership.Slice{}, temporal.NewNonRetryableApplicationError("no such program", "BadInput", nil)
		}
		return through(in), nil
	})
	b.join()
	require.Equal(t, "unknown unknown", b.outcomes())
	require.Equal(t, membership.CodeEngine, b.report().Members[1].Code)
}

func TestASliceWhoseWorkerDiedAfterACancelIsTakenUpQuietly(t *testing.T) {
	var inputs []membership.SliceInput
	b := newBench(t, some(1), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		inputs = append(inputs, in)
		if len(inputs) == 1 {
			return membership.Slice{}, temporal.NewNonRetryableApplicationError("", "", temporal.NewHeartbeatTimeoutError())
		}
		return through(in), nil
	})
	b.join()
	require.Equal(t, "joined", b.outcomes())
	require.Zero(t, inputs[0].Quiet)
	require.Positive(t, inputs[1].Quiet)
	require.Equal(t, inputs[1].Quiet, inputs[2].Quiet, "it holds for the slices after it too")
}

func TestSlicesStretchWhileNothingMoves(t *testing.T) {
	var lengths []time.Duration
	b := newBench(t, some(1), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		lengths = append(lengths, in.For.Std())
		if len(lengths) < 9 {
			return in.Slice, nil
		}
		return through(in), nil
	})
	b.join()
	s := time.Second
	require.Equal(t, []time.Duration{10 * s, 20 * s, 40 * s, 80 * s, 160 * s, 300 * s, 300 * s, 300 * s, 300 * s, 10 * s, 10 * s, 10 * s}, lengths)
}

func (b *bench) status() membership.Status {
	b.t.Helper()
	v, err := b.QueryWorkflowByID(cohortID, membership.QueryStatus)
	require.NoError(b.t, err)
	var s membership.Status
	require.NoError(b.t, v.Get(&s))
	return s
}

// onStart calls f when the first slice of a lane has started.
func (b *bench) onStart(lane string, f func()) {
	var once sync.Once
	b.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == "toy.group."+lane {
			once.Do(f)
		}
	})
}

// accepted sends an update that must be accepted. The answer comes later; report checks it.
func (b *bench) accepted(name string, payload any) { b.update(name, payload, "") }

func (b *bench) update(name string, payload any, words string) {
	a := &answer{control: name, words: words}
	b.answers = append(b.answers, a)
	b.UpdateWorkflow(name, "", &testsuite.TestUpdateCallback{
		OnAccept:   func() { a.accepted = true },
		OnReject:   func(err error) { a.err = err },
		OnComplete: func(_ any, err error) { a.err = errors.Join(a.err, err) },
	}, payload)
}

// answer is what became of an update.
type answer struct {
	control, words string
	accepted       bool
	err            error
}

func (a *answer) check(t *testing.T) {
	t.Helper()
	if a.words == "" {
		require.NoError(t, a.err, a.control)
		require.True(t, a.accepted, "%s was never answered", a.control)
		return
	}
	require.ErrorContains(t, a.err, a.words, a.control)
	require.False(t, a.accepted, a.control)
}
