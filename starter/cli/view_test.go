package cli

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/temporalproto"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// fleetRun is a run of a fleet that ends when its report is there.
type fleetRun struct {
	client.WorkflowRun
	report <-chan fleet.Report
}

func (fleetRun) GetID() string    { return "web" }
func (fleetRun) GetRunID() string { return "" }
func (r fleetRun) Get(ctx context.Context, into any) error {
	select {
	case *into.(*fleet.Report) = <-r.report:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// foundAt is what Temporal says of a history of the fleet web.
func foundAt(t *testing.T, run, first, status string, start time.Time) *workflowservice.DescribeWorkflowExecutionResponse {
	t.Helper()
	info := &workflowpb.WorkflowExecutionInfo{}
	require.NoError(t, temporalproto.CustomJSONUnmarshalOptions{}.Unmarshal(fmt.Appendf(nil, `{"type": {"name": %q}, "execution":
		{"workflowId": "web", "runId": %q}, "firstRunId": %q, "status": %q, "startTime": %q}`, workflows.TypeFleet, run, first,
		"WORKFLOW_EXECUTION_STATUS_"+status, start.UTC().Format(time.RFC3339)), info))
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}
}

// watched runs watch on a terminal, of a fleet that was started 83 minutes ago and answers with the statuses in turn; then
// it does then. It returns what the terminal shows, what was said on stderr, and the exit code.
func watched(t *testing.T, statuses []fleet.Status, then func(stop context.CancelFunc, end chan<- fleet.Report)) (shown []string, told string, code int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		end := make(chan fleet.Report, 1)
		server := mocks.NewClient(t)
		server.On("Close").Return()
		at := func(run string, start time.Time) {
			server.On("DescribeWorkflowExecution", mock.Anything, "web", run).Return(foundAt(t, "second", "first", "RUNNING", start), nil)
		}
		at("", time.Now())
		at("first", time.Now().Add(-83*time.Minute))
		server.On("GetWorkflow", mock.Anything, "web", "").Return(fleetRun{report: end})
		for i, s := range statuses {
			call := server.On("QueryWorkflow", mock.Anything, "web", "second", membership.QueryStatus)
			if i < len(statuses)-1 {
				call.Once()
			} else {
				call.Run(func(mock.Arguments) { then(stop, end) })
			}
			call.Return(said{s}, nil)
		}
		f, out, errs := testFactory(t)
		f.Terminal = true
		f.Connect = func(context.Context, string) (*connect.Connection, error) {
			return &connect.Connection{Client: server}, nil
		}
		code = run(ctx, f, []string{"watch", "web"})
		shown, told = glass(defaultWidth, out.String()), errs.String()
	})
	return shown, told, code
}

func TestWatchingAFleetOnATerminal(t *testing.T) {
	t.Parallel()
	before := changed(sampleFleet(), minuteBefore)
	going := func(context.CancelFunc, chan<- fleet.Report) {}
	t.Run("ends with the report", func(t *testing.T) {
		start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		shown, told, code := watched(t, []fleet.Status{before, sampleFleet()}, func(_ context.CancelFunc, end chan<- fleet.Report) {
			end <- fleet.Report{Outcome: membership.RunPartial, Started: start, Ended: start.Add(time.Minute),
				Counts: map[membership.Outcome]int{membership.Joined: 1300, membership.Refused: 1}}
		})
		require.Equal(t, []string{"", "partial: 1300 joined, 1 refused  run web", "in 1m0s", "", "  1300  joined", "     1  refused  nothing was done", ""}, shown,
			"the picture of the moment before is gone")
		require.Empty(t, told)
		require.Equal(t, ExitRefused, code)
	})
	t.Run("goes on without us", func(t *testing.T) {
		shown, told, code := watched(t, []fleet.Status{before, before, sampleFleet()},
			func(stop context.CancelFunc, _ chan<- fleet.Report) { stop() })
		require.Equal(t, "web tier · web · running · 1h23m", shown[0])
		require.Contains(t, shown, "> wave 1 [=======================x------------    ] 121/200  3 failed")
		require.Contains(t, told, "stopped watching; run web goes on")
		require.Equal(t, ExitInterrupted, code)
	})
	t.Run("stands before a gate", func(t *testing.T) {
		gate := sampleHistories()["gate"][1]
		shown, told, code := watched(t, []fleet.Status{gate}, going)
		require.Contains(t, shown, "         approved so far by bob")
		require.Contains(t, told, "fleetjoin approve web --digest sha256:abc --key KEY")
		require.Equal(t, ExitAwaitsApproval, code)
	})
}

// The lines are read by scripts.
func TestFleetsInAPipe(t *testing.T) {
	t.Parallel()
	show := func(f *Factory) {
		v := runView{f: f, run: fleetRun{}, now: func() time.Time { return noon }}
		for _, name := range []string{"planning", "running", "spent, and some in flight", "paused", "stopped", "undoing"} {
			statuses := sampleHistories()[name]
			v.show(statuses[len(statuses)-1], closeUp{})
			v.show(statuses[len(statuses)-1], closeUp{}) // nothing has changed, nothing is said
		}
	}
	f, out, _ := testFactory(t)
	show(f)
	golden(t, "fleet-lines.golden", out.String())
	f, out, _ = testFactory(t)
	f.Terminal, f.JSON = true, true
	show(f)
	require.Equal(t, 6, bytes.Count(out.Bytes(), []byte(`{"id":"web","runId":"","fleet":{`)))
}
