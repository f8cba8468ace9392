package aliyun

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// member is who joins or leaves security groups: an instance, or a network interface by its own id. The same fault
// has different codes for the two.
type member struct {
	*resource           // as it was named
	holder    *resource // holds the groups; differs for primary network interfaces
	network   string    // vpc or classic
	vpc       string
	region    string
	state     version // of the holder
	renamed   bool    // the state has another name or description than before
}

// findMember finds who a call names and checks whether its groups can be changed now.
func (s *Service) findMember(c *wire.Call, instance, eni, region string) (*member, *refusal) {
	m := &member{network: "vpc"}
	switch {
	case instance != "" && !strings.HasPrefix(instance, "i-"):
		return nil, badRequest("InvalidInstanceId.Malformed", "The specified parameter \"InstanceId\" is not valid.")
	case instance != "":
		if m.resource = s.find(c, "instance", instance, region); m.resource == nil {
			return nil, noInstance()
		}
		m.network, m.vpc = m.Instance.NetworkType, m.Instance.VPC
	case !strings.HasPrefix(eni, "eni-"):
		return nil, forbidden("InvalidParam.Malformed", "The specified parameter \"NetworkInterfaceId\" is not valid.")
	default:
		if m.resource = s.find(c, "eni", eni, region); m.resource == nil {
			if s.byKey[key{"eni", eni}] != nil && s.find(c, "eni", eni, "") == nil {
				return nil, badRequest("NotBelongUser", "The specified resource does not belong to you.") // A10
			}
			return nil, notFound("InvalidEniId.NotFound", "The specified NetworkInterfaceId does not exist.")
		}
		m.vpc = m.ENI.VPC
	}
	m.region = m.identity().region
	m.holder = s.holder(m.resource)
	m.state = m.holder.at(c.Now)
	if m.ENI != nil {
		if r := s.checkInterface(m.ENI); r != nil {
			return nil, r
		}
	}
	if r := s.checkInstance(m, c); r != nil {
		return nil, r
	}
	if m.state.Regrouping != nil {
		return nil, &refusal{409, "InvalidOperation.Conflict",
			"Request was denied due to conflict with a previous request, please try again later."}
	}
	return m, nil
}

// checkInterface returns why a network interface's groups cannot be changed. Whether a primary one's can, by its own
// id, is the world's choice (A5).
func (s *Service) checkInterface(n *world.NetworkInterface) *refusal {
	ordinary := n.Type == "Secondary" || n.Type == "Primary" && s.config.Knobs.PrimaryInterface == world.OK
	switch {
	case n.ServiceManaged:
		return forbidden("InvalidOperation.EniServiceManaged", "The network interface is managed by a cloud service.")
	case !ordinary:
		return forbidden("InvalidOperation.InvalidEniType",
			"The type "+n.Type+" of the network interface does not support this operation.")
	case n.Status == "Creating":
		return badRequest("InvalidStatus.EniOrInstanceIsBeingCreated", "The network interface is being created.")
	case n.Status != "InUse" && n.Status != "Available":
		return badRequest("InvalidOperation.InvalidEniState", "The network interface is "+n.Status+".")
	}
	return nil
}

// checkInstance returns why the groups of an instance, or of an interface on it, cannot be changed. The interface of
// an instance that is starting can.
func (s *Service) checkInstance(m *member, c *wire.Call) *refusal {
	v := m.holder
	if m.ENI != nil {
		v = s.byKey[key{"instance", m.ENI.Instance}]
	}
	if v == nil {
		return nil
	}
	status := v.at(c.Now).Status
	switch {
	case slices.Contains(v.Instance.Locks, "security"):
		return locked()
	case m.ENI != nil:
		return nil
	case status == "Pending":
		return forbidden("Forbidden.InstanceIsBeingCreated", "The specified instance is being created.")
	case status != running && status != stopped:
		return wrongStatus()
	}
	return nil
}

