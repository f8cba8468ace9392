package sim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweisign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestAuthentication(t *testing.T) {
	const path, body = groupsPath + "/g1/action", `{"add_member":{"instance_uuid":"off"}}`
	key := huaweisign.Key{Access: "AK", Secret: "SK"}
	signed := func(key huaweisign.Key, at time.Time) func(*http.Request) {
		return func(r *http.Request) { huaweisign.Sign(r, []byte(body), key, at) }
	}
	cases := map[string]struct {
		sign   func(*http.Request)
		status int
		code   string
		says   string
	}{
		"right":        {signed(key, time.Now()), 200, "", ""},
		"14 min off":   {signed(key, time.Now().Add(-14*time.Minute)), 200, "", ""},
		"16 min old":   {signed(key, time.Now().Add(-16*time.Minute)), 401, "APIGW.0301", "expired"},
		"16 min ahead": {signed(key, time.Now().Add(16*time.Minute)), 401, "APIGW.0301", "expired"},
		"wrong secret": {signed(huaweisign.Key{Access: "AK", Secret: "no"}, time.Now()), 401, "APIGW.0301", "signature fail"},
		"wrong key":    {signed(huaweisign.Key{Access: "no", Secret: "SK"}, time.Now()), 401, "APIGW.0301", "does not exist"},
		"no signature": {func(*http.Request) {}, 401, "APIGW.0301", "missing"},
		"other scheme": {func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, 401, "APIGW.0301", "kind"},
		"body": {func(r *http.Request) {
			huaweisign.Sign(r, []byte(strings.Replace(body, "off", "on", 1)), key, time.Now())
		}, 401, "APIGW.0301", "signature fail"},
		"query": {func(r *http.Request) {
			signed(key, time.Now())(r)
			r.URL.RawQuery = "x=1"
		}, 401, "APIGW.0301", "signature fail"},
		"header": {func(r *http.Request) {
			r.Header.Set("X-Project-Id", "p1")
			signed(key, time.Now())(r)
			r.Header.Set("X-Project-Id", "p2")
		}, 401, "APIGW.0301", "signature fail"},
		"date not signed": {func(r *http.Request) {
			signed(key, time.Now())(r)
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "x-sdk-date", "user-agent", 1))
		}, 401, "APIGW.0301", "lacks"},
		"body hash": {func(r *http.Request) {
			r.Header.Set("X-Sdk-Content-Sha256", strings.Repeat("0", 64))
			signed(key, time.Now())(r)
		}, 401, "APIGW.0301", "does not match the body"},
		"other project": {signed(huaweisign.Key{Access: "AK2", Secret: "SK2"}, time.Now()), 400, "Ecs.0023", "project"},
		"project header": {func(r *http.Request) {
			r.Header.Set("X-Project-Id", "p2")
			signed(key, time.Now())(r)
		}, 400, "Ecs.0023", "project"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			f.Clock().Advance(1000 * time.Hour) // the skew is measured on the wall clock
			r := f.request("POST", path, body)
			c.sign(r)
			out, err := f.send(r)
			require.NoError(t, err)
			require.Equal(t, c.status, out.status, out.raw)
			require.Equal(t, c.code, out.code, out.raw)
			require.Contains(t, out.raw, c.says)
			server, _ := f.Server("off")
			require.Equal(t, c.status == 200, server.Group == "g1")
			if c.status != 200 {
				require.Equal(t, journal.Refused, f.last().Effect)
				require.Equal(t, "AddServerGroupMember", f.last().Action)
			}
		})
	}
}

func TestSecurityToken(t *testing.T) {
	f := start(t, func(w *sim.World) { w.Accounts[0].SecurityToken = "TOKEN" })
	require.Equal(t, "APIGW.0301", f.add("g1", "off").code)
	f.key.Token = "old"
	require.Equal(t, "APIGW.0301", f.add("g1", "off").code)
	f.key.Token = "TOKEN"
	require.Equal(t, 200, f.add("g1", "off").status)

	r := f.request("GET", groupsPath, "")
	huaweisign.Sign(r, nil, huaweisign.Key{Access: "AK", Secret: "SK"}, time.Now())
	r.Header.Set("X-Security-Token", "TOKEN")
	out, err := f.send(r)
	require.NoError(t, err)
	require.Contains(t, out.raw, "not among the signed headers")
}

func TestUnknownCalls(t *testing.T) {
	f := start(t)
	for path, says := range map[string]string{
		"/v1/p1/cloudservers/on/metadata":                  "PUT /v1/p1/cloudservers/on/metadata",
		"/v9/elsewhere":                                    "PUT /v9/elsewhere",
		"/v1/p1/cloudservers/os-server-groups/g1/metadata": "PUT ",
	} {
		out := f.do("PUT", path, "{}")
		require.Equal(t, 501, out.status)
		require.Equal(t, "SIM.0501", out.code)
		require.Contains(t, out.raw, says)
		require.Equal(t, 501, f.last().Status)
		require.Equal(t, journal.Refused, f.last().Effect)
	}
	require.Contains(t, f.do("POST", groupsPath+"/g1/action", `{"set_metadata":{}}`).raw, "set_metadata")
	require.Contains(t, f.do("POST", groupsPath+"/g1/action", `{}`).raw, "without an action")
	require.Contains(t, f.do("GET", "/v1/p1/cloudservers/detail?reservation_id=r-1", "").raw, "reservation_id")
}

