package ecs

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// handler serves a recognised call from the state.
type handler func(s *Service, c *wire.Call) wire.Answer

// route is one line of the API reference. Its bind looks at path variables and body, fills in what the call is
// about, and chooses the handler.
type route struct {
	method   string
	segments []string // of the path; {name} stands for any one
	action   string
	write    bool
	bind     func(c *wire.Call, vars map[string]string) (handler, *refusal)
}

func read(path, action string, bind func(*wire.Call, map[string]string) (handler, *refusal)) route {
	return route{http.MethodGet, strings.Split(path, "/"), action, false, bind}
}

func write(method, path, action string, bind func(*wire.Call, map[string]string) (handler, *refusal)) route {
	return route{method, strings.Split(path, "/"), action, true, bind}
}

// routes lists what the simulator knows; the first match wins.
func routes() []route {
	const (
		servers = "/v1/{project}/cloudservers"
		groups  = servers + "/os-server-groups"
	)
	return []route{
		write("POST", servers+"/action", "BatchPowerServers", bindPower),
		read(servers+"/detail", "ListServersDetails", bindListServers),
		read(servers+"/flavors", "ListFlavors", bindNothing(listFlavors)),
		read(servers+"/limits", "ShowServerLimits", bindNothing(showLimits)),
		read(groups, "ListServerGroups", bindNothing(listGroups)),
		write("POST", groups, "CreateServerGroup", bindCreateGroup),
		read(groups+"/{group}", "ShowServerGroup", bindNothing(showGroup)),
		write("DELETE", groups+"/{group}", "DeleteServerGroup", bindNothing(deleteGroup)),
		write("POST", groups+"/{group}/action", "ServerGroupAction", bindMember),
		write("POST", groups+"/{group}/add_members", "BatchAddServerGroupMember", bindMembers((*Service).join)),
		write("POST", groups+"/{group}/remove_members", "BatchDeleteServerGroupMember", bindMembers((*Service).leave)),
		read(servers+"/{server}", "ShowServer", bindNothing(showServer)),
		read("/v1/{project}/jobs/{job}", "ShowJob", bindShowJob),
		read("/v2.1/{project}/flavors/{flavor}/os-extra_specs", "NovaShowFlavorExtraSpecs", bindExtraSpecs),
	}
}

// Name is the service's name in the state directory.
func (s *Service) Name() string { return "ecs" }

// Route recognises a request by method and path, and by the body where one path serves several actions.
func (s *Service) Route(c *wire.Call) (mine bool, refusal *wire.Answer) {
	path := c.HTTP.URL.Path
	if !strings.HasPrefix(path, "/v1/") && !strings.HasPrefix(path, "/v2.1/") {
		return false, nil
	}
	segments := strings.Split(path, "/")
	c.Project = segments[2]
	for _, route := range s.routes {
		if route.method != c.HTTP.Method || !matches(route.segments, segments) {
			continue
		}
		vars := variables(route.segments, segments)
		c.Call = fault.Call{Action: route.action, Write: route.write, Group: vars["group"]}
		if id := vars["server"]; id != "" {
			c.Servers = []string{id}
		}
		h, refused := route.bind(c, vars)
		c.Input = h
		if refused != nil {
			answer := s.refuse(c, refused)
			return true, &answer
		}
		return true, nil
	}
	c.Action = c.HTTP.Method + " " + path
	c.Write = c.HTTP.Method != http.MethodGet
	answer := s.refuse(c, unimplemented(c.Action))
	return true, &answer
}

// matches compares a path with a pattern of literal segments and {variables}.
func matches(pattern, path []string) bool {
	return slices.EqualFunc(pattern, path, func(want, got string) bool {
		return want == got || strings.HasPrefix(want, "{")
	})
}

func variables(pattern, path []string) map[string]string {
	vars := map[string]string{}
	for i, want := range pattern {
		if name, isVar := strings.CutPrefix(want, "{"); isVar {
			vars[strings.TrimSuffix(name, "}")] = path[i]
		}
	}
	return vars
}

// Serve runs the handler that Route chose.
func (s *Service) Serve(c *wire.Call) wire.Answer { return c.Input.(handler)(s, c) }

func bindNothing(h handler) func(*wire.Call, map[string]string) (handler, *refusal) {
	return func(*wire.Call, map[string]string) (handler, *refusal) { return h, nil }
}

// decode reads a JSON body as leniently as the real service: unknown fields do not matter.
func decode(c *wire.Call, into any) *refusal {
	if err := json.Unmarshal(c.Body, into); err != nil {
		return &refusal{"Common.0002", "The request body is not the JSON that is expected: " + err.Error()}
	}
	return nil
}

// keys names the fields of a JSON object, for saying which action in it is unknown.
func keys(c *wire.Call) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(c.Body, &fields) != nil || len(fields) == 0 {
		return c.Action + " without an action in its body"
	}
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return "the action " + strings.Join(names, ", ")
}

