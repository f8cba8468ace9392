package sim_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// alibabaBase is a world with one of everything; tests change it.
const alibabaBase = `
seed: 7
accounts:
- {name: main, accessKey: AK, secretKey: SK, accountId: "1001", region: cn-hangzhou}
- {name: other, accessKey: AK2, secretKey: SK2, accountId: "1002"}
- {name: huawei, accessKey: HW, secretKey: HW, projectId: p1}
alibaba:
  timings: {stop: 20s, start: 30s}
  quotas: {groupsPerInterface: 3, rulesPerInterface: 100}
  resourceGroups:
  - {id: rg-default, default: true}
  - {id: rg-web, name: web, tags: {team: web}}
  - {id: rg-new, status: Creating}
  - {id: rg-part, regions: {cn-beijing: Creating}}
  - {id: rg-foreign, account: "1002"}
  regionsWithoutResourceGroups: [cn-old]
  securityGroups:
  - {id: sg-1, name: one, tags: {team: web}}
  - {id: sg-2}
  - {id: sg-3}
  - {id: sg-4}
  - {id: sg-big, type: enterprise}
  - {id: sg-big2, type: enterprise, capacity: 1}
  - {id: sg-full, capacity: 1}
  - {id: sg-rules, rules: 101}
  - {id: sg-vpc2, vpc: vpc-2}
  - {id: sg-classic, networkType: classic}
  - {id: sg-classic2, networkType: classic}
  - {id: sg-managed, serviceManaged: true}
  - {id: sg-beijing, region: cn-beijing}
  - {id: sg-foreign, account: "1002"}
  instances:
  - {id: i-on, securityGroups: [one], tags: {team: web, tier: a}}
  - {id: i-off, status: Stopped, securityGroups: [sg-1, sg-2]}
  - {id: i-three, securityGroups: [sg-1, sg-2, sg-3]}
  - {id: i-big, securityGroups: [sg-big]}
  - {id: i-filler, securityGroups: [sg-full]}
  - {id: i-filler2, securityGroups: [sg-big2]}
  - {id: i-small, noEnterpriseGroups: true}
  - {id: i-new, status: Pending}
  - {id: i-locked, status: Stopped, locks: [security], securityGroups: [sg-1]}
  - {id: i-locked-on, locks: [security], securityGroups: [sg-1]}
  - {id: i-classic, networkType: classic, securityGroups: [sg-classic, sg-classic2]}
  - {id: i-economic, startFails: after-stop-charging}
  - {id: i-dead, status: Stopped, startFails: always}
  - {id: i-beijing, region: cn-beijing, securityGroups: [sg-beijing]}
  - {id: i-old, region: cn-old}
  - {id: i-foreign, account: "1002"}
  networkInterfaces:
  - {id: eni-1, instance: i-on, securityGroups: [sg-1], tags: {team: web}}
  - {id: eni-free, securityGroups: [sg-1, sg-2]}
  - {id: eni-three, securityGroups: [sg-1, sg-2, sg-3]}
  - {id: eni-trunk, type: Trunk}
  - {id: eni-managed, serviceManaged: true}
  - {id: eni-creating, status: Creating}
  - {id: eni-attaching, status: Attaching}
  - {id: eni-locked, instance: i-locked}
  - {id: eni-foreign, account: "1002"}
  resources:
  - {type: disk, id: d-data, instance: i-on}
  - {type: disk, id: d-free, resourceGroup: web}
  - {type: snapshot, id: s-1, disk: d-data}
  - {type: image, id: m-1}
  - {type: image, id: m-2, status: Creating}
  - {type: ddh, id: dh-1}
  - {type: ddh, id: dh-2, status: UnderAssessment}
  - {type: ddhcluster, id: dc-1}
  - {type: keypair, id: key-1}
  - {type: launchtemplate, id: lt-1}
  - {type: command, id: c-1}
  - {type: activation, id: activation-1}
  - {type: managedinstance, id: mi-1}
`

// cloud is a simulator of Alibaba Cloud on a manual clock with a signing client in front of it.
type cloud struct {
	*fixture
	key   alibabasign.Key
	style alibabasign.Style
}

