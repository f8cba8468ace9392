package chaos

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// reset makes a new run of one that has ended, and follows that.
func (r *run) reset(to ...string) {
	r.t.Helper()
	out := r.cli(append([]string{"workflow", "reset", "--reason", "chaos", "--output", "json"}, to...)...)
	var made struct {
		RunID string `json:"runId"`
	}
	require.NoError(r.t, json.Unmarshal(out, &made), "%s", out)
	require.NotEmpty(r.t, made.RunID, "%s", out)
	r.runID, r.blow = made.RunID, time.Now()
}

// unchanged runs f and wants no write by it.
func (r *run) unchanged(f func()) {
	r.t.Helper()
	before, err := r.writes()
	require.NoError(r.t, err)
	require.NotEmpty(r.t, before)
	f()
	after, err := r.writes()
	require.NoError(r.t, err)
	require.Len(r.t, after, len(before), "the new run has sent writes")
}

// resetToTheFirstTask plans anew and finds nothing to do.
func resetToTheFirstTask(t *testing.T, s *stack) {
	r := s.join(t, s.cohort(t, page, 0))
	r.endJoined()
	r.unchanged(func() {
		r.reset("--type", "FirstWorkflowTask")
		report, how := r.end()
		require.Equal(t, completed, how)
		require.Equal(t, page, report.Counts[membership.Already], tally(report))
	})
}

// resetBehindTheSurvey starts the cohorts again, on another worker, of the members that the first run has found. What holds
// already gets no write.
func resetBehindTheSurvey(t *testing.T, s *stack) {
	r := s.join(t, s.cohort(t, page, 0))
	r.endJoined()
	surveyed := r.history().surveyed
	require.NotZero(t, surveyed)
	r.replaceWorker()
	r.unchanged(func() {
		r.reset("--event-id", strconv.FormatInt(surveyed, 10))
		report, how := r.end()
		require.Equal(t, completed, how)
		require.Equal(t, page, report.Counts[membership.Already], tally(report))
	})
}
