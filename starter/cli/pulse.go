package cli

import (
	"context"
	"strings"

	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/fleetjoin/fleetjoin/worker/connect"
)

// pulse is what a run's activities say while they run. Where members are is in the run's status as of the last slice;
// this is newer, and it says why an activity is tried again.
type pulse struct {
	now     string // such as "stop 12, add 140"
	trouble string // what the last try of an activity failed with, "" when none did
}

func takePulse(ctx context.Context, conn *connect.Connection, run client.WorkflowRun) pulse {
	answer, err := conn.DescribeWorkflowExecution(ctx, run.GetID(), run.GetRunID())
	if err != nil {
		return pulse{} // it is only an ornament
	}
	var p pulse
	var now []string
	for _, a := range answer.GetPendingActivities() {
		if words := heartbeat(a); words != "" {
			now = append(now, words)
		}
		if f := a.GetLastFailure().GetMessage(); f != "" {
			p.trouble = a.GetActivityType().GetName() + ": " + f
		}
	}
	p.now = strings.Join(now, "; ")
	return p
}

func heartbeat(a *workflow.PendingActivityInfo) string {
	var words string
	if err := converter.GetDefaultDataConverter().FromPayloads(a.GetHeartbeatDetails(), &words); err != nil {
		return ""
	}
	return words
}
