package aliyun

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// ack is the state of the Container Service: clusters, which do not change, and how instances become nodes of them and
// cease to be.
type ack struct {
	clusters []*ackCluster
	last     int64 // number of the newest node, task or instance
	nodes    map[int64]*node
	newest   map[string]*node // by instance; it may be gone
	tasks    map[string]*task
}

type ackCluster struct {
	world.ContainerCluster
	nodes []*node // in the order of their coming, with those that are gone
}

// node is an instance's time in a cluster. What it looks like at a moment is computed from the moments kept here.
type node struct {
	Number   int64     `json:"number"` // the later its call, the greater
	Cluster  string    `json:"cluster"`
	Pool     string    `json:"pool"`
	Instance string    `json:"instance"`
	Name     string    `json:"name"`              // as Kubernetes knows it
	Called   time.Time `json:"called,omitzero"`   // when a call made it; zero: it was always there, and all is well
	Since    time.Time `json:"since,omitzero"`    // when it begins to be listed
	Runs     time.Time `json:"runs,omitzero"`     // when it ends to be installed; zero: never
	Ready    time.Time `json:"ready,omitzero"`    // when it is ready for work; zero: never
	Failed   bool      `json:"failed,omitempty"`  // it does not run when it is installed
	Error    string    `json:"error,omitempty"`   // what its cluster says of it from Runs on
	Grows    bool      `json:"grows,omitempty"`   // its pool's desired size went up with it
	Left     time.Time `json:"left,omitzero"`     // when its removal began; zero: it has not
	Gone     time.Time `json:"gone,omitzero"`     // when it ends; zero: it does not
	Back     time.Time `json:"back,omitzero"`     // when the removal comes to nothing; zero: it does not
	Shrinks  bool      `json:"shrinks,omitempty"` // its pool's desired size goes down with it
}

// The states of a node.
const (
	nodeInitial  = "initial"
	nodeRunning  = "running"
	nodeRemoving = "removing"
	nodeFailed   = "failed"
)

// past reports whether a moment that may never come has come at t.
func past(moment, t time.Time) bool { return !moment.IsZero() && !t.Before(moment) }

// state is the node's state at t, "" if it is not listed.
func (n *node) state(t time.Time) string {
	switch {
	case t.Before(n.Since), past(n.Gone, t):
		return ""
	case n.leaving(t):
		return nodeRemoving
	case !n.Called.IsZero() && !past(n.Runs, t):
		return nodeInitial
	case n.Failed:
		return nodeFailed
	}
	return nodeRunning
}

// leaving reports whether the node is being removed at t, or was.
func (n *node) leaving(t time.Time) bool { return past(n.Left, t) && !past(n.Back, t) }

// coming reports whether the node was accepted and is not gone at t, listed or not.
func (n *node) coming(t time.Time) bool { return !t.Before(n.Called) && !past(n.Gone, t) }

// ready reports whether the node can work at t, if its instance can.
func (n *node) ready(t time.Time) bool {
	return n.Called.IsZero() || past(n.Ready, t)
}

// task is what DescribeTaskInfo tells about.
type task struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Cluster string    `json:"cluster"`
	Pool    string    `json:"pool,omitempty"`
	Type    string    `json:"type"`
	Begin   time.Time `json:"begin"`
	Parts   []part    `json:"parts"`
}

// part is the part of a task that is about one instance.
type part struct {
	Instance string    `json:"instance"`
	End      time.Time `json:"end,omitzero"` // zero: never
	Code     string    `json:"code,omitempty"`
	Message  string    `json:"message,omitempty"`
}

const (
	taskRunning = "running"
	taskSuccess = "success"
	taskFailed  = "failed"
)

// state is that of the whole: it ends when all parts have, and fails if one of them did.
func (k *task) state(t time.Time) string {
	state := taskSuccess
	for _, p := range k.Parts {
		switch p.state(t) {
		case nodeInitial:
			return taskRunning
		case taskFailed:
			state = taskFailed
		}
	}
	return state
}

// state is initial, as of a node, until the part has ended.
func (p part) state(t time.Time) string {
	switch {
	case !past(p.End, t):
		return nodeInitial
	case p.Code != "":
		return taskFailed
	}
	return taskSuccess
}

// updated is when the task last changed before t.
func (k *task) updated(t time.Time) time.Time {
	last := k.Begin
	for _, p := range k.Parts {
		if past(p.End, t) && p.End.After(last) {
			last = p.End
		}
	}
	return last
}

// forgotten reports whether the cloud no longer knows the task.
func (k *task) forgotten(now time.Time, retention time.Duration) bool {
	return k.state(now) != taskRunning && now.Sub(k.updated(now)) > retention
}

// ackChange is what a write changed in the Container Service.
type ackChange struct {
	Last  int64   `json:"last"`
	Nodes []*node `json:"nodes,omitempty"`
	Tasks []*task `json:"tasks,omitempty"`
}

