package alibabanodepool_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

func findContainerNodes(t *testing.T, cluster string) kindtest.Finding {
	return kindtest.Find(t, containerNodePool(t, false), kindtest.ClustersFleet(), membership.Target{Group: "np-workers",
		Params: membership.Params{"cluster": cluster}})
}

func TestInstancesAreFound(t *testing.T) {
	kindtest.FindsInstances(findContainerNodes(t, "c-prod"), "np-workers", "np-others", "np-none")
}

func TestRoomOfNodePools(t *testing.T) {
	f := findContainerNodes(t, "c-prod")
	require.Equal(t, membership.Room{All: 8}, f.Room("np-workers", "np-others"),
		"the pools share what the cluster takes")
	_, err := f.Session.Room(t.Context(), []string{"np-others", "np-none"})
	kindtest.NoGroup(t, err, "np-none")

	refuse := sim.Fault{Match: sim.Match{Action: "DescribeUserQuota"}, Count: 1, Effect: fault.Status, Status: http.StatusForbidden,
		Code: "Forbidden.RAM"}
	_, err = f.Sim.Faults().Add(refuse)
	require.NoError(t, err)
	require.Equal(t, membership.Room{All: membership.NoLimit}, f.Room("np-others"),
		"who may not read the quota may still attach")
	refuse.Status, refuse.Code = http.StatusServiceUnavailable, "ServiceUnavailable"
	_, err = f.Sim.Faults().Add(refuse)
	require.NoError(t, err)
	_, err = f.Session.Room(t.Context(), []string{"np-others"})
	require.Error(t, err, "a limit that could not be read is not none")

	f = findContainerNodes(t, "c-nowhere")
	var bad *membership.BadInput
	require.ErrorAs(t, f.Failure(membership.Query{Name: "*"}), &bad)
	require.ErrorContains(t, bad, `params.cluster: "c-nowhere": does not exist`)
}

// What cannot be read of one page, cluster or type is not taken for nobody.
func TestFindingFails(t *testing.T) {
	for _, action := range []string{"DescribeInstances", "DescribeClusterNodes"} {
		f := findContainerNodes(t, "c-prod")
		_, err := f.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: action}, Nth: 2, Effect: fault.Status, Status: 503})
		require.NoError(t, err)
		require.Error(t, f.Failure(membership.Query{Name: "*"}), action)
	}
}
