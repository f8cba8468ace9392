package huaweinodepool_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// CCE takes ten writes a minute and 200 servers in each: a page is one call, there and back, and DeleteNode, which would
// destroy the servers, is never among them.
func TestAPageOfNodesIsOneCall(t *testing.T) {
	s := huaweiNodePool(t)
	kindtest.Bubble(t, s, membership.MaxMembers, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Equal(r, membership.MaxMembers, report.Counts[membership.Joined])
		require.Len(r, r.Votes, 1, "somebody had to approve it")
		report, err = r.Run(membership.Leave, req)
		require.NoError(r, err)
		require.Equal(r, membership.MaxMembers, report.Counts[membership.Left])
		require.Equal(r, []string{"AddNodesToNodePool", "RemoveNode"}, r.WriteCalls())
		for _, server := range r.Sim.Servers() {
			require.Equal(r, []any{"ACTIVE", 3}, []any{server.Status, server.OSGeneration})
		}
	})
}

// A node that is never installed is nobody's but a person's: it is neither sent again nor undone.
func TestAStuckNodeWaitsForAPerson(t *testing.T) {
	s := huaweiNodePool(t)
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "AddNodesToNodePool", Server: req.Members[1]}, Effect: fault.Stuck})
		require.NoError(r, err)
		r.Later(2*time.Hour, membership.ControlSkip, membership.Control{By: "bob", Reason: "a ticket is open"})
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Equal(r, 2, report.Counts[membership.Joined])
		m := report.Members[1]
		require.Equal(r, []string{string(membership.Skipped), "add", "node-stuck"}, []string{string(m.Outcome), m.Stage, m.Code}, "%+v", m)
		require.Equal(r, []string{"AddNodesToNodePool"}, r.WriteCalls())
	})
}

// Jobs are hints: a cloud that has forgotten all of them tells enough.
func TestNodesWithoutJobs(t *testing.T) {
	s := huaweiNodePool(t)
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "ShowJob"}, Effect: fault.Status, Status: 404, Code: "CCE.01404001"})
		require.NoError(r, err)
		report, err := r.Run(membership.Join, s.Request(r.Sim))
		require.NoError(r, err)
		require.Equal(r, 3, report.Counts[membership.Joined])
		require.Equal(r, []string{"AddNodesToNodePool"}, r.WriteCalls())
	})
}

// A removal of many that the cloud refuses since one of them is gone is sent for each of the others alone.
func TestARemovalThatOneHasMissed(t *testing.T) {
	s := huaweiNodePool(t)
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		_, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		_, err = r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "RemoveNode"}, Effect: fault.Status, Status: 404,
			Code: "CCE.01404001", Count: 1})
		require.NoError(r, err)
		report, err := r.Run(membership.Leave, req)
		require.NoError(r, err)
		require.Equal(r, 3, report.Counts[membership.Left])
		require.Len(r, r.WriteCalls(), 1+1+3)
	})
}

// A cluster that is there has nodes, or a list of none; who is one is not taken for gone by an answer that contradicts
// that.
func TestACloudThatContradictsItselfAboutNodes(t *testing.T) {
	s := huaweiNodePool(t)
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		_, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		_, err = r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "ListNodes"}, Effect: fault.Status, Status: 404,
			Code: "CCE.01404001", Count: 1})
		require.NoError(r, err)
		report, err := r.Run(membership.Leave, req)
		require.NoError(r, err)
		require.Equal(r, 3, report.Counts[membership.Left], "%+v", report)
	})
}

// The example that people begin with ends as it says.
func TestTheExampleOfNodePools(t *testing.T) {
	data, err := os.ReadFile("plan.yaml")
	require.NoError(t, err)
	var plan fleet.Plan
	require.NoError(t, yaml.UnmarshalStrict(data, &plan))
	req := membership.Request{Kind: plan.Kind, Account: plan.Account, Group: plan.Group, Members: plan.Members, Params: plan.Params}
	s := huaweiNodePool(t)
	calm := s.World
	s.World = func(int) sim.World {
		w := calm(1)
		w.Huawei.Generate = nil
		w.Huawei.Clusters = []world.Cluster{{ID: req.Params["cluster"].(string), NodePools: []world.NodePool{
			{ID: req.Group, Flavor: "c7.large.2", Members: []string{req.Members[1]}}}}}
		for _, id := range req.Members {
			w.Huawei.Servers = append(w.Huawei.Servers, world.Server{ID: id, Flavor: "c7.large.2"})
		}
		w.Huawei.Servers[2].Status, w.Huawei.Servers[2].Zone = "SHUTOFF", "az2"
		return w
	}
	kindtest.Bubble(t, s, 0, func(r *kindtest.Rig) {
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		var outcomes []membership.Outcome
		for _, m := range report.Members {
			outcomes = append(outcomes, m.Outcome)
		}
		require.Equal(r, []membership.Outcome{membership.Joined, membership.Already, membership.Refused}, outcomes)
		refused := report.Members[2]
		require.Equal(r, "server-status", refused.Code)
		require.True(r, slices.ContainsFunc(refused.Also, func(o membership.Objection) bool { return o.Code == "zone" }))
	})
}
