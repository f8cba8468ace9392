package sim_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestContainerKnobs(t *testing.T) {
	f := startContainers(t, func(a *world.Alibaba) {
		a.Containers.RepeatAttach, a.Containers.RemoveInitial, a.Containers.MaxInstances = world.OK, world.OK, 2
	})
	require.Equal(t, "InvalidParameter", f.attach("i-1", "i-2", "i-3").code)
	require.Equal(t, "200 successful", codes(f.attach("i-1"))["i-1"])
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, "200 successful", codes(f.attach("i-1"))["i-1"], "a repeat that is taken")
	require.Equal(t, "409 ErrorInstanceAttached", codes(f.attach("i-d1"))["i-d1"], "but not from another pool")
	v, _ := f.Instance("i-1")
	require.Equal(t, 3, v.OSGeneration, "wipes again")
	f.Clock().Advance(45 * time.Second)
	require.Equal(t, "initial Unknown", f.containerNodes("nodepool_id=np1")["i-1"], "and takes its time again")
	require.Equal(t, 202, f.unattach("np1", "", "i-1").status)

	f = startContainers(t, func(a *world.Alibaba) { a.Containers.BusyPool = world.Error })
	require.Equal(t, 202, f.attach("i-1").status)
	require.Equal(t, "ErrorNodePoolState", f.attach("i-2").code)
	require.Equal(t, "ErrorNodePoolState", f.unattach("np1", "", "i-old").code)
	require.Equal(t, 202, f.unattach("np2", "", "i-d1").status, "other pools are free")
}

func TestContainerNodesShowLate(t *testing.T) {
	f := startContainers(t, func(a *world.Alibaba) {
		a.Containers.ReadLag, a.Containers.Appear = clock.Duration(5*time.Second), clock.Fixed(20*time.Second)
	})
	task := f.attach("i-1")
	f.Clock().Advance(24 * time.Second)
	require.NotContains(t, f.containerNodes(""), "i-1")
	n, _ := f.ContainerNode("i-1")
	require.Equal(t, "initial", n.State)
	f.Clock().Advance(time.Second)
	require.Equal(t, "initial Unknown", f.containerNodes("")["i-1"])
	f.Clock().Advance(56 * time.Second)
	require.Equal(t, "success", f.taskNow(task)["state"], "tasks show no lag")
	require.Equal(t, "initial Unknown", f.containerNodes("")["i-1"])
	f.Clock().Advance(4 * time.Second)
	require.Equal(t, "running Ready", f.containerNodes("")["i-1"])
	f.unattach("np1", "", "i-old")
	require.Equal(t, "running Ready", f.containerNodes("")["i-old"])
}

