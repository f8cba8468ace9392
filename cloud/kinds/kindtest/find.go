package kindtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// Finding is a session of a kind on a world of its own.
type Finding struct {
	*testing.T
	Sim     *sim.Sim
	Session membership.Session
}

// Find opens a session on a world of its own.
func Find(t *testing.T, s Subject, text string, target membership.Target) Finding {
	t.Helper()
	w, err := sim.ParseWorld([]byte(text))
	require.NoError(t, err)
	world, err := sim.New(sim.Options{World: w, Clock: sim.NewManualClock(time.Unix(0, 0))})
	require.NoError(t, err)
	t.Cleanup(func() { _ = world.Close() })
	target.Account = "demo"
	session, err := s.Kind(world.RoundTripper()).Open(t.Context(), target)
	require.NoError(t, err)
	return Finding{t, world, session}
}

// Names returns the names of those found, sorted.
func (f Finding) Names(q membership.Query) []string {
	f.Helper()
	var names []string
	for _, m := range f.Found(q) {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	return names
}

func (f Finding) Found(q membership.Query) (all []membership.Found) {
	f.Helper()
	require.NoError(f, f.Session.Find(f.Context(), q, func(m membership.Found) error {
		all = append(all, m)
		return nil
	}))
	return all
}

func (f Finding) Failure(q membership.Query) error {
	return f.Session.Find(f.Context(), q, func(membership.Found) error { return nil })
}

func (f Finding) Room(groups ...string) membership.Room {
	f.Helper()
	room, err := f.Session.Room(f.Context(), groups)
	require.NoError(f, err)
	return room
}

// NoGroup wants an error that names a group that does not exist.
func NoGroup(t *testing.T, err error, id string) {
	t.Helper()
	var bad *membership.BadInput
	require.ErrorAs(t, err, &bad)
	require.Contains(t, err.Error(), fmt.Sprintf("%q: does not exist", id))
}

// Server returns the id of a server by its name.
func (f Finding) Server(name string) string {
	f.Helper()
	for _, s := range f.Sim.World().Huawei.Servers {
		if s.Name == name {
			return s.ID
		}
	}
	f.Fatalf("there is no server %s", name)
	return ""
}

// FindingFails wants a failure in the middle to end the reading, after the hundred of the first page.
func FindingFails(t *testing.T, f Finding, action string) {
	_, err := f.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: action}, Nth: 2, Effect: fault.Status, Status: 503})
	require.NoError(t, err)
	found := 0
	err = f.Session.Find(t.Context(), membership.Query{Name: "*"}, func(membership.Found) error {
		found++
		return nil
	})
	require.Error(t, err)
	require.Equal(t, 100, found)
}
