package sim_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// TestMembersMoveBetweenClusters: TransformClusterMember imports, also who is a member of another cluster.
func TestMembersMoveBetweenClusters(t *testing.T) {
	f := startEDAS(t)
	move := func(instances, password string) reply {
		return f.edas("TransformClusterMember", "TargetClusterId", "prod", "InstanceIds", instances, "Password", password)
	}
	before, _ := f.EDASMember("i-taken")
	require.Equal(t, "second", before.Cluster)
	out := move("i-taken,i-1", password)
	require.Equal(t, []any{200.0, "Transform submit success!"}, []any{out.body["Code"], out.body["Data"]}, out.raw)
	last := f.last()
	require.Equal(t, []any{"prod", []string{"i-taken", "i-1"}, journal.Changed}, []any{last.Group, last.Servers, last.Effect})
	require.NotContains(t, last.Path, password)
	require.Empty(t, f.told("second"), "it left at once")
	require.Equal(t, map[string]float64{"i-taken": 0, "i-1": 0}, f.told("prod"))
	f.Clock().Advance(5 * time.Minute)
	require.Equal(t, map[string]float64{"i-taken": 1, "i-1": 1}, f.told("prod"))
	after, _ := f.EDASMember("i-taken")
	require.NotEqual(t, before.ID, after.ID)
	v, _ := f.Instance("i-taken")
	require.Equal(t, 2, v.OSGeneration)
	require.NoError(t, f.World().Validate())

	for instances, why := range map[string]string{"i-foreign": "it does not exist", "i-windows": "not Linux"} {
		n, text := f.refused("TransformClusterMember", "TargetClusterId", "prod", "InstanceIds", instances, "Password", password)
		require.Equal(t, 400, n)
		require.Contains(t, text, why)
	}
	_, text := f.refused("TransformClusterMember", "TargetClusterId", "second", "InstanceIds", "i-app", "Password", password)
	require.Contains(t, text, "applications")
	require.Equal(t, "MissingParameter", f.edas("TransformClusterMember", "InstanceIds", "i-2", "Password", password).code)
	require.Equal(t, "MissingParameter", move("i-2", "").code)
	_, text = f.refused("InsertClusterMember", "clusterId", "second", "instanceIds", "i-taken", "password", password)
	require.Contains(t, text, "in another cluster", "the other call moves nobody")

	f = startEDAS(t)
	f.inject(sim.Fault{Match: sim.Match{Action: "TransformClusterMember"}, Effect: fault.JobFail, Code: "absent"})
	require.Equal(t, 200.0, move("i-taken", password).body["Code"])
	m, _ := f.EDASMember("i-taken")
	require.Equal(t, "second", m.Cluster, "the call is forgotten")
}

// TestTasksAndEventsOfClusters: what is under way can be found by who lost its id.
func TestTasksAndEventsOfClusters(t *testing.T) {
	f := startContainers(t)
	get := func(path string) reply {
		out := f.bare(alibabasign.TeaROA, "GET", path, "", "x-acs-version", "2015-12-15")
		require.Equal(t, 200, out.status, out.raw)
		return out
	}
	var clusters []map[string]any
	require.NoError(t, json.Unmarshal([]byte(get("/clusters").raw), &clusters), "the answer is a list")
	require.Equal(t, []any{"c1", "c-busy"}, []any{clusters[0]["cluster_id"], clusters[1]["cluster_id"]}, "not the foreign one")
	require.NoError(t, json.Unmarshal([]byte(get("/clusters?name=rod").raw), &clusters))
	require.Len(t, clusters, 1)
	require.Equal(t, "DescribeClusters", f.last().Action)

	first := f.attach("i-1").body["task_id"]
	f.Clock().Advance(time.Minute)
	f.inject(sim.Fault{Match: sim.Match{Action: "AttachInstances"}, Effect: fault.JobFail, Code: "Broken", Message: "no luck"})
	second := f.attach("i-2").body["task_id"]
	tasks := func(query string) (ids, states []any) {
		for _, row := range get("/clusters/c1/tasks" + query).body["tasks"].([]any) {
			ids, states = append(ids, row.(map[string]any)["task_id"]), append(states, row.(map[string]any)["state"])
		}
		return ids, states
	}
	ids, states := tasks("")
	require.Equal(t, []any{second, first}, ids, "the newest first")
	require.Equal(t, []any{"running", "success"}, states)
	ids, _ = tasks("?page_size=1&page_number=2")
	require.Equal(t, []any{first}, ids)
	f.Clock().Advance(time.Minute)
	_, states = tasks("")
	require.Equal(t, []any{"failed", "success"}, states)
	error := get("/clusters/c1/tasks").body["tasks"].([]any)[0].(map[string]any)["error"]
	require.Equal(t, map[string]any{"code": "Broken", "message": "no luck"}, error)

	events := func(path string) (told [][3]any) {
		for _, row := range get(path).body["events"].([]any) {
			e := row.(map[string]any)
			told = append(told, [3]any{e["subject"], e["data"].(map[string]any)["reason"], e["data"].(map[string]any)["level"]})
		}
		return told
	}
	all := [][3]any{{second, "failed", "error"}, {first, "success", "info"}, {second, "start", "info"}, {first, "start", "info"}}
	require.ElementsMatch(t, all, events("/events"))
	require.Equal(t, all[0], events("/events")[0], "the newest first")
	require.Empty(t, events("/events?cluster_id=c-busy"))
	require.Empty(t, events("/events?type=remove_nodes"))
	require.Len(t, events("/events?type=attach_instances&page_size=3"), 3)
	require.Len(t, events("/clusters/c1/events?task_id="+first.(string)), 2)
	out := f.bare(alibabasign.ROA, "GET", "/clusters/c-foreign/tasks", "")
	require.Equal(t, "ErrorClusterNotFound", out.body["code"])
	f.Clock().Advance(48 * time.Hour)
	ids, _ = tasks("")
	require.Empty(t, ids, "they are forgotten")
}

