package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
)

// stillness is for how long a paused fleet is watched.
const stillness = 15 * time.Second

// pauseSection asks how soon a fleet in full swing stands still.
func pauseSection(ctx context.Context, b *bed, size sizes) (Table, error) {
	var asked time.Time
	var dispatched []time.Time // when cohorts were started
	meanwhile := func(ctx context.Context, fleet string) (err error) {
		if err := b.untilInFlight(ctx, fleet, size.swing); err != nil {
			return err
		}
		asked = time.Now()
		if err := b.tell(ctx, fleet, membership.ControlPause); err != nil {
			return err
		}
		select {
		case <-time.After(stillness):
		case <-ctx.Done():
			return ctx.Err()
		}
		if dispatched, err = b.starts(ctx, fleet); err != nil {
			return err
		}
		return b.tell(ctx, fleet, membership.ControlResume)
	}
	rows, runs, err := b.compare(ctx, 1, entry{sized("fleet", size.paused), size.paused,
		b.fleet(manner{pace: size.pace, cohorts: size.swing, meanwhile: meanwhile})})
	if err != nil {
		return Table{}, err
	}
	writes := make([]time.Time, 0, len(runs[0].writes))
	for _, w := range runs[0].writes {
		if w.Effect == journal.Changed {
			writes = append(writes, w.Wall)
		}
	}
	return Table{
		Setup: []string{
			fmt.Sprintf("Fleet: as in scale, %d cohorts at once. %s", size.swing, behaviour(size.paused)),
			fmt.Sprintf("One pause when so many are in flight; what begins within the %s after it was asked for is late.", stillness),
		},
		Rows: rows,
		Claims: []Claim{
			atMost("seconds until the last cohort is started", lag(asked, dispatched), 1),
			atMost("seconds until the last write to the cloud", lag(asked, writes), 3),
		},
	}, nil
}

// lag is how long after asking the last of what happened before the end of the stillness did, 0 when nothing did.
func lag(asked time.Time, happened []time.Time) (seconds float64) {
	for _, at := range happened {
		if at.After(asked) && at.Before(asked.Add(stillness)) {
			seconds = max(seconds, at.Sub(asked).Seconds())
		}
	}
	return seconds
}

// untilInFlight waits until so many cohorts of a fleet are under way.
func (b *bed) untilInFlight(ctx context.Context, fleet string, cohorts int) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		switch s, err := b.status(ctx, fleet); {
		case err != nil:
			return err
		case s.Phase == membership.Ended || b.over(ctx, fleet):
			return errors.New("the fleet ended before its cohorts were in flight")
		case len(s.Cohorts) >= cohorts && s.InFlight > 0:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// over reports whether a run does not run any more.
func (b *bed) over(ctx context.Context, run string) bool {
	d, err := b.client.DescribeWorkflowExecution(ctx, run, "")
	return err == nil && d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}

// tell gives a control to a fleet and waits until it has it.
func (b *bed) tell(ctx context.Context, fleet, control string) error {
	update, err := b.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: fleet, UpdateName: control,
		Args:         []any{membership.Control{By: "the bench"}},
		WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		return err
	}
	return update.Get(ctx, nil)
}

// starts returns when the cohorts of a fleet began.
func (b *bed) starts(ctx context.Context, fleet string) (at []time.Time, err error) {
	history := b.client.GetWorkflowHistory(ctx, fleet, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if err != nil {
			return nil, err
		}
		if event.GetEventType() == enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED {
			at = append(at, event.GetEventTime().AsTime())
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	return at, nil
}
