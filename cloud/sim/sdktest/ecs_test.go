// Package sdktest proves that the vendor's SDK works against the simulator unchanged. It is apart from the other
// tests because the SDK takes minutes to compile.
package sdktest

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
)

const worldFile = `
seed: 1
accounts:
- {name: main, accessKey: AK, secretKey: SK, securityToken: TOKEN, projectId: p1}
huawei:
  timings: {stop: 20s, start: 20s, reboot: 10s}
  flavors:
  - {id: s6.large.2, vcpus: 4, ramMiB: 8192}
  - {id: s1.large, virtualization: xen, abandoned: true}
  groups: [{id: g1, name: web}]
  securityGroups: [{name: web}, {name: db, rules: 6}]
  servers:
  - {id: s1, name: "first one", flavor: s6.large.2, metadata: {team: a b}, securityGroups: [web]}
  - {id: s2, flavor: s6.large.2, status: SHUTOFF}
  - {id: node, flavor: s6.large.2}
  clusters: [{id: c1, nodePools: [{id: p1, flavor: s6.large.2, members: [node]}]}]
`

func newClient(t *testing.T, url, secret, token string) *ecs.EcsClient {
	t.Helper()
	credentials, err := basic.NewCredentialsBuilder().WithAk("AK").WithSk(secret).WithProjectId("p1").
		WithSecurityToken(token).SafeBuild()
	require.NoError(t, err)
	http := config.DefaultHttpConfig().WithUserAgent("sim-test").WithTimeout(time.Minute)
	built, err := ecs.EcsClientBuilder().WithEndpoint(url).WithCredential(credentials).WithHttpConfig(http).SafeBuild()
	require.NoError(t, err)
	return ecs.NewEcsClient(built)
}

func start(t *testing.T) (*sim.Sim, string) {
	t.Helper()
	w, err := sim.ParseWorld([]byte(worldFile))
	require.NoError(t, err)
	s, err := sim.New(sim.Options{World: w, Clock: sim.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))})
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func ptr[T any](v T) *T { return &v }

func TestReads(t *testing.T) {
	_, url := start(t)
	c := newClient(t, url, "SK", "TOKEN")

	server, err := c.ShowServer(&model.ShowServerRequest{ServerId: "s1"})
	require.NoError(t, err)
	require.Equal(t, "first one", server.Server.Name)
	require.Equal(t, "ACTIVE", server.Server.Status)
	require.Equal(t, "", server.Server.OSEXTSTStaskState)
	require.Equal(t, "4", server.Server.Flavor.Vcpus)
	require.Equal(t, "8192", server.Server.Flavor.Ram)
	require.Equal(t, "a b", server.Server.Metadata["team"])
	require.Empty(t, *server.Server.OsschedulerHints.Group)

	list, err := c.ListServersDetails(&model.ListServersDetailsRequest{ServerId: ptr("s1,none,s2")})
	require.NoError(t, err)
	require.EqualValues(t, 3, *list.Count)
	rows := *list.Servers
	require.Equal(t, []string{"s1", "none", "s2"}, []string{rows[0].Id, rows[1].Id, rows[2].Id})
	require.NotNil(t, rows[1].Fault)
	require.Empty(t, rows[1].Status)

	list, err = c.ListServersDetails(&model.ListServersDetailsRequest{
		Name: ptr("first one"), Status: ptr("ACTIVE"), Limit: ptr(int32(5)), Offset: ptr(int32(1))})
	require.NoError(t, err)
	require.Len(t, *list.Servers, 1)

	flavors, err := c.ListFlavors(&model.ListFlavorsRequest{FlavorId: ptr("s6.large.2")})
	require.NoError(t, err)
	require.Len(t, *flavors.Flavors, 1)
	require.EqualValues(t, 8192, (*flavors.Flavors)[0].Ram)
	require.Equal(t, "CloudCompute", *(*flavors.Flavors)[0].OsExtraSpecs.EcsvirtualizationEnvTypes)
	flavors, err = c.ListFlavors(&model.ListFlavorsRequest{FlavorId: ptr("s1.large")})
	require.NoError(t, err)
	require.Empty(t, *flavors.Flavors)

	specs, err := c.NovaShowFlavorExtraSpecs(&model.NovaShowFlavorExtraSpecsRequest{FlavorId: "s1.large"})
	require.NoError(t, err)
	require.Equal(t, "FusionCompute", specs.ExtraSpecs["ecs:virtualization_env_types"])
	require.Equal(t, "abandon", specs.ExtraSpecs["cond:operation:status"])

	limits, err := c.ShowServerLimits(&model.ShowServerLimitsRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 16, limits.Absolute.MaxServerGroupMembers)
	require.EqualValues(t, 1, limits.Absolute.TotalServerGroupsUsed)

	groups, err := c.ListServerGroups(&model.ListServerGroupsRequest{Limit: ptr(int32(10))})
	require.NoError(t, err)
	require.Len(t, *groups.ServerGroups, 1)
}

