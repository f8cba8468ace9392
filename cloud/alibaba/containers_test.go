package alibaba

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

const fullContainerCluster = `{"cluster_id":"c1","name":"n","cluster_type":"ManagedKubernetes","state":"running",
	"vpc_id":"vpc-1","region_id":"cn-sim","security_group_id":"sg-1","size":3,"current_version":"1.30","tags":[],
	"deletion_protection":true}`

var theContainerCluster = ContainerCluster{ID: "c1", Name: "n", Type: "ManagedKubernetes", State: "running", VPC: "vpc-1",
	Region: "cn-sim", SecurityGroup: "sg-1", Size: 3}

func TestContainerCluster(t *testing.T) {
	client, asked := listening(t, 200, fullContainerCluster)
	got, err := client.ContainerCluster(t.Context(), "c1")
	require.NoError(t, err)
	assert.Equal(t, theContainerCluster, got)
	assert.Equal(t, []seen{{"DescribeClusterDetail", "2015-12-15", "GET", "/clusters/c1", url.Values{}, ""}}, *asked)

	_, err = client.ContainerCluster(t.Context(), "c2")
	assert.Equal(t, verdict.Transient, verdict.Of(err), "another one than was asked for")
}

func TestContainerClusters(t *testing.T) {
	client, asked := listening(t, 200, `{"clusters":[`+fullContainerCluster+`,{"cluster_id":"c2"}],"page_info":{"page_number":1,
		"page_size":100,"total_count":2}}`)
	got, err := client.ContainerClusters(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []ContainerCluster{theContainerCluster, {ID: "c2"}}, got)
	assert.Equal(t, []seen{{"DescribeClustersV1", "2015-12-15", "GET", "/api/v1/clusters",
		url.Values{"page_size": {"100"}, "page_number": {"1"}}, ""}}, *asked)
}

func TestContainerPool(t *testing.T) {
	client, asked := listening(t, 200, `{"nodepool_info":{"nodepool_id":"np1","name":"n","type":"ess","is_default":true},
		"status":{"state":"active","total_nodes":9,"healthy_nodes":4,"serving_nodes":4,"initial_nodes":2,"failed_nodes":1,
		"offline_nodes":1,"removing_nodes":1},"auto_scaling":{"enable":true,"max_instances":9},"management":{"enable":true},
		"scaling_group":{"desired_size":9,"security_group_id":"sg-1","security_group_ids":["sg-2","sg-1"],"image_id":"m-1",
		"key_pair":"k","vswitch_ids":["vsw-1"]}}`)
	got, err := client.ContainerPool(t.Context(), "c1", "np1")
	require.NoError(t, err)
	nine := 9
	assert.Equal(t, NodePool{ID: "np1", Name: "n", Type: "ess", State: "active", Default: true, Total: 9, Healthy: 4,
		Initial: 2, Failed: 1, Offline: 1, Removing: 1, Autoscaling: true, Desired: &nine,
		SecurityGroups: []string{"sg-1", "sg-2"}, Image: "m-1", KeyPair: "k", Managed: true}, got)
	assert.Equal(t, []seen{{"DescribeClusterNodePoolDetail", "2015-12-15", "GET", "/clusters/c1/nodepools/np1",
		url.Values{}, ""}}, *asked)

	bare := `{"nodepool_info":{"nodepool_id":"np1"},"status":{"state":"scaling"}}`
	got, err = serve(t, answer(200, bare)).ContainerPool(t.Context(), "c1", "np1")
	require.NoError(t, err)
	assert.Equal(t, NodePool{ID: "np1", State: "scaling"}, got, "no size is desired of it, which is not a size of 0")
}

func TestContainerNodeQuota(t *testing.T) {
	client, asked := listening(t, 200, `{"cluster_quota":50,"node_quota":100,"edge_improved_nodepool_quota":{"count":3}}`)
	got, err := client.ContainerNodeQuota(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 100, got)
	assert.Equal(t, []seen{{"DescribeUserQuota", "2015-12-15", "GET", "/quota", url.Values{}, ""}}, *asked)

	newer := `{"node_quota":100,"quotas":{"key":{"quota":"1","operation_code":"q_Kubernetes_Cluster"}}}`
	for body, want := range map[string]int{newer: 0, `{"node_quota":-1,"quotas":{}}`: 0, `{"node_quota":1,"quotas":null}`: 1} {
		got, err = serve(t, answer(200, body)).ContainerNodeQuota(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, got, body)
	}
}

// A cluster that is not there is told from one that cannot be read.
func TestContainersThatAreNotThere(t *testing.T) {
	for name, code := range map[string]string{
		"DescribeClusterDetail": "ErrorClusterNotFound", "DescribeClusterNodePoolDetail": "ErrorNodePoolNotFound",
		"DescribeClusterNodes": "NotFound", "DescribeTaskInfo": "AnyCode",
	} {
		client := serve(t, answer(404, `{"code":"`+code+`","message":"no","requestId":"r-1","status":404}`))
		assert.Equal(t, &verdict.Error{Verdict: verdict.Rejected, Op: name, Status: 404, Code: code, Message: "no",
			RequestID: "r-1"}, failure(t, client, name))
	}
}

