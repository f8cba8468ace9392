package sim_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

const cceWorld = `
seed: 7
accounts: [{name: main, accessKey: AK, secretKey: SK, projectId: p1}]
huawei:
  flavors: [{id: c7}, {id: big, vcpus: 8}, {id: tiny, vcpus: 1}, {id: xen, virtualization: xen}]
  groups: [{id: g1, name: web}]
  cce: {manage: 60s, remove: 30s}
  clusters:
  - id: c1
    flavor: cce.s1.small
    nodePools:
    - {id: p1, flavor: c7, members: [old]}
    - {id: small, flavor: tiny}
    - {id: onxen, flavor: xen}
    - {id: going, flavor: c7, phase: Deleting}
  - {id: asleep, phase: Hibernation, nodePools: [{id: p2, flavor: c7}]}
  servers:
  - {id: s1, flavor: c7}
  - {id: s2, flavor: c7}
  - {id: old, flavor: c7}
  - {id: "off", flavor: c7, status: SHUTOFF}
  - {id: locked, flavor: c7, locked: true}
  - {id: tagged, flavor: c7, tags: [CCE-Dynamic-Provisioning-Node=x]}
  - {id: vpc, flavor: c7, vpc: other}
  - {id: subnet, flavor: c7, subnet: other}
  - {id: zone, flavor: c7, zone: az2}
  - {id: big, flavor: big}
  - {id: grouped, flavor: c7, group: web}
  - {id: spot, flavor: c7, metadata: {charging_mode: "2"}}
  - {id: monthly, flavor: c7, metadata: {charging_mode: "1"}}
  - {id: nics, flavor: c7, nics: 2}
  - {id: tiny, flavor: tiny}
  - {id: xen, flavor: xen}
`

const clusterPath = "/api/v3/projects/p1/clusters/c1"

func startCCE(t *testing.T, edits ...func(*sim.World)) *fixture {
	t.Helper()
	w, err := sim.ParseWorld([]byte(cceWorld))
	require.NoError(t, err)
	for _, edit := range edits {
		edit(&w)
	}
	return open(t, sim.Options{World: w})
}

func (f *fixture) manage(pool string, servers ...string) reply {
	f.Helper()
	list := ""
	for i, s := range servers {
		if i > 0 {
			list += ","
		}
		list += fmt.Sprintf(`{"serverID":%q}`, s)
	}
	return f.do("POST", clusterPath+"/nodepools/"+pool+"/nodes/add", `{"apiVersion":"v3","kind":"List","nodeList":[`+list+`]}`)
}

func (f *fixture) unmanage(node string) reply {
	f.Helper()
	return f.do("PUT", clusterPath+"/nodes/operation/remove",
		`{"apiVersion":"v3","kind":"RemoveNodesTask","spec":{"nodes":[{"uid":"`+node+`"}]}}`)
}

// phases returns the phase of each node of the cluster, by server, as a caller is told.
func (f *fixture) phases(query string) map[string]string {
	f.Helper()
	told := map[string]string{}
	for _, row := range f.do("GET", clusterPath+"/nodes?"+query, "").body["items"].([]any) {
		status := row.(map[string]any)["status"].(map[string]any)
		told[status["serverId"].(string)] = status["phase"].(string)
	}
	return told
}

func jobPhase(r reply) string { return r.body["status"].(map[string]any)["phase"].(string) }

