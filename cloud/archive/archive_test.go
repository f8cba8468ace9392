package archive

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func TestInOrder(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	work := func(_ context.Context, i int) (int, error) {
		defer now.Add(-1)
		for n := now.Add(1); ; {
			old := most.Load()
			if n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		if i == 70 {
			return 0, errors.New("seventy")
		}
		return i, nil
	}
	var got []int
	var failed error
	for v, err := range inOrder(t.Context(), 100, work) {
		if failed = err; err == nil {
			got = append(got, v)
		}
	}
	require.ErrorContains(t, failed, "seventy")
	require.True(t, slices.IsSorted(got))
	require.Len(t, got, 70)
	require.LessOrEqual(t, most.Load(), int64(ReadAhead))
	require.Zero(t, now.Load(), "nobody is left behind")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range inOrder(ctx, 3, func(ctx context.Context, _ int) (int, error) { return 0, ctx.Err() }) {
		require.ErrorIs(t, err, context.Canceled)
	}
}

// A person may have decided more than once, and then nobody can say which of it was about whom.
func TestNoDecisionIsGuessed(t *testing.T) {
	t.Parallel()
	f := Of(fleet.Report{})
	said := func(what, refused string, members ...string) {
		f.Report.Controls = append(f.Report.Controls, fleet.Said{What: what, Refused: refused,
			Control: fleet.Control{Control: membership.Control{By: "ann", Reason: "saw " + what, Members: members}}})
	}
	require.Equal(t, "see the controls", f.decision(membership.Left, 1, "a"))
	said(membership.ControlMarkDone, "the run is paused")
	said(membership.ControlMarkDone, "", "b")
	said(membership.ControlMarkDone, "", "a")
	require.Equal(t, "by ann: saw mark-done", f.decision(membership.Joined, 1, "a"))
	require.Equal(t, "see the controls", f.decision(membership.Skipped, 1, "a"))
	said(membership.ControlMarkDone, "")
	require.Equal(t, "see the controls", f.decision(membership.Joined, 1, "a"))
	f.Report.Controls[len(f.Report.Controls)-1].Control.Wave = 1
	require.Equal(t, "by ann: saw mark-done", f.decision(membership.Joined, 1, "a"), "it was about another wave")
	require.Equal(t, "see the controls", f.decision(membership.Joined, 0, "a"))
}
