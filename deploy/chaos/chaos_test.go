// Package chaos kills things. A real Temporal server, the simulator and workers run as processes of their own; in the
// middle of a run one of them gets SIGKILL and another takes its place, or a person interferes with the temporal CLI.
// Whatever happens, the run must end as if nothing had, and the simulator's journal must show no needless write and no
// server that was left off. Run it with: make e2e
package chaos

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// atOnce is how many runs share the server and the simulator: mostly they wait for a dead worker to be noticed.
const atOnce = 6

// seedVariable repeats a run of the suite: the world and what goes wrong in it come from the seed.
const seedVariable = "FLEETJOIN_CHAOS_SEED"

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// A handful of members is walked stage by stage, each stage an activity of its own; a page in one lane.
var gaits = map[string]int{"handful": handful, "page": page}

const (
	handful = 20
	page    = 200
)

func TestChaos(t *testing.T) {
	seed := seedOf(t)
	t.Logf("%s=%d", seedVariable, seed)
	s := newStack(t, seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))

	// What all runs share is killed while no other run looks.
	t.Run("the Temporal server is killed", func(t *testing.T) { temporalKilled(t, s) })
	t.Run("the simulator is killed", func(t *testing.T) { simulatorKilled(t, s) })

	together := func(name string, test func(*testing.T, *stack)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
	for gait, size := range gaits {
		for _, stage := range []string{stop, add, start, undo} {
			together(fmt.Sprintf("a worker is killed/%s/%s", gait, stage), func(t *testing.T, s *stack) {
				workerKilled(t, s, size, []moment{{stage, 0.3}})
			})
		}
	}
	moments := []moment{{add, 0.1 + random.Float64()/5}, {add, 0.4 + random.Float64()/5}, {start, 0.2 + random.Float64()/2}}
	together("a worker is killed three times", func(t *testing.T, s *stack) { workerKilled(t, s, page, moments) })
	together("pause and resume", pauseAndResume)
	together("a worker is killed/pausing", killedPausing)
	together("a worker is killed/paused", killedPaused)
	for gait, size := range gaits {
		together("cancel/"+gait, func(t *testing.T, s *stack) { cancelled(t, s, size) })
	}
	together("a worker is killed/cancelling", killedCancelling)
	together("a worker is killed/cancelled between attempts", cancelledBetweenAttempts)
	together("a worker is killed/putting back", killedPuttingBack)
	together("reset to the first task", resetToTheFirstTask)
	together("reset to behind the survey", resetBehindTheSurvey)
	together("a person helps", aPersonHelps)
	together("a worker is killed at each step of a fleet", killedAtEachStep)
	together("a roll-back is killed", killedRollingBack)
}

func seedOf(t *testing.T) int64 {
	text := os.Getenv(seedVariable)
	if text == "" {
		return time.Now().UnixNano() % 1_000_000
	}
	seed, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err, "%s: want a whole number", seedVariable)
	return seed
}
