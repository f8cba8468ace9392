package sim_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/aliyun"
)

// pathed are the operations that are called by method and path.
func (f *cloud) pathed() (all []aliyun.Operation) {
	f.Helper()
	f.View(func(s sim.State) {
		for _, o := range s.Alibaba.Operations() {
			if o.Path != "" {
				all = append(all, o)
			}
		}
	})
	require.NotEmpty(f, all)
	return all
}

// bare sends a request that does not name its action, with the headers given as name and value in turn.
func (f *cloud) bare(style alibabasign.Style, method, target, body string, headers ...string) reply {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), method, f.url+target, strings.NewReader(body))
	require.NoError(f, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if style != alibabasign.None {
		alibabasign.Sign(style, r, []byte(body), f.key, time.Now())
	}
	out, err := f.send(r)
	require.NoError(f, err)
	out.code, _ = out.body["Code"].(string)
	return out
}

var segment = regexp.MustCompile(`{\w+}`)

// TestPathsTellOperations: every operation of EDAS and of the Container Service is found by method, path and version, as
// the oldest clients send it, and by method and path alone.
func TestPathsTellOperations(t *testing.T) {
	f := startContainers(t)
	methods := map[string][]string{} // by path
	seen := map[string]string{}
	for _, o := range f.pathed() {
		path := segment.ReplaceAllString(o.Path, "x")
		methods[path] = append(methods[path], o.Method)
		require.Empty(t, seen[o.Method+path], "%s: the same path", o.Action)
		seen[o.Method+path] = o.Action
		for _, style := range []alibabasign.Style{alibabasign.ROA, alibabasign.TeaROA, alibabasign.ACS3} {
			for _, headers := range [][]string{{"x-acs-version", o.Version}, nil} {
				out := f.bare(style, o.Method, path, "", headers...)
				require.NotContains(t, []string{"InvalidApi.NotFound", "SIM.0501"}, out.code, out.raw)
				last := f.last()
				require.Equal(t, []any{o.Action, o.Write, "main"}, []any{last.Action, last.Write, last.Account})
			}
		}
		out := f.bare(alibabasign.None, o.Method, path, "", "x-acs-version", o.Version)
		require.Equal(t, []any{400, "IncompleteSignature"}, []any{out.status, out.code})
		out = f.bare(alibabasign.ROA, o.Method, path, "", "x-acs-version", "2014-05-26")
		require.Equal(t, []any{400, "InvalidVersion"}, []any{out.status, out.code})
	}
	for _, path := range slices.Sorted(maps.Keys(methods)) {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
			if slices.Contains(methods[path], method) {
				continue
			}
			out := f.bare(alibabasign.ROA, method, path, "", "x-acs-version", "2015-12-15")
			require.Equal(t, []any{404, "InvalidApi.NotFound"}, []any{out.status, out.code}, method+" "+path)
			require.Equal(t, method+" "+path, f.last().Action)
			require.NotEmpty(t, out.body["HostId"], "the gateway's shape")
		}
		out := f.bare(alibabasign.ROA, methods[path][0], path+"/no/such/thing", "")
		require.Equal(t, []any{404, "InvalidApi.NotFound"}, []any{out.status, out.code}, path)
	}
	out := f.bare(alibabasign.ROA, "GET", "/nothing/here", "", "x-acs-version", "2015-12-15")
	require.Equal(t, []any{404, "InvalidApi.NotFound"}, []any{out.status, out.code})
}

// TestPathsWithoutActions: what a client without names of actions does has the same effects.
func TestPathsWithoutActions(t *testing.T) {
	f := startContainers(t)
	for _, style := range []alibabasign.Style{alibabasign.ROA, alibabasign.TeaROA} {
		out := f.bare(style, "GET", "/clusters/c1/nodes?nodepool_id=np1", "", "x-acs-version", "2015-12-15")
		require.Equal(t, 200, out.status, out.raw)
		require.Len(t, out.body["nodes"], 1)
		out = f.bare(style, "GET", "/clusters/none", "", "x-acs-version", "2015-12-15")
		require.Equal(t, "ErrorClusterNotFound", out.body["code"], "the service's shape")
		out = f.bare(style, "GET", "/clusters/none", "")
		require.Equal(t, "ErrorClusterNotFound", out.body["code"], "also without a version")
		out = f.bare(style, "GET", "/clusters/c1?ClusterId=c-busy", "")
		require.Equal(t, 501, out.status, "what the path says is no parameter")
	}
	body := `{"instances":["i-1"],"nodepool_id":"np1"}`
	for _, kind := range []string{"application/json", "application/octet-stream"} { // the oldest client sends the second
		out := f.bare(alibabasign.ROA, "POST", "/clusters/c1/attach", body, "Content-Type", kind, "x-acs-version", "2015-12-15")
		require.Equal(t, 202, out.status, out.raw)
		require.Equal(t, []string{"i-1"}, f.last().Servers)
		require.Equal(t, "AttachInstances", f.last().Action)
	}
	require.Equal(t, 400, f.bare(alibabasign.ROA, "POST", "/clusters/c1/attach", "instances", "Content-Type", "text/plain").status)

	e := startEDAS(t)
	query := url.Values{"clusterId": {"prod"}, "instanceIds": {"i-1"}, "password": {password}}
	out := e.bare(alibabasign.ROA, "POST", "/pop/v5/resource/cluster_member?"+query.Encode(), "", "x-acs-version", "2017-08-01")
	require.Equal(t, 200.0, out.body["Code"], out.raw)
	require.Equal(t, "InsertClusterMember", e.last().Action)
	out = e.bare(alibabasign.ROA, "POST", "/pop/v5/resource/cluster_member", query.Encode(),
		"Content-Type", "application/x-www-form-urlencoded", "x-acs-version", "2017-08-01")
	require.Equal(t, 200.0, out.body["Code"], "a form will do: %s", out.raw)
}

// TestNamesOfActionsAgreeWithPaths: a client that names an action must call it by its path.
func TestNamesOfActionsAgreeWithPaths(t *testing.T) {
	f := startContainers(t)
	out := f.bare(alibabasign.ACS3, "GET", "/clusters/c1", "", "x-acs-action", "DescribeClusterNodes", "x-acs-version", "2015-12-15")
	require.Equal(t, []any{404, "InvalidApi.NotFound"}, []any{out.status, out.code})
	out = f.bare(alibabasign.ACS3, "POST", "/", "", "x-acs-action", "DescribeClusterNodes", "x-acs-version", "2015-12-15")
	require.Equal(t, []any{404, "InvalidApi.NotFound"}, []any{out.status, out.code})
	out = f.bare(alibabasign.ACS3, "GET", "/clusters/c1/addons", "", "x-acs-action", "DescribeAddons", "x-acs-version", "2015-12-15")
	require.Equal(t, []any{501, "SIM.0501"}, []any{out.status, out.code}, "the cloud may know it")
	require.Equal(t, "DescribeAddons", f.last().Action)
	out = f.bare(alibabasign.None, "GET", "/nothing", "")
	require.Equal(t, []any{501, nil}, []any{out.status, out.body["Code"]}, "it is no service's")
}
