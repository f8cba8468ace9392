package aliyun

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// removal is a call that takes nodes out of their cluster.
type removal struct {
	pool    string // id; "": any
	byName  bool   // the call names nodes, not instances
	release bool   // the instances, too
	drain   bool
	shrink  bool // the pool wants so many nodes less; otherwise it gets others instead
}

// readRemoval fills in what all removals take.
func (s *Service) readRemoval(c *wire.Call, p params, in removal) (removal, *refusal) {
	list := "instance_ids"
	if in.byName {
		list = "nodes"
	}
	r := s.distinct(c, list)
	if r == nil {
		in.release, r = p.flag("release_node")
	}
	if r == nil {
		in.drain, r = p.flag("drain_node")
	}
	if r == nil {
		_, r = p.flag("concurrency")
	}
	return in, r
}

// remove takes nodes out of their cluster. Their systems stay as they are; so do the instances, unless the caller wants
// them released. One that cannot be removed refuses the whole call (K6).
func (s *Service) remove(c *wire.Call, p params, in removal) wire.Answer {
	in, r := s.readRemoval(c, p, in)
	if r != nil {
		return s.refuse(c, r)
	}
	k, r := s.writable(c, p)
	if r == nil && in.pool != "" {
		_, r = s.poolOf(k, in.pool, c.Now)
	}
	if r != nil {
		return s.refuse(c, r)
	}
	var nodes []*node
	for _, id := range c.Servers {
		n, r := s.removable(k, in, id, c.Now)
		if r != nil {
			return s.refuse(c, r)
		}
		nodes = append(nodes, n)
	}
	c.Servers, c.Group = named(nodes)
	t, changes := s.newTask(c, k, in.pool, "remove_nodes"), &change{}
	for _, n := range nodes {
		s.removeOne(c, k, n, in, t, changes)
	}
	if !in.shrink {
		s.refill(c, k, nodes, changes)
	}
	body := object{"task_id": t.ID, "request_id": requestID(c)}
	if !in.shrink {
		body["cluster_id"] = k.ID
	}
	return s.begun(c, t, changes, body)
}

// named returns the instances and the pools of nodes as the journal wants them.
func named(nodes []*node) (instances []string, pools string) {
	var ids []string
	for _, n := range nodes {
		instances = append(instances, n.Instance)
		if !slices.Contains(ids, n.Pool) {
			ids = append(ids, n.Pool)
		}
	}
	return instances, strings.Join(ids, ",")
}

// removable finds the node by its instance or its name, and returns why it cannot be removed, or nil.
func (s *Service) removable(k *ackCluster, in removal, id string, now time.Time) (*node, *refusal) {
	i := slices.IndexFunc(k.nodes, func(n *node) bool {
		return n.state(now) != "" && (in.pool == "" || n.Pool == in.pool) && id == n.named(in.byName)
	})
	if i < 0 {
		return nil, notFound("ErrorNodeNotFound", "The node "+id+" does not exist.")
	}
	n := k.nodes[i]
	switch state := n.state(now); {
	case state == nodeRemoving:
		return nil, &refusal{http.StatusConflict, "ErrorNodeRemoving", "The node " + id + " is being removed already."}
	case state == nodeInitial && s.config.Containers.RemoveInitial != world.OK: // K7
		return nil, badRequest("ErrorNodeState", "The node "+id+" is being installed.")
	}
	_, r := s.poolOf(k, n.Pool, now)
	return n, r
}

// named is what calls call the node.
func (n *node) named(byName bool) string {
	if byName {
		return n.Name
	}
	return n.Instance
}

