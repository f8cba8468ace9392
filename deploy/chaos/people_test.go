package chaos

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/worker"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// pauseGrace is how long after a pause a write may still leave: slices hear of it with a heartbeat, every second.
const pauseGrace = 3 * time.Second

func pauseAndResume(t *testing.T, s *stack) {
	r := s.join(t, s.cohort(t, page, 0)) // no failure ends the slice early: it is the pause that does
	r.await(moment{add, 0.1})
	r.signal(membership.ControlPause)
	r.awaitPhase(membership.Paused)
	paused := r.history().signals[membership.ControlPause]
	// The cloud's clock runs as fast as ours: what a run that goes on would send in so long, the journal would show.
	eventually(t, patience, "the pause lasts", func() error {
		if left := time.Until(paused.Add(2 * pauseGrace)); left > 0 {
			return fmt.Errorf("%v are left", left)
		}
		return nil
	})
	writes, err := r.writes()
	require.NoError(t, err)
	require.Less(t, r.share(add, writes), 1.0, "the pause came too late to hold anything up")
	r.signal(membership.ControlResume)
	r.blow = time.Now()
	r.endJoined()

	resumed := r.history().signals[membership.ControlResume]
	require.True(t, resumed.After(paused.Add(2*pauseGrace)))
	r.nothingForward(paused.Add(pauseGrace), resumed)
}

// nothingForward wants no write in the journal that takes a member on its way into the group. What failed is put back
// all the same.
func (r *run) nothingForward(from, to time.Time) {
	r.t.Helper()
	writes, err := r.writes()
	require.NoError(r.t, err)
	failed := make(map[string]bool)
	for _, w := range writes {
		backwards := w.Action == actionRemove || w.Action == actionStart && failed[w.member]
		if !backwards && w.Wall.After(from) && w.Wall.Before(to) {
			r.t.Errorf("%s %s, %v after the pause", w.Action, w.member, w.Wall.Sub(from)+pauseGrace)
		}
		failed[w.member] = failed[w.member] || w.Action == actionRemove || w.Effect == journal.Refused
	}
}

// killedPausing kills the worker before the slices have heard that they are to stop.
func killedPausing(t *testing.T, s *stack) {
	r := s.joinInTrouble(t, page)
	r.await(moment{add, 0.3})
	r.signal(membership.ControlPause)
	r.killWorker()
	r.awaitPhase(membership.Paused)
	r.signal(membership.ControlResume)
	r.endInTrouble()
}

func killedPaused(t *testing.T, s *stack) {
	r := s.joinInTrouble(t, page)
	r.await(moment{add, 0.3})
	r.signal(membership.ControlPause)
	r.awaitPhase(membership.Paused)
	r.killWorker()
	r.signal(membership.ControlResume)
	r.endInTrouble()
}

// cancelled cancels a run when some have joined and others are in the middle. A cancel may come between two slices, and then
// there is none to hand its state back: that is tried again.
func cancelled(t *testing.T, s *stack, size int) {
	for range 3 {
		r := s.joinInTrouble(t, size)
		r.await(moment{start, 0.3})
		r.cli("workflow", "cancel")
		r.blow = time.Now()
		report := r.endCancelled()
		if size == page { // of a handful, all may have been in the middle
			require.NotZero(t, report.Counts[membership.Joined], tally(report))
		}
		if r.history().handed > 0 {
			return
		}
	}
	require.Fail(t, "no slice that was told to stop has handed its state back")
}

// killedCancelling kills the worker before the slices have heard that they are to stop.
func killedCancelling(t *testing.T, s *stack) {
	r := s.join(t, s.cohort(t, page, 0)) // no failure ends the first slice early
	r.await(moment{add, 0.3})
	r.cli("workflow", "cancel")
	r.killWorker()
	r.endCancelled()
}

// cancelledBetweenAttempts cancels when the slice of a dead worker is given up and the next attempt is still to come. The
// server then says of it that it was cancelled, the same as of a slice that never began.
func cancelledBetweenAttempts(t *testing.T, s *stack) {
	r := s.join(t, s.cohort(t, page, 0)) // no failure ends the first slice early
	r.await(moment{add, 0.3})
	r.killed++
	r.worker.kill()
	r.blow = time.Now()
	thinks := worker.New(s.client.Client, r.id, worker.Options{LocalActivityWorkerOnly: true}) // and does nothing: no second attempt begins
	workflows.Register(thinks)
	require.NoError(t, thinks.Start())
	eventually(t, patience, "a second attempt is due", func() error {
		about, err := s.client.DescribeWorkflowExecution(t.Context(), r.first(), "")
		if err != nil {
			return err
		}
		for _, a := range about.GetPendingActivities() {
			if a.GetAttempt() == 2 && a.GetState() == enumspb.PENDING_ACTIVITY_STATE_SCHEDULED {
				return nil
			}
		}
		return fmt.Errorf("%v", about.GetPendingActivities())
	})
	r.cli("workflow", "cancel")
	eventually(t, patience, "the slice was cancelled", func() error {
		if r.history().cancelled == 0 {
			return errors.New("it was not")
		}
		return nil
	})
	thinks.Stop()
	r.worker = s.startWorker(t, r.id)
	r.endCancelled()
}

// killedPuttingBack kills the worker when it has begun to take members out of the group again.
func killedPuttingBack(t *testing.T, s *stack) {
	r := s.joinInTrouble(t, page)
	r.await(moment{start, 0.3})
	r.cli("workflow", "cancel")
	r.await(moment{undo, 1.5}) // more than the unlucky ones
	r.killWorker()
	r.endCancelled()
}

// endCancelled wants the run to close as canceled, with everybody in the group or as before.
func (r *run) endCancelled() fleet.Report {
	r.t.Helper()
	report, how := r.end()
	require.Equal(r.t, canceled, how)
	require.Equal(r.t, membership.RunCancelled, report.Outcome)
	require.NotZero(r.t, report.Counts[membership.RolledBack], tally(report))
	return report
}

// aPersonHelps lets the cloud refuse to be read for a while.
func aPersonHelps(t *testing.T, s *stack) {
	r := s.join(t, s.cohort(t, handful, 0))
	r.await(moment{stop, 1})
	mend := s.cloud.fault(t, fault.Rule{Match: fault.Match{Action: "ListServersDetails", Server: r.members[0]},
		Effect: fault.Status, Status: http.StatusForbidden, Code: "Ecs.0003", Message: "No permission."})
	r.awaitPhase(membership.Waiting)
	status, err := r.status()
	require.NoError(t, err)
	require.NotZero(t, status.Counts[membership.Unknown], "%v", status.Counts)
	require.NotEmpty(t, status.Failed)
	for _, m := range status.Failed {
		require.Equal(t, membership.CodeUnobservable, m.Code)
		require.Contains(t, m.Reason, "Ecs.0003")
	}
	mend()
	r.blow = time.Now()
	// A server that is still busy with what the first try began is refused by the second, and stays what it was.
	for over := false; !over; {
		r.cli("workflow", "update", "execute", "--name", membership.ControlRetry, "--input", `{"by":"chaos"}`)
		eventually(t, patience, "the retry has ended", func() error {
			status, err := r.status()
			over = status.Phase == membership.Ended
			if err == nil && !over && status.Phase != membership.Waiting {
				err = fmt.Errorf("it is %s", status.Phase)
			}
			return err
		})
	}
	r.endJoined()
}

// endJoined wants everybody in.
func (r *run) endJoined() {
	r.t.Helper()
	report, how := r.end()
	require.Equal(r.t, completed, how)
	require.Equal(r.t, len(r.members), report.Counts[membership.Joined], tally(report))
}
