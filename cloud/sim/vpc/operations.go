package vpc

import (
	"net/url"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

type vars = huaweiapi.Vars

// operations lists what the simulator knows.
func operations() []huaweiapi.Operation[*Service] {
	const (
		v1 = "/v1/{project}/security-groups"
		v3 = "/v3/{project}/vpc/security-groups"
	)
	read := func(action, path, query string, serve func(*Service, *wire.Call, vars) wire.Answer) huaweiapi.Operation[*Service] {
		return huaweiapi.Operation[*Service]{Action: action, Method: "GET", Path: path, Query: query,
			Bind: huaweiapi.Plain(serve)}
	}
	return []huaweiapi.Operation[*Service]{
		read("ListSecurityGroups", v1, "limit marker enterprise_project_id", (*Service).listGroups),
		read("ShowSecurityGroup", v1+"/{group}", "", (*Service).showGroup),
		read("ListSecurityGroups", v3, "limit marker id name description enterprise_project_id", (*Service).listGroupsV3),
		read("ShowSecurityGroup", v3+"/{group}", "", (*Service).showGroupV3),
		read("ListPorts", "/v1/{project}/ports", "limit marker id device_id network_id mac_address security_groups fixed_ips",
			(*Service).listPorts),
		read("ShowQuota", "/v1/{project}/quotas", "type", (*Service).showQuota),
	}
}

// groupOf returns the caller's group with this id, or nil.
func (s *Service) groupOf(c *wire.Call, id string) *world.VPCSecurityGroup {
	if g := s.byID[id]; g != nil && g.Project == c.Project {
		return g
	}
	return nil
}

// matching returns the caller's groups that a query is for.
func (s *Service) matching(c *wire.Call) []*world.VPCSecurityGroup {
	query := c.HTTP.URL.Query()
	anyOf := func(name, value string) bool { return !query.Has(name) || slices.Contains(query[name], value) }
	var all []*world.VPCSecurityGroup
	for _, g := range s.groups {
		project := query.Get("enterprise_project_id")
		if g.Project == c.Project && anyOf("id", g.ID) && anyOf("name", g.Name) && anyOf("description", g.Description) &&
			(project == "" || project == allGranted || project == g.EnterpriseProject) {
			all = append(all, g)
		}
	}
	return all
}

// allGranted asks for the enterprise projects that the caller may see.
const allGranted = "all_granted_eps"

func groupID(g *world.VPCSecurityGroup) string { return g.ID }

func (s *Service) listGroups(c *wire.Call, _ vars) wire.Answer {
	page, _, wrong := huaweiapi.Page(s.matching(c), c.HTTP.URL.Query(), 2000, groupID)
	if wrong != "" {
		return s.Refusal(c, &huaweiapi.Refusal{Code: codeBadGroups, Message: "Query security groups error: " + wrong})
	}
	list := []groupBody{}
	for _, g := range page {
		list = append(list, s.newGroupBody(g))
	}
	return huaweiapi.Found(map[string]any{"security_groups": list})
}

func (s *Service) showGroup(c *wire.Call, v vars) wire.Answer {
	g := s.groupOf(c, v["group"])
	if g == nil {
		return s.Refusal(c, &huaweiapi.Refusal{Code: codeNoGroup, Message: "Security group does not exist."})
	}
	return huaweiapi.Found(map[string]any{"security_group": s.newGroupBody(g)})
}

func (s *Service) listGroupsV3(c *wire.Call, _ vars) wire.Answer {
	page, next, wrong := huaweiapi.Page(s.matching(c), c.HTTP.URL.Query(), 2000, groupID)
	if wrong != "" {
		return s.Refusal(c, &huaweiapi.Refusal{Code: codeBadV3, Message: wrong})
	}
	list := []groupBodyV3{}
	for _, g := range page {
		list = append(list, newGroupBodyV3(g))
	}
	info := pageInfo{Count: len(list), Next: next}
	if len(page) > 0 {
		info.Previous = page[0].ID
	}
	return huaweiapi.Found(map[string]any{"security_groups": list, "page_info": info, "request_id": c.RequestID})
}

func (s *Service) showGroupV3(c *wire.Call, v vars) wire.Answer {
	g := s.groupOf(c, v["group"])
	if g == nil {
		return s.Refusal(c, &huaweiapi.Refusal{Code: codeNotFoundV3, Message: "Security group " + v["group"] + " does not exist."})
	}
	body := groupWithRulesV3{newGroupBodyV3(g), s.rulesV3(g)}
	return huaweiapi.Found(map[string]any{"security_group": body, "request_id": c.RequestID})
}

func (s *Service) listPorts(c *wire.Call, _ vars) wire.Answer {
	t, query := s.lagged(c.Now), c.HTTP.URL.Query()
	candidates := s.order
	if server := query.Get("device_id"); server != "" {
		candidates = s.byServer[server]
	}
	var all []*port
	for _, p := range candidates {
		if p.Project == c.Project && p.there(t) && p.matches(query, p.at(t)) {
			all = append(all, p)
		}
	}
	page, _, wrong := huaweiapi.Page(all, query, 2000, func(p *port) string { return p.ID })
	if wrong != "" {
		return s.Refusal(c, &huaweiapi.Refusal{Code: codeBadPort, Message: wrong})
	}
	list := []portBody{}
	for _, p := range page {
		list = append(list, newPortBody(p, t))
	}
	return huaweiapi.Found(map[string]any{"ports": list})
}

// matches reports whether a port, which has these groups, is one that the query is for.
func (p *port) matches(query url.Values, groups []string) bool {
	is := func(name, value string) bool { return !query.Has(name) || slices.Contains(query[name], value) }
	in := func(name string, values ...string) bool {
		return !query.Has(name) || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(query[name], v) })
	}
	return is("id", p.ID) && is("device_id", p.Server) && is("network_id", p.Subnet) && is("mac_address", p.mac()) &&
		in("security_groups", groups...) && in("fixed_ips", "ip_address="+p.IP, "subnet_id="+p.Subnet)
}

func (s *Service) showQuota(c *wire.Call, _ vars) wire.Answer {
	groups, rules := 0, 0
	for _, g := range s.groups {
		if g.Project == c.Project {
			groups, rules = groups+1, rules+g.Rules
		}
	}
	all := []quotaBody{{"vpc", 1, 5, 0}, {"subnet", 1, 100, 0}, {"securityGroup", groups, s.quotas.SecurityGroups, 0},
		{"securityGroupRule", rules, s.quotas.SecurityGroupRules, 0}}
	wanted := []quotaBody{}
	for _, q := range all {
		if kind := c.HTTP.URL.Query().Get("type"); kind == "" || kind == q.Type {
			wanted = append(wanted, q)
		}
	}
	return huaweiapi.Found(map[string]any{"quotas": map[string]any{"resources": wanted}})
}
