package kindtest

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

// Costs proves that what a kind says of its costs is what the simulator counts, for all ways to be a member that cost
// differently, by what is particular about them.
func Costs(t *testing.T, ways map[string]Subject) {
	require.NotEmpty(t, ways)
	costsAreOfTheKind(t, ways)
	callsAreForeseen(t, ways)
}

// inStep has everything take the same time for all, so that members that share calls come to them together.
func inStep(s Subject) Subject {
	world := s.World
	s.World = func(n int) sim.World {
		w := world(n)
		h, a := &w.Huawei, &w.Alibaba
		fixed(reflect.ValueOf(h).Elem())
		fixed(reflect.ValueOf(a).Elem())
		h.Latency, a.Latency = clock.Range{}, clock.Range{}
		return w
	}
	return s
}

// fixed makes every range of a world the longest that it can be.
func fixed(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Type() == reflect.TypeFor[clock.Range]():
			f.Set(reflect.ValueOf(clock.Fixed(f.Interface().(clock.Range).Max)))
		case f.Kind() == reflect.Struct:
			fixed(f)
		}
	}
}

// Reads hang on how often members are looked at. All together are foreseen up to a factor of two. An API that is not read
// by each look, as of jobs and flavors, is counted as if it were; no API is read more than three times as often as foreseen.
const (
	readsOfAll = 2
	readsOfOne = 3
)

// The estimate that people see is what the simulator counts. Whether or not members keep together, writes come to neither
// less nor more than was foreseen.
func callsAreForeseen(t *testing.T, ways map[string]Subject) {
	for name, s := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // virtual time, and a world of its own for each
			for _, n := range []int{3, 110} {
				Bubble(t, inStep(s), n, func(r *Rig) {
					for _, op := range operations(s.Request(r.Sim)) {
						for _, c := range callsOf(r, op) {
							require.Equal(r, c.Writes, c.sent, "%s %d: writes of %s", op, n, c.API)
						}
					}
				})
			}
			Bubble(t, s, membership.ByName+5, func(r *Rig) {
				for _, c := range callsOf(r, membership.Join) {
					require.LessOrEqual(r, c.Writes, c.sent, c.API)
					require.GreaterOrEqual(r, c.WritesAtMost, c.sent, c.API)
				}
			})
		})
	}
}

// counted are calls that were foreseen, and how many there were.
type counted struct {
	fleet.APICalls
	sent, read int
}

// callsOf runs an operation with everybody, and counts. No API is called that was not foreseen, and reads are about as many.
func callsOf(r *Rig, op membership.Operation) (all []counted) {
	r.Helper()
	req := r.Subject.Request(r.Sim)
	r.Poll = PollInLife
	from := r.Sim.Journal().Seq()
	report, err := r.Run(op, req)
	require.NoError(r, err)
	require.Equal(r, membership.RunSucceeded, report.Outcome, "%+v", report)
	entries := slices.DeleteFunc(slices.Clone(r.Sim.Journal().Entries()), func(e sim.Entry) bool { return e.Seq <= from })
	kind := r.Subject.Kind(nil)
	load := fleet.NewLoad(PollInLife)
	for _, m := range report.Members {
		was := membership.Member{ID: m.ID, Before: m.Before}
		load.Add(&was, kind.Cost(target(op, req), &was))
	}
	at := make(map[string]int)
	for _, c := range load.Calls(entries[len(entries)-1].At.Sub(entries[0].At)) {
		at[c.API] = len(all)
		all = append(all, counted{APICalls: c})
	}
	for _, e := range entries {
		require.Contains(r, at, e.Action, "%s: a call that was not foreseen", op)
		if c := &all[at[e.Action]]; e.Write {
			c.sent++
		} else {
			c.read++
		}
	}
	foreseen, read := 0, 0
	for _, c := range all {
		foreseen, read = foreseen+c.Reads, read+c.read
		require.LessOrEqual(r, c.read, readsOfOne*c.Reads, "%s: reads of %s", op, c.API)
	}
	require.LessOrEqual(r, read, readsOfAll*foreseen, op)
	require.LessOrEqual(r, foreseen, readsOfAll*read, op)
	return all
}

// What a kind says of its costs is about its own stages and actions.
func costsAreOfTheKind(t *testing.T, ways map[string]Subject) {
	for name, s := range ways {
		world, err := sim.New(sim.Options{World: s.World(1)})
		require.NoError(t, err)
		req, kind := s.Request(world), s.Kind(nil)
		require.NoError(t, world.Close())
		spec := kind.Spec()
		for _, op := range operations(req) {
			c := kind.Cost(target(op, req), &membership.Member{ID: req.Members[0]})
			require.NotEmpty(t, c.Stages, "%s: %s", name, op)
			last := -1
			for _, cost := range c.Stages {
				at := slices.IndexFunc(spec.Stages[op], func(s membership.Stage) bool { return s.Name == cost.Stage })
				require.Greater(t, at, last, "%s: %s has no stage %s, or none there", name, op, cost.Stage)
				last = at
				require.Less(t, cost.Takes, spec.Stages[op][at].Timeout.Std(), "%s: what mostly takes longer than it may", name)
				for _, calls := range cost.Calls {
					require.True(t, !calls.Write || sends(spec, calls), "%s: no action sends %s", name, calls.API)
				}
			}
		}
	}
}

// sends reports whether an action of a kind is such a call.
func sends(spec membership.Spec, calls membership.Calls) bool {
	for _, a := range spec.Actions {
		if strings.Contains(a.Call, calls.API) && a.Batch == calls.Batch {
			return true
		}
	}
	return false
}

// operations are those that a request is for: who is to be moved does not leave.
func operations(r membership.Request) []membership.Operation {
	if r.From != "" {
		return []membership.Operation{membership.Join}
	}
	return []membership.Operation{membership.Join, membership.Leave}
}

func target(op membership.Operation, r membership.Request) membership.Target {
	return membership.Target{Operation: op, Account: r.Account, Group: r.Group, From: r.From, Params: r.Params}
}
