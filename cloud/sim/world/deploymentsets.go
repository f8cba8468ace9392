package world

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

// Deployment says how the deployment sets of Alibaba's ECS behave.
type Deployment struct {
	Change   clock.Range `json:"change,omitzero"`                                                 // until a change of an instance's set takes effect
	PerZone  int         `json:"perZone,omitempty" default:"20"`                                  // instances of a set in a zone, or of each of its groups
	Groups   int         `json:"groups,omitempty" default:"7"`                                    // of a set of the strategy AvailabilityGroup
	Running  string      `json:"running,omitempty" default:"error" oneOf:"ok error"`              // a change of a running instance that is not forced
	NotInSet string      `json:"notInSet,omitempty" default:"DeploymentSet.InvalidId"`            // code of a removal of an instance that is not in the set
	Shared   string      `json:"sharedHost,omitempty" default:"DeploymentSet.ModificationFailed"` // code of a change that the host does not allow
}

// The strategies of deployment sets.
const (
	Availability      = "Availability"
	AvailabilityGroup = "AvailabilityGroup"
	LowLatency        = "LowLatency"
)

// DeploymentSet is a deployment set; instances say which they are in.
type DeploymentSet struct {
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"`
	Account  string `json:"account,omitempty"`
	Region   string `json:"region,omitempty"`
	Strategy string `json:"strategy,omitempty"` // Availability (default), AvailabilityGroup, LowLatency
	PerZone  int    `json:"perZone,omitempty"`  // default: deployment.perZone
}

// InDeploymentSet makes starts fail while the instance is in a deployment set: no host is left that the set allows.
const InDeploymentSet = "in-deployment-set"

// deploymentSets fills in defaults, and turns what instances call their sets into ids.
func (c *completer) deploymentSets(given []DeploymentSet, instances []Instance, d *Deployment) []DeploymentSet {
	fill(d)
	sets, ids, group := slices.Clone(given), map[string]string{}, ""
	for i := range sets {
		s := &sets[i]
		c.common("deploymentset", &s.ID, &s.Name, &s.Account, &s.Region, &group)
		s.Strategy = cmp.Or(s.Strategy, Availability)
		s.PerZone = cmp.Or(s.PerZone, d.PerZone)
		ids[s.ID], ids[s.Name] = s.ID, s.ID
	}
	for i := range instances {
		v := &instances[i]
		v.DeploymentSet = ids[v.DeploymentSet]
	}
	return sets
}

func (c *alibabaCheck) deploymentSets(a Alibaba) {
	c.fields("alibaba.deployment", a.Deployment)
	known := map[string]bool{"": true}
	for i, s := range a.DeploymentSets {
		at := fmt.Sprintf("alibaba.deploymentSets[%d]", i)
		c.identity(at, "deploymentset", s.ID, s.Name, s.Account)
		c.oneOf(at+".strategy", s.Strategy, Availability, AvailabilityGroup, LowLatency)
		c.atLeast(at+".perZone", s.PerZone, 0)
		known[s.ID], known[s.Name] = true, true
	}
	for i, v := range a.Instances {
		at := fmt.Sprintf("alibaba.instances[%d]", i)
		c.refers(at+".deploymentSet", v.DeploymentSet, known, "deployment set")
		c.atLeast(at+".deploymentGroup", v.DeploymentGroup, 0)
	}
	for i, g := range a.Generate {
		c.refers(fmt.Sprintf("alibaba.generate[%d].deploymentSet", i), g.DeploymentSet, known, "deployment set")
	}
}
