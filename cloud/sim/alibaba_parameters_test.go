package sim_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/aliyun"
)

// walkedWorld is added to alibabaBase.
const walkedWorld = `
  - {type: disk, id: d-wait, instance: i-off, status: Attaching, zone: cn-hangzhou-x, name: waiting, tags: {team: web}}
  - {type: snapshot, id: s-2, disk: d-free, status: failed, name: second, tags: {team: web}}
  - {type: snapshot, id: s-3, disk: d-gone, system: true}
  - {type: image, id: m-3, snapshot: s-3, name: third, tags: {team: web}}
  - {type: ddhcluster, id: dc-2, zone: cn-hangzhou-x, name: second, tags: {team: web}}
  - {type: ddh, id: dh-3, zone: cn-hangzhou-x, name: third, tags: {team: web}}
  - {type: keypair, id: key-2, tags: {team: web}}
  - {type: launchtemplate, id: lt-2, tags: {team: web}}
  - {type: command, id: c-2, name: second, tags: {team: web}}
  - {type: activation, id: activation-2, name: second, tags: {team: web}}
  - {type: managedinstance, id: mi-2, name: second, tags: {team: web}}
  deploymentSets: [{id: ds-1}, {id: ds-2, name: two, strategy: AvailabilityGroup}]
  edas: {import: 5m}
  edasClusters:
  - {id: prod, members: [i-on, i-three]}
  - {id: web, resourceGroup: web}
  containers: {attach: 60s}
  clusters:
  - {id: c1, name: one, nodePools: [{id: np1, members: [i-big, i-filler]}, {id: np2, keyPair: key-1, desired: 2, members: [i-filler2]}]}
  - {id: c2, name: two, type: ExternalKubernetes, nodePools: [{id: np3}]}
`

// settings are those of an operation in the walk: what every call of it carries, and a value of each other parameter
// that changes something. After a bar comes what is compared with what stands before it.
type settings struct {
	base   string
	values map[string]string
}

// everywhere are the values of parameters that are the same in all calls.
var everywhere = map[string]string{"PageNumber": "2", "PageSize": "1", "MaxResults": "1", "NextToken": "nonsense",
	"DryRun": "true", "ResourceGroupId": "rg-web", "Tag.N.Key": "none", "Tag.N.Value": "Tag.1.Key=team|Tag.1.Value=db",
	"VpcId": "vpc-2", "ZoneId": "cn-hangzhou-x", "SecurityGroupId": "sg-2", "Status": "Stopped", "Format": "XML",
	"ClientToken": strings.Repeat("x", 65), "clusterId": "none", "pageSize": "1", "pageNumber": "2", "page_size": "1",
	"page_number": "2", "ClusterId": "c-none", "NodepoolId": "np-none", "BatchOptimization": "nonsense",
	"ForceStop": "nonsense", "StoppedMode": "KeepCharging", "ConfirmStop": "nonsense", "InitLocalDisk": "nonsense",
	"password": "weak", "format_disk": "nonsense", "drain_node": "nonsense", "concurrency": "nonsense"}