func TestInstancesReboot(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) {
		a.Timings.Reboot, a.Timings.Snapshot = clock.Fixed(10*time.Second), clock.Fixed(time.Hour)
	})
	status := func() any { return f.described("i-on")["Status"] }
	snapshot := f.ok("CreateSnapshot", "DiskId", "d-data")["SnapshotId"].(string)
	f.ok("RebootInstance", "InstanceId", "i-on", "ForceStop", "true")
	require.Equal(t, []any{"RebootInstance", journal.Changed}, []any{f.last().Action, f.last().Effect})
	require.Equal(t, "Starting", status())
	require.Equal(t, "IncorrectInstanceStatus", f.call("StopInstance", "InstanceId", "i-on").code, "it is busy")
	require.Equal(t, "Running", f.World().Alibaba.Instances[0].Status, "what is going on has not happened yet")
	require.Equal(t, "failed", f.rows("Snapshots", "Snapshot", "DescribeSnapshots", "SnapshotIds", `["`+snapshot+`"]`)[0]["Status"])
	f.Clock().Advance(10 * time.Second)
	require.Equal(t, "Running", status())
	v, _ := f.Instance("i-on")
	require.Equal(t, []any{1, "Running"}, []any{v.OSGeneration, v.Status})

	for instance, code := range map[string]string{"i-off": "IncorrectInstanceStatus", "i-locked-on": "InstanceLockedForSecurity",
		"i-none": "InvalidInstanceId.NotFound", "": "MissingParameter"} {
		require.Equal(t, code, f.call("RebootInstance", "InstanceId", instance).code, instance)
	}
	require.Equal(t, "DryRunOperation", f.call("RebootInstance", "InstanceId", "i-on", "DryRun", "true").code)
	out, _ := powerRows(f, "RebootInstances", "", "i-on", "i-off")
	require.Equal(t, "IncorrectInstanceStatus", out.code, "all or nothing")
	out, rows := powerRows(f, "RebootInstances", "SuccessFirst", "i-on", "i-off")
	require.Equal(t, 200, out.status, out.raw)
	require.Equal(t, map[string][3]string{"i-on": {"200", "Running", "Starting"},
		"i-off": {"IncorrectInstanceStatus", "Stopped", "Stopped"}}, rows)
	f.inject(sim.Fault{Match: sim.Match{Action: "RebootInstance"}, Effect: fault.Stuck})
	f.Clock().Advance(10 * time.Second)
	f.ok("RebootInstance", "InstanceId", "i-on")
	f.Clock().Advance(time.Hour)
	require.Equal(t, "Starting", status())
}

