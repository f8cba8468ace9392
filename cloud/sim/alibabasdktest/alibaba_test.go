// Package alibabasdktest proves that the vendor's SDKs, old and new, work against the simulator unchanged. It is apart
// from the other tests because the SDKs take minutes to compile.
package alibabasdktest

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	dara "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	daracore "github.com/alibabacloud-go/tea/dara"
	teacore "github.com/alibabacloud-go/tea/tea"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/resourcemanager"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
)

const worldFile = `
seed: 1
accounts:
- {name: main, accessKey: AK, secretKey: SK, accountId: "1001"}
- {name: sts, accessKey: STS.AK, secretKey: SK2, securityToken: "TO+KEN/=", accountId: "1001"}
alibaba:
  timings: {stop: 20s, start: 20s}
  resourceGroups: [{id: rg-1}]
  securityGroups: [{id: sg-1}, {id: sg-2}, {id: sg-big, type: enterprise}]
  instances:
  - {id: i-1, name: "a b*~+/é", securityGroups: [sg-1], locks: [financial], tags: {team: "a b"}}
  - {id: i-2, status: Stopped, securityGroups: [sg-1]}
  networkInterfaces: [{id: eni-1, instance: i-1, securityGroups: [sg-1]}]
  resources:
  - {type: snapshot, id: s-1}
  - {type: image, id: m-1}
  - {type: ddh, id: dh-1}
  - {type: ddhcluster, id: dc-1}
  - {type: keypair, id: key-1}
  - {type: launchtemplate, id: lt-1}
  - {type: command, id: c-1}
  - {type: activation, id: activation-1}
  - {type: managedinstance, id: mi-1}
`

var keys = map[string]struct{ access, secret, token string }{
	"static": {"AK", "SK", ""}, "sts": {"STS.AK", "SK2", "TO+KEN/="}, "wrong": {"AK", "guess", ""}}

func start(t *testing.T) *sim.Sim {
	t.Helper()
	w, err := sim.ParseWorld([]byte(worldFile))
	require.NoError(t, err)
	s, err := sim.New(sim.Options{World: w, Clock: sim.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))})
	require.NoError(t, err)
	return s
}

func credential(key string) auth.Credential {
	k := keys[key]
	if k.token != "" {
		return credentials.NewStsTokenCredential(k.access, k.secret, k.token)
	}
	return credentials.NewAccessKeyCredential(k.access, k.secret)
}

func config(s *sim.Sim) *sdk.Config {
	c := sdk.NewConfig()
	c.Transport = s.RoundTripper()
	return c
}

func classicECS(t *testing.T, s *sim.Sim, key string) *ecs.Client {
	t.Helper()
	c, err := ecs.NewClientWithOptions("cn-hangzhou", config(s), credential(key))
	require.NoError(t, err)
	return c
}

func TestClassicReads(t *testing.T) {
	for _, key := range []string{"static", "sts"} {
		c := classicECS(t, start(t), key)
		in := ecs.CreateDescribeInstancesRequest()
		in.InstanceIds, in.InstanceName, in.PageSize = `["i-1","i-2","i-3"]`, "a b*~+/é", "100"
		in.Tag = &[]ecs.DescribeInstancesTag{{Key: "team", Value: "a b"}}
		out, err := c.DescribeInstances(in)
		require.NoError(t, err)
		require.Equal(t, 1, out.TotalCount)
		v := out.Instances.Instance[0]
		require.Equal(t, "i-1", v.InstanceId)
		require.Equal(t, "Running", v.Status)
		require.Equal(t, []string{"sg-1"}, v.SecurityGroupIds.SecurityGroupId)
		require.Equal(t, "vpc-1", v.VpcAttributes.VpcId)
		require.Equal(t, "financial", v.OperationLocks.LockReason[0].LockReason)
		require.Len(t, v.NetworkInterfaces.NetworkInterface, 2)

		status := ecs.CreateDescribeInstanceStatusRequest()
		status.InstanceId = &[]string{"i-1", "i-2"}
		statuses, err := c.DescribeInstanceStatus(status)
		require.NoError(t, err)
		require.Equal(t, "Stopped", statuses.InstanceStatuses.InstanceStatus[1].Status)
	}
}