func TestReadsOfContainers(t *testing.T) {
	f := startContainers(t, func(a *world.Alibaba) {
		a.Generate = []world.GenerateResources{{Name: "w-%d", Count: 20}}
		for n := range 20 {
			p := &a.Clusters[0].NodePools[0]
			p.Members = append(p.Members, fmt.Sprintf("w-%d", n+1))
		}
	})
	const nodes = "GET /clusters/c1/nodes"
	first := f.cs("DescribeClusterNodes", nodes, "")
	require.Len(t, first.body["nodes"], 10, "what a page has by default")
	require.Equal(t, map[string]any{"page_number": 1.0, "page_size": 10.0, "total_count": 24.0}, first.body["page"])
	require.Len(t, f.cs("DescribeClusterNodes", nodes+"?pageNumber=3&pageSize=10&state=&instanceIds=", "").body["nodes"], 4)
	require.Len(t, f.cs("DescribeClusterNodes", nodes+"?nodepool_id=np2&instanceIds=i-old", "").body["nodes"], 2)
	require.Len(t, f.cs("DescribeClusterNodes", nodes+"?state=all&instanceIds=i-old,i-1,i-d1", "").body["nodes"], 2)
	require.Empty(t, f.cs("DescribeClusterNodes", nodes+"?state=failed", "").body["nodes"])
	for query, code := range map[string]string{"pageSize=101": "InvalidParameter", "pageNumber=0": "InvalidParameter",
		"state=ready": "InvalidParameter", "nodepool_id=np9": "ErrorNodePoolNotFound", "sort=x": "SIM.0501"} {
		require.Equal(t, code, f.cs("DescribeClusterNodes", nodes+"?"+query, "").code, query)
	}
	f.cs("DescribeClusterNodes", nodes+"?nodepool_id=np2&instanceIds=i-old,i-1", "")
	require.Equal(t, []any{"np2", []string{"i-old", "i-1"}}, []any{f.last().Group, f.last().Servers})

	detail := f.cs("DescribeClusterDetail", "GET /clusters/c1", "").body
	require.Equal(t, []any{"running", "prod", "vpc-1", "cn-hangzhou", "sg-k", 24.0}, []any{detail["state"], detail["name"],
		detail["vpc_id"], detail["region_id"], detail["security_group_id"], detail["size"]})
	require.Len(t, f.cs("DescribeClustersV1", "GET /api/v1/clusters", "").body["clusters"], 2, "those of the account")
	require.Len(t, f.cs("DescribeClustersV1", "GET /api/v1/clusters?name=pro", "").body["clusters"], 1)
	page := f.cs("DescribeClustersV1", "GET /api/v1/clusters?page_size=1&page_number=2", "")
	require.Equal(t, "c-busy", page.body["clusters"].([]any)[0].(map[string]any)["cluster_id"])
	require.Equal(t, "InvalidParameter", f.cs("DescribeClustersV1", "GET /api/v1/clusters?page_size=0", "").code)
	pools := f.cs("DescribeClusterNodePools", "GET /clusters/c1/nodepools", "").body["nodepools"].([]any)
	require.Len(t, pools, 3)
	require.Equal(t, true, pools[0].(map[string]any)["nodepool_info"].(map[string]any)["is_default"])
	_, group := f.poolNow("np1")
	require.NotContains(t, group, "desired_size")
	quota := func() any { return f.cs("DescribeUserQuota", "GET /quota", "").body["node_quota"] }
	require.Equal(t, 100.0, quota())
	f = startContainers(t, func(a *world.Alibaba) { a.Containers.NodeQuota = 7 })
	require.Equal(t, 7.0, quota())
	for action, path := range map[string]string{"DescribeClusterDetail": "", "DescribeClusterNodes": "/nodes",
		"DescribeClusterNodePools": "/nodepools", "DescribeClusterNodePoolDetail": "/nodepools/np1"} {
		require.Equal(t, "ErrorClusterNotFound", f.cs(action, "GET /clusters/c9"+path, "").code)
	}
	require.Equal(t, "ErrorNodePoolNotFound",
		f.cs("DescribeClusterNodePoolDetail", "GET /clusters/c1/nodepools/np9", "").code)
	require.Equal(t, "ErrorTaskNotFound", f.cs("DescribeTaskInfo", "GET /tasks/T-9", "").code)
	out := f.cs("ScaleClusterNodePool", "POST /clusters/c1/nodepools/np1", "{}")
	require.Equal(t, []any{501, "SIM.0501", "refused"}, []any{out.status, out.code, f.last().Effect})
}

func TestFaultsOfContainers(t *testing.T) {
	f := startContainers(t)
	f.inject(sim.Fault{Effect: fault.DropAfter, Count: 1,
		Match: sim.Match{Action: "AttachInstances", Group: "np1", Server: "i-1"}})
	_, err := f.tryCS("AttachInstances", "POST /clusters/c1/attach", `{"nodepool_id":"np1","instances":["i-1"]}`)
	require.Error(t, err)
	require.True(t, f.last().Lost)
	require.Equal(t, "initial Unknown", f.containerNodes("")["i-1"])
	f.inject(sim.Fault{Effect: fault.Throttle, Count: 1, Match: sim.Match{Action: "AttachInstances"}})
	require.Equal(t, "Throttling.User", f.attach("i-2").body["Code"])
	f.inject(sim.Fault{Effect: fault.Status, Status: 500, Code: "InternalError", Match: sim.Match{Action: "AttachInstances"}})
	out := f.attach("i-2")
	require.Equal(t, []any{500, "InternalError", 500.0}, []any{out.status, out.code, out.body["status"]})
	require.NotContains(t, f.containerNodes(""), "i-2")
}

