package huawei

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// cceCalls has every action of the client that is CCE's, as calls has those of ECS.
var cceCalls = map[string]struct {
	good string
	do   func(context.Context, *Client) error
}{
	"ListClusters": {`{"items":[]}`, func(ctx context.Context, c *Client) error {
		_, err := c.Clusters(ctx)
		return err
	}},
	"ShowCluster": {`{"metadata":{"name":"c","uid":"c1"},"status":{"phase":"Available"}}`, func(ctx context.Context, c *Client) error {
		_, err := c.Cluster(ctx, "c1")
		return err
	}},
	"ShowNodePool": {`{"metadata":{"name":"p","uid":"p1"},"spec":{"nodeTemplate":{"flavor":"f"}}}`, func(ctx context.Context, c *Client) error {
		_, err := c.NodePool(ctx, "c1", "p1")
		return err
	}},
	"ListNodes": {`{"items":[],"pageInfo":{"currentCount":0}}`, func(ctx context.Context, c *Client) error {
		_, err := c.Nodes(ctx, "c1")
		return err
	}},
	"ShowJob": {`{"status":{"phase":"Running"}}`, func(ctx context.Context, c *Client) error {
		_, err := c.ClusterJob(ctx, "j1")
		return err
	}},
	"AddNodesToNodePool": {`{"jobid":"j1"}`, func(ctx context.Context, c *Client) error {
		_, err := c.AddNodes(ctx, "c1", "p1", []string{"s1"})
		return err
	}},
	"RemoveNode": {`{"status":{"jobID":"j1"}}`, func(ctx context.Context, c *Client) error {
		_, err := c.RemoveNodes(ctx, "c1", []string{"n1"})
		return err
	}},
}

func cceWrite(name string) bool { return name == "AddNodesToNodePool" || name == "RemoveNode" }

// cceFailure makes a call that must fail, with a classified error of its own name.
func cceFailure(t testing.TB, c *Client, name string) *verdict.Error {
	t.Helper()
	err := cceCalls[name].do(t.Context(), c)
	var e *verdict.Error
	require.ErrorAs(t, err, &e, name)
	require.Equal(t, name, e.Op)
	require.NotEmpty(t, e.Message)
	return e
}

