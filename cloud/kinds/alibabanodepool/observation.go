package alibabanodepool

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// observation is what the cloud said at one moment.
type observation struct {
	operation      membership.Operation
	params         params
	poolID         string
	cluster        alibaba.ContainerCluster
	clusterMissing bool
	pool           alibaba.NodePool
	poolMissing    bool
	nodes          map[string]alibaba.Node // of the cluster, by instance
	instances      map[string]alibaba.Instance
	password       error // why the new systems' password cannot be used; nil when it can, or there is none
	disks          *backup.Evidence
	tasks          map[string]alibaba.Task
	// Only when planning a join:
	elsewhere map[string]string // instance to another cluster of which it is a node
}

// factNode is what a program remembers of a member beside backup's facts: the state of the node of this pool that it was
// already.
const factNode = "node"

const (
	stateRunning = "running" // of a cluster at rest
	stateActive  = "active"  // of a pool at rest
	linux        = "linux"
)

// passing are the states of clusters and pools that end by themselves: others are at work there, or we are. They are no
// objection, so that several cohorts can go into one pool.
var passing = []string{"scaling", "updating", "upgrading", "repairing", "removing"}

// lasting are the locks that only a person or a payment takes away. Others come with work on the instance.
var lasting = []string{"financial", "security", "recycling", "dedicatedhostfinancial", "refunded"}

// lockOf returns the reason of a lasting lock, "" when there is none.
func lockOf(i alibaba.Instance) string {
	for _, reason := range i.Locks {
		if slices.Contains(lasting, strings.ToLower(reason)) {
			return reason
		}
	}
	return ""
}

// doing says what is under way on an instance, "" when nothing is. Its system is being replaced as long as it has a lock.
func doing(i alibaba.Instance) string {
	if i.Status != backup.Running && i.Status != backup.Stopped {
		return "the instance is " + i.Status
	}
	for _, reason := range i.Locks {
		if !slices.Contains(lasting, strings.ToLower(reason)) {
			return "the instance is locked by work on it: " + reason
		}
	}
	return ""
}

// inPool returns the node that an instance is in this pool.
func (o *observation) inPool(instance string) (alibaba.Node, bool) {
	n, ok := o.nodes[instance]
	return n, ok && n.Pool == o.poolID
}

// ready reports whether a node does its work.
func ready(n alibaba.Node) bool {
	return n.State == alibaba.NodeRunning && n.Status == alibaba.NodeReady && n.Error == ""
}

// describe renders a node for people.
func describe(n alibaba.Node) string {
	text := fmt.Sprintf("node %q is %s", n.Name, n.State)
	if n.Status != "" {
		text += ", " + n.Status
	}
	if n.Error != "" {
		text += ": " + n.Error
	}
	return text
}

// Compile refuses whom the pool cannot take and remembers which system disks the others have.
func (o *observation) Compile(r membership.Request, op membership.Operation) membership.Program {
	p := membership.Compile(Kind{}.Spec(), r, op, func(id string) membership.Member {
		m := o.member(id)
		node, in := o.inPool(id)
		switch {
		case op == membership.Leave && !in && !o.clusterMissing && !o.poolMissing:
			m.Already = true
		case op == membership.Leave:
			m.Refused = o.objectionsToLeave(id, node)
		case in && node.State == alibaba.NodeRunning: // also one that is not Ready
			m.Already = true
		case in && node.State == alibaba.NodeInitial: // on its way: only to be seen through
		case in:
			m.Refused = []membership.Objection{{Code: codeNodeState, Reason: describe(node) + "; remove it first"}}
		default:
			m.Refused = o.objections(id)
		}
		return m
	})
	p.Destructive, p.Stages, p.Warnings = true, stages(op, o.params), o.warnings(op)
	return p
}

func (o *observation) warnings(op membership.Operation) []string {
	if op == membership.Leave {
		w := []string{"the instances stay and keep the system that they have as nodes; a join wipes them once more"}
		if !o.params.drain {
			w = append(w, "drain is false: the pods on the nodes end without another place")
		}
		return w
	}
	w := []string{"the instances get another system disk: what is on theirs is LOST; data disks stay as they are"}
	if o.params.formatDisk {
		w[0] = "the instances get another system disk: what is on theirs is LOST, and so is what is on their last data disk without a file system"
	}
	if o.params.password == nil {
		w = append(w, "people log on to the new systems as the pool says, not as they did before")
	}
	if o.pool.Autoscaling {
		w = append(w, "the pool scales by itself: it may take the new nodes out again, and RELEASE their instances")
	}
	if o.pool.Desired != nil {
		w = append(w, fmt.Sprintf("the pool is kept at a size, which is %d now: watch that it grows with the new nodes, or the cloud takes some out again",
			*o.pool.Desired))
	}
	return append(w, backup.Warnings(o.params.backup)...)
}

