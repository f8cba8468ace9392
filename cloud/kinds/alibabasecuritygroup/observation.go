package alibabasecuritygroup

import (
	"maps"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// observation is what the cloud said at one moment.
type observation struct {
	target  membership.Target
	params  params
	members map[string]subject
	groups  map[string]alibaba.SecurityGroup // the group; when planning, also all others that matter
}

// subject is an instance or a network interface, as far as security groups go.
type subject struct {
	id, name string
	status   string
	ready    bool   // in a status in which its groups can be changed
	power    string // of an instance: on or off; "" for none and for anything in between
	kind     string // of a network interface: Primary, Secondary, …
	host     string // of a network interface: the instance it is attached to
	vpc      string // "" in the classic network
	groups   []string
	// addresses are the private ones of the interface that is meant, as a basic group counts them.
	addresses int
	locked    bool // for security
	managed   bool // by a product of the cloud
}

func ofInstance(i alibaba.Instance) subject {
	s := subject{id: i.ID, name: i.Name, status: i.Status, vpc: i.VPC, groups: i.SecurityGroups, locked: lockedForSecurity(i)}
	switch i.Status {
	case "Running":
		s.power = membership.PowerOn
	case "Stopped":
		s.power = membership.PowerOff
	}
	s.ready = s.power != ""
	for _, n := range i.Interfaces {
		if n.Type == "Primary" {
			s.addresses = n.Addresses
		}
	}
	return s
}

func ofInterface(n alibaba.NetworkInterface) subject {
	return subject{id: n.ID, name: n.Name, status: n.Status, ready: n.Status == "InUse" || n.Status == "Available",
		kind: n.Type, host: n.Instance, vpc: n.VPC, groups: n.SecurityGroups, addresses: n.Addresses, managed: n.Managed}
}

func lockedForSecurity(i alibaba.Instance) bool { return slices.Contains(i.Locks, "security") }

// enterpriseType is the type of an enterprise group, as the cloud tells it.
const enterpriseType = "enterprise"

// Facts that a program remembers of a member.
const (
	factGroups = "groups" // ids, sorted, joined by commas: what every undo restores
)

// allGroups are the ids of all groups that planning has to know.
func (o *observation) allGroups() []string {
	ids := map[string]bool{o.target.Group: true}
	if o.target.From != "" {
		ids[o.target.From] = true
	}
	for _, s := range o.members {
		for _, id := range s.groups {
			ids[id] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// change is what the operation does to every member.
func (o *observation) change() change { return changeOf(o.target) }

// reached reports whether a set of groups is what the operation wants. Leaving wants no more than to be out: who is out
// already is not put anywhere.
func (o *observation) reached(set []string) bool {
	if o.target.Operation == membership.Leave {
		return !slices.Contains(set, o.target.Group)
	}
	return o.change().done(set)
}

// Compile refuses whom the cloud would refuse and remembers the groups of the others.
func (o *observation) Compile(r membership.Request, op membership.Operation) membership.Program {
	_, known := o.groups[o.target.Group]
	return membership.Compile(Kind{}.Spec(), r, op, func(id string) membership.Member {
		s, exists := o.members[id]
		m := remember(id, s, exists)
		if exists && known && o.reached(s.groups) {
			m.Already = true
			return m
		}
		if g := o.groups[o.change().add]; byAddress(g) && s.addresses > 1 {
			m.Places = s.addresses
		}
		m.Placed = o.change().add != "" && slices.Contains(s.groups, o.change().add)
		m.Refused = o.objections(s, exists)
		return m
	})
}

func remember(id string, s subject, exists bool) membership.Member {
	m := membership.Member{ID: id, Name: s.name}
	if !exists {
		return m
	}
	m.Before = map[string]string{factGroups: strings.Join(slices.Sorted(slices.Values(s.groups)), ",")}
	if s.power != "" {
		m.Before[membership.FactPower] = s.power
	}
	return m
}

// byAddress reports whether a group is full by private addresses, and not by interfaces.
func byAddress(g alibaba.SecurityGroup) bool { return g.ID != "" && g.Type != enterpriseType }

// capacityOf is how much a group has room for.
func (p params) capacityOf(g alibaba.SecurityGroup) int {
	switch {
	case p.capacity > 0:
		return p.capacity
	case g.Type == enterpriseType:
		return enterpriseCapacity
	default:
		return basicCapacity
	}
}

// objections returns everything that speaks against changing a member's groups. They do not end at the first: an
// operator wants to mend them all at once.
func (o *observation) objections(s subject, exists bool) (all membership.Objections) {
	c := o.change()
	for _, id := range []string{o.target.Group, o.target.From} {
		g, known := o.groups[id]
		switch {
		case id == "":
		case !known:
			all.Add(codeGroupMissing, "the account has no group %s in its region", id)
		case g.Managed:
			all.Add(codeGroupManaged, "group %s belongs to a product of the cloud", id)
		}
	}
	if !exists {
		all.Add(codeMemberMissing, "the account has none in its region")
		return all
	}
	if !s.ready {
		all.Add(codeMemberStatus, "it is %s", s.status)
	}
	if s.locked {
		all.Add(codeMemberLocked, "%s", s.lock())
	}
	if s.managed {
		all.Add(codeMemberManaged, "the network interface belongs to a product of the cloud")
	}
	if isInterface(s.id) && s.kind != "Secondary" {
		all.Add(codeMemberType, "the network interface is a %s one%s", s.kind, instead(s))
	}
	if s.vpc == "" && !o.params.legacy {
		all.Add(codeNetworkType, "it is in the classic network, where only legacy: true changes groups")
	}
	if g, known := o.groups[c.add]; known {
		switch {
		case (g.VPC == "") != (s.vpc == ""):
			all.Add(codeNetworkType, "it is in %s, and group %s in %s", network(s.vpc), g.ID, network(g.VPC))
		case g.VPC != s.vpc:
			all.Add(codeVPCMismatch, "it is in VPC %s, and group %s in %s", s.vpc, g.ID, g.VPC)
		}
	}
	return append(all, o.objectionsToSet(s)...)
}

// objectionsToSet returns what speaks against the set of groups that the member would come to have.
func (o *observation) objectionsToSet(s subject) (all membership.Objections) {
	c := o.change()
	after := c.of(s.groups)
	// Who has joined already may still be in the group that it should have left for it.
	if o.target.Operation == membership.Join && c.drop != "" && !slices.Contains(s.groups, c.drop) {
		all.Add(membership.CodeNotInFrom, "it is in %s, and not in %s", strings.Join(s.groups, ","), c.drop)
	}
	if len(after) == 0 {
		all.Add(codeLastGroup, "%s is its only group, and it must be in one", c.drop)
	}
	if len(after) > o.params.maxGroups && len(after) > len(s.groups) {
		all.Add(codeTooMany, "it is in %d groups of at most %d: %s", len(s.groups), o.params.maxGroups, strings.Join(s.groups, ","))
	}
	types, rules := make(map[string][]string), 0
	for _, id := range after {
		g, known := o.groups[id]
		rules += g.Rules
		if !known && id == c.add { // objected to by itself
			continue
		}
		types[typeName(g.Type)] = append(types[typeName(g.Type)], id)
	}
	if rules > o.params.maxRules && c.add != "" && !slices.Contains(s.groups, c.add) {
		all.Add(codeTooManyRules, "its groups would have %d rules together, of at most %d: %s", rules, o.params.maxRules,
			strings.Join(after, ","))
	}
	if len(types) > 1 && c.add != "" {
		var mix []string
		for _, name := range slices.Sorted(maps.Keys(types)) {
			mix = append(mix, name+" "+strings.Join(types[name], ","))
		}
		all.Add(codeTypeMix, "it would be in groups of different types: %s", strings.Join(mix, "; "))
	}
	return all
}

func (s subject) lock() string {
	if isInterface(s.id) {
		return "its instance " + s.host + " is locked for security"
	}
	return "the instance is locked for security"
}

// instead names the member that can be given for a primary network interface.
func instead(s subject) string {
	if s.kind != "Primary" || s.host == "" {
		return ""
	}
	return "; ask for its instance " + s.host
}

func network(vpc string) string {
	if vpc == "" {
		return "the classic network"
	}
	return "VPC " + vpc
}

// typeName calls a type of groups what operators call it.
func typeName(t string) string {
	switch t {
	case "normal":
		return "basic"
	case "":
		return "unknown"
	default:
		return t
	}
}
