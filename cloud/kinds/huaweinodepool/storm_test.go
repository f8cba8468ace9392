package huaweinodepool_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

// Whatever dies and whatever is lost, no machine has its system installed more than once, although this cluster would do
// it as often as it is asked.
func TestNodePoolInStorms(t *testing.T) {
	t.Parallel()
	const mishaps = 1000
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	subject := huaweiNodePool(t)
	calm := subject.World
	subject.World = func(n int) sim.World {
		w := calm(n)
		// Longer than the kind takes for possible: then only the server itself tells that it was wiped.
		w.Huawei.CCE.Appear = clock.Range{Max: 150 * time.Second}
		return w
	}
	for run, had := 0, 0; had < mishaps; run++ {
		machines := 3
		if run%20 == 0 {
			machines = membership.ByName + 5
		}
		ok := t.Run(fmt.Sprint(run), func(t *testing.T) {
			kindtest.Bubble(t, subject, machines, func(r *kindtest.Rig) {
				r.Storm(random, 3+random.IntN(6), random.IntN(3))
				req := subject.Request(r.Sim)
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				require.Equal(r, machines, report.Counts[membership.Joined], "seed %d: %+v", seed, report)
				for _, id := range req.Members {
					server, _ := r.Sim.Server(id)
					require.Equal(r, 2, server.OSGeneration, "seed %d: %s, installed once before the run and once by it", seed, id)
				}
				require.Positive(r, r.Mishaps())
				had += r.Mishaps()
			})
		})
		if !ok {
			return
		}
	}
}
