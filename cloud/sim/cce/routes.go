package cce

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// handler serves a recognised call from the state.
type handler func(s *Service, c *wire.Call) wire.Answer

// vars are the variables of a path.
type vars map[string]string

// route is one line of the API reference. Its bind looks at the body, fills in what the call is about, and chooses the
// handler.
type route struct {
	method   string
	segments []string // of the path; {name} stands for any one
	action   string
	bind     func(c *wire.Call, v vars) (handler, *refusal)
}

const prefix = "/api/v3/projects/"

// routes lists what the simulator knows; the first match wins.
func routes() []route {
	const (
		project = prefix + "{project}"
		cluster = project + "/clusters/{cluster}"
		pool    = cluster + "/nodepools/{pool}"
	)
	line := func(method, path, action string, bind func(*wire.Call, vars) (handler, *refusal)) route {
		return route{method, strings.Split(path, "/"), action, bind}
	}
	return []route{
		line("POST", pool+"/nodes/add", "AddNodesToNodePool", bindManage),
		line("PUT", cluster+"/nodes/operation/remove", "RemoveNode", bindRemove),
		line("DELETE", cluster+"/nodes/{node}", "DeleteNode", bindDestroy),
		line("GET", project+"/clusters", "ListClusters", read((*Service).listClusters)),
		line("GET", cluster, "ShowCluster", read((*Service).showCluster)),
		line("GET", cluster+"/nodepools", "ListNodePools", read((*Service).listPools)),
		line("GET", pool, "ShowNodePool", read((*Service).showPool)),
		line("GET", cluster+"/nodes", "ListNodes", read((*Service).listNodes)),
		line("GET", cluster+"/nodes/{node}", "ShowNode", read((*Service).showNode)),
		line("GET", project+"/jobs/{job}", "ShowJob", read((*Service).showJob)),
		line("GET", project+"/quotas", "ShowQuotas", read((*Service).showQuotas)),
	}
}

// Route recognises a request by method and path.
func (s *Service) Route(c *wire.Call) (mine bool, refused *wire.Answer) {
	path := c.HTTP.URL.Path
	rest, mine := strings.CutPrefix(path, prefix)
	if !mine {
		return false, nil
	}
	c.Project, _, _ = strings.Cut(rest, "/")
	segments := strings.Split(path, "/")
	write := c.HTTP.Method != http.MethodGet
	for _, route := range s.routes {
		if route.method != c.HTTP.Method || !matches(route.segments, segments) {
			continue
		}
		v := variables(route.segments, segments)
		c.Call = fault.Call{Action: route.action, Write: write, Group: v["pool"]}
		h, r := route.bind(c, v)
		c.Input = h
		if r != nil {
			answer := s.refuse(c, r)
			return true, &answer
		}
		return true, nil
	}
	c.Action, c.Write = c.HTTP.Method+" "+path, write
	answer := s.refuse(c, &refusal{"SIM.0501", "The simulator does not implement " + c.Action + "."})
	return true, &answer
}

// matches compares a path with a pattern of literal segments and {variables}.
func matches(pattern, path []string) bool {
	return slices.EqualFunc(pattern, path, func(want, got string) bool {
		return want == got || strings.HasPrefix(want, "{")
	})
}

func variables(pattern, path []string) vars {
	v := vars{}
	for i, want := range pattern {
		if name, isVar := strings.CutPrefix(want, "{"); isVar {
			v[strings.TrimSuffix(name, "}")] = path[i]
		}
	}
	return v
}

// Serve runs the handler that Route chose.
func (s *Service) Serve(c *wire.Call) wire.Answer { return c.Input.(handler)(s, c) }

func read(h func(*Service, *wire.Call, vars) wire.Answer) func(*wire.Call, vars) (handler, *refusal) {
	return func(_ *wire.Call, v vars) (handler, *refusal) {
		return func(s *Service, c *wire.Call) wire.Answer { return h(s, c, v) }, nil
	}
}

func bindManage(c *wire.Call, v vars) (handler, *refusal) {
	var in struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Nodes      []struct {
			Server string `json:"serverID"`
		} `json:"nodeList"`
	}
	if err := json.Unmarshal(c.Body, &in); err != nil {
		return nil, badRequest("The request body is not the JSON that is expected: " + err.Error())
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
	return func(s *Service, c *wire.Call) wire.Answer { return s.manage(c, v["cluster"], v["pool"]) }, nil
}

func bindRemove(c *wire.Call, v vars) (handler, *refusal) {
	var in struct {
		Spec struct {
			Nodes []struct {
				ID string `json:"uid"`
			} `json:"nodes"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(c.Body, &in); err != nil {
		return nil, badRequest("The request body is not the JSON that is expected: " + err.Error())
	}
	for _, n := range in.Spec.Nodes {
		c.Servers = append(c.Servers, n.ID)
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