var walked = map[string]settings{
	"DescribeInstances": {"", map[string]string{"InstanceIds": `["i-off"]`, "InstanceName": "i-o*",
		"InstanceNetworkType": "classic", "VSwitchId": "vsw-2", "InstanceType": "ecs.g6.large", "InstanceTypeFamily": "ecs.g6",
		"PrivateIpAddresses": `["{i-on}"]`, "InnerIpAddresses": `["{i-classic}"]`, "PublicIpAddresses": `["1.2.3.4"]`,
		"EipAddresses": `["1.2.3.4"]`, "RdmaIpAddresses": "1.2.3.4", "Ipv6Address.N": "::1", "ImageId": "m-9",
		"KeyPairName": "key-9", "InstanceChargeType": "PrePaid", "InternetChargeType": "PayByBandwidth",
		"IoOptimized": "false", "DeviceAvailable": "false", "HpcClusterId": "hpc-1", "LockReason": "security",
		"NeedSaleCycle": "true", "AdditionalAttributes.N": "META_OPTIONS", "HttpEndpoint": "disabled", "HttpTokens": "required",
		"HttpPutResponseHopLimit": "2",
		"Filter.N.Key":            "Filter.1.Key=CreationStartTime&Filter.1.Value=2025-01-01T00:00Z",
		"Filter.N.Value":          "Filter.1.Key=ExpiredEndTime&Filter.1.Value=2100-01-01T00:00Z|Filter.1.Value=2099-01-01T00:00Z"}},
	"DescribeInstanceStatus":       {"", map[string]string{"InstanceId.N": "i-off"}},
	"DescribeCloudAssistantStatus": {"", map[string]string{"InstanceId.N": "i-off", "OSType": "windows"}},
	"DescribeNetworkInterfaces": {"", map[string]string{"NetworkInterfaceId.N": "eni-1", "NetworkInterfaceName": "eni-f*",
		"Status": "Available", "InstanceId": "i-on", "Type": "Trunk"}},
	"DescribeSecurityGroups": {"", map[string]string{"SecurityGroupIds": `["sg-1"]`, "SecurityGroupName": "one",
		"NetworkType": "classic", "SecurityGroupType": "enterprise", "IsQueryEcsCount": "true"}},
	"DescribeDisks": {"", map[string]string{"DiskIds": `["d-free"]`, "DiskName": "wait*", "Status": "Attaching",
		"InstanceId": "i-on", "DiskType": "data"}},
	"DescribeSnapshots": {"", map[string]string{"SnapshotIds": `["s-1"]`, "SnapshotName": "second", "Status": "failed",
		"DiskId": "d-data", "InstanceId": "i-on"}},
	"DescribeImages": {"", map[string]string{"ImageId": "m-3", "ImageName": "third", "Status": "Creating", "SnapshotId": "s-3",
		"ImageOwnerAlias": "system"}},
	"DescribeDedicatedHosts": {"", map[string]string{"DedicatedHostIds": `["dh-1"]`, "DedicatedHostName": "third",
		"Status": "UnderAssessment"}},
	"DescribeDedicatedHostClusters": {"", map[string]string{"DedicatedHostClusterIds": `["dc-1"]`,
		"DedicatedHostClusterName": "second"}},
	"DescribeKeyPairs": {"", map[string]string{"KeyPairName": "key-2"}},
	"DescribeLaunchTemplates": {"", map[string]string{"LaunchTemplateId.N": "lt-1",
		"TemplateResourceGroupId": "rg-web"}},
	"DescribeCommands":         {"", map[string]string{"CommandId": "c-1", "Name": "second"}},
	"DescribeActivations":      {"", map[string]string{"ActivationId": "activation-1", "InstanceName": "second"}},
	"DescribeManagedInstances": {"", map[string]string{"InstanceId.N": "mi-1", "InstanceName": "second"}},
	"DescribeSecurityGroupAttribute": {"SecurityGroupId=sg-rules", map[string]string{"NicType": "internet",
		"Direction": "egress"}},

	"GetResourceGroup": {"ResourceGroupId=rg-default", map[string]string{"IncludeTags": "true"}},
	"ListResourceGroups": {"", map[string]string{"Status": "Creating", "Name": "web", "DisplayName": "web",
		"ResourceGroupIds.N": "rg-web", "IncludeTags": "true"}},
	"ListResources": {"", map[string]string{"ResourceId": "i-on", "Service": "vpc", "Region": "cn-beijing",
		"ResourceType": "disk", "ResourceIds": "i-on,i-off", "ResourceTypes.N.Service": "vpc",
		"ResourceTypes.N.ResourceType": "disk"}},
	"ListAssociatedTransferSetting": {},
	"MoveResources": {"ResourceGroupId=rg-web&Resources.1.ResourceId=i-on&Resources.1.ResourceType=instance&" +
		"Resources.1.RegionId=cn-hangzhou&Resources.1.Service=ecs", map[string]string{"ResourceGroupId": "rg-new",
		"Resources.N.ResourceId": "i-off", "Resources.N.ResourceType": "disk", "Resources.N.RegionId": "cn-beijing",
		"Resources.N.Service": "vpc"}},

	"ModifyInstanceDeployment": {"InstanceId=i-off&DeploymentSetId=ds-1", map[string]string{"InstanceId": "i-on",
		"DeploymentSetId": "ds-2", "RemoveFromDeploymentSet": "true", "DeploymentSetGroupNo": "2",
		"Force": "InstanceId=i-on|Force=true"}},
	"DescribeDeploymentSets": {"", map[string]string{"DeploymentSetIds": `["ds-1"]`, "Strategy": "Availability",
		"DeploymentSetName": "two"}},
	"RebootInstance":  {"InstanceId=i-on", map[string]string{"InstanceId": "i-off"}},
	"RebootInstances": {"InstanceId.1=i-on", map[string]string{"InstanceId.N": "i-off", "ForceReboot": "nonsense"}},
	"DescribeRegions": {"", map[string]string{"InstanceChargeType": "nonsense", "ResourceType": "nonsense",
		"AcceptLanguage": "nonsense"}},
	"DescribeZones": {"", map[string]string{"InstanceChargeType": "nonsense", "SpotStrategy": "nonsense",
		"AcceptLanguage": "nonsense", "Verbose": "false"}},
	"DescribeInstanceAttribute": {"InstanceId=i-on", map[string]string{"InstanceId": "i-off"}},
	"StartInstance":             {"InstanceId=i-off", map[string]string{"InstanceId": "i-dead"}},
	"StopInstance":              {"InstanceId=i-on", map[string]string{"InstanceId": "i-off"}},
	"StartInstances":            {"InstanceId.1=i-off", map[string]string{"InstanceId.N": "i-dead"}},
	"StopInstances":             {"InstanceId.1=i-on", map[string]string{"InstanceId.N": "i-off"}},
	"JoinSecurityGroup": {"InstanceId=i-on&SecurityGroupId=sg-3", map[string]string{"InstanceId": "i-off",
		"NetworkInterfaceId": "SecurityGroupId=sg-3&InstanceId=|NetworkInterfaceId=eni-free"}},
	"LeaveSecurityGroup": {"InstanceId=i-off&SecurityGroupId=sg-1", map[string]string{"InstanceId": "i-on",
		"NetworkInterfaceId": "InstanceId=|NetworkInterfaceId=eni-free"}},
	"ModifyInstanceAttribute": {"InstanceId=i-on&SecurityGroupIds.1=sg-2", map[string]string{"InstanceId": "i-off",
		"SecurityGroupIds.N": "sg-3", "InstanceName": "other", "Description": "other"}},
	"ModifyNetworkInterfaceAttribute": {"NetworkInterfaceId=eni-1&SecurityGroupId.1=sg-2", map[string]string{
		"NetworkInterfaceId": "eni-free", "SecurityGroupId.N": "sg-3"}},
	"JoinResourceGroup": {"ResourceType=instance&ResourceId=i-on&ResourceGroupId=rg-web", map[string]string{
		"ResourceType": "disk", "ResourceId": "i-off", "ResourceGroupId": "rg-new"}},
	"CreateSnapshot": {"DiskId=d-data", map[string]string{"DiskId": "d-free", "SnapshotName": "x", "Description": "x",
		"Tag.N.Key": "x", "Tag.N.Value": "Tag.1.Key=x|Tag.1.Value=y"}},
	"CreateImage": {"SnapshotId=s-3", map[string]string{"SnapshotId": "s-1", "ImageName": "x", "Description": "x",
		"Tag.N.Key": "x", "Tag.N.Value": "Tag.1.Key=x|Tag.1.Value=y"}},
	"ReplaceSystemDisk": {"InstanceId=i-off&ImageId=m-3", map[string]string{"InstanceId": "i-on", "ImageId": "m-1",
		"SystemDisk.Size": "60", "KeyPairName": "key-1", "Password": "weak", "PasswordInherit": "nonsense",
		"SecurityEnhancementStrategy": "nonsense"}},

	"InsertClusterMember": {"clusterId=prod&instanceIds=i-big&password=" + password, map[string]string{"instanceIds": "i-small"}},
	"TransformClusterMember": {"TargetClusterId=prod&InstanceIds=i-big&Password=" + password, map[string]string{
		"InstanceIds": "i-small", "TargetClusterId": "web", "Password": "weak"}},
	"InstallAgent": {"ClusterId=prod&InstanceIds=i-big", map[string]string{"InstanceIds": "i-small", "ClusterId": "web",
		"DoAsync": "nonsense"}},
	"DeleteClusterMember": {"ClusterId=prod&ClusterMemberId={member}", map[string]string{"ClusterMemberId": "none"}},
	"SynchronizeResource": {"Type=ecs", map[string]string{"Type": "nonsense", "ResourceIds": strings.Repeat("i-1,", 60)}},
	"ListClusterMembers":  {"ClusterId=prod", map[string]string{"ClusterId": "web", "CurrentPage": "2"}},
	"GetCluster":          {"ClusterId=prod", map[string]string{"ClusterId": "web"}},
	"ListCluster":         {"", map[string]string{"LogicalRegionId": "cn-beijing:x"}},
	"ListConvertableEcu":  {"clusterId=prod", nil},
	"ListEcsNotInCluster": {"NetworkMode=2&VpcId=vpc-1", map[string]string{"NetworkMode": "3"}},

	"DescribeClustersV1": {"", map[string]string{"name": "two", "cluster_id": "c1", "cluster_type": "ExternalKubernetes",
		"region_id": "cn-beijing"}},
	"DescribeClusters":              {"", map[string]string{"name": "two", "clusterType": "ExternalKubernetes"}},
	"DescribeClusterTasks":          {"ClusterId=c2", map[string]string{"page_size": "0"}},
	"DescribeClusterEvents":         {"ClusterId=c2", map[string]string{"task_id": "T-none", "page_size": "0"}},
	"DescribeEvents":                {"", map[string]string{"cluster_id": "c1", "type": "remove_nodes", "page_size": "0"}},
	"DescribeClusterDetail":         {"ClusterId=c1", nil},
	"DescribeClusterNodePools":      {"ClusterId=c1", nil},
	"DescribeClusterNodePoolDetail": {"ClusterId=c1&NodepoolId=np1", nil},
	"DescribeClusterNodes": {"ClusterId=c1", map[string]string{"nodepool_id": "np2", "instanceIds": "i-big",
		"state": "failed"}},
	"DescribeTaskInfo":  {"TaskId={task}", map[string]string{"TaskId": "T-none"}},
	"DescribeUserQuota": {},
	"AttachInstances": {`ClusterId=c1&instances=["i-small"]`, map[string]string{"instances": `["i-on"]`, "nodepool_id": "np2",
		"keep_instance_name": "true", "key_pair": "key-1", "image_id": "m-1", "is_edge_worker": "true", "cpu_policy": "x",
		"user_data": "x", "runtime": `{"name":"docker"}`, "tags": "[]"}},
	"AttachInstancesToNodePool": {`ClusterId=c1&NodepoolId=np1&instances=["i-small"]`, map[string]string{
		"instances": `["i-on"]`, "keep_instance_name": "false"}},
	"RemoveNodePoolNodes": {`ClusterId=c1&NodepoolId=np1&instance_ids=["i-big"]`, map[string]string{
		"instance_ids": `["i-filler"]`, "release_node": "true", "nodes": `instance_ids=|nodes=["none"]`}},
	"DeleteClusterNodes": {`ClusterId=c1&nodes=["{node}"]`, map[string]string{"nodes": `["none"]`, "release_node": "true"}},
	"RemoveClusterNodes": {`ClusterId=c1&nodes=["{node}"]`, map[string]string{"nodes": `["none"]`, "release_node": "true"}},
}

