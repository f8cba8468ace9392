package workflows_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// newEscorted is a fleet of one page whose cohorts are real ones.
func newEscorted(t *testing.T, members int, script slicer) (b *bench, filed *[]workflows.FileInput) {
	b, filed = newBench(t, some(members), script), new([]workflows.FileInput)
	register := func(name string, f any) { b.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name}) }
	register(workflows.SurveyActivity, func(context.Context, fleet.Plan) (fleet.Survey, error) {
		return fleet.Survey{Manifest: "m", Run: "r", Steps: []fleet.SurveyedStep{{Operation: membership.Join, Kind: "toy.group",
			Account: "demo", Groups: 1, Group: "g-1", Members: members,
			Waves: []fleet.Wave{{Name: "wave 1", Members: members, Pages: []int{members}}}}}}, nil
	})
	register(workflows.CloseActivity, func(context.Context, fleet.Archive) (workflows.CloseResult, error) {
		return workflows.CloseResult{Archive: "archive"}, nil
	})
	register(workflows.FileActivity, func(_ context.Context, in workflows.FileInput) (fleet.Part, error) {
		*filed = append(*filed, in)
		part := fleet.Part{Record: "record", Counts: in.Report.Counts}
		for _, m := range in.Report.Members {
			if m.Outcome == membership.RolledBack || m.Outcome == membership.RollbackIncomplete || m.Outcome == membership.Unknown {
				part.Worst = append(part.Worst, fleet.FailedMember{ID: m.ID, Outcome: m.Outcome, Code: m.Code, Reason: m.Reason})
			}
		}
		return part, nil
	})
	return b, filed
}

// sail runs the fleet to its end and returns what became of the members.
func (b *bench) sail(budget *fleet.Budget) map[membership.Outcome]int {
	b.t.Helper()
	ids := make([]string, len(b.program.Members))
	for i, m := range b.program.Members {
		ids[i] = m.ID
	}
	b.ExecuteWorkflow(workflows.TypeFleet, fleet.Plan{Budget: budget,
		Step: fleet.Step{Kind: "toy.group", Account: "demo", Group: "g-1", Members: ids}})
	for _, a := range b.answers {
		a.check(b.t)
	}
	var r fleet.Report
	truth(b.t, b.TestWorkflowEnvironment, &r)
	return r.Counts
}

func TestAFleetOfRealCohorts(t *testing.T) {
	b, filed := newEscorted(t, 2, func(_ context.Context, in membership.SliceInput) (membership.Slice, error) { return through(in), nil })
	require.Equal(t, map[membership.Outcome]int{membership.Joined: 2}, b.sail(nil))
	require.Len(t, *filed, 1)
	require.Equal(t, b.program.Digest, (*filed)[0].Digest)
	require.Equal(t, membership.RunSucceeded, (*filed)[0].Report.Outcome)
	require.Empty(t, b.released, "filing lets go of them")
	require.Equal(t, []string{"g-1", "g-1"}, b.groups, "of the fleet, and of its cohort")
}

// Whoever cannot go on without a person ends as unknown. When the next try is refused, that takes nothing back.
func TestWhoIsRefusedWhenTriedAgainIsWhatTheyWere(t *testing.T) {
	b, filed := newEscorted(t, 1, parkingAt("add", 2))
	b.RegisterDelayedCallback(func() {
		b.program.Members[0].Was = membership.Unknown // as the activity plans it
		b.program.Members[0].Refused = []membership.Objection{{Code: "gone", Reason: "it is not there"}}
		b.accepted(membership.ControlRetry, membership.Control{Members: []string{"i-aa"}})
	}, time.Hour)
	b.RegisterDelayedCallback(func() { b.accepted(membership.ControlSkip, membership.Control{Reason: "seen"}) }, 2*time.Hour)
	require.Equal(t, map[membership.Outcome]int{membership.Skipped: 1}, b.sail(nil))
	require.Len(t, *filed, 2)
	again := (*filed)[1].Report
	require.Equal(t, map[membership.Outcome]int{membership.Unknown: 1}, again.Counts)
	require.Equal(t, membership.RunIncomplete, again.Outcome)
	require.Equal(t, membership.MemberReport{ID: "i-aa", Outcome: membership.Unknown, Code: "gone", Reason: "it is not there"},
		again.Members[0])
}

