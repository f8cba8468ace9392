package sim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweisign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// epoch is when the tests' manual clocks start.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// base is a world with one of everything; tests append to it.
const base = `
seed: 7
accounts:
- {name: main, accessKey: AK, secretKey: SK, projectId: p1}
- {name: other, accessKey: AK2, secretKey: SK2, projectId: p2}
huawei:
  timings: {stop: 20s, start: 30s}
  flavors:
  - {id: s6.large.2}
  - {id: s1.large, virtualization: xen}
  - {id: c7.large, virtualization: qingtian}
  - {id: old.large, virtualization: unknown, abandoned: true}
  - {id: d1.large, localDisk: true}
  - {id: i3.large, nvme: true}
  - {id: g3.large, gpu: true}
  - {id: fp1.large, fpga: true}
  groups:
  - {id: g1, name: web}
  - {id: g2, name: db, members: [db-1]}
  - {id: fd, name: domains, policies: [fault-domain]}
  servers:
  - {id: "on", flavor: s6.large.2}
  - {id: "off", flavor: s6.large.2, status: SHUTOFF}
  - {id: off2, flavor: s6.large.2, status: SHUTOFF}
  - {id: off3, flavor: s6.large.2, status: SHUTOFF}
  - {id: xen, flavor: s1.large, status: SHUTOFF}
  - {id: qingtian, flavor: c7.large, status: SHUTOFF}
  - {id: unknown, flavor: old.large, status: SHUTOFF}
  - {id: disk, flavor: d1.large, status: SHUTOFF}
  - {id: nvme, flavor: i3.large, status: SHUTOFF}
  - {id: gpu, flavor: g3.large, status: SHUTOFF}
  - {id: fpga, flavor: fp1.large, status: SHUTOFF}
  - {id: locked, flavor: s6.large.2, status: SHUTOFF, locked: true}
  - {id: broken, flavor: s6.large.2, status: ERROR}
  - {id: nohost, flavor: s6.large.2, status: SHUTOFF, startFails: after-add}
  - {id: dead, flavor: s6.large.2, status: SHUTOFF, startFails: always}
  - {id: deaf, flavor: s6.large.2, softStopHangs: true}
  - {id: db-1, flavor: s6.large.2, status: SHUTOFF}
  - {id: foreign, flavor: s6.large.2, status: SHUTOFF, project: p2}
`

// fixture is a simulator on a manual clock with a signing client in front of it.
type fixture struct {
	*testing.T
	*sim.Sim
	client *http.Client
	url    string
	key    huaweisign.Key
}

// start makes a fixture of the base world, changed by the edits.
func start(t *testing.T, edits ...func(*sim.World)) *fixture {
	t.Helper()
	w, err := sim.ParseWorld([]byte(base))
	require.NoError(t, err)
	for _, edit := range edits {
		edit(&w)
	}
	return open(t, sim.Options{World: w})
}

func open(t *testing.T, o sim.Options) *fixture {
	t.Helper()
	if o.Clock == nil {
		o.Clock = sim.NewManualClock(epoch)
	}
	s, err := sim.New(o)
	require.NoError(t, err)
	return &fixture{T: t, Sim: s, client: &http.Client{Transport: s.RoundTripper()}, url: "http://cloud.test",
		key: huaweisign.Key{Access: "AK", Secret: "SK"}}
}

func knobs(edit func(*world.Knobs)) func(*sim.World) {
	return func(w *sim.World) { edit(&w.Huawei.Knobs) }
}

// reply is a decoded answer.
type reply struct {
	status int
	code   string // the error's
	header http.Header
	raw    string
	body   map[string]any
}

func (f *fixture) request(method, path, body string) *http.Request {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), method, f.url+path, strings.NewReader(body))
	require.NoError(f, err)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// try sends a signed request and returns the transport's error, if any.
