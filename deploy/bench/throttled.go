package main

import (
	"context"
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// throttledSection asks how much of what a cloud grants is used by a worker that must find out how much that is.
func throttledSection(ctx context.Context, b *bed, size sizes) (Table, error) {
	t := Table{
		Setup: []string{
			"Fleet: as in scale, on a worker that is told nothing about limits. Calls and transitions take no time, but the cloud",
			fmt.Sprintf("takes %g calls a second: adds, or calls of all sorts. The others it refuses, and does not say for how long.", size.granted),
			"What was not used stays granted for a second, as with clouds that count by the second; in the strict one for no",
			"longer than one call. No limiter uses that up without many refusals, so what is asked of that row is that it ends well.",
		},
		Against: "× the time that the cloud takes to grant the calls",
	}
	loose, strict := world.Rate{PerSecond: size.granted, Burst: int(size.granted)}, world.Rate{PerSecond: size.granted, Burst: 1}
	adds := func(r world.Rate) world.Throttle {
		return world.Throttle{Actions: map[string]world.Rate{"AddServerGroupMember": r}}
	}
	for _, c := range []struct {
		name     string
		throttle world.Throttle
		claimed  bool
	}{
		{"adds throttled", adds(loose), true},
		{"all throttled", world.Throttle{Rate: loose}, true},
		{"adds, strictly", adds(strict), false},
	} {
		f := size.throttled
		f.throttle = c.throttle
		rows, runs, err := b.compare(ctx, 1, entry{sized(c.name, f), f,
			b.fleet(manner{pace: size.pace, cohorts: size.cohorts, learning: true})})
		if err != nil {
			return t, err
		}
		granted := f.members() // each is added with one call
		if f.throttle.PerSecond > 0 {
			granted = runs[0].granted
		}
		rows[0].Ratio = rows[0].Seconds / (float64(granted) / size.granted)
		t.Rows = append(t.Rows, rows[0])
		if c.claimed {
			t.Claims = append(t.Claims, atMost("wall time over that of the calls alone, "+c.name, rows[0].Ratio, 1.1))
		}
	}
	return t, nil
}