// findGroup finds a security group that the member could be in.
func (s *Service) findGroup(c *wire.Call, m *member, id string) (*world.SecurityGroup, *refusal) {
	r := s.find(c, "securitygroup", id, m.region)
	if r == nil {
		if other := s.byKey[key{"securitygroup", id}]; m.ENI != nil && other != nil &&
			other.Firewall.Account != s.account(c) {
			return nil, badRequest("InvalidOperation.EniAndGroupNotBelongSameUser",
				"The network interface and the security group belong to different users.") // A10
		}
		return nil, notFound("InvalidSecurityGroupId.NotFound", "The specified SecurityGroupId does not exist.")
	}
	g := r.Firewall
	switch {
	case g.ServiceManaged:
		return nil, forbidden("InvalidOperation.ResourceManagedByCloudProduct",
			"The security group is managed by a cloud product.")
	case (g.NetworkType != m.network || g.VPC != m.vpc) && m.ENI != nil:
		return nil, forbidden("InvalidOperation.VpcMismatch",
			"The network interface and the security group are not in the same VPC.")
	case g.NetworkType != m.network || g.VPC != m.vpc:
		return nil, badRequest("InvalidInstanceId.Mismatch",
			"Specified instance and security group are not in the same VPC.")
	}
	return g, nil
}

// checkSet returns why the member cannot be in just these groups, or nil.
func (s *Service) checkSet(c *wire.Call, m *member, set []string) *refusal {
	if len(set) > s.config.Quotas.GroupsPerInterface {
		const code, message = "InstanceSecurityGroupLimitExceeded",
			"Exceeding the allowed amount of security groups that an instance can be in."
		if m.ENI != nil {
			return forbidden(code, message) // A3
		}
		return badRequest(code, message)
	}
	rules, types := 0, map[string]bool{}
	for _, id := range set {
		g := s.byKey[key{"securitygroup", id}]
		if g == nil {
			continue
		}
		rules += g.Firewall.Rules
		types[g.Firewall.Type] = true
	}
	switch {
	case len(types) > 1:
		return badRequest("InvalidOperation.MultiGroupType",
			"The specified instance can't join different types of security group.")
	case types[world.Enterprise] && m.Instance != nil && m.Instance.NoEnterpriseGroups:
		return badRequest("InvalidOperation.NotSupportEnterpriseGroup",
			"The specified instance type doesn't support enterprise level security group.")
	case rules > s.config.Quotas.RulesPerInterface:
		return forbidden("AclLimitExceed", "The number of rules of all its security groups exceeds the limit.")
	}
	for _, id := range set {
		if slices.Contains(m.state.SecurityGroups, id) {
			continue
		}
		if r := s.checkRoom(c, m, s.byKey[key{"securitygroup", id}].Firewall); r != nil {
			return r
		}
	}
	return nil
}

// checkRoom returns why nobody can join the group any more, or nil.
func (s *Service) checkRoom(c *wire.Call, m *member, g *world.SecurityGroup) *refusal {
	capacity := s.config.Quotas.BasicMembers
	full := forbidden("SecurityGroupInstanceLimitExceeded",
		"The maximum number of instances in a security group is exceeded.")
	if g.Type == world.Enterprise {
		capacity = s.config.Quotas.EnterpriseMembers
		full = forbidden("InvalidOperation.NetworkInterfaceCountExceeded",
			"The maximum number of NetworkInterface in a enterprise level security group is exceeded.")
	}
	if s.taken(g, c.Now, s.oldest(c.Now))+s.places(g, m.holder) > cmp.Or(g.Capacity, capacity) {
		return full
	}
	return nil
}

// regroup puts the member into just these groups, which takes its time.
func (s *Service) regroup(c *wire.Call, m *member, set []string) wire.Answer {
	changes := &change{}
	state := m.state
	end, failed := transition{SecurityGroups: set}, transition{SecurityGroups: state.SecurityGroups}
	state.Regrouping = s.begin(m.holder, c, m.identity().id, s.config.Timings.SecurityGroups, end, failed)
	s.index(m.holder, set)
	s.change(m.holder, state, c.Now, changes)
	return done(c, changes, journal.Changed, nil)
}

