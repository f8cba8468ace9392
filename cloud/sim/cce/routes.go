package cce

import (
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

type (
	handler = huaweiapi.Handler[*Service]
	vars    = huaweiapi.Vars
)

// operations lists what the simulator knows; the first match wins. To rules and journal, a node pool is the group.
func operations() []huaweiapi.Operation[*Service] {
	const (
		project = "/api/v3/projects/{project}"
		cluster = project + "/clusters/{cluster}"
		pool    = cluster + "/nodepools/{group}"
	)
	line := func(method, path, action string, bind func(*wire.Call, vars) (handler, *refusal)) huaweiapi.Operation[*Service] {
		return huaweiapi.Operation[*Service]{Action: action, Method: method, Path: path, Bind: bind}
	}
	read := func(path, action, query string, serve func(*Service, *wire.Call, vars) wire.Answer) huaweiapi.Operation[*Service] {
		return huaweiapi.Operation[*Service]{Action: action, Method: "GET", Path: path, Query: query,
			Bind: huaweiapi.Plain(serve)}
	}
	return []huaweiapi.Operation[*Service]{
		line("POST", pool+"/nodes/add", "AddNodesToNodePool", bindManage),
		line("PUT", cluster+"/nodes/operation/remove", "RemoveNode", bindRemove),
		line("DELETE", cluster+"/nodes/{node}", "DeleteNode", bindDestroy),
		read(project+"/clusters", "ListClusters", "errorStatus detail status type version", (*Service).listClusters),
		read(cluster, "ShowCluster", "errorStatus detail", (*Service).showCluster),
		read(cluster+"/nodepools", "ListNodePools", "errorStatus", (*Service).listPools),
		read(pool, "ShowNodePool", "errorStatus", (*Service).showPool),
		read(cluster+"/nodes", "ListNodes", "limit marker errorStatus", (*Service).listNodes),
		read(cluster+"/nodes/{node}", "ShowNode", "errorStatus", (*Service).showNode),
		read(project+"/jobs/{job}", "ShowJob", "", (*Service).showJob),
		read(project+"/quotas", "ShowQuotas", "", (*Service).showQuotas),
	}
}

// decode reads a JSON body.
func decode(c *wire.Call, into any) *refusal { return huaweiapi.Decode(c, into, "CCE.01400001") }

func bindManage(c *wire.Call, v vars) (handler, *refusal) {
	var in struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Nodes      []struct {
			Server string `json:"serverID"`
		} `json:"nodeList"`
	}
	if r := decode(c, &in); r != nil {
		return nil, r
	}
	for _, n := range in.Nodes {
		if slices.Contains(c.Servers, n.Server) {
			return nil, badRequest("The server " + n.Server + " is named twice.")
		}
		c.Servers = append(c.Servers, n.Server)
	}
	switch {
	case in.APIVersion != "v3" || in.Kind != "List":
		return nil, badRequest("apiVersion must be v3 and kind List.")
	case len(c.Servers) == 0 || len(c.Servers) > maxNodes:
		return nil, badRequest("nodeList must have 1 to 200 servers.")
	}
	return func(s *Service, c *wire.Call) wire.Answer { return s.manage(c, v["cluster"], v["group"]) }, nil
}

func bindRemove(c *wire.Call, v vars) (handler, *refusal) {
	var in struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Spec       struct {
			Nodes []struct {
				ID string `json:"uid"`
			} `json:"nodes"`
		} `json:"spec"`
	}
	if r := decode(c, &in); r != nil {
		return nil, r
	}
	for _, n := range in.Spec.Nodes {
		c.Servers = append(c.Servers, n.ID)
	}
	if in.APIVersion != "" && in.APIVersion != "v3" || in.Kind != "" && in.Kind != "RemoveNodesTask" {
		return nil, badRequest("apiVersion must be v3 and kind RemoveNodesTask.")
	}
	if len(c.Servers) == 0 || len(c.Servers) > maxNodes {
		return nil, badRequest("spec.nodes must have 1 to 200 nodes.")
	}
	return func(s *Service, c *wire.Call) wire.Answer { return s.remove(c, v["cluster"], c.Servers) }, nil
}

func bindDestroy(c *wire.Call, v vars) (handler, *refusal) {
	c.Servers = []string{v["node"]}
	return func(s *Service, c *wire.Call) wire.Answer { return s.destroy(c, v["cluster"], v["node"]) }, nil
}