func TestAServerBecomesANodeAndCeasesToBe(t *testing.T) {
	f := startCCE(t)
	image := f.do("GET", "/v1/p1/cloudservers/s1", "").body["server"].(map[string]any)["image"]
	added := f.manage("p1", "s1", "s2")
	require.Equal(t, 200, added.status)
	job := "/api/v3/projects/p1/jobs/" + added.body["jobid"].(string)
	require.Equal(t, "Running", jobPhase(f.do("GET", job, "")))
	require.Equal(t, map[string]string{"old": "Active", "s1": "Installing", "s2": "Installing"}, f.phases(""))
	s1, _ := f.Server("s1")
	require.Equal(t, []any{"REBUILD", "rebuilding", 2, true}, []any{s1.Status, s1.TaskState, s1.OSGeneration, s1.Busy})
	n, _ := f.Node("s1")
	require.Equal(t, "CCE.01403006", f.unmanage(n.ID).code, "not while it is being installed")
	require.Equal(t, "CCE.01400001", f.manage("p1", "s1").code, "not again")
	require.Equal(t, "Ecs.0603", func() string { r, _ := f.power("os-stop", "", "s1"); return r.code }(), "nor anything else meanwhile")

	f.Clock().Advance(time.Minute)
	done := f.do("GET", job, "")
	require.Equal(t, "Success", jobPhase(done))
	part := done.body["spec"].(map[string]any)["subJobs"].([]any)[0].(map[string]any)
	inner := part["spec"].(map[string]any)["subJobs"].([]any)[0].(map[string]any)
	require.Equal(t, n.ID, inner["spec"].(map[string]any)["resourceID"])
	require.Equal(t, "Success", jobPhase(f.do("GET", "/api/v3/projects/p1/jobs/"+part["metadata"].(map[string]any)["uid"].(string), "")))
	require.Equal(t, "Active", jobPhase(f.do("GET", clusterPath+"/nodes/"+n.ID, "")))
	pool := f.do("GET", clusterPath+"/nodepools/p1", "").body["status"].(map[string]any)
	require.Equal(t, []any{3.0, 3.0}, []any{pool["currentNode"], pool["activeNode"]})
	require.NotEqual(t, image, f.do("GET", "/v1/p1/cloudservers/s1", "").body["server"].(map[string]any)["image"])
	require.ElementsMatch(t, []string{"old", "s1", "s2"}, f.World().Huawei.Clusters[0].NodePools[0].Members)
	require.NoError(t, f.World().Validate())

	require.Equal(t, 200, f.unmanage(n.ID).status)
	require.Equal(t, "Deleting", f.phases("")["s1"])
	require.Equal(t, "CCE.01400001", f.unmanage(n.ID).code)
	f.Clock().Advance(30 * time.Second)
	require.NotContains(t, f.phases(""), "s1")
	require.Equal(t, 404, f.do("GET", clusterPath+"/nodes/"+n.ID, "").status)
	require.Equal(t, "CCE.01404001", f.unmanage(n.ID).code)
	s1, _ = f.Server("s1")
	require.Equal(t, []any{"ACTIVE", 3}, []any{s1.Status, s1.OSGeneration}, "the server stays, its system does not")
	f.Clock().Advance(25 * time.Hour)
	require.Equal(t, "CCE.01404001", f.do("GET", job, "").code, "jobs are forgotten")
}

func TestDeleteNodeDestroysTheServer(t *testing.T) {
	f := startCCE(t)
	n, _ := f.Node("old")
	require.Equal(t, 200, f.do("DELETE", clusterPath+"/nodes/"+n.ID, "").status)
	old, _ := f.Server("old")
	require.Equal(t, "DELETED", old.Status)
}

func TestWhatCannotBeManaged(t *testing.T) {
	f := startCCE(t)
	for _, server := range []string{"none", "old", "off", "locked", "tagged", "vpc", "subnet", "zone", "big", "grouped", "spot",
		"monthly", "nics"} {
		r := f.manage("p1", "s1", server)
		require.Equal(t, []any{400, "CCE.01400001"}, []any{r.status, r.code}, server)
		require.Equal(t, "Status", r.body["kind"])
	}
	require.Equal(t, "CCE.01400001", f.manage("small", "tiny").code)
	require.Equal(t, "CCE.01400001", f.manage("onxen", "xen").code)
	require.Equal(t, "CCE.01403005", f.manage("going", "s1").code)
	require.Equal(t, "CCE.01404001", f.manage("none", "s1").code)
	require.Equal(t, "CCE.01400001", f.manage("p1").code)
	require.Equal(t, "CCE.01400001", f.manage("p1", "s1", "s1").code)
	require.Equal(t, "CCE.01400001", f.manage("p1", make([]string, 201)...).code)
	body := `{"apiVersion":"v3","kind":"List","nodeList":[{"serverID":"s1"}]}`
	asleep := "/api/v3/projects/p1/clusters/asleep"
	require.Equal(t, "CCE.01403003", f.do("POST", asleep+"/nodepools/p2/nodes/add", body).code)
	require.Equal(t, "CCE.01403003", f.do("PUT", asleep+"/nodes/operation/remove", `{"spec":{"nodes":[{"uid":"x"}]}}`).code)
	require.Equal(t, "CCE.01400001", f.do("POST", clusterPath+"/nodepools/p1/nodes/add", `{`).code)
	require.Equal(t, "CCE.01400001", f.do("PUT", clusterPath+"/nodes/operation/remove", `{}`).code)
	require.Equal(t, 501, f.do("POST", clusterPath+"/hibernate", "").status)
	s1, _ := f.Server("s1")
	require.Equal(t, 1, s1.OSGeneration, "a call that is refused does nothing")
}

