package vpc

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// port is a network interface of a server.
type port struct {
	ID      string    `json:"id"`
	Server  string    `json:"server"`
	Project string    `json:"project"`
	VPC     string    `json:"vpc"`
	Subnet  string    `json:"subnet"`
	Zone    string    `json:"zone"`
	IP      string    `json:"ip"`
	Changes int       `json:"changes,omitempty"` // accepted so far; varies the random draws
	Gone    time.Time `json:"gone,omitzero"`     // zero: it is there
	// Bindings are oldest first, never empty, and may begin in the future; older ones only as the read lag needs them.
	Bindings []binding `json:"bindings"`
}

// binding is what security groups a port has from a moment on, until the next.
type binding struct {
	Since  time.Time `json:"since,omitzero"`
	Groups []string  `json:"groups"`
}

func newPort(seed int64, v world.Server, nic int) *port {
	name := fmt.Sprint(v.ID, "/", nic)
	return &port{ID: world.ID(seed, "port", name), Server: v.ID, Project: v.Project, VPC: v.VPC, Subnet: v.Subnet,
		Zone: v.Zone, IP: address(name), Bindings: []binding{{Groups: v.SecurityGroups}}}
}

func hash(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text))
	return h.Sum32()
}

func address(name string) string {
	n := hash(name)
	return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

func (p *port) mac() string {
	n := hash(p.ID)
	return fmt.Sprintf("fa:16:3e:%02x:%02x:%02x", n>>16&255, n>>8&255, n&255)
}

// at returns the ids of the port's groups at t.
func (p *port) at(t time.Time) []string {
	i := len(p.Bindings) - 1
	for i > 0 && p.Bindings[i].Since.After(t) {
		i--
	}
	return p.Bindings[i].Groups
}

// latest returns what the port's groups are or will be.
func (p *port) latest() []string { return p.Bindings[len(p.Bindings)-1].Groups }

// bind makes groups those of the port from since on, and forgets what no read can see any more.
func (p *port) bind(groups []string, since, oldestRead time.Time) {
	if last := p.Bindings[len(p.Bindings)-1].Since; since.Before(last) {
		since = last // changes happen in the order in which they were accepted
	}
	p.Bindings = append(p.Bindings, binding{since, groups})
	i := len(p.Bindings) - 1
	for i > 0 && p.Bindings[i].Since.After(oldestRead) {
		i--
	}
	p.Bindings = slices.Delete(p.Bindings, 0, i)
	p.Changes++
}

// What ECS sees of the network and does to it. Like Serve, what changes something is called by the core's writers alone;
// a change that it returns belongs into the caller's own.

// NIC is a network interface of a server.
type NIC struct{ Port, IP, MAC, Subnet string }

// NICs returns a server's network interfaces; the first is the primary one.
func (s *Service) NICs(server string) []NIC {
	ports := s.byServer[server]
	all := make([]NIC, len(ports))
	for i, p := range ports {
		all[i] = NIC{p.ID, p.IP, p.mac(), p.Subnet}
	}
	return all
}

// GroupsOf returns the security groups of a server's interfaces at t, each once, in the order of their coming.
func (s *Service) GroupsOf(server string, t time.Time) []world.VPCSecurityGroup {
	var ids []string
	for _, p := range s.byServer[server] {
		for _, id := range p.at(t) {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	var groups []world.VPCSecurityGroup
	for _, id := range ids {
		if g := s.byID[id]; g != nil {
			groups = append(groups, *g)
		}
	}
	return groups
}

// GroupsIn counts the security groups of a project.
func (s *Service) GroupsIn(project string) (n int) {
	for _, g := range s.groups {
		if g.Project == project {
			n++
		}
	}
	return n
}

// Release takes a server that is no more off the network.
func (s *Service) Release(server string, now time.Time) any {
	for _, p := range s.byServer[server] {
		p.Gone = now
	}
	return &change{s.byServer[server]}
}

func (p *port) there(t time.Time) bool { return p.Gone.IsZero() || t.Before(p.Gone) }

// Nova's names of what goes wrong.
const (
	notFound = "itemNotFound"
	conflict = "conflictingRequest"
	refused  = "badRequest"
	tooMany  = "forbidden"
)

// resolve finds a group of the project by its id or its name.
func (s *Service) resolve(project, nameOrID string) (*world.VPCSecurityGroup, *huaweiapi.Refusal) {
	var named []*world.VPCSecurityGroup
	for _, g := range s.groups {
		if g.Project != project {
			continue
		}
		if g.ID == nameOrID {
			return g, nil
		}
		if g.Name == nameOrID {
			named = append(named, g)
		}
	}
	switch len(named) {
	case 0:
		return nil, &huaweiapi.Refusal{Code: notFound, Message: "Security group " + nameOrID + " not found."}
	case 1:
		return named[0], nil
	}
	return nil, &huaweiapi.Refusal{Code: conflict, // V5
		Message: "Multiple security groups found matching '" + nameOrID + "'. Use an ID to be more specific."}
}

// Associate adds all interfaces of a server to the group that the call names, as Nova does, in whatever state the server
// is (V2). The call's group becomes the group's id.
func (s *Service) Associate(c *wire.Call, server string) (effect string, changes any, r *huaweiapi.Refusal) {
	g, r := s.resolve(c.Project, c.Group)
	if r != nil {
		return journal.Refused, nil, r
	}
	c.Group = g.ID
	var missing []*port
	for _, p := range s.byServer[server] {
		if !slices.Contains(p.latest(), g.ID) {
			missing = append(missing, p)
		}
	}
	switch full := s.quotas.GroupsPerServer; {
	case len(missing) == 0 && s.knobs.RepeatAssociate == world.Error: // V3
		return journal.Refused, nil, &huaweiapi.Refusal{Code: refused,
			Message: "Invalid input for security_groups. Reason: Duplicate items in the list: '" + g.ID + "'."}
	case len(missing) == 0:
		return journal.None, nil, nil
	case full > 0 && slices.ContainsFunc(missing, func(p *port) bool { return len(p.latest()) >= full }): // V4
		return journal.Refused, nil, &huaweiapi.Refusal{Code: tooMany,
			Message: fmt.Sprintf("A server is in %d security groups at most.", full)}
	}
	return journal.Changed, s.change(c, server, missing, func(groups []string) []string {
		return append(slices.Clone(groups), g.ID)
	}), nil
}

// Disassociate takes all interfaces of a server out of the group that the call names.
func (s *Service) Disassociate(c *wire.Call, server string) (effect string, changes any, r *huaweiapi.Refusal) {
	g, r := s.resolve(c.Project, c.Group)
	if r != nil {
		return journal.Refused, nil, r
	}
	c.Group = g.ID
	var in []*port
	for _, p := range s.byServer[server] {
		if slices.Contains(p.latest(), g.ID) {
			in = append(in, p)
		}
	}
	switch {
	case len(in) == 0 && s.knobs.RemoveNotInGroup == world.Error: // V6
		return journal.Refused, nil, &huaweiapi.Refusal{Code: notFound,
			Message: "Security group " + g.ID + " not associated with the instance " + server}
	case len(in) == 0:
		return journal.None, nil, nil
	case s.knobs.RemoveLastGroup == world.Error && slices.ContainsFunc(in, func(p *port) bool { return len(p.latest()) == 1 }):
		return journal.Refused, nil, &huaweiapi.Refusal{Code: refused, // V7
			Message: "An instance must belong to at least one security group"}
	}
	return journal.Changed, s.change(c, server, in, func(groups []string) []string {
		return slices.DeleteFunc(slices.Clone(groups), func(id string) bool { return id == g.ID })
	}), nil
}

// change binds ports to other groups, after the time that it takes. A transition fault lets it come late or to nothing,
// of which nobody is told.
func (s *Service) change(c *wire.Call, server string, ports []*port, edit func([]string) []string) any {
	since := c.Now.Add(s.takes.Draw(world.Random(s.seed, "security-groups", server, ports[0].Changes)))
	if c.Rule.Hits(server) {
		if c.Rule.Effect == fault.JobFail || c.Rule.For == 0 {
			return nil
		}
		since = since.Add(time.Duration(c.Rule.For))
	}
	for _, p := range ports {
		p.bind(edit(p.latest()), since, s.lagged(c.Now))
	}
	return &change{ports}
}
