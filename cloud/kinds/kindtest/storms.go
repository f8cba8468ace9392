package kindtest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

// Storms runs f in worlds in which nodes take their time to be seen, until that many deaths and lost replies have come
// together. f runs something in a storm of its own and returns how much it had to bear.
func Storms(t *testing.T, s Subject, mishaps int, f func(r *Rig, random *rand.Rand) int) {
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
			Bubble(t, s, machines, func(r *Rig) {
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