// ignored are documented to have no effect, by their assumptions.
var ignored = []string{"ListClusterMembers EcsList"} // E3

// ran is what a call comes to: its answer, and the world an hour later.
func ran(t *testing.T, o aliyun.Operation, query url.Values) (answer, world string, status int) {
	t.Helper()
	w, err := sim.ParseWorld([]byte(alibabaBase + walkedWorld))
	require.NoError(t, err)
	f := openAlibaba(t, sim.Options{World: w})
	ids := map[string]string{}
	f.described("i-on") // the first request, so that ids made by number are alike
	task := f.bare(alibabasign.ROA, "POST", "/clusters/c2/attach", `{"instances":["i-economic"]}`)
	ids["{task}"], _ = task.body["task_id"].(string)
	f.View(func(s sim.State) {
		m, _ := s.Alibaba.EDASMember("i-on", s.Now)
		n, _ := s.Alibaba.ContainerNode("i-filler2", s.Now)
		ids["{member}"], ids["{node}"] = m.ID, n.Name
	})
	for _, id := range []string{"i-on", "i-classic"} {
		text, err := json.Marshal(f.described(id))
		require.NoError(t, err)
		ids["{"+id+"}"] = regexp.MustCompile(`10\.\d+\.\d+\.\d+`).FindString(string(text))
	}
	path := o.Path
	for name := range query {
		for from, to := range ids {
			query.Set(name, strings.ReplaceAll(query.Get(name), from, to))
		}
		if strings.Contains(path, "{"+name+"}") {
			path = strings.Replace(path, "{"+name+"}", query.Get(name), 1)
			query.Del(name)
		}
		if query.Get(name) == "" {
			query.Del(name)
		}
	}
	var out reply
	switch {
	case o.Path == "":
		query.Set("Action", o.Action)
		query.Set("Version", o.Version)
		if !query.Has("RegionId") {
			query.Set("RegionId", "cn-hangzhou")
		}
		out = f.bare(alibabasign.RPC, "POST", "/?"+query.Encode(), "")
	case o.Version == "2015-12-15" && o.Method == "POST":
		body := map[string]any{}
		for name := range query {
			var value any = query.Get(name)
			_ = json.Unmarshal([]byte(query.Get(name)), &value) // what is no JSON is a text
			body[name] = value
		}
		text, err := json.Marshal(body)
		require.NoError(t, err)
		out = f.bare(alibabasign.ROA, o.Method, path, string(text), "Content-Type", "application/json")
	default:
		out = f.bare(alibabasign.ROA, o.Method, path+"?"+query.Encode(), "", "x-acs-version", o.Version)
	}
	require.Equal(t, o.Action, f.last().Action)
	f.Clock().Advance(time.Hour)
	all, err := json.Marshal(f.World())
	require.NoError(t, err)
	answer = regexp.MustCompile(`"([Rr]equest_?Id|HostId|TotalCount|total_count|PageSize|page_size)":[^,}]*`).ReplaceAllString(out.raw, "")
	return answer, string(all), out.status
}

