package ecs

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/vpc"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func found(body any) wire.Answer { return huaweiapi.Found(body) }

func (s *Service) showServer(c *wire.Call, _ vars) wire.Answer {
	v := s.servers[c.Servers[0]]
	if v == nil || v.Project != c.Project {
		return s.Refusal(c, s.noServer(c.Servers[0]))
	}
	return found(serverReply{s.newServerBody(v, s.lagged(c.Now))})
}

// listQuery is a checked query of ListServersDetails.
type listQuery struct {
	ids                                         []string
	name, status, flavor, tags, notTags, marker string
	ip, exactIP, project                        string
	limit, page                                 int
}

func bindListServers(c *wire.Call, _ vars) (handler, *refusal) {
	query := c.HTTP.URL.Query()
	q := listQuery{name: query.Get("name"), status: query.Get("status"), flavor: query.Get("flavor"), tags: query.Get("tags"),
		notTags: query.Get("not-tags"), marker: query.Get("marker"), ip: query.Get("ip"), exactIP: query.Get("ip_eq"),
		project: query.Get("enterprise_project_id")}
	if ids := query.Get("server_id"); ids != "" {
		q.ids = strings.Split(ids, ",")
	}
	var bad, wrong string
	q.limit, bad = huaweiapi.Whole(query, "limit", 1, 1000, 25)
	q.page, wrong = huaweiapi.Whole(query, "offset", 0, 1<<31-1, 1)
	if bad += wrong; bad != "" {
		return nil, badRequest(bad)
	}
	c.Servers = q.ids
	return func(s *Service, c *wire.Call) wire.Answer { return s.listServers(c, q) }, nil
}

func (s *Service) listServers(c *wire.Call, q listQuery) wire.Answer {
	t := s.lagged(c.Now)
	if q.ids != nil {
		return found(s.listByID(c.Project, q.ids, t))
	}
	matching := s.inProject(c.Project).servers
	if q.filters() {
		matching = nil
		for _, v := range s.inProject(c.Project).servers {
			if s.matches(q, v, t) {
				matching = append(matching, v)
			}
		}
	}
	body := serverList{Count: len(matching), Servers: []any{}}
	from := (max(q.page, 1) - 1) * q.limit
	if q.marker != "" {
		from = 1 + slices.IndexFunc(matching, func(v *server) bool { return v.ID == q.marker })
		if from == 0 {
			return s.Refusal(c, badRequest("The marker "+q.marker+" is not in the list."))
		}
	}
	from = min(from, len(matching))
	for _, v := range matching[from:min(from+q.limit, len(matching))] {
		body.Servers = append(body.Servers, s.newServerBody(v, t))
	}
	return found(body)
}

func (q listQuery) filters() bool {
	q.limit, q.page, q.marker = 0, 0, ""
	return !reflect.ValueOf(q).IsZero()
}

// allGranted asks for the enterprise projects that the caller may see.
const allGranted = "all_granted_eps"

// matches reports whether a server is one that the query is for. A name, an address and a tag, written as in the server,
// are those that have the text in them (H17).
func (s *Service) matches(q listQuery, v *server, t time.Time) bool {
	state := v.at(t)
	tagged := func(text string) bool {
		return slices.ContainsFunc(state.Tags, func(tag string) bool { return strings.Contains(tag, text) })
	}
	addressed := func(fits func(address string) bool) bool {
		return slices.ContainsFunc(s.network.NICs(v.ID), func(nic vpc.NIC) bool { return fits(nic.IP) })
	}
	return strings.Contains(v.Name, q.name) && (q.flavor == "" || q.flavor == v.Flavor) &&
		(q.status == "" || q.status == state.Status) && (q.tags == "" || tagged(q.tags)) &&
		(q.notTags == "" || !tagged(q.notTags)) &&
		(q.project == "" || q.project == allGranted || q.project == v.EnterpriseProject) &&
		(q.ip == "" || addressed(func(address string) bool { return strings.Contains(address, q.ip) })) &&
		(q.exactIP == "" || addressed(func(address string) bool { return address == q.exactIP }))
}

// inProject is project for reads, which must not change the map.
func (s *Service) inProject(id string) *project {
	if p := s.projects[id]; p != nil {
		return p
	}
	return &project{}
}

