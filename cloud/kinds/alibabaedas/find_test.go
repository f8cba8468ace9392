package alibabaedas_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

func findEDAS(t *testing.T) kindtest.Finding {
	return kindtest.Find(t, edas(t, byAgent), kindtest.ClustersFleet(), membership.Target{Group: kindtest.EDASProd, Params: byAgent})
}

func TestInstancesAreFound(t *testing.T) {
	kindtest.FindsInstances(findEDAS(t), kindtest.EDASProd, kindtest.EDASOther, "00000000-0000-4000-8000-0000000000e9")
}

func TestClustersOfEDASThatHaveNoInstances(t *testing.T) {
	f := findEDAS(t)
	require.Empty(t, f.Names(membership.Query{In: kindtest.EDASEmpty}))
	var bad *membership.BadInput
	require.ErrorAs(t, f.Failure(membership.Query{Name: "*", NotIn: kindtest.EDASContainers}), &bad)
	require.ErrorContains(t, bad, fmt.Sprintf("group: %q: is a cluster of containers", kindtest.EDASContainers))
	require.Equal(t, membership.Room{All: membership.NoLimit}, f.Room("any"), "no limit is known")
}

// What cannot be read of one page, cluster or type is not taken for nobody.
func TestFindingFails(t *testing.T) {
	for _, action := range []string{"DescribeInstances", "ListClusterMembers"} {
		f := findEDAS(t)
		_, err := f.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: action}, Nth: 2, Effect: fault.Status, Status: 503})
		require.NoError(t, err)
		require.Error(t, f.Failure(membership.Query{Name: "*"}), action)
	}
}
