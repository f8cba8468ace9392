package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// sampleFleet is a fleet of two steps in the first wave of its second.
func sampleFleet() fleet.Status {
	return fleet.Status{
		Name: "web tier", Phase: membership.Running, Step: 2, Steps: 2, Wave: "step 2, wave 1", Members: 1301, InFlight: 60,
		Cohorts: []string{"web.3", "web.4", "web.5"}, Pace: 10, Budget: "3 of 20 failures allowed (2% of 1001 members)",
		Counts: map[membership.Outcome]int{membership.Joined: 418, membership.RolledBack: 2, membership.Unknown: 1, membership.Skipped: 1},
		Waves: []fleet.WaveStatus{{Name: "canary", Members: 1, Ended: 1}, {Name: "wave 1", Members: 200, Ended: 121, Failed: 3},
			{Name: "wave 2", Members: 800}},
		Failed: []fleet.FailedMember{
			{ID: "5b368e08-27c5-4ff7-b211-40577f2020ad", Outcome: membership.RolledBack, Code: "start-failed",
				Reason: "Ecs.0319: No host with enough resources was found, and \x1b[2J this goes on and on until nobody reads it any more."},
			{ID: "i-2", Outcome: membership.Unknown, Code: "no-effect", Reason: "sent 3 times"},
			{ID: "i-3", Outcome: membership.RolledBack, Code: "start-failed", Reason: "Ecs.0319"},
			{ID: "i-4", Outcome: membership.RolledBack, Code: "start-failed", Reason: "Ecs.0319"}},
	}
}

// changed is a status with something changed.
func changed(s fleet.Status, change func(*fleet.Status)) fleet.Status {
	change(&s)
	return s
}

// minuteBefore is how the fleet was when 60 members fewer had ended.
func minuteBefore(s *fleet.Status) {
	s.Counts = map[membership.Outcome]int{membership.Joined: 360, membership.RolledBack: 1, membership.Skipped: 1}
}

// sampleHistories are the statuses that somebody saw who looked every minute until noon, and then what the frame shows.
func sampleHistories() map[string][]fleet.Status {
	s := sampleFleet()
	before := changed(s, minuteBefore)
	single := func(s *fleet.Status) { s.Steps, s.Step, s.Wave, s.Members = 1, 1, "wave 1", 1001 }
	singleBefore := changed(before, single)
	return map[string][]fleet.Status{
		"planning": {{Name: "web tier", Phase: membership.Planning, Cohorts: []string{}, Pace: 10}},
		"running":  {before, s},
		"the step before was seen": {
			changed(before, func(s *fleet.Status) {
				s.Step, s.Wave, s.Waves = 1, "step 1, wave 1", []fleet.WaveStatus{{Name: "wave 1", Members: 300, Ended: 290}}
			}), s},
		"paused": {before, changed(s, func(s *fleet.Status) { s.Phase, s.Why = membership.Paused, "paused by ann: lunch" })},
		"soaking": {singleBefore, changed(s, func(s *fleet.Status) {
			single(s)
			s.Phase, s.Next, s.InFlight, s.Cohorts, s.Failed = membership.Resting, noon.Add(90*time.Second), 0, nil, nil
			s.Waves = []fleet.WaveStatus{{Name: "canary", Members: 1, Ended: 1}, {Name: "wave 1", Members: 200, Ended: 200}, {Name: "wave 2", Members: 800}}
		})},
		"no window": {before, changed(s, func(s *fleet.Status) {
			s.Phase, s.Next, s.InFlight, s.Cohorts, s.Failed = membership.Resting, noon.Add(34*time.Hour), 0, nil, nil
		})},
		"spent, and some in flight": {before, changed(s, func(s *fleet.Status) { s.Why = "the budget is spent (failures): 3 of 3 failures allowed" })},
		"stopped": {before, changed(s, func(s *fleet.Status) {
			s.Phase, s.InFlight, s.Cohorts = membership.Stopped, 0, nil
			s.Why = "after canary, not as they were left (2): i-1: it is in no group; i-2: it is off"
		})},
		"needs a person": {before, changed(s, func(s *fleet.Status) { s.Phase, s.InFlight, s.Cohorts = membership.Waiting, 0, nil })},
		"undoing": {before, changed(s, func(s *fleet.Status) {
			s.Phase, s.Why = membership.Undoing, "aborted by ann@example.com: enough of it"
		})},
		"gate": {singleBefore, changed(s, func(s *fleet.Status) {
			single(s)
			s.Phase, s.Wave, s.Next, s.Digest = membership.Awaiting, "wave 2", noon.Add(23*time.Hour+59*time.Minute), "sha256:abc"
			s.InFlight, s.Cohorts, s.Failed = 0, nil, nil
			s.Gate = &membership.Gate{Quorum: 2, Voters: []string{"bob", "cid"}, Requester: "ann@example.com", Signed: true,
				Why: "wave 2: join 800 members (huawei.nodepool); it destroys data"}
			s.Votes = []membership.Vote{{By: "bob", Approves: true, Digest: "sha256:abc"},
				{By: "cid", Approves: true, Digest: "sha256:old"}, {By: "eve", Approves: true, Digest: "sha256:abc", Refused: "may not"}}
		})},
		"gate of anybody": {changed(s, func(s *fleet.Status) {
			single(s)
			s.Phase, s.Next, s.Digest, s.Counts = membership.Awaiting, noon.Add(time.Hour), "sha256:abc", nil
			s.InFlight, s.Cohorts, s.Failed, s.Wave = 0, nil, nil, "canary"
			s.Waves = []fleet.WaveStatus{{Name: "canary", Members: 1}, {Name: "wave 1", Members: 1000}}
			s.Gate = &membership.Gate{Quorum: 1, Requester: "ann", Why: "canary: leave 1001 members (k)"}
		})},
		"thirty waves": {before, changed(s, func(s *fleet.Status) {
			s.Waves, s.Wave, s.Failed = nil, "step 2, wave 21", nil
			for i := range 30 {
				s.Waves = append(s.Waves, fleet.WaveStatus{Name: fmt.Sprintf("wave %d", i+1), Members: 100, Ended: 100 * max(0, min(1, 20-i))})
			}
		})},
		"a name from afar": {changed(s, func(s *fleet.Status) {
			s.Name, s.Failed = "两组服务器，先小后大，夜里再来一次，慢慢来，不要着急", nil
		})},
	}
}

