package world

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

// Containers says how the clusters of Alibaba's Container Service behave.
type Containers struct {
	ReadLag       clock.Duration `json:"readLag,omitempty"`       // of nodes and pools; default: the read lag of instances
	Appear        clock.Range    `json:"appear,omitzero"`         // from an attach until its node is listed at all
	Attach        clock.Range    `json:"attach,omitzero"`         // from then on until the node is running
	Remove        clock.Range    `json:"remove,omitzero"`         // from a removal until its node is gone
	Drain         clock.Range    `json:"drain,omitzero"`          // longer than that, if it is to be drained
	TaskRetention clock.Duration `json:"taskRetention,omitempty"` // after its end; default 24h
	MaxInstances  int            `json:"maxInstances,omitempty"`  // of one call; default 100
	NodeQuota     int            `json:"nodeQuota,omitempty"`     // nodes of a cluster; shown, without effect; default 100
	TaskFailed    string         `json:"taskFailed,omitempty"`    // the state of such a task: failed (default) or fail
	// RepeatAttach is what becomes of a node that is attached to its own pool: error (default), or ok, and its system is
	// installed anew.
	RepeatAttach  string `json:"repeatAttach,omitempty"`
	BusyPool      string `json:"busyPool,omitempty"`      // a write while the pool is scaling: ok (default) or error
	RemoveInitial string `json:"removeInitial,omitempty"` // removing a node that is not installed yet: error (default) or ok
}

// ContainerCluster is a cluster of the Container Service.
type ContainerCluster struct {
	ID            string          `json:"id,omitempty"`
	Name          string          `json:"name,omitempty"`
	Account       string          `json:"account,omitempty"`
	Region        string          `json:"region,omitempty"`
	State         string          `json:"state,omitempty"`         // default running
	Type          string          `json:"type,omitempty"`          // default ManagedKubernetes
	VPC           string          `json:"vpc,omitempty"`           // default vpc-1
	SecurityGroup string          `json:"securityGroup,omitempty"` // id or name; shown, without effect
	ResourceGroup string          `json:"resourceGroup,omitempty"` // id or name
	NodePools     []ContainerPool `json:"nodePools,omitempty"`
}

// ContainerPool is a node pool of such a cluster.
type ContainerPool struct {
	ID           string   `json:"id,omitempty"`
	Name         string   `json:"name,omitempty"`
	State        string   `json:"state,omitempty"`        // at rest; default active
	Default      bool     `json:"default,omitempty"`      // gets what names no pool; without any, the cluster's first
	InstanceType string   `json:"instanceType,omitempty"` // of instances that the cloud makes; default ecs.g7.large
	Image        string   `json:"image,omitempty"`        // that nodes get; default m-containers
	KeyPair      string   `json:"keyPair,omitempty"`      // shown, without effect
	Desired      *int     `json:"desired,omitempty"`      // how many nodes the cloud keeps in it; nil: as many as it has
	Autoscaling  bool     `json:"autoscaling,omitempty"`  // shown, without effect
	Members      []string `json:"members,omitempty"`      // ids or names of instances that are nodes already
}

func (k *Containers) complete(readLag clock.Duration) {
	k.ReadLag = cmp.Or(k.ReadLag, readLag)
	k.TaskRetention = cmp.Or(k.TaskRetention, clock.Duration(24*time.Hour))
	k.MaxInstances = cmp.Or(k.MaxInstances, 100)
	k.NodeQuota = cmp.Or(k.NodeQuota, 100)
	k.TaskFailed = cmp.Or(k.TaskFailed, "failed")
	k.RepeatAttach = cmp.Or(k.RepeatAttach, Error)
	k.BusyPool = cmp.Or(k.BusyPool, OK)
	k.RemoveInitial = cmp.Or(k.RemoveInitial, Error)
}