// cancelledInPlan cancels the run when it plans for the nth time, which takes until over is closed.
func (b *bench) cancelledInPlan(n int) (over chan struct{}) {
	over = make(chan struct{})
	plans := 0
	var hangs atomic.Value // the id of the one that does: the next may be under way before it is
	hangs.Store("")
	b.planning = func(ctx context.Context) {
		if hangs.Load() == activity.GetInfo(ctx).ActivityID {
			<-over
		}
	}
	b.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name != membership.PlanActivity {
			return
		}
		if plans++; plans == n {
			hangs.Store(info.ActivityID)
			b.CancelWorkflow()
		}
	})
	return over
}

func TestARetryThatIsAbortedWhileItIsPlanned(t *testing.T) {
	b, filed := newEscorted(t, 1, parkingAt("add", 2))
	over := b.cancelledInPlan(2)
	b.RegisterDelayedCallback(func() { b.accepted(membership.ControlRetry, nil) }, time.Hour)
	require.Equal(t, map[membership.Outcome]int{membership.RolledBack: 1}, b.sail(nil), "it is what it was before, and then put back")
	close(over)
	require.Len(t, *filed, 2)
	require.Len(t, b.released, 1, "who was only planned lets go of its members itself")
}

func TestACohortThatIsAbortedWhileItIsPlanned(t *testing.T) {
	b, filed := newEscorted(t, 2, nil)
	over := b.cancelledInPlan(1)
	require.Equal(t, map[membership.Outcome]int{membership.NotStarted: 2}, b.sail(nil))
	close(over)
	require.Empty(t, *filed)
	require.Len(t, b.released, 1)
}

func TestWhatARealCohortDidIsPutBack(t *testing.T) {
	b, filed := newEscorted(t, 2, func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		out := through(in)
		if in.Lane.Name == "check" && in.Marks[0] != membership.MarkAbsent && !in.Undo {
			fail(in, &out, 0, 1, membership.MarkFailed)
		}
		return out, nil
	})
	plans := 0
	b.planning = func(context.Context) {
		if plans++; plans == 2 { // of those who joined, as the activity makes it
			b.program.Members = b.program.Members[1:]
		}
	}
	budget := &fleet.Budget{Failures: count(1), Then: fleet.ThenRollBackFleet}
	require.Equal(t, map[membership.Outcome]int{membership.RolledBack: 2}, b.sail(budget))
	require.Len(t, *filed, 2)
	undo := (*filed)[1]
	require.Equal(t, &fleet.Again{Record: "record", Undo: true, Was: map[membership.Outcome]int{membership.Joined: 1}}, undo.Page.Again)
	require.Equal(t, []string{"undo-add C", "undo-stop A"}, b.slices[len(b.slices)-2:])
}

// The stages of a leave have no undo: to put back whom nobody knows does not make them known.
func TestWithoutAWayBackTheUnknownStayUnknown(t *testing.T) {
	b, filed := newEscorted(t, 1, parkingAt("add", 2))
	b.RegisterDelayedCallback(func() {
		for i := range b.program.Stages {
			b.program.Stages[i].Undo = ""
		}
		b.accepted(membership.ControlAbort, nil)
	}, time.Hour)
	require.Equal(t, map[membership.Outcome]int{membership.Unknown: 1}, b.sail(nil))
	require.Len(t, *filed, 2)
	require.Equal(t, membership.MemberReport{ID: "i-aa", Outcome: membership.Unknown, Stage: "start", Code: membership.CodeNoUndo,
		Reason: "a join of toy.group cannot be undone"}, (*filed)[1].Report.Members[0])
}
