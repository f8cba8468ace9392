package cli

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// What is left for the next worker is what was asked for, to the word: a shell takes it as it is.
func TestAControlThatIsNotAnsweredCanBeLeftAsASignal(t *testing.T) {
	t.Parallel()
	server := mocks.NewClient(t)
	server.On("Close").Return()
	server.On("DescribeWorkflowExecution", mock.Anything, "run-1", "").Return(&workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{WorkflowId: "run-1"},
			Type: &commonpb.WorkflowType{Name: workflows.TypeJoin}}}, nil)
	server.On("UpdateWorkflow", mock.Anything, mock.MatchedBy(func(o client.UpdateWorkflowOptions) bool {
		return o.Args[0].(fleet.Control).By == "bob"
	})).Return(nil, errors.New("no answer"))
	server.On("DescribeTaskQueue", mock.Anything, workflows.TaskQueue, mock.Anything).
		Return(nil, errors.New("no answer")).Maybe()
	f, _, errs := testFactory(t)
	f.Connect = func(context.Context, string) (*connect.Connection, error) {
		return &connect.Connection{Client: server}, nil
	}
	code := run(t.Context(), f, []string{"reject", "run-1", "--by", "bob", "--digest", "sha256:d", "--reason", "it's Friday"})
	require.Equal(t, ExitCouldNotRun, code)
	require.Contains(t, errs.String(), "temporal workflow signal --workflow-id run-1 --name reject "+
		`--input '{"by":"bob","reason":"it'\''s Friday","digest":"sha256:d"}'`)
}
