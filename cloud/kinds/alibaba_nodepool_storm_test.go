package kinds_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// storms runs f in worlds in which nodes take their time to be seen, until that many deaths and lost replies have come
// together. f runs something in a storm of its own and returns how much it had to bear.
func storms(t *testing.T, s kindtest.Subject, mishaps int, f func(r *kindtest.Rig, random *rand.Rand) int) {
	if testing.Short() { // for the race detector, see kindtest
		mishaps /= 10
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	calm := s.World
	s.World = func(n int) sim.World {
		w := calm(n)
		// Longer than the kind takes for possible: then only the system disk tells that the instance was wiped.
		w.Alibaba.Containers.Appear = clock.Range{Max: 150 * time.Second}
		return w
	}
	for run, had := 0, 0; had < mishaps; run++ {
		machines := 3
		if run%20 == 0 {
			machines = membership.ByName + 5
		}
		ok := t.Run(fmt.Sprint(run), func(t *testing.T) {
			kindtest.Bubble(t, s, machines, func(r *kindtest.Rig) {
				n := f(r, random)
				require.Positive(r, n)
				had += n
			})
		})
		if !ok {
			t.Logf("seed %d", seed)
			return
		}
	}
}

// Whatever dies and whatever is lost, no machine has its system installed more than once, although this cluster would do
// it as often as it is asked.
func TestContainerNodePoolInStorms(t *testing.T) {
	t.Parallel()
	s := containerNodePool(t, false)
	storms(t, s, 1000, func(r *kindtest.Rig, random *rand.Rand) int {
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
	storms(t, s, 100, func(r *kindtest.Rig, random *rand.Rand) int {
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
			require.Equal(r, id == unlucky, hasItsSystem(r.Sim, i), id)
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
					require.Equal(r, []any{"Running", !in}, []any{i.Status, hasItsSystem(r.Sim, i)}, "%+v", m)
				}
			})
		})
	}
}

// hasItsSystem reports whether an instance has the system that it had in the beginning, be it that one or one that was made
// from a snapshot of its disk.
func hasItsSystem(s *sim.Sim, i sim.Instance) bool {
	first := world.SystemDiskID(s.World().Seed, i.ID, 1)
	if i.SystemDisk == first {
		return true
	}
	made := s.World().Alibaba.Resources
	image := slices.IndexFunc(made, func(r world.Resource) bool { return r.Type == "image" && r.ID == i.Image })
	return image >= 0 && slices.ContainsFunc(made, func(r world.Resource) bool {
		return r.Type == "snapshot" && r.ID == made[image].Snapshot && r.Disk == first
	})
}
