package sim_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
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
