package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/workflows"
)

func (b *bed) engine(pace membership.Pace) variant {
	return b.durable(pace, workflows.TypeJoin, plan)
}

func (b *bed) baseline(pace membership.Pace) variant {
	return b.durable(pace, typeBaseline, func(p page) []any { return []any{p, pace.Poll.Std()} })
}

func (b *bed) barrier(pace membership.Pace) variant {
	return b.durable(pace, typeBarrier, func(p page) []any { return []any{p} })
}

// engineSection asks what the cohort engine gains over the obvious way to use Temporal.
func engineSection(ctx context.Context, b *bed, size sizes) (Table, error) {
	var naive, engine []entry
	for _, f := range size.baseline {
		naive = append(naive, entry{sized("baseline", f), f, b.baseline(size.pace)})
	}
	for _, f := range size.engine {
		engine = append(engine, entry{sized("engine", f), f, b.engine(size.pace)})
	}
	rows, _, err := b.compare(ctx, 1, naive...)
	if err != nil {
		return Table{}, err
	}
	best := slices.MaxFunc(rows, func(x, y Row) int { return cmp.Compare(x.PerSecond, y.PerSecond) }).PerSecond
	ours, _, err := b.compare(ctx, size.rounds, engine...)
	if err != nil {
		return Table{}, err
	}
	rows = append(rows, ours...)
	busy := 0.0
	for i := range rows {
		rows[i].Ratio = rows[i].PerSecond / best
		busy = max(busy, rows[i].Ratio)
	}
	return Table{
		Setup: []string{
			"Baseline: a child workflow per member, an activity per step, a timer per wait. Engine: a workflow per page.",
			fmt.Sprintf("All start everything at once and look every %s. %s", size.pace.Poll.Std(), behaviour(engine[0].fleet)),
			"A handful of pages does little but wait, and waits are the same for everybody; what counts is what each reaches",
			"when it is busy. The baseline is busy with few members: more of them make it no faster, as its rows show.",
			fmt.Sprintf("Engine: median of %d.", size.rounds),
		},
		Against: "× best baseline",
		Rows:    rows,
		Claims: []Claim{
			atLeast("members a second, busy, over the baseline's", busy, 50),
			atMost("history events per member, waits of seconds", ours[0].Events, 0.5),
		},
	}, nil
}

// overheadSection asks what durability costs.
func overheadSection(ctx context.Context, b *bed, size sizes) (Table, error) {
	t := Table{
		Setup: []string{
			"Script: goroutines and no durability. It has the engine's client, batches (100 ids a read, 100 servers a stop or",
			fmt.Sprintf("start), polling (%s) and parallelism (%d pages at once, %d writes at once in each); calls/m shows how",
				size.pace.Poll.Std(), size.prompt.pages, size.pace.Parallel),
			fmt.Sprintf("alike they are. Every call takes %s. Prompt: stops and starts take no time, so nothing hides what the",
				time.Duration(float64(size.prompt.latency.Min)/size.prompt.speed)),
			fmt.Sprintf("engine adds. Slow: %s Median of %d, in turns.", behaviour(size.slow), size.rounds),
		},
		Against: "× script's time",
	}
	for _, c := range []struct {
		name string
		fleet
	}{{"prompt", size.prompt}, {"slow", size.slow}} {
		rows, _, err := b.compare(ctx, size.rounds,
			entry{"script, " + c.name, c.fleet, bare(size.pace, allAtOnce)}, entry{"engine, " + c.name, c.fleet, b.engine(size.pace)})
		if err != nil {
			return t, err
		}
		for i := range rows {
			rows[i].Ratio = rows[i].Seconds / rows[0].Seconds
		}
		t.Rows = append(t.Rows, rows...)
		t.Claims = append(t.Claims, atMost("wall time over the script's, "+c.name, rows[1].Ratio, 1.5))
	}
	return t, nil
}

// downtimeSection asks how much longer machines are off than they must be.
func downtimeSection(ctx context.Context, b *bed, size sizes) (Table, error) {
	f := size.downtime
	rows, runs, err := b.compare(ctx, 1, entry{"engine", f, b.engine(size.patient)}, entry{"barrier", f, b.barrier(size.patient)})
	if err != nil {
		return Table{}, err
	}
	for i := range rows {
		if rows[i].Downtime, err = downtime(f, runs[i].writes); err != nil {
			return Table{}, fmt.Errorf("%s: %w", rows[i].Variant, err)
		}
	}
	engine := rows[0]
	return Table{
		Setup: []string{
			"Off: from the accepted stop until the server is active again. Own: what its stop, add and start take in the cloud.",
			"Barrier: a workflow per page, an activity per stage, so that everybody waits for the page's slowest.",
			fmt.Sprintf("Pages: %d × %d. %s", f.pages, f.size, behaviour(f)),
			fmt.Sprintf("Off and own are in simulated seconds, %g to one of ours; everybody looks every %s of ours.",
				f.speed, size.patient.Poll.Std()),
		},
		Rows: rows,
		Claims: []Claim{
			atMost("time off over own time, median", engine.Downtime.Ratio.P50, 1.1),
			atMost("time off over own time, 95th percentile", engine.Downtime.Ratio.P95, 1.15),
			atMost("history events per member, waits of 10 to 60 seconds", engine.Events, 1),
		},
	}, nil
}

func newRow(e entry, m measured) Row {
	n := float64(e.members())
	r := Row{Variant: e.name, Members: e.members(), Seconds: m.seconds, PerSecond: n / m.seconds,
		Events: float64(m.events) / n, Calls: float64(m.calls) / n}
	for _, w := range m.writes {
		if w.Effect != journal.Changed {
			r.InVain += 1 / n
		}
	}
	return r
}

func sized(variant string, f fleet) string {
	return fmt.Sprintf("%s, %d × %d", variant, f.pages, f.size)
}

func behaviour(f fleet) string {
	text := fmt.Sprintf("Stops take %s to %s, starts %s to %s", f.stop.Min, f.stop.Max, f.start.Min, f.start.Max)
	if f.add.Max > 0 {
		text += fmt.Sprintf(", adds %s to %s", f.add.Min, f.add.Max)
	}
	return text + ", at random."
}