func TestThrottle(t *testing.T) {
	f := start(t, func(w *sim.World) {
		w.Huawei.Throttle = world.Throttle{Rate: world.Rate{PerSecond: 0.5, Burst: 3}, RetryAfter: "float",
			Actions: map[string]world.Rate{"AddServerGroupMember": {PerSecond: 0.1}}}
	})
	require.Equal(t, 200, f.add("g1", "off").status)
	out := f.add("g1", "off2")
	require.Equal(t, 429, out.status)
	require.Equal(t, "APIGW.0308", out.code)
	require.Equal(t, "10.000", out.header.Get("Retry-After"))
	require.Equal(t, []any{"off"}, f.members("g1"))
	require.Equal(t, []any{"off"}, f.members("g1"))
	out = f.do("GET", groupsPath, "")
	require.Equal(t, 429, out.status)
	require.Equal(t, "2.000", out.header.Get("Retry-After"))
	f.key.Access, f.key.Secret = "AK2", "SK2"
	require.Equal(t, 200, f.do("GET", "/v1/p2/cloudservers/limits", "").status, "each account has its own")
	f.key.Access, f.key.Secret = "AK", "SK"
	f.Clock().Advance(10 * time.Second)
	require.Equal(t, 200, f.add("g1", "off2").status)
}

func TestListServers(t *testing.T) {
	f := start(t, func(w *sim.World) {
		w.Huawei.Servers, w.Huawei.Groups = nil, nil
		w.Huawei.Generate = []world.Generate{{Name: "web-%03d", Count: 60, Flavor: "s6.large.2", StoppedPercent: 50}}
	})
	list := func(query string) []string {
		out := f.do("GET", "/v1/p1/cloudservers/detail?"+query, "")
		require.Equal(t, 200, out.status, out.raw)
		names := []string{}
		for _, s := range out.body["servers"].([]any) {
			names = append(names, s.(map[string]any)["name"].(string))
		}
		return names
	}
	require.Len(t, list(""), 25)
	require.Equal(t, []string{"web-001", "web-002"}, list("limit=2"))
	require.Equal(t, []string{"web-001", "web-002"}, list("limit=2&offset=0"))
	require.Equal(t, []string{"web-003", "web-004"}, list("limit=2&offset=2"))
	require.Equal(t, []string{"web-003"}, list("limit=1&marker="+world.ID(7, "server", "web-002")))
	require.Empty(t, list("limit=50&offset=3"))
	require.Equal(t, []string{"web-050", "web-051"}, list("name=web-05&limit=2"))
	stopped := len(list("status=SHUTOFF&limit=1000"))
	require.Equal(t, 60, stopped+len(list("status=ACTIVE&limit=1000")))
	require.InDelta(t, 30, stopped, 15)
	require.Empty(t, list("flavor=d1.large"))
	require.Empty(t, list("tags=team=web"))
	for _, query := range []string{"limit=0", "limit=x", "limit=1001", "marker=none", "offset=-1"} {
		require.Equal(t, "Ecs.0005", f.do("GET", "/v1/p1/cloudservers/detail?"+query, "").code, query)
	}
}

func TestListServersByTag(t *testing.T) {
	f := start(t, func(w *sim.World) {
		w.Huawei.Groups = nil
		w.Huawei.Servers = []world.Server{
			{ID: "a", Flavor: "s6.large.2", Tags: []string{"team=web", "tier=1"}},
			{ID: "b", Flavor: "s6.large.2", Status: "SHUTOFF", Tags: []string{"team=website"}},
			{ID: "c", Flavor: "s6.large.2"},
		}
	})
	list := func(query string) []string {
		out := f.do("GET", "/v1/p1/cloudservers/detail?"+query, "")
		require.Equal(t, 200, out.status, out.raw)
		ids := []string{}
		for _, s := range out.body["servers"].([]any) {
			ids = append(ids, s.(map[string]any)["id"].(string))
		}
		require.EqualValues(t, len(ids), out.body["count"])
		return ids
	}
	require.Equal(t, []string{"a", "b"}, list("tags=team=web"), "the text is in both")
	require.Equal(t, []string{"a"}, list("tags=tier"))
	require.Equal(t, []string{"b"}, list("tags=team&status=SHUTOFF"))
	require.Empty(t, list("tags=tier=2"))
}

func TestFlavors(t *testing.T) {
	f := start(t)
	out := f.do("GET", "/v1/p1/cloudservers/flavors", "")
	specs := map[string]map[string]any{}
	for _, flavor := range out.body["flavors"].([]any) {
		flavor := flavor.(map[string]any)
		specs[flavor["id"].(string)] = flavor["os_extra_specs"].(map[string]any)
		require.IsType(t, float64(0), flavor["ram"])
		require.IsType(t, "", flavor["vcpus"])
	}
	const virtualization = "ecs:virtualization_env_types"
	require.Equal(t, "CloudCompute", specs["s6.large.2"][virtualization])
	require.Equal(t, "FusionCompute", specs["s1.large"][virtualization])
	require.Equal(t, "QingTian", specs["c7.large"][virtualization])
	require.Contains(t, specs["d1.large"], "quota:local_disk")
	require.Contains(t, specs["i3.large"], "quota:nvme_ssd")
	require.Contains(t, specs["g3.large"], "pci_passthrough:enable_gpu")
	require.Contains(t, specs["fp1.large"], "pci_passthrough:alias")
	require.NotContains(t, specs, "old.large")

	old := f.do("GET", "/v2.1/p1/flavors/old.large/os-extra_specs", "")
	require.Equal(t, "abandon", old.body["extra_specs"].(map[string]any)["cond:operation:status"])
	require.NotContains(t, old.body["extra_specs"], virtualization)
	none := f.do("GET", "/v2.1/p1/flavors/none/os-extra_specs", "")
	require.Equal(t, "itemNotFound", none.code)
	require.Equal(t, 404, none.status)
}
