package aliyun

import (
	"slices"
	"strconv"
	"strings"
)

// instanceBody is an instance as DescribeInstances tells it. What the world does not know of it is what an ordinary
// instance has, or empty, but never missing: clients read what is documented.
func instanceBody(v view) object {
	n := v.Instance
	body := merge(unsaid(instanceFacts(v), "AutoReleaseTime GPUSpec SpotInterruptionBehavior DeploymentSetId HpcClusterId ISP "+
		"PrivatePoolOptionsId PrivatePoolOptionsMatchCriteria", "GPUAmount LocalStorageAmount LocalStorageCapacity "+
		"SpotPriceLimit SpotDuration DeploymentSetGroupNo", "DeletionProtection Recyclable"), object{
		"Cpu": 2, "CPU": 2, "OSType": n.OSType, "OSName": osName(n.OSType), "OSNameEn": osName(n.OSType),
		"InstanceTypeFamily": family(n.InstanceType), "KeyPairName": v.state.KeyPair, "IoOptimized": true,
		"ResourceGroupId": v.service.shownGroup(v.state), "StartTime": since(v.resource),
		"DeviceAvailable": true, "SpotStrategy": "NoSpot",
		"RdmaIpAddress":              addresses(),
		"EcsCapacityReservationAttr": object{"CapacityReservationId": "", "CapacityReservationPreference": ""},
		"DedicatedInstanceAttribute": object{"Tenancy": "", "Affinity": ""},
		"CpuOptions": object{"Core": 1, "CoreCount": 1, "ThreadsPerCore": 2, "Numa": "ON",
			"TopologyType": "DiscreteCoreToHTMapping"},
		"HibernationOptions": object{"Configured": false},
		"MetadataOptions":    object{"HttpEndpoint": "", "HttpTokens": ""},
		"ImageOptions":       object{"LoginAsNonRoot": false, "CurrentOSNVMeSupported": true},
		"PrivateDnsNameOptions": unsaid(object{"HostnameType": "Custom"}, "", "", "EnableInstanceIdDnsARecord "+
			"EnableInstanceIdDnsAAAARecord EnableIpDnsARecord EnableIpDnsPtrRecord"),
		"AdditionalInfo":    object{"EnableHighDensityMode": false},
		"NetworkInterfaces": object{"NetworkInterface": v.interfaces()},
		"Tags":              v.tagList(),
	})
	v.deploymentFields(body)
	if asked, _ := v.params.flag("NeedSaleCycle"); asked {
		body["SaleCycle"] = ""
	}
	if slices.Contains(v.params.list("AdditionalAttributes"), metaOptions) {
		body["MetadataOptions"] = object{"HttpEndpoint": metaEndpoint, "HttpTokens": metaTokens, "HttpPutResponseHopLimit": metaHops}
	}
	return body
}

// instanceFacts are what DescribeInstances and DescribeInstanceAttribute tell alike.
func instanceFacts(v view) object {
	n := v.Instance
	mode := v.state.StoppedMode
	if v.state.Status != stopped {
		mode = "Not-applicable"
	}
	locks := []object{}
	for _, lock := range v.locks() {
		locks = append(locks, object{"LockReason": lock, "LockMsg": ""})
	}
	body := object{
		"InstanceId": v.id, "InstanceName": v.name, "Description": v.state.Description, "HostName": n.Name, "RegionId": v.region,
		"ZoneId": v.zone, "Status": v.state.Status, "StoppedMode": mode, "InstanceType": n.InstanceType, "Memory": 8192,
		"InstanceNetworkType": n.NetworkType, "InstanceChargeType": postPaid, "InternetChargeType": payByTraffic,
		"InternetMaxBandwidthIn": 100, "InternetMaxBandwidthOut": 0, "ImageId": v.state.Image,
		"CreationTime": since(v.resource), "ExpiredTime": never, "SerialNumber": v.id, "ClusterId": "", "VlanId": "",
		"CreditSpecification": "", "PublicIpAddress": addresses(), "InnerIpAddress": addresses(),
		"VpcAttributes":          object{"VpcId": "", "VSwitchId": "", "NatIpAddress": "", "PrivateIpAddress": addresses()},
		"EipAddress":             unsaid(object{}, "AllocationId IpAddress InternetChargeType", "Bandwidth", "IsSupportUnassociate"),
		"DedicatedHostAttribute": object{"DedicatedHostId": "", "DedicatedHostName": "", "DedicatedHostClusterId": ""},
		"SecurityGroupIds":       object{"SecurityGroupId": list(v.securityGroups())},
		"OperationLocks":         object{"LockReason": locks},
	}
	if n.NetworkType != "vpc" {
		body["InnerIpAddress"] = addresses(address(v.id))
		return body
	}
	body["VpcAttributes"] = object{"VpcId": n.VPC, "VSwitchId": n.VSwitch, "NatIpAddress": "",
		"PrivateIpAddress": addresses(address(v.id))}
	return body
}

// addresses is the list of them as bodies have it.
func addresses(all ...string) object { return object{"IpAddress": list(all)} }

// interfaces tell the network interfaces of an instance.
func (v view) interfaces() []object {
	rows := []object{}
	for _, part := range v.service.partsAt(key{"instance", v.id}, v.at) {
		if part.ENI != nil {
			rows = append(rows, object{"NetworkInterfaceId": part.ENI.ID, "Type": part.ENI.Type,
				"MacAddress": mac(part.ENI.ID), "PrimaryIpAddress": part.address(),
				"PrivateIpSets": part.privateIPs(), "Ipv6Sets": object{"Ipv6Set": []object{}},
				"Ipv4PrefixSets": object{"Ipv4PrefixSet": []object{}}, "Ipv6PrefixSets": object{"Ipv6PrefixSet": []object{}}})
		}
	}
	return rows
}

func (r *resource) privateIPs() object {
	all := []object{}
	for n := range max(r.ENI.Addresses, 1) {
		at := r.address()
		if n > 0 {
			at = address(r.ENI.ID + "/" + strconv.Itoa(n))
		}
		all = append(all, object{"PrivateIpAddress": at, "Primary": n == 0, "PrivateDnsName": "",
			"AssociatedPublicIp": object{"PublicIpAddress": "", "AllocationId": ""}})
	}
	return object{"PrivateIpSet": all}
}

func osName(osType string) string {
	if osType == "windows" {
		return "Windows Server 2022 Datacenter Edition 64bit"
	}
	return "Alibaba Cloud Linux 3.2104 LTS 64bit"
}

// unsaid adds to body what is documented and the world says nothing of: texts, numbers and flags, whose names are
// separated by blanks. They are empty, 0 and false.
func unsaid(body object, texts, numbers, flags string) object {
	for _, name := range strings.Fields(texts) {
		body[name] = ""
	}
	for _, name := range strings.Fields(numbers) {
		body[name] = 0
	}
	for _, name := range strings.Fields(flags) {
		body[name] = false
	}
	return body
}

// merge adds more to body.
func merge(body, more object) object {
	for name, value := range more {
		body[name] = value
	}
	return body
}
