package alibabadeploymentset

import (
	"strconv"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// observation is what the cloud said at one moment.
type observation struct {
	operation membership.Operation
	params    params
	group     string                 // id of the set
	from      string                 // id of the set that a move is from; "" when there is none
	set       *alibaba.DeploymentSet // nil when there is none
	instances map[string]alibaba.Instance
}

// Facts that a program remembers of a member.
const (
	factSet   = "set"   // the deployment set that it was in; none when it was in none
	factGroup = "group" // its number in that set
)

// setBefore is the set that a member was in, "" for none.
func setBefore(m *membership.Member) string { return m.Before[factSet] }

const (
	statusRunning = "Running"
	statusStopped = "Stopped"
)

func isOn(i alibaba.Instance) bool  { return i.Status == statusRunning }
func isOff(i alibaba.Instance) bool { return i.Status == statusStopped }

// busy tells of the statuses that pass by themselves.
func busy(i alibaba.Instance) bool {
	return i.Status == "Starting" || i.Status == "Stopping" || i.Status == "Pending"
}

// apart are the strategies that keep instances on different hosts.
var apart = map[string]bool{"Availability": true, "AvailabilityGroup": true}

// Compile refuses whom the set cannot take and remembers how the others are.
func (o *observation) Compile(r membership.Request, op membership.Operation) membership.Program {
	return membership.Compile(Kind{}.Spec(), r, op, func(id string) membership.Member {
		i, exists := o.instances[id]
		m := member(id, i, exists)
		switch {
		case exists && o.set != nil && o.in(i) == (op == membership.Join):
			m.Already = true
		case op == membership.Leave:
			m.Refused = o.objectionsToLeave(i, exists)
		default:
			m.Refused = o.objections(i, exists)
		}
		return m
	})
}

func member(id string, i alibaba.Instance, exists bool) membership.Member {
	m := membership.Member{ID: id, Name: i.Name}
	if !exists {
		return m
	}
	m.Before = map[string]string{membership.FactPower: membership.PowerOff}
	if isOn(i) {
		m.Before[membership.FactPower] = membership.PowerOn
	}
	for fact, value := range map[string]string{factSet: i.DeploymentSet, membership.FactZone: i.Zone} {
		if value != "" {
			m.Before[fact] = value
		}
	}
	if i.DeploymentGroup > 0 {
		m.Before[factGroup] = strconv.Itoa(i.DeploymentGroup)
	}
	return m
}

// objections returns everything that speaks against placing an instance. They do not end at the first: an operator wants to
// mend them all at once.
func (o *observation) objections(i alibaba.Instance, exists bool) (all membership.Objections) {
	all.When(o.set == nil, codeGroupMissing, "there is no deployment set %s in the account's region", o.group)
	if o.set != nil {
		all.When(!apart[o.set.Strategy], codeGroupStrategy, "the set's strategy is %q; it takes Availability or AvailabilityGroup", o.set.Strategy)
	}
	if !exists {
		all.Add(codeInstanceMissing, "there is no such instance in the account's region")
		return all
	}
	all = append(all, condition(i)...)
	all.When(i.NetworkType != "vpc", codeNetworkType, "the instance's network is %q; it must be vpc", i.NetworkType)
	all.When(isOff(i) && i.StoppedMode == "StopCharging", codeNoHost, "the instance is stopped without charge (StopCharging); start it first")
	all.When(o.losesDisks(i), codeLocalDisk, "the instance has %s of its host, and force lets it move to another",
		membership.Count(i.LocalDisks, "disk"))
	all.When(o.from != "" && i.DeploymentSet != o.from, membership.CodeNotInFrom, "the instance is not in deployment set %s", o.from)
	if i.DeploymentSet != "" && i.DeploymentSet != o.from {
		all = append(all, membership.Objection{Code: codeOtherGroup, Reason: "the instance is in deployment set " + i.DeploymentSet,
			Group: i.DeploymentSet})
	}
	return all
}

// losesDisks tells whether the data of an instance's disks could be lost by a move.
func (o *observation) losesDisks(i alibaba.Instance) bool { return o.params.force && i.LocalDisks > 0 }

// condition returns what speaks against doing anything to an instance.
func condition(i alibaba.Instance) (all membership.Objections) {
	all.When(busy(i), codeInstanceBusy, "the instance is %s", i.Status)
	all.When(!isOn(i) && !isOff(i) && !busy(i), codeInstanceStatus, "the instance is %q; it must be Running or Stopped", i.Status)
	all.When(len(i.Locks) > 0, codeInstanceLocked, "the instance is locked (%s)", strings.Join(i.Locks, ", "))
	return all
}

func (o *observation) objectionsToLeave(i alibaba.Instance, exists bool) (all membership.Objections) {
	all.When(o.set == nil, codeGroupMissing, "there is no deployment set %s in the account's region", o.group)
	if !exists {
		all.Add(codeInstanceMissing, "there is no such instance in the account's region")
		return all
	}
	return append(all, condition(i)...)
}
