package aliyun

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// resource is anything that can be in a resource group: what the world file says about it, of which one of the
// pointers is set, and how it changed since. There is no goroutine or timer per resource; what it looks like at a
// moment is computed from its versions when somebody asks.
type resource struct {
	Type     string                  `json:"type"` // as JoinResourceGroup names it
	Instance *world.Instance         `json:"instance,omitempty"`
	ENI      *world.NetworkInterface `json:"eni,omitempty"`
	Firewall *world.SecurityGroup    `json:"securityGroup,omitempty"`
	Other    *world.Resource         `json:"other,omitempty"`
	EDAS     *world.EDASCluster      `json:"edas,omitempty"` // without its members
	Member   *edasMember             `json:"member,omitempty"`

	Born     time.Time `json:"born,omitzero"`  // when it was made; zero: it was always there
	Made     *making   `json:"made,omitempty"` // by a call with a token; nil: otherwise
	Ops      int       `json:"ops,omitempty"`  // transitions begun so far; varies the random draws
	Versions []version `json:"versions"`       // oldest first; never empty; older ones only as the read lag needs them
}

// identity is what all resources have.
type identity struct{ id, name, account, region, zone string }

func (r *resource) identity() identity {
	switch {
	case r.Instance != nil:
		return identity{r.Instance.ID, r.Instance.Name, r.Instance.Account, r.Instance.Region, r.Instance.Zone}
	case r.ENI != nil:
		return identity{r.ENI.ID, r.ENI.Name, r.ENI.Account, r.ENI.Region, r.ENI.Zone}
	case r.Firewall != nil:
		return identity{r.Firewall.ID, r.Firewall.Name, r.Firewall.Account, r.Firewall.Region, ""}
	case r.EDAS != nil:
		return identity{r.EDAS.ID, r.EDAS.Name, r.EDAS.Account, r.EDAS.Region, ""}
	case r.Member != nil:
		return identity{r.Member.ID, r.Member.ID, r.Member.Account, r.Member.Region, ""}
	}
	return identity{r.Other.ID, r.Other.Name, r.Other.Account, r.Other.Region, r.Other.Zone}
}

// version is a resource's state from a moment on, until the next version. Four transitions can be under way at once.
type version struct {
	Since          time.Time   `json:"since,omitzero"`
	ResourceGroup  string      `json:"resourceGroup,omitempty"`
	Gone           bool        `json:"gone,omitempty"`           // it is released, deleted, …
	Name           string      `json:"name,omitempty"`           // of an instance that was renamed
	Description    string      `json:"description,omitempty"`    // of instances
	Status         string      `json:"status,omitempty"`         // of what has one that changes
	StoppedMode    string      `json:"stoppedMode,omitempty"`    // of stopped instances
	OSGeneration   int         `json:"osGeneration,omitempty"`   // of instances; of members, when their agent was installed
	Image          string      `json:"image,omitempty"`          // of instances and system disks: what they were made from
	KeyPair        string      `json:"keyPair,omitempty"`        // of instances
	AgentOffline   bool        `json:"agentOffline,omitempty"`   // of instances: Cloud Assistant does not hear of them
	UnknownToEDAS  bool        `json:"unknownToEDAS,omitempty"`  // of instances
	SecurityGroups []string    `json:"securityGroups,omitempty"` // of instances and network interfaces
	Placed         placed      `json:"placed,omitzero"`          // of instances: in a deployment set
	Placing        *placing    `json:"placing,omitempty"`        // into another deployment set
	Becoming       *transition `json:"becoming,omitempty"`       // into another status
	Regrouping     *transition `json:"regrouping,omitempty"`     // between security groups
	Transfer       *transition `json:"transfer,omitempty"`       // into a resource group, following another resource
}

// transition is a change in progress, or one whose end nobody has looked at yet. What it comes to depends on its place
// in the version.
type transition struct {
	Until          time.Time   `json:"until,omitzero"` // zero: it never ends
	Status         string      `json:"status,omitempty"`
	StoppedMode    string      `json:"stoppedMode,omitempty"`
	SecurityGroups []string    `json:"securityGroups,omitempty"`
	ResourceGroup  string      `json:"resourceGroup,omitempty"`
	Gone           bool        `json:"gone,omitempty"` // the resource is no more afterwards
	Lock           string      `json:"lock,omitempty"` // the reason why the resource is locked meanwhile; empty: it is not
	Then           *transition `json:"then,omitempty"` // what follows, of transitions into another status
}

func (t *transition) over(now time.Time) bool {
	return t != nil && !t.Until.IsZero() && !now.Before(t.Until)
}

// at returns the resource's state at t: a version without transitions is at rest.
func (r *resource) at(t time.Time) version {
	i := len(r.Versions) - 1
	for i > 0 && r.Versions[i].Since.After(t) {
		i--
	}
	v := r.Versions[i]
	for v.Becoming.over(t) {
		b := v.Becoming
		v.Status, v.StoppedMode, v.Gone, v.Becoming = b.Status, b.StoppedMode, b.Gone, b.Then
	}
	if v.Regrouping.over(t) {
		v.SecurityGroups, v.Regrouping = v.Regrouping.SecurityGroups, nil
	}
	v.place(t)
	if v.Transfer.over(t) {
		v.ResourceGroup, v.Transfer = v.Transfer.ResourceGroup, nil
	}
	return v
}

