package cli

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/temporalproto"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/mocks"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// said is what a query answers.
type said struct{ value any }

func (s said) HasValue() bool { return true }

func (s said) Get(into any) error {
	data, err := json.Marshal(s.value)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// waitingFor connects to a server that lists the runs in two pages; they answer the query, or fail.
func waitingFor(t *testing.T, f *Factory, workers int, runs map[string]any) {
	t.Helper()
	client := mocks.NewClient(t)
	client.On("Close").Return()
	pages := make([]*workflowservice.ListWorkflowExecutionsResponse, 2)
	pages[0], pages[1] = &workflowservice.ListWorkflowExecutionsResponse{NextPageToken: []byte("more")}, &workflowservice.ListWorkflowExecutionsResponse{}
	for i, id := range []string{"gated", "gone", "mute", "web"} {
		answer, ok := runs[id]
		if !ok {
			continue
		}
		kind := map[bool]string{true: workflows.TypeFleet, false: workflows.TypeJoin}[id == "web"]
		pages[i/2].Executions = append(pages[i/2].Executions, &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: "r-" + id}, Type: &commonpb.WorkflowType{Name: kind}})
		call := client.On("QueryWorkflow", mock.Anything, id, "r-"+id, membership.QueryStatus).Maybe()
		if err, ok := answer.(error); ok {
			call.Return(nil, err)
		} else {
			call.Return(said{answer}, nil)
		}
	}
	list := func(token string) *mock.Call {
		return client.On("ListWorkflow", mock.Anything, mock.MatchedBy(func(in *workflowservice.ListWorkflowExecutionsRequest) bool {
			return string(in.GetNextPageToken()) == token &&
				in.GetQuery() == `FleetjoinPhase = "awaiting-approval" AND ExecutionStatus = "Running"`
		}))
	}
	list("").Return(pages[0], nil)
	list("more").Return(pages[1], nil)
	polling := &workflowservice.DescribeTaskQueueResponse{}
	for range workers {
		poller, seen := &taskqueuepb.PollerInfo{}, time.Now().UTC().Format(time.RFC3339)
		require.NoError(t, temporalproto.CustomJSONUnmarshalOptions{}.Unmarshal(
			[]byte(`{"identity": "worker", "lastAccessTime": "`+seen+`"}`), poller))
		polling.Pollers = append(polling.Pollers, poller)
	}
	client.On("DescribeTaskQueue", mock.Anything, workflows.TaskQueue, mock.Anything).Return(polling, nil).Maybe()
	f.Connect = func(context.Context, string) (*connect.Connection, error) {
		return &connect.Connection{Client: client, Address: "temporal.example:7233", Namespace: "default"}, nil
	}
}

// waitingRuns are of every sort: one of its own, a fleet, one that has gone on and one that does not answer.
func waitingRuns() map[string]any {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	own := fleet.Status{Phase: membership.Awaiting, Digest: "sha256:aa", Next: at,
		Gate: &membership.Gate{Quorum: 2, Requester: "ann", Why: "join 2 members, group g (k)", Signed: true},
		Votes: []membership.Vote{{By: "bob", Approves: true, Digest: "sha256:aa"},
			{By: "eve", Approves: true, Digest: "sha256:aa", Refused: "its key is a stranger's"}}}
	web := fleet.Status{Phase: membership.Awaiting, Digest: "sha256:bb", Next: at.Add(time.Hour),
		Gate:  &membership.Gate{Quorum: 1, Requester: "ann", Why: "canary: join 30 members (k)"},
		Votes: []membership.Vote{{By: "bob", Approves: true, Digest: "sha256:of the gate before"}}}
	gone := own
	gone.Phase, gone.Gate = membership.Running, nil
	return map[string]any{"gated": own, "web": web, "gone": gone, "mute": errors.New("deadline exceeded")}
}

func TestInboxListsWhatWaits(t *testing.T) {
	t.Parallel()
	f, out, errs := testFactory(t)
	waitingFor(t, f, 1, waitingRuns())
	require.Equal(t, ExitOK, run(t.Context(), f, []string{"inbox", "--by", "bob"}), errs.String())
	golden(t, "inbox.golden", out.String())
}

func TestInboxAsJSON(t *testing.T) {
	t.Parallel()
	f, out, errs := testFactory(t)
	waitingFor(t, f, 1, waitingRuns())
	require.Equal(t, ExitOK, run(t.Context(), f, []string{"inbox", "--by", "cid", "--json"}), errs.String())
	golden(t, "inbox.json.golden", out.String())
}

func TestAnEmptyInboxSaysSo(t *testing.T) {
	t.Parallel()
	f, out, _ := testFactory(t)
	waitingFor(t, f, 0, nil)
	require.Equal(t, ExitOK, run(t.Context(), f, []string{"inbox"}))
	require.Equal(t, "no run waits for a vote\n", out.String())
	f, out, _ = testFactory(t)
	waitingFor(t, f, 0, nil)
	require.Equal(t, ExitOK, run(t.Context(), f, []string{"inbox", "--json", "--by", "bob"}))
	require.JSONEq(t, `{"by": "bob", "runs": []}`, out.String())
}

func TestInboxWithoutAWorkerSaysSo(t *testing.T) {
	t.Parallel()
	f, _, errs := testFactory(t)
	waitingFor(t, f, 0, waitingRuns())
	require.Equal(t, ExitCouldNotRun, run(t.Context(), f, []string{"inbox"}))
	require.Contains(t, errs.String(), "4 runs cannot be asked: no worker polls task queue fleetjoin")
}

func TestASignedGateAsksForSignatures(t *testing.T) {
	t.Parallel()
	err := askForVotes("run-1", &membership.Gate{Quorum: 2, Requester: "ann", Why: "w", Signed: true}, "sha256:d")
	require.ErrorContains(t, err, "run run-1 waits for 2 signed approvals: w")
	require.ErrorContains(t, err, "fleetjoin approve run-1 --digest sha256:d --key KEY\n")
	require.ErrorContains(t, err, "fleetjoin reject run-1 --digest sha256:d --key KEY --reason WHY\n")
}
