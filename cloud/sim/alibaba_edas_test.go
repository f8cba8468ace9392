package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// TestAgentsThatCannotSpeak: a member is offline while its instance is off, and for good when its system was replaced.
func TestAgentsThatCannotSpeak(t *testing.T) {
	f := startEDAS(t)
	status := func() int { m, _ := f.EDASMember("i-old"); return m.Status }
	require.Equal(t, 1, status())
	f.ok("StopInstance", "InstanceId", "i-old", "StoppedMode", "KeepCharging")
	require.Equal(t, -2, status())
	f.ok("StartInstance", "InstanceId", "i-old")
	require.Equal(t, 1, status())
	f.ok("StopInstance", "InstanceId", "i-old", "StoppedMode", "KeepCharging")
	f.ok("ReplaceSystemDisk", "InstanceId", "i-old", "ImageId", "m-1")
	f.ok("StartInstance", "InstanceId", "i-old")
	require.Equal(t, -2, status())
	f.done("InstallAgent", "ClusterId", "prod", "InstanceIds", "i-old")
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, 1, status())
}

func TestEDASLearnsOfInstances(t *testing.T) {
	f := startEDAS(t)
	require.NotContains(t, f.convertible(), "i-fresh")
	body := f.done("SynchronizeResource", "Type", "ecs", "ResourceIds", "i-1,i-fresh")
	require.Equal(t, true, body["Success"])
	require.Equal(t, []any{true, journal.Changed}, []any{f.last().Write, f.last().Effect})
	require.Equal(t, []string{"i-1", "i-2", "i-3", "i-off", "i-new", "i-fresh", "i-deaf", "i-unpaid", "i-locked"}, f.convertible())
	f.done("SynchronizeResource", "Type", "all")
	require.Equal(t, journal.None, f.last().Effect)
	f.importing("i-fresh")

	many := "i-1"
	for range 50 {
		many += ",i-1"
	}
	_, says := f.refused("SynchronizeResource", "Type", "ecs", "ResourceIds", many)
	require.Contains(t, says, "more than 50")
	_, says = f.refused("SynchronizeResource", "Type", "rds")
	require.Contains(t, says, "unknown type")
	require.Equal(t, 400, f.edas("SynchronizeResource").status)
}

func TestMembersAreRemoved(t *testing.T) {
	f := startEDAS(t)
	remove := func(instance string) (string, []string) {
		m, there := f.EDASMember(instance)
		require.True(t, there)
		return m.ID, []string{"ClusterId", "prod", "ClusterMemberId", m.ID}
	}
	_, app := remove("i-app")
	_, says := f.refused("DeleteClusterMember", app...)
	require.Contains(t, says, "there are still applications deployed in this cluster")
	require.Equal(t, "i-app", f.last().Servers[1], "the journal names the instance, too")

	id, old := remove("i-old")
	require.Equal(t, true, f.done("DeleteClusterMember", old...)["Data"])
	f.done("DeleteClusterMember", old...)
	require.Equal(t, journal.None, f.last().Effect)
	_, says = f.refused("InsertClusterMember", "clusterId", "prod", "instanceIds", "i-old", "password", password)
	require.Contains(t, says, "being removed")
	f.Clock().Advance(10 * time.Second)
	_, says = f.refused("DeleteClusterMember", old...)
	require.Contains(t, says, "does not exist")
	_, there := f.EDASMember("i-old")
	require.False(t, there)
	v, _ := f.Instance("i-old")
	require.Equal(t, []any{1, "Running"}, []any{v.OSGeneration, v.Status}, "the system stays")
	require.Contains(t, f.convertible(), "i-old")

	f.importing("i-old")
	again, old := remove("i-old")
	require.NotEqual(t, id, again, "it comes back as another member")
	_, says = f.refused("DeleteClusterMember", old...)
	require.Contains(t, says, "being converted")
	f.Clock().Advance(5 * time.Minute)
	f.inject(sim.Fault{Effect: fault.JobFail, Code: "any", Count: 1, Match: sim.Match{Action: "DeleteClusterMember", Server: again}})
	f.done("DeleteClusterMember", old...)
	f.Clock().Advance(time.Hour)
	m, _ := f.EDASMember("i-old")
	require.Equal(t, 1, m.Status, "the removal came to nothing")
	_, says = f.refused("DeleteClusterMember", "ClusterId", "second", "ClusterMemberId", again)
	require.Contains(t, says, "does not exist")
	_, says = f.refused("DeleteClusterMember", "ClusterId", "prod", "ClusterMemberId", "i-old")
	require.Contains(t, says, "does not exist")

	f = startEDAS(t, func(a *world.Alibaba) { a.EDAS.RemoveConverting = world.OK })
	f.importing("i-1")
	m, _ = f.EDASMember("i-1")
	f.done("DeleteClusterMember", "ClusterId", "prod", "ClusterMemberId", m.ID)
	f.Clock().Advance(10 * time.Second)
	require.Empty(t, f.told("prod"))
}

