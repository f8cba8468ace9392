package alibabasdktest

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	cs "github.com/alibabacloud-go/cs-20151215/v2/client"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/edas"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
)

const bodiesFile = `
accounts: [{name: main, accessKey: AK, secretKey: SK, accountId: "1001"}]
alibaba:
  securityGroups: [{id: sg-1, rules: 2}]
  instances: [{id: i-1, securityGroups: [sg-1], locks: [financial], tags: {a: b}}, {id: i-2}, {id: i-3, networkType: classic}]
  resources: [{type: snapshot, id: s-1, disk: d-1, tags: {a: b}}, {type: image, id: m-1, tags: {a: b}}]
  clusters: [{id: c1, nodePools: [{id: np1, members: [i-1]}]}]
  edasClusters: [{id: prod, members: [i-2]}]
`

// missing returns the fields of t that a JSON value does not have, by their paths. Of lists that are empty it sees none.
func missing(t reflect.Type, value any, at string) (paths []string) {
	switch t.Kind() {
	case reflect.Pointer:
		return missing(t.Elem(), value, at)
	case reflect.Slice:
		items, ok := value.([]any)
		if !ok {
			return []string{at + " is no list"}
		}
		for _, item := range items {
			paths = append(paths, missing(t.Elem(), item, at)...)
		}
	case reflect.Struct:
		fields, ok := value.(map[string]any)
		if !ok {
			return []string{at + " is no object"}
		}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if name == "" {
				continue
			}
			if inner, ok := fields[name]; !ok {
				paths = append(paths, at+"."+name)
			} else {
				paths = append(paths, missing(t.Field(i).Type, inner, at+"."+name)...)
			}
		}
	}
	return paths
}

// foreign are fields of other calls' answers: the SDK has one struct for all things that are called alike, such as the
// tags of this call and of that.
var foreign = strings.Fields(`
	Instance.ActivationId Instance.AgentVersion Instance.Connected Instance.Hostname Instance.InstanceOwnerId
	Instance.InternetIp Instance.IntranetIp Instance.InvocationCount Instance.IsSpot Instance.LastInvokedTime
	Instance.MachineId Instance.NetworkType Instance.OsType Instance.OsVersion Instance.RegistrationTime Instance.SocketId
	CpuOptions.CoreFactor CpuOptions.HyperThreadingAdjustable CpuOptions.SupportedTopologyTypes
	ImageOptions.Description ImageOptions.ImageFamily ImageOptions.ImageFeatures ImageOptions.ImageName ImageOptions.ImageTags
	NetworkInterface.DeleteOnRelease NetworkInterface.Description NetworkInterface.InstanceType
	NetworkInterface.NetworkInterfaceName NetworkInterface.NetworkInterfaceTrafficMode NetworkInterface.SecurityGroupId
	NetworkInterface.SecurityGroupIds NetworkInterface.VSwitchId
	Tag.Key Tag.Value Tag.ResourceTypeCount
	Attachment.AccessToken Attachment.AttachedTime Attachment.Device Attachment.DeviceIndex Attachment.Identifier
	Attachment.MemberNetworkInterfaceIds Attachment.NetworkCardIndex Attachment.Nguid Attachment.NsId
	Attachment.TargetDevice Attachment.TrunkNetworkInterfaceId`)

// complete requires that a body can be read into the SDK's struct and has all of its fields.
func complete[T any](t *testing.T, raw []byte) {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal(raw, &value))
	require.NoError(t, json.Unmarshal(raw, new(T)), "%T", *new(T))
	lacks := slices.DeleteFunc(missing(reflect.TypeFor[T](), value, ""), func(path string) bool {
		return slices.ContainsFunc(foreign, func(name string) bool { return strings.HasSuffix(path, "."+name) })
	})
	require.Empty(t, lacks, "%T", *new(T))
}

