package sdktest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	cce "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3"
	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	vpc2 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v2"
	vpc3 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v3"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweisign"
)

const walked = `
seed: 1
accounts: [{name: main, accessKey: AK, secretKey: SK, projectId: p1}]
huawei:
  flavors: [{id: f1}, {id: f2, zones: [az9]}]
  groups: [{id: g1}, {id: g2}]
  securityGroups: [{id: sg1, name: web, description: d1, enterpriseProject: ep1}, {id: sg2, name: db}]
  servers:
  - {id: s1, name: one, flavor: f1, tags: [team=web], enterpriseProject: ep1, securityGroups: [web]}
  - {id: s2, name: two, flavor: f2, status: SHUTOFF, tags: [team=db], subnet: other}
  - {id: n1, flavor: f1, status: ACTIVE}
  - {id: n2, flavor: f1}
  - {id: bad, flavor: f1}
  clusters:
  - {id: c1, nodePools: [{id: p1, flavor: f1, phase: Error, members: [n1, n2]}, {id: p2, flavor: f1}]}
  - {id: c2, phase: Error}
faults:
- {match: {action: AddNodesToNodePool}, effect: job-fail, code: x}
`

// definitions are the SDK's own of what the simulator knows.
var definitions = []func() *def.HttpRequestDef{
	ecs.GenReqDefForListServersDetails, ecs.GenReqDefForShowServer, ecs.GenReqDefForListFlavors,
	ecs.GenReqDefForShowServerLimits, ecs.GenReqDefForListServerGroups, ecs.GenReqDefForShowServerGroup, ecs.GenReqDefForShowJob,
	ecs.GenReqDefForNovaShowFlavorExtraSpecs, ecs.GenReqDefForNovaListServerSecurityGroups, ecs.GenReqDefForShowServerTags,
	ecs.GenReqDefForListServerTags,
	cce.GenReqDefForListClusters, cce.GenReqDefForShowCluster, cce.GenReqDefForListNodePools, cce.GenReqDefForShowNodePool,
	cce.GenReqDefForListNodes, cce.GenReqDefForShowNode, cce.GenReqDefForShowJob, cce.GenReqDefForShowQuotas,
	vpc2.GenReqDefForListSecurityGroups, vpc2.GenReqDefForShowSecurityGroup, vpc2.GenReqDefForListPorts,
	vpc2.GenReqDefForShowQuota, vpc3.GenReqDefForListSecurityGroups, vpc3.GenReqDefForShowSecurityGroup,
}

// values are such as change an answer, for every parameter that the simulator takes.
var values = map[string]map[string]string{
	"ListServersDetails": {"server_id": "s1", "name": "one", "status": "SHUTOFF", "flavor": "f2", "tags": "team=web",
		"not-tags": "team=web", "ip": "{s1}", "ip_eq": "{s1}", "enterprise_project_id": "ep1", "marker": "s1", "limit": "1",
		"offset": "2"},
	"ListFlavors":         {"flavor_id": "f1", "availability_zone": "az1", "limit": "1", "marker": "f1"},
	"ListServerGroups":    {"limit": "1", "marker": "g1"},
	"ListClusters":        {"errorStatus": "Error", "detail": "true", "status": "Available", "type": "BareMetal", "version": "v1.1"},
	"ShowCluster":         {"errorStatus": "Error", "detail": "true"},
	"ListNodePools":       {"errorStatus": "Error"},
	"ShowNodePool":        {"errorStatus": "Error"},
	"ListNodes":           {"errorStatus": "Error", "limit": "1", "marker": "{n1}"},
	"ShowNode":            {"errorStatus": "Error"},
	"ListSecurityGroups":  {"limit": "1", "marker": "sg1", "enterprise_project_id": "ep1"},
	"ListSecurityGroups3": {"limit": "1", "marker": "sg1", "id": "sg2", "name": "web", "description": "d1", "enterprise_project_id": "ep1"},
	"ListPorts": {"limit": "1", "marker": "{port}", "id": "{port}", "device_id": "s1", "network_id": "other",
		"mac_address": "{mac}", "security_groups": "sg1", "fixed_ips": "subnet_id=other"},
	"ShowQuota": {"type": "vpc"},
}

// walk is a simulator with the ids that paths and values need.
type walk struct {
	*testing.T
	url string
	ids map[string]string
}

func (w walk) get(path string) (int, string) { return w.send(http.MethodGet, path, "") }

func (w walk) send(method, path, body string) (int, string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.url+path, strings.NewReader(body))
	require.NoError(w, err)
	huaweisign.Sign(r, []byte(body), huaweisign.Key{Access: "AK", Secret: "SK"}, time.Now())
	answer, err := http.DefaultClient.Do(r)
	require.NoError(w, err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	require.NoError(w, err)
	return answer.StatusCode, regexp.MustCompile(`"(request_id|count|current_count|currentCount)":[^,}]*`).ReplaceAllString(string(data), "")
}

var variable = regexp.MustCompile(`{\w+}`)

