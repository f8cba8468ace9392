package membership_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func stages() []membership.Stage {
	return []membership.Stage{{Name: "stop", Undo: "starts it", Settle: membership.Duration(1500 * time.Millisecond)},
		{Name: "check"}, {Name: "add", Undo: "removes it"}, {Name: "start"}}
}

func program(t *testing.T, due int, run string) membership.Program {
	t.Helper()
	p := membership.Program{Kind: "toy.group", Stages: stages(), Members: []membership.Member{
		{ID: "already", Already: true}, {ID: "refused", Refused: []membership.Objection{{Code: "no"}}}}}
	for range due {
		p.Members = append(p.Members, membership.Member{ID: "due"})
	}
	require.NoError(t, p.Seal(run, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), membership.Pace{}))
	return p
}

func TestAHandfulGetsALaneForEachStage(t *testing.T) {
	p := program(t, membership.ByName, "run")
	require.Equal(t, []membership.Lane{{Name: "stop", First: 0, Last: 0, Early: true}, {Name: "check", First: 1, Last: 1, Early: true},
		{Name: "add", First: 2, Last: 2, Early: true}, {Name: "start", First: 3, Last: 3, Early: true}}, p.Lanes)
	require.Equal(t, []membership.Lane{{Name: "undo-stop", First: 0, Last: 0, Early: true},
		{Name: "undo-add", First: 2, Last: 2, Early: true}}, p.UndoLanes)
}

func TestAPageGetsOneLaneEachWay(t *testing.T) {
	p := program(t, membership.ByName+1, "run")
	require.Equal(t, []membership.Lane{{Name: "advance", First: 0, Last: 3}}, p.Lanes)
	require.Equal(t, []membership.Lane{{Name: "undo", First: 0, Last: 3}}, p.UndoLanes)
}

func TestADigestHoldsForOneProgramOfOneRun(t *testing.T) {
	a, again, other := program(t, 1, "run-1"), program(t, 1, "run-1"), program(t, 1, "run-2")
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", a.Digest)
	require.Equal(t, a.Digest, again.Digest)
	require.NotEqual(t, a.Digest, other.Digest)
	require.NotEqual(t, a.Digest, program(t, 2, "run-1").Digest)
}

func TestAProgramSurvivesItsHistory(t *testing.T) {
	p := program(t, 3, "run")
	data, err := json.Marshal(p)
	require.NoError(t, err)
	require.Contains(t, string(data), `"settle":"1.5s"`)
	var back membership.Program
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, p, back)
}

func TestUndoBeginsAtTheStageThatWasAttempted(t *testing.T) {
	p := program(t, 1, "run")
	for stage, want := range map[int]int{0: 0, 1: 0, 2: 2, 3: 2, 4: 2} {
		at, ok := p.UndoFrom(stage)
		require.True(t, ok)
		require.Equal(t, want, at, "from %d", stage)
	}
	_, ok := p.UndoFrom(-1)
	require.False(t, ok)
	_, ok = (&membership.Program{Stages: []membership.Stage{{Name: "remove"}}}).UndoFrom(0)
	require.False(t, ok)
}

func TestMarks(t *testing.T) {
	for i := range 20 {
		stage, undo, ok := membership.StageOf(membership.Forward(i))
		require.Equal(t, [3]any{i, false, true}, [3]any{stage, undo, ok})
		stage, undo, ok = membership.StageOf(membership.Backward(i))
		require.Equal(t, [3]any{i, true, true}, [3]any{stage, undo, ok})
	}
	for _, mark := range []byte{membership.MarkAbsent, membership.MarkFailed, membership.MarkParked, membership.MarkUndone} {
		_, _, ok := membership.StageOf(mark)
		require.False(t, ok, "%c", mark)
	}
}

func TestSummaryTellsTheStory(t *testing.T) {
	p := program(t, 1, "run")
	require.Equal(t, "stop 2, add 1, undo-add 1, undo-stop 1", p.Summary("aacCA.?!-e"))
	require.Equal(t, 2, p.Settle(), "whole seconds, rounded up")
}

func TestLaneActivitiesNameEveryLane(t *testing.T) {
	names := membership.LaneActivities(membership.Spec{ID: "toy.group", Stages: map[membership.Operation][]membership.Stage{
		membership.Join: stages(), membership.Leave: {{Name: "remove"}}}})
	require.ElementsMatch(t, []string{"toy.group.stop", "toy.group.check", "toy.group.add", "toy.group.start", "toy.group.undo-stop",
		"toy.group.undo-add", "toy.group.advance", "toy.group.undo", "toy.group.remove"}, names)
}

func TestAJobKeepsItsMembersTogether(t *testing.T) {
	var s membership.Slice
	s.AddJob("j1", 1)
	s.AddJob("j2", 2)
	s.AddJob("j1", 3)
	require.Equal(t, []membership.JobRef{{ID: "j1", Members: []int{1, 3}}, {ID: "j2", Members: []int{2}}}, s.Jobs)
}

func TestTheOutcomeOfARunSaysWhatHappened(t *testing.T) {
	type counts = map[membership.Outcome]int
	for _, c := range []struct {
		counts    counts
		cancelled bool
		want      membership.RunOutcome
	}{
		{counts{membership.Joined: 3, membership.Already: 1}, false, membership.RunSucceeded},
		{counts{membership.Left: 3}, false, membership.RunSucceeded},
		{counts{membership.Joined: 32, membership.Refused: 5}, false, membership.RunPartial},
		{counts{membership.Left: 1, membership.RolledBack: 1}, false, membership.RunPartial},
		{counts{membership.Already: 1, membership.Refused: 1}, false, membership.RunRefused},
		{counts{membership.Skipped: 1}, false, membership.RunPartial},
		{counts{membership.Refused: 1, membership.RolledBack: 1}, false, membership.RunRolledBack},
		{counts{membership.RolledBack: 1, membership.NotStarted: 4}, true, membership.RunCancelled},
		{counts{membership.RolledBack: 1, membership.RollbackIncomplete: 1}, true, membership.RunIncomplete},
		{counts{membership.Unknown: 1, membership.Joined: 9}, false, membership.RunIncomplete},
		{counts{membership.Unknown: 1}, true, membership.RunIncomplete},
	} {
		require.Equal(t, c.want, membership.Judge(c.counts, c.cancelled), "%v", c.counts)
	}
	require.Equal(t, "2 joined, 1 refused", membership.Report{Counts: counts{membership.Refused: 1, membership.Joined: 2}}.Tally())
}
