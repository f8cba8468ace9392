package workflows_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// undone are the slices in which members were put back. Those that were cancelled may begin behind them, or never: the test
// environment ends an activity at once, whether its goroutine has come to run or not.
func (b *bench) undone() (slices []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.slices {
		if strings.HasPrefix(s, "undo") {
			slices = append(slices, s)
		}
	}
	return slices
}

// A slice that is cancelled and does not hand its state back may have taken its members to the end of its lane before
// its worker died: then servers are off and in the group, although the marks say that nothing was begun.
func TestWhoeverWasInALostSliceIsPutBackFromTheEndOfItsLane(t *testing.T) {
	for name, lost := range map[string]error{
		"between two attempts": nil, // the test environment says so itself
		"in the last attempt":  temporal.NewNonRetryableApplicationError("", "", temporal.NewHeartbeatTimeoutError()),
	} {
		for size, undone := range map[int]string{membership.ByName + 1: "undo C", 2: "undo-stop A"} {
			t.Run(name, func(t *testing.T) {
				var undo membership.SliceInput
				var b *bench
				b = newBench(t, some(size), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
					switch {
					case in.Undo:
						undo = in
						return each(in, func(int, byte) byte { return membership.MarkUndone }), nil
					case lost != nil:
						b.tell(membership.ControlAbort)
						return membership.Slice{}, lost
					}
					<-t.Context().Done() // cancelled under its feet
					return in.Slice, nil
				})
				if lost == nil {
					b.onStart(map[bool]string{true: "stop", false: "advance"}[size <= membership.ByName], b.CancelWorkflow)
				}
				b.join()
				r := b.report()
				require.Equal(t, map[membership.Outcome]int{membership.RolledBack: size}, r.Counts)
				lane, mark, _ := strings.Cut(undone, " ")
				require.Equal(t, []string{lane + " " + strings.Repeat(mark, size)}, b.undone())
				require.Positive(t, undo.Quiet, "what the dead worker sent has not come to show yet")
			})
		}
	}
}

// An activity that was tried again may have found nothing to tell, when it was stopped before what its dead predecessor
// had sent came to show: its marks say that nothing was begun, and servers are off.
func TestWhoeverWasInASliceThatWasTriedAgainIsPutBackFromTheEndOfItsLane(t *testing.T) {
	first := true
	b := newBench(t, some(membership.ByName+1), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		out := in.Slice
		switch {
		case in.Undo:
			out = each(in, func(int, byte) byte { return membership.MarkUndone })
		case first:
			first = false
			out.Retried, out.Quiet = true, 60
		default:
			<-t.Context().Done() // cancelled under its feet
		}
		return out, nil
	})
	started := 0
	b.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == "toy.group.advance" {
			if started++; started == 2 {
				b.tell(membership.ControlAbort)
			}
		}
	})
	b.join()
	require.Equal(t, map[membership.Outcome]int{membership.RolledBack: membership.ByName + 1}, b.report().Counts)
	require.Equal(t, []string{"undo " + strings.Repeat("C", membership.ByName+1)}, b.undone())
}

func TestWhatHasNotBegunDoesNotBeginAfterAnAbort(t *testing.T) {
	b := newBench(t, some(2), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		return through(in), nil
	})
	b.planning = func(context.Context) { b.tell(membership.ControlPause) }
	b.RegisterDelayedCallback(func() { b.tell(membership.ControlAbort) }, time.Minute)
	b.join()
	require.Equal(t, "not-started not-started", b.outcomes())
	require.Empty(t, b.slices)
}

// Where nothing can be undone, as in a Leave, only a look would tell whether it was begun.
func TestWhatCannotBeUndoneIsUnknownAfterALostSlice(t *testing.T) {
	b := newBench(t, some(1), func(_ context.Context, in membership.SliceInput) (membership.Slice, error) {
		<-t.Context().Done() // cancelled under its feet
		return in.Slice, nil
	})
	for i := range b.program.Stages {
		b.program.Stages[i].Undo = ""
	}
	b.onStart("stop", b.CancelWorkflow)
	b.join()
	require.Equal(t, "unknown", b.outcomes())
	require.Equal(t, membership.RunIncomplete, b.report().Outcome)
	require.Equal(t, membership.CodeEngine, b.report().Members[0].Code)
}