func TestTheClusterFillsUp(t *testing.T) {
	f := startCCE(t, func(w *sim.World) {
		w.Huawei.Generate = []world.Generate{{Name: "w-%d", Count: 50, Flavor: "c7"}}
	})
	var ids []string
	for _, s := range f.Servers() {
		if len(s.Name) > 1 && s.Name[:2] == "w-" {
			ids = append(ids, s.ID)
		}
	}
	require.Equal(t, "CCE.01400014", f.manage("p1", ids...).code, "one of 50 places is taken")
	require.Equal(t, 200, f.manage("p1", ids[:49]...).status)
	page := f.do("GET", clusterPath+"/nodes?limit=20", "")
	require.Len(t, page.body["items"], 20)
	next := page.body["pageInfo"].(map[string]any)["nextMarker"].(string)
	require.Len(t, f.do("GET", clusterPath+"/nodes?limit=2000&marker="+next, "").body["items"], 30)
	require.Equal(t, 400, f.do("GET", clusterPath+"/nodes?limit=0", "").status)
	require.Equal(t, 400, f.do("GET", clusterPath+"/nodes?marker=none", "").status)
}

func TestNodesThatFail(t *testing.T) {
	f := startCCE(t)
	f.inject(sim.Fault{Effect: fault.JobFail, Code: "CCE.Install", Message: "no disk", Match: sim.Match{Server: "s1"}})
	job := "/api/v3/projects/p1/jobs/" + f.manage("p1", "s1", "s2").body["jobid"].(string)
	f.Clock().Advance(time.Minute)
	require.Equal(t, "Failed", jobPhase(f.do("GET", job, "")), "though one of two went well")
	require.Equal(t, map[string]string{"old": "Active", "s1": "Error", "s2": "Active"}, f.phases("errorStatus=Error"))
	require.Equal(t, "Deleting", f.phases("")["s1"], "what callers are told who do not ask for errors")
	n, _ := f.Node("s1")
	require.Equal(t, 200, f.unmanage(n.ID).status)
}

func TestNodesThatAreStuck(t *testing.T) {
	f := startCCE(t)
	f.inject(sim.Fault{Effect: fault.Stuck, Match: sim.Match{Action: "AddNodesToNodePool", Server: "s1"}})
	f.inject(sim.Fault{Effect: fault.Stuck, Match: sim.Match{Action: "RemoveNode"}})
	job := "/api/v3/projects/p1/jobs/" + f.manage("p1", "s1").body["jobid"].(string)
	f.Clock().Advance(48 * time.Hour)
	require.Equal(t, "Installing", f.phases("")["s1"])
	require.Equal(t, "Running", jobPhase(f.do("GET", job, "")))
	n, _ := f.Node("old")
	require.Equal(t, 200, f.unmanage(n.ID).status)
	f.Clock().Advance(48 * time.Hour)
	require.Equal(t, "Deleting", f.phases("")["old"])
}

func TestARepeatThatIsTakenWipesAgain(t *testing.T) {
	f := startCCE(t, func(w *sim.World) { w.Huawei.CCE.RepeatManage = world.OK })
	require.Equal(t, 200, f.manage("p1", "s1").status)
	require.Equal(t, 200, f.manage("p1", "s1").status)
	s1, _ := f.Server("s1")
	require.Equal(t, 3, s1.OSGeneration)
	require.Len(t, f.phases(""), 2)
}

func TestNodesShowLate(t *testing.T) {
	f := startCCE(t, func(w *sim.World) {
		w.Huawei.CCE.ReadLag, w.Huawei.CCE.Appear = clock.Duration(5*time.Second), clock.Fixed(20*time.Second)
	})
	job := "/api/v3/projects/p1/jobs/" + f.manage("p1", "s1").body["jobid"].(string)
	f.Clock().Advance(24 * time.Second)
	require.NotContains(t, f.phases(""), "s1")
	f.Clock().Advance(time.Second)
	require.Equal(t, "Installing", f.phases("")["s1"])
	require.Equal(t, "Running", jobPhase(f.do("GET", job, "")), "jobs show no lag")
}

