package main

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
)

// Downtime is how long a variant's members were off, against how long each had to be.
type Downtime struct {
	Off   Spread `json:"offSeconds"` // simulated, from the accepted stop until the server is active again
	Own   Spread `json:"ownSeconds"` // simulated, what the member's own stop, add and start take
	Ratio Spread `json:"offOverOwn"` // member by member
}

// Spread is a distribution.
type Spread struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	Max float64 `json:"max"`
}

func newSpread(values []float64) Spread {
	slices.Sort(values)
	at := func(share float64) float64 { return values[max(int(math.Ceil(share*float64(len(values)))), 1)-1] }
	return Spread{P50: at(0.5), P95: at(0.95), Max: at(1)}
}

// late is how long after its effect, in our time, a write may be journalled on a busy machine.
const late = 100 * time.Millisecond

// span is when the writes that moved a member were accepted, in simulated time.
type span struct{ stop, add, start time.Time }

// downtime works out from the accepted writes how long every member of a fleet was off.
func downtime(f fleet, writes []journal.Entry) (*Downtime, error) {
	spans := make(map[string]*span)
	for _, w := range writes {
		if w.Effect != journal.Changed {
			continue
		}
		for _, id := range w.Servers {
			s := spans[id]
			if s == nil {
				s = &span{}
				spans[id] = s
			}
			if err := s.take(w); err != nil {
				return nil, fmt.Errorf("server %s: %w", id, err)
			}
		}
	}
	if len(spans) != f.members() {
		return nil, fmt.Errorf("%d of %d servers were written to", len(spans), f.members())
	}
	skew := time.Duration(f.speed * float64(late))
	var off, own, ratio []float64
	for id, s := range spans {
		stop, add, start := f.own(id)
		// The cloud refuses an add before the stop is over and a start before the add is: then own is not what it was.
		if s.add.Sub(s.stop) < stop-skew || s.start.Sub(s.add) < add-skew {
			return nil, fmt.Errorf("server %s was quicker than its operations: added %v after the stop, which takes %v, and "+
				"started %v after the add, which takes %v", id, s.add.Sub(s.stop), stop, s.start.Sub(s.add), add)
		}
		must := (stop + add + start).Seconds()
		was := s.start.Add(start).Sub(s.stop).Seconds()
		off, own, ratio = append(off, was), append(own, must), append(ratio, was/must)
	}
	return &Downtime{Off: newSpread(off), Own: newSpread(own), Ratio: newSpread(ratio)}, nil
}

// take notes an accepted write. Two of a sort would mean that the member was stopped or started again.
func (s *span) take(w journal.Entry) error {
	at, ok := map[string]*time.Time{"BatchStopServers": &s.stop, "AddServerGroupMember": &s.add, "BatchStartServers": &s.start}[w.Action]
	switch {
	case !ok:
		return fmt.Errorf("%s was not to be sent", w.Action)
	case !at.IsZero():
		return fmt.Errorf("%s was accepted twice", w.Action)
	}
	*at = w.At
	return nil
}
