package huaweiservergroup

import (
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// observation is what the cloud said at one moment.
type observation struct {
	operation    membership.Operation
	params       params
	group        huawei.Group
	groupMissing bool
	from         huawei.Group // that a move is from; its id is "" when there is none
	fromMissing  bool
	others       map[string]huawei.Server // members of the group that were not asked for, as far as their hosts matter
	servers      map[string]huawei.Server
	flavors      map[string]huawei.Flavor
	jobs         map[string]huawei.Job
	// Only when planning:
	elsewhere map[string]string // server id to another group that it is in
}

func (o *observation) inGroup(server string) bool { return slices.Contains(o.group.Members, server) }

func (o *observation) inFrom(server string) bool { return slices.Contains(o.from.Members, server) }

// Facts that a program remembers of a member.
const (
	factFlavor = "flavor"
)

const (
	statusActive  = "ACTIVE"
	statusShutoff = "SHUTOFF"
)

// idle reports whether nothing is under way on the server. The status alone does not tell: a server that is being
// stopped is ACTIVE, one that is being started SHUTOFF.
func idle(s huawei.Server) bool { return s.TaskState == "" }

func isOn(s huawei.Server) bool  { return s.Status == statusActive && idle(s) }
func isOff(s huawei.Server) bool { return s.Status == statusShutoff && idle(s) }

// assumesStop tells what the sources do not settle: the vendor's page wants servers stopped, and its own clients add running ones.
const assumesStop = "running servers are stopped, since the API's page asks for it; where a region takes them as they run, stop: false spares them that"

// Compile refuses whom the group cannot take and remembers how the others run.
func (o *observation) Compile(r membership.Request, op membership.Operation) membership.Program {
	p := membership.Compile(Kind{}.Spec(), r, op, func(id string) membership.Member {
		m := o.member(id)
		switch in := o.inGroup(id); {
		case in == (op == membership.Join) && !o.groupMissing:
			m.Already = true
		case op == membership.Join:
			m.Refused = o.objections(id)
		default:
			m.Refused = o.objectionsToLeave(id)
		}
		return m
	})
	stops := func(m membership.Member) bool { return m.Due() && m.Power() == membership.PowerOn }
	if op == membership.Join && o.params.stop && slices.ContainsFunc(p.Members, stops) {
		p.Warnings = append(p.Warnings, assumesStop)
	}
	if op == membership.Join && r.From == "" {
		p.Stages = slices.DeleteFunc(p.Stages, func(s membership.Stage) bool { return s.Name == stageRemove })
	}
	return p
}

func (o *observation) member(id string) membership.Member {
	m := membership.Member{ID: id}
	s, ok := o.servers[id]
	if !ok {
		return m
	}
	m.Name = s.Name
	m.Before = map[string]string{membership.FactPower: membership.PowerOff, factFlavor: s.FlavorID}
	if s.Status == statusActive {
		m.Before[membership.FactPower] = membership.PowerOn
	}
	if s.Zone != "" {
		m.Before[membership.FactZone] = s.Zone
	}
	return m
}

// objections returns everything that speaks against adding a server. They do not end at the first: an operator wants to
// mend them all at once.
func (o *observation) objections(id string) (all membership.Objections) {
	switch {
	case o.groupMissing:
		all.Add(codeGroupMissing, "there is no such group in the project")
	case !slices.Equal(o.group.Policies, []string{"anti-affinity"}):
		all.Add(codeGroupPolicy, "the group's policy is %q; servers can only be added to anti-affinity", strings.Join(o.group.Policies, ","))
	}
	s, ok := o.servers[id]
	if !ok {
		all.Add(codeServerMissing, "there is no such server in the project")
		return all
	}
	if s.Status != statusActive && s.Status != statusShutoff {
		all.Add(codeServerStatus, "the server is %s; it must be ACTIVE or SHUTOFF", s.Status)
	}
	if !idle(s) {
		all.Add(codeServerBusy, "the server is %s", s.TaskState)
	}
	if s.Locked {
		all.Add(codeServerLocked, "the server is locked%s", because(s.LockScene))
	}
	if o.fromMissing {
		all.Add(codeGroupMissing, "there is no group %s in the project", o.from.ID)
	} else if o.from.ID != "" && !o.inFrom(id) {
		all.Add(membership.CodeNotInFrom, "the server is not in group %s", o.from.ID)
	}
	others := s.Groups
	if other := o.elsewhere[id]; other != "" && !slices.Contains(others, other) {
		others = append(slices.Clone(others), other)
	}
	for _, other := range others {
		if other != o.group.ID && other != "" && (other != o.from.ID || !o.inFrom(id)) {
			all = append(all, membership.Objection{Code: codeOtherGroup, Reason: "the server is in group " + other, Group: other})
		}
	}
	return append(all, o.hardware(s)...)
}

// hardware returns what speaks against the server's flavor, from the flavor's extra specs. It fails closed: what the
// cloud does not tell is an objection. The server's own metadata is no evidence; it can say Xen of any server that was
// made before 2019.
func (o *observation) hardware(s huawei.Server) (all membership.Objections) {
	specs := o.flavors[s.FlavorID].ExtraSpecs
	switch env := specs["ecs:virtualization_env_types"]; {
	case env == "CloudCompute": // KVM
	case env == "FusionCompute":
		all.Add(codeNotKVM, "flavor %s is virtualized by Xen (FusionCompute)", s.FlavorID)
	case env == "" && o.params.assumeKVM:
	case env == "":
		all.Add(codeKVMUnknown, "flavor %s does not tell how it is virtualized", s.FlavorID)
	case o.params.assumeKVM:
	default:
		all.Add(codeKVMUnknown, "flavor %s is virtualized by %q, which is not known to be KVM", s.FlavorID, env)
	}
	for _, key := range []string{"quota:local_disk", "quota:nvme_ssd"} {
		if v := specs[key]; v != "" {
			all.Add(codeLocalDisk, "flavor %s has local disks (%s %s)", s.FlavorID, key, v)
		}
	}
	var cards []string
	for key, v := range specs {
		if strings.HasPrefix(key, "pci_passthrough:") && v != "" {
			cards = append(cards, key+" "+v)
		}
	}
	if len(cards) > 0 {
		slices.Sort(cards)
		all.Add(codePassThrough, "flavor %s passes a card through (%s)", s.FlavorID, strings.Join(cards, ", "))
	}
	return all
}

func (o *observation) objectionsToLeave(id string) (all membership.Objections) {
	s, ok := o.servers[id]
	switch {
	case o.groupMissing:
		return []membership.Objection{{Code: codeGroupMissing, Reason: "there is no such group in the project"}}
	case !ok:
		return []membership.Objection{{Code: codeServerMissing, Reason: "there is no such server in the project"}}
	}
	if !idle(s) {
		all = append(all, membership.Objection{Code: codeServerBusy, Reason: "the server is " + s.TaskState})
	}
	if s.Locked {
		all = append(all, membership.Objection{Code: codeServerLocked, Reason: "the server is locked" + because(s.LockScene)})
	}
	return all
}

func because(scene string) string {
	if scene == "" {
		return ""
	}
	return " (" + scene + ")"
}
