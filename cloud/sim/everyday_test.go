package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
)

func TestReboot(t *testing.T) {
	f := start(t, func(w *sim.World) { w.Huawei.Timings.Reboot = clock.Fixed(10 * time.Second) })
	out, job := f.power("reboot", "SOFT", "on")
	require.Equal(t, 200, out.status, out.raw)
	require.Equal(t, [4]any{"REBOOT", "active", "rebooting", ""}, f.shown("on"))
	require.Equal(t, "batchRebootServer", f.job(job)["job_type"])
	f.Clock().Advance(10 * time.Second)
	require.Equal(t, [4]any{"ACTIVE", "active", nil, ""}, f.shown("on"))
	require.Equal(t, "SUCCESS", f.job(job)["status"])

	f.power("reboot", "HARD", "on")
	require.Equal(t, [4]any{"HARD_REBOOT", "active", "hard_rebooting", ""}, f.shown("on"))
	out, _ = f.power("reboot", "SOFT", "on")
	require.Equal(t, "Ecs.0603", out.code, "it is busy")
	out, _ = f.power("reboot", "SOFT", "off")
	require.Equal(t, "Ecs.0100", out.code)
	out, _ = f.power("reboot", "", "on")
	require.Equal(t, "Ecs.0005", out.code, "a reboot needs a type")

	_, job = f.power("reboot", "SOFT", "deaf")
	f.Clock().Advance(10 * time.Second)
	require.Equal(t, "FAIL", f.job(job)["status"])
	require.Equal(t, [4]any{"ACTIVE", "active", nil, ""}, f.shown("deaf"))
}

func TestTagsOfServers(t *testing.T) {
	f := start(t, func(w *sim.World) { w.Huawei.ReadLag = clock.Duration(time.Second) })
	tags := func(server string) any {
		f.Clock().Advance(time.Second)
		return f.do("GET", "/v1/p1/cloudservers/"+server+"/tags", "").body["tags"]
	}
	act := func(server, body string) reply {
		return f.do("POST", "/v1/p1/cloudservers/"+server+"/tags/action", body)
	}
	out := act("on", `{"action":"create","tags":[{"key":"team","value":"web"},{"key":"empty"}]}`)
	require.Equal(t, []any{204, ""}, []any{out.status, out.raw})
	require.Equal(t, "BatchCreateServerTags", f.last().Action)
	act("off", `{"action":"create","tags":[{"key":"team","value":"db"}]}`)
	require.Equal(t, []any{map[string]any{"key": "team", "value": "web"}, map[string]any{"key": "empty", "value": ""}}, tags("on"))
	require.Equal(t, []any{map[string]any{"key": "team", "values": []any{"web", "db"}},
		map[string]any{"key": "empty", "values": []any{""}}}, f.do("GET", "/v1/p1/cloudservers/tags", "").body["tags"])
	require.EqualValues(t, 1, f.do("GET", "/v1/p1/cloudservers/detail?tags=team%3Dweb", "").body["count"])

	act("on", `{"action":"create","tags":[{"key":"team","value":"shop"}]}`)
	act("on", `{"action":"delete","tags":[{"key":"empty"}]}`)
	require.Equal(t, []any{map[string]any{"key": "team", "value": "shop"}}, tags("on"))
	act("on", `{"action":"delete","tags":[{"key":"empty"}]}`)
	require.Equal(t, journal.None, f.last().Effect)
	require.Equal(t, "Ecs.0114", act("none", `{"action":"delete","tags":[{"key":"empty"}]}`).code)
	require.Equal(t, "Ecs.0005", act("on", `{"action":"change","tags":[{"key":"empty"}]}`).code)
	require.Equal(t, "Ecs.0005", act("on", `{"action":"create","tags":[]}`).code)
}

