package sim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

const containersWorld = `
seed: 7
accounts:
- {name: main, accessKey: AK, secretKey: SK, accountId: "1001", region: cn-hangzhou}
- {name: other, accessKey: AK2, secretKey: SK2, accountId: "1002"}
alibaba:
  timings: {stop: 20s}
  securityGroups: [{id: sg-k, name: nodes}]
  containers: {attach: 60s, remove: 30s, drain: 10s}
  clusters:
  - id: c1
    name: prod
    securityGroup: nodes
    nodePools:
    - {id: np1, name: workers, members: [i-old]}
    - {id: np2, desired: 2, members: [i-d1, i-d2], keyPair: key-1}
    - {id: np-off, state: updating, members: [i-u]}
  - {id: c-busy, state: updating, nodePools: [{id: np-busy, members: [i-b]}]}
  - {id: c-foreign, account: "1002"}
  instances:
  - {id: i-1, name: one}
  - {id: i-2, name: two}
  - {id: i-3}
  - {id: i-late}
  - {id: i-old}
  - {id: i-d1}
  - {id: i-d2}
  - {id: i-u}
  - {id: i-b}
  - {id: i-off, status: Stopped}
  - {id: i-locked, locks: [security]}
  - {id: i-vpc, vpc: vpc-2}
  - {id: i-classic, networkType: classic}
  - {id: i-region, region: cn-beijing}
  - {id: i-foreign, account: "1002"}
  resources: [{type: keypair, id: key-1}, {type: disk, id: d-data, instance: i-d1}]
`

func startContainers(t *testing.T, edits ...func(*world.Alibaba)) *cloud {
	t.Helper()
	w, err := sim.ParseWorld([]byte(containersWorld))
	require.NoError(t, err)
	for _, edit := range edits {
		edit(&w.Alibaba)
	}
	require.NoError(t, w.Validate())
	f := openAlibaba(t, sim.Options{World: w})
	f.style = alibabasign.ACS3
	return f
}

// cs calls an action of the Container Service by its method and path.
func (f *cloud) cs(action, methodAndPath, body string) reply {
	f.Helper()
	out, err := f.tryCS(action, methodAndPath, body)
	require.NoError(f, err)
	return out
}

