package chaos

import (
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// history is what the events of a run and of its first cohort tell.
type history struct {
	events    int
	surveyed  int64                // the event with which the run took in who its members are
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
	own := r.s.client.GetWorkflowHistory(r.t.Context(), r.id, r.runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	surveys := int64(0)
	for own.HasNext() {
		e, err := own.Next()
		require.NoError(r.t, err)
		h.events++
		if a := e.GetActivityTaskScheduledEventAttributes(); a.GetActivityType().GetName() == workflows.SurveyActivity {
			surveys = e.GetEventId()
		}
		if a := e.GetActivityTaskCompletedEventAttributes(); a != nil && a.GetScheduledEventId() == surveys {
			surveys = -1
		}
		if a := e.GetWorkflowTaskCompletedEventAttributes(); a != nil && surveys < 0 && h.surveyed == 0 {
			h.surveyed = e.GetEventId()
		}
		if a := e.GetWorkflowExecutionSignaledEventAttributes(); a != nil {
			h.signals[a.GetSignalName()] = e.GetEventTime().AsTime()
		}
	}
	events := r.s.client.GetWorkflowHistory(r.t.Context(), r.first(), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
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
