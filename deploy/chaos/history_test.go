package chaos

import (
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// history is what a run's events tell.
type history struct {
	events    int
	planned   int64                // the event with which the workflow took the plan in
	others    []string             // workers that completed slices of a program that another had made
	signals   map[string]time.Time // when each came
	handed    int                  // slices that were told to stop and handed their state back as a normal result
	cancelled int                  // slices that ended without one
}

func (r *run) history() history {
	r.t.Helper()
	h := history{signals: make(map[string]time.Time)}
	kinds, told := make(map[int64]string), make(map[int64]bool) // by the event that scheduled the activity
	planner := ""
	events := r.s.client.GetWorkflowHistory(r.t.Context(), r.id, r.runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(r.t, err)
		h.events++
		if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
			kinds[e.GetEventId()] = a.GetActivityType().GetName()
		}
		if a := e.GetActivityTaskCancelRequestedEventAttributes(); a != nil {
			told[a.GetScheduledEventId()] = true
		}
		if a := e.GetActivityTaskCanceledEventAttributes(); a != nil {
			h.cancelled++
		}
		if a := e.GetWorkflowExecutionSignaledEventAttributes(); a != nil {
			h.signals[a.GetSignalName()] = e.GetEventTime().AsTime()
		}
		if a := e.GetWorkflowTaskCompletedEventAttributes(); a != nil && planner != "" && h.planned == 0 {
			h.planned = e.GetEventId()
		}
		a := e.GetActivityTaskCompletedEventAttributes()
		switch {
		case a == nil:
		case kinds[a.GetScheduledEventId()] == membership.PlanActivity:
			planner = a.GetIdentity()
		default:
			if told[a.GetScheduledEventId()] {
				h.handed++
			}
			if a.GetIdentity() != planner {
				h.others = append(h.others, a.GetIdentity())
			}
		}
	}
	return h
}