func TestEDASReads(t *testing.T) {
	f := startEDAS(t, func(a *world.Alibaba) { a.ReadLag = clock.Duration(5 * time.Second) })
	cluster := f.done("GetCluster", "ClusterId", "prod")["Cluster"].(map[string]any)
	require.Equal(t, []any{"production", 2.0, 2.0, "vpc-1", "cn-hangzhou", 2.0}, []any{cluster["ClusterName"],
		cluster["ClusterType"], cluster["NetworkMode"], cluster["VpcId"], cluster["RegionId"], cluster["NodeNum"]})
	code, _ := f.refused("GetCluster", "ClusterId", "none")
	require.Equal(t, 404, code)
	ids := func(nameValues ...string) []any {
		all := []any{}
		for _, row := range listOf(f, f.done("ListCluster", nameValues...), "ClusterList", "Cluster") {
			all = append(all, row["ClusterId"])
		}
		return all
	}
	require.Equal(t, []any{"prod", "second", "docker", "classic", "beijing"}, ids())
	require.Equal(t, []any{"beijing"}, ids("LogicalRegionId", "cn-beijing:space"))
	f.url = "http://edas.cn-beijing.aliyuncs.com"
	require.Equal(t, []any{"beijing"}, ids(), "the host tells the region")
	f.refused("GetCluster", "ClusterId", "prod")
	f.url = "http://edas.cn-hangzhou.aliyuncs.com"

	page := f.done("ListClusterMembers", "ClusterId", "prod", "PageSize", "1", "CurrentPage", "2", "EcsList", "x")
	rows := listOf(f, page, "ClusterMemberPage", "ClusterMemberList", "ClusterMember")
	require.Len(t, rows, 1)
	require.Equal(t, "i-app", rows[0]["EcsId"])
	require.Equal(t, 2.0, page["ClusterMemberPage"].(map[string]any)["TotalSize"])
	require.Equal(t, 400, f.edas("ListClusterMembers", "ClusterId", "prod", "PageSize", "x").status)

	outside := listOf(f, f.done("ListEcsNotInCluster", "NetworkMode", "2", "VpcId", "vpc-2"), "EcsEntityList", "EcsEntity")
	require.Equal(t, []any{"i-vpc2", false}, []any{outside[0]["InstanceId"], outside[0]["Expired"]})
	outside = listOf(f, f.done("ListEcsNotInCluster", "NetworkMode", "1"), "EcsEntityList", "EcsEntity")
	require.Equal(t, "i-classic", outside[0]["InstanceId"])
	require.Equal(t, 400, f.edas("ListEcsNotInCluster", "NetworkMode", "2").status)

	f.importing("i-1")
	require.Empty(t, f.told("prod"), "reads show what was true a while ago")
	require.Contains(t, f.convertible(), "i-1")
	f.Clock().Advance(5 * time.Second)
	require.Equal(t, map[string]float64{"i-1": 0}, f.told("prod"))
	require.NotContains(t, f.convertible(), "i-1")
}

