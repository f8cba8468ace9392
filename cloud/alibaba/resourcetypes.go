package alibaba

import (
	"encoding/json"
	"strings"
)

// resourceType says how the group of one type of resource is read.
type resourceType struct {
	reading
	id string // the name of the id among the fields of a row
}

// resourceRow is a resource of any type in an answer.
type resourceRow map[string]json.RawMessage

func (r resourceRow) id(field string) string { return text(r[field]) }
func (r resourceRow) group() string          { return text(r["ResourceGroupId"]) }

// A page of some actions has 50 rows at most.
const halfPage = 50

// resourceTypes has the types of JoinResourceGroup, whose case matters.
var resourceTypes = map[string]resourceType{
	"instance":      {instancesByID, "InstanceId"},
	"disk":          {disksByID, "DiskId"},
	"snapshot":      {byJSON("DescribeSnapshots", "Snapshots", "SnapshotIds"), "SnapshotId"},
	"securitygroup": {securityGroupsByID, "SecurityGroupId"},
	"ddh":           {byJSON("DescribeDedicatedHosts", "DedicatedHosts", "DedicatedHostIds"), "DedicatedHostId"},
	"eni":           {interfacesByID, "NetworkInterfaceId"},
	"ddhcluster": {reading{
		op: op{service: ecs, name: "DescribeDedicatedHostClusters"}, list: "DedicatedHostClusters", chunk: perPage,
		query: func(ids []string) map[string]string {
			return pageSize(perPage, map[string]string{"DedicatedHostClusterIds": asJSON(ids)})
		},
		check: checkIDs,
	}, "DedicatedHostClusterId"},
	"image": {reading{
		op: op{service: ecs, name: "DescribeImages"}, list: "Images", chunk: perPage,
		query: func(ids []string) map[string]string {
			return pageSize(perPage, map[string]string{"ImageId": strings.Join(ids, ","), "Status": everyImageStatus})
		},
		check: checkIDs,
	}, "ImageId"},
	"launchtemplate": {reading{
		op: op{service: ecs, name: "DescribeLaunchTemplates"}, list: "LaunchTemplateSets", chunk: halfPage,
		query: func(ids []string) map[string]string {
			return pageSize(halfPage, numbered(map[string]string{}, "LaunchTemplateId", ids))
		},
		check: checkIDs,
	}, "LaunchTemplateId"},
	"managedinstance": {reading{
		op: op{service: ecs, name: "DescribeManagedInstances"}, list: "Instances", chunk: halfPage,
		query: func(ids []string) map[string]string {
			return pageSize(halfPage, numbered(map[string]string{}, "InstanceId", ids))
		},
		check: checkIDs,
	}, "InstanceId"},
	"keypair":    {one("DescribeKeyPairs", "KeyPairs", "KeyPairName", checkNames), "KeyPairName"},
	"command":    {one("DescribeCommands", "Commands", "CommandId", checkIDs), "CommandId"},
	"activation": {one("DescribeActivations", "ActivationList", "ActivationId", checkIDs), "ActivationId"},
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
