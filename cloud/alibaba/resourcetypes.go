package alibaba

import (
	"encoding/json"
	"slices"
	"strings"
)

// Resource is an ECS resource of any type, as far as all types go.
type Resource struct {
	ID    string
	Name  string            // "" when its type has none, see Named
	VPC   string            // id; "" when its type is in none, see InVPC
	Zone  string            // "" when its type is in none
	Group string            // id of its resource group; "" when the cloud does not say, which may mean the default group
	Tags  map[string]string // nil when it has none
}

// resourceType says how one type of resource is read.
type resourceType struct {
	reading
	// The names of the id and of the name among the fields of a row; an activation has only one for what it registers.
	id, name string
}

// resourceRow is a resource of any type in an answer.
type resourceRow map[string]json.RawMessage

func (t resourceType) resource(row *resourceRow) (string, Resource) {
	field := func(name string) string { return text((*row)[name]) }
	r := Resource{ID: field(t.id), Name: field(t.name), VPC: field("VpcId"), Zone: field("ZoneId"),
		Group: field("ResourceGroupId")}
	var network struct{ VpcID string } // of an instance, which has it there
	if json.Unmarshal((*row)["VpcAttributes"], &network) == nil {
		r.VPC = network.VpcID
	}
	var tags list[struct{ TagKey, TagValue string }]
	if json.Unmarshal((*row)["Tags"], &tags) == nil && len(tags) > 0 {
		r.Tags = make(map[string]string, len(tags))
		for _, tag := range tags {
			r.Tags[tag.TagKey] = tag.TagValue
		}
	}
	return r.ID, r
}

// Named tells whether resources of the type have names.
func Named(resourceType string) bool { return resourceTypes[resourceType].name != "" }

// InVPC tells whether resources of the type are in a VPC.
func InVPC(resourceType string) bool {
	return slices.Contains([]string{"eni", "instance", "securitygroup"}, resourceType)
}

// OneByOne tells whether resources of the type can only be read one at a time.
func OneByOne(resourceType string) bool { return resourceTypes[resourceType].chunk == 1 }

// A page of some actions has 50 rows at most.
const halfPage = 50

// resourceTypes has the types of JoinResourceGroup, whose case matters.
var resourceTypes = map[string]resourceType{
	"instance":      {instancesByID, "InstanceId", "InstanceName"},
	"disk":          {disksByID, "DiskId", "DiskName"},
	"snapshot":      {byJSON("DescribeSnapshots", "Snapshots", "SnapshotIds"), "SnapshotId", "SnapshotName"},
	"securitygroup": {securityGroupsByID, "SecurityGroupId", "SecurityGroupName"},
	"ddh": {byJSON("DescribeDedicatedHosts", "DedicatedHosts", "DedicatedHostIds").including("UnderAssessment",
		"PermanentFailure", "TempUnavailable", "Redeploying"), "DedicatedHostId", "DedicatedHostName"},
	"eni": {interfacesByID, "NetworkInterfaceId", "NetworkInterfaceName"},
	"ddhcluster": {reading{
		op: op{service: ecs, name: "DescribeDedicatedHostClusters"}, list: "DedicatedHostClusters", chunk: perPage,
		query: func(ids []string) map[string]string {
			return pageSize(perPage, map[string]string{"DedicatedHostClusterIds": asJSON(ids)})
		},
		check: checkIDs,
	}, "DedicatedHostClusterId", "DedicatedHostClusterName"},
	"image": {reading{
		op: op{service: ecs, name: "DescribeImages"}, list: "Images", chunk: perPage,
		query: func(ids []string) map[string]string {
			return pageSize(perPage, map[string]string{"ImageId": strings.Join(ids, ","), "Status": everyImageStatus})
		},
		check: checkIDs,
	}, "ImageId", "ImageName"},
	"launchtemplate": {reading{
		op: op{service: ecs, name: "DescribeLaunchTemplates"}, list: "LaunchTemplateSets", chunk: halfPage,
		query: func(ids []string) map[string]string {
			return pageSize(halfPage, numbered(map[string]string{}, "LaunchTemplateId", ids))
		},
		check: checkIDs,
	}, "LaunchTemplateId", "LaunchTemplateName"},
	"managedinstance": {reading{
		op: op{service: ecs, name: "DescribeManagedInstances"}, list: "Instances", chunk: halfPage,
		query: func(ids []string) map[string]string {
			return pageSize(halfPage, numbered(map[string]string{}, "InstanceId", ids))
		},
		check: checkIDs,
	}, "InstanceId", "InstanceName"},
	"keypair":    {one("DescribeKeyPairs", "KeyPairs", "KeyPairName", checkNames), "KeyPairName", "KeyPairName"},
	"command":    {one("DescribeCommands", "Commands", "CommandId", checkIDs), "CommandId", "Name"},
	"activation": {one("DescribeActivations", "ActivationList", "ActivationId", checkIDs), "ActivationId", ""},
}

// byJSON is a reading that takes many ids as a JSON array.
func byJSON(action, list, param string) reading {
	return reading{op: op{service: ecs, name: action}, list: list, chunk: perPage, query: idsAsJSON(param), check: checkIDs}
}

// one is a reading that takes one id at a time.
func one(action, list, param string, check func(op, ...string) error) reading {
	return reading{op: op{service: ecs, name: action}, list: list, chunk: 1, check: check,
		query: func(ids []string) map[string]string { return pageSize(halfPage, map[string]string{param: ids[0]}) }}
}
