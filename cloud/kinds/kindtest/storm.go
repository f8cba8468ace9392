package kindtest

import (
	"math/rand/v2"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// Storm makes the worker die so many times in the runs to come, half of the times at a write and otherwise at any call,
// before the cloud acts or after, and loses the replies to some writes that had their effect.
func (r *Rig) Storm(random *rand.Rand, deaths, lostReplies int) {
	r.Helper()
	c := r.crash
	c.mu.Lock()
	c.again = func() {
		if deaths == 0 {
			c.again = nil
			return
		}
		deaths--
		next := death{step: c.steps + 1 + random.IntN(40), after: random.IntN(2) == 0}
		if random.IntN(2) == 0 { // or at this call, if there is no write before it
			next.step, next.write = c.steps+200, c.writes+1
		}
		c.lay(next)
	}
	c.again()
	c.mu.Unlock()
	if lostReplies == 0 {
		return
	}
	write := true
	rule := sim.Fault{Match: sim.Match{Write: &write}, Effect: fault.DropAfter, Nth: 1 + random.IntN(2), Count: lostReplies}
	if _, err := r.Sim.Faults().Add(rule); err != nil {
		r.Fatal(err)
	}
}

// Mishaps counts what Storm has brought so far: deaths of the worker, and replies that were lost.
func (r *Rig) Mishaps() int {
	n := r.crash.deaths
	for _, e := range r.Sim.Journal().Entries() {
		if e.Write && e.Lost {
			n++
		}
	}
	return n
}
