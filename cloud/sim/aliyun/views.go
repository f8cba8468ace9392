package aliyun

import (
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Instance is what an instance truly is at a moment, whatever reads of the API may still show.
type Instance struct {
	ID, Name, Account, Region, Zone, VPC string
	Status, StoppedMode                  string
	SecurityGroups                       []string // ids, in the order of joining
	ResourceGroup                        string   // id; of the default group, too
	Busy                                 bool     // power, system, security groups or resource group are changing
	OSGeneration                         int      // how often its system was installed
	Image                                string   // what its system was installed from
	SystemDisk                           string
	PrimaryInterface                     string // empty in the classic network
	DeploymentSet                        string
	DeploymentGroup                      int
}

// NetworkInterface is what a network interface truly is at a moment.
type NetworkInterface struct {
	ID, Name, Account, Region, VPC, Type, Instance string
	SecurityGroups                                 []string
	ResourceGroup                                  string
	Busy                                           bool
}

// SecurityGroup is what a security group truly is at a moment.
type SecurityGroup struct {
	ID, Name, Account, Region, VPC, Type string
	Members                              []string // ids of instances and of secondary network interfaces, sorted
	ResourceGroup                        string
}

// Resource is what any resource truly is at a moment, as far as resource groups go.
type Resource struct {
	Type, ID, Name, Account, Region string
	Status                          string
	ResourceGroup                   string
	Transferring                    bool // a task of associated transfer is going on
}

func (v version) busy() bool {
	return v.Becoming != nil || v.Regrouping != nil || v.Transfer != nil || v.Placing != nil
}

// Instance returns the instance with this id, if it exists at t.
func (s *Service) Instance(id string, t time.Time) (Instance, bool) {
	r := s.byKey[key{"instance", id}]
	if r == nil || !r.there(t) {
		return Instance{}, false
	}
	n, state := r.Instance, r.at(t)
	v := Instance{ID: n.ID, Name: r.nameAt(t), Account: n.Account, Region: n.Region, Zone: n.Zone, VPC: n.VPC,
		Status: state.Status, StoppedMode: state.StoppedMode, SecurityGroups: slices.Clone(state.SecurityGroups),
		ResourceGroup: state.ResourceGroup, Busy: state.busy(), OSGeneration: state.OSGeneration, Image: state.Image,
		DeploymentSet: state.Placed.Set, DeploymentGroup: state.Placed.Group}
	if primary := s.primary(id); primary != nil {
		v.PrimaryInterface = primary.ENI.ID
	}
	if disk := s.systemDisk(id, t); disk != nil {
		v.SystemDisk = disk.Other.ID
	}
	return v, true
}

// Instances returns all instances at t, in the world's order.
func (s *Service) Instances(t time.Time) []Instance {
	all := make([]Instance, 0, len(s.ordered["instance"]))
	for _, r := range s.ordered["instance"] {
		if v, there := s.Instance(r.Instance.ID, t); there {
			all = append(all, v)
		}
	}
	return all
}

// NetworkInterface returns the network interface with this id, if it exists at t.
func (s *Service) NetworkInterface(id string, t time.Time) (NetworkInterface, bool) {
	r := s.byKey[key{"eni", id}]
	if r == nil || !r.there(t) {
		return NetworkInterface{}, false
	}
	n, groups := r.ENI, s.holder(r).at(t)
	return NetworkInterface{ID: n.ID, Name: n.Name, Account: n.Account, Region: n.Region, VPC: n.VPC, Type: n.Type,
		Instance: n.Instance, SecurityGroups: slices.Clone(groups.SecurityGroups), ResourceGroup: r.at(t).ResourceGroup,
		Busy: r.at(t).busy() || groups.Regrouping != nil}, true
}

// SecurityGroup returns the security group with this id at t.
func (s *Service) SecurityGroup(id string, t time.Time) (SecurityGroup, bool) {
	r := s.byKey[key{"securitygroup", id}]
	if r == nil {
		return SecurityGroup{}, false
	}
	g := r.Firewall
	return SecurityGroup{ID: g.ID, Name: g.Name, Account: g.Account, Region: g.Region, VPC: g.VPC, Type: g.Type,
		Members: s.membersAt(id, t), ResourceGroup: r.at(t).ResourceGroup}, true
}

// Resource returns the resource of this type, as JoinResourceGroup names it, and id, if it exists at t.
func (s *Service) Resource(resourceType, id string, t time.Time) (Resource, bool) {
	r := s.byKey[key{resourceType, id}]
	if r == nil || !r.there(t) {
		return Resource{}, false
	}
	it, state := r.identity(), r.at(t)
	return Resource{Type: resourceType, ID: it.id, Name: r.nameAt(t), Account: it.account, Region: it.region,
		Status: state.Status, ResourceGroup: state.ResourceGroup, Transferring: state.Transfer != nil}, true
}

// Describe tells the Alibaba half of a world as it is at t. What is going on has not happened yet in it.
func (s *Service) Describe(all *world.World, t time.Time) {
	w := s.config
	for _, r := range s.ordered["securitygroup"] {
		g := *r.Firewall
		g.ResourceGroup = r.at(t).ResourceGroup
		w.SecurityGroups = append(w.SecurityGroups, g)
	}
	for _, r := range s.ordered["instance"] {
		if !r.there(t) {
			continue
		}
		n, state := *r.Instance, r.at(t)
		n.Name, n.Description = r.nameAt(t), state.Description
		n.Status, n.StoppedMode, n.OSGeneration = settled(state), state.StoppedMode, state.OSGeneration
		n.SecurityGroups, n.ResourceGroup = state.SecurityGroups, state.ResourceGroup
		n.Image, n.KeyPair = state.Image, state.KeyPair
		n.DeploymentSet, n.DeploymentGroup = state.Placed.Set, state.Placed.Group
		n.AgentOffline, n.UnknownToEDAS = state.AgentOffline, state.UnknownToEDAS
		w.Instances = append(w.Instances, n)
	}
	for _, r := range s.ordered["eni"] {
		if !r.there(t) {
			continue
		}
		n, state := *r.ENI, r.at(t)
		n.SecurityGroups, n.ResourceGroup = state.SecurityGroups, state.ResourceGroup
		w.Interfaces = append(w.Interfaces, n)
	}
	for _, resourceType := range world.ResourceTypes() {
		for _, r := range s.ordered[resourceType] {
			if state := r.at(t); r.Other != nil && r.there(t) && state.Becoming == nil {
				o := *r.Other
				o.ResourceGroup, o.Status = state.ResourceGroup, state.Status
				w.Resources = append(w.Resources, o)
			}
		}
	}
	w.EDASClusters, w.Clusters = s.edasWorld(t), s.ack.world(t)
	all.Alibaba = w
}

// settled is the status in which a transition began. What is lost by the installation of a system is lost: then it is
// the one in which it ends.
func settled(v version) string {
	switch {
	case v.Becoming != nil && v.Becoming.Lock != "":
		return v.Becoming.Status
	case v.Status == stopping:
		return running
	case v.Status == starting && v.StoppedMode == "":
		return running // it reboots
	case v.Status == starting:
		return stopped
	}
	return v.Status
}
