package alibabasdktest

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/edas"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
)

const edasWorld = `
seed: 1
accounts:
- {name: main, accessKey: AK, secretKey: SK, accountId: "1001"}
- {name: sts, accessKey: STS.AK, secretKey: SK2, securityToken: "TO+KEN/=", accountId: "1001"}
alibaba:
  edas: {import: 1m}
  edasClusters: [{id: prod, name: production, members: [i-old]}]
  instances: [{id: i-1}, {id: i-2, agentOffline: true}, {id: i-old}, {id: i-fresh, unknownToEDAS: true}]
`

func startEDAS(t *testing.T) *sim.Sim {
	t.Helper()
	w, err := sim.ParseWorld([]byte(edasWorld))
	require.NoError(t, err)
	s, err := sim.New(sim.Options{World: w, Clock: sim.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))})
	require.NoError(t, err)
	return s
}

func classicEDAS(t *testing.T, s *sim.Sim, key string) *edas.Client {
	t.Helper()
	c, err := edas.NewClientWithOptions("cn-hangzhou", config(s), credential(key))
	require.NoError(t, err)
	return c
}

func members(t *testing.T, c *edas.Client) map[string]edas.ClusterMember {
	t.Helper()
	in := edas.CreateListClusterMembersRequest()
	in.ClusterId = "prod"
	out, err := c.ListClusterMembers(in)
	require.NoError(t, err)
	require.Equal(t, 200, out.Code)
	all := map[string]edas.ClusterMember{}
	for _, m := range out.ClusterMemberPage.ClusterMemberList.ClusterMember {
		all[m.EcsId] = m
	}
	return all
}

func TestClassicEDAS(t *testing.T) {
	for _, key := range []string{"static", "sts"} {
		s := startEDAS(t)
		c := classicEDAS(t, s, key)
		insert := edas.CreateInsertClusterMemberRequest()
		insert.ClusterId, insert.InstanceIds, insert.Password = "prod", "i-1,i-2", "P@ss w0rd+&=1"
		refused, err := c.InsertClusterMember(insert)
		require.NoError(t, err, "the SDK takes it for a success")
		require.Equal(t, 400, refused.Code, "a space is no character of passwords")
		insert = edas.CreateInsertClusterMemberRequest()
		insert.ClusterId, insert.InstanceIds, insert.Password = "prod", "i-1,i-2", "P@ssw0rd+&=1"
		inserted, err := c.InsertClusterMember(insert)
		require.NoError(t, err)
		require.Equal(t, []any{200, "Transform submit success!"}, []any{inserted.Code, inserted.Data})
		require.Equal(t, 0, members(t, c)["i-1"].Status)
		s.Clock().Advance(time.Minute)
		m := members(t, c)["i-1"]
		require.Equal(t, []any{1, "prod"}, []any{m.Status, m.ClusterId})
		require.NotEmpty(t, m.PrivateIp)
		require.NotZero(t, m.CreateTime)

		remove := edas.CreateDeleteClusterMemberRequest()
		remove.ClusterId, remove.ClusterMemberId = "prod", m.ClusterMemberId
		removed, err := c.DeleteClusterMember(remove)
		require.NoError(t, err)
		require.Equal(t, []any{200, true}, []any{removed.Code, removed.Data})
		require.NotContains(t, members(t, c), "i-1")
	}
}

