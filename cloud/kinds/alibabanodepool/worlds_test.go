package alibabanodepool_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Every disk is kept, and a system that was wiped in vain comes back from there; data disks are never touched.
func TestWhatWasWipedIsGivenBack(t *testing.T) {
	t.Parallel()
	s := containerNodePool(t, true)
	calm := s.World
	s.World = func(n int) sim.World {
		w := calm(n)
		w.Alibaba.Resources = []world.Resource{{Type: "disk", ID: "d-data", Instance: "node-001"}}
		return w
	}
	kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "AttachInstances"}, Effect: fault.JobFail, Code: "InstallFailed"})
		require.NoError(r, err)
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		m := report.Members[0]
		require.Equal(r, []any{membership.RolledBack, "node-failed"}, []any{m.Outcome, m.Code}, "%+v", m)
		i, _ := r.Sim.Instance(m.ID)
		require.True(r, kindtest.HasItsSystem(r.Sim, i))
		require.Equal(r, []any{"Running", 3}, []any{i.Status, i.OSGeneration})
		require.Equal(r, []string{"CreateSnapshot", "CreateSnapshot", "AttachInstances", "RemoveNodePoolNodes", "CreateImage",
			"StopInstances", "ReplaceSystemDisk", "StartInstances"}, r.WriteCalls())
		kept := 0
		for _, made := range r.Sim.World().Alibaba.Resources {
			if made.Type == "snapshot" {
				kept++
			}
		}
		require.Equal(r, 2, kept)
	})
}

// The cloud lists 1,000 snapshots with a tag; a cohort may have more of them.
func TestMoreIsKeptThanTheCloudListsWithATag(t *testing.T) {
	t.Parallel()
	const nodes, disks = 170, 6
	s := kindtest.InAlibaba(containerNodePool(t, true), func(a *world.Alibaba) {
		a.Generate[0].Count = nodes
		for n := range nodes * (disks - 1) {
			a.Resources = append(a.Resources, world.Resource{Type: "disk", ID: fmt.Sprintf("d-%d", n),
				Instance: fmt.Sprintf("node-%03d", n%nodes+1)})
		}
	})
	kindtest.Bubble(t, s, nodes, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		unlucky := req.Members[nodes-1]
		r.Trouble("AttachInstances", unlucky, sim.Fault{Effect: fault.JobFail, Code: "InstallFailed"})
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Equal(r, nodes-1, report.Counts[membership.Joined], "%+v", report.Counts)
		i, _ := r.Sim.Instance(unlucky)
		require.True(r, kindtest.HasItsSystem(r.Sim, i))
		kept := slices.DeleteFunc(r.WriteCalls(), func(action string) bool { return action != "CreateSnapshot" })
		require.Len(r, kept, nodes*disks, "one of each disk")
	})
}

// Without a snapshot nothing is wiped.
func TestNothingIsWipedWithoutItsSnapshot(t *testing.T) {
	s := containerNodePool(t, true)
	kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "CreateSnapshot"}, Effect: fault.JobFail, Code: "SnapshotFailed"})
		require.NoError(r, err)
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Equal(r, []any{membership.RolledBack, "snapshot-failed"}, []any{report.Members[0].Outcome, report.Members[0].Code})
		require.Equal(r, []string{"CreateSnapshot"}, r.WriteCalls())
	})
}

const objectionableContainers = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  clusters:
  - {id: c-prod, nodePools: [{id: np-workers, members: [i-member]}, {id: np-others, members: [i-others]}, {id: np-going, state: deleting}]}
  - {id: c-other, nodePools: [{id: np-theirs, members: [i-theirs]}]}
  - {id: c-down, state: stopped, nodePools: [{id: np-down}]}
  - {id: c-beijing, region: cn-beijing, nodePools: [{id: np-beijing}]}
  instances:
  - {id: i-fine}
  - {id: i-member}
  - {id: i-others}
  - {id: i-theirs}
  - {id: i-off, status: Stopped}
  - {id: i-new, status: Pending}
  - {id: i-locked, locks: [security]}
  - {id: i-windows, osType: windows}
  - {id: i-vpc2, vpc: vpc-2}
  - {id: i-classic, networkType: classic}
  - {id: i-beijing, region: cn-beijing}
  - {id: i-local}
  - {id: i-loose}
  resources:
  - {type: disk, id: d-local, instance: i-local, category: local_ssd_pro}
  - {type: disk, id: d-loose, instance: i-loose, status: Detaching}