func TestContainersSurviveARestart(t *testing.T) {
	w, err := sim.ParseWorld([]byte(containersWorld))
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "state")
	f := openAlibaba(t, sim.Options{World: w, StateDir: dir})
	name, _ := f.ContainerNode("i-d2")
	require.Equal(t, 202,
		f.cs("DeleteClusterNodes", "POST /clusters/c1/nodes", `{"nodes":["`+name.Name+`"],"release_node":true}`).status)
	require.Equal(t, 202, f.unattach("np2", "", "i-d1").status)
	task := f.cs("AttachInstances", "POST /clusters/c1/attach", `{"instances":["i-1"]}`)
	f.Clock().Advance(30 * time.Second)
	nodes, instances, before := f.containerNodes(""), f.Instances(), f.World()
	require.Equal(t, "initial Unknown", nodes["i-1"])
	require.NotContains(t, nodes, "i-d2")

	for range 2 { // from the log, then from the snapshot
		f = openAlibaba(t, sim.Options{StateDir: dir})
		require.Equal(t, nodes, f.containerNodes(""))
		require.Equal(t, instances, f.Instances())
		require.Equal(t, before, f.World())
		require.Equal(t, "running", f.taskNow(task)["state"])
	}
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, "running Ready", f.containerNodes("")["i-1"])
	require.Equal(t, "200 successful", codes(f.attach("i-2"))["i-2"])
	require.NoError(t, f.Load(f.World()))
	require.Equal(t, "running Ready", f.containerNodes("")["i-1"])
	v, _ := f.Instance("i-1")
	require.Equal(t, []any{2, "worker-k8s-for-cs-c1"}, []any{v.OSGeneration, v.Name})
}

func TestMistakesInContainers(t *testing.T) {
	check := func(text, says string) {
		t.Helper()
		_, err := sim.ParseWorld([]byte("alibaba: {" + text + "}"))
		require.ErrorContains(t, err, "alibaba."+says, text)
	}
	check("clusters: [{}]", `clusters[0].name: is missing`)
	check("clusters: [{id: k1}]", `clusters[0].id: "k1" does not start with "c"`)
	check("clusters: [{id: c1}, {id: c1}]", `clusters[1].id: "c1" is taken`)
	check("containers: {taskFailed: bad}", `containers.taskFailed: "bad" is not one of failed, fail`)
	check("containers: {repeatAttach: x}", `containers.repeatAttach: "x" is not one of ok, error`)
	check("containers: {busyPool: x}", `containers.busyPool: "x" is not one of ok, error`)
	check("containers: {removeInitial: x}", `containers.removeInitial: "x" is not one of ok, error`)
	check("containers: {maxInstances: -1}", `containers.maxInstances: -1 is less than 0`)
	check("containers: {nodeQuota: -1}", `containers.nodeQuota: -1 is less than 0`)
	check("containers: {attach: 5}", `containers.attach: 5 is not a duration`)
	for field, says := range map[string]string{
		"state: gone":      `"gone" is not one of`,
		"type: swarm":      `"swarm" is not one of`,
		"account: '9'":     `"9" is the accountId of no account`,
		"securityGroup: x": `"x" is no security group`,
		"resourceGroup: x": `"x" is no resource group`,
	} {
		name, _, _ := strings.Cut(field, ":")
		check("clusters: [{id: c1, "+field+"}]", "clusters[0]."+name+": "+says)
	}
	for pools, says := range map[string]string{
		"{}":                     `[0].name: is missing`,
		"{id: p}":                `[0].id: "p" does not start with "np"`,
		"{name: p}, {name: p}":   `[1].name: "c1/p" is taken`,
		"{id: np, state: idle}":  `[0].state: "idle" is not one of`,
		"{id: np, desired: -1}":  `[0].desired: -1 is less than 0`,
		"{id: np, members: [x]}": `[0].members[0]: "x" is no instance`,
		"{id: np, default: true}, {id: npx, default: true}":   `[1].default: true is a second default pool`,
		"{id: np, members: [i-1]}, {id: npx, members: [i-1]}": `[1].members[0]: "i-1" is taken`,
	} {
		check("instances: [{id: i-1}], clusters: [{id: c1, nodePools: ["+pools+"]}]", "clusters[0].nodePools"+says)
	}
}
