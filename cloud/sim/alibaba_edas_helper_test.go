package sim_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

const edasWorld = `
seed: 7
accounts:
- {name: main, accessKey: AK, secretKey: SK, accountId: "1001", region: cn-hangzhou}
- {name: other, accessKey: AK2, secretKey: SK2, accountId: "1002"}
alibaba:
  edas: {import: 5m, install: 30s, remove: 10s}
  edasClusters:
  - {id: prod, name: production, members: [i-old, i-app], applications: [i-app]}
  - {id: second, members: [i-taken]}
  - {id: docker, type: 0}
  - {id: classic, networkMode: 1}
  - {id: beijing, region: cn-beijing}
  - {id: foreign, account: "1002"}
  instances:
  - {id: i-1, keyPair: key-1}
  - {id: i-2}
  - {id: i-3}
  - {id: i-old}
  - {id: i-app}
  - {id: i-taken}
  - {id: i-off, status: Stopped}
  - {id: i-new, status: Pending}
  - {id: i-fresh, unknownToEDAS: true}
  - {id: i-deaf, agentOffline: true}
  - {id: i-windows, osType: windows}
  - {id: i-unpaid, locks: [financial]}
  - {id: i-locked, locks: [security]}
  - {id: i-vpc2, vpc: vpc-2}
  - {id: i-classic, networkType: classic}
  - {id: i-beijing, region: cn-beijing}
  - {id: i-foreign, account: "1002"}
  resources:
  - {type: image, id: m-1}
`

func startEDAS(t *testing.T, edits ...func(*world.Alibaba)) *cloud {
	t.Helper()
	return openAlibaba(t, sim.Options{World: worldOfEDAS(t, edits...)})
}

func worldOfEDAS(t *testing.T, edits ...func(*world.Alibaba)) sim.World {
	t.Helper()
	w, err := sim.ParseWorld([]byte(edasWorld))
	require.NoError(t, err)
	for _, edit := range edits {
		edit(&w.Alibaba)
	}
	require.NoError(t, w.Validate())
	return w
}

// edasCalls are the method and path of each action.
var edasCalls = map[string][2]string{
	"InsertClusterMember":    {"POST", "/pop/v5/resource/cluster_member"},
	"DeleteClusterMember":    {"DELETE", "/pop/v5/resource/cluster_member"},
	"ListClusterMembers":     {"GET", "/pop/v5/resource/cluster_member_list"},
	"InstallAgent":           {"POST", "/pop/v5/ecss/install_agent"},
	"TransformClusterMember": {"POST", "/pop/v5/resource/transform_cluster_member"},
	"GetCluster":             {"GET", "/pop/v5/resource/cluster"},
	"ListCluster":            {"POST", "/pop/v5/resource/cluster_list"},
	"ListEcsNotInCluster":    {"GET", "/pop/v5/resource/ecs_not_in_cluster"},
	"ListConvertableEcu":     {"GET", "/pop/v5/resource/convertable_ecu_list"},
	"SynchronizeResource":    {"GET", "/pop/v5/resource/pop_sync_resource"},
	"DeleteEcu":              {"POST", "/pop/v5/resource/delete_ecu"},
}

// edas sends a call of EDAS with parameters, as name and value in turn.
func (f *cloud) edas(action string, nameValues ...string) reply {
	f.Helper()
	return f.edasAs(edasCalls[action], action, nameValues...)
}

func (f *cloud) edasAs(call [2]string, action string, nameValues ...string) reply {
	f.Helper()
	query := url.Values{}
	for i := 0; i < len(nameValues); i += 2 {
		query.Set(nameValues[i], nameValues[i+1])
	}
	r, err := http.NewRequestWithContext(f.Context(), call[0], f.url+call[1]+"?"+query.Encode(), nil)
	require.NoError(f, err)
	r.Header.Set("x-acs-action", action)
	r.Header.Set("x-acs-version", "2017-08-01")
	alibabasign.Sign(alibabasign.ROA, r, nil, f.key, time.Now())
	out, err := f.send(r)
	require.NoError(f, err)
	out.code, _ = out.body["Code"].(string)
	return out
}

// done sends a call of EDAS that must succeed, and returns its body.
func (f *cloud) done(action string, nameValues ...string) map[string]any {
	f.Helper()
	out := f.edas(action, nameValues...)
	require.Equal(f, []any{200, 200.0}, []any{out.status, out.body["Code"]}, out.raw)
	return out.body
}

// refused sends a call that EDAS itself refuses, and returns the number and the text.
func (f *cloud) refused(action string, nameValues ...string) (int, string) {
	f.Helper()
	out := f.edas(action, nameValues...)
	require.Equal(f, 200, out.status, "EDAS refuses in the body")
	require.NotEqual(f, 200.0, out.body["Code"], out.raw)
	require.Equal(f, f.last().Write, f.last().Effect == journal.Refused)
	return int(out.body["Code"].(float64)), out.body["Message"].(string)
}

const password = "Passw0rd"

func (f *cloud) importing(instances string) {
	f.Helper()
	body := f.done("InsertClusterMember", "clusterId", "prod", "instanceIds", instances, "password", password)
	require.Equal(f, "Transform submit success!", body["Data"])
}

// told returns the statuses of the members of a cluster, by instance, as a caller is told, without those from the start.
func (f *cloud) told(cluster string) map[string]float64 {
	f.Helper()
	told := map[string]float64{}
	for _, row := range listOf(f, f.done("ListClusterMembers", "ClusterId", cluster), "ClusterMemberPage", "ClusterMemberList", "ClusterMember") {
		if id := row["EcsId"].(string); id != "i-old" && id != "i-app" {
			told[id] = row["Status"].(float64)
		}
	}
	return told
}

func listOf(f *cloud, body map[string]any, path ...string) []map[string]any {
	f.Helper()
	for _, name := range path[:len(path)-1] {
		body = body[name].(map[string]any)
	}
	rows := []map[string]any{}
	for _, row := range body[path[len(path)-1]].([]any) {
		rows = append(rows, row.(map[string]any))
	}
	return rows
}

func (f *cloud) convertible() []string {
	f.Helper()
	ids := []string{}
	for _, row := range listOf(f, f.done("ListConvertableEcu", "clusterId", "prod"), "InstanceList", "Instance") {
		ids = append(ids, row["InstanceId"].(string))
	}
	return ids
}
