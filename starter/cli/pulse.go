package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
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

// planProgress tells how far a plan is that is being looked at.
type planProgress struct {
	conn *connect.Connection
	run  client.WorkflowRun
	now  func() time.Time

	from  int       // how many had been looked at
	since time.Time // at this moment, from which on the rate counts
}

func (p *planProgress) words(ctx context.Context) string {
	answer, err := p.conn.QueryWorkflow(ctx, p.run.GetID(), "", workflows.QueryProgress)
	var s workflows.PreviewProgress
	if err == nil {
		err = answer.Get(&s)
	}
	if err != nil || s.Members == 0 || s.Looked == 0 {
		return takePulse(ctx, p.conn, p.run).now
	}
	return p.rate(s)
}

// rate is how far it is, how fast, and for how long at that speed.
func (p *planProgress) rate(s workflows.PreviewProgress) string {
	words := fmt.Sprintf("looked at %d of %d members", s.Looked, s.Members)
	if p.since.IsZero() {
		p.from, p.since = s.Looked, p.now()
		return words
	}
	took := p.now().Sub(p.since)
	if s.Looked <= p.from || took <= 0 || s.Looked == s.Members {
		return words
	}
	rate := float64(s.Looked-p.from) / took.Seconds()
	left := time.Duration(float64(s.Members-s.Looked) / rate * float64(time.Second))
	return fmt.Sprintf("%s, %.0f a second, %s to go", words, rate, shortly(left.Round(time.Second)))
}

func heartbeat(a *workflow.PendingActivityInfo) string {
	var words string
	if err := converter.GetDefaultDataConverter().FromPayloads(a.GetHeartbeatDetails(), &words); err != nil {
		return ""
	}
	return words
}
