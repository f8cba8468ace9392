package aliyun

import (
	"cmp"
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// filter reports whether a resource has the value that a parameter asks for.
type filter func(v view, value string) bool

// condition is a filter that a call makes use of: one of the values is enough.
type condition struct {
	has    filter
	values []string
}

// asked returns what the call filters by, beside tags and a resource group, and refuses periods that make no sense.
func (l listing) asked(p params) ([]condition, *refusal) {
	var all []condition
	for name, has := range l.filters {
		values := p.values(name)
		if values == nil && name == "Status" && (l.kind == "image" || l.kind == "ddh") {
			values = []string{"Available"}
		}
		if values != nil {
			all = append(all, condition{has, values})
		}
	}
	if !l.periods {
		return all, nil
	}
	periods, r := p.periods()
	return append(all, periods...), r
}

// matches tells whether a resource has what the call asks for.
func (v view) matches(asked []condition) bool {
	for _, c := range asked {
		if !slices.ContainsFunc(c.values, func(value string) bool { return c.has(v, value) }) {
			return false
		}
	}
	return true
}

// values returns what the parameter, or each of the list Name.N, says; nil if it says nothing.
func (p params) values(name string) []string {
	if name, isList := strings.CutSuffix(name, ".N"); isList {
		return p.list(name)
	}
	if value := p.Get(name); value != "" {
		return []string{value}
	}
	return nil
}

// How the values of parameters look in all calls: true or false, a JSON array of at most 100 texts, or one of a few words.
const (
	aFlag = "true or false"
	aList = "[]"
)

var forms = map[string]string{
	"DryRun": aFlag, "IsQueryEcsCount": aFlag, "NeedSaleCycle": aFlag, "IoOptimized": aFlag, "DeviceAvailable": aFlag,
	"ForceStop": aFlag, "ConfirmStop": aFlag, "InitLocalDisk": aFlag, "IncludeTags": aFlag, "DoAsync": aFlag,
	"Format": "JSON json", "SecurityEnhancementStrategy": "Active Deactive",
	"PrivateIpAddresses": aList, "PublicIpAddresses": aList, "InnerIpAddresses": aList, "EipAddresses": aList,
	"ForceReboot": aFlag, "Verbose": aFlag, "SpotStrategy": "NoSpot SpotWithPriceLimit SpotAsPriceGo",
	"AcceptLanguage": "zh-CN en-US ja", "ResourceType of DescribeRegions": "instance disk reservedinstance scu",
	"InstanceNetworkType": "vpc classic", "InstanceChargeType": "PostPaid PrePaid SpotWithPriceLimit SpotAsPriceGo",
	"InternetChargeType": "PayByTraffic PayByBandwidth", "ImageOwnerAlias": "system self others marketplace",
	"LockReason":   "financial security Recycling dedicatedhostfinancial refunded " + installing,
	"HttpEndpoint": "enabled disabled", "HttpTokens": "optional required",
	"AdditionalAttributes.N": metaOptions, "Direction": "egress ingress all", "NicType": "internet intranet",
}

// wellFormed refuses a parameter whose value is none that it can have.
func (p params) wellFormed(action, name string) *refusal {
	for _, value := range p.values(name) {
		var r *refusal
		switch form := cmp.Or(forms[name+" of "+action], forms[name]); form {
		case "":
		case aFlag:
			_, r = p.flag(name)
		case aList:
			var list []string
			if list, r = p.ids(name + aList); len(list) > 100 {
				r = invalid(name)
			}
		default:
			if !slices.Contains(strings.Fields(form), value) {
				r = invalid(parameter(strings.TrimSuffix(name, ".N")))
			}
		}
		if r != nil {
			return r
		}
	}
	return nil
}

// instanceFilters are those of DescribeInstances. All instances have the same options of metadata; none has a public or an IPv6 address, or is in a cluster for
// high-performance computing.
func instanceFilters() map[string]filter {
	nobody := func(view, string) bool { return false }
	return map[string]filter{
		"InstanceName": byName, "Status": byStatus, "VpcId": byVPC, "ZoneId": byZone, "SecurityGroupId": bySecurityGroup,
		"InstanceNetworkType": byNetwork, "PublicIpAddresses": nobody, "EipAddresses": nobody, "Ipv6Address.N": nobody,
		"RdmaIpAddresses": nobody, "HpcClusterId": nobody, "IoOptimized": isTrue, "DeviceAvailable": isTrue,
		"VSwitchId":               func(v view, value string) bool { return v.Instance.VSwitch == value },
		"InstanceType":            func(v view, value string) bool { return v.Instance.InstanceType == value },
		"InstanceTypeFamily":      func(v view, value string) bool { return family(v.Instance.InstanceType) == value },
		"ImageId":                 func(v view, value string) bool { return v.state.Image == value },
		"KeyPairName":             func(v view, value string) bool { return v.state.KeyPair == value },
		"InstanceChargeType":      func(_ view, value string) bool { return value == postPaid },
		"InternetChargeType":      func(_ view, value string) bool { return value == payByTraffic },
		"HttpEndpoint":            func(_ view, value string) bool { return value == metaEndpoint },
		"HttpTokens":              func(_ view, value string) bool { return value == metaTokens },
		"HttpPutResponseHopLimit": func(_ view, value string) bool { return value == strconv.Itoa(metaHops) },
		"LockReason":              func(v view, value string) bool { return slices.Contains(v.locks(), value) },
		"PrivateIpAddresses":      byAddress("vpc"),
		"InnerIpAddresses":        byAddress("classic"),
	}
}

// isTrue is a filter by what is so of all.
func isTrue(_ view, value string) bool { return strings.EqualFold(value, "true") }

// byAddress filters by the address in a network of this type.
func byAddress(network string) filter {
	return func(v view, value string) bool {
		var list []string
		_ = json.Unmarshal([]byte(value), &list) // it is well-formed
		return v.Instance.NetworkType == network && slices.Contains(list, address(v.id))
	}
}

// family is what instance types of a kind have in common: ecs.g7 of ecs.g7.large.
func family(instanceType string) string {
	if i := strings.LastIndex(instanceType, "."); i > 0 {
		return instanceType[:i]
	}
	return instanceType
}

// periods reads the pairs Filter.N.Key and Filter.N.Value, which name the begin or the end of a period in which
// instances were made or expire.
func (p params) periods() ([]condition, *refusal) {
	var all []condition
	for i := 1; p.Has(filterKey(i)) || p.Has(filterValue(i)); i++ {
		of, after, known := strings.Cut(strings.TrimSuffix(p.Get(filterKey(i)), "Time"), "Start")
		if !known {
			of, after, known = strings.Cut(of, "End")
		}
		limit, ok := minute(p.Get(filterValue(i)))
		moment := map[string]func(view) string{"Creation": func(v view) string { return since(v.resource) },
			"Expired": func(view) string { return never }}[of]
		switch {
		case !known || after != "" || moment == nil:
			return nil, invalid(filterKey(i))
		case !ok:
			return nil, invalid(filterValue(i))
		}
		begin := strings.HasSuffix(p.Get(filterKey(i)), "StartTime")
		all = append(all, condition{values: []string{""}, has: func(v view, _ string) bool {
			t, _ := minute(moment(v))
			return t.Equal(limit) || t.After(limit) == begin
		}})
	}
	return all, nil
}

func filterKey(i int) string   { return "Filter." + strconv.Itoa(i) + ".Key" }
func filterValue(i int) string { return "Filter." + strconv.Itoa(i) + ".Value" }

// minute reads a time as ECS writes it, with seconds or without.
func minute(text string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04Z", "2006-01-02T15:04:05Z"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// byOwner: all images are the callers' own.
func byOwner(_ view, value string) bool { return value == "self" }

func inGroup(v view) bool {
	group := v.params.Get("ResourceGroupId")
	return group == "" || byGroup(v, group)
}

func byOSType(v view, value string) bool { return strings.EqualFold(v.Instance.OSType, value) }

func byID(v view, value string) bool { return v.id == value }

// byName matches a name, in which * stands for any characters.
func byName(v view, value string) bool {
	matched, err := path.Match(value, v.name)
	return v.name == value || err == nil && matched
}

func byZone(v view, value string) bool  { return v.zone == value }
func byGroup(v view, value string) bool { return v.service.shownGroup(v.state) == value }

func byStatus(v view, value string) bool { return v.status() == value }

// byImageStatus takes a list.
func byImageStatus(v view, value string) bool {
	return slices.Contains(strings.Split(value, ","), v.status())
}

func (v view) status() string {
	if v.ENI != nil {
		return v.ENI.Status
	}
	return v.state.Status
}

func byVPC(v view, value string) bool {
	switch {
	case v.Instance != nil:
		return v.Instance.VPC == value
	case v.ENI != nil:
		return v.ENI.VPC == value
	}
	return v.Firewall.VPC == value
}

func byNetwork(v view, value string) bool {
	if v.Instance != nil {
		return v.Instance.NetworkType == value
	}
	return v.Firewall.NetworkType == value
}

func byType(v view, value string) bool {
	if v.ENI != nil {
		return v.ENI.Type == value
	}
	return v.Firewall.Type == value
}

func byDiskType(v view, value string) bool {
	return value == "all" || (value == "system") == v.Other.System
}

func byInstance(v view, value string) bool {
	switch {
	case v.ENI != nil:
		return v.ENI.Instance == value
	case v.Type == "snapshot":
		disk := v.service.byKey[key{"disk", v.Other.Disk}]
		return disk != nil && disk.Other.Instance == value
	}
	return v.Other.Instance == value
}

func bySnapshot(v view, value string) bool { return v.Other.Snapshot == value }

func byDisk(v view, value string) bool { return v.Other.Disk == value }

func bySecurityGroup(v view, value string) bool { return slices.Contains(v.securityGroups(), value) }

// securityGroups are those of the instance or network interface.
func (v view) securityGroups() []string {
	return v.service.holder(v.resource).at(v.at).SecurityGroups
}

func byTags(v view) bool { return v.params.tagged(v.tags()) }

// tagged reports whether something with these tags has those that the call asks for.
func (p params) tagged(tags map[string]string) bool {
	keys, values := p.field("Tag", "Key"), p.field("Tag", "Value")
	for i, name := range keys {
		value, ok := tags[name]
		if !ok || values[i] != "" && values[i] != value {
			return false
		}
	}
	return true
}

func (v view) tags() map[string]string {
	switch {
	case v.Instance != nil:
		return v.Instance.Tags
	case v.ENI != nil:
		return v.ENI.Tags
	case v.Firewall != nil:
		return v.Firewall.Tags
	case v.Other != nil:
		return v.Other.Tags
	}
	return nil
}