// TestClassicTypes decodes the answer about every type of resource.
func TestClassicTypes(t *testing.T) {
	s := start(t)
	c := classicECS(t, s, "static")
	v, _ := s.Instance("i-1")

	eni := ecs.CreateDescribeNetworkInterfacesRequest()
	eni.NetworkInterfaceId = &[]string{"eni-1", v.PrimaryInterface}
	interfaces, err := c.DescribeNetworkInterfaces(eni)
	require.NoError(t, err)
	require.Equal(t, "Primary", interfaces.NetworkInterfaceSets.NetworkInterfaceSet[1].Type)
	groups, err := c.DescribeSecurityGroups(ecs.CreateDescribeSecurityGroupsRequest())
	require.NoError(t, err)
	require.Equal(t, "enterprise", groups.SecurityGroups.SecurityGroup[2].SecurityGroupType)
	attribute := ecs.CreateDescribeSecurityGroupAttributeRequest()
	attribute.SecurityGroupId = "sg-1"
	shown, err := c.DescribeSecurityGroupAttribute(attribute)
	require.NoError(t, err)
	require.Equal(t, "vpc-1", shown.VpcId)
	disks, err := c.DescribeDisks(ecs.CreateDescribeDisksRequest())
	require.NoError(t, err)
	require.Equal(t, "system", disks.Disks.Disk[0].Type)
	snapshots, err := c.DescribeSnapshots(ecs.CreateDescribeSnapshotsRequest())
	require.NoError(t, err)
	require.Equal(t, "s-1", snapshots.Snapshots.Snapshot[0].SnapshotId)
	images, err := c.DescribeImages(ecs.CreateDescribeImagesRequest())
	require.NoError(t, err)
	require.Equal(t, "m-1", images.Images.Image[0].ImageId)
	hosts, err := c.DescribeDedicatedHosts(ecs.CreateDescribeDedicatedHostsRequest())
	require.NoError(t, err)
	require.Equal(t, "dh-1", hosts.DedicatedHosts.DedicatedHost[0].DedicatedHostId)
	clusters, err := c.DescribeDedicatedHostClusters(ecs.CreateDescribeDedicatedHostClustersRequest())
	require.NoError(t, err)
	require.Equal(t, "dc-1", clusters.DedicatedHostClusters.DedicatedHostCluster[0].DedicatedHostClusterId)
	pairs, err := c.DescribeKeyPairs(ecs.CreateDescribeKeyPairsRequest())
	require.NoError(t, err)
	require.Equal(t, "key-1", pairs.KeyPairs.KeyPair[0].KeyPairName)
	templates, err := c.DescribeLaunchTemplates(ecs.CreateDescribeLaunchTemplatesRequest())
	require.NoError(t, err)
	require.Equal(t, "lt-1", templates.LaunchTemplateSets.LaunchTemplateSet[0].LaunchTemplateId)
	commands, err := c.DescribeCommands(ecs.CreateDescribeCommandsRequest())
	require.NoError(t, err)
	require.Equal(t, "c-1", commands.Commands.Command[0].CommandId)
	activations, err := c.DescribeActivations(ecs.CreateDescribeActivationsRequest())
	require.NoError(t, err)
	require.Equal(t, "activation-1", activations.ActivationList[0].ActivationId)
	managed, err := c.DescribeManagedInstances(ecs.CreateDescribeManagedInstancesRequest())
	require.NoError(t, err)
	require.Equal(t, "mi-1", managed.Instances[0].InstanceId)
}