// newACK makes the clusters of a completed world.
func newACK(given []world.ContainerCluster) *ack {
	a := &ack{nodes: map[int64]*node{}, newest: map[string]*node{}, tasks: map[string]*task{}}
	for _, k := range given {
		a.clusters = append(a.clusters, &ackCluster{ContainerCluster: k})
		for _, p := range k.NodePools {
			for _, instance := range p.Members {
				a.putNode(&node{Number: a.number(), Cluster: k.ID, Pool: p.ID, Instance: instance,
					Name: nodeName(k.Region, instance)})
			}
		}
	}
	return a
}

// nodeName is an instance's name in Kubernetes.
func nodeName(region, instance string) string { return region + "." + address(instance) }

// dump returns the whole state, without the tasks that nobody can see any more. Nodes that are gone stay: the world may
// have had them from the start.
func (a *ack) dump(now time.Time, retention time.Duration) *ackChange {
	all := &ackChange{Last: a.last}
	for _, k := range a.clusters {
		all.Nodes = append(all.Nodes, k.nodes...)
	}
	for _, k := range a.tasks {
		if !k.forgotten(now, retention) {
			all.Tasks = append(all.Tasks, k)
		}
	}
	return all
}

func (a *ack) apply(c *ackChange) {
	if c == nil {
		return
	}
	a.last = c.Last
	for _, n := range c.Nodes {
		a.putNode(n)
	}
	for _, k := range c.Tasks {
		a.tasks[k.ID] = k
	}
}

func (a *ack) putNode(n *node) {
	if old := a.nodes[n.Number]; old != nil {
		*old = *n // its cluster points to it
		return
	}
	for _, k := range a.clusters {
		if k.ID == n.Cluster {
			k.nodes = append(k.nodes, n)
			a.nodes[n.Number] = n
		}
	}
	if newest := a.newest[n.Instance]; newest == nil || newest.Number < n.Number {
		a.newest[n.Instance] = n
	}
}

func (a *ack) number() int64 {
	a.last++
	return a.last
}

// nodeOf returns the node that an instance is at t, or is about to be, in any cluster; nil if there is none.
func (a *ack) nodeOf(instance string, t time.Time) *node {
	if n := a.newest[instance]; n != nil && n.coming(t) {
		return n
	}
	return nil
}

// pool returns the pool with this id, or the default one for "".
func (k *ackCluster) pool(id string) (world.ContainerPool, bool) {
	for _, p := range k.NodePools {
		if p.ID == id || id == "" && p.Default {
			return p, true
		}
	}
	return world.ContainerPool{}, false
}

// in returns the nodes of a pool, with those that are gone.
func (k *ackCluster) in(pool string) []*node {
	var nodes []*node
	for _, n := range k.nodes {
		if n.Pool == pool {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// desired is how many nodes the cloud keeps in the pool at t; nil: as many as it has.
func desired(p world.ContainerPool, nodes []*node, t time.Time) *int {
	if p.Desired == nil {
		return nil
	}
	size := *p.Desired
	for _, n := range nodes {
		if n.Grows && past(n.Called, t) {
			size++
		}
		if n.Shrinks && n.leaving(t) {
			size--
		}
	}
	size = max(size, 0)
	return &size
}

// poolState is what the pool is doing at t.
func poolState(p world.ContainerPool, nodes []*node, t time.Time) string {
	if p.State != "active" {
		return p.State
	}
	state := p.State
	for _, n := range nodes {
		switch n.state(t) {
		case nodeInitial:
			return "scaling"
		case nodeRemoving:
			state = nodeRemoving
		}
	}
	return state
}

// world describes the clusters at t as a world file does. What is going on has not happened yet in it.
func (a *ack) world(t time.Time) []world.ContainerCluster {
	var all []world.ContainerCluster
	for _, k := range a.clusters {
		now := k.ContainerCluster
		now.NodePools = append([]world.ContainerPool{}, k.NodePools...)
		for i := range now.NodePools {
			p := &now.NodePools[i]
			nodes := k.in(p.ID)
			p.Members, p.Desired = nil, desired(*p, nodes, t)
			for _, n := range nodes {
				if n.state(t) == nodeRunning {
					p.Members = append(p.Members, n.Instance)
				}
			}
		}
		all = append(all, now)
	}
	return all
}

// ContainerNode is what a node of a container cluster truly is at a moment, whatever reads of the API may still show.
type ContainerNode struct {
	Instance, Name, Cluster, Pool string
	State                         string // initial, running, removing or failed
	Ready                         bool   // as far as its cluster goes: its instance may be stopped
}

// ContainerNode returns the node that an instance is at t, or is about to be.
func (s *Service) ContainerNode(instance string, t time.Time) (ContainerNode, bool) {
	n := s.ack.nodeOf(instance, t)
	if n == nil {
		return ContainerNode{}, false
	}
	state := n.state(t)
	if state == "" {
		state = nodeInitial
	}
	return ContainerNode{Instance: n.Instance, Name: n.Name, Cluster: n.Cluster, Pool: n.Pool, State: state,
		Ready: state == nodeRunning && n.ready(t)}, true
}