// aCluster serves the nodes of a cluster as the cloud does: 10 a page, if it is not asked for more.
func aCluster(t *testing.T, nodes []string) (*Client, *[]url.Values) {
	var asked []url.Values
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked = append(asked, q)
		assert.Equal(t, "/clusters/c1/nodes", r.URL.Path)
		all := nodes
		if q.Has("instanceIds") && !q.Has("nodepool_id") {
			ids := strings.Split(q.Get("instanceIds"), ",")
			all = slices.DeleteFunc(slices.Clone(nodes), func(id string) bool { return !slices.Contains(ids, id) })
		}
		size, number := 10, 1
		if text := q.Get("pageSize"); text != "" {
			size, _ = strconv.Atoi(text)
		}
		if text := q.Get("pageNumber"); text != "" {
			number, _ = strconv.Atoi(text)
		}
		assert.LessOrEqual(t, size, 100)
		var rows []string
		for _, id := range all[min((number-1)*size, len(all)):min(number*size, len(all))] {
			rows = append(rows, fmt.Sprintf(`{"instance_id":%q}`, id))
		}
		answer(200, fmt.Sprintf(`{"nodes":[%s],"page":{"page_number":%d,"page_size":%d,"total_count":%d}}`,
			strings.Join(rows, ","), number, size, len(all)))(w, r)
	})
	return client, &asked
}

func instancesOf(nodes []Node) []string {
	var ids []string
	for _, n := range nodes {
		ids = append(ids, n.Instance)
	}
	return ids
}

func TestContainerNodesAreReadInPages(t *testing.T) {
	var ids []string
	for i := range 250 {
		ids = append(ids, fmt.Sprintf("i-%03d", i))
	}
	client, asked := aCluster(t, ids)
	got, err := client.ContainerNodes(t.Context(), "c1")
	require.NoError(t, err)
	assert.Equal(t, ids, instancesOf(got))
	assert.Equal(t, []url.Values{
		{"state": {"all"}, "pageSize": {"100"}, "pageNumber": {"1"}},
		{"state": {"all"}, "pageSize": {"100"}, "pageNumber": {"3"}},
		{"state": {"all"}, "pageSize": {"100"}, "pageNumber": {"2"}},
		{"state": {"all"}, "pageSize": {"100"}, "pageNumber": {"1"}},
	}, *asked)

	*asked = nil
	some := append([]string{"i-none"}, ids[100:220]...)
	got, err = client.ContainerNodes(t.Context(), "c1", some...)
	require.NoError(t, err)
	assert.Equal(t, ids[100:220], instancesOf(got))
	require.Len(t, *asked, 2, "two chunks of 100 at most")
	assert.Equal(t, strings.Join(ids[100:200], ","), (*asked)[0].Get("instanceIds"))
	assert.Equal(t, "100", (*asked)[0].Get("pageSize"), "a page has 10 by default")
}

func TestContainerNodes(t *testing.T) {
	client := serve(t, answer(200, `{"nodes":[
		{"instance_id":"i-1","node_name":"cn-sim.10.0.0.1","nodepool_id":"np1","state":"running","node_status":"Ready",
			"error_message":"","ip_address":["10.0.0.1"],"is_aliyun_node":true},
		{"instance_id":"i-2","nodepool_id":"np1","state":"failed","error_message":"no agent: password=hunter2"},
		{"instance_id":"","node_name":"elsewhere","state":"running","node_status":"Unknown"}],"page":{"total_count":3}}`))
	got, err := client.ContainerNodes(t.Context(), "c1")
	require.NoError(t, err)
	assert.Equal(t, []Node{
		{Instance: "i-1", Name: "cn-sim.10.0.0.1", Pool: "np1", State: NodeRunning, Status: NodeReady},
		{Instance: "i-2", Pool: "np1", State: NodeFailed, Error: "no agent: password=…"},
		{Name: "elsewhere", State: NodeRunning, Status: "Unknown"},
	}, got)
	got, err = client.ContainerNodes(t.Context(), "c1", "i-2", "i-3")
	require.NoError(t, err)
	assert.Equal(t, []string{"i-2"}, instancesOf(got), "what was not asked for is left out")

	twice := `{"nodes":[{"instance_id":"i-1","nodepool_id":"np1","state":"removing"},
		{"instance_id":"i-1","nodepool_id":"np2","state":"initial"}],"page":{"total_count":2}}`
	got, err = serve(t, answer(200, twice)).ContainerNodes(t.Context(), "c1")
	require.NoError(t, err)
	assert.Equal(t, []Node{{Instance: "i-1", Pool: "np1", State: NodeRemoving},
		{Instance: "i-1", Pool: "np2", State: NodeInitial}}, got)

	got, err = serve(t, answer(200, `{"nodes":null,"page":{"total_count":0}}`)).ContainerNodes(t.Context(), "c1")
	require.NoError(t, err)
	assert.Empty(t, got)
	for _, says := range []string{`{"nodes":[]}`, `{"nodes":[],"page":{}}`, `{"nodes":null,"page":{"total_count":1}}`} {
		_, err := serve(t, answer(200, says)).ContainerNodes(t.Context(), "c1")
		assert.Equal(t, verdict.Transient, verdict.Of(err), says)
	}
}
