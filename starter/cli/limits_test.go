package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/fleetjoin/fleetjoin/activities"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
)

func sampleLimits() []workerLimit {
	return []workerLimit{
		{Worker: "fleetjoin-worker@a:1", Limit: activities.Limit{Account: "demo", Region: "sim-1", API: "AddServerGroupMember", Rate: 37.512,
			Waiting: 12, Throttled: 3}},
		{Worker: "fleetjoin-worker@a:1", Limit: activities.Limit{Account: "demo", Region: "sim-1", API: "CCE writes", Rate: 1.0 / 60,
			Throttled: 9, Paused: membership.Duration(7500 * time.Millisecond)}},
		{Worker: "evil\x1b[2J", Limit: activities.Limit{Account: "demo", Region: "sim-1", API: "AddServerGroupMember", Rate: 0.5, Waiting: 1}},
	}
}

func TestLimitsAreRenderedUnderTheStatus(t *testing.T) {
	t.Parallel()
	f, out, _ := testFactory(t)
	printCohort(f, sampleStatus())
	printLimits(&f.Streams, nil)
	golden(t, "cohort.golden", out.String())
	printLimits(&f.Streams, sampleLimits())
	require.NotContains(t, out.String(), "\x1b")
	golden(t, "cohort-limits.golden", out.String())
}

// The status on its own stays what scripts know; limits are one more field, when there are any.
func TestLimitsAreAFieldOfTheStatus(t *testing.T) {
	t.Parallel()
	encode := func(v any) string {
		data, err := json.Marshal(v)
		require.NoError(t, err)
		return string(data)
	}
	require.Equal(t, encode(sampleStatus()), encode(limitedCohort{Status: sampleStatus()}))
	require.Equal(t, encode(fleet.Status{}), encode(limitedRun{}))
	for _, with := range []any{limitedCohort{Limits: sampleLimits()[1:2]}, limitedRun{Limits: sampleLimits()[1:2]}} {
		require.Contains(t, encode(with), `"limits":[{"worker":"fleetjoin-worker@a:1","account":"demo","region":"sim-1",`+
			`"api":"CCE writes","rate":0.016666666666666666,"waiting":0,"throttled":9,"paused":"7.5s"}]`)
	}
}

// described answers descriptions of runs.
type described struct {
	client.Client
	runs  map[string][]*workflow.PendingActivityInfo
	fails map[string]error
	takes time.Duration
}

func (d *described) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	time.Sleep(d.takes)
	return &workflowservice.DescribeWorkflowExecutionResponse{PendingActivities: d.runs[id]}, d.fails[id]
}

var began = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// pendingAt is an activity that a worker began, and that beat so long after.
func pendingAt(t *testing.T, worker string, after time.Duration, details ...any) *workflow.PendingActivityInfo {
	t.Helper()
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(details...)
	require.NoError(t, err)
	return &workflow.PendingActivityInfo{State: enumspb.PENDING_ACTIVITY_STATE_STARTED, LastWorkerIdentity: worker,
		LastStartedTime: timestamppb.New(began), LastHeartbeatTime: timestamppb.New(began.Add(after)), HeartbeatDetails: payloads}
}

func held(api string, waiting int) []activities.Limit {
	return []activities.Limit{{Account: "demo", Region: "r", API: api, Rate: 1, Waiting: waiting}}
}

func TestLimitsAreThoseOfTheWorkersAtWork(t *testing.T) {
	t.Parallel()
	retrying := pendingAt(t, "late", time.Second, "add 1", held("Add", 9))
	retrying.State = enumspb.PENDING_ACTIVITY_STATE_SCHEDULED
	stopping := pendingAt(t, "c", time.Second, "add 1", held("Add", 5))
	stopping.State = enumspb.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
	temporal := &described{runs: map[string][]*workflow.PendingActivityInfo{
		"one": {
			pendingAt(t, "b", time.Second, "add 1", held("Add", 1)),
			pendingAt(t, "a", time.Second, "add 1", held("Add", 2)),
			pendingAt(t, "free", time.Second, "add 1"),
			pendingAt(t, "older", time.Second, "add 1", "in another way"),
			pendingAt(t, "takes over", 0, "add 1", held("Add", 9)), // what the worker before it said
			retrying,
		},
		"two": {pendingAt(t, "a", 2*time.Second, "add 1", held("Add", 3)), pendingAt(t, "a", time.Second, "stop 1", held("Stop", 4)), stopping},
	}, fails: map[string]error{"gone": errors.New("no way"), "to come": &serviceerror.NotFound{}}}
	conn := &connect.Connection{Client: temporal, DataConverter: converter.GetDefaultDataConverter()}

	limits, err := limitsOf(t.Context(), conn, "one", "gone", "two", "to come")
	require.EqualError(t, err, "describe gone: no way")
	var said []string
	for _, l := range limits {
		said = append(said, fmt.Sprint(l.Worker, " ", l.API, " ", l.Waiting))
	}
	require.Equal(t, []string{"a Add 3", "a Stop 4", "b Add 1", "c Add 5"}, said, "one line a worker and API, the latest")

	f, _, errs := testFactory(t)
	require.Len(t, knownLimits(t.Context(), f, conn, foundRun{running: true}, "one", "gone"), 2)
	require.Contains(t, errs.String(), "not known to the full: describe gone: no way")
	require.Empty(t, knownLimits(t.Context(), f, conn, foundRun{}, "one"), "nobody works for a run that has ended")
}

func TestAFewRunsAreDescribedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		temporal := &described{takes: time.Second}
		start := time.Now()
		_, err := limitsOf(t.Context(), &connect.Connection{Client: temporal, DataConverter: converter.GetDefaultDataConverter()},
			make([]string, 4*describeAtOnce)...)
		require.NoError(t, err)
		require.Equal(t, 4*time.Second, time.Since(start), "as many at once as may be, and no more")
	})
}

func TestPaceIsByTheMinuteWhereItIsSlow(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]string{200: "200/s", 37.512: "37.5/s", 1: "1/s", 0.5: "30/min", 9.0 / 60: "9/min", 1.0 / 600: "0.1/min"} {
		require.Equal(t, want, pace(rate))
	}
}