// listByID answers a list of ids; an id that does not exist gets a row too.
func (s *Service) listByID(projectID string, ids []string, t time.Time) serverList {
	body := serverList{Count: len(ids), Servers: make([]any, len(ids))}
	for i, id := range ids {
		if v := s.servers[id]; v != nil && v.Project == projectID {
			body.Servers[i] = s.newServerBody(v, t)
			continue
		}
		body.Servers[i] = missingServer{ID: id, Fault: map[string]any{"code": 404, "message": s.noServer(id).Message}}
	}
	return body
}

func (s *Service) showGroup(c *wire.Call, _ vars) wire.Answer {
	g, t := s.groups[c.Group], s.lagged(c.Now)
	if g != nil && t.Before(g.Created) && !s.config.Knobs.LagHidesNew {
		t = c.Now // its maker has the id (H18)
	}
	if g == nil || g.Project != c.Project || !g.existsAt(t) {
		return s.Refusal(c, s.noGroup(c.Group))
	}
	return found(groupReply{newGroupBody(g, g.membersAt(t))})
}

func (s *Service) listGroups(c *wire.Call, _ vars) wire.Answer {
	t := s.lagged(c.Now)
	var visible []*group
	for _, g := range s.inProject(c.Project).groups {
		if g.existsAt(t) {
			visible = append(visible, g)
		}
	}
	page, next, wrong := huaweiapi.Page(visible, c.HTTP.URL.Query(), 1000, func(g *group) string { return g.ID })
	if wrong != "" {
		return s.Refusal(c, badRequest(wrong))
	}
	body := groupList{Groups: []groupBody{}, Page: pageInfo{next}}
	for _, g := range page {
		body.Groups = append(body.Groups, newGroupBody(g, g.membersAt(t)))
	}
	return found(body)
}

func (s *Service) showLimits(c *wire.Call, _ vars) wire.Answer {
	t := s.lagged(c.Now)
	limits := serverLimits{MaxGroups: s.config.Quotas.ServerGroups, MaxMembers: s.config.Quotas.ServerGroupMembers,
		MaxInstances: 100_000, MaxCores: 1_000_000, MaxRAM: 1_000_000_000, MaxImageMeta: 128, MaxServerMeta: 128,
		MaxPersonality: 5, MaxPersonalitySize: 10240, MaxKeypairs: 100, MaxFloatingIPs: 10,
		MaxSecurityGroups: s.config.Quotas.SecurityGroups, MaxSecurityGroupRules: s.config.Quotas.SecurityGroupRules,
		SecurityGroupsUsed: s.network.GroupsIn(c.Project), ByFlavor: []struct{}{}}
	for _, g := range s.inProject(c.Project).groups {
		if g.existsAt(t) {
			limits.GroupsUsed++
		}
	}
	for _, v := range s.inProject(c.Project).servers {
		f := s.flavors[v.Flavor]
		limits.InstancesUsed++
		limits.CoresUsed += f.VCPUs
		limits.RAMUsed += f.RAMMiB
	}
	return found(map[string]serverLimits{"absolute": limits})
}

func (s *Service) listFlavors(c *wire.Call, _ vars) wire.Answer {
	query := c.HTTP.URL.Query()
	var listed []world.Flavor
	for _, f := range s.config.Flavors {
		id, zone := query.Get("flavor_id"), query.Get("availability_zone")
		if !f.Abandoned && (id == "" || id == f.ID) && (zone == "" || slices.Contains(s.soldIn(f), zone)) {
			listed = append(listed, f)
		}
	}
	page, _, wrong := huaweiapi.Page(listed, query, 1000, func(f world.Flavor) string { return f.ID })
	if wrong != "" {
		return s.Refusal(c, badRequest(wrong))
	}
	body := flavorList{Flavors: []flavorBody{}}
	for _, f := range page {
		body.Flavors = append(body.Flavors, s.newFlavorBody(f))
	}
	return found(body)
}

func (s *Service) showExtraSpecs(c *wire.Call, v vars) wire.Answer {
	f, ok := s.flavors[v["flavor"]]
	if !ok {
		return s.Refusal(c, &refusal{Code: "itemNotFound", Message: "Flavor " + v["flavor"] + " could not be found."})
	}
	return found(map[string]any{"extra_specs": s.extraSpecs(f)})
}

func (s *Service) showJob(c *wire.Call, v vars) wire.Answer {
	j := s.jobs[v["job"]]
	if j == nil || j.Project != c.Project || j.forgotten(c.Now, time.Duration(s.config.Knobs.JobRetention)) {
		return s.Refusal(c, &refusal{Code: "Common.0011", Message: "The job " + v["job"] + " does not exist."})
	}
	return found(newJobBody(j, c.Now))
}
