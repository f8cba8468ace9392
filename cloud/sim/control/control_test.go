package control_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/control"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestASimulatorElsewhereIsControlled(t *testing.T) {
	s, err := sim.New(sim.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	plane, ctx := control.Plane(server.URL), t.Context()

	w := world.World{}
	w.Huawei.Groups = []world.Group{{Name: "web"}}
	require.NoError(t, plane.Do(ctx, http.MethodPut, "world", w, nil))
	got, err := plane.World(ctx)
	require.NoError(t, err)
	require.Len(t, got.Huawei.Groups, 1)

	_, err = http.Get(server.URL + "/v1/p/cloudservers/x")
	require.NoError(t, err)
	all, seq, err := plane.Journal(ctx, "")
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, all[0].Seq, seq)
	writes, newest, err := plane.Journal(ctx, "writes=true")
	require.NoError(t, err)
	require.Empty(t, writes)
	require.Equal(t, seq, newest)
}

// What the control plane refuses is not taken for done.
func TestARefusalIsAnErrorWithItsWords(t *testing.T) {
	s, err := sim.New(sim.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	plane := control.Plane(server.URL)
	err = plane.Do(t.Context(), http.MethodPost, "faults", fault.Rule{Effect: "magic"}, nil)
	require.ErrorContains(t, err, "POST "+server.URL+"/_sim/faults: 400 Bad Request: ")
	require.ErrorContains(t, err, "magic")
	require.ErrorContains(t, plane.Do(t.Context(), http.MethodDelete, "faults/none", nil, nil), `"none" is no fault rule`)
	server.Close()
	require.Error(t, plane.Do(t.Context(), http.MethodGet, "health", nil, nil))
}