func (f *fixture) try(method, path, body string) (reply, error) {
	f.Helper()
	r := f.request(method, path, body)
	huaweisign.Sign(r, []byte(body), f.key, time.Now())
	return f.send(r)
}

func (f *fixture) send(r *http.Request) (reply, error) {
	f.Helper()
	response, err := f.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(f, err)
	out := reply{status: response.StatusCode, header: response.Header, raw: string(data)}
	if json.NewDecoder(bytes.NewReader(data)).Decode(&out.body) == nil {
		out.code = errorCode(out.body)
	}
	return out, nil
}

// errorCode finds the code in any of the error shapes.
func errorCode(body map[string]any) string {
	for _, flat := range []string{"error_code", "errorCode"} {
		if code, ok := body[flat].(string); ok {
			return code
		}
	}
	for name, value := range body {
		if inner, ok := value.(map[string]any); ok {
			if code, ok := inner["code"].(string); ok {
				return code
			}
			if _, ok := inner["code"].(float64); ok && inner["message"] != nil {
				return name
			}
		}
	}
	return ""
}

func (f *fixture) do(method, path, body string) reply {
	f.Helper()
	out, err := f.try(method, path, body)
	require.NoError(f, err)
	require.NotEmpty(f, out.header.Get("X-Request-Id"))
	return out
}

const groupsPath = "/v1/p1/cloudservers/os-server-groups"

func (f *fixture) add(group, server string) reply {
	f.Helper()
	return f.do("POST", groupsPath+"/"+group+"/action", `{"add_member":{"instance_uuid":"`+server+`"}}`)
}

func (f *fixture) remove(group, server string) reply {
	f.Helper()
	return f.do("POST", groupsPath+"/"+group+"/action", `{"remove_member":{"instance_uuid":"`+server+`"}}`)
}

// power sends os-stop or os-start and returns the reply with the job's id.
func (f *fixture) power(action, kind string, servers ...string) (reply, string) {
	f.Helper()
	list := make([]map[string]string, len(servers))
	for i, id := range servers {
		list[i] = map[string]string{"id": id}
	}
	in := map[string]any{"servers": list}
	if kind != "" {
		in["type"] = kind
	}
	body, err := json.Marshal(map[string]any{action: in})
	require.NoError(f, err)
	out := f.do("POST", "/v1/p1/cloudservers/action", string(body))
	job, _ := out.body["job_id"].(string)
	return out, job
}

// job returns the job's body.
func (f *fixture) job(id string) map[string]any {
	f.Helper()
	out := f.do("GET", "/v1/p1/jobs/"+id, "")
	require.Equal(f, 200, out.status, out.raw)
	return out.body
}

// shown returns what ShowServer says: status, vm_state, task_state (or nil), group (or "").
func (f *fixture) shown(id string) [4]any {
	f.Helper()
	out := f.do("GET", "/v1/p1/cloudservers/"+id, "")
	require.Equal(f, 200, out.status, out.raw)
	s := out.body["server"].(map[string]any)
	group := any("")
	if hints := s["os:scheduler_hints"].(map[string]any)["group"].([]any); len(hints) > 0 {
		group = hints[0]
	}
	return [4]any{s["status"], s["OS-EXT-STS:vm_state"], s["OS-EXT-STS:task_state"], group}
}

// members returns what ShowServerGroup says.
func (f *fixture) members(group string) []any {
	f.Helper()
	out := f.do("GET", groupsPath+"/"+group, "")
	require.Equal(f, 200, out.status, out.raw)
	return out.body["server_group"].(map[string]any)["members"].([]any)
}

// last returns the newest journal entry.
func (f *fixture) last() sim.Entry {
	f.Helper()
	entries := f.Journal().Entries()
	require.NotEmpty(f, entries)
	return entries[len(entries)-1]
}

// sign signs a request without a body.
func sign(f *fixture, r *http.Request) { huaweisign.Sign(r, nil, f.key, time.Now()) }