func TestClassicWrites(t *testing.T) {
	s := start(t)
	c := classicECS(t, s, "sts")
	stop := ecs.CreateStopInstancesRequest()
	stop.InstanceId, stop.BatchOptimization, stop.StoppedMode = &[]string{"i-1", "i-2"}, "SuccessFirst", "KeepCharging"
	stopped, err := c.StopInstances(stop)
	require.NoError(t, err)
	rows := stopped.InstanceResponses.InstanceResponse
	require.Equal(t, []string{"200", "Stopping"}, []string{rows[0].Code, rows[0].CurrentStatus})
	require.Equal(t, "IncorrectInstanceStatus", rows[1].Code)
	s.Clock().Advance(time.Minute)
	begin := ecs.CreateStartInstanceRequest()
	begin.InstanceId = "i-1"
	_, err = c.StartInstance(begin)
	require.NoError(t, err)
	s.Clock().Advance(time.Minute)

	join := ecs.CreateJoinSecurityGroupRequest()
	join.InstanceId, join.SecurityGroupId = "i-1", "sg-2"
	_, err = c.JoinSecurityGroup(join)
	require.NoError(t, err)
	leave := ecs.CreateLeaveSecurityGroupRequest()
	leave.InstanceId, leave.SecurityGroupId = "i-1", "sg-1"
	_, err = c.LeaveSecurityGroup(leave)
	require.NoError(t, err)
	v, _ := s.Instance("i-1")
	require.Equal(t, []string{"sg-2"}, v.SecurityGroups)
	modify := ecs.CreateModifyInstanceAttributeRequest()
	modify.InstanceId, modify.SecurityGroupIds = "i-1", &[]string{"sg-1", "sg-2"}
	_, err = c.ModifyInstanceAttribute(modify)
	require.NoError(t, err)
	eni := ecs.CreateModifyNetworkInterfaceAttributeRequest()
	eni.NetworkInterfaceId, eni.SecurityGroupId = "eni-1", &[]string{"sg-2"}
	_, err = c.ModifyNetworkInterfaceAttribute(eni)
	require.NoError(t, err)
	group, _ := s.SecurityGroup("sg-2")
	require.Equal(t, []string{"eni-1", "i-1"}, group.Members)
	move := ecs.CreateJoinResourceGroupRequest()
	move.ResourceType, move.ResourceId, move.ResourceGroupId = "eni", "eni-1", "rg-1"
	_, err = c.JoinResourceGroup(move)
	require.NoError(t, err)
	r, _ := s.Resource("eni", "eni-1")
	require.Equal(t, "rg-1", r.ResourceGroup)
}

func TestClassicResourceManager(t *testing.T) {
	s := start(t)
	c, err := resourcemanager.NewClientWithOptions("cn-hangzhou", config(s), credential("static"))
	require.NoError(t, err)
	get := resourcemanager.CreateGetResourceGroupRequest()
	get.ResourceGroupId = "rg-1"
	group, err := c.GetResourceGroup(get)
	require.NoError(t, err)
	require.Equal(t, "OK", group.ResourceGroup.Status)
	require.Equal(t, "cn-hangzhou", group.ResourceGroup.RegionStatuses.RegionStatus[0].RegionId)
	groups, err := c.ListResourceGroups(resourcemanager.CreateListResourceGroupsRequest())
	require.NoError(t, err)
	require.Len(t, groups.ResourceGroups.ResourceGroup, 2)
	move := resourcemanager.CreateMoveResourcesRequest()
	move.ResourceGroupId = "rg-1"
	move.Resources = &[]resourcemanager.MoveResourcesResources{
		{Service: "ecs", ResourceType: "instance", ResourceId: "i-1", RegionId: "cn-hangzhou"},
		{Service: "ecs", ResourceType: "instance", ResourceId: "i-9", RegionId: "cn-hangzhou"}}
	moved, err := c.MoveResources(move)
	require.NoError(t, err)
	require.Equal(t, "SUCCESS", moved.Responses[0].Status)
	require.Equal(t, "InvalidResourceId.NotFound", moved.Responses[1].ErrorCode)
	list := resourcemanager.CreateListResourcesRequest()
	list.ResourceGroupId = "rg-1"
	listed, err := c.ListResources(list)
	require.NoError(t, err)
	require.Equal(t, "i-1", listed.Resources.Resource[0].ResourceId)
	setting, err := c.ListAssociatedTransferSetting(resourcemanager.CreateListAssociatedTransferSettingRequest())
	require.NoError(t, err)
	require.Equal(t, "eni", setting.AssociatedTransferSetting.RuleSettings[1].AssociatedResourceType)
}

