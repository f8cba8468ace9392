package ecs

import (
	"encoding/json"
	"time"
)

// change is a set of objects as they are after a write. Applying the changes of all writes in order to the state
// before them gives the state after them.
type change struct {
	Next    int64     `json:"next"`
	Servers []*server `json:"servers,omitempty"`
	Groups  []*group  `json:"groups,omitempty"`
	Jobs    []*job    `json:"jobs,omitempty"`
	Network []any     `json:"network,omitempty"` // changes of the servers' ports
}

// Dump returns the whole state as a change, without the jobs and groups that nobody can see any more.
func (s *Service) Dump(now time.Time) any {
	all := &change{Next: s.next}
	for _, p := range s.sortedProjects() {
		all.Servers = append(all.Servers, p.servers...)
		for _, g := range p.groups {
			if g.existsAt(now) || g.existsAt(s.lagged(now)) {
				all.Groups = append(all.Groups, g)
			}
		}
	}
	for _, j := range s.jobs {
		if !j.forgotten(now, time.Duration(s.config.Knobs.JobRetention)) {
			all.Jobs = append(all.Jobs, j)
		}
	}
	return all
}

// Apply puts the objects of a change, in its JSON form, in place.
func (s *Service) Apply(data json.RawMessage) error {
	var c struct {
		change
		Network []json.RawMessage `json:"network"` // hides the change's own
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	s.next = c.Next
	for _, g := range c.Groups {
		s.putGroup(g)
	}
	for _, v := range c.Servers {
		s.putServer(v)
	}
	for _, j := range c.Jobs {
		s.jobs[j.ID] = j
	}
	for _, ports := range c.Network {
		if err := s.network.Apply(ports); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) putServer(v *server) {
	if old := s.servers[v.ID]; old != nil {
		*old = *v // lists and groups point to it
		v = old
	} else {
		s.addZone(v.Zone)
		p := s.project(v.Project)
		p.servers = append(p.servers, v)
		s.servers[v.ID] = v
	}
	for _, state := range v.Versions {
		s.index(v, state.Group)
		if state.Op != nil {
			s.index(v, state.Op.Group)
		}
	}
}

// index notes that v may be a member of a group.
func (s *Service) index(v *server, groupID string) {
	if g := s.groups[groupID]; g != nil {
		g.servers[v.ID] = v
	}
}

func (s *Service) putGroup(g *group) {
	if old := s.groups[g.ID]; old != nil {
		g.servers = old.servers
		*old = *g
		return
	}
	g.servers = map[string]*server{}
	s.groups[g.ID] = g
	p := s.project(g.Project)
	p.groups = append(p.groups, g)
}