`

// What the plan refuses, from what the cloud itself tells; and then it writes nothing.
func TestObjectionsToContainerNodes(t *testing.T) {
	s := containerNodePool(t, false)
	s.World = func(int) sim.World {
		w, err := sim.ParseWorld([]byte(objectionableContainers))
		require.NoError(t, err)
		return w
	}
	t.Setenv("FLEETJOIN_PASSWORD_WEAK", "weak")
	backups := membership.Params{"backup": true}
	password := func(env string) membership.Params {
		return membership.Params{"passwordFrom": map[string]any{"env": env}}
	}
	for _, c := range []struct {
		cluster, group, member string
		params                 membership.Params
		codes                  []string // all of them; none: nothing is refused
	}{
		{"c-prod", "np-workers", "i-fine", nil, nil},
		{"c-prod", "np-workers", "i-fine", password("FLEETJOIN_PASSWORD_NODES"), nil},
		{"c-prod", "np-workers", "i-local", nil, nil},
		{"c-prod", "np-workers", "i-none", nil, []string{"instance-missing"}},
		{"c-prod", "np-workers", "i-beijing", nil, []string{"instance-missing"}},
		{"c-prod", "np-workers", "i-off", nil, []string{"instance-status"}},
		{"c-prod", "np-workers", "i-new", nil, []string{"instance-busy"}},
		{"c-prod", "np-workers", "i-locked", nil, []string{"instance-locked"}},
		{"c-prod", "np-workers", "i-windows", nil, []string{"not-linux"}},
		{"c-prod", "np-workers", "i-vpc2", nil, []string{"vpc"}},
		{"c-prod", "np-workers", "i-classic", nil, []string{"vpc"}},
		{"c-prod", "np-workers", "i-others", nil, []string{"node-elsewhere"}},
		{"c-prod", "np-workers", "i-theirs", nil, []string{"node-elsewhere"}},
		{"c-prod", "np-workers", "i-local", backups, []string{"disk-local"}},
		{"c-prod", "np-workers", "i-loose", backups, []string{"disk-status"}},
		{"c-prod", "np-workers", "i-fine", password("FLEETJOIN_PASSWORD_WEAK"), []string{"password"}},
		{"c-prod", "np-workers", "i-fine", password("FLEETJOIN_PASSWORD_NONE"), []string{"password"}},
		{"c-prod", "np-going", "i-fine", nil, []string{"pool-state"}},
		{"c-prod", "np-theirs", "i-fine", nil, []string{"pool-missing"}},
		{"c-none", "np-workers", "i-fine", nil, []string{"cluster-missing"}},
		{"c-down", "np-down", "i-off", nil, []string{"cluster-state", "instance-status"}},
		{"c-beijing", "np-beijing", "i-fine", nil, []string{"region"}},
	} {
		t.Run(strings.Join(append(slices.Clone(c.codes), c.cluster, c.group, c.member), " "), func(t *testing.T) {
			kindtest.Bubble(t, s, 0, func(r *kindtest.Rig) {
				params := membership.Params{"cluster": c.cluster}
				maps.Copy(params, c.params)
				report, err := r.Run(membership.Join, membership.Request{Kind: "alibaba.nodepool", Account: "demo",
					Group: c.group, Members: []string{c.member}, Params: params})
				require.NoError(r, err)
				m := report.Members[0]
				if c.codes == nil {
					require.Equal(r, membership.Joined, m.Outcome, "%+v", m)
					return
				}
				codes := []string{m.Code}
				for _, also := range m.Also {
					codes = append(codes, also.Code)
				}
				require.Equal(r, membership.Refused, m.Outcome, "%+v", m)
				require.Equal(r, c.codes, codes, "%+v", m)
				require.Empty(r, r.Writes())
			})
		})
	}
}

// The example that people begin with ends as it says.
func TestTheExampleOfContainerNodePools(t *testing.T) {
	data, err := os.ReadFile("plan.yaml")
	require.NoError(t, err)
	var plan fleet.Plan
	require.NoError(t, yaml.UnmarshalStrict(data, &plan))
	req := membership.Request{Kind: plan.Kind, Account: plan.Account, Group: plan.Group, Members: plan.Members, Params: plan.Params}
	s := containerNodePool(t, false)
	calm := s.World
	s.World = func(int) sim.World {
		w := calm(1)
		w.Alibaba.Generate = nil
		w.Alibaba.Clusters = []world.ContainerCluster{{ID: req.Params["cluster"].(string), NodePools: []world.ContainerPool{
			{ID: req.Group, Members: []string{req.Members[1]}}}}}
		for _, id := range req.Members {
			w.Alibaba.Instances = append(w.Alibaba.Instances, world.Instance{ID: id})
		}
		w.Alibaba.Instances[2].Status = "Stopped"
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
		require.Equal(r, "instance-status", report.Members[2].Code)
	})
}
