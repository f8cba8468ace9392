package alibabasdktest

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	cs "github.com/alibabacloud-go/cs-20151215/v2/client"
	tea "github.com/alibabacloud-go/darabonba-openapi/client"
	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	daracore "github.com/alibabacloud-go/tea/dara"
	teacore "github.com/alibabacloud-go/tea/tea"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
)

const clustersFile = `
seed: 1
accounts:
- {name: main, accessKey: AK, secretKey: SK, accountId: "1001"}
- {name: sts, accessKey: STS.AK, secretKey: SK2, securityToken: "TO+KEN/=", accountId: "1001"}
alibaba:
  containers: {attach: 60s}
  clusters:
  - {id: c1, name: prod, nodePools: [{id: np1, desired: 1, members: [i-old]}]}
  instances: [{id: i-old}, {id: i-1}, {id: i-2}, {id: i-3}, {id: i-off, status: Stopped}]
`

func startClusters(t *testing.T) (*sim.Sim, string) {
	t.Helper()
	w, err := sim.ParseWorld([]byte(clustersFile))
	require.NoError(t, err)
	s, err := sim.New(sim.Options{World: w, Clock: sim.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))})
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func newCS(t *testing.T, url, key string) *cs.Client {
	t.Helper()
	k := keys[key]
	c, err := cs.NewClient(&tea.Config{AccessKeyId: &k.access, AccessKeySecret: &k.secret, SecurityToken: &k.token,
		Endpoint: teacore.String(strings.TrimPrefix(url, "http://")), Protocol: teacore.String("http"),
		RegionId: teacore.String("cn-hangzhou")})
	require.NoError(t, err)
	return c
}

func TestContainerService(t *testing.T) {
	s, url := startClusters(t)
	c, cluster, pool := newCS(t, url, "static"), teacore.String("c1"), teacore.String("np1")
	attached, err := c.AttachInstances(cluster, &cs.AttachInstancesRequest{NodepoolId: pool,
		Instances: teacore.StringSlice([]string{"i-1", "i-off"}), Password: teacore.String("Hello1234"),
		FormatDisk: teacore.Bool(false), KeepInstanceName: teacore.Bool(true)})
	require.NoError(t, err)
	require.Equal(t, "200", *attached.Body.List[0].Code)
	require.Equal(t, "i-off", *attached.Body.List[1].InstanceId)
	require.Equal(t, "400", *attached.Body.List[1].Code)
	task, err := c.DescribeTaskInfo(attached.Body.TaskId)
	require.NoError(t, err)
	require.Equal(t, "running", *task.Body.State)
	require.Equal(t, "initial", *task.Body.TaskResult[0].Status)
	s.Clock().Advance(time.Minute)
	task, err = c.DescribeTaskInfo(attached.Body.TaskId)
	require.NoError(t, err)
	require.Equal(t, "success", *task.Body.State)
	require.Equal(t, "i-1", *task.Body.TaskResult[0].Data)

	detail, err := c.DescribeClusterDetail(cluster)
	require.NoError(t, err)
	require.Equal(t, []any{"running", int64(2)}, []any{*detail.Body.State, *detail.Body.Size})
	clusters, err := c.DescribeClustersV1(&cs.DescribeClustersV1Request{PageSize: teacore.Int64(50)})
	require.NoError(t, err)
	require.Equal(t, "c1", *clusters.Body.Clusters[0].ClusterId)
	require.EqualValues(t, 1, *clusters.Body.PageInfo.TotalCount)
	pools, err := c.DescribeClusterNodePools(cluster)
	require.NoError(t, err)
	require.True(t, *pools.Body.Nodepools[0].NodepoolInfo.IsDefault)
	one, err := c.DescribeClusterNodePoolDetail(cluster, pool)
	require.NoError(t, err)
	require.Equal(t, []any{"active", int64(2)}, []any{*one.Body.Status.State, *one.Body.Status.HealthyNodes})
	nodes, err := c.DescribeClusterNodes(cluster, &cs.DescribeClusterNodesRequest{NodepoolId: pool,
		State: teacore.String(""), PageSize: teacore.String("100"), PageNumber: teacore.String("1")})
	require.NoError(t, err)
	require.Equal(t, []any{"i-1", "running", "Ready"}, []any{*nodes.Body.Nodes[1].InstanceId, *nodes.Body.Nodes[1].State,
		*nodes.Body.Nodes[1].NodeStatus})
	require.EqualValues(t, 2, *nodes.Body.Page.TotalCount)

	_, err = c.DeleteClusterNodes(cluster, &cs.DeleteClusterNodesRequest{
		Nodes: []*string{nodes.Body.Nodes[0].NodeName}, ReleaseNode: teacore.Bool(false), DrainNode: teacore.Bool(true)})
	require.NoError(t, err, "though this client wants nothing of the answer")
	_, err = c.RemoveClusterNodes(cluster, &cs.RemoveClusterNodesRequest{Nodes: []*string{nodes.Body.Nodes[1].NodeName}})
	require.NoError(t, err)
	require.Len(t, s.Instances(), 7, "the pool keeps its size")
}

