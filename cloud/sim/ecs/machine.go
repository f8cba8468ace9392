package ecs

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// What other services of the cloud, such as its clusters, see of servers and do to them. Like Serve, what changes
// something is called by the core's writers alone; a change that it returns belongs into the caller's own.

// Machine is a server as it truly is at a moment, for the preconditions of another service.
type Machine struct {
	world.Server // Status, Group, OSGeneration and Image are those of the moment
	Busy         bool
	Reinstalling bool
	Flavor       world.Flavor
}

// Machine returns the server with this id in a project at t.
func (s *Service) Machine(project, id string, t time.Time) (Machine, bool) {
	v := s.servers[id]
	if v == nil || v.Project != project {
		return Machine{}, false
	}
	state := v.at(t)
	m := Machine{Server: v.Server, Flavor: s.flavors[v.Server.Flavor], Busy: state.Op != nil,
		Reinstalling: state.Op != nil && state.Op.Kind == opReinstall}
	m.Status, m.Group, m.OSGeneration, m.Image = state.Status, state.Group, state.OSGeneration, state.Image
	m.Tags = state.Tags
	return m, true
}

// Reinstall wipes a server's disks at now and installs its system anew from the image, until the given moment; the zero
// time is never. A reinstallation that is under way is cut off: its system is lost too.
func (s *Service) Reinstall(id, image string, now, until time.Time) any {
	v := s.servers[id]
	v.Ops++
	state := v.at(now)
	state.Status, state.Image = "REBUILD", image
	state.OSGeneration++
	state.Op = &operation{Kind: opReinstall, Until: until}
	return s.changed(v, state, now)
}

// Destroy deletes a server at now. It stays in the lists, as DELETED, so that everybody can see what was done.
func (s *Service) Destroy(id string, now time.Time) any {
	v := s.servers[id]
	state := v.at(now)
	state.Status, state.Group, state.Placed, state.Op = "DELETED", "", false, nil
	changes := s.changed(v, state, now)
	changes.Network = append(changes.Network, s.network.Release(id, now))
	return changes
}

func (s *Service) changed(v *server, state version, now time.Time) *change {
	v.set(state, now, s.lagged(now))
	return &change{Next: s.next, Servers: []*server{v}}
}

// Address returns a server's private address, "" if it has none.
func (s *Service) Address(id string) string {
	if nics := s.network.NICs(id); len(nics) > 0 {
		return nics[0].IP
	}
	return ""
}

type networkInterface struct {
	Port    string   `json:"port_id"`
	Primary bool     `json:"primary"`
	IPs     []string `json:"ip_addresses"`
	Subnet  string   `json:"subnet_id"`
}

func (s *Service) interfaces(v *server) []networkInterface {
	all := []networkInterface{}
	for i, nic := range s.network.NICs(v.ID) {
		all = append(all, networkInterface{Port: nic.Port, Primary: i == 0, IPs: []string{nic.IP}, Subnet: nic.Subnet})
	}
	return all
}

func (s *Service) addresses(v *server) []serverAddress {
	all := []serverAddress{}
	for _, nic := range s.network.NICs(v.ID) {
		all = append(all, serverAddress{Version: "4", Addr: nic.IP, Type: "fixed", MAC: nic.MAC, Port: nic.Port})
	}
	return all
}
