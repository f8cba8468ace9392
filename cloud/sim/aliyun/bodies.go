package aliyun

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// created is when everything in a world was made. What is paid by its use expires at never.
const (
	created = "2024-01-01T00:00:00Z"
	never   = "2099-12-31T15:59Z"
)

// How instances and their traffic are paid.
const (
	postPaid     = "PostPaid"
	payByTraffic = "PayByTraffic"
)

// metaOptions is what a call can ask for in addition.
const metaOptions = "META_OPTIONS"

// What META_OPTIONS are of every instance: an ordinary one's.
const (
	metaEndpoint = "enabled"
	metaTokens   = "optional"
	metaHops     = 1
)

// list makes an empty list of a nil one: the clients' parsers want it.
func list[T any](rows []T) []T {
	if rows == nil {
		return []T{}
	}
	return rows
}

func (v view) tagList() object { return tagList(v.tags()) }

func tagList(tags map[string]string) object {
	rows := []object{}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		rows = append(rows, object{"TagKey": name, "TagValue": tags[name]})
	}
	return object{"Tag": rows}
}

// address makes up the private address of an instance or network interface.
func address(id string) string {
	h := fnv.New32a()
	h.Write([]byte(id))
	n := h.Sum32()
	return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

func mac(id string) string {
	h := fnv.New32a()
	h.Write([]byte(id))
	n := h.Sum32()
	return fmt.Sprintf("00:16:%02x:%02x:%02x:%02x", n>>24&255, n>>16&255, n>>8&255, n&255)
}

// address is the network interface's own one; a primary one's is its instance's.
func (r *resource) address() string {
	if r.ENI.Type == "Primary" {
		return address(r.ENI.Instance)
	}
	return address(r.ENI.ID)
}

func statusBody(v view) object { return object{"InstanceId": v.id, "Status": v.state.Status} }

// assistantBody tells whether Cloud Assistant hears of the instance's agent.
func assistantBody(v view) object {
	online := v.state.Status == running && !v.state.AgentOffline
	return object{"InstanceId": v.id, "CloudAssistantStatus": strconv.FormatBool(online), "OSType": v.Instance.OSType,
		"CloudAssistantVersion": "2.2.3.857", "SupportSessionManager": true, "InvocationCount": 0,
		"ActiveTaskCount": 0}
}

func interfaceBody(v view) object {
	n := v.ENI
	return unsaid(object{
		"NetworkInterfaceId": v.id, "NetworkInterfaceName": v.name, "Type": n.Type, "Status": n.Status,
		"InstanceId": n.Instance, "VpcId": n.VPC, "VSwitchId": n.VSwitch, "ZoneId": v.zone, "OwnerId": v.account,
		"MacAddress": mac(v.id), "PrivateIpAddress": v.address(), "ServiceManaged": n.ServiceManaged,
		"ResourceGroupId": v.service.shownGroup(v.state), "CreationTime": created, "QueueNumber": 1, "QueuePairNumber": 1,
		"NetworkInterfaceTrafficMode": "Standard", "DeleteOnRelease": n.Type == "Primary",
		"SecurityGroupIds": object{"SecurityGroupId": list(v.securityGroups())},
		"PrivateIpSets":    v.privateIPs(), "Ipv6Sets": object{"Ipv6Set": []object{}},
		"Ipv4PrefixSets": object{"Ipv4PrefixSet": []object{}}, "Ipv6PrefixSets": object{"Ipv6PrefixSet": []object{}},
		"AssociatedPublicIp": object{"PublicIpAddress": "", "AllocationId": ""},
		"Attachment": unsaid(object{"InstanceId": n.Instance,
			"MemberNetworkInterfaceIds": object{"MemberNetworkInterfaceId": []string{}}},
			"TrunkNetworkInterfaceId", "DeviceIndex NetworkCardIndex", ""),
		"Tags": v.tagList(),
	}, "Description", "ServiceID", "SourceDestCheck")
}

func securityGroupBody(v view) object {
	g := v.Firewall
	body := object{
		"SecurityGroupId": v.id, "SecurityGroupName": v.name, "Description": "", "SecurityGroupType": g.Type,
		"VpcId": g.VPC, "ResourceGroupId": v.service.shownGroup(v.state), "ServiceManaged": g.ServiceManaged,
		"RuleCount": g.Rules, "GroupToGroupRuleCount": 0, "ServiceID": 0, "CreationTime": created, "Tags": v.tagList(),
	}
	if asked, _ := v.params.flag("IsQueryEcsCount"); asked {
		capacity := v.service.config.Quotas.BasicMembers
		if g.Type == world.Enterprise {
			capacity = v.service.config.Quotas.EnterpriseMembers
		}
		if g.Capacity > 0 {
			capacity = g.Capacity
		}
		count := len(v.service.membersAt(v.id, v.at))
		body["EcsCount"], body["AvailableInstanceAmount"] = count, capacity-count
	}
	return body
}

func hostBody(v view) object {
	return object{"DedicatedHostId": v.id, "DedicatedHostName": v.name, "RegionId": v.region, "ZoneId": v.zone,
		"Status": v.state.Status, "DedicatedHostType": "ddh.g7", "CreationTime": created,
		"ResourceGroupId": v.service.shownGroup(v.state), "Tags": v.tagList()}
}

func hostClusterBody(v view) object {
	return object{"DedicatedHostClusterId": v.id, "DedicatedHostClusterName": v.name, "RegionId": v.region,
		"ZoneId": v.zone, "Description": "", "ResourceGroupId": v.service.shownGroup(v.state), "Tags": v.tagList()}
}

func keyPairBody(v view) object {
	return object{"KeyPairName": v.name, "KeyPairFingerPrint": fmt.Sprintf("%x", mac(v.name)), "CreationTime": created,
		"ResourceGroupId": v.service.shownGroup(v.state), "Tags": v.tagList()}
}

func templateBody(v view) object {
	return object{"LaunchTemplateId": v.id, "LaunchTemplateName": v.name, "DefaultVersionNumber": 1,
		"LatestVersionNumber": 1, "CreateTime": created, "ModifiedTime": created,
		"ResourceGroupId": v.service.shownGroup(v.state), "Tags": v.tagList()}
}

func commandBody(v view) object {
	return object{"CommandId": v.id, "Name": v.name, "Type": "RunShellScript", "Timeout": 60, "Provider": "user",
		"CommandContent": "", "CreationTime": created, "ResourceGroupId": v.service.shownGroup(v.state), "Tags": v.tagList()}
}

func activationBody(v view) object {
	return object{"ActivationId": v.id, "InstanceName": v.name, "Disabled": false, "InstanceCount": 10,
		"RegisteredCount": 0, "DeregisteredCount": 0, "TimeToLiveInHours": 4, "CreationTime": created,
		"ResourceGroupId": v.service.shownGroup(v.state), "Tags": v.tagList()["Tag"]}
}

func managedBody(v view) object {
	return object{"InstanceId": v.id, "InstanceName": v.name, "Hostname": v.name, "OsType": "Linux", "Connected": true,
		"IntranetIp": address(v.id), "RegistrationTime": created, "ResourceGroupId": v.service.shownGroup(v.state),
		"Tags": v.tagList()["Tag"]}
}