// nameAt is the resource's name at t.
func (r *resource) nameAt(t time.Time) string { return cmp.Or(r.at(t).Name, r.identity().name) }

// there reports whether the resource exists at t: it may come to be, and be released, while the simulator runs.
func (r *resource) there(t time.Time) bool { return !r.Born.After(t) && !r.at(t).Gone }

// set makes v the state from now on and forgets versions that no read can see any more.
func (r *resource) set(v version, now, oldestRead time.Time) {
	v.Since = now
	r.Versions = append(r.Versions, v)
	i := len(r.Versions) - 1
	for i > 0 && r.Versions[i].Since.After(oldestRead) {
		i--
	}
	r.Versions = slices.Delete(r.Versions, 0, i)
}

// key names a resource: ids are unique within a type only.
type key struct{ kind, id string }

// inventory holds all resources with the ways to find them. Who belongs to what never changes, except for membership
// of security groups.
type inventory struct {
	byKey   map[key]*resource
	regions map[string]bool        // where resources are
	ordered map[string][]*resource // by type, in the order of their making
	parts   map[key][]*resource    // the network interfaces and disks of an instance, the snapshots of a disk, …
	made    map[token]*resource    // what calls with a token made
	// members by security group, or deployment set, and id: everyone who is one, now or within the read lag, and perhaps some that left
	members map[string]map[string]*resource
}

func newInventory() *inventory {
	return &inventory{byKey: map[key]*resource{}, regions: map[string]bool{}, ordered: map[string][]*resource{},
		parts: map[key][]*resource{}, made: map[token]*resource{}, members: map[string]map[string]*resource{}}
}

// put adds a resource or replaces it.
func (n *inventory) put(r *resource) {
	k := key{r.Type, r.identity().id}
	if old := n.byKey[k]; old != nil {
		*old = *r // lists point to it
		r = old
	} else {
		n.byKey[k] = r
		n.ordered[r.Type] = append(n.ordered[r.Type], r)
		n.regions[r.identity().region] = true
		for _, whole := range r.partOf() {
			n.parts[whole] = append(n.parts[whole], r)
		}
	}
	if r.Made != nil {
		n.made[r.Made.token] = r
	}
	for _, v := range r.Versions {
		n.index(r, v.SecurityGroups)
		n.index(r, v.deploymentSets())
		if v.Regrouping != nil {
			n.index(r, v.Regrouping.SecurityGroups)
		}
	}
}

// partOf names the resources that r belongs to.
func (r *resource) partOf() []key {
	switch {
	case r.ENI != nil:
		return []key{{"instance", r.ENI.Instance}}
	case r.Member != nil:
		return []key{{"instance", r.Member.Instance}, {"edascluster", r.Member.Cluster}}
	case r.Type == "disk":
		return []key{{"instance", r.Other.Instance}}
	case r.Type == "snapshot":
		return []key{{"disk", r.Other.Disk}}
	}
	return nil
}

// partsAt returns what belongs to a resource at t.
func (n *inventory) partsAt(whole key, t time.Time) []*resource {
	var there []*resource
	for _, part := range n.parts[whole] {
		if part.there(t) {
			there = append(there, part)
		}
	}
	return there
}

// index notes that r may be a member of the security groups.
func (n *inventory) index(r *resource, groups []string) {
	for _, id := range groups {
		if n.members[id] == nil {
			n.members[id] = map[string]*resource{}
		}
		n.members[id][r.identity().id] = r
	}
}

// membersAt returns the ids of the instances and network interfaces in a security group at t, sorted.
func (n *inventory) membersAt(group string, t time.Time) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(n.members[group])) {
		if slices.Contains(n.members[group][id].at(t).SecurityGroups, group) {
			ids = append(ids, id)
		}
	}
	return ids
}

// taken counts what is in a security group at now, as places counts it, those who are joining included, and drops who left long ago.
func (n *inventory) taken(g *world.SecurityGroup, now, oldestRead time.Time) int {
	group := g.ID
	taken := 0
	for id, r := range n.members[group] {
		v := r.at(now)
		switch {
		case slices.Contains(v.SecurityGroups, group),
			v.Regrouping != nil && slices.Contains(v.Regrouping.SecurityGroups, group):
			taken += n.places(g, r)
		case !slices.Contains(r.at(oldestRead).SecurityGroups, group):
			delete(n.members[group], id)
		}
	}
	return taken
}

// places is how many the network interface takes whose security groups r holds: one in an enterprise group; in a basic one as many
// as it has private addresses.
func (n *inventory) places(g *world.SecurityGroup, r *resource) int {
	if g.Type == world.Enterprise {
		return 1
	}
	if r.ENI == nil {
		r = n.primary(r.identity().id)
	}
	if r == nil {
		return 1
	}
	return max(r.ENI.Addresses, 1)
}

// primary returns the primary network interface of an instance, or nil.
func (n *inventory) primary(instance string) *resource {
	for _, part := range n.parts[key{"instance", instance}] {
		if part.ENI != nil && part.ENI.Type == "Primary" {
			return part
		}
	}
	return nil
}

// holder returns the resource that holds r's security groups: those of a primary network interface are its instance's.
func (n *inventory) holder(r *resource) *resource {
	if r.ENI != nil && r.ENI.Type == "Primary" {
		if v := n.byKey[key{"instance", r.ENI.Instance}]; v != nil {
			return v
		}
	}
	return r
}