func (f *cloud) tryCS(action, methodAndPath, body string) (reply, error) {
	f.Helper()
	method, path, _ := strings.Cut(methodAndPath, " ")
	r, err := http.NewRequestWithContext(f.Context(), method, f.url+path, strings.NewReader(body))
	require.NoError(f, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	r.Header.Set("x-acs-action", action)
	r.Header.Set("x-acs-version", "2015-12-15")
	alibabasign.Sign(alibabasign.ACS3, r, []byte(body), f.key, time.Now())
	out, err := f.send(r)
	for _, name := range []string{"Code", "code"} { // the gateway's, the service's
		if code, ok := out.body[name].(string); ok {
			out.code = code
		}
	}
	return out, err
}

// attach makes instances nodes of np1, and keeps their names.
func (f *cloud) attach(instances ...string) reply {
	f.Helper()
	return f.cs("AttachInstances", "POST /clusters/c1/attach",
		`{"nodepool_id":"np1","keep_instance_name":true,"instances":["`+strings.Join(instances, `","`)+`"]}`)
}

func (f *cloud) unattach(pool, more string, instances ...string) reply {
	f.Helper()
	return f.cs("RemoveNodePoolNodes", "DELETE /clusters/c1/nodepools/"+pool+"/nodes?instance_ids="+
		url.QueryEscape(`["`+strings.Join(instances, `","`)+`"]`)+more, "")
}

// containerNodes returns "state status" of each node of c1, by instance, as a caller is told.
func (f *cloud) containerNodes(query string) map[string]string {
	f.Helper()
	out := f.cs("DescribeClusterNodes", "GET /clusters/c1/nodes?pageSize=100&"+query, "")
	require.Equal(f, 200, out.status, out.raw)
	told := map[string]string{}
	for _, row := range out.body["nodes"].([]any) {
		n := row.(map[string]any)
		told[n["instance_id"].(string)] = fmt.Sprint(n["state"], " ", n["node_status"])
	}
	return told
}

func (f *cloud) poolNow(id string) (status, group map[string]any) {
	f.Helper()
	out := f.cs("DescribeClusterNodePoolDetail", "GET /clusters/c1/nodepools/"+id, "")
	require.Equal(f, 200, out.status, out.raw)
	return out.body["status"].(map[string]any), out.body["scaling_group"].(map[string]any)
}

func (f *cloud) taskNow(begun reply) map[string]any {
	f.Helper()
	out := f.cs("DescribeTaskInfo", "GET /tasks/"+begun.body["task_id"].(string), "")
	require.Equal(f, 200, out.status, out.raw)
	return out.body
}

// codes returns the code of each instance in the answer of AttachInstances.
func codes(r reply) map[string]string {
	all := map[string]string{}
	for _, row := range r.body["list"].([]any) {
		n := row.(map[string]any)
		all[n["instanceId"].(string)] = n["code"].(string) + " " + strings.Split(n["message"].(string), ":")[0]
	}
	return all
}

func TestAnInstanceBecomesANodeAndCeasesToBe(t *testing.T) {
	f := startContainers(t)
	before, _ := f.Instance("i-1")
	added := f.attach("i-1", "i-off")
	require.Equal(t, 202, added.status)
	require.Equal(t, map[string]string{"i-1": "200 successful", "i-off": "400 ErrorInstanceState"}, codes(added))
	last := f.last()
	require.Equal(t, []any{"AttachInstances", []string{"i-1", "i-off"}, "np1", "changed", true},
		[]any{last.Action, last.Servers, last.Group, last.Effect, last.Write})
	require.Equal(t, "running", f.taskNow(added)["state"])
	require.Equal(t, "initial Unknown", f.containerNodes("")["i-1"])
	status, _ := f.poolNow("np1")
	require.Equal(t, []any{"scaling", 2.0, 1.0, 1.0},
		[]any{status["state"], status["total_nodes"], status["initial_nodes"], status["healthy_nodes"]})
	require.NotEmpty(t, f.described("i-1")["OperationLocks"].(map[string]any)["LockReason"])
	require.Equal(t, "409 ErrorInstanceAttached", codes(f.attach("i-1"))["i-1"], "not again")
	require.Equal(t, "refused", f.last().Effect)
	require.NotContains(t, f.attach("i-1").body, "task_id")
	require.Equal(t, "ErrorNodeState", f.unattach("np1", "", "i-1").code, "not while it is being installed")
	require.Equal(t, "IncorrectInstanceStatus", f.call("StartInstance", "InstanceId", "i-1").code)

	f.Clock().Advance(time.Minute)
	task := f.taskNow(added)
	require.Equal(t, "success", task["state"])
	require.Equal(t, []any{map[string]any{"data": "i-1", "status": "success"}}, task["task_result"])
	require.Equal(t, map[string]string{"i-1": "running Ready"}, f.containerNodes("instanceIds=i-1"))
	after, _ := f.Instance("i-1")
	require.Equal(t, []any{"one", "Running", 2, "m-containers", false},
		[]any{after.Name, after.Status, after.OSGeneration, after.Image, after.Busy})
	require.NotEqual(t, before.SystemDisk, after.SystemDisk)
	n, _ := f.ContainerNode("i-1")
	require.Equal(t, sim.ContainerNode{Instance: "i-1", Name: n.Name, Cluster: "c1", Pool: "np1", State: "running",
		Ready: true}, n)
	require.True(t, strings.HasPrefix(n.Name, "cn-hangzhou.10."), n.Name)
	require.Equal(t, []string{"i-old", "i-1"}, f.World().Alibaba.Clusters[0].NodePools[0].Members)
	require.NoError(t, f.World().Validate())

	f.ok("StopInstance", "InstanceId", "i-1", "StoppedMode", "KeepCharging")
	require.Equal(t, "running NotReady", f.containerNodes("")["i-1"])
	f.Clock().Advance(20 * time.Second)
	f.ok("StartInstance", "InstanceId", "i-1")

	removed := f.unattach("np1", "&release_node=false&drain_node=true", "i-1")
	require.Equal(t, 202, removed.status, removed.raw)
	require.NotEmpty(t, removed.body["request_id"])
	require.Equal(t, []any{[]string{"i-1"}, "np1", "changed"}, []any{f.last().Servers, f.last().Group, f.last().Effect})
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, "removing Ready", f.containerNodes("")["i-1"], "a drain takes longer")
	status, _ = f.poolNow("np1")
	require.Equal(t, []any{"removing", 1.0}, []any{status["state"], status["removing_nodes"]})
	require.Equal(t, "ErrorNodeRemoving", f.unattach("np1", "", "i-1").code)
	f.Clock().Advance(10 * time.Second)
	require.NotContains(t, f.containerNodes(""), "i-1")
	require.Equal(t, "success", f.taskNow(removed)["state"])
	require.Equal(t, "ErrorNodeNotFound", f.unattach("np1", "", "i-1").code)
	again, _ := f.Instance("i-1")
	require.Equal(t, after, again, "the instance stays as it is")
	require.Equal(t, "200 successful", codes(f.attach("i-1"))["i-1"], "and can come back")
	f.Clock().Advance(25 * time.Hour)
	require.Equal(t, "ErrorTaskNotFound",
		f.cs("DescribeTaskInfo", "GET /tasks/"+added.body["task_id"].(string), "").code, "tasks are forgotten")
}