// removeOne begins a node's removal. An instance that is released is gone at once (K8).
func (s *Service) removeOne(c *wire.Call, k *ackCluster, n *node, in removal, t *task, changes *change) {
	random := world.Random(s.seed, "remove", t.ID, n.Instance)
	takes := s.config.Containers.Remove.Draw(random)
	if in.drain {
		takes += s.config.Containers.Drain.Draw(random)
	}
	pool, _ := k.pool(n.Pool)
	n.Left, n.Gone, n.Back, n.Shrinks = c.Now, c.Now.Add(takes), time.Time{}, in.shrink && pool.Desired != nil
	p := part{Instance: n.Instance, End: n.Gone}
	if c.Rule.Hits(n.Instance) || c.Rule.Hits(n.Name) {
		switch {
		case c.Rule.Effect == fault.JobFail:
			p.Code, p.Message = c.Rule.Code, c.Rule.Message
			n.Back, n.Gone = n.Gone, time.Time{}
		case c.Rule.For > 0:
			n.Gone = n.Gone.Add(time.Duration(c.Rule.For))
			p.End = n.Gone
		default:
			p.End, n.Gone = time.Time{}, time.Time{}
		}
	}
	t.Parts = append(t.Parts, p)
	changes.node(n)
	if in.release && n.Back.IsZero() {
		s.release(c, n.Instance, changes)
	}
}

// refill makes new instances in the place of nodes that are being removed, in pools that keep a number of them.
func (s *Service) refill(c *wire.Call, k *ackCluster, removed []*node, changes *change) {
	full := map[string]bool{}
	for _, n := range removed {
		pool, _ := k.pool(n.Pool)
		if full[pool.ID] || pool.Desired == nil {
			continue
		}
		full[pool.ID] = true
		nodes := k.in(pool.ID)
		lacking := *desired(pool, nodes, c.Now)
		for _, n := range nodes {
			if n.coming(c.Now) && !n.leaving(c.Now) {
				lacking--
			}
		}
		for range max(lacking, 0) {
			s.replace(c, k, pool, changes)
		}
	}
}

// replace makes an instance, and a node of it.
func (s *Service) replace(c *wire.Call, k *ackCluster, pool world.ContainerPool, changes *change) {
	number := s.ack.number()
	v := &world.Instance{ID: world.AlibabaID(s.seed, "instance", fmt.Sprint("ack/", number)), Name: nodeInstanceName(k),
		Account: k.Account, Region: k.Region, Zone: k.Region + "-h", VPC: k.VPC, VSwitch: "vsw-" + k.VPC,
		NetworkType: "vpc", InstanceType: pool.InstanceType, OSType: "linux", StartFails: world.Never}
	state := version{Since: c.Now, Status: running, OSGeneration: 1, Image: pool.Image, KeyPair: pool.KeyPair,
		ResourceGroup: k.ResourceGroup}
	if k.SecurityGroup != "" {
		state.SecurityGroups = []string{k.SecurityGroup}
	}
	made := &resource{Type: "instance", Instance: v, Versions: []version{state}}
	s.add(made, changes)
	eni := world.AlibabaID(s.seed, "eni", "primary/"+v.ID)
	s.add(&resource{Type: "eni", ENI: &world.NetworkInterface{ID: eni, Name: eni, Account: v.Account, Region: v.Region,
		Zone: v.Zone, VPC: v.VPC, VSwitch: v.VSwitch, Type: "Primary", Instance: v.ID, Status: "InUse"},
		Versions: []version{{Since: c.Now, ResourceGroup: k.ResourceGroup}}}, changes)
	s.add(s.newSystemDisk(c, made, installation{image: pool.Image, size: 40}, world.SystemDiskID(s.seed, v.ID, 1),
		k.ResourceGroup), changes)
	random := world.Random(s.seed, "replace", v.ID)
	n := &node{Number: number, Cluster: k.ID, Pool: pool.ID, Instance: v.ID, Name: nodeName(k.Region, v.ID), Called: c.Now,
		Since: c.Now.Add(s.config.Containers.Appear.Draw(random))}
	n.Runs = n.Since.Add(s.config.Containers.Attach.Draw(random))
	n.Ready = n.Runs
	s.ack.putNode(n)
	changes.node(n)
}

// release deletes an instance with its disks and network interfaces.
func (s *Service) release(c *wire.Call, instance string, changes *change) {
	s.failSnapshots(c, instance, changes)
	whole := key{"instance", instance}
	for _, r := range append(s.partsAt(whole, c.Now), s.byKey[whole]) {
		if r == nil || !r.there(c.Now) {
			continue
		}
		state := r.at(c.Now)
		state.Gone, state.SecurityGroups, state.Becoming, state.Regrouping, state.Transfer = true, nil, nil, nil, nil
		s.change(r, state, c.Now, changes)
	}
}