// TestBodiesAreComplete: what the vendor's own structs have is there for who reads it.
func TestBodiesAreComplete(t *testing.T) {
	w, err := sim.ParseWorld([]byte(bodiesFile))
	require.NoError(t, err)
	s, err := sim.New(sim.Options{World: w, Clock: sim.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))})
	require.NoError(t, err)
	c, err := sdk.NewClientWithOptions("cn-hangzhou", config(s), credential("static"))
	require.NoError(t, err)
	call := func(method, version, action, path, query string) []byte {
		t.Helper()
		in := requests.NewCommonRequest()
		in.Method, in.PathPattern, in.Version, in.Scheme, in.ApiName = method, path, version, "http", action
		in.Domain = "cloud.cn-hangzhou.aliyuncs.com"
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		for name := range values {
			in.QueryParams[name] = values.Get(name)
		}
		out, err := c.ProcessCommonRequest(in)
		require.NoError(t, err)
		return out.GetHttpContentBytes()
	}
	rpc := func(action, query string) []byte { return call("POST", "2014-05-26", action, "", query) }
	complete[ecs.DescribeInstancesResponse](t, rpc("DescribeInstances", "NeedSaleCycle=true&AdditionalAttributes.1=META_OPTIONS"))
	complete[ecs.DescribeSecurityGroupAttributeResponse](t, rpc("DescribeSecurityGroupAttribute", "SecurityGroupId=sg-1"))
	complete[ecs.DescribeSecurityGroupsResponse](t, rpc("DescribeSecurityGroups", "IsQueryEcsCount=true"))
	complete[ecs.DescribeNetworkInterfacesResponse](t, rpc("DescribeNetworkInterfaces", ""))
	complete[ecs.DescribeDisksResponse](t, rpc("DescribeDisks", ""))
	complete[ecs.DescribeSnapshotsResponse](t, rpc("DescribeSnapshots", ""))
	complete[ecs.DescribeImagesResponse](t, rpc("DescribeImages", ""))
	complete[ecs.DescribeInstanceAttributeResponse](t, rpc("DescribeInstanceAttribute", "InstanceId=i-1"))
	complete[ecs.DescribeRegionsResponse](t, rpc("DescribeRegions", ""))
	complete[ecs.DescribeZonesResponse](t, rpc("DescribeZones", ""))
	complete[ecs.RebootInstancesResponse](t, rpc("RebootInstances", "InstanceId.1=i-1"))

	inEDAS := func(path, query string) []byte { return call("GET", "2017-08-01", "", "/pop/v5/resource/"+path, query) }
	complete[edas.ListClusterMembersResponse](t, inEDAS("cluster_member_list", "ClusterId=prod"))
	complete[edas.GetClusterResponse](t, inEDAS("cluster", "ClusterId=prod"))
	complete[edas.ListConvertableEcuResponse](t, inEDAS("convertable_ecu_list", "clusterId=prod"))
	complete[edas.ListEcsNotInClusterResponse](t, inEDAS("ecs_not_in_cluster", "NetworkMode=2&VpcId=vpc-1"))

	inCS := func(path string) []byte { return call("GET", "2015-12-15", "", path, "") }
	complete[cs.DescribeClusterDetailResponseBody](t, inCS("/clusters/c1"))
	complete[cs.DescribeClustersV1ResponseBody](t, inCS("/api/v1/clusters"))
	complete[cs.DescribeClusterNodePoolsResponseBody](t, inCS("/clusters/c1/nodepools"))
	complete[cs.DescribeClusterNodePoolDetailResponseBody](t, inCS("/clusters/c1/nodepools/np1"))
	complete[cs.DescribeClusterNodesResponseBody](t, inCS("/clusters/c1/nodes"))
	complete[[]cs.DescribeClustersResponseBody](t, inCS("/clusters"))
	attached := call("POST", "2015-12-15", "", "/clusters/c1/attach", `instances=["i-2"]`)
	complete[cs.AttachInstancesResponseBody](t, attached)
	complete[cs.DescribeEventsResponseBody](t, inCS("/events"))
	complete[cs.DescribeUserQuotaResponseBody](t, inCS("/quota"))
}