func TestAttachRenames(t *testing.T) {
	f := startContainers(t, func(a *world.Alibaba) { a.ReadLag = clock.Duration(5 * time.Second) })
	f.cs("AttachInstances", "POST /clusters/c1/attach", `{"instances":["i-1"]}`)
	f.cs("AttachInstancesToNodePool", "POST /clusters/c1/nodepools/np1/attach", `{"instances":["i-2"]}`)
	f.cs("AttachInstancesToNodePool", "POST /clusters/c1/nodepools/np2/attach",
		`{"instances":["i-3"],"keep_instance_name":false}`)
	require.Equal(t, "one", f.described("i-1")["InstanceName"], "the lag")
	f.Clock().Advance(5 * time.Second)
	for id, name := range map[string]string{"i-1": "worker-k8s-for-cs-c1", "i-2": "two", "i-3": "worker-k8s-for-cs-c1"} {
		require.Equal(t, name, f.described(id)["InstanceName"], id)
		v, _ := f.Instance(id)
		require.Equal(t, name, v.Name, id)
	}
	n, _ := f.ContainerNode("i-1")
	require.Equal(t, "np1", n.Pool, "the default pool")
	require.Equal(t, "worker-k8s-for-cs-c1", f.World().Alibaba.Instances[0].Name)
}