// clusters fills in defaults and turns names into ids. A world that was saved without its instances and security
// groups has ids already.
func (c *completer) clusters(given []ContainerCluster) []ContainerCluster {
	clusters := slices.Clone(given)
	for i := range clusters {
		k := &clusters[i]
		c.common("cluster", &k.ID, &k.Name, &k.Account, &k.Region, &k.ResourceGroup)
		k.State = cmp.Or(k.State, "running")
		k.Type = cmp.Or(k.Type, "ManagedKubernetes")
		k.VPC = cmp.Or(k.VPC, "vpc-1")
		k.SecurityGroup = cmp.Or(c.firewalls[k.SecurityGroup], k.SecurityGroup)
		k.NodePools = slices.Clone(k.NodePools)
		for j := range k.NodePools {
			c.pool(k, &k.NodePools[j])
		}
		if len(k.NodePools) > 0 && !slices.ContainsFunc(k.NodePools, func(p ContainerPool) bool { return p.Default }) {
			k.NodePools[0].Default = true
		}
	}
	return clusters
}

func (c *completer) pool(k *ContainerCluster, p *ContainerPool) {
	p.ID = cmp.Or(p.ID, AlibabaID(c.seed, "nodepool", k.ID+"/"+p.Name))
	p.Name = cmp.Or(p.Name, p.ID)
	p.State = cmp.Or(p.State, "active")
	p.InstanceType = cmp.Or(p.InstanceType, "ecs.g7.large")
	p.Image = cmp.Or(p.Image, "m-containers")
	p.Members = slices.Clone(p.Members)
	for i, m := range p.Members {
		if v := c.instances[m]; v != nil {
			p.Members[i] = v.ID
		}
	}
}

var (
	containerStates = []string{"initial", "failed", "running", "updating", "updating_failed", "scaling", "waiting",
		"disconnected", "stopped", "deleting", "deleted", "delete_failed"}
	containerPoolStates = []string{"active", "scaling", "removing", "deleting", "updating", "initial", "failed",
		"upgrading", "repairing"}
	containerTypes = []string{"ManagedKubernetes", "Kubernetes", "Ask", "ExternalKubernetes"}
)

func (k Containers) validate(v *validation) {
	v.atLeast("alibaba.containers.maxInstances", k.MaxInstances, 0)
	v.atLeast("alibaba.containers.nodeQuota", k.NodeQuota, 0)
	v.oneOf("alibaba.containers.taskFailed", k.TaskFailed, "failed", "fail")
	v.oneOf("alibaba.containers.repeatAttach", k.RepeatAttach, OK, Error)
	v.oneOf("alibaba.containers.busyPool", k.BusyPool, OK, Error)
	v.oneOf("alibaba.containers.removeInitial", k.RemoveInitial, OK, Error)
}

func (c *alibabaCheck) clusters(given []ContainerCluster) {
	taken := c.unique()
	for i, k := range given {
		at := fmt.Sprintf("alibaba.clusters[%d]", i)
		c.identity(at, "cluster", k.ID, k.Name, k.Account)
		c.oneOf(at+".state", k.State, containerStates...)
		c.oneOf(at+".type", k.Type, containerTypes...)
		c.refers(at+".resourceGroup", k.ResourceGroup, c.groups, "resource group")
		if k.SecurityGroup != "" {
			c.refers(at+".securityGroup", k.SecurityGroup, c.firewalls, "security group")
		}
		first := ""
		for j, p := range k.NodePools {
			at := fmt.Sprintf("%s.nodePools[%d]", at, j)
			c.nodePool(at, cmp.Or(k.ID, k.Name), p, taken)
			if p.Default && first != "" {
				c.bad(at+".default", p.Default, "is a second default pool, after "+first)
			}
			if p.Default {
				first = at
			}
		}
	}
}

// nodePool checks a pool. Its name must be unique in its cluster only.
func (c *alibabaCheck) nodePool(at, cluster string, p ContainerPool, taken func(field, value string)) {
	name := p.Name
	if name != "" {
		name = cluster + "/" + name
	}
	c.identity(at, "nodepool", p.ID, name, "")
	c.oneOf(at+".state", p.State, containerPoolStates...)
	if p.Desired != nil {
		c.atLeast(at+".desired", *p.Desired, 0)
	}
	for i, m := range p.Members {
		field := fmt.Sprintf("%s.members[%d]", at, i)
		c.refers(field, m, c.instances, "instance")
		taken(field, m)
	}
}