// TestNoFieldOfABodyIsIgnored: what the simulator does not know in a body is refused.
func TestNoFieldOfABodyIsIgnored(t *testing.T) {
	f := startCCE(t)
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/v1/p1/cloudservers/action", `{"os-stop":{"servers":[{"id":"s1"}],"force":true}}`},
		{"POST", groupsPath, `{"server_group":{"name":"x","policies":["anti-affinity"],"colour":"red"}}`},
		{"POST", groupsPath + "/g1/action", `{"add_member":{"instance_uuid":"s1","now":true}}`},
		{"POST", groupsPath + "/g1/add_members", `{"server_ids":["s1"],"dry_run":true}`},
		{"POST", "/v1/p1/cloudservers/s1/tags/action", `{"action":"create","tags":[{"key":"a"}],"sys_tags":[]}`},
		{"POST", "/v2.1/p1/servers/s1/action", `{"addSecurityGroup":{"name":"default","index":0}}`},
		{"POST", clusterPath + "/nodepools/p1/nodes/add", `{"apiVersion":"v3","kind":"List","nodeList":[{"serverID":"s1","spec":{}}]}`},
		{"PUT", clusterPath + "/nodes/operation/remove", `{"spec":{"nodes":[{"uid":"x"}],"login":{}}}`},
	} {
		out := f.do(c.method, c.path, c.body)
		require.Equal(t, []any{501, "SIM.0501"}, []any{out.status, out.code}, c.path)
		require.Equal(t, journal.Refused, f.last().Effect)
	}
	out := f.do("PUT", clusterPath+"/nodes/operation/remove", `{"kind":"Task","spec":{"nodes":[{"uid":"x"}]}}`)
	require.Equal(t, 400, out.status, out.raw)
}

func TestRequestIDsDifferBetweenStarts(t *testing.T) {
	ids := map[string]bool{}
	for range 2 {
		f := start(t)
		for range 2 {
			ids[f.do("GET", groupsPath, "").header.Get("X-Request-Id")] = true
		}
	}
	require.Len(t, ids, 4)
}

// TestTheSameSeedMakesTheSameWorld, whatever the ids of the requests.
func TestTheSameSeedMakesTheSameWorld(t *testing.T) {
	made := map[any]bool{}
	for range 2 {
		made[startAlibaba(t).call("CreateSnapshot", "DiskId", "d-data").body["SnapshotId"]] = true
	}
	require.Len(t, made, 1)
}

// TestAManagedNodeIsReadAtOnceByItsID: its id is known from the job.
func TestAManagedNodeIsReadAtOnceByItsID(t *testing.T) {
	f := startCCE(t, func(w *sim.World) { w.Huawei.CCE.ReadLag = clock.Duration(time.Minute) })
	out := f.do("POST", clusterPath+"/nodepools/p1/nodes/add", `{"apiVersion":"v3","kind":"List","nodeList":[{"serverID":"s1"}]}`)
	require.Equal(t, 200, out.status, out.raw)
	node, _ := f.Node("s1")
	shown := f.do("GET", clusterPath+"/nodes/"+node.ID, "")
	require.Equal(t, 200, shown.status, shown.raw)
	require.Equal(t, "Installing", shown.body["status"].(map[string]any)["phase"])
	require.NotContains(t, f.do("GET", clusterPath+"/nodes", "").raw, node.ID)
}

// TestNumbersOfCallsAreNotGivenTwice: what a call makes has an id by its number, which no later start may give again, even
// when the journal was forgotten.
func TestNumbersOfCallsAreNotGivenTwice(t *testing.T) {
	f, dir := alibabaDir(t)
	made := map[string]bool{}
	snapshot := func(f *cloud) {
		out := f.call("CreateSnapshot", "DiskId", "d-data")
		id, _ := out.body["SnapshotId"].(string)
		require.NotEmpty(t, id, out.raw)
		require.False(t, made[id], "the id of another snapshot")
		made[id] = true
	}
	snapshot(f)
	require.NoError(t, f.ResetJournal())
	for range 3 {
		f = openAlibaba(t, sim.Options{StateDir: dir})
		snapshot(f)
		snapshot(f)
	}
	require.Len(t, made, 7)
}
