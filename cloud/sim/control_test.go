package sim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
)

// control sends an unsigned request to the control plane.
func (f *fixture) control(method, path, body string) reply {
	f.Helper()
	out, err := f.send(f.request(method, "/_sim/"+path, body))
	require.NoError(f, err)
	return out
}

func TestControlClock(t *testing.T) {
	f := start(t)
	f.overHTTP()
	require.EqualValues(t, 0, f.control("GET", "clock", "").body["speed"])
	out := f.control("PUT", "clock", `{"advance": "90s"}`)
	require.Equal(t, epoch.Add(90*time.Second).Format(time.RFC3339), out.body["now"])
	require.EqualValues(t, 60, f.control("PUT", "clock", `{"speed": 60}`).body["speed"])
	for body, says := range map[string]string{
		`{"speed": -1}`:      "speed: -1 is negative",
		`{"speed": "fast"}`:  `speed: "fast" is not a number`,
		`{"advance": 5}`:     `advance: 5 is not a duration`,
		`{"advance": "-5s"}`: `advance: "-5s" is not a duration`,
		`{"leap": 1}`:        "leap: unknown field",
	} {
		out := f.control("PUT", "clock", body)
		require.Equal(t, 400, out.status)
		require.Contains(t, out.raw, says)
	}
}

func TestControlFaults(t *testing.T) {
	f := start(t)
	out := f.control("POST", "faults", `{"effect":"status","status":500,"match":{"action":"ListServerGroups"}}`)
	require.Equal(t, "fault-1", out.body["id"])
	require.Equal(t, 500, f.do("GET", groupsPath, "").status)
	require.Contains(t, f.control("GET", "faults", "").raw, `"hits":1`)
	require.Equal(t, 204, f.control("DELETE", "faults/fault-1", "").status)
	require.Contains(t, f.control("DELETE", "faults/fault-1", "").raw, `"fault-1" is no fault rule`)
	require.Equal(t, 200, f.do("GET", groupsPath, "").status)
	require.Contains(t, f.control("POST", "faults", `{"effect":"status","match":{"verb":"GET"}}`).raw, "match.verb: unknown field")
	require.Contains(t, f.control("POST", "faults", `{"effect":"status"}`).raw, "status: ")
	f.control("POST", "faults", `{"effect":"drop-before"}`)
	require.Equal(t, 204, f.control("DELETE", "faults", "").status)
	require.Empty(t, f.Faults().List())
}

func TestControlJournal(t *testing.T) {
	f := start(t)
	f.add("g1", "off")
	f.members("g1")
	f.add("g1", "off2")
	count := func(query string) int {
		out := f.control("GET", "journal?"+query, "")
		require.Equal(t, 200, out.status, out.raw)
		require.EqualValues(t, 3, out.body["seq"])
		return len(out.body["entries"].([]any))
	}
	require.Equal(t, 3, count(""))
	require.Equal(t, 1, count("since=2"))
	require.Equal(t, 2, count("action=AddServerGroupMember"))
	require.Equal(t, 2, count("writes=true"))
	require.Equal(t, 1, count("server=off2&account=main&group=g1&effect=changed"))
	require.Equal(t, 0, count("fault=timeout"))
	require.Equal(t, 2, count("limit=2"))
	require.Contains(t, f.control("GET", "journal?colour=red", "").raw, "colour: unknown")
	require.Contains(t, f.control("GET", "journal?since=x", "").raw, "since: ")
	require.Equal(t, 204, f.control("DELETE", "journal", "").status)
	require.Equal(t, 0, count(""))
}

func TestControlWorld(t *testing.T) {
	f := start(t)
	f.add("g1", "off")
	out := f.control("GET", "world", "")
	require.Equal(t, 200, out.status)
	w, err := sim.ParseWorld([]byte(out.raw))
	require.NoError(t, err, "what GET gives is a world file")
	again := open(t, sim.Options{World: w})
	require.Equal(t, f.Servers(), again.Servers())
	require.Equal(t, f.Groups(), again.Groups())

	require.Equal(t, 204, f.control("PUT", "world", base).status)
	require.Empty(t, f.members("g1"))
	bad := f.control("PUT", "world", strings.Replace(base, "flavor: d1.large", "flavor: x9", 1))
	require.Equal(t, 400, bad.status)
	require.Contains(t, bad.raw, `huawei.servers[7].flavor: "x9" is no flavor of this world`)
	require.Equal(t, "ok", f.control("GET", "health", "").body["status"])
	require.Equal(t, 405, f.control("POST", "health", "").status)
	require.Equal(t, 404, f.control("GET", "nothing", "").status)
}

func TestControlIsForThisMachineOnly(t *testing.T) {
	f := start(t)
	for name, c := range map[string]struct {
		remote, host string
		header       http.Header
		status       int
	}{
		"local":             {"127.0.0.1:5", "127.0.0.1:80", nil, 200},
		"local, by name":    {"[::1]:5", "localhost:80", nil, 200},
		"same origin":       {"127.0.0.1:5", "localhost:80", http.Header{"Origin": {"http://localhost:80"}}, 200},
		"remote":            {"10.0.0.1:5", "127.0.0.1:80", nil, 403},
		"rebound name":      {"127.0.0.1:5", "evil.example:80", nil, 403},
		"page of elsewhere": {"127.0.0.1:5", "127.0.0.1:80", http.Header{"Origin": {"http://evil.example"}}, 403},
		"sandboxed page":    {"127.0.0.1:5", "127.0.0.1:80", http.Header{"Origin": {"null"}}, 403},
		"image":             {"127.0.0.1:5", "127.0.0.1:80", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/_sim/health", nil)
			r.RemoteAddr, r.Host = c.remote, c.host
			for name, values := range c.header {
				r.Header[name] = values
			}
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			require.Equal(t, c.status, w.Code, w.Body)
			require.Equal(t, c.status == 200, json.Valid(w.Body.Bytes()))
		})
	}
}