func startAlibaba(t *testing.T, edits ...func(*world.Alibaba)) *cloud {
	t.Helper()
	return openAlibaba(t, sim.Options{World: alibabaWorld(t, edits...)})
}

func alibabaWorld(t *testing.T, edits ...func(*world.Alibaba)) sim.World {
	t.Helper()
	w, err := sim.ParseWorld([]byte(alibabaBase))
	require.NoError(t, err)
	for _, edit := range edits {
		edit(&w.Alibaba)
	}
	require.NoError(t, w.Validate())
	return w
}

func openAlibaba(t *testing.T, o sim.Options) *cloud {
	t.Helper()
	return &cloud{fixture: open(t, o), key: alibabasign.Key{Access: "AK", Secret: "SK"}, style: alibabasign.RPC}
}

// alibabaDir makes a cloud with a state directory.
func alibabaDir(t *testing.T, edits ...func(*world.Alibaba)) (*cloud, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	return openAlibaba(t, sim.Options{World: alibabaWorld(t, edits...), StateDir: dir}), dir
}

// call is the signed request of an action with parameters, as name and value in turn. The region is cn-hangzhou,
// unless it is among them: an empty value leaves a parameter out.
func (f *cloud) request(action string, nameValues ...string) *http.Request {
	f.Helper()
	query := url.Values{"RegionId": {"cn-hangzhou"}}
	for i := 0; i < len(nameValues); i += 2 {
		query.Set(nameValues[i], nameValues[i+1])
		if nameValues[i+1] == "" {
			query.Del(nameValues[i])
		}
	}
	version := "2014-05-26"
	switch action {
	case "GetResourceGroup", "ListResourceGroups", "ListResources", "ListAssociatedTransferSetting", "MoveResources":
		version = "2020-03-31"
	}
	if f.style == alibabasign.RPC {
		query.Set("Action", action)
		query.Set("Version", version)
	}
	r, err := http.NewRequestWithContext(f.Context(), http.MethodPost, f.url+"/?"+query.Encode(), nil)
	require.NoError(f, err)
	if f.style != alibabasign.RPC {
		r.Header.Set("x-acs-action", action)
		r.Header.Set("x-acs-version", version)
	}
	alibabasign.Sign(f.style, r, nil, f.key, time.Now())
	return r
}

func (f *cloud) try(action string, nameValues ...string) (reply, error) {
	f.Helper()
	out, err := f.send(f.request(action, nameValues...))
	if code, ok := out.body["Code"].(string); ok {
		out.code = code
	}
	return out, err
}

func (f *cloud) call(action string, nameValues ...string) reply {
	f.Helper()
	out, err := f.try(action, nameValues...)
	require.NoError(f, err)
	return out
}

// ok calls what must succeed and returns the body.
func (f *cloud) ok(action string, nameValues ...string) map[string]any {
	f.Helper()
	out := f.call(action, nameValues...)
	require.Equal(f, 200, out.status, out.raw)
	require.NotEmpty(f, out.body["RequestId"])
	return out.body
}

// rows calls a Describe and returns what its answer lists.
func (f *cloud) rows(outer, inner, action string, nameValues ...string) []map[string]any {
	f.Helper()
	list := f.ok(action, nameValues...)[outer]
	if inner != "" {
		list = list.(map[string]any)[inner]
	}
	data, err := json.Marshal(list)
	require.NoError(f, err)
	var rows []map[string]any
	require.NoError(f, json.Unmarshal(data, &rows))
	return rows
}

// described returns what DescribeInstances says of an instance.
func (f *cloud) described(id string) map[string]any {
	f.Helper()
	rows := f.rows("Instances", "Instance", "DescribeInstances", "InstanceIds", `["`+id+`"]`)
	require.Len(f, rows, 1)
	return rows[0]
}

// inGroups returns the security groups that an instance truly has.
func (f *cloud) inGroups(id string) []string {
	f.Helper()
	v, ok := f.Instance(id)
	require.True(f, ok)
	return v.SecurityGroups
}
