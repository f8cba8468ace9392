package sdktest

import (
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	vpc2 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v2"
	vpc2model "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v2/model"
	vpc3 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v3"
	vpc3model "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v3/model"
	"github.com/stretchr/testify/require"
)

func newNetworkClients(t *testing.T, url string) (*vpc2.VpcClient, *vpc3.VpcClient) {
	t.Helper()
	credentials, err := basic.NewCredentialsBuilder().WithAk("AK").WithSk("SK").WithProjectId("p1").
		WithSecurityToken("TOKEN").SafeBuild()
	require.NoError(t, err)
	http := func() *config.HttpConfig {
		return config.DefaultHttpConfig().WithUserAgent("sim-test").WithTimeout(time.Minute)
	}
	second, err := vpc2.VpcClientBuilder().WithEndpoint(url).WithCredential(credentials).WithHttpConfig(http()).SafeBuild()
	require.NoError(t, err)
	third, err := vpc3.VpcClientBuilder().WithEndpoint(url).WithCredential(credentials).WithHttpConfig(http()).SafeBuild()
	require.NoError(t, err)
	return vpc2.NewVpcClient(second), vpc3.NewVpcClient(third)
}

// TestSecurityGroups moves a server from one group to another, with the SDKs of three APIs.
func TestSecurityGroups(t *testing.T) {
	_, url := start(t)
	servers := newClient(t, url, "SK", "TOKEN")
	v2, v3 := newNetworkClients(t, url)

	all, err := v3.ListSecurityGroups(&vpc3model.ListSecurityGroupsRequest{Name: &[]string{"web", "db"}})
	require.NoError(t, err)
	require.Len(t, *all.SecurityGroups, 2)
	require.EqualValues(t, 2, all.PageInfo.CurrentCount)
	web, db := (*all.SecurityGroups)[0].Id, (*all.SecurityGroups)[1].Id

	added, err := servers.NovaAssociateSecurityGroup(&model.NovaAssociateSecurityGroupRequest{ServerId: "s1",
		Body: &model.NovaAssociateSecurityGroupRequestBody{AddSecurityGroup: &model.NovaAddSecurityGroupOption{Name: db}}})
	require.NoError(t, err)
	require.Equal(t, 202, added.HttpStatusCode)
	removed, err := servers.NovaDisassociateSecurityGroup(&model.NovaDisassociateSecurityGroupRequest{ServerId: "s1",
		Body: &model.NovaDisassociateSecurityGroupRequestBody{RemoveSecurityGroup: &model.NovaRemoveSecurityGroupOption{Name: "web"}}})
	require.NoError(t, err)
	require.Equal(t, 202, removed.HttpStatusCode)

	listed, err := servers.NovaListServerSecurityGroups(&model.NovaListServerSecurityGroupsRequest{ServerId: "s1"})
	require.NoError(t, err)
	require.Len(t, *listed.SecurityGroups, 1)
	require.Equal(t, db, (*listed.SecurityGroups)[0].Id)
	require.Len(t, (*listed.SecurityGroups)[0].Rules, 4, "two for what comes in from the group, two more of the world's")
	shown, err := servers.ShowServer(&model.ShowServerRequest{ServerId: "s1"})
	require.NoError(t, err)
	require.Equal(t, []model.ServerSecurityGroup{{Name: "db", Id: db}}, shown.Server.SecurityGroups)

	ports, err := v2.ListPorts(&vpc2model.ListPortsRequest{DeviceId: ptr("s1")})
	require.NoError(t, err)
	require.Equal(t, []string{db}, (*ports.Ports)[0].SecurityGroups)
	old, err := v2.ShowSecurityGroup(&vpc2model.ShowSecurityGroupRequest{SecurityGroupId: web})
	require.NoError(t, err)
	require.Len(t, old.SecurityGroup.SecurityGroupRules, 4)
	detail, err := v3.ShowSecurityGroup(&vpc3model.ShowSecurityGroupRequest{SecurityGroupId: db})
	require.NoError(t, err)
	require.Len(t, detail.SecurityGroup.SecurityGroupRules, 6)
	quota, err := v2.ShowQuota(&vpc2model.ShowQuotaRequest{})
	require.NoError(t, err)
	require.NotEmpty(t, quota.Quotas.Resources)

	_, err = v2.ShowSecurityGroup(&vpc2model.ShowSecurityGroupRequest{SecurityGroupId: "none"})
	var failed *sdkerr.ServiceResponseError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, []any{404, "VPC.0603"}, []any{failed.StatusCode, failed.ErrorCode})
	_, err = v3.ShowSecurityGroup(&vpc3model.ShowSecurityGroupRequest{SecurityGroupId: "none"})
	require.ErrorAs(t, err, &failed)
	require.Equal(t, []any{404, "VPC.9904"}, []any{failed.StatusCode, failed.ErrorCode})
}