func (w walk) fill(text string) string {
	return variable.ReplaceAllStringFunc(text, func(name string) string { return w.ids[name] })
}

// TestNoParameterIsAcceptedAndThenIgnored walks all parameters of all reads, those that the simulator takes and those that
// the vendor's SDK can send: each changes the answer, or is refused.
func TestNoParameterIsAcceptedAndThenIgnored(t *testing.T) {
	world, err := sim.ParseWorld([]byte(walked))
	require.NoError(t, err)
	s, err := sim.New(sim.Options{World: world, Clock: sim.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))})
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	w := walk{T: t, url: server.URL, ids: map[string]string{"{project}": "p1", "{server}": "s1", "{cluster}": "c1",
		"{flavor}": "f1", "{job}": "none"}}
	w.learn()

	type line struct{ action, path, query string }
	var lines []line
	s.View(func(st sim.State) {
		collect := func(group, action, method, path, query string) {
			if method == http.MethodGet {
				lines = append(lines, line{action, strings.Replace(path, "{group}", group, 1), query})
			}
		}
		each(st.ECS.Operations(), func(action, method, path, query string) { collect("g1", action, method, path, query) })
		each(st.CCE.Operations(), func(action, method, path, query string) { collect("p1", action, method, path, query) })
		each(st.VPC.Operations(), func(action, method, path, query string) { collect("sg1", action, method, path, query) })
	})
	require.NotEmpty(t, lines)
	declared := map[string][]string{} // by path with its variables blanked
	for _, d := range definitions {
		d := d()
		path := variable.ReplaceAllString(d.Path, "{}")
		declared[path] = []string{}
		for _, f := range d.RequestFields {
			if f.LocationType == def.Query {
				declared[path] = append(declared[path], f.JsonTag)
			}
		}
	}
	for _, l := range lines {
		pattern := variable.ReplaceAllString(strings.NewReplacer("/g1", "/{}", "/p1", "/{}", "/sg1", "/{}").Replace(l.path), "{}")
		sdk, ok := declared[pattern]
		require.True(t, ok, "%s: no definition of the SDK for %s", l.action, pattern)
		known := map[string]string{}
		set := values[l.action]
		if strings.HasPrefix(l.path, "/v3/") && l.action == "ListSecurityGroups" {
			set = values["ListSecurityGroups3"]
		}
		for _, name := range strings.Fields(l.query) {
			value, ok := set[name]
			require.True(t, ok, "%s: no value for %s", l.action, name)
			known[name] = value
		}
		require.Len(t, set, len(known), "%s: a value for a parameter that it does not take", l.action)
		if w.ids["{cluster}"] = "c1"; l.action == "ShowCluster" {
			w.ids["{cluster}"] = "c2" // it is the one that is in trouble
		}
		path := w.fill(l.path)
		_, plain := w.get(path)
		for name, value := range known {
			status, answer := w.get(path + "?" + name + "=" + url.QueryEscape(w.fill(value)))
			require.Equal(t, 200, status, "%s: %s=%s: %s", l.action, name, value, answer)
			require.NotEqual(t, plain, answer, "%s: %s=%s changes nothing", l.action, name, value)
		}
		for _, name := range append(sdk, "nonsense") {
			if _, ok := known[name]; !ok {
				status, answer := w.get(path + "?" + name + "=true")
				require.Equal(t, 501, status, "%s: %s: %s", l.action, name, answer)
				require.Contains(t, answer, name)
			}
		}
	}
}

func each[S any](all []huaweiapi.Operation[S], yield func(action, method, path, query string)) {
	for _, o := range all {
		yield(o.Action, o.Method, o.Path, o.Query)
	}
}

// learn finds the ids that the world does not give.
func (w walk) learn() {
	var nodes struct {
		Items []struct {
			Metadata struct{ UID string } `json:"metadata"`
		} `json:"items"`
	}
	status, text := w.send(http.MethodPost, "/api/v3/projects/p1/clusters/c1/nodepools/p2/nodes/add",
		`{"apiVersion":"v3","kind":"List","nodeList":[{"serverID":"bad"}]}`) // its node fails
	require.Equal(w, 200, status, text)
	_, text = w.get("/api/v3/projects/p1/clusters/c1/nodes")
	require.NoError(w, json.Unmarshal([]byte(text), &nodes))
	w.ids["{n1}"], w.ids["{node}"] = nodes.Items[0].Metadata.UID, nodes.Items[2].Metadata.UID
	var ports struct {
		Ports []struct {
			ID  string `json:"id"`
			MAC string `json:"mac_address"`
			IPs []struct {
				Address string `json:"ip_address"`
			} `json:"fixed_ips"`
		} `json:"ports"`
	}
	_, text = w.get("/v1/p1/ports?device_id=s1")
	require.NoError(w, json.Unmarshal([]byte(text), &ports))
	w.ids["{port}"], w.ids["{mac}"], w.ids["{s1}"] = ports.Ports[0].ID, ports.Ports[0].MAC, ports.Ports[0].IPs[0].Address
}
