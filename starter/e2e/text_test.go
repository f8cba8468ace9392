package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/worker/connect"
)

// Text that is not UTF-8 comes from files, clouds and people, and stands in all that a run tells. A real server has to get
// all of it, and at once: what it never gets is tried again for ever.
func TestTextThatIsNotUTF8ReachesTemporal(t *testing.T) {
	const gbk, mended = "\xca\xb5\xc0\xfdID", "ʵ\ufffdID"
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server, err := testsuite.StartDevServer(ctx, testsuite.DevServerOptions{ExistingPath: findTemporal(t),
		ClientOptions: &client.Options{}, LogLevel: "error"})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop()) }()
	conn, err := connect.Dial(ctx, connect.Options{Address: server.FrontendHostPort(), Name: gbk})
	require.NoError(t, err)
	defer conn.Close()

	w := worker.New(conn.Client, "text", worker.Options{})
	w.RegisterActivityWithOptions(func(ctx context.Context) error {
		activity.RecordHeartbeat(ctx, gbk)
		return temporal.NewNonRetryableApplicationError("column "+gbk, gbk, nil, gbk)
	}, activity.RegisterOptions{Name: "read"})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		workflow.SetCurrentDetails(ctx, gbk)
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			StartToCloseTimeout: time.Minute, Summary: gbk}), "read").Get(ctx, nil)
		return temporal.NewApplicationError("step: "+err.Error(), gbk, gbk)
	}, workflow.RegisterOptions{Name: "Text"})
	require.NoError(t, w.Start())
	defer w.Stop()

	run, err := conn.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: gbk, TaskQueue: "text", StaticSummary: gbk,
		Memo: map[string]any{gbk: gbk}}, "Text")
	require.NoError(t, err)
	require.ErrorContains(t, run.Get(ctx, nil), "step: activity error")
	history := conn.GetWorkflowHistory(ctx, mended, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	told := 0
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(t, err)
		if failed := event.GetActivityTaskFailedEventAttributes(); failed != nil {
			require.Equal(t, "column "+mended, failed.GetFailure().GetMessage())
			require.Contains(t, failed.GetIdentity(), mended)
			told++
		}
	}
	require.Equal(t, 1, told)
}
