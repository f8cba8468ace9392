package huaweinodepool

import (
	"fmt"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// observation is what the cloud said at one moment.
type observation struct {
	operation      membership.Operation
	params         params
	poolID         string
	cluster        huawei.Cluster
	clusterMissing bool
	pool           huawei.NodePool
	poolMissing    bool
	nodes          map[string]huawei.Node // the cluster's, by server id
	servers        map[string]huawei.Server
	xen            map[string]bool // by flavor id
	jobs           map[string]huawei.ClusterJob
	// Only when planning:
	elsewhere map[string]string // server id to another cluster of which it is a node
}

// Facts that a program remembers of a member.
const (
	factImage      = "image"      // the system as it was: what tells whether it was installed anew
	factSystemDisk = "systemDisk" //
	factGroup      = "ecsGroup"   // "" when none
	factNode       = "node"       // the node that it was already, of this pool
)

// Phases of a node that decide something.
const (
	phaseBuild      = "Build"
	phaseInstalling = "Installing"
	phaseActive     = "Active"
	phaseAbnormal   = "Abnormal"
	phaseDeleting   = "Deleting"
	phaseError      = "Error"
)

const (
	statusActive  = "ACTIVE"
	statusRebuild = "REBUILD"
	available     = "Available"
	unavailable   = "Unavailable"
	spotBilling   = "2"
	leastCPUs     = 2
	leastMiB      = 4096
	dynamicTag    = "CCE-Dynamic-Provisioning-Node"
)

// idle reports whether nothing is under way on the server.
func idle(s huawei.Server) bool { return s.TaskState == "" && s.Status != statusRebuild }

// inPool returns the node that a server is in this pool.
func (o *observation) inPool(server string) (huawei.Node, bool) {
	n, ok := o.nodes[server]
	return n, ok && n.Pool == o.poolID
}

// Compile refuses whom the pool cannot take and remembers how the systems of the others are.
func (o *observation) Compile(r membership.Request, op membership.Operation) membership.Program {
	p := membership.Compile(Kind{}.Spec(), r, op, func(id string) membership.Member {
		m := o.member(id)
		node, in := o.inPool(id)
		switch {
		case op == membership.Leave && !in && !o.clusterMissing && !o.poolMissing:
			m.Already = true
		case op == membership.Leave:
			m.Refused = o.objectionsToLeave(id, node)
		case in && (node.Phase == phaseActive || node.Phase == phaseAbnormal):
			m.Already = true
		case in && (node.Phase == phaseBuild || node.Phase == phaseInstalling): // on its way: only to be seen through
			m.Placed = true
		case in:
			m.Refused = []membership.Objection{{Code: codeNodeState, Reason: fmt.Sprintf(
				"the server is node %s of the pool, which is %s; remove it first", node.ID, node.Phase)}}
		default:
			m.Refused = o.objections(id)
		}
		return m
	})
	p.Destructive, p.Warnings = true, o.warnings(op)
	return p
}

func (o *observation) warnings(op membership.Operation) []string {
	w := []string{"system and data disks of the servers are wiped, and the pool's login replaces theirs"}
	if op == membership.Leave {
		w = []string{"system and data disks of the servers are wiped once more; what ran on the nodes is evicted"}
	}
	if o.pool.Autoscaling && op == membership.Join {
		w = append(w, "the pool scales by itself: it may take the new nodes out again, which DELETES their servers")
	}
	return w
}

func (o *observation) member(id string) membership.Member {
	m := membership.Member{ID: id}
	s, ok := o.servers[id]
	if !ok {
		return m
	}
	m.Name = s.Name
	m.Before = map[string]string{membership.FactPower: membership.PowerOff}
	if s.Status == statusActive {
		m.Before[membership.FactPower] = membership.PowerOn
	}
	remember := func(fact, value string) {
		if value != "" {
			m.Before[fact] = value
		}
	}
	remember(factGroup, strings.Join(s.Groups, ","))
	if node, in := o.inPool(id); in && o.operation == membership.Join {
		remember(factNode, node.ID) // its system may have been wiped already: it is no measure
		return m
	}
	remember(factImage, s.Image)
	remember(factSystemDisk, s.SystemDisk)
	return m
}

// objections returns everything that speaks against managing a server that is no node of the pool.
func (o *observation) objections(id string) (all membership.Objections) {
	all.When(o.clusterMissing, codeClusterMissing, "there is no cluster %s in the project", o.params.cluster)
	all.When(!o.clusterMissing && o.cluster.Phase != available, codeClusterStatus, "the cluster is %s; it must be %s", o.cluster.Phase, available)
	all.When(!o.clusterMissing && o.poolMissing, codePoolMissing, "there is no such node pool in the cluster")
	all.When(o.pool.Phase == phaseDeleting, codePoolStatus, "the node pool is being deleted")
	s, ok := o.servers[id]
	all.When(!ok, codeServerMissing, "there is no such server in the project")
	if !ok {
		return all
	}
	all.When(idle(s) && s.Status != statusActive, codeServerStatus, "the server is %s; it must be %s", s.Status, statusActive)
	all.When(!idle(s), codeServerBusy, "%s", doing(s))
	all.When(s.Locked, codeServerLocked, "the server is locked %s", s.LockScene)
	node, here := o.nodes[id]
	all.When(here, codeNodeElsewhere, "the server is node %s of the cluster's pool %s", node.ID, node.Pool)
	other := o.elsewhere[id]
	all.When(other != "", codeNodeElsewhere, "the server is a node of cluster %s", other)
	all.When(tagged(s), codeDynamicNode, "the server has the tag %s", dynamicTag)
	all.When(s.Billing == spotBilling, codeSpot, "the server is a spot instance")
	all.When(s.VCPUs < leastCPUs || s.RAMMiB < leastMiB, codeTooSmall, "the server has %d vCPUs and %d MiB; nodes have at least %d and %d",
		s.VCPUs, s.RAMMiB, leastCPUs, leastMiB)
	all.When(s.NICs != 1, codeNICs, "the server has %d network interfaces; it must have one", s.NICs)
	all.When(o.xen[s.FlavorID], codeNotKVM, "flavor %s is virtualized by Xen (FusionCompute)", s.FlavorID)
	if !o.clusterMissing {
		all.When(s.VPC != o.cluster.VPC, codeVPC, "the server is in VPC %s, the cluster in %s", s.VPC, o.cluster.VPC)
	}
	if !o.clusterMissing && !o.poolMissing {
		o.compare(s, &all)
	}
	return all
}

// compare finds where a server differs from what the pool's nodes have in common.
func (o *observation) compare(s huawei.Server, all *membership.Objections) {
	subnet := o.pool.Subnet
	if subnet == "" {
		subnet = o.cluster.Subnet
	}
	all.When(s.Subnet == "" && !o.params.assumeSubnet, codeSubnetUnknown, "the cloud does not tell the server's subnet; the pool's is %s", subnet)
	all.When(s.Subnet != "" && s.Subnet != subnet, codeSubnet, "the server is in subnet %s, the pool in %s", s.Subnet, subnet)
	anywhere := o.pool.Zone == "" || o.pool.Zone == "random"
	all.When(!anywhere && s.Zone != o.pool.Zone, codeZone, "the server is in zone %s, the pool in %s", s.Zone, o.pool.Zone)
	all.When(s.FlavorID != o.pool.FlavorID, codeFlavor, "the server has flavor %s, the pool %s", s.FlavorID, o.pool.FlavorID)
	all.When(o.pool.BillingMode != "" && s.Billing != spotBilling && s.Billing != o.pool.BillingMode, codeBilling,
		"the server is billed by mode %q, the pool by %q", s.Billing, o.pool.BillingMode)
	group := strings.Join(s.Groups, ",")
	all.When(group != o.pool.Group, codeGroup, "the server's ECS group is %q, the pool's %q", group, o.pool.Group)
}

func tagged(s huawei.Server) bool {
	for _, tag := range s.Tags {
		if rest, ok := strings.CutPrefix(tag, dynamicTag); ok && (rest == "" || rest[0] == '=' || rest[0] == '.') {
			return true
		}
	}
	return false
}

func (o *observation) objectionsToLeave(id string, node huawei.Node) (all membership.Objections) {
	all.When(o.clusterMissing, codeClusterMissing, "there is no cluster %s in the project", o.params.cluster)
	all.When(!o.clusterMissing && o.poolMissing, codePoolMissing, "there is no such node pool in the cluster")
	if len(all) > 0 {
		return all
	}
	all.When(o.cluster.Phase != available && o.cluster.Phase != unavailable, codeClusterStatus, "the cluster is %s; it must be %s or %s",
		o.cluster.Phase, available, unavailable)
	all.When(!removable(node) && node.Phase != phaseDeleting, codeNodeState, "node %s is %s; it must be %s, %s or %s", node.ID, node.Phase,
		phaseActive, phaseAbnormal, phaseError)
	s, ok := o.servers[id]
	all.When(!ok, codeServerMissing, "there is no such server in the project")
	all.When(ok && idle(s) && s.Status != statusActive, codeServerStatus, "the server is %s; it must be %s", s.Status, statusActive)
	all.When(ok && !idle(s) && node.Phase != phaseDeleting, codeServerBusy, "%s", doing(s))
	all.When(s.Locked, codeServerLocked, "the server is locked %s", s.LockScene)
	return all
}

// removable reports whether the cloud lets go of a node in its phase.
func removable(n huawei.Node) bool {
	return n.Phase == phaseActive || n.Phase == phaseAbnormal || n.Phase == phaseError
}

func doing(s huawei.Server) string {
	if s.TaskState == "" {
		return "the server is " + s.Status
	}
	return fmt.Sprintf("the server is %s, %s", s.Status, s.TaskState)
}