func TestClassicEDASReads(t *testing.T) {
	c := classicEDAS(t, startEDAS(t), "static")
	get := edas.CreateGetClusterRequest()
	get.ClusterId = "prod"
	cluster, err := c.GetCluster(get)
	require.NoError(t, err)
	require.Equal(t, []any{2, 2, "vpc-1", "cn-hangzhou", "production"}, []any{cluster.Cluster.ClusterType,
		cluster.Cluster.NetworkMode, cluster.Cluster.VpcId, cluster.Cluster.RegionId, cluster.Cluster.ClusterName})
	clusters, err := c.ListCluster(edas.CreateListClusterRequest())
	require.NoError(t, err)
	require.Equal(t, "prod", clusters.ClusterList.Cluster[0].ClusterId)

	convertible := func() []string {
		in := edas.CreateListConvertableEcuRequest()
		in.ClusterId = "prod"
		out, err := c.ListConvertableEcu(in)
		require.NoError(t, err)
		var ids []string
		for _, v := range out.InstanceList.Instance {
			require.Equal(t, []any{"Running", "vpc-1", false}, []any{v.Status, v.VpcId, v.Expired})
			ids = append(ids, v.InstanceId)
		}
		return ids
	}
	require.Equal(t, []string{"i-1", "i-2"}, convertible())
	sync := edas.CreateSynchronizeResourceRequest()
	sync.Type, sync.ResourceIds = "ecs", "i-fresh"
	synced, err := c.SynchronizeResource(sync)
	require.NoError(t, err)
	require.True(t, synced.Success)
	require.Equal(t, []string{"i-1", "i-2", "i-fresh"}, convertible())

	outside := edas.CreateListEcsNotInClusterRequest()
	outside.NetworkMode, outside.VpcId = "2", "vpc-1"
	entities, err := c.ListEcsNotInCluster(outside)
	require.NoError(t, err)
	require.Equal(t, "i-1", entities.EcsEntityList.EcsEntity[0].InstanceId)

	install := edas.CreateInstallAgentRequest()
	install.ClusterId, install.InstanceIds = "prod", "i-1,i-2"
	installed, err := c.InstallAgent(install)
	require.NoError(t, err)
	rows := installed.ExecutionResultList.ExecutionResult
	require.Equal(t, []any{true, "OK", "Finished", false, "ClientNotRunning"}, []any{rows[0].Success, rows[0].Status,
		rows[0].InvokeRecordStatus, rows[1].Success, rows[1].Status})
	require.Equal(t, 1, members(t, c)["i-1"].Status)
}

func TestClassicEDASErrors(t *testing.T) {
	s := startEDAS(t)
	get := edas.CreateGetClusterRequest()
	get.ClusterId = "none"
	out, err := classicEDAS(t, s, "static").GetCluster(get)
	require.NoError(t, err, "EDAS refuses in the body of a 200")
	require.Equal(t, 404, out.Code)
	for key, code := range map[string]string{"wrong": "SignatureDoesNotMatch", "static": "MissingParameter"} {
		_, err = classicEDAS(t, s, key).GetCluster(edas.CreateGetClusterRequest())
		var refused *sdkerrors.ServerError
		require.True(t, errors.As(err, &refused), "%v", err)
		require.Equal(t, []any{http.StatusBadRequest, code}, []any{refused.HttpStatus(), refused.ErrorCode()})
	}
	_, err = classicEDAS(t, s, "static").DeleteEcu(edas.CreateDeleteEcuRequest())
	require.ErrorContains(t, err, "DeleteEcu of version 2017-08-01")
	transform := edas.CreateTransformClusterMemberRequest()
	transform.InstanceIds, transform.TargetClusterId, transform.Password = "i-1", "prod", "Passw0rd"
	moved, err := classicEDAS(t, s, "static").TransformClusterMember(transform)
	require.NoError(t, err)
	require.Equal(t, 200, moved.Code)
}

// TestCommonRequests: with this SDK whatever it has no code for is called by its path, without a name.
func TestCommonRequests(t *testing.T) {
	s := startEDAS(t)
	c, err := sdk.NewClientWithOptions("cn-hangzhou", config(s), credential("sts"))
	require.NoError(t, err)
	in := requests.NewCommonRequest()
	in.Method, in.PathPattern, in.Version, in.Scheme = "GET", "/pop/v5/resource/cluster_member_list", "2017-08-01", "http"
	in.Domain = "edas.cn-hangzhou.aliyuncs.com"
	in.QueryParams["ClusterId"] = "prod"
	out, err := c.ProcessCommonRequest(in)
	require.NoError(t, err)
	require.Contains(t, out.GetHttpContentString(), `"EcsId":"i-old"`)
	in = requests.NewCommonRequest()
	in.Method, in.PathPattern, in.Version, in.Scheme = "PUT", "/pop/v5/resource/cluster_member_list", "2017-08-01", "http"
	in.Domain = "edas.cn-hangzhou.aliyuncs.com"
	_, err = c.ProcessCommonRequest(in)
	refused := new(sdkerrors.ServerError)
	require.ErrorAs(t, err, &refused)
	require.Equal(t, []any{404, "InvalidApi.NotFound"}, []any{refused.HttpStatus(), refused.ErrorCode()})
}
