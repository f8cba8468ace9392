package world

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

// CCE says how the clusters of the Huawei half behave.
type CCE struct {
	ReadLag         clock.Duration `json:"readLag,omitempty"`                    // of nodes and pools; default: the read lag of servers
	Manage          clock.Range    `json:"manage,omitzero"`                      // from a call until its node is Active
	Remove          clock.Range    `json:"remove,omitzero"`                      // from a call until its node is gone
	Appear          clock.Range    `json:"appear,omitzero"`                      // from a call until its node is listed at all
	WritesPerMinute float64        `json:"writesPerMinute,omitempty"`            // of an account; 0 means unlimited
	JobRetention    clock.Duration `json:"jobRetention,omitempty" default:"24h"` // after its end
	// RepeatManage is what becomes of a server that is a node already; ok: it is installed anew.
	RepeatManage string `json:"repeatManage,omitempty" default:"error" oneOf:"ok error"`
}

// Cluster is a CCE cluster. An empty ID is made from seed and name.
type Cluster struct {
	ID        string     `json:"id,omitempty"`
	Name      string     `json:"name,omitempty"`
	Project   string     `json:"project,omitempty"` // default: the first account's
	Phase     string     `json:"phase,omitempty" default:"Available" oneOf:"Available Unavailable ScalingUp ScalingDown Creating Deleting Upgrading Resizing RollingBack RollbackFailed Hibernating Hibernation Awaking Empty Error"`
	Flavor    string     `json:"flavor,omitempty" default:"cce.s2.large"` // its last word limits the nodes
	VPC       string     `json:"vpc,omitempty"`                           // default: the one that servers have by default
	Subnet    string     `json:"subnet,omitempty"`                        // likewise
	NodePools []NodePool `json:"nodePools,omitempty"`
}

// NodePool is a pool of nodes that are alike.
type NodePool struct {
	ID          string   `json:"id,omitempty"`
	Name        string   `json:"name,omitempty"`
	Phase       string   `json:"phase,omitempty" oneOf:"Synchronizing Synchronized SoldOut Deleting Error"` // default: none, as of a pool at rest
	Flavor      string   `json:"flavor"`
	Zone        string   `json:"zone,omitempty" default:"az1"`
	Subnet      string   `json:"subnet,omitempty"`               // default: the cluster's
	BillingMode int      `json:"billingMode,omitempty" most:"1"` // 0: by use, 1: by month or year
	Group       string   `json:"group,omitempty"`                // id or name of the ECS group of its nodes
	Autoscaling bool     `json:"autoscaling,omitempty"`
	Members     []string `json:"members,omitempty"` // ids or names of servers that are nodes already
}

// NodeLimit is how many nodes a cluster of this flavor takes; 0 if the flavor does not say.
func (c Cluster) NodeLimit() int {
	for suffix, limit := range map[string]int{".small": 50, ".medium": 200, ".large": 1000, ".xlarge": 2000} {
		if strings.HasSuffix(c.Flavor, suffix) {
			return limit
		}
	}
	return 0
}

// completeClusters fills in defaults and turns names into ids. Servers and groups must be complete.
func (w *World) completeClusters(groupID map[string]string) {
	h := &w.Huawei
	h.CCE.ReadLag = cmp.Or(h.CCE.ReadLag, h.ReadLag)
	if len(h.Clusters) == 0 {
		return
	}
	servers := map[string]string{}
	for _, s := range h.Servers {
		servers[s.ID], servers[s.Name] = s.ID, s.ID
	}
	h.Clusters = slices.Clone(h.Clusters)
	for i := range h.Clusters {
		c := &h.Clusters[i]
		c.Project = cmp.Or(c.Project, w.DefaultProject())
		c.ID = cmp.Or(c.ID, ID(w.Seed, "cluster", c.Name))
		c.Name = cmp.Or(c.Name, c.ID)
		vpc, subnet := DefaultNetwork(w.Seed, c.Project)
		c.VPC, c.Subnet = cmp.Or(c.VPC, vpc), cmp.Or(c.Subnet, subnet)
		c.NodePools = slices.Clone(c.NodePools)
		for j := range c.NodePools {
			p := &c.NodePools[j]
			p.ID = cmp.Or(p.ID, ID(w.Seed, "nodepool", c.ID+"/"+p.Name))
			p.Name = cmp.Or(p.Name, p.ID)
			p.Subnet = cmp.Or(p.Subnet, c.Subnet)
			p.Group = cmp.Or(groupID[p.Group], p.Group)
			p.Members = slices.Clone(p.Members)
			for k, m := range p.Members {
				p.Members[k] = cmp.Or(servers[m], m) // a world that was saved without its servers has ids already
			}
		}
	}
}

// validateClusters checks the clusters against what the rest of the world has.
func (h Huawei) validateClusters(v *validation, refs references, servers map[string]bool) {
	ids := v.unique()
	taken := v.unique()
	for i, c := range h.Clusters {
		at := fmt.Sprintf("huawei.clusters[%d]", i)
		if c.ID == "" {
			v.required(at+".name", c.Name)
		}
		ids(at+".id", c.ID)
		for j, p := range c.NodePools {
			at := fmt.Sprintf("%s.nodePools[%d]", at, j)
			if p.ID == "" {
				v.required(at+".name", p.Name)
			}
			ids(at+".id", p.ID)
			refs.check(at, p.Flavor, p.Group)
			for k, m := range p.Members {
				field := fmt.Sprintf("%s.members[%d]", at, k)
				if !servers[m] {
					v.bad(field, m, "is no server of this world")
				}
				taken(field, m)
			}
		}
	}
}