func TestClassicErrors(t *testing.T) {
	s := start(t)
	check := func(err error, status int, code string) *sdkerrors.ServerError {
		t.Helper()
		var refused *sdkerrors.ServerError
		require.True(t, errors.As(err, &refused), "%v", err)
		require.Equal(t, status, refused.HttpStatus())
		require.Equal(t, code, refused.ErrorCode())
		require.NotEmpty(t, refused.RequestId())
		return refused
	}
	join := ecs.CreateJoinSecurityGroupRequest()
	join.InstanceId, join.SecurityGroupId = "i-1", "sg-big"
	_, err := classicECS(t, s, "static").JoinSecurityGroup(join)
	check(err, 400, "InvalidOperation.MultiGroupType")
	_, err = classicECS(t, s, "wrong").DescribeInstances(ecs.CreateDescribeInstancesRequest())
	refused := check(err, 400, "SignatureDoesNotMatch")
	require.Contains(t, refused.Recommend(), "AccessKeySecret", "the SDK finds its own text in ours")
}

func newDara(t *testing.T, url, key string) *dara.Client {
	t.Helper()
	k := keys[key]
	c, err := dara.NewClient(&openapi.Config{AccessKeyId: &k.access, AccessKeySecret: &k.secret,
		SecurityToken: &k.token, Endpoint: teacore.String(strings.TrimPrefix(url, "http://")),
		Protocol: teacore.String("http")})
	require.NoError(t, err)
	return c
}

func rpc(action string) *openapi.Params {
	return &openapi.Params{Action: &action, Version: teacore.String("2014-05-26"), Pathname: teacore.String("/"),
		Method: teacore.String("POST"), AuthType: teacore.String("AK"), Style: teacore.String("RPC"),
		Protocol: teacore.String("HTTP"), ReqBodyType: teacore.String("formData"), BodyType: teacore.String("json")}
}

func TestDaraACS3(t *testing.T) {
	s := start(t)
	server := httptest.NewServer(s)
	defer server.Close()
	for _, key := range []string{"static", "sts"} {
		c := newDara(t, server.URL, key)
		out, err := c.CallApiWithCtx(t.Context(), rpc("DescribeInstances"), &openapi.OpenApiRequest{
			Query: map[string]*string{"RegionId": teacore.String("cn-hangzhou"), "InstanceIds": teacore.String(`["i-1"]`),
				"InstanceName": teacore.String("a b*~+/é"), "ZoneId": teacore.String("")}}, &daracore.RuntimeOptions{})
		require.NoError(t, err)
		rows := out["body"].(map[string]any)["Instances"].(map[string]any)["Instance"].([]any)
		require.Equal(t, "i-1", rows[0].(map[string]any)["InstanceId"])

		out, err = c.CallApiWithCtx(t.Context(), rpc("DescribeInstanceStatus"), &openapi.OpenApiRequest{
			Body: map[string]any{"RegionId": "cn-hangzhou", "InstanceId.1": "i-2"}}, &daracore.RuntimeOptions{})
		require.NoError(t, err, "parameters in a form")
		require.Len(t, out["body"].(map[string]any)["InstanceStatuses"].(map[string]any)["InstanceStatus"], 1)
	}
	_, err := newDara(t, server.URL, "sts").CallApiWithCtx(t.Context(),
		roa("RemoveNodePoolNodes", "DELETE", "/clusters/c%201/nodepools/np/nodes"), &openapi.OpenApiRequest{
			Query: map[string]*string{"instance_ids": teacore.String(`["i-1","i-2"]`)}}, &daracore.RuntimeOptions{})
	require.ErrorContains(t, err, "ErrorClusterNotFound", "the signature covers an escaped path")
	_, err = newDara(t, server.URL, "wrong").CallApiWithCtx(t.Context(), rpc("DescribeInstances"),
		&openapi.OpenApiRequest{}, &daracore.RuntimeOptions{})
	refused := new(teacore.SDKError)
	require.True(t, errors.As(err, &refused), "%v", err)
	require.Equal(t, "SignatureDoesNotMatch", *refused.Code)
	require.Equal(t, 400, *refused.StatusCode)
}