func TestContainerServiceErrors(t *testing.T) {
	_, url := startClusters(t)
	for key, code := range map[string]string{"static": "ErrorClusterNotFound", "sts": "ErrorClusterNotFound",
		"wrong": "SignatureDoesNotMatch"} {
		_, err := newCS(t, url, key).DescribeClusterNodes(teacore.String("c9"),
			&cs.DescribeClusterNodesRequest{State: teacore.String("")})
		refused := new(teacore.SDKError)
		require.True(t, errors.As(err, &refused), "%v", err)
		require.Equal(t, code, *refused.Code)
		require.NotContains(t, *refused.Message, "request id: <nil>")
	}
	_, err := newCS(t, url, "static").AttachInstances(teacore.String("c1"),
		&cs.AttachInstancesRequest{Instances: teacore.StringSlice([]string{"i-1"}), Password: teacore.String("weak")})
	require.ErrorContains(t, err, "InvalidPassword")
	_, err = newCS(t, url, "static").DescribeClusterAddonsVersion(teacore.String("c1"))
	require.ErrorContains(t, err, "SIM.0501")
}

// roa is the call of an action that the older client lacks, or of which it loses half the answer.
func roa(action, method, path string) *openapi.Params {
	return &openapi.Params{Action: &action, Version: teacore.String("2015-12-15"), Pathname: &path, Method: &method,
		AuthType: teacore.String("AK"), Style: teacore.String("ROA"), Protocol: teacore.String("HTTP"),
		ReqBodyType: teacore.String("json"), BodyType: teacore.String("json")}
}

func TestDaraContainerService(t *testing.T) {
	s, url := startClusters(t)
	c := newDara(t, url, "sts")
	call := func(params *openapi.Params, request *openapi.OpenApiRequest) map[string]any {
		t.Helper()
		out, err := c.CallApiWithCtx(t.Context(), params, request, &daracore.RuntimeOptions{})
		require.NoError(t, err)
		return out["body"].(map[string]any)
	}
	added := call(roa("AttachInstancesToNodePool", "POST", "/clusters/c1/nodepools/np1/attach"), &openapi.OpenApiRequest{
		Body: map[string]any{"instances": []string{"i-1", "i-2"}, "keep_instance_name": true, "password": "P<>&1word"}})
	require.NotEmpty(t, added["request_id"])
	s.Clock().Advance(time.Minute)
	info := call(roa("DescribeTaskInfo", "GET", "/tasks/"+added["task_id"].(string)), &openapi.OpenApiRequest{})
	require.Equal(t, "success", info["state"])
	removed := call(roa("RemoveNodePoolNodes", "DELETE", "/clusters/c1/nodepools/np1/nodes"), &openapi.OpenApiRequest{
		Query: map[string]*string{"instance_ids": teacore.String(`["i-1","i-2"]`), "release_node": teacore.String("false"),
			"drain_node": teacore.String("true")}})
	require.NotEmpty(t, removed["task_id"])
	_, node := s.ContainerNode("i-1")
	require.False(t, node)
	v, _ := s.Instance("i-1")
	require.Equal(t, 2, v.OSGeneration)
	deleted := call(roa("DeleteClusterNodes", "POST", "/clusters/c1/nodes"), &openapi.OpenApiRequest{
		Body: map[string]any{"nodes": []string{nodeOf(t, s, "i-old")}, "release_node": true, "drain_node": false}})
	require.NotEmpty(t, deleted["task_id"])
	_, there := s.Instance("i-old")
	require.False(t, there)
}

func nodeOf(t *testing.T, s *sim.Sim, instance string) string {
	t.Helper()
	n, ok := s.ContainerNode(instance)
	require.True(t, ok)
	return n.Name
}