func TestWhatCannotBeAttached(t *testing.T) {
	f := startContainers(t)
	const to, toPool = "POST /clusters/c1/attach", "POST /clusters/c1/nodepools/np1/attach"
	for id, why := range map[string]string{
		"i-none": "404 ErrorInstanceNotFound", "i-foreign": "404 ErrorInstanceNotFound", "i-region": "404 ErrorInstanceNotFound",
		"i-old": "409 ErrorInstanceAttached", "i-b": "409 ErrorInstanceAttached", "i-off": "400 ErrorInstanceState",
		"i-locked": "400 ErrorInstanceLocked", "i-vpc": "400 ErrorInstanceVpc", "i-classic": "400 ErrorInstanceVpc",
	} {
		require.Equal(t, why, codes(f.attach(id))[id], id)
		refused := f.cs("AttachInstancesToNodePool", toPool, `{"instances":["i-1","`+id+`"]}`)
		require.Equal(t, why, fmt.Sprint(refused.status, " ", refused.code), id)
	}
	for _, line := range []struct {
		path, body string
		status     int
		code       string
	}{
		{"POST /clusters/c9/attach", `{"instances":["i-1"]}`, 404, "ErrorClusterNotFound"},
		{"POST /clusters/c-foreign/attach", `{"instances":["i-1"]}`, 404, "ErrorClusterNotFound"},
		{"POST /clusters/c-busy/attach", `{"instances":["i-1"]}`, 400, "ErrorClusterState"},
		{to, `{"instances":["i-1"],"nodepool_id":"np9"}`, 404, "ErrorNodePoolNotFound"},
		{to, `{"instances":["i-1"],"nodepool_id":"np-off"}`, 400, "ErrorNodePoolState"},
		{to, `{"instances":[]}`, 400, "MissingParameter"},
		{to, `{}`, 400, "MissingParameter"},
		{to, `{"instances":["i-1","i-1"]}`, 400, "InvalidParameter"},
		{to, `{"instances":"i-1"}`, 400, "InvalidParameter"},
		{to, `{"instances":["` + strings.Repeat(`x","`, 100) + `y"]}`, 400, "InvalidParameter"},
		{to, `{"instances":["i-1"]`, 400, "InvalidParameter"},
		{to, `{"instances":["i-1"],"keep_instance_name":"maybe"}`, 400, "InvalidParameter"},
		{to, `{"instances":["i-1"],"format_disk":1}`, 400, "InvalidParameter"},
		{to, `{"instances":["i-1"],"password":"Passw0rd","key_pair":"key-1"}`, 400, "InvalidParameter"},
		{to, `{"instances":["i-1"],"key_pair":"key-9"}`, 404, "InvalidKeyPair.NotFound"},
		{to, `{"instances":["i-1"],"key_pair":"key-1","nodepool_id":"np1"}`, 400, "InvalidParameter"},
		{to, `{"instances":["i-1"],"runtime":{"name":"docker"},"nodepool_id":"np1"}`, 400, "InvalidParameter"},
		{to, `{"instances":["i-1"],"is_edge_worker":true}`, 501, "SIM.0501"},
		{to, `{"instances":["i-1"],"rds_instances":["r"]}`, 501, "SIM.0501"},
	} {
		out := f.cs("AttachInstances", line.path, line.body)
		require.Equal(t, []any{line.status, line.code}, []any{out.status, out.code}, line)
		require.Equal(t, float64(line.status), out.body["status"])
		require.NotEmpty(t, out.body["requestId"])
	}
	for _, path := range []string{"POST /clusters/c1/attack", "PUT /clusters/c1/attach"} {
		out := f.cs("AttachInstances", path, `{"instances":["i-1"]}`)
		require.Equal(t, []any{404, "InvalidApi.NotFound"}, []any{out.status, out.code}, path)
	}
	for _, password := range []string{"Short1!", "alllowercase1", `Quote"123`, `Back\\slash1`, "Pässw0rdd",
		strings.Repeat("Long1", 7)} {
		out := f.cs("AttachInstances", to, `{"instances":["i-1"],"password":`+fmt.Sprintf("%q", password)+`}`)
		require.Equal(t, "InvalidPassword", out.code, password)
		require.NotContains(t, out.raw, password)
	}
	v, _ := f.Instance("i-1")
	require.Equal(t, 1, v.OSGeneration, "a call that is refused does nothing")
	f.cs("AttachInstances", to, `{"instances":["i-1"],"password":"Passw0rd!","image_id":"m-x"}`)
	f.cs("AttachInstances", to, `{"instances":["i-2"],"key_pair":"key-1"}`)
	f.cs("AttachInstancesToNodePool", "POST /clusters/c1/nodepools/np2/attach", `{"instances":["i-3"]}`)
	require.Equal(t, []any{"m-x", ""}, []any{f.described("i-1")["ImageId"], f.described("i-1")["KeyPairName"]})
	require.Equal(t, "key-1", f.described("i-2")["KeyPairName"])
	require.Equal(t, "key-1", f.described("i-3")["KeyPairName"], "the pool's")
	f.key.Secret = "wrong"
	out := f.cs("AttachInstances", to, `{"instances":["i-1"]}`)
	require.Equal(t, "SignatureDoesNotMatch", out.body["Code"], "the gateway has a shape of its own")
}

