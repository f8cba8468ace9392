package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// newCloud is spawnCloud and fill in this process.
func newCloud(t *testing.T, f fleet, clock *sim.Clock) (*cloud, *sim.Sim) {
	t.Helper()
	s, err := sim.New(sim.Options{Clock: clock})
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, err := fill(t.Context(), server.URL, f, t.TempDir())
	require.NoError(t, err)
	return c, s
}

// rehearsed runs a workflow for every page as durable does, without a Temporal server.
func rehearsed(t *testing.T, size sizes, workflow string, input func(page) []any) variant {
	return func(ctx context.Context, c *cloud) (measured, error) {
		for _, p := range c.pages {
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			env.SetTestTimeout(time.Minute)
			require.NoError(t, register(ctx, env, c, nil, size.pace))
			env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, "", workflows.SignalRelease, mock.Anything).Return(nil)
			env.OnUpsertTypedSearchAttributes(mock.Anything).Return(nil)
			env.ExecuteWorkflow(workflow, input(p)...)
			if err := env.GetWorkflowError(); err != nil {
				return measured{}, err
			}
		}
		return measured{seconds: 1}, nil
	}
}

// Every variant moves the whole fleet, with one accepted write of each sort for every server.
func TestVariantsDoTheSameWork(t *testing.T) {
	t.Parallel()
	size := small()
	for name, do := range map[string]variant{
		"script": bare(size.pace, allAtOnce),
		"engine": rehearsed(t, size, workflows.TypeJoin, plan),
		"baseline": rehearsed(t, size, typeBaseline, func(p page) []any {
			return []any{p, size.pace.Poll.Std()}
		}),
		"barrier": rehearsed(t, size, typeBarrier, func(p page) []any { return []any{p} }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := size.downtime
			f.speed *= 10
			c, _ := newCloud(t, f, nil)
			m, err := c.run(t.Context(), do)
			require.NoError(t, err)
			d, err := downtime(f, m.writes)
			require.NoError(t, err)
			require.Greater(t, d.Ratio.P50, 1.0)
			row := newRow(entry{name: name, fleet: f}, m)
			require.Equal(t, f.members(), row.Members)
			require.Greater(t, row.Calls, 1.0, "an add for every member, and more")
		})
	}
}

func TestWorkLeftUndoneIsNoticed(t *testing.T) {
	t.Parallel()
	c, _ := newCloud(t, small().slow, nil)
	_, err := c.run(t.Context(), func(context.Context, *cloud) (measured, error) { return measured{}, nil })
	require.ErrorContains(t, err, "was to run in")
}

// What own tells of the simulator's inside is so.
func TestOwnTimesAreTheSimulators(t *testing.T) {
	t.Parallel()
	f := small().downtime
	clock := sim.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	c, s := newCloud(t, f, clock)
	clock.SetSpeed(0) // the fleet's world has set it
	ecs, err := c.dial(t.Context(), boundless)
	require.NoError(t, err)
	p := c.pages[0]
	id := p.Members[0]
	stop, add, start := f.own(id)
	for _, step := range []struct {
		takes time.Duration
		send  func() error
	}{
		{stop, func() error { _, err := ecs.StopServers(t.Context(), []string{id}, false); return err }},
		{add, func() error { return ecs.AddMember(t.Context(), p.Group, id) }},
		{start, func() error { _, err := ecs.StartServers(t.Context(), []string{id}); return err }},
	} {
		require.NoError(t, step.send())
		clock.Advance(step.takes - 1)
		now, _ := s.Server(id)
		require.True(t, now.Busy, "not yet")
		clock.Advance(1)
		now, _ = s.Server(id)
		require.False(t, now.Busy, "now")
	}
}

