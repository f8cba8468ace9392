package activities

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func TestAProgramIsReadBackFromItsRun(t *testing.T) {
	dc := converter.GetDefaultDataConverter()
	result := func(digest string) *commonpb.Payloads {
		p, err := dc.ToPayloads(membership.Program{Kind: "toy", Digest: digest})
		require.NoError(t, err)
		return p
	}
	events := []*historypb.HistoryEvent{
		scheduled(5, membership.PlanActivity), completed(7, 5, result("sha256:old")),
		scheduled(9, "toy.add"), completed(11, 9, result("sha256:impostor")),
		scheduled(13, membership.PlanActivity), completed(15, 13, result("sha256:new")),
	}
	client := mocks.NewClient(t)
	client.On("GetWorkflowHistory", mock.Anything, "wf", "run", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).
		Return(&iterator{events: events}).Once()
	s := newPrograms(client, dc)
	run := workflow.Execution{ID: "wf", RunID: "run"}
	p, err := s.find(t.Context(), run, "sha256:new")
	require.NoError(t, err)
	require.Equal(t, "sha256:new", p.Digest)
	again, err := s.find(t.Context(), run, "sha256:new") // from memory: the history is read once
	require.NoError(t, err)
	require.Same(t, p, again)

	client.On("GetWorkflowHistory", mock.Anything, "wf", "run", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).
		Return(&iterator{events: events}).Once()
	_, err = s.find(t.Context(), run, "sha256:impostor")
	require.ErrorContains(t, err, "the program sha256:impostor of run run: is not in the run's history")
}

func TestFewProgramsAreRemembered(t *testing.T) {
	s := newPrograms(nil, nil)
	for i := range mostPrograms + 10 {
		s.remember(fmt.Sprint(i), &membership.Program{})
		s.recall("0") // the one in use stays
	}
	require.Equal(t, mostPrograms, s.used.Len())
	require.Len(t, s.byRun, mostPrograms)
	_, ok := s.recall("0")
	require.True(t, ok)
	_, ok = s.recall("1")
	require.False(t, ok)
	s.remember("0", &membership.Program{Digest: "newer"})
	p, _ := s.recall("0")
	require.Equal(t, "newer", p.Digest)
	require.Equal(t, mostPrograms, s.used.Len())
}

func scheduled(id int64, activity string) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: id, Attributes: &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{
		ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{
			ActivityType: &commonpb.ActivityType{Name: activity}}}}
}

func completed(id, of int64, result *commonpb.Payloads) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: id, Attributes: &historypb.HistoryEvent_ActivityTaskCompletedEventAttributes{
		ActivityTaskCompletedEventAttributes: &historypb.ActivityTaskCompletedEventAttributes{ScheduledEventId: of, Result: result}}}
}

// iterator implements client.HistoryEventIterator.
type iterator struct{ events []*historypb.HistoryEvent }

func (i *iterator) HasNext() bool { return len(i.events) > 0 }

func (i *iterator) Next() (*historypb.HistoryEvent, error) {
	e := i.events[0]
	i.events = i.events[1:]
	return e, nil
}
