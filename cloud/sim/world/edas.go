package world

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

// EDAS says how Alibaba's Enterprise Distributed Application Service behaves.
type EDAS struct {
	ReadLag clock.Duration `json:"readLag,omitempty"` // of what it tells; default: the read lag of instances
	Appear  clock.Range    `json:"appear,omitzero"`   // from an import or an installation until its member is listed at all
	Import  clock.Range    `json:"import,omitzero"`   // from then on until the member is running; the system is installed anew
	Install clock.Range    `json:"install,omitzero"`  // the same of an agent that is installed
	Remove  clock.Range    `json:"remove,omitzero"`   // until a member is gone
	Image   string         `json:"image,omitempty"`   // that imported instances get; default m-edas
	// RemoveConverting is what becomes of the removal of a member whose import is under way: error (default) or ok.
	RemoveConverting string `json:"removeConverting,omitempty"`
}

// ECSCluster is the type of EDAS clusters whose members are ECS instances.
const ECSCluster = 2

// The network modes of EDAS clusters.
const (
	ClassicMode = 1
	VPCMode     = 2
)

// EDASCluster is a cluster of EDAS.
type EDASCluster struct {
	ID            string   `json:"id,omitempty"`
	Name          string   `json:"name,omitempty"`
	Account       string   `json:"account,omitempty"`
	Region        string   `json:"region,omitempty"`
	VPC           string   `json:"vpc,omitempty"`           // default vpc-1, unless it is in the classic network
	Type          *int     `json:"type,omitempty"`          // default ECSCluster
	NetworkMode   int      `json:"networkMode,omitempty"`   // default VPCMode
	ResourceGroup string   `json:"resourceGroup,omitempty"` // id or name; shown, without effect
	Members       []string `json:"members,omitempty"`       // ids or names of instances that are members already
	Applications  []string `json:"applications,omitempty"`  // ids or names of instances with applications on them
}

func (e *EDAS) complete(readLag clock.Duration) {
	e.ReadLag = cmp.Or(e.ReadLag, readLag)
	e.Image = cmp.Or(e.Image, "m-edas")
	e.RemoveConverting = cmp.Or(e.RemoveConverting, Error)
}

// edasClusters fills in defaults and turns names into ids. A world that was saved without its instances has ids already.
func (c *completer) edasClusters(given []EDASCluster) []EDASCluster {
	clusters := slices.Clone(given)
	for i := range clusters {
		k := &clusters[i]
		k.ID = cmp.Or(k.ID, ID(c.seed, "edascluster", k.Name))
		c.common("edascluster", &k.ID, &k.Name, &k.Account, &k.Region, &k.ResourceGroup)
		kind := or(k.Type, ECSCluster)
		k.Type, k.NetworkMode = &kind, cmp.Or(k.NetworkMode, VPCMode)
		if k.NetworkMode == VPCMode {
			k.VPC = cmp.Or(k.VPC, "vpc-1")
		}
		k.Members, k.Applications = c.instanceIDs(k.Members), c.instanceIDs(k.Applications)
	}
	return clusters
}

// instanceIDs turns names of instances into ids.
func (c *completer) instanceIDs(names []string) []string {
	ids := slices.Clone(names)
	for i, name := range ids {
		if v := c.instances[name]; v != nil {
			ids[i] = v.ID
		}
	}
	return ids
}

func (c *alibabaCheck) edas(config EDAS, given []EDASCluster) {
	c.oneOf("alibaba.edas.removeConverting", config.RemoveConverting, OK, Error)
	taken := c.unique()
	for i, k := range given {
		at := fmt.Sprintf("alibaba.edasClusters[%d]", i)
		c.identity(at, "edascluster", k.ID, k.Name, k.Account)
		c.refers(at+".resourceGroup", k.ResourceGroup, c.groups, "resource group")
		if kind := or(k.Type, ECSCluster); kind < 0 || kind > 5 {
			c.bad(at+".type", kind, "is not between 0 and 5")
		}
		if k.NetworkMode < 0 || k.NetworkMode > VPCMode {
			c.bad(at+".networkMode", k.NetworkMode, "is neither 1 nor 2")
		}
		for j, m := range k.Members {
			field := fmt.Sprintf("%s.members[%d]", at, j)
			c.refers(field, m, c.instances, "instance")
			taken(field, m)
		}
		for j, m := range k.Applications {
			c.refers(fmt.Sprintf("%s.applications[%d]", at, j), m, c.instances, "instance")
		}
	}
}