func bindPower(c *wire.Call, _ map[string]string) (handler, *refusal) {
	type list struct {
		Type    string `json:"type"`
		Servers []struct {
			ID string `json:"id"`
		} `json:"servers"`
	}
	var in struct {
		Stop  *list `json:"os-stop"`
		Start *list `json:"os-start"`
	}
	if r := decode(c, &in); r != nil {
		return nil, r
	}
	p := power{kind: opStop, project: c.Project}
	chosen := in.Stop
	switch {
	case in.Stop != nil:
		c.Action = "BatchStopServers"
	case in.Start != nil:
		c.Action = "BatchStartServers"
		p.kind, chosen = opStart, in.Start
	default:
		return nil, unimplemented(keys(c))
	}
	for _, v := range chosen.Servers {
		c.Servers = append(c.Servers, v.ID)
	}
	switch chosen.Type {
	case "", "SOFT":
	case "HARD":
		p.hard = true
	default:
		return nil, badRequest("The type " + chosen.Type + " is neither SOFT nor HARD.")
	}
	p.servers = c.Servers
	return func(s *Service, c *wire.Call) wire.Answer {
		p.now, p.rule = c.Now, c.Rule
		changes := &change{}
		j, effect, r := s.power(p, changes)
		if r != nil {
			return s.refuse(c, r)
		}
		return s.done(changes, effect, map[string]string{"job_id": j.ID})
	}, nil
}

// done is the success answer of a write.
func (s *Service) done(changes *change, effect string, body any) wire.Answer {
	changes.Next = s.next
	return wire.Answer{Status: http.StatusOK, Body: body, Effect: effect, Change: changes}
}

func (s *Service) membership(c *wire.Call, server string) membership {
	return membership{project: c.Project, group: c.Group, server: server, now: c.Now, rule: c.Rule}
}

func bindMember(c *wire.Call, _ map[string]string) (handler, *refusal) {
	type member struct {
		UUID string `json:"instance_uuid"`
	}
	var in struct {
		Add    *member `json:"add_member"`
		Remove *member `json:"remove_member"`
	}
	if r := decode(c, &in); r != nil {
		return nil, r
	}
	do, chosen := (*Service).join, in.Add
	switch {
	case in.Add != nil:
		c.Action = "AddServerGroupMember"
	case in.Remove != nil:
		c.Action = "DeleteServerGroupMember"
		do, chosen = (*Service).leave, in.Remove
	default:
		return nil, unimplemented(keys(c))
	}
	if chosen.UUID == "" {
		return nil, badRequest("instance_uuid is missing.")
	}
	c.Servers = []string{chosen.UUID}
	return func(s *Service, c *wire.Call) wire.Answer {
		changes := &change{}
		effect, r := do(s, s.membership(c, chosen.UUID), changes)
		if r != nil {
			return s.refuse(c, r)
		}
		return s.done(changes, effect, nil)
	}, nil
}

// bindMembers serves the batch forms, which do what they can and tell per server what they could not (H8).
func bindMembers(do func(*Service, membership, *change) (string, *refusal)) func(
	*wire.Call, map[string]string) (handler, *refusal) {
	return func(c *wire.Call, _ map[string]string) (handler, *refusal) {
		var in struct {
			Servers []string `json:"server_ids"`
		}
		if r := decode(c, &in); r != nil {
			return nil, r
		}
		if len(in.Servers) == 0 {
			return nil, badRequest("server_ids is empty.")
		}
		c.Servers = in.Servers
		return func(s *Service, c *wire.Call) wire.Answer { return s.doMembers(c, do) }, nil
	}
}

func (s *Service) doMembers(c *wire.Call, do func(*Service, membership, *change) (string, *refusal)) wire.Answer {
	if g := s.groups[c.Group]; g == nil || g.Project != c.Project || !g.existsAt(c.Now) {
		return s.refuse(c, s.noGroup(c.Group))
	}
	changes := &change{}
	body := batchBody{Status: "success"}
	count := map[string]int{}
	for _, id := range c.Servers {
		effect, r := do(s, s.membership(c, id), changes)
		count[effect]++
		row := batchRow{Status: "success", Server: id}
		if r != nil {
			row.Status, row.Reason, body.Status = "fail", r.code+": "+r.message, "fail"
		}
		body.Servers = append(body.Servers, row)
	}
	effect := journal.None
	switch {
	case count[journal.Changed] > 0:
		effect = journal.Changed
	case count[journal.Refused] == len(c.Servers):
		effect = journal.Refused
	}
	return s.done(changes, effect, body)
}

func bindCreateGroup(c *wire.Call, _ map[string]string) (handler, *refusal) {
	var in struct {
		Group *struct {
			Name     string   `json:"name"`
			Policies []string `json:"policies"`
		} `json:"server_group"`
	}
	if r := decode(c, &in); r != nil {
		return nil, r
	}
	if in.Group == nil || in.Group.Name == "" {
		return nil, badRequest("server_group.name is missing.")
	}
	return func(s *Service, c *wire.Call) wire.Answer {
		g, r := s.createGroup(c.Project, in.Group.Name, in.Group.Policies, c.Now)
		if r != nil {
			return s.refuse(c, r)
		}
		changes := &change{Groups: []*group{g}}
		return s.done(changes, journal.Changed, groupReply{newGroupBody(g, nil)})
	}, nil
}

func deleteGroup(s *Service, c *wire.Call) wire.Answer {
	g := s.groups[c.Group]
	if g == nil || g.Project != c.Project || !g.existsAt(c.Now) {
		return s.refuse(c, s.noGroup(c.Group))
	}
	changes := &change{}
	s.deleteGroup(g, c.Now, changes)
	a := s.done(changes, journal.Changed, nil)
	a.Status = http.StatusNoContent
	return a
}
