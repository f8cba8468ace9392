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
		},
		Against: "× the time that the cloud takes to grant the calls",
	}
	rate := world.Rate{PerSecond: size.granted, Burst: 1}
	for _, c := range []struct {
		name     string
		throttle world.Throttle
	}{
		{"adds throttled", world.Throttle{Actions: map[string]world.Rate{"AddServerGroupMember": rate}}},
		{"all throttled", world.Throttle{Rate: rate}},
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
		t.Claims = append(t.Claims, atMost("wall time over that of the calls alone, "+c.name, rows[0].Ratio, 1.1))
	}
	return t, nil
}