// historyOf is what somebody has seen who looked every minute until noon.
func historyOf(statuses []fleet.Status) *history {
	h := &history{id: "web-tier-1a2b3c4d", began: noon.Add(-83 * time.Minute)}
	for i, s := range statuses {
		h.note(noon.Add(time.Duration(i+1-len(statuses))*time.Minute), s, closeUp{})
	}
	return h
}

func frameText(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		for _, c := range l {
			b.WriteString(c.text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestFramesOfFleets(t *testing.T) {
	t.Parallel()
	for name, statuses := range sampleHistories() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := historyOf(statuses)
			all := frames(t, h, 80, 24, 60, 24)
			f, _, _ := testFactory(t)
			if s := h.now; s.Phase == membership.Waiting || s.Phase == membership.Awaiting || s.Phase == membership.Stopped {
				all += fmt.Sprintf("and then, since the verb ends here\n\n%v\n", asks(f, h.id, s))
			}
			golden(t, "fleetframe-"+strings.NewReplacer(" ", "-", ",", "").Replace(name)+".golden", all)
		})
	}
	t.Run("small terminals", func(t *testing.T) {
		t.Parallel()
		golden(t, "fleetframe-small.golden", frames(t, historyOf(sampleHistories()["paused"]), 36, 40, 80, 9, 20, 5))
	})
}

// frames are those of terminals of some sizes: columns and rows, in turn.
func frames(t *testing.T, h *history, sizes ...int) string {
	t.Helper()
	var all strings.Builder
	for size := range slices.Chunk(sizes, 2) {
		columns, height := size[0], size[1]
		lines := h.frame(columns, height)
		require.Less(t, rows(lines, columns), height, "the whole can be drawn over")
		fmt.Fprintf(&all, "%d columns, %d rows\n%s\n%s\n", columns, height, strings.Repeat("~", columns), frameText(lines))
	}
	require.NotContains(t, all.String(), "\x1b", "neither colours nor what a cloud may smuggle in")
	return all.String()
}

// However a fleet is, its frame can be drawn over, its bars are as long as each other, and who failed or is in flight is seen.
func TestFramesFit(t *testing.T) {
	t.Parallel()
	phases := []membership.Phase{membership.Planning, membership.Awaiting, membership.Running, membership.Paused, membership.Undoing,
		membership.Waiting, membership.Stopped, membership.Resting, membership.Ended}
	rapid.Check(t, func(t *rapid.T) {
		s := sampleFleet()
		s.Phase = rapid.SampledFrom(phases).Draw(t, "phase")
		s.Gate = &membership.Gate{Quorum: 1, Requester: "ann", Why: "why"}
		s.Why = rapid.SampledFrom([]string{"", "because"}).Draw(t, "why")
		s.Next = noon.Add(time.Duration(rapid.IntRange(-10, 1000).Draw(t, "next")) * time.Minute)
		s.InFlight = rapid.IntRange(0, 3000).Draw(t, "in flight")
		s.Waves = nil
		for i := range rapid.IntRange(0, 40).Draw(t, "waves") {
			w := fleet.WaveStatus{Name: fmt.Sprintf("wave %d", i+1), Members: rapid.IntRange(0, 1000).Draw(t, "members")}
			w.Ended = rapid.IntRange(0, w.Members).Draw(t, "ended")
			w.Failed = rapid.IntRange(0, w.Ended).Draw(t, "failed")
			s.Waves = append(s.Waves, w)
		}
		before := changed(s, minuteBefore)
		before.Step = rapid.IntRange(1, 2).Draw(t, "step")
		columns, height := rapid.IntRange(0, 200).Draw(t, "columns"), rapid.IntRange(0, 60).Draw(t, "rows")
		h := historyOf([]fleet.Status{before, s})
		require.LessOrEqual(t, rows(h.frame(columns, height), max(columns, 1)), max(height-1, 1))

		size := rapid.IntRange(narrowestBar, widestBar).Draw(t, "bar")
		for _, w := range s.Waves {
			b := frameText([]line{bar(size, w, s.InFlight)})
			require.Len(t, b, size+1)
			require.Equal(t, w.Failed > 0, strings.Contains(b, "x"))
			require.True(t, w.Ended < w.Members || w.Members == 0 || !strings.Contains(b, " "), "full when all have ended: %q", b)
		}
	})
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "1s", 59*time.Second + 700*time.Millisecond: "1m", 61 * time.Second: "1m",
		150 * time.Second: "3m", 59*time.Minute + 50*time.Second: "1h", 3*time.Hour + 10*time.Minute: "3h10m"} {
		require.Equal(t, want, roughly(d), d)
	}
	for d, want := range map[time.Duration]string{-time.Second: "1s", 192 * time.Second: "3m12s", 83*time.Minute + 9*time.Second: "1h23m"} {
		require.Equal(t, want, elapsed(d), d)
	}
}
