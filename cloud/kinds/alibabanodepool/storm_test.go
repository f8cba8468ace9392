package alibabanodepool_test

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
)

// Whatever dies and whatever is lost, no machine has its system installed more than once, although this cluster would do
// it as often as it is asked.
func TestContainerNodePoolInStorms(t *testing.T) {
	t.Parallel()
	s := containerNodePool(t, false)
	kindtest.Storms(t, s, 1000, func(r *kindtest.Rig, random *rand.Rand) int {
		r.Storm(random, 3+random.IntN(6), random.IntN(3))
		req := s.Request(r.Sim)
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Equal(r, len(req.Members), report.Counts[membership.Joined], "%+v", report)
		for _, id := range req.Members {
			i, _ := r.Sim.Instance(id)
			require.Equal(r, 2, i.OSGeneration, "%s: installed once before the run and once by it", id)
		}
		return r.Mishaps()
	})
}

// What was wiped in vain is given back from its snapshot, in any storm: installed once by the cluster and once by the
// restore, and never more.
func TestWhatWasWipedIsGivenBackInStorms(t *testing.T) {
	t.Parallel()
	s := containerNodePool(t, true)
	kindtest.Storms(t, s, 100, func(r *kindtest.Rig, random *rand.Rand) int {
		req := s.Request(r.Sim)
		unlucky := req.Members[1]
		_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "AttachInstances", Server: unlucky}, Effect: fault.JobFail,
			Code: "InstallFailed"})
		require.NoError(r, err)
		r.Storm(random, 3+random.IntN(6), random.IntN(3)) // after it, since of two faults the first decides
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Equal(r, membership.RolledBack, report.Members[1].Outcome, "%+v", report)
		require.Equal(r, len(req.Members)-1, report.Counts[membership.Joined], "%+v", report)
		for _, id := range req.Members {
			i, _ := r.Sim.Instance(id)
			require.Equal(r, []any{"Running", false}, []any{i.Status, i.Busy}, id)
			require.Equal(r, id == unlucky, kindtest.HasItsSystem(r.Sim, i), id)
			require.Equal(r, 2+map[bool]int{true: 1}[id == unlucky], i.OSGeneration, id)
		}
		return r.Mishaps()
	})
}

// An abort in the middle ends with the truth, whenever it comes, also while nobody can see yet that a system is being
// replaced: who is rolled back is no node and never becomes one, and has its system.
func TestAnAbortedAttach(t *testing.T) {
	s := containerNodePool(t, true)
	slow := s.World
	s.World = func(n int) sim.World {
		w := slow(n)
		w.Alibaba.Containers.Appear = clock.Range{Min: 3 * time.Minute, Max: 4 * time.Minute}
		return w
	}
	const approved = time.Minute
	for after := approved; after < approved+6*time.Minute; after += 20 * time.Second {
		t.Run(after.String(), func(t *testing.T) {
			kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
				req := s.Request(r.Sim)
				r.Later(after, membership.ControlAbort, membership.Control{By: "bob"})
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				time.Sleep(time.Hour) // virtual time, for whatever is still to come
				for _, m := range report.Members {
					i, _ := r.Sim.Instance(m.ID)
					_, in := r.Sim.ContainerNode(m.ID)
					require.Equal(r, m.Outcome == membership.Joined, in, "%+v", m)
					require.Contains(r, []membership.Outcome{membership.Joined, membership.RolledBack, membership.NotStarted}, m.Outcome, "%+v", m)
					require.Equal(r, []any{"Running", !in}, []any{i.Status, kindtest.HasItsSystem(r.Sim, i)}, "%+v", m)
				}
			})
		})
	}
}