func TestPowerAndMembership(t *testing.T) {
	s, url := start(t)
	c := newClient(t, url, "SK", "TOKEN")
	stopped, err := c.BatchStopServers(&model.BatchStopServersRequest{Body: &model.BatchStopServersRequestBody{
		OsStop: &model.BatchStopServersOption{Servers: []model.ServerId{{Id: "s1"}},
			Type: ptr(model.GetBatchStopServersOptionTypeEnum().SOFT)}}})
	require.NoError(t, err)
	status := func(job string) string {
		shown, err := c.ShowJob(&model.ShowJobRequest{JobId: job})
		require.NoError(t, err)
		require.EqualValues(t, 1, *shown.Entities.SubJobsTotal)
		require.Equal(t, "s1", *(*shown.Entities.SubJobs)[0].Entities.ServerId)
		return shown.Status.Value()
	}
	require.Equal(t, "INIT", status(*stopped.JobId))
	server, err := c.ShowServer(&model.ShowServerRequest{ServerId: "s1"})
	require.NoError(t, err)
	require.Equal(t, "powering-off", server.Server.OSEXTSTStaskState)
	s.Clock().Advance(20 * time.Second)
	require.Equal(t, "SUCCESS", status(*stopped.JobId))

	created, err := c.CreateServerGroup(&model.CreateServerGroupRequest{Body: &model.CreateServerGroupRequestBody{
		ServerGroup: &model.CreateServerGroupOption{Name: "new",
			Policies: []model.CreateServerGroupOptionPolicies{model.GetCreateServerGroupOptionPoliciesEnum().ANTI_AFFINITY}}}})
	require.NoError(t, err)
	group := created.ServerGroup.Id
	members := func() []string {
		shown, err := c.ShowServerGroup(&model.ShowServerGroupRequest{ServerGroupId: group})
		require.NoError(t, err)
		return shown.ServerGroup.Members
	}
	added, err := c.AddServerGroupMember(&model.AddServerGroupMemberRequest{ServerGroupId: group,
		Body: &model.AddServerGroupMemberRequestBody{AddMember: &model.ServerGroupMember{InstanceUuid: "s1"}}})
	require.NoError(t, err)
	require.Equal(t, 200, added.HttpStatusCode)
	require.Equal(t, []string{"s1"}, members())
	batch, err := c.BatchAddServerGroupMember(&model.BatchAddServerGroupMemberRequest{ServerGroupId: group,
		Body: &model.BatchAddServerGroupMemberReq{ServerIds: &[]string{"s2"}}})
	require.NoError(t, err)
	require.Equal(t, "success", *(*batch.Servers)[0].Status)
	require.Equal(t, []string{"s1", "s2"}, members())
	_, err = c.DeleteServerGroupMember(&model.DeleteServerGroupMemberRequest{ServerGroupId: group,
		Body: &model.DeleteServerGroupMemberRequestBody{RemoveMember: &model.ServerGroupMember{InstanceUuid: "s1"}}})
	require.NoError(t, err)
	_, err = c.BatchDeleteServerGroupMember(&model.BatchDeleteServerGroupMemberRequest{ServerGroupId: group,
		Body: &model.BatchDeleteServerGroupMemberReq{ServerIds: []string{"s2"}}})
	require.NoError(t, err)
	require.Empty(t, members())
	_, err = c.DeleteServerGroup(&model.DeleteServerGroupRequest{ServerGroupId: group})
	require.NoError(t, err)

	started, err := c.BatchStartServers(&model.BatchStartServersRequest{Body: &model.BatchStartServersRequestBody{
		OsStart: &model.BatchStartServersOption{Servers: []model.ServerId{{Id: "s1"}}}}})
	require.NoError(t, err)
	s.Clock().Advance(time.Second)
	require.Equal(t, "RUNNING", status(*started.JobId))
}

func TestErrorsReachTheSDK(t *testing.T) {
	_, url := start(t)
	check := func(c *ecs.EcsClient, server string, status int, code string) {
		t.Helper()
		_, err := c.ShowServer(&model.ShowServerRequest{ServerId: server})
		var refused *sdkerr.ServiceResponseError
		require.True(t, errors.As(err, &refused), "%v", err)
		require.Equal(t, status, refused.StatusCode)
		require.Equal(t, code, refused.ErrorCode)
		require.NotEmpty(t, refused.RequestId)
	}
	check(newClient(t, url, "SK", "TOKEN"), "none", 404, "Ecs.0114")
	check(newClient(t, url, "SK", "TOKEN"), "an odd/id?x=1&ü", 501, "SIM.0501")
	check(newClient(t, url, "SK", "TOKEN"), "an odd id?x=1&ü", 404, "Ecs.0114")
	check(newClient(t, url, "wrong", "TOKEN"), "s1", 401, "APIGW.0301")
	check(newClient(t, url, "SK", "old token"), "s1", 401, "APIGW.0301")
}
