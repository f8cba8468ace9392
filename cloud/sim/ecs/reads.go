package ecs

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func found(body any) wire.Answer { return wire.Answer{Status: http.StatusOK, Body: body} }

func showServer(s *Service, c *wire.Call) wire.Answer {
	v := s.servers[c.Servers[0]]
	if v == nil || v.Project != c.Project {
		return s.refuse(c, s.noServer(c.Servers[0]))
	}
	return found(serverReply{s.newServerBody(v, s.lagged(c.Now))})
}

// listQuery is a checked query of ListServersDetails.
type listQuery struct {
	ids                                []string
	name, status, flavor, tags, marker string
	limit, page                        int
}

func bindListServers(c *wire.Call, _ map[string]string) (handler, *refusal) {
	q := listQuery{limit: 25, page: 1}
	for key, values := range c.HTTP.URL.Query() {
		value := values[0]
		var r *refusal
		switch key {
		case "server_id":
			q.ids = strings.Split(value, ",")
		case "name":
			q.name = value
		case "status":
			q.status = value
		case "flavor":
			q.flavor = value
		case "tags":
			q.tags = value
		case "marker":
			q.marker = value
		case "limit":
			q.limit, r = whole(key, value, 1, 1000)
		case "offset":
			q.page, r = whole(key, value, 0, 1<<31-1)
		default:
			r = unimplemented("the filter " + key + " of ListServersDetails")
		}
		if r != nil {
			return nil, r
		}
	}
	c.Servers = q.ids
	return func(s *Service, c *wire.Call) wire.Answer { return s.listServers(c, q) }, nil
}

// whole reads a query value that must be a whole number from least to most.
func whole(key, value string, least, most int) (int, *refusal) {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		return 0, badRequest("The value " + value + " of " + key + " is not a number from " +
			strconv.Itoa(least) + " to " + strconv.Itoa(most) + ".")
	}
	return n, nil
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
			if q.matches(v, t) {
				matching = append(matching, v)
			}
		}
	}
	body := serverList{Count: len(matching), Servers: []any{}}
	from := (max(q.page, 1) - 1) * q.limit
	if q.marker != "" {
		from = 1 + slices.IndexFunc(matching, func(v *server) bool { return v.ID == q.marker })
		if from == 0 {
			return s.refuse(c, badRequest("The marker "+q.marker+" is not in the list."))
		}
	}
	from = min(from, len(matching))
	for _, v := range matching[from:min(from+q.limit, len(matching))] {
		body.Servers = append(body.Servers, s.newServerBody(v, t))
	}
	return found(body)
}

func (q listQuery) filters() bool {
	return q.name != "" || q.status != "" || q.flavor != "" || q.tags != ""
}

// matches reports whether a server is one that the query is for. A name and a tag, written as in the server, are those
// that have the text in them (H17).
func (q listQuery) matches(v *server, t time.Time) bool {
	return strings.Contains(v.Name, q.name) && (q.flavor == "" || q.flavor == v.Flavor) &&
		(q.status == "" || q.status == v.at(t).Status) &&
		(q.tags == "" || slices.ContainsFunc(v.Tags, func(tag string) bool { return strings.Contains(tag, q.tags) }))
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
		body.Servers[i] = missingServer{ID: id, Fault: map[string]any{"code": 404, "message": s.noServer(id).message}}
	}
	return body
}

func showGroup(s *Service, c *wire.Call) wire.Answer {
	g, t := s.groups[c.Group], s.lagged(c.Now)
	if g == nil || g.Project != c.Project || !g.existsAt(t) {
		return s.refuse(c, s.noGroup(c.Group))
	}
	return found(groupReply{newGroupBody(g, g.membersAt(t))})
}

func listGroups(s *Service, c *wire.Call) wire.Answer {
	t := s.lagged(c.Now)
	var visible []*group
	for _, g := range s.inProject(c.Project).groups {
		if g.existsAt(t) {
			visible = append(visible, g)
		}
	}
	page, next, r := pageOf(visible, c.HTTP.URL.Query(), func(g *group) string { return g.ID })
	if r != nil {
		return s.refuse(c, r)
	}
	body := groupList{Groups: []groupBody{}, Page: pageInfo{next}}
	for _, g := range page {
		body.Groups = append(body.Groups, newGroupBody(g, g.membersAt(t)))
	}
	return found(body)
}

// pageOf cuts the page that limit and marker ask for, and returns the marker of the next one, if there is one.
func pageOf[T any](all []T, query url.Values, id func(T) string) (page []T, next *string, r *refusal) {
	limit := 1000
	if text := query.Get("limit"); text != "" {
		if limit, r = whole("limit", text, 1, 1000); r != nil {
			return nil, nil, r
		}
	}
	from := 0
	if marker := query.Get("marker"); marker != "" {
		from = 1 + slices.IndexFunc(all, func(x T) bool { return id(x) == marker })
		if from == 0 {
			return nil, nil, badRequest("The marker " + marker + " is not in the list.")
		}
	}
	page = all[from:min(from+limit, len(all))]
	if from+limit < len(all) {
		last := id(page[len(page)-1])
		next = &last
	}
	return page, next, nil
}

func showLimits(s *Service, c *wire.Call) wire.Answer {
	t := s.lagged(c.Now)
	limits := serverLimits{MaxGroups: s.config.Quotas.ServerGroups, MaxMembers: s.config.Quotas.ServerGroupMembers,
		MaxInstances: 100_000, MaxCores: 1_000_000, MaxRAM: 1_000_000_000}
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

func listFlavors(s *Service, c *wire.Call) wire.Answer {
	query := c.HTTP.URL.Query()
	var listed []world.Flavor
	for _, f := range s.config.Flavors {
		if id := query.Get("flavor_id"); !f.Abandoned && (id == "" || id == f.ID) {
			listed = append(listed, f)
		}
	}
	page, _, r := pageOf(listed, query, func(f world.Flavor) string { return f.ID })
	if r != nil {
		return s.refuse(c, r)
	}
	body := flavorList{Flavors: []flavorBody{}}
	for _, f := range page {
		body.Flavors = append(body.Flavors, s.newFlavorBody(f))
	}
	return found(body)
}

func bindExtraSpecs(_ *wire.Call, vars map[string]string) (handler, *refusal) {
	return func(s *Service, c *wire.Call) wire.Answer {
		f, ok := s.flavors[vars["flavor"]]
		if !ok {
			return s.refuse(c, &refusal{"itemNotFound", "Flavor " + vars["flavor"] + " could not be found."})
		}
		return found(map[string]any{"extra_specs": s.extraSpecs(f)})
	}, nil
}

func bindShowJob(_ *wire.Call, vars map[string]string) (handler, *refusal) {
	return func(s *Service, c *wire.Call) wire.Answer {
		j := s.jobs[vars["job"]]
		if j == nil || j.Project != c.Project || j.forgotten(c.Now, time.Duration(s.config.Knobs.JobRetention)) {
			return s.refuse(c, &refusal{"Common.0011", "The job " + vars["job"] + " does not exist."})
		}
		return found(newJobBody(j, c.Now))
	}, nil
}
