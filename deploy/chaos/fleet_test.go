package chaos

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// killedAtEachStep kills the worker at each of the steps that a fleet has beside its cohorts': while it finds the members,
// looks at them, waits at its gate, rests between two waves and looks whether the first one's members are as they were left,
// and in the middle of the second. All join in the end.
func killedAtEachStep(t *testing.T, s *stack) {
	r := s.start(t, s.cohort(t, page, 0), func(p *fleet.Plan) {
		p.Canary, p.Soak, p.Approval = 20, fleet.Duration(3*time.Second), &fleet.Approval{}
	})
	r.replaceWorker() // at once: it may have begun to find the members, or not
	r.awaitPhase(membership.Awaiting)
	r.replaceWorker()
	r.vote(membership.ControlApprove)
	r.awaitPhase(membership.Running)
	r.replaceWorker()
	r.awaitPhase(membership.Resting)
	r.replaceWorker()
	r.awaitWave("wave 1")
	r.replaceWorker()
	r.endJoined()
}

// killedRollingBack kills the worker while a fleet whose budget is spent puts back what had joined.
func killedRollingBack(t *testing.T, s *stack) {
	c := s.cohort(t, handful, 0)
	s.cloud.fault(t, fault.Rule{Match: fault.Match{Action: actionAdd, Server: c.members[len(c.members)-1]}, Effect: fault.Status,
		Status: 400, Code: "Ecs.0022", Message: "Insufficient ECS group quota."})
	r := s.start(t, c, func(p *fleet.Plan) {
		p.Waves = []fleet.Share{{Percent: 50}, {Percent: 100}}
		p.Budget = &fleet.Budget{Failures: fleet.Share{Count: handful}, Then: fleet.ThenRollBackFleet}
	})
	r.awaitWave("wave 2")
	r.cli("workflow", "update", "execute", "--name", membership.ControlAbort, "--input", `{"by":"chaos","reason":"enough","then":"roll-back"}`)
	r.await(moment{remove, 0.2})
	r.replaceWorker()
	report := r.endCancelled()
	require.Zero(t, report.Counts[membership.Joined], tally(report))
}

// awaitWave waits until a wave runs.
func (r *run) awaitWave(name string) {
	r.t.Helper()
	eventually(r.t, patience, name, func() error {
		status, err := r.status()
		if err == nil && (status.Wave != name || status.InFlight == 0) {
			err = fmt.Errorf("it is %s in %s: %v", status.Phase, status.Wave, status.Counts)
		}
		return err
	})
}

// vote votes at the gate that is open.
func (r *run) vote(name string) {
	r.t.Helper()
	digest := ""
	eventually(r.t, patience, "the gate's digest", func() error {
		status, err := r.status()
		digest = status.Digest
		return err
	})
	input, err := json.Marshal(membership.Control{By: "a person", Digest: digest})
	require.NoError(r.t, err)
	r.cli("workflow", "signal", "--name", name, "--input", string(input))
}
