package sdktest

import (
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	cce "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3"
	ccemodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3/model"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	"github.com/stretchr/testify/require"
)

// TestClustersAndNodesHoldWhatIsDocumented goes through what a client that shows a cluster and its nodes takes for given.
func TestClustersAndNodesHoldWhatIsDocumented(t *testing.T) {
	s, url := start(t)
	credentials, err := basic.NewCredentialsBuilder().WithAk("AK").WithSk("SK").WithProjectId("p1").
		WithSecurityToken("TOKEN").SafeBuild()
	require.NoError(t, err)
	built, err := cce.CceClientBuilder().WithEndpoint(url).WithCredential(credentials).
		WithHttpConfig(config.DefaultHttpConfig().WithUserAgent("sim-test")).SafeBuild()
	require.NoError(t, err)
	client := cce.NewCceClient(built)

	c, err := client.ShowCluster(&ccemodel.ShowClusterRequest{ClusterId: "c1", Detail: ptr("true")})
	require.NoError(t, err)
	require.Equal(t, "1", c.Metadata.Annotations["activeNodesNumber"])
	require.NotEmpty(t, *c.Metadata.CreationTimestamp)
	require.Empty(t, *c.Spec.EniNetwork.EniSubnetId)
	require.Empty(t, *c.Spec.EniNetwork.Subnets)
	require.Equal(t, "rbac", *c.Spec.Authentication.Mode)
	require.NotNil(t, c.Spec.Authentication.AuthenticatingProxy)
	require.Equal(t, "10.247.0.0/16", *c.Spec.KubernetesSvcIpRange)
	require.Equal(t, *c.Spec.KubernetesSvcIpRange, *c.Spec.ServiceNetwork.IPv4CIDR)
	require.NotEmpty(t, (*c.Spec.ContainerNetwork.Cidrs)[0].Cidr)
	require.NotEmpty(t, *c.Spec.HostNetwork.SecurityGroup)
	require.NotEmpty(t, *(*c.Spec.Masters)[0].AvailabilityZone)
	require.Contains(t, *(*c.Status.Endpoints)[0].Url, "c1")

	nodes, err := client.ListNodes(&ccemodel.ListNodesRequest{ClusterId: "c1"})
	require.NoError(t, err)
	n := (*nodes.Items)[0]
	address, ok := "", false
	shown, err := newClient(t, url, "SK", "TOKEN").ShowServer(&model.ShowServerRequest{ServerId: *n.Status.ServerId})
	require.NoError(t, err)
	for _, of := range shown.Server.Addresses {
		address, ok = of[0].Addr, true
		require.NotEmpty(t, *of[0].OSEXTIPSMACmacAddr)
	}
	require.True(t, ok)
	require.Equal(t, address, *n.Status.PrivateIP)
	require.Empty(t, *n.Status.PublicIP)
	require.NotEmpty(t, (*n.Spec.DataVolumes)[0].Size)
	require.NotEmpty(t, *n.Spec.Login.SshKey)
	require.NotEmpty(t, *n.Spec.NodeNicSpec.PrimaryNic.SubnetId)

	pools, err := client.ListNodePools(&ccemodel.ListNodePoolsRequest{ClusterId: "c1"})
	require.NoError(t, err)
	template := (*pools.Items)[0].Spec.NodeTemplate
	require.NotEmpty(t, *template.NodeNicSpec.PrimaryNic.SubnetId)
	require.Zero(t, *(*pools.Items)[0].Spec.Autoscaling.MaxNodeCount)
	truth, _ := s.Node(*n.Status.ServerId)
	require.Equal(t, "Active", truth.Phase)
}

// TestEverydayUse reboots a server and labels it.
func TestEverydayUse(t *testing.T) {
	s, url := start(t)
	c := newClient(t, url, "SK", "TOKEN")
	soft := model.GetBatchRebootSeversOptionTypeEnum().SOFT
	job, err := c.BatchRebootServers(&model.BatchRebootServersRequest{Body: &model.BatchRebootServersRequestBody{
		Reboot: &model.BatchRebootSeversOption{Type: soft, Servers: []model.ServerId{{Id: "s1"}}}}})
	require.NoError(t, err)
	require.NotEmpty(t, *job.JobId)
	_, err = c.BatchCreateServerTags(&model.BatchCreateServerTagsRequest{ServerId: "s1", Body: &model.BatchCreateServerTagsRequestBody{
		Action: model.GetBatchCreateServerTagsRequestBodyActionEnum().CREATE, Tags: []model.BatchAddServerTag{{Key: "team", Value: ptr("web")}}}})
	require.NoError(t, err)
	tags, err := c.ShowServerTags(&model.ShowServerTagsRequest{ServerId: "s1"})
	require.NoError(t, err)
	require.Equal(t, []model.ServerTag{{Key: "team", Value: ptr("web")}}, *tags.Tags)
	zone, err := c.ListFlavors(&model.ListFlavorsRequest{AvailabilityZone: ptr("az1")})
	require.NoError(t, err)
	require.NotEmpty(t, *zone.Flavors)
	require.Equal(t, "az1(normal)", *(*zone.Flavors)[0].OsExtraSpecs.Condoperationaz)
	limits, err := c.ShowServerLimits(&model.ShowServerLimitsRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 100, limits.Absolute.MaxSecurityGroups)
	require.EqualValues(t, 3, limits.Absolute.TotalSecurityGroupsUsed)
	truth, _ := s.Server("s1")
	require.True(t, truth.Busy)
}
