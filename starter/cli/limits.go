package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"
	"golang.org/x/sync/errgroup"

	"github.com/fleetjoin/fleetjoin/activities"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
)

// workerLimit is what holds the calls of one worker back.
type workerLimit struct {
	Worker string `json:"worker"` // its identity, as in histories and lists of pollers
	activities.Limit
}

// What status prints with --json: what the run itself says, and what its workers say.
type (
	limitedCohort struct {
		membership.Status
		Limits []workerLimit `json:"limits,omitempty"`
	}
	limitedRun struct {
		fleet.Status
		Limits []workerLimit `json:"limits,omitempty"`
	}
)

// describeAtOnce is how many runs Temporal is asked about at once.
const describeAtOnce = 5

// limitsOf returns what holds the workers back that work for the runs of these ids now, by worker and API. It is what
// they say in their heartbeats: asking any one worker, by a query, would tell of its own limiters only. The error is of
// the runs that could not be described; what the others say is returned beside it.
func limitsOf(ctx context.Context, conn *connect.Connection, ids ...string) ([]workerLimit, error) {
	var mu sync.Mutex
	var pending []*workflow.PendingActivityInfo
	var failed []error
	var asking errgroup.Group
	asking.SetLimit(describeAtOnce)
	for _, id := range ids {
		asking.Go(func() error {
			answer, err := conn.DescribeWorkflowExecution(ctx, id, "")
			mu.Lock()
			defer mu.Unlock()
			var unknown *serviceerror.NotFound
			if err != nil && !errors.As(err, &unknown) { // a cohort is named a moment before it begins
				failed = append(failed, fmt.Errorf("describe %s: %w", id, err))
			}
			pending = append(pending, answer.GetPendingActivities()...)
			return nil
		})
	}
	_ = asking.Wait() // each run's error is kept on its own
	if len(failed) > 1 {
		failed[0] = fmt.Errorf("%w; and %d more", failed[0], len(failed)-1)
	}
	return limitsIn(pending, conn.DataConverter), errors.Join(failed[:min(len(failed), 1)]...)
}

// limitsIn reads the heartbeats of the activities that run. Of several activities of one worker the latest tells.
func limitsIn(pending []*workflow.PendingActivityInfo, data converter.DataConverter) []workerLimit {
	running := slices.DeleteFunc(slices.Clone(pending), func(a *workflow.PendingActivityInfo) bool { return !beats(a) })
	slices.SortStableFunc(running, func(a, b *workflow.PendingActivityInfo) int {
		return b.GetLastHeartbeatTime().AsTime().Compare(a.GetLastHeartbeatTime().AsTime())
	})
	var limits []workerLimit
	for _, a := range running {
		var words string
		var held []activities.Limit
		if data.FromPayloads(a.GetHeartbeatDetails(), &words, &held) != nil {
			continue // of a worker that says it in another way
		}
		for _, l := range held {
			known := slices.ContainsFunc(limits, func(k workerLimit) bool {
				return k.Worker == a.GetLastWorkerIdentity() && k.Account == l.Account && k.Region == l.Region && k.API == l.API
			})
			if !known {
				limits = append(limits, workerLimit{Worker: a.GetLastWorkerIdentity(), Limit: l})
			}
		}
	}
	slices.SortFunc(limits, func(a, b workerLimit) int {
		return cmp.Or(cmp.Compare(a.Worker, b.Worker), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region),
			cmp.Compare(a.API, b.API))
	})
	return limits
}

// beats reports whether a worker is at an activity and has told of it. What is kept of a try that has said nothing yet is
// what the one before said, perhaps on another worker.
func beats(a *workflow.PendingActivityInfo) bool {
	switch a.GetState() {
	case enumspb.PENDING_ACTIVITY_STATE_STARTED, enumspb.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED,
		enumspb.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED:
		return a.GetLastHeartbeatTime().AsTime().After(a.GetLastStartedTime().AsTime())
	}
	return false
}

// knownLimits is limitsOf for status, which is of use without them too. Nobody works for a run that has ended.
func knownLimits(ctx context.Context, f *Factory, conn *connect.Connection, found foundRun, ids ...string) []workerLimit {
	if !found.running {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	limits, err := limitsOf(ctx, conn, ids...)
	if err != nil {
		f.notef("what holds the workers back is not known to the full: %v\n", err)
	}
	return limits
}

func printLimits(out *Streams, limits []workerLimit) {
	if len(limits) == 0 {
		return
	}
	out.printf("\n")
	var t table
	t.head("LIMITS OF", "ACCOUNT", "REGION", "API", "RATE", "WAITING", "THROTTLED", "PAUSED")
	for _, l := range limits {
		paused := ""
		if l.Paused > 0 {
			paused = shortly(l.Paused.Std())
		}
		t.add(text(l.Worker), text(l.Account), text(l.Region), text(l.API), text(pace(l.Rate)), text(fmt.Sprint(l.Waiting)),
			text(fmt.Sprint(l.Throttled)), cell{paused, yellow})
	}
	t.print(out, "")
}

// pace is a rate of calls for eyes: by the minute where there are few.
func pace(rate float64) string {
	if rate < 1 {
		return fmt.Sprintf("%.3g/min", rate*time.Minute.Seconds())
	}
	return fmt.Sprintf("%.3g/s", rate)
}