func TestWritesOfClustersAreThrottled(t *testing.T) {
	f := startCCE(t, func(w *sim.World) { w.Huawei.CCE.WritesPerMinute = 2 })
	require.Equal(t, "CCE.01404001", f.unmanage("x").code)
	require.Equal(t, "CCE.01404001", f.unmanage("x").code, "refused ones count, too")
	r := f.manage("p1", "s1")
	require.Equal(t, []any{429, "CCE.02429001"}, []any{r.status, r.code})
	f.phases("") // reads are free
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, 200, f.manage("p1", "s1").status)
}

func TestOtherReadsOfClusters(t *testing.T) {
	f := startCCE(t)
	require.Len(t, f.do("GET", "/api/v3/projects/p1/clusters", "").body["items"], 2)
	require.Equal(t, "Available", jobPhase(f.do("GET", clusterPath, "")))
	require.Len(t, f.do("GET", clusterPath+"/nodepools", "").body["items"], 4)
	require.NotEmpty(t, f.do("GET", "/api/v3/projects/p1/quotas", "").body["quotas"])
	require.Equal(t, 403, f.do("GET", "/api/v3/projects/p9/clusters", "").status)
	f.key.Secret = "wrong"
	require.Equal(t, "APIGW.0301", f.do("GET", clusterPath, "").code)
}

func TestClustersSurviveARestart(t *testing.T) {
	w, err := sim.ParseWorld([]byte(cceWorld))
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "state")
	f := open(t, sim.Options{World: w, StateDir: dir})
	old, _ := f.Node("old")
	require.Equal(t, 200, f.unmanage(old.ID).status)
	job := "/api/v3/projects/p1/jobs/" + f.manage("p1", "s1").body["jobid"].(string)
	f.Clock().Advance(30 * time.Second)
	require.NotContains(t, f.phases(""), "old")
	n, _ := f.Node("s1")
	servers := f.Servers()

	for range 2 { // from the log, then from the snapshot
		f = reopen(t, dir)
		require.Equal(t, map[string]string{"s1": "Installing"}, f.phases(""))
		again, _ := f.Node("s1")
		require.Equal(t, n, again)
		require.Equal(t, servers, f.Servers())
		require.Equal(t, "Running", jobPhase(f.do("GET", job, "")))
	}
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, "Active", f.phases("")["s1"])
}

func TestMistakesInClusters(t *testing.T) {
	const flavor = "huawei: {flavors: [{id: f}], servers: [{id: s, flavor: f}], "
	for text, says := range map[string]string{
		"clusters: [{}]}":                                                                                       `huawei.clusters[0].name: is missing`,
		"clusters: [{id: c, phase: Gone}]}":                                                                     `huawei.clusters[0].phase: "Gone" is not one of`,
		"clusters: [{id: c, nodePools: [{flavor: f}]}]}":                                                        `huawei.clusters[0].nodePools[0].name: is missing`,
		"clusters: [{id: c, nodePools: [{id: p, flavor: x}]}]}":                                                 `huawei.clusters[0].nodePools[0].flavor: "x" is no flavor`,
		"clusters: [{id: c, nodePools: [{id: c, flavor: f}]}]}":                                                 `huawei.clusters[0].nodePools[0].id: "c" is taken`,
		"clusters: [{id: c, nodePools: [{id: p, flavor: f, phase: Idle, billingMode: 2}]}]}":                    `billingMode: 2 is not between 0 and 1`,
		"clusters: [{id: c, nodePools: [{id: p, flavor: f, members: [x]}]}]}":                                   `members[0]: "x" is no server`,
		"clusters: [{id: c, nodePools: [{id: p, flavor: f, members: [s]}, {id: q, flavor: f, members: [s]}]}]}": `nodePools[1].members[0]: "s" is taken by`,
		"cce: {writesPerMinute: -1}}":                                                                           `huawei.cce.writesPerMinute: -1 is negative`,
		"cce: {repeatManage: perhaps}}":                                                                         `huawei.cce.repeatManage: "perhaps" is not one of ok, error`,
		"cce: {manage: 5}}":                                                                                     `huawei.cce.manage: 5 is not a duration`,
	} {
		_, err := sim.ParseWorld([]byte(flavor + text))
		require.ErrorContains(t, err, says, text)
	}
}
