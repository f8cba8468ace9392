package aliyun

import "slices"

// instanceBody is an instance as DescribeInstances tells it. What the world does not know of it is what an ordinary
// instance has, or empty, but never missing: clients read what is documented.
func instanceBody(v view) object {
	n := v.Instance
	body := merge(instanceFacts(v), object{
		"Cpu": 2, "CPU": 2, "OSType": n.OSType, "OSName": osName(n.OSType), "OSNameEn": osName(n.OSType),
		"InstanceTypeFamily": family(n.InstanceType), "KeyPairName": v.state.KeyPair, "IoOptimized": true,
		"ResourceGroupId": v.service.shownGroup(v.state), "StartTime": since(v.resource), "AutoReleaseTime": "",
		"DeletionProtection": false, "DeviceAvailable": true, "Recyclable": false, "GPUAmount": 0, "GPUSpec": "",
		"LocalStorageAmount": 0, "SpotStrategy": "NoSpot", "SpotPriceLimit": 0, "SpotDuration": 0,
		"SpotInterruptionBehavior": "", "DeploymentSetId": "", "DeploymentSetGroupNo": 0, "HpcClusterId": "", "ISP": "",
		"RdmaIpAddress":              addresses(),
		"EcsCapacityReservationAttr": object{"CapacityReservationId": "", "CapacityReservationPreference": ""},
		"DedicatedInstanceAttribute": object{"Tenancy": "", "Affinity": ""},
		"CpuOptions":                 object{"CoreCount": 1, "ThreadsPerCore": 2, "Numa": "ON"},
		"HibernationOptions":         object{"Configured": false},
		"MetadataOptions":            object{"HttpEndpoint": "", "HttpTokens": ""},
		"ImageOptions":               object{"LoginAsNonRoot": false},
		"AdditionalInfo":             object{"EnableHighDensityMode": false},
		"NetworkInterfaces":          object{"NetworkInterface": v.interfaces()},
		"Tags":                       v.tagList(),
	})
	if asked, _ := v.params.flag("NeedSaleCycle"); asked {
		body["SaleCycle"] = ""
	}
	if slices.Contains(v.params.list("AdditionalAttributes"), metaOptions) {
		body["MetadataOptions"] = object{"HttpEndpoint": "enabled", "HttpTokens": "optional", "HttpPutResponseHopLimit": 1}
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
		"InstanceId": v.id, "InstanceName": v.name, "Description": n.Description, "HostName": v.name, "RegionId": v.region,
		"ZoneId": v.zone, "Status": v.state.Status, "StoppedMode": mode, "InstanceType": n.InstanceType, "Memory": 8192,
		"InstanceNetworkType": n.NetworkType, "InstanceChargeType": postPaid, "InternetChargeType": payByTraffic,
		"InternetMaxBandwidthIn": 100, "InternetMaxBandwidthOut": 0, "ImageId": v.state.Image,
		"CreationTime": since(v.resource), "ExpiredTime": never, "SerialNumber": v.id, "ClusterId": "", "VlanId": "",
		"CreditSpecification": "", "PublicIpAddress": addresses(), "InnerIpAddress": addresses(),
		"VpcAttributes":          object{"VpcId": "", "VSwitchId": "", "NatIpAddress": "", "PrivateIpAddress": addresses()},
		"EipAddress":             object{"AllocationId": "", "IpAddress": "", "InternetChargeType": ""},
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
				"PrivateIpSets": object{"PrivateIpSet": []object{{"PrivateIpAddress": part.address(), "Primary": true}}},
				"Ipv6Sets":      object{"Ipv6Set": []object{}}, "Ipv4PrefixSets": object{"Ipv4PrefixSet": []object{}},
				"Ipv6PrefixSets": object{"Ipv6PrefixSet": []object{}}})
		}
	}
	return rows
}

func osName(osType string) string {
	if osType == "windows" {
		return "Windows Server 2022 Datacenter Edition 64bit"
	}
	return "Alibaba Cloud Linux 3.2104 LTS 64bit"
}

// merge adds more to body.
func merge(body, more object) object {
	for name, value := range more {
		body[name] = value
	}
	return body
}
