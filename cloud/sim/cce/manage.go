package cce

import (
	"fmt"
	"net/http"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/ecs"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

const (
	maxNodes   = 200 // in one call
	leastCPUs  = 2
	leastMiB   = 4096
	createdTag = "CCE-Dynamic-Provisioning-Node"
)

// manage makes servers nodes of a pool and installs their systems anew. One server that cannot be managed refuses the
// whole call (C1).
func (s *Service) manage(c *wire.Call, clusterID, poolID string) wire.Answer {
	cl := s.cluster(c.Project, clusterID)
	if cl == nil {
		return s.Refusal(c, missing("cluster", clusterID))
	}
	pool, ok := cl.pool(poolID)
	switch {
	case !ok:
		return s.Refusal(c, missing("node pool", poolID))
	case cl.Phase != "Available":
		return s.Refusal(c, &refusal{Code: "CCE.01403003", Message: "The cluster is " + cl.Phase + "."})
	case pool.Phase == phaseDeleting:
		return s.Refusal(c, &refusal{Code: "CCE.01403005", Message: "The node pool is being deleted."})
	}
	if r := s.room(cl, len(c.Servers), c.Now); r != nil {
		return s.Refusal(c, r)
	}
	for _, id := range c.Servers {
		if r := s.manageable(cl, pool, id, c); r != nil {
			return s.Refusal(c, r)
		}
	}
	j := s.newJob(c, cl, "AddNodesToNodePool")
	changes := &change{Jobs: []*job{j}}
	for _, id := range c.Servers {
		s.manageOne(c, cl, pool, id, j, changes)
	}
	s.putJob(j)
	return s.done(changes, map[string]string{"jobid": j.ID})
}

func (s *Service) room(cl *cluster, more int, now time.Time) *refusal {
	limit, have := cl.NodeLimit(), 0
	for _, n := range cl.nodes {
		if n.coming(now) {
			have++
		}
	}
	if limit > 0 && have+more > limit {
		return &refusal{Code: "CCE.01400014", Message: fmt.Sprintf("The cluster takes %d nodes at most.", limit)}
	}
	return nil
}

// manageable checks the preconditions of the API page, in an order of our choosing.
func (s *Service) manageable(cl *cluster, pool world.NodePool, id string, c *wire.Call) *refusal {
	m, ok := s.servers.Machine(c.Project, id, c.Now)
	no := func(why string) *refusal { return badRequest("The server " + id + " cannot be managed: " + why + ".") }
	if !ok {
		return no("it does not exist")
	}
	if s.nodeOf(id, c.Now) != nil {
		if s.config.RepeatManage == world.OK { // C2
			return nil
		}
		return no("it is a node already")
	}
	for _, check := range []struct {
		bad bool
		why string
	}{
		{m.Busy, "another operation is going on"},
		{m.Status != "ACTIVE", "it is " + m.Status},
		{m.Locked, "it is locked"},
		{tagged(m, createdTag), "it has the tag " + createdTag},
		{m.VPC != cl.VPC, "its VPC is not the cluster's"},
		{m.Subnet != pool.Subnet, "its subnet is not the pool's"},
		{m.Zone != pool.Zone, "its availability zone is not the pool's"},
		{m.Server.Flavor != pool.Flavor, "its flavor is not the pool's"},
		{m.Group != pool.Group, "its ECS group is not the pool's"},
		{billing(m) == "2", "it is a spot instance"},
		{billing(m) != fmt.Sprint(pool.BillingMode), "its billing mode is not the pool's"},
		{m.NICs != 1, "it has not exactly one network interface"},
		{m.Flavor.VCPUs < leastCPUs || m.Flavor.RAMMiB < leastMiB, "it is too small"},
		{m.Flavor.Virtualization == world.Xen, "it is not KVM"},
	} {
		if check.bad {
			return no(check.why)
		}
	}
	return nil
}

func billing(m ecs.Machine) string {
	if mode, ok := m.Metadata["charging_mode"]; ok {
		return mode
	}
	return "0"
}

func tagged(m ecs.Machine, key string) bool {
	for _, t := range m.Tags {
		if t == key || len(t) > len(key) && t[:len(key)+1] == key+"=" {
			return true
		}
	}
	return false
}

func (s *Service) manageOne(c *wire.Call, cl *cluster, pool world.NodePool, server string, j *job, changes *change) {
	random := world.Random(s.seed, "manage", j.ID, server)
	since, takes := c.Now.Add(s.config.Appear.Draw(random)), s.config.Manage.Draw(random)
	ready := since.Add(takes)
	n := s.nodeOf(server, c.Now)
	if n == nil {
		n = &node{ID: s.id("node", server, s.number()), Cluster: cl.ID, Pool: pool.ID, Server: server, Since: since}
	}
	n.Ready, n.Job, n.Stuck, n.Code = ready, j.ID, false, ""
	p := part{ID: s.id("part", j.ID, server), Node: n.ID, Begin: since, End: ready}
	if c.Rule.Hits(server) {
		switch {
		case c.Rule.Effect == fault.JobFail:
			n.Code, p.Code, p.Reason = c.Rule.Code, c.Rule.Code, c.Rule.Message
		case c.Rule.For > 0:
			n.Ready = ready.Add(time.Duration(c.Rule.For))
			p.End = n.Ready
		default:
			n.Stuck, p.End = true, time.Time{}
		}
	}
	s.putNode(n)
	j.Parts = append(j.Parts, p)
	changes.Nodes = append(changes.Nodes, n)
	// The system is installed at once: a server can be done with before anybody sees a node (C5).
	changes.Servers = append(changes.Servers,
		s.servers.Reinstall(server, world.ID(s.seed, "image", "cce"), c.Now, c.Now.Add(takes)))
}

// remove takes nodes out of their cluster. Their servers stay, with a system installed anew.
func (s *Service) remove(c *wire.Call, clusterID string, ids []string) wire.Answer {
	cl := s.cluster(c.Project, clusterID)
	if cl == nil {
		return s.Refusal(c, missing("cluster", clusterID))
	}
	if cl.Phase != "Available" && cl.Phase != "Unavailable" {
		return s.Refusal(c, &refusal{Code: "CCE.01403003", Message: "The cluster is " + cl.Phase + "."})
	}
	for _, id := range ids {
		if r := s.removable(c, cl, id); r != nil {
			return s.Refusal(c, r)
		}
	}
	j := s.newJob(c, cl, "RemoveNodes")
	changes := &change{Jobs: []*job{j}}
	for _, id := range ids {
		n := s.nodes[id]
		until := s.leave(c, n, j, changes)
		changes.Servers = append(changes.Servers,
			s.servers.Reinstall(n.Server, world.ID(s.seed, "image", "standard"), c.Now, until))
	}
	s.putJob(j)
	return s.done(changes, removedBody(ids, j.ID))
}

func (s *Service) removable(c *wire.Call, cl *cluster, id string) *refusal {
	n := s.nodes[id]
	if n == nil || n.Cluster != cl.ID || n.phase(c.Now) == "" {
		return missing("node", id)
	}
	switch phase := n.phase(c.Now); phase {
	case phaseInstalling:
		return &refusal{Code: "CCE.01403006", Message: "The node " + id + " is being installed."}
	case phaseDeleting:
		return badRequest("The node " + id + " is being removed already.") // C4
	}
	m, ok := s.servers.Machine(c.Project, n.Server, c.Now)
	if !ok || m.Status != "ACTIVE" || m.Busy {
		return badRequest("The server of the node " + id + " is not running.")
	}
	return nil
}

// leave begins a node's removal and returns when its server is done with: a removal that is stuck keeps the node only.
func (s *Service) leave(c *wire.Call, n *node, j *job, changes *change) time.Time {
	until := c.Now.Add(s.config.Remove.Draw(world.Random(s.seed, "remove", j.ID, n.ID)))
	gone := until
	if c.Rule.Hits(n.ID) && c.Rule.Effect == fault.Stuck {
		gone = time.Time{}
		if c.Rule.For > 0 {
			gone = c.Now.Add(time.Duration(c.Rule.For))
		}
	}
	n.Left, n.Gone = c.Now, gone
	j.Parts = append(j.Parts, part{ID: s.id("part", j.ID, n.ID), Node: n.ID, Begin: c.Now, End: gone})
	changes.Nodes = append(changes.Nodes, n)
	return until
}

// destroy deletes a node together with its server.
func (s *Service) destroy(c *wire.Call, clusterID, id string) wire.Answer {
	cl := s.cluster(c.Project, clusterID)
	if cl == nil {
		return s.Refusal(c, missing("cluster", clusterID))
	}
	if r := s.removable(c, cl, id); r != nil {
		return s.Refusal(c, r)
	}
	j := s.newJob(c, cl, "DeleteNode")
	changes := &change{Jobs: []*job{j}}
	n := s.nodes[id]
	s.leave(c, n, j, changes)
	changes.Servers = append(changes.Servers, s.servers.Destroy(n.Server, c.Now))
	s.putJob(j)
	body := s.nodeBody(cl, n, c.Now, true)
	body.Status.Job = j.ID
	return s.done(changes, body)
}

func (s *Service) newJob(c *wire.Call, cl *cluster, kind string) *job {
	return &job{ID: s.id("job", s.number()), Project: c.Project, Cluster: cl.ID, Type: kind, Begin: c.Now}
}

func (s *Service) id(kind string, of ...any) string {
	return world.ID(s.seed, "cce/"+kind, fmt.Sprint(of...))
}

// done is the success answer of a write.
func (s *Service) done(changes *change, body any) wire.Answer {
	changes.Next = s.next
	return wire.Answer{Status: http.StatusOK, Body: body, Effect: journal.Changed, Change: changes}
}