// readMembership reads what JoinSecurityGroup and LeaveSecurityGroup have in common.
func (s *Service) readMembership(c *wire.Call, p params) (*member, *refusal) {
	instance, eni, region := p.Get("InstanceId"), p.Get("NetworkInterfaceId"), p.Get("RegionId")
	switch {
	case p.Get("SecurityGroupId") == "":
		return nil, missing("SecurityGroupId")
	case region == "" && *s.config.Knobs.RegionRequired: // A1
		return nil, badRequest("MissingParameter.RegionId", "The specified RegionId should not be null.")
	case instance != "" && eni != "":
		return nil, forbidden("InvalidParam.EniIdAndInstanceId.Conflict",
			"The specified InstanceId and NetworkInterfaceId are mutually exclusive.")
	case instance == "" && eni == "":
		return nil, missing("InstanceId")
	}
	return s.findMember(c, instance, eni, region)
}

func (s *Service) joinSecurityGroup(c *wire.Call, p params) wire.Answer {
	m, r := s.readMembership(c, p)
	if r != nil {
		return s.refuse(c, r)
	}
	g, r := s.findGroup(c, m, c.Group)
	if r != nil {
		return s.refuse(c, r)
	}
	if slices.Contains(m.state.SecurityGroups, g.ID) {
		if s.config.Knobs.RepeatJoin == world.OK { // A2
			return done(c, &change{}, journal.None, nil)
		}
		return s.refuse(c, forbidden("InvalidInstanceId.AlreadyExists",
			"The specified instance already exists in the specified security group."))
	}
	set := append(slices.Clone(m.state.SecurityGroups), g.ID)
	if r := s.checkSet(c, m, set); r != nil {
		return s.refuse(c, r)
	}
	return s.regroup(c, m, set)
}

func (s *Service) leaveSecurityGroup(c *wire.Call, p params) wire.Answer {
	m, r := s.readMembership(c, p)
	if r != nil {
		return s.refuse(c, r)
	}
	g, r := s.findGroup(c, m, c.Group)
	switch {
	case r != nil:
		return s.refuse(c, r)
	case !slices.Contains(m.state.SecurityGroups, g.ID):
		return s.notMember(c)
	case len(m.state.SecurityGroups) == 1:
		return s.refuse(c, forbidden("InstanceLastSecurityGroup",
			"The instance cannot leave its last security group."))
	}
	return s.regroup(c, m, slices.DeleteFunc(slices.Clone(m.state.SecurityGroups),
		func(id string) bool { return id == g.ID }))
}

// notMember answers who leaves a group that it is not in, as the world chose (A4).
func (s *Service) notMember(c *wire.Call) wire.Answer {
	const message = "The specified instance is not in the specified security group."
	switch code := s.config.Knobs.LeaveNotMember; code {
	case world.OK:
		return done(c, &change{}, journal.None, nil)
	case "InstanceNotInSecurityGroup":
		return s.refuse(c, forbidden(code, message))
	default:
		return s.refuse(c, notFound(code, message))
	}
}

func (s *Service) modifyInterface(c *wire.Call, p params) wire.Answer {
	if p.Get("NetworkInterfaceId") == "" {
		return s.refuse(c, missing("NetworkInterfaceId"))
	}
	m, r := s.findMember(c, "", p.Get("NetworkInterfaceId"), p.Get("RegionId"))
	if r != nil {
		return s.refuse(c, r)
	}
	return s.modify(c, m, "SecurityGroupId", p.list("SecurityGroupId"))
}

// modify replaces the member's whole set of groups. Its codes are those of joining (A9).
func (s *Service) modify(c *wire.Call, m *member, parameter string, set []string) wire.Answer {
	if len(set) == 0 {
		return s.refuse(c, missing(parameter))
	}
	for i, id := range set {
		if slices.Contains(set[:i], id) {
			return s.refuse(c, invalid(parameter))
		}
		if _, r := s.findGroup(c, m, id); r != nil {
			return s.refuse(c, r)
		}
	}
	if r := s.checkSet(c, m, set); r != nil {
		return s.refuse(c, r)
	}
	if slices.Equal(slices.Sorted(slices.Values(set)), slices.Sorted(slices.Values(m.state.SecurityGroups))) {
		return s.rename(c, m)
	}
	return s.regroup(c, m, set)
}