func parsed(t *testing.T, text string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(text)
	require.NoError(t, err, text)
	return values
}

// TestNoParameterOfAlibabaCloudIsIgnored walks all parameters of all operations: each changes the answer or the world, or is
// refused; and what is no parameter is refused.
func TestNoParameterOfAlibabaCloudIsIgnored(t *testing.T) {
	var all []aliyun.Operation
	startAlibaba(t).View(func(s sim.State) { all = s.Alibaba.Operations() })
	require.NotEmpty(t, all)
	var plain struct { // the last call without the parameter
		action, query, answer, world string
		status                       int
	}
	for _, o := range all {
		line, ok := walked[o.Action]
		assert.True(t, ok, "%s is not walked", o.Action)
		require.Empty(t, unwalked(line, o), "%s: values for what it does not take", o.Action)
		for _, name := range append(slices.Clone(o.Parameters), "Format") {
			value, ok := line.values[name]
			if !ok {
				value = everywhere[name]
			}
			if slices.Contains(ignored, o.Action+" "+name) {
				continue
			}
			assert.NotEmpty(t, value, "%s: no value for %s", o.Action, name)
			before, after := parsed(t, line.base), parsed(t, line.base)
			first, second, both := strings.Cut(value, "|")
			switch {
			case both:
				maps.Copy(before, parsed(t, first))
				maps.Copy(after, parsed(t, first))
				maps.Copy(after, parsed(t, second))
			case strings.Contains(value, "&"):
				maps.Copy(after, parsed(t, value))
			default:
				after.Set(strings.ReplaceAll(name, ".N", ".1"), value)
			}
			known := before.Encode()
			if o.Action != plain.action || known != plain.query {
				plain.action, plain.query = o.Action, known
				plain.answer, plain.world, plain.status = ran(t, o, before)
			}
			answer, world, status := plain.answer, plain.world, plain.status
			if !both {
				assert.Less(t, status, 300, "%s: %s", o.Action, answer)
			}
			other, otherWorld, _ := ran(t, o, after)
			assert.True(t, answer+world != other+otherWorld, "%s: %s=%s changes nothing", o.Action, name, value)
		}
		after := parsed(t, line.base)
		after.Set("Nonsense", "true")
		answer, _, status := ran(t, o, after)
		assert.Equal(t, 501, status, "%s: %s", o.Action, answer)
		require.Contains(t, answer, "Nonsense")
	}
}

// unwalked returns for which of the line's values the operation has no parameter.
func unwalked(line settings, o aliyun.Operation) (names []string) {
	for name := range line.values {
		if !slices.Contains(o.Parameters, name) {
			names = append(names, fmt.Sprint(o.Action, " ", name))
		}
	}
	return names
}