// cceBody is an error in the shape that its code comes in.
func cceBody(code string) string {
	if !strings.HasPrefix(code, "CCE.") {
		return body(code)
	}
	return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":400,"errorCode":%q,
		"errorMessage":"no","message":"no","reason":"Bad"}`, code)
}

// expectedOfCCE is what the facts say, as expected for ECS.
var expectedOfCCE = map[string][2]verdict.Verdict{
	" 429 APIGW.0308":   {throttled, throttled},
	" 429 CCE.02429001": {throttled, throttled},
	" 429 CCE.01429003": {throttled, throttled},

	" 401 APIGW.0301":   {rejected, rejected},
	" 401 APIGW.0303":   {rejected, rejected},
	" 401 APIGW.0305":   {rejected, rejected},
	" 401 Common.0013":  {rejected, rejected},
	" 401 CCE.01401001": {rejected, rejected},
	" 401 CCE.02401001": {rejected, rejected},
	" 401 CCE.03401001": {rejected, rejected},
	" 403 APIGW.0302":   {rejected, rejected},
	" 403 Pdp.0001":     {rejected, rejected},
	" 403 CCE.01403001": {rejected, rejected},
	" 403 CCE.02403001": {rejected, rejected},
	" 403 CCE.03403001": {rejected, rejected},
	" 403 CCE.01403002": {rejected, rejected},
	" 403 CCE.02403002": {rejected, rejected},
	" 403 CCE.03403002": {rejected, rejected},
	" 401 EPS.0003":     {rejected, rejected},
	" 404 APIGW.0101":   {rejected, rejected},
	" 0 APIGW.0106":     {rejected, rejected},
	" 400 Common.0018":  {rejected, rejected},

	"RemoveNode 404 CCE.01404001": {"", done},
	" 404 CCE.01404001":           {rejected, rejected},

	" 429 CCE.01429002": {busy, busy},
	" 400 CCE.01400024": {busy, busy},
	" 403 CCE.01403003": {busy, busy},
	" 403 CCE.01403004": {busy, busy},
	" 403 CCE.01403005": {busy, busy},
	" 403 CCE.01403006": {busy, busy},
	" 403 CCE.01403007": {busy, busy},
	" 403 CCE.01403008": {busy, busy},
	" 403 CCE.01403009": {busy, busy},
	" 409 CCE.01409002": {transient, transient},
	" 409 CCE.01409001": {rejected, unknown},

	" 400 CCE.01400001": {rejected, rejected},
	" 400 CCE.01400007": {rejected, rejected},
	" 400 CCE.01400008": {rejected, rejected},
	" 400 CCE.01400009": {rejected, rejected},
	" 400 CCE.01400010": {rejected, rejected},
	" 400 CCE.01400011": {rejected, rejected},
	" 400 CCE.01400012": {rejected, rejected},
	" 400 CCE.01400013": {rejected, rejected},
	" 400 CCE.01400019": {rejected, rejected},
	" 400 CCE.01400020": {rejected, rejected},
	" 400 CCE.01400025": {rejected, rejected},
	" 400 CCE.01400014": {rejected, rejected},

	" 500 CCE.01500001": {transient, unknown},
	" 500 CCE.02500001": {transient, unknown},
	" 500 CCE.03500001": {transient, unknown},
	" 502 ":             {transient, unknown},
	" 503 ":             {transient, unknown},
	" 504 APIGW.0201":   {transient, unknown},
	" 504 ":             {transient, unknown},
}

func TestEveryRuleOfCCEThroughTheSDK(t *testing.T) {
	var status int
	var said string
	client := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(status, said)(w, r) })
	tested := map[string]bool{}
	for _, rule := range cceRules {
		name := fmt.Sprintf("%s %d %s", rule.Op, rule.Status, rule.Code)
		t.Run(name, func(t *testing.T) {
			want, ok := expectedOfCCE[name]
			require.True(t, ok, "a rule that nobody expects")
			require.False(t, tested[name], "a rule that an earlier one hides")
			tested[name] = true
			require.NotEmpty(t, rule.Why)
			if status = rule.Status; status == 0 {
				status = 400
			}
			said = cceBody(rule.Code)
			for side, call := range []string{"ListNodes", "AddNodesToNodePool"} {
				if want[side] == "" {
					continue
				}
				if rule.Op != "" {
					call = rule.Op
				}
				e := cceFailure(t, client, call)
				assert.Equal(t, want[side], e.Verdict, call)
				assert.Equal(t, rule.Code, e.Code)
				assert.Equal(t, status, e.Status)
			}
		})
	}
	for name := range expectedOfCCE {
		assert.True(t, tested[name], "no rule for %q", name)
	}
}

func TestAnswersOfCCE(t *testing.T) {
	for name, c := range cceCalls {
		assert.NoError(t, c.do(t.Context(), serve(t, answer(200, c.good))), name)
		unclear := verdict.Transient
		if cceWrite(name) {
			unclear = verdict.Unknown
		}
		for what, handler := range map[string]http.HandlerFunc{
			"nothing":    answer(200, ""),
			"an object":  answer(200, "{}"),
			"garbage":    answer(200, `{"items": [`),
			"a redirect": answer(307, ""),
			"a dropped connection": func(http.ResponseWriter, *http.Request) {
				panic(http.ErrAbortHandler)
			},
			"a proxy's page": answer(502, "<html>"),
		} {
			assert.Equal(t, unclear, cceFailure(t, serve(t, handler), name).Verdict, "%s: %s", name, what)
		}
	}
	// The SDK's own handler loses the status of such an answer.
	assert.Equal(t, 502, cceFailure(t, serve(t, answer(502, "<html>")), "ListNodes").Status)
	assert.Equal(t, verdict.Unknown, cceFailure(t, serve(t, answer(200, `{"jobid":"a/b"}`)), "AddNodesToNodePool").Verdict)
}

func TestIDsThatWouldChangeThePath(t *testing.T) {
	client := dial(t, "http://127.0.0.1:1")
	_, err := client.AddNodes(t.Context(), "c/1", "p", []string{"s"})
	assert.ErrorContains(t, err, "not sent")
	for _, ids := range [][]string{nil, {"../x"}, make([]string, NodesPerCall+1)} {
		_, err = client.AddNodes(t.Context(), "c", "p", ids)
		assert.ErrorContains(t, err, "not sent")
		_, err = client.RemoveNodes(t.Context(), "c", ids)
		assert.ErrorContains(t, err, "not sent")
	}
}

func TestClusterAndPool(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		said := `{"metadata":{"name":"prod","uid":"c1"},"status":{"phase":"Available"},
			"spec":{"flavor":"cce.s2.medium","hostNetwork":{"vpc":"vpc-1","subnet":"net-1"}}}`
		if strings.Contains(r.URL.Path, "nodepools") {
			said = `{"metadata":{"name":"workers","uid":"p1"},"status":{"phase":"Synchronized"},"spec":{"initialNodeCount":3,
				"nodeTemplate":{"flavor":"f1","az":"az1","billingMode":1,"nodeNicSpec":{"primaryNic":{"subnetId":"net-2"}}},
				"nodeManagement":{"serverGroupReference":"g1"},"autoscaling":{"enable":true}}}`
		}
		answer(200, said)(w, r)
	})
	c, err := client.Cluster(t.Context(), "c1")
	require.NoError(t, err)
	assert.Equal(t, Cluster{ID: "c1", Name: "prod", Phase: "Available", Flavor: "cce.s2.medium", VPC: "vpc-1", Subnet: "net-1"}, c)
	p, err := client.NodePool(t.Context(), "c1", "p1")
	require.NoError(t, err)
	assert.Equal(t, NodePool{ID: "p1", Name: "workers", Phase: "Synchronized", FlavorID: "f1", Zone: "az1", Subnet: "net-2",
		BillingMode: "1", Group: "g1", Autoscaling: true}, p)
}

func TestNodeLimit(t *testing.T) {
	for flavor, want := range map[string]int{"cce.s1.small": 50, "cce.s2.medium": 200, "cce.s2.large": 1000,
		"cce.dec.s2.xlarge": 2000, "cce.s9.huge": 0, "": 0} {
		assert.Equal(t, want, Cluster{Flavor: flavor}.NodeLimit(), flavor)
	}
}

func TestNodesOnSeveralPages(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.NotEmpty(t, r.URL.Query().Get("errorStatus"), "else a broken node looks like one that is being deleted")
		said := `{"items":[{"metadata":{"uid":"n1","ownerReferences":{"nodepoolID":"p1"},"annotations":
			{"kubernetes.io/node-pool.id":"other"}},"status":{"phase":"Active","serverId":"s1","jobID":"j1"}}],
			"pageInfo":{"currentCount":1,"nextMarker":"n1"}}`
		if r.URL.Query().Get("marker") == "n1" {
			said = `{"items":[{"metadata":{"uid":"n2","annotations":{"kubernetes.io/node-pool.id":"az#f#os"}},
				"status":{"phase":"Melting","serverId":"s2"}},{}],"pageInfo":{"currentCount":2}}`
		}
		answer(200, said)(w, r)
	})
	got, err := client.Nodes(t.Context(), "c1")
	require.NoError(t, err)
	assert.Equal(t, []Node{{ID: "n1", ServerID: "s1", Pool: "p1", Phase: "Active", Job: "j1"},
		{ID: "n2", ServerID: "s2", Pool: "az#f#os", Phase: "Melting"}, {}}, got)
}

func TestNodesInACircle(t *testing.T) {
	client := serve(t, answer(200, `{"items":[{}],"pageInfo":{"currentCount":1,"nextMarker":"n1"}}`))
	_, err := client.Nodes(t.Context(), "c1")
	assert.ErrorContains(t, err, "circle")
}

func TestJobsOfCCEAreNested(t *testing.T) {
	client := serve(t, answer(200, `{"metadata":{"uid":"j1"},"status":{"phase":"Failed","reason":"partly"},"spec":{"subJobs":[
		{"spec":{"type":"CreateNode","subJobs":[{"spec":{"type":"InstallNode","resourceID":"n1"},"status":{"phase":"Success"}}]}},
		{"spec":{"type":"CreateNode","resourceID":"n2"},"status":{"phase":"Failed","reason":"no disk"}},{}]}}`))
	got, err := client.ClusterJob(t.Context(), "j1")
	require.NoError(t, err)
	assert.Equal(t, ClusterJob{ID: "j1", Phase: "Failed", Reason: "partly", Parts: []JobPart{
		{NodeID: "n1", Phase: "Success"}, {NodeID: "n2", Phase: "Failed", Reason: "no disk"}}}, got)
}

func TestWhatIsSentToAPool(t *testing.T) {
	var sent map[string]any
	var path string
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		path = r.Method + " " + r.URL.Path
		data, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		sent = nil
		assert.NoError(t, json.Unmarshal(data, &sent))
		answer(200, `{"jobid":"j1","status":{"jobID":"j2"}}`)(w, r)
	})
	job, err := client.AddNodes(t.Context(), "c1", "p1", []string{"s1", "s2"})
	require.NoError(t, err)
	assert.Equal(t, "j1", job)
	assert.Equal(t, "POST /api/v3/projects/p1/clusters/c1/nodepools/p1/nodes/add", path)
	assert.Equal(t, map[string]any{"apiVersion": "v3", "kind": "List",
		"nodeList": []any{map[string]any{"serverID": "s1"}, map[string]any{"serverID": "s2"}}}, sent)
	job, err = client.RemoveNodes(t.Context(), "c1", []string{"n1"})
	require.NoError(t, err)
	assert.Equal(t, "j2", job)
	assert.Equal(t, "PUT /api/v3/projects/p1/clusters/c1/nodes/operation/remove", path)
	assert.Equal(t, []any{map[string]any{"uid": "n1"}}, sent["spec"].(map[string]any)["nodes"])
}

// The writes of CCE are counted together, and slowly.
func TestPaceOfCCE(t *testing.T) {
	client := dial(t, "http://127.0.0.1:1", func(c *Config) { c.Pace = limit.Seed{} })
	assert.Same(t, addNodesToNodePool.pace(client), removeNode.pace(client))
	assert.NotSame(t, listNodes.pace(client), addNodesToNodePool.pace(client))
	assert.NotSame(t, batchStopServers.pace(client), batchStartServers.pace(client), "those of ECS are not")
	rates := map[string]float64{}
	for _, s := range client.limits.State() {
		rates[s.Key.API] = s.Rate
	}
	assert.Equal(t, gateway.Start, rates["ListNodes"])
	assert.LessOrEqual(t, rates["CCE writes"]*60, 10.0)
}