func TestWhatEDASIsNotAsked(t *testing.T) {
	f := startEDAS(t)
	for _, action := range []string{"DeleteEcu"} {
		out := f.edas(action)
		require.Equal(t, []any{501, "SIM.0501"}, []any{out.status, out.code})
		require.Contains(t, out.raw, action)
	}
	for _, call := range [][2]string{{"GET", "/pop/v5/resource/cluster_member"}, {"POST", "/pop/v5/resource/cluster"}} {
		out := f.edasAs(call, "InsertClusterMember", "clusterId", "prod", "instanceIds", "i-1", "password", password)
		require.Equal(t, []any{404, "InvalidApi.NotFound"}, []any{out.status, out.code})
	}
	require.Equal(t, 501, f.edas("InsertClusterMember", "ClusterId", "prod").status, "names are exact")
}

func TestEDASSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	f := openAlibaba(t, sim.Options{World: worldOfEDAS(t), StateDir: dir})
	old, _ := f.EDASMember("i-old")
	f.done("DeleteClusterMember", "ClusterId", "prod", "ClusterMemberId", old.ID)
	f.Clock().Advance(time.Minute)
	f.importing("i-1")
	f.done("SynchronizeResource", "Type", "ecs", "ResourceIds", "i-fresh")
	member, _ := f.EDASMember("i-1")
	instances := f.Instances()
	for range 2 { // from the log, then from the snapshot
		f = &cloud{fixture: reopen(t, dir), key: f.key, style: f.style}
		again, _ := f.EDASMember("i-1")
		require.Equal(t, member, again)
		require.Equal(t, instances, f.Instances())
		require.Contains(t, f.convertible(), "i-fresh")
		_, there := f.EDASMember("i-old")
		require.False(t, there)
		_, says := f.refused("DeleteClusterMember", "ClusterId", "prod", "ClusterMemberId", old.ID)
		require.Contains(t, says, "does not exist")
	}
	f.Clock().Advance(5 * time.Minute)
	require.Equal(t, map[string]float64{"i-1": 1}, f.told("prod"))
}

func TestMistakesInEDAS(t *testing.T) {
	const head = "accounts: [{name: a, accessKey: A, secretKey: S, accountId: '1'}]\nalibaba: {instances: [{id: i-1}], "
	for text, says := range map[string]string{
		"edasClusters: [{}]}":                                                   `alibaba.edasClusters[0].name: is missing`,
		"edasClusters: [{id: c, type: 9}]}":                                     `alibaba.edasClusters[0].type: 9 is not between`,
		"edasClusters: [{id: c, networkMode: 3}]}":                              `networkMode: 3 is neither`,
		"edasClusters: [{id: c, members: [x]}]}":                                `members[0]: "x" is no instance`,
		"edasClusters: [{id: c, applications: [x]}]}":                           `applications[0]: "x" is no instance`,
		"edasClusters: [{id: c, members: [i-1]}, {id: d, members: [i-1]}]}":     `edasClusters[1].members[0]: "i-1" is taken by`,
		"edasClusters: [{id: c}, {id: c}]}":                                     `"c" is taken by`,
		"edas: {removeConverting: perhaps}}":                                    `alibaba.edas.removeConverting: "perhaps" is not one of ok, error`,
		"edas: {import: 5}}":                                                    `alibaba.edas.import: 5 is not a duration`,
		"resources: [{type: disk, id: d-1, size: -1}]}":                         `alibaba.resources[0].size: -1 is less than 0`,
		"resources: [{type: snapshot, id: s-1, disk: x}]}":                      `alibaba.resources[0].disk: "x" is no disk`,
		"resources: [{type: image, id: m-1, snapshot: x}]}":                     `alibaba.resources[0].snapshot: "x" is no snapshot`,
		"edasClusters: [{id: c, account: '2', resourceGroup: none}], edas: {}}": `account: "2" is the accountId of no account`,
	} {
		_, err := sim.ParseWorld([]byte(head + text))
		require.ErrorContains(t, err, says, text)
	}
}
