package chaos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// joinInTrouble starts a run in which some adds fail and, of every twenty members, one cannot be started again.
func (s *stack) joinInTrouble(t *testing.T, size int) *run {
	t.Helper()
	c := s.cohort(t, size, size/20)
	s.failingAdds(t, c)
	return s.join(t, c)
}

// endInTrouble wants the unlucky ones and the one with the failing add back where they were, and most of the others in.
func (r *run) endInTrouble() {
	r.t.Helper()
	report, how := r.end()
	require.Equal(r.t, rolledBack, how)
	outcomes := make(map[string]membership.Outcome)
	for _, m := range report.Members {
		outcomes[m.ID] = m.Outcome
	}
	for _, id := range append([]string{r.members[len(r.members)-1]}, r.unlucky...) {
		require.Equal(r.t, membership.RolledBack, outcomes[id], id)
	}
	require.Greater(r.t, report.Counts[membership.Joined], len(r.members)/2, tally(report))
	require.Equal(r.t, len(r.members), report.Counts[membership.Joined]+report.Counts[membership.RolledBack], tally(report))
}

// workerKilled kills a worker at each of the moments.
func workerKilled(t *testing.T, s *stack, size int, moments []moment) {
	r := s.joinInTrouble(t, size)
	for _, m := range moments {
		r.await(m)
		r.killWorker()
	}
	r.endInTrouble()
}

// temporalKilled kills the server in the middle of the adds. What it had said to have taken is in its file.
func temporalKilled(t *testing.T, s *stack) {
	r := s.joinInTrouble(t, page)
	r.await(moment{add, 0.3})
	s.temporal.kill()
	r.blow = time.Now()
	s.startTemporal(t)
	r.endInTrouble()
}

// simulatorKilled kills the cloud in the middle of the adds, answers under way and all.
func simulatorKilled(t *testing.T, s *stack) {
	r := s.joinInTrouble(t, page)
	r.await(moment{add, 0.3})
	s.sim.kill()
	r.blow = time.Now()
	s.startSimulator(t)
	r.endInTrouble()
}
