package ecs

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Server is what a server truly is at a moment, whatever reads of the API may still show.
type Server struct {
	ID, Name, Project, Flavor, Zone string
	Status, TaskState, VMState      string
	Group                           string // its group's id, or empty
	Host                            string // its host's id, as reads show it
	Placed                          bool   // it came into its group by an add, which chose another host
	Busy                            bool   // an operation is going on
	Locked                          bool
	OSGeneration                    int      // how often its system was installed
	SecurityGroups                  []string // ids
}

// Group is what a group truly is at a moment.
type Group struct {
	ID, Name, Project string
	Policies, Members []string // members by id, in the order in which they joined
}

func (s *Service) view(v *server, t time.Time) Server {
	state := v.at(t)
	return Server{ID: v.ID, Name: v.Name, Project: v.Project, Flavor: v.Flavor, Zone: v.Zone, Status: state.Status,
		TaskState: state.taskState(), VMState: vmState(state.Status), Group: state.Group, Host: hostID(v, state), Placed: state.Placed,
		Busy: state.Op != nil, Locked: v.Locked, OSGeneration: state.OSGeneration,
		SecurityGroups: s.securityGroups(v, t)}
}

// Server returns the server with this id at t.
func (s *Service) Server(id string, t time.Time) (Server, bool) {
	v := s.servers[id]
	if v == nil {
		return Server{}, false
	}
	return s.view(v, t), true
}

// Servers returns all servers at t, in the world's order, project by project.
func (s *Service) Servers(t time.Time) []Server {
	all := make([]Server, 0, len(s.servers))
	for _, p := range s.sortedProjects() {
		for _, v := range p.servers {
			all = append(all, s.view(v, t))
		}
	}
	return all
}

// Group returns the group with this id at t.
func (s *Service) Group(id string, t time.Time) (Group, bool) {
	g := s.groups[id]
	if g == nil || !g.existsAt(t) {
		return Group{}, false
	}
	return Group{g.ID, g.Name, g.Project, g.Policies, g.membersAt(t)}, true
}

// Groups returns all groups at t, in the order of their making, project by project.
func (s *Service) Groups(t time.Time) []Group {
	var all []Group
	for _, p := range s.sortedProjects() {
		for _, g := range p.groups {
			if view, ok := s.Group(g.ID, t); ok {
				all = append(all, view)
			}
		}
	}
	return all
}

// Describe adds servers and groups as they are at t to a world. What is going on has not happened yet in it.
func (s *Service) Describe(all *world.World, t time.Time) {
	w := &all.Huawei
	for _, p := range s.sortedProjects() {
		for _, g := range p.groups {
			if g.existsAt(t) {
				w.Groups = append(w.Groups, g.Group)
			}
		}
		for _, v := range p.servers {
			state := v.at(t)
			now := v.Server
			now.Status, now.Group, now.Placed, now.OSGeneration = state.Status, state.Group, state.Placed, state.OSGeneration
			now.Image, now.Tags, now.SecurityGroups = state.Image, state.Tags, s.securityGroups(v, t)
			w.Servers = append(w.Servers, now)
		}
	}
}

func (s *Service) securityGroups(v *server, t time.Time) (ids []string) {
	for _, g := range s.network.GroupsOf(v.ID, t) {
		ids = append(ids, g.ID)
	}
	return ids
}