func TestInstancesAreCalled(t *testing.T) {
	f, dir := alibabaDir(t, func(a *world.Alibaba) { a.Instances[0].Description = "the first" })
	told := func() []any {
		v := f.described("i-on")
		return []any{v["InstanceName"], v["Description"]}
	}
	require.Equal(t, "the first", told()[1])
	host := f.described("i-on")["HostName"]
	f.ok("ModifyInstanceAttribute", "InstanceId", "i-on", "InstanceName", "shop-1", "Description", "sells")
	require.Equal(t, journal.Changed, f.last().Effect)
	require.Equal(t, []any{"shop-1", "sells"}, told())
	require.Equal(t, host, f.described("i-on")["HostName"], "the system keeps its name")
	require.Len(t, f.rows("Instances", "Instance", "DescribeInstances", "InstanceName", "shop-*"), 1)
	require.Equal(t, []string{"sg-1"}, f.inGroups("i-on"), "the groups stay")
	f.ok("ModifyInstanceAttribute", "InstanceId", "i-on", "Description", "sells")
	require.Equal(t, journal.None, f.last().Effect)
	f.ok("ModifyInstanceAttribute", "InstanceId", "i-on", "InstanceName", "shop-2", "SecurityGroupIds.1", "sg-2")
	require.Equal(t, []string{"sg-2"}, f.inGroups("i-on"))
	f.ok("ModifyInstanceAttribute", "InstanceId", "i-on", "InstanceName", "shop-3", "SecurityGroupIds.1", "sg-2")
	require.Equal(t, journal.Changed, f.last().Effect, "though the groups are the same")
	require.Equal(t, "InvalidSecurityGroupId.NotFound",
		f.call("ModifyInstanceAttribute", "InstanceId", "i-on", "InstanceName", "lost", "SecurityGroupIds.1", "sg-none").code)
	require.Equal(t, []any{"shop-3", "sells"}, told(), "all or nothing")
	f.ok("ModifyInstanceAttribute", "InstanceId", "i-new", "InstanceName", "early")

	for _, c := range [][3]string{{"i-on", "x", "InvalidInstanceName.Malformed"}, {"i-on", "1st", "InvalidInstanceName.Malformed"},
		{"i-on", "http://x", "InvalidInstanceName.Malformed"}, {"i-on", strings.Repeat("x", 129), "InvalidInstanceName.Malformed"},
		{"i-on", "a/b", "InvalidInstanceName.Malformed"}, {"i-none", "fine", "InvalidInstanceId.NotFound"},
		{"i-foreign", "fine", "InvalidInstanceId.NotFound"}, {"i-locked", "fine", "InstanceLockedForSecurity"}} {
		require.Equal(t, c[2], f.call("ModifyInstanceAttribute", "InstanceId", c[0], "InstanceName", c[1]).code, c)
	}
	require.Equal(t, "InvalidDescription.Malformed",
		f.call("ModifyInstanceAttribute", "InstanceId", "i-on", "Description", "https://x").code)
	require.Equal(t, "MissingParameter", f.call("ModifyInstanceAttribute", "InstanceId", "i-on").code)
	require.Equal(t, 501, f.call("ModifyInstanceAttribute", "InstanceId", "i-on", "HostName", "x").status)
	w := f.World().Alibaba.Instances[0]
	require.Equal(t, []any{"shop-3", "sells"}, []any{w.Name, w.Description})

	f = openAlibaba(t, sim.Options{StateDir: dir})
	require.Equal(t, []any{"shop-3", "sells"}, told())
}

func TestOneInstance(t *testing.T) {
	f := startAlibaba(t)
	one := f.ok("DescribeInstanceAttribute", "InstanceId", "i-off", "RegionId", "")
	require.Equal(t, []any{"i-off", "Stopped", "KeepCharging", "optimized", 2.0},
		[]any{one["InstanceId"], one["Status"], one["StoppedMode"], one["IoOptimized"], one["Cpu"]})
	require.Equal(t, map[string]any{"SecurityGroupId": []any{"sg-1", "sg-2"}}, one["SecurityGroupIds"])
	for _, id := range []string{"i-none", "i-foreign", "i-beijing"} {
		require.Equal(t, "InvalidInstanceId.NotFound", f.call("DescribeInstanceAttribute", "InstanceId", id).code, id)
	}
	require.Equal(t, "MissingParameter", f.call("DescribeInstanceAttribute").code)
}

func TestRegionsAndZones(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) {
		a.Instances[0].Zone, a.Instances[0].InstanceType = "cn-hangzhou-k", "ecs.c6.large"
	})
	ids := func(field string, rows []map[string]any) (all []any) {
		for _, row := range rows {
			all = append(all, row[field])
		}
		return all
	}
	regions := f.rows("Regions", "Region", "DescribeRegions", "RegionId", "", "AcceptLanguage", "en-US")
	require.Equal(t, []any{"cn-beijing", "cn-hangzhou", "cn-old"}, ids("RegionId", regions))
	require.Equal(t, "ecs.cn-old.aliyuncs.com", regions[2]["RegionEndpoint"])
	zones := f.rows("Zones", "Zone", "DescribeZones")
	require.Equal(t, []any{"cn-hangzhou-h", "cn-hangzhou-k"}, ids("ZoneId", zones))
	require.Equal(t, map[string]any{"InstanceTypes": []any{"ecs.c6.large"}}, zones[1]["AvailableInstanceTypes"])
	require.NotContains(t, f.rows("Zones", "Zone", "DescribeZones", "Verbose", "false")[0], "AvailableInstanceTypes")
	require.Equal(t, "InvalidRegionId.NotFound", f.call("DescribeZones", "RegionId", "cn-none").code)
	require.Equal(t, "MissingParameter", f.call("DescribeZones", "RegionId", "").code)
}
