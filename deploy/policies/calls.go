package policies

import (
	"slices"
	"strings"
)

// rights are the actions that API calls need and that are not named after them: in Huawei Cloud none are, in Alibaba Cloud
// those of EDAS. "" is a call for which the vendor names no action.
var rights = map[string]string{
	"ListServersDetails":            "ecs:cloudServers:list",
	"ListServerGroups":              "ecs:cloudServers:list",
	"ShowServerGroup":               "ecs:cloudServers:showServerGroup",
	"AddServerGroupMember":          "ecs:cloudServers:addServerGroupMember",
	"DeleteServerGroupMember":       "ecs:cloudServers:deleteServerGroupMember",
	"BatchStartServers":             "ecs:cloudServers:start",
	"BatchStopServers":              "ecs:cloudServers:stop",
	"NovaShowFlavorExtraSpecs":      "ecs:flavors:get",
	"ShowServerLimits":              "ecs:cloudServerQuotas:get",
	"ShowJob":                       "", // of ECS; for jobs of CCE it is cce:job:get
	"ShowSecurityGroup":             "vpc:securityGroups:get",
	"ListPorts":                     "vpc:ports:get",
	"NovaAssociateSecurityGroup":    "ecs:securityGroups:use",
	"NovaDisassociateSecurityGroup": "ecs:securityGroups:use",
	"ListClusters":                  "cce:cluster:list",
	"ShowCluster":                   "cce:cluster:get",
	"ShowNodePool":                  "cce:nodepool:get",
	"ListNodes":                     "cce:node:list",
	"AddNodesToNodePool":            "cce:node:create",
	"RemoveNode":                    "cce:node:remove",
	"GetCluster":                    "edas:ReadCluster",
	"ListCluster":                   "edas:ReadCluster",
	"ListClusterMembers":            "edas:ReadCluster",
	"ListConvertableEcu":            "edas:ReadCluster",
	"InstallAgent":                  "edas:ManageCluster",
	"InsertClusterMember":           "edas:ManageCluster",
	"DeleteClusterMember":           "edas:ManageCluster",
	"SynchronizeResource":           "",
}

// Allows tells whether a kind's policy lets it make an API call, such as "AddServerGroupMember", on some resource.
func Allows(permissions []Permission, call string) bool {
	right, known := rights[call]
	if known && right == "" {
		return true
	}
	return slices.ContainsFunc(permissions, func(p Permission) bool {
		return slices.ContainsFunc(p.Actions, func(a string) bool {
			return a == right || !known && strings.HasSuffix(a, ":"+call)
		})
	})
}