func TestRemovalsReleaseAndRefill(t *testing.T) {
	f := startContainers(t)
	require.Equal(t, 202, f.unattach("np1", "&release_node=true", "i-old").status)
	_, there := f.Instance("i-old")
	require.False(t, there)
	require.Empty(t, f.rows("Disks", "Disk", "DescribeDisks", "InstanceId", "i-old"))
	require.Equal(t, "removing Unknown", f.containerNodes("")["i-old"])

	_, group := f.poolNow("np2")
	require.Equal(t, 2.0, group["desired_size"])
	require.Equal(t, 202, f.unattach("np2", "", "i-d1").status)
	_, group = f.poolNow("np2")
	require.Equal(t, 1.0, group["desired_size"])
	d1, there := f.Instance("i-d1")
	require.True(t, there)
	require.Equal(t, 1, d1.OSGeneration)

	instances := len(f.Instances())
	name, _ := f.ContainerNode("i-d2")
	out := f.cs("DeleteClusterNodes", "POST /clusters/c1/nodes", `{"nodes":["`+name.Name+`"],"release_node":true}`)
	require.Equal(t, []any{202, "c1"}, []any{out.status, out.body["cluster_id"]})
	require.Equal(t, []any{[]string{"i-d2"}, "np2"}, []any{f.last().Servers, f.last().Group})
	require.Len(t, f.Instances(), instances, "one is gone, another made in its place")
	made := f.Instances()[instances-1]
	require.Equal(t, []any{"worker-k8s-for-cs-c1", "Running", []string{"sg-k"}},
		[]any{made.Name, made.Status, made.SecurityGroups})
	require.NotEmpty(t, made.SystemDisk)
	require.NotEmpty(t, made.PrimaryInterface)
	require.Equal(t, "initial Unknown", f.containerNodes("")[made.ID])
	f.Clock().Advance(time.Minute)
	require.Equal(t, map[string]string{made.ID: "running Ready"}, f.containerNodes("nodepool_id=np2"))
	_, group = f.poolNow("np2")
	require.Equal(t, 1.0, group["desired_size"])
	require.NoError(t, f.World().Validate())

	f.cs("AttachInstancesToNodePool", "POST /clusters/c1/nodepools/np2/attach", `{"instances":["i-3"]}`)
	_, group = f.poolNow("np2")
	require.Equal(t, 2.0, group["desired_size"], "an attach raises it")
	f.Clock().Advance(time.Minute)
	n, _ := f.ContainerNode(made.ID)
	require.Equal(t, 202,
		f.cs("RemoveClusterNodes", "POST /api/v2/clusters/c1/nodes/remove", `{"nodes":["`+n.Name+`"]}`).status)
	require.Len(t, f.Instances(), instances+1)
	old, _ := f.Instance("i-old")
	require.Empty(t, old)
}

func TestWhatCannotBeRemoved(t *testing.T) {
	f := startContainers(t)
	require.Equal(t, "ErrorNodeNotFound", f.unattach("np1", "", "i-old", "i-1").code)
	require.Equal(t, "ErrorNodeNotFound", f.unattach("np2", "", "i-old").code, "it is in another pool")
	require.Equal(t, "ErrorNodePoolNotFound", f.unattach("np9", "", "i-old").code)
	require.Equal(t, "ErrorNodePoolState", f.unattach("np-off", "", "i-u").code)
	require.Equal(t, "InvalidParameter", f.unattach("np1", "&release_node=maybe", "i-old").code)
	require.Equal(t, "InvalidParameter", f.unattach("np1", "&drain_node=maybe", "i-old").code)
	require.Equal(t, "InvalidParameter", f.unattach("np1", "&concurrency=maybe", "i-old").code)
	require.Equal(t, "InvalidParameter", f.unattach("np1", "", "i-old", "i-old").code)
	require.Equal(t, "SIM.0501", f.unattach("np1", "&force=true", "i-old").code)
	const remove = "DELETE /clusters/c1/nodepools/np1/nodes"
	require.Equal(t, "MissingParameter", f.cs("RemoveNodePoolNodes", remove, "").code)
	require.Equal(t, "InvalidParameter", f.cs("RemoveNodePoolNodes", remove+"?nodes=x", "").code)
	require.Equal(t, "ErrorClusterState",
		f.cs("RemoveNodePoolNodes", `DELETE /clusters/c-busy/nodepools/np-busy/nodes?instance_ids=["i-b"]`, "").code)
	u, _ := f.ContainerNode("i-u")
	require.Equal(t, "ErrorNodePoolState",
		f.cs("DeleteClusterNodes", "POST /clusters/c1/nodes", `{"nodes":["`+u.Name+`"]}`).code)
	require.Equal(t, "MissingParameter", f.cs("DeleteClusterNodes", "POST /clusters/c1/nodes", `{}`).code)
	require.Equal(t, "running Ready", f.containerNodes("")["i-old"])
	old, _ := f.ContainerNode("i-old")
	require.Equal(t, 202, f.cs("RemoveNodePoolNodes", remove+`?nodes=["`+old.Name+`"]`, "").status, "the older way")
	require.Equal(t, []string{"i-old"}, f.last().Servers)
}

