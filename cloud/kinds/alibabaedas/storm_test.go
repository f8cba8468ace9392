package alibabaedas_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
)

// Whatever dies and whatever is lost, nobody is imported more than once, although this cluster would do it as often as it
// is asked: the system is installed once by the import and, where that fails, once more to give the old one back.
func TestEDASInStorms(t *testing.T) {
	for name, c := range map[string]struct {
		params  membership.Params
		mishaps int
	}{"by agent": {byAgent, 100}, "by import": {byImport, 1000}, "with backup": {withBackup, 200}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := edas(t, c.params)
			calm := s.World
			s.World = func(n int) sim.World {
				w := calm(n)
				// Longer than the kind takes for possible: then only the instance itself tells, and that EDAS does not offer it.
				w.Alibaba.EDAS.Appear = clock.Range{Max: 150 * time.Second}
				return w
			}
			kindtest.Storms(t, s, c.mishaps, joinInStorm)
		})
	}
}

// joinInStorm runs one join, in which an import may fail, and returns how many mishaps it had.
func joinInStorm(r *kindtest.Rig, random *rand.Rand) int {
	req := r.Subject.Request(r.Sim)
	imported := req.Params["route"] == "reimage"
	unlucky := -1
	if req.Params["backup"] == true && random.IntN(3) == 0 {
		unlucky = 1
		_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "InsertClusterMember", Server: req.Members[unlucky]},
			Effect: fault.JobFail, Code: "ImportFailed"})
		require.NoError(r, err)
	}
	r.Storm(random, 3+random.IntN(6), random.IntN(3))
	report, err := r.Run(membership.Join, req)
	require.NoError(r, err)
	for i, id := range req.Members {
		instance, _ := r.Sim.Instance(id)
		want, installed := membership.Joined, 1
		if imported {
			require.Equal(r, 1, imports(r, id), "imports of %s", id)
			installed++
		}
		if i == unlucky {
			want = membership.RolledBack
			installed++ // by the restore
			require.True(r, kindtest.HasItsSystem(r.Sim, instance), "%+v", instance)
		}
		require.Equal(r, want, report.Members[i].Outcome, "%+v", report.Members[i])
		require.Equal(r, []any{installed, "Running", false}, []any{instance.OSGeneration, instance.Status, instance.Busy}, id)
	}
	return r.Mishaps()
}

// imports counts how often an instance was truly imported.
func imports(r *kindtest.Rig, id string) (n int) {
	for _, e := range r.Sim.Journal().Entries() {
		if e.Action == "InsertClusterMember" && e.Effect == journal.Changed && e.Servers[0] == id {
			n++
		}
	}
	return n
}
