package ecs

import (
	"net/http"

	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

type (
	handler = huaweiapi.Handler[*Service]
	vars    = huaweiapi.Vars
)

// operations lists what the simulator knows; the first match wins.
func operations() []huaweiapi.Operation[*Service] {
	const (
		servers = "/v1/{project}/cloudservers"
		groups  = servers + "/os-server-groups"
		nova    = "/v2.1/{project}"
	)
	line := func(method, path, action string, bind func(*wire.Call, vars) (handler, *refusal)) huaweiapi.Operation[*Service] {
		return huaweiapi.Operation[*Service]{Action: action, Method: method, Path: path, Bind: bind}
	}
	read := func(path, action, query string, serve func(*Service, *wire.Call, vars) wire.Answer) huaweiapi.Operation[*Service] {
		return huaweiapi.Operation[*Service]{Action: action, Method: "GET", Path: path, Query: query,
			Bind: huaweiapi.Plain(serve)}
	}
	list := line("GET", servers+"/detail", "ListServersDetails", bindListServers)
	list.Query = "server_id name status flavor tags not-tags ip ip_eq enterprise_project_id marker limit offset"
	return []huaweiapi.Operation[*Service]{
		line("POST", servers+"/action", "BatchPowerServers", bindPower),
		list,
		read(servers+"/flavors", "ListFlavors", "flavor_id availability_zone limit marker", (*Service).listFlavors),
		read(servers+"/limits", "ShowServerLimits", "", (*Service).showLimits),
		read(groups, "ListServerGroups", "limit marker", (*Service).listGroups),
		line("POST", groups, "CreateServerGroup", bindCreateGroup),
		read(groups+"/{group}", "ShowServerGroup", "", (*Service).showGroup),
		line("DELETE", groups+"/{group}", "DeleteServerGroup", huaweiapi.Plain((*Service).serveDeleteGroup)),
		line("POST", groups+"/{group}/action", "ServerGroupAction", bindMember),
		line("POST", groups+"/{group}/add_members", "BatchAddServerGroupMember", bindMembers((*Service).join)),
		line("POST", groups+"/{group}/remove_members", "BatchDeleteServerGroupMember", bindMembers((*Service).leave)),
		read(servers+"/tags", "ListServerTags", "", (*Service).listTags),
		read(servers+"/{server}/tags", "ShowServerTags", "", (*Service).showTags),
		line("POST", servers+"/{server}/tags/action", "ServerTagsAction", bindTags),
		read(servers+"/{server}", "ShowServer", "", (*Service).showServer),
		read("/v1/{project}/jobs/{job}", "ShowJob", "", (*Service).showJob),
		read(nova+"/flavors/{flavor}/os-extra_specs", "NovaShowFlavorExtraSpecs", "", (*Service).showExtraSpecs),
		line("POST", nova+"/servers/{server}/action", "NovaServerAction", bindNovaAction),
		read(nova+"/servers/{server}/os-security-groups", "NovaListServerSecurityGroups", "",
			(*Service).listSecurityGroups),
	}
}

// decode reads a JSON body.
func decode(c *wire.Call, into any) *refusal { return huaweiapi.Decode(c, into, "Common.0002") }

func bindPower(c *wire.Call, _ vars) (handler, *refusal) {
	type list struct {
		Type    string `json:"type"`
		Servers []struct {
			ID string `json:"id"`
		} `json:"servers"`
	}
	var in struct {
		Stop   *list `json:"os-stop"`
		Start  *list `json:"os-start"`
		Reboot *list `json:"reboot"`
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
	case in.Reboot != nil:
		c.Action = "BatchRebootServers"
		p.kind, chosen = opReboot, in.Reboot
	default:
		return nil, huaweiapi.Unimplemented(c.Action + " without an action in its body")
	}
	for _, v := range chosen.Servers {
		c.Servers = append(c.Servers, v.ID)
	}
	switch chosen.Type {
	case "":
		if p.kind == opReboot {
			return nil, badRequest("The type of the reboot is missing.")
		}
	case "SOFT":
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
			return s.Refusal(c, r)
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

func bindMember(c *wire.Call, _ vars) (handler, *refusal) {
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
		return nil, huaweiapi.Unimplemented(c.Action + " without an action in its body")
	}
	if chosen.UUID == "" {
		return nil, badRequest("instance_uuid is missing.")
	}
	c.Servers = []string{chosen.UUID}
	return func(s *Service, c *wire.Call) wire.Answer {
		changes := &change{}
		effect, r := do(s, s.membership(c, chosen.UUID), changes)
		if r != nil {
			return s.Refusal(c, r)
		}
		return s.done(changes, effect, nil)
	}, nil
}

// bindMembers serves the batch forms, which do what they can and tell per server what they could not (H8).
func bindMembers(do func(*Service, membership, *change) (string, *refusal)) func(
	*wire.Call, vars) (handler, *refusal) {
	return func(c *wire.Call, _ vars) (handler, *refusal) {
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
		return s.Refusal(c, s.noGroup(c.Group))
	}
	changes := &change{}
	body := batchBody{Status: "success"}
	count := map[string]int{}
	for _, id := range c.Servers {
		effect, r := do(s, s.membership(c, id), changes)
		count[effect]++
		row := batchRow{Status: "success", Server: id}
		if r != nil {
			row.Status, row.Reason, body.Status = "fail", r.Code+": "+r.Message, "fail"
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

func bindCreateGroup(c *wire.Call, _ vars) (handler, *refusal) {
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
			return s.Refusal(c, r)
		}
		changes := &change{Groups: []*group{g}}
		return s.done(changes, journal.Changed, groupReply{newGroupBody(g, nil)})
	}, nil
}

func (s *Service) serveDeleteGroup(c *wire.Call, _ vars) wire.Answer {
	g := s.groups[c.Group]
	if g == nil || g.Project != c.Project || !g.existsAt(c.Now) {
		return s.Refusal(c, s.noGroup(c.Group))
	}
	changes := &change{}
	s.deleteGroup(g, c.Now, changes)
	a := s.done(changes, journal.Changed, nil)
	a.Status = http.StatusNoContent
	return a
}
