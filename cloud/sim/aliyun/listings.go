package aliyun

import (
	"math"
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
	ungrouped    bool     // it knows neither resource groups nor tags
	dryRun       bool     // it can be tried
	periods      bool     // it can be filtered by periods of time
	render       func(view) object
}

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
			inner: "Instance", most: 100, tokens: true, render: instanceBody, filters: instanceFilters(), dryRun: true,
			periods: true, flags: []string{"NeedSaleCycle", "AdditionalAttributes.N"}},
		{action: "DescribeInstanceStatus", kind: "instance", ids: "InstanceId.N", mostIDs: 100,
			outer: "InstanceStatuses", inner: "InstanceStatus", most: 50, render: statusBody, ungrouped: true,
			filters: map[string]filter{"ZoneId": byZone}},
		{action: "DescribeCloudAssistantStatus", kind: "instance", ids: "InstanceId.N", mostIDs: 100,
			outer: "InstanceCloudAssistantStatusSet", inner: "InstanceCloudAssistantStatus", most: 50, tokens: true,
			render: assistantBody, ungrouped: true, filters: map[string]filter{"OSType": byOSType}},
		{action: "DescribeNetworkInterfaces", kind: "eni", ids: "NetworkInterfaceId.N", mostIDs: 100,
			outer: "NetworkInterfaceSets", inner: "NetworkInterfaceSet", most: 100, tokens: true, render: interfaceBody,
			filters: map[string]filter{"NetworkInterfaceName": byName, "Status": byStatus, "VpcId": byVPC,
				"SecurityGroupId": bySecurityGroup, "InstanceId": byInstance, "Type": byType}},
		{action: "DescribeSecurityGroups", kind: "securitygroup", ids: "SecurityGroupIds[]", mostIDs: 100,
			outer: "SecurityGroups", inner: "SecurityGroup", most: 100, tokens: true, render: securityGroupBody,
			dryRun: true, flags: []string{"IsQueryEcsCount"}, filters: map[string]filter{"SecurityGroupName": byName, "VpcId": byVPC,
				"NetworkType": byNetwork, "SecurityGroupType": byType, "SecurityGroupId": byID}},
		{action: "DescribeDisks", kind: "disk", ids: "DiskIds[]", mostIDs: 100, outer: "Disks", inner: "Disk", most: 100,
			tokens: true, render: diskBody, dryRun: true, filters: map[string]filter{"DiskName": byName, "Status": byStatus,
				"InstanceId": byInstance, "DiskType": byDiskType, "ZoneId": byZone}},
		{action: "DescribeSnapshots", kind: "snapshot", ids: "SnapshotIds[]", mostIDs: 100, outer: "Snapshots",
			inner: "Snapshot", most: 100, tokens: true, render: snapshotBody, dryRun: true, filters: map[string]filter{
				"SnapshotName": byName, "Status": byStatus, "DiskId": byDisk, "InstanceId": byInstance}},
		{action: "DescribeImages", kind: "image", ids: "ImageId,", mostIDs: 100, outer: "Images", inner: "Image",
			most: 100, render: imageBody, dryRun: true, filters: map[string]filter{"ImageOwnerAlias": byOwner,
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
			outer: "LaunchTemplateSets", inner: "LaunchTemplateSet", most: 50, render: templateBody, ungrouped: true,
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
	names := append([]string{"PageNumber", "PageSize"}, l.flags...)
	if !l.ungrouped {
		names = append(names, "ResourceGroupId", "Tag.N.Key", "Tag.N.Value")
	}
	if l.dryRun {
		names = append(names, "DryRun")
	}
	if l.periods {
		names = append(names, "Filter.N.Key", "Filter.N.Value")
	}
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
	asked, nonsense := l.asked(p)
	dry, _ := p.flag("DryRun")
	switch {
	case r != nil:
	case malformed != nil:
		r = malformed
	case nonsense != nil:
		r = nonsense
	case region == "":
		r = missing("RegionId")
	case l.mostIDs > 0 && len(ids) > l.mostIDs:
		r = invalid(parameter(l.ids)) // A17
	case dry:
		r = dryRun()
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
		v := s.viewed(r, p, t, ids != nil)
		if v.account != s.account(c) || v.region != region || !r.there(v.at) || !inGroup(v) || !byTags(v) || room == 0 {
			return
		}
		if room--; v.matches(asked) {
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

// viewed is a resource as it was at t. Who asks for it by its id has that from the call that made it, and sees it from then
// on, unless the world wants it otherwise.
func (s *Service) viewed(r *resource, p params, t time.Time, byID bool) view {
	if byID && t.Before(r.Born) && !s.config.Knobs.LagHidesNew {
		t = r.Born
	}
	v := view{service: s, params: p, resource: r, identity: r.identity(), state: r.at(t), at: t}
	v.name = r.nameAt(t)
	return v
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
