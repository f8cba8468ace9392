package aliyun

import (
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// listing is a Describe call that lists resources of one type.
type listing struct {
	action, kind string
	ids          string // the parameter with ids; see params.ids for its form
	mostIDs      int
	outer, inner string // where the answer has the list; without inner, outer is the list itself
	most         int    // rows of a page
	tokens       bool   // pages by token, too
	filters      map[string]filter
	flags        []string // parameters that change how rows look
	render       func(view) object
}

// filter reports whether a resource has the value that a parameter asks for.
type filter func(v view, value string) bool

// view is a resource as a call sees it.
type view struct {
	service *Service
	params  params
	*resource
	identity
	state version
	at    time.Time
}

// listings returns all of them.
func listings() []listing {
	return []listing{
		{action: "DescribeInstances", kind: "instance", ids: "InstanceIds[]", mostIDs: 100, outer: "Instances",
			inner: "Instance", most: 100, tokens: true, render: instanceBody, filters: map[string]filter{
				"InstanceName": byName, "Status": byStatus, "VpcId": byVPC, "ZoneId": byZone,
				"SecurityGroupId": bySecurityGroup, "InstanceNetworkType": byNetwork}},
		{action: "DescribeInstanceStatus", kind: "instance", ids: "InstanceId.N", mostIDs: 100,
			outer: "InstanceStatuses", inner: "InstanceStatus", most: 50, render: statusBody,
			filters: map[string]filter{"ZoneId": byZone}},
		{action: "DescribeCloudAssistantStatus", kind: "instance", ids: "InstanceId.N", mostIDs: 100,
			outer: "InstanceCloudAssistantStatusSet", inner: "InstanceCloudAssistantStatus", most: 50, tokens: true,
			render: assistantBody, filters: map[string]filter{"OSType": byOSType}},
		{action: "DescribeNetworkInterfaces", kind: "eni", ids: "NetworkInterfaceId.N", mostIDs: 100,
			outer: "NetworkInterfaceSets", inner: "NetworkInterfaceSet", most: 100, tokens: true, render: interfaceBody,
			filters: map[string]filter{"NetworkInterfaceName": byName, "Status": byStatus, "VpcId": byVPC,
				"SecurityGroupId": bySecurityGroup, "InstanceId": byInstance, "Type": byType}},
		{action: "DescribeSecurityGroups", kind: "securitygroup", ids: "SecurityGroupIds[]", mostIDs: 100,
			outer: "SecurityGroups", inner: "SecurityGroup", most: 100, tokens: true, render: securityGroupBody,
			flags: []string{"IsQueryEcsCount"}, filters: map[string]filter{"SecurityGroupName": byName, "VpcId": byVPC,
				"NetworkType": byNetwork, "SecurityGroupType": byType, "SecurityGroupId": byID}},
		{action: "DescribeDisks", kind: "disk", ids: "DiskIds[]", mostIDs: 100, outer: "Disks", inner: "Disk", most: 100,
			tokens: true, render: diskBody, filters: map[string]filter{"DiskName": byName, "Status": byStatus,
				"InstanceId": byInstance, "DiskType": byDiskType, "ZoneId": byZone}},
		{action: "DescribeSnapshots", kind: "snapshot", ids: "SnapshotIds[]", mostIDs: 100, outer: "Snapshots",
			inner: "Snapshot", most: 100, tokens: true, render: snapshotBody, filters: map[string]filter{
				"SnapshotName": byName, "Status": byStatus, "DiskId": byDisk, "InstanceId": byInstance}},
		{action: "DescribeImages", kind: "image", ids: "ImageId,", mostIDs: 100, outer: "Images", inner: "Image",
			most: 100, render: imageBody, flags: []string{"ImageOwnerAlias"}, filters: map[string]filter{
				"ImageName": byName, "Status": byImageStatus, "SnapshotId": bySnapshot}},
		{action: "DescribeDedicatedHosts", kind: "ddh", ids: "DedicatedHostIds[]", mostIDs: 100, outer: "DedicatedHosts",
			inner: "DedicatedHost", most: 100, tokens: true, render: hostBody, filters: map[string]filter{
				"DedicatedHostName": byName, "Status": byStatus, "ZoneId": byZone}},
		{action: "DescribeDedicatedHostClusters", kind: "ddhcluster", ids: "DedicatedHostClusterIds[]", mostIDs: 100,
			outer: "DedicatedHostClusters", inner: "DedicatedHostCluster", most: 100, render: hostClusterBody,
			filters: map[string]filter{"DedicatedHostClusterName": byName, "ZoneId": byZone}},
		{action: "DescribeKeyPairs", kind: "keypair", outer: "KeyPairs", inner: "KeyPair", most: 50,
			render: keyPairBody, filters: map[string]filter{"KeyPairName": byName}},
		{action: "DescribeLaunchTemplates", kind: "launchtemplate", ids: "LaunchTemplateId.N", mostIDs: 100,
			outer: "LaunchTemplateSets", inner: "LaunchTemplateSet", most: 50, render: templateBody,
			filters: map[string]filter{"TemplateResourceGroupId": byGroup}},
		{action: "DescribeCommands", kind: "command", ids: "CommandId", outer: "Commands", inner: "Command", most: 50,
			tokens: true, render: commandBody, filters: map[string]filter{"Name": byName}},
		{action: "DescribeActivations", kind: "activation", ids: "ActivationId", outer: "ActivationList",
			inner: "-Activation", most: 50, tokens: true, render: activationBody,
			filters: map[string]filter{"InstanceName": byName}},
		{action: "DescribeManagedInstances", kind: "managedinstance", ids: "InstanceId.N", mostIDs: 50,
			outer: "Instances", inner: "-Instance", most: 50, tokens: true, render: managedBody,
			filters: map[string]filter{"InstanceName": byName}},
	}
}

// parameters names all that the call takes, but its ids.
func (l listing) parameters() []string {
	names := append([]string{"PageNumber", "PageSize", "ResourceGroupId", "Tag.N.Key", "Tag.N.Value", "DryRun"}, l.flags...)
	if l.tokens {
		names = append(names, "MaxResults", "NextToken")
	}
	for name := range l.filters {
		names = append(names, name)
	}
	return names
}

// serve answers the call. Ids that do not exist are missing from the answer, without a word.
func (l listing) serve(s *Service, c *wire.Call, p params) wire.Answer {
	g, r := p.paging(l.most, l.tokens)
	region := p.Get("RegionId")
	ids, malformed := p.ids(l.ids)
	switch {
	case r != nil:
	case malformed != nil:
		r = malformed
	case region == "":
		r = missing("RegionId")
	case l.mostIDs > 0 && len(ids) > l.mostIDs:
		r = invalid(parameter(l.ids)) // A17
	}
	if r != nil {
		return s.refuse(c, r)
	}
	t := s.lagged(c.Now)
	var matching []view
	room := mostFiltered
	if !p.Has("ResourceGroupId") && !p.Has("Tag.1.Key") {
		room = math.MaxInt
	}
	add := func(r *resource) {
		v := view{service: s, params: p, resource: r, identity: r.identity(), state: r.at(t), at: t}
		v.name = r.nameAt(t)
		if v.account != s.account(c) || v.region != region || !r.there(t) || !inGroup(v) || !byTags(v) || room == 0 {
			return
		}
		if room--; l.matches(v) {
			matching = append(matching, v)
		}
	}
	for _, r := range s.candidates(l.kind, ids, p.Get("InstanceId")) {
		add(r)
	}
	page, body := cut(matching, g)
	rows := make([]object, len(page))
	for i, v := range page {
		rows[i] = l.render(v)
	}
	body["RegionId"] = region
	body[l.outer] = s.wrapped(l.inner, rows)
	return found(c, body)
}

// mostFiltered is how many resources a list can be filtered to by tags or by resource group, whatever else it is filtered
// by. The documents say so, and not what happens to the others; here they are missing (A21).
const mostFiltered = 1000

// candidates are the resources of a type that a list could show, found without looking at all of them if the call says
// which it wants: those with the ids, unless ids is nil, or the parts of an instance.
func (s *Service) candidates(kind string, ids []string, instance string) []*resource {
	var found []*resource
	switch {
	case ids != nil:
		for _, id := range ids {
			if r := s.byKey[key{kind, id}]; r != nil {
				found = append(found, r)
			}
		}
	case instance != "" && (kind == "eni" || kind == "disk"):
		for _, part := range s.parts[key{"instance", instance}] {
			if part.Type == kind {
				found = append(found, part)
			}
		}
	default:
		found = s.ordered[kind]
	}
	return found
}

// wrapped puts rows into the object in which most answers have them. Those whose inner name starts with a dash have
// them plain, unless the world chose otherwise (A15).
func (s *Service) wrapped(inner string, rows []object) any {
	name, plain := strings.CutPrefix(inner, "-")
	if plain && !s.config.Knobs.WrappedLists {
		return rows
	}
	return object{name: rows}
}

// matches tells whether a resource has what the call asks for beside tags and a resource group.
func (l listing) matches(v view) bool {
	for name, has := range l.filters {
		value := v.params.Get(name)
		if value == "" && name == "Status" && (l.kind == "image" || l.kind == "ddh") {
			value = "Available"
		}
		if value != "" && !has(v, value) {
			return false
		}
	}
	return true
}

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

func byTags(v view) bool {
	tags := v.tags()
	keys, values := v.params.field("Tag", "Key"), v.params.field("Tag", "Value")
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
	case v.Other != nil:
		return v.Other.Tags
	}
	return nil
}