func TestDowntimeWantsOneWriteOfEachSort(t *testing.T) {
	t.Parallel()
	f := small().downtime
	f.pages, f.size = 1, 1
	_, pages := f.world()
	id := pages[0].Members[0]
	stop, add, start := f.own(id)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	write := func(action string, after time.Duration) journal.Entry {
		return journal.Entry{Action: action, At: begin.Add(after), Servers: []string{id}, Effect: journal.Changed, Write: true}
	}
	early := write("AddServerGroupMember", stop)
	early.Effect = journal.Refused
	writes := []journal.Entry{write("BatchStopServers", 0), early, write("AddServerGroupMember", stop+time.Second),
		write("BatchStartServers", stop+add+2*time.Second)}
	d, err := downtime(f, writes)
	require.NoError(t, err)
	require.InDelta(t, (stop + add + start + 2*time.Second).Seconds(), d.Off.P50, 1e-6)
	require.InDelta(t, (stop + add + start).Seconds(), d.Own.Max, 1e-6)
	require.InDelta(t, d.Off.P50/d.Own.P50, d.Ratio.P95, 1e-6)

	_, err = downtime(f, append(writes, write("BatchStopServers", time.Hour)))
	require.ErrorContains(t, err, "accepted twice")
	_, err = downtime(f, []journal.Entry{writes[0], write("AddServerGroupMember", stop-3*time.Second), writes[3]})
	require.ErrorContains(t, err, "quicker than its operations")
	_, err = downtime(f, nil)
	require.ErrorContains(t, err, "0 of 1 servers")
}

func TestSpread(t *testing.T) {
	t.Parallel()
	var values []float64
	for i := 100; i > 0; i-- {
		values = append(values, float64(i))
	}
	require.Equal(t, Spread{P50: 50, P95: 95, Max: 100}, newSpread(values))
	require.Equal(t, Spread{P50: 7, P95: 7, Max: 7}, newSpread([]float64{7}))
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := Report{Machine: Machine{Cores: 2}, Tables: []Table{{Section: "engine", Against: "× baseline",
		Rows:   []Row{{Variant: "naive", Members: 3, Downtime: &Downtime{Ratio: Spread{P95: 1.25}}}},
		Claims: []Claim{atLeast("speed", 49, 50), atMost("events", 0.5, 0.5)}}}}
	var text bytes.Buffer
	require.NoError(t, r.text(&text))
	for _, want := range []string{"2 cores", "ENGINE", "naive", "× baseline", "1.250",
		"speed: 49, claimed ≥ 50: DOES NOT HOLD", "events: 0.5, claimed ≤ 0.5: holds"} {
		require.Contains(t, text.String(), want)
	}
	var data bytes.Buffer
	require.NoError(t, r.json(&data))
	var back Report
	require.NoError(t, json.Unmarshal(data.Bytes(), &back))
	require.Equal(t, r, back)
	r.withoutClaims()
	require.Empty(t, r.Tables[0].Claims)
}

func TestSectionsAreChosenByName(t *testing.T) {
	t.Parallel()
	chosen, err := choose("downtime,engine")
	require.NoError(t, err)
	require.Len(t, chosen, 2)
	require.Equal(t, "engine", chosen[0].name, "always in the same order")
	var stderr bytes.Buffer
	require.Equal(t, 2, command(t.Context(), []string{"-only", "speed"}, nil, io.Discard, &stderr))
	require.Contains(t, stderr.String(), `"speed": want engine, overhead, downtime`)
}

// TestMain lets the test binary be the simulator, as the bench is its own.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "-"+simulateFlag {
		os.Exit(command(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func TestSimulatorIsAProcessOfItsOwn(t *testing.T) {
	t.Parallel()
	url, stop, err := spawnCloud(t.Context())
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(url, "http://127.0.0.1:"), url)
	f := small().slow
	f.speed = 100
	c, err := fill(t.Context(), url, f, t.TempDir())
	require.NoError(t, err)
	_, err = c.run(t.Context(), bare(small().pace, allAtOnce))
	require.NoError(t, err)
	require.NoError(t, stop())
}