func (o *observation) member(id string) membership.Member {
	m := membership.Member{ID: id}
	i, ok := o.instances[id]
	if !ok {
		return m
	}
	m.Name, m.Before = i.Name, o.disks.Before(i)
	if node, in := o.inPool(id); in {
		m.Before[factNode] = node.State
		delete(m.Before, backup.FactSystemDisk) // which is the pool's already, or about to be: it is no measure
	}
	return m
}

// objections returns everything that speaks against an instance, while planning.
func (o *observation) objections(id string) []membership.Objection {
	all := membership.Objections(o.objectionsNow(id))
	all.When(o.elsewhere[id] != "", codeNodeElsewhere, "the instance is a node of cluster %s", o.elsewhere[id])
	if _, exists := o.instances[id]; exists {
		all = append(all, o.disks.Objections(id, o.params.backup)...)
	}
	return all
}

// objectionsNow returns everything that speaks against an instance, at any time.
func (o *observation) objectionsNow(id string) []membership.Objection {
	var all membership.Objections
	all.When(o.clusterMissing, codeClusterMissing, "the account has no cluster %s in its region", o.params.cluster)
	all.When(!o.clusterMissing && o.poolMissing, codePoolMissing, "there is no such node pool in the cluster")
	o.objectToStates(&all)
	all.When(o.password != nil, codePassword, "%v", o.password)
	i, ok := o.instances[id]
	all.When(!ok, codeInstanceMissing, "the account has no such instance in its region")
	if !ok {
		return all
	}
	busy := doing(i)
	all.When(busy != "", codeInstanceBusy, "%s", busy)
	all.When(i.Status == backup.Stopped, codeInstanceStatus, "the instance is %s; it must be %s", i.Status, backup.Running)
	lock := lockOf(i)
	all.When(lock != "", codeInstanceLocked, "the instance is locked: %s", lock)
	node, listed := o.nodes[id]
	all.When(listed, codeNodeElsewhere, "%s, of the cluster's pool %q", describe(node), node.Pool)
	all.When(i.OSType != linux, codeNotLinux, "the instance's system is %q; it must be %s", i.OSType, linux)
	if !o.clusterMissing {
		all.When(i.Region != o.cluster.Region, codeRegion, "the instance is in region %s, the cluster in %s", i.Region, o.cluster.Region)
		all.When(i.VPC == "" || i.VPC != o.cluster.VPC, codeVPC, "the instance is in VPC %q, the cluster in %q", i.VPC, o.cluster.VPC)
	}
	return all
}

// objectToStates objects to a cluster or pool that is neither at rest nor about to be.
func (o *observation) objectToStates(all *membership.Objections) {
	all.When(!o.clusterMissing && o.cluster.State != stateRunning && !slices.Contains(passing, o.cluster.State), codeClusterState,
		"the cluster is %s; it must be %s", o.cluster.State, stateRunning)
	all.When(!o.poolMissing && o.pool.State != stateActive && !slices.Contains(passing, o.pool.State), codePoolState,
		"the node pool is %s; it must be %s", o.pool.State, stateActive)
}

// passes says what cluster and pool are doing that ends by itself, "" when they are at rest.
func (o *observation) passes() string {
	switch {
	case !o.clusterMissing && slices.Contains(passing, o.cluster.State):
		return "the cluster is " + o.cluster.State
	case !o.poolMissing && slices.Contains(passing, o.pool.State):
		return "the node pool is " + o.pool.State
	}
	return ""
}

func (o *observation) objectionsToLeave(id string, node alibaba.Node) []membership.Objection {
	var all membership.Objections
	all.When(o.clusterMissing, codeClusterMissing, "the account has no cluster %s in its region", o.params.cluster)
	all.When(!o.clusterMissing && o.poolMissing, codePoolMissing, "there is no such node pool in the cluster")
	if len(all) > 0 {
		return all
	}
	o.objectToStates(&all)
	all.When(node.State == alibaba.NodeInitial, codeNodeState, "%s; it can be removed when that has ended", describe(node))
	i, ok := o.instances[id]
	all.When(!ok, codeInstanceMissing, "the account has no such instance in its region")
	lock := lockOf(i)
	all.When(lock != "", codeInstanceLocked, "the instance is locked: %s", lock)
	return all
}