func TestContainerNodesThatFail(t *testing.T) {
	f := startContainers(t, func(a *world.Alibaba) { a.Containers.TaskFailed = "fail" })
	f.inject(sim.Fault{Effect: fault.JobFail, Code: "InstallFailed", Message: "no disk", Match: sim.Match{Server: "i-1"}})
	f.inject(sim.Fault{Effect: fault.JobFail, Code: "NotReady", Message: "no network", Match: sim.Match{Server: "i-2"}})
	f.inject(sim.Fault{Effect: fault.JobFail, Code: "DrainFailed", Match: sim.Match{Server: "i-old"}})
	added := f.attach("i-1", "i-3")
	broken := f.attach("i-2")
	f.Clock().Advance(time.Minute)
	task := f.taskNow(added)
	require.Equal(t, "fail", task["state"])
	require.Equal(t, map[string]any{"code": "InstallFailed", "message": "no disk"}, task["error"])
	require.Equal(t, "failed", task["task_result"].([]any)[0].(map[string]any)["status"])
	require.Equal(t, "success", task["task_result"].([]any)[1].(map[string]any)["status"])
	require.Equal(t, "fail", f.taskNow(broken)["state"])
	nodes := f.containerNodes("")
	require.Equal(t, []string{"failed Unknown", "running NotReady", "running Ready"},
		[]string{nodes["i-1"], nodes["i-2"], nodes["i-3"]})
	row := f.cs("DescribeClusterNodes", "GET /clusters/c1/nodes?state=failed", "").body["nodes"].([]any)[0].(map[string]any)
	require.Equal(t, []any{"i-1", "no disk"}, []any{row["instance_id"], row["error_message"]})
	v, _ := f.Instance("i-1")
	require.Equal(t, 2, v.OSGeneration, "its system is another all the same")
	status, _ := f.poolNow("np1")
	require.Equal(t, []any{1.0, 2.0, 4.0}, []any{status["failed_nodes"], status["healthy_nodes"], status["total_nodes"]})

	f.inject(sim.Fault{Effect: fault.JobFail, Code: "absent", Match: sim.Match{Server: "i-late"}})
	ghost := f.attach("i-late")
	f.Clock().Advance(time.Minute)
	require.Equal(t, "fail", f.taskNow(ghost)["state"])
	require.NotContains(t, f.containerNodes(""), "i-late")
	v, _ = f.Instance("i-late")
	require.Equal(t, 1, v.OSGeneration, "nothing came of it")

	removed := f.unattach("np1", "&release_node=true", "i-old")
	require.Equal(t, "removing Ready", f.containerNodes("")["i-old"])
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, "running Ready", f.containerNodes("")["i-old"], "the removal came to nothing")
	require.Equal(t, "fail", f.taskNow(removed)["state"])
	_, there := f.Instance("i-old")
	require.True(t, there)
}

func TestContainerNodesThatAreStuck(t *testing.T) {
	f := startContainers(t)
	f.inject(sim.Fault{Effect: fault.Stuck, Match: sim.Match{Action: "Attach*", Server: "i-1"}})
	f.inject(sim.Fault{Effect: fault.Stuck, Code: "NotReady", Match: sim.Match{Action: "Attach*", Server: "i-2"}})
	hour := clock.Duration(time.Hour)
	f.inject(sim.Fault{Effect: fault.Stuck, For: hour, Match: sim.Match{Action: "Attach*", Server: "i-3"}})
	f.inject(sim.Fault{Effect: fault.Stuck, For: hour, Match: sim.Match{Server: "i-old"}})
	f.inject(sim.Fault{Effect: fault.Stuck, Match: sim.Match{Server: "i-d1"}})
	never, unready, late := f.attach("i-1"), f.attach("i-2"), f.attach("i-3")
	f.unattach("np1", "", "i-old")
	f.unattach("np2", "", "i-d1")
	f.Clock().Advance(time.Hour)
	require.Equal(t, map[string]string{"i-1": "initial Unknown", "i-2": "running NotReady", "i-3": "initial Unknown",
		"i-old": "removing Ready", "i-d1": "removing Ready", "i-d2": "running Ready", "i-u": "running Ready"},
		f.containerNodes(""))
	f.Clock().Advance(48 * time.Hour)
	require.Equal(t, map[string]string{"i-1": "initial Unknown", "i-2": "running NotReady", "i-3": "running Ready",
		"i-d1": "removing Ready", "i-d2": "running Ready", "i-u": "running Ready"}, f.containerNodes(""))
	require.Equal(t, "running", f.taskNow(never)["state"])
	require.Equal(t, "running", f.taskNow(unready)["state"])
	require.Equal(t, "ErrorTaskNotFound", f.cs("DescribeTaskInfo", "GET /tasks/"+late.body["task_id"].(string), "").code)
	v, _ := f.Instance("i-1")
	require.Equal(t, []any{"Running", 2, false}, []any{v.Status, v.OSGeneration, v.Busy})
}
