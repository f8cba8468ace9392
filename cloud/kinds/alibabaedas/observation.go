package alibabaedas

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// observation is what the cloud said at one moment.
type observation struct {
	operation      membership.Operation
	params         params
	cluster        alibaba.EDASCluster
	clusterMissing bool
	members        map[string]alibaba.EDASMember // of the cluster, by instance
	instances      map[string]alibaba.Instance
	offered        map[string]alibaba.EDASInstance // what the cluster would take, by instance
	password       string                          // why the password is of no use, "" when it is
	disks          *backup.Evidence                // of a join by import, else nil
	// Only when planning:
	elsewhere map[string]string // instance to another cluster of which it is a member
}

// Facts that a program remembers of a member, beside those of package backup.
const factMember = "member" // the membership that it had already, when somebody else was at it

// Reasons for which people or the billing lock an instance. Others are the cloud at work, as a reinstallation.
var locksToClear = []string{"security", "financial", "dedicatedhostfinancial", "refunded", "Recycling"}

// Compile refuses whom the cluster cannot take and remembers how the systems of the others are.
func (o *observation) Compile(r membership.Request, op membership.Operation) membership.Program {
	p := membership.Compile(Kind{}.Spec(), r, op, func(id string) membership.Member {
		m := membership.Member{ID: id, Name: o.instances[id].Name, Before: map[string]string{}}
		is, in := o.members[id]
		switch {
		case op == membership.Leave && !in && !o.clusterMissing:
			m.Already = true
		case op == membership.Leave:
			m.Before[factMember] = is.ID
			m.Refused = o.objectionsToLeave(is)
		case in && is.Status == alibaba.EDASRunning:
			m.Already = true
		case in && is.Status == alibaba.EDASConverting: // on its way: only to be seen through
			m.Before[factMember] = is.ID
		case in:
			m.Refused = []membership.Objection{{Code: codeMemberStatus, Reason: fmt.Sprintf(
				"the instance is a member of the cluster already, which is %s; see to that, or remove it first",
				statusName(is.Status))}}
		default:
			m.Refused = o.objections(id)
			if instance, exists := o.instances[id]; exists && o.params.reimage {
				m.Refused = append(m.Refused, o.disks.Objections(id, o.params.backup)...)
				m.Before = o.disks.Before(instance)
			}
		}
		return m
	})
	p.Destructive, p.Stages = op == membership.Join && o.params.reimage, stagesOf(op, o.params)
	p.Warnings = o.warnings(op, r.Members)
	return p
}

func (o *observation) warnings(op membership.Operation, members []string) []string {
	if op == membership.Leave {
		return []string{"the instances keep the systems that they have now, also those that a join has installed anew"}
	}
	var w []string
	if o.params.reimage {
		w = append(w, "the systems are installed ANEW: what is on the system disks is lost, "+
			"and the password of passwordFrom replaces the logon",
			"the vendor recommends route "+routeInstall+", which keeps the systems")
		w = append(w, backup.Warnings(o.params.backup)...)
	} else {
		w = append(w, "route "+routeInstall+" is proposed since it keeps the systems and their data, and since the vendor "+
			"recommends it; the instances need a Cloud Assistant that is online; route "+routeReimage+" would install the systems anew")
	}
	unseen := 0
	for _, id := range members {
		_, in := o.members[id]
		_, exists := o.instances[id]
		_, offered := o.offered[id]
		if exists && !in && !offered && o.elsewhere[id] == "" {
			unseen++
		}
	}
	if unseen > 0 && !o.clusterMissing {
		w = append(w, fmt.Sprintf("EDAS does not offer %d of the instances for the cluster yet; "+
			"it is asked to look at them (SynchronizeResource) before anything else", unseen))
	}
	return w
}

// objections are all the reasons not to make an instance a member, as far as they can be seen now.
func (o *observation) objections(id string) (all membership.Objections) {
	all.When(o.clusterMissing, codeClusterMissing, "the account has no such cluster of EDAS in its region")
	all.When(!o.clusterMissing && o.cluster.Type != alibaba.EDASOfECS, codeClusterType,
		"the cluster is of type %d; it must be of type %d, of ECS instances", o.cluster.Type, alibaba.EDASOfECS)
	all.When(o.password != "", codePassword, "%s", o.password)
	i, exists := o.instances[id]
	all.When(!exists, codeInstanceMissing, "the account has no such instance in its region")
	if !exists {
		return all
	}
	all.When(busy(i), codeInstanceBusy, "%s", backup.Doing(i))
	all.When(!busy(i) && i.Status != backup.Running, codeInstanceStatus, "the instance is %s; it must be %s", i.Status, backup.Running)
	lock := lockToClear(i)
	all.When(lock != "", codeInstanceLocked, "the instance is locked: %s", lock)
	all.When(o.offered[id].Expired, codeExpired, "the instance's subscription has ended")
	all.When(i.OSType != "linux", codeOSType, "the instance's system is %q; EDAS takes Linux only", i.OSType)
	if other := o.elsewhere[id]; other != "" {
		all.Add(codeOtherCluster, "the instance is a member of cluster %s", other)
	}
	if o.clusterMissing {
		return all
	}
	// The cluster may name one of the namespaces of its region, as in cn-hangzhou:test.
	region, _, _ := strings.Cut(o.cluster.Region, ":")
	all.When(region != i.Region, codeClusterRegion, "the cluster is in region %s, the instance in %s", region, i.Region)
	classic := o.cluster.NetworkMode == alibaba.EDASClassic
	all.When(classic != (i.VPC == ""), codeNetworkType, "the cluster has network mode %d, and the instance VPC %q",
		o.cluster.NetworkMode, i.VPC)
	all.When(!classic && i.VPC != "" && i.VPC != o.cluster.VPC, codeVPC, "the instance is in VPC %s, the cluster in %s",
		i.VPC, o.cluster.VPC)
	return all
}

func (o *observation) objectionsToLeave(is alibaba.EDASMember) (all membership.Objections) {
	if o.clusterMissing {
		return []membership.Objection{{Code: codeClusterMissing, Reason: "the account has no such cluster of EDAS in its region"}}
	}
	if !removable(is) {
		return []membership.Objection{{Code: codeMemberStatus,
			Reason: fmt.Sprintf("the member is %s; wait until that has ended", statusName(is.Status))}}
	}
	return nil
}

// busy reports whether the cloud is at work on an instance, or the instance on its way between two statuses.
func busy(i alibaba.Instance) bool {
	i.Locks = slices.DeleteFunc(slices.Clone(i.Locks), func(lock string) bool { return slices.Contains(locksToClear, lock) })
	return !backup.Idle(i)
}

// lockToClear returns a lock of an instance that only a person can clear, "" when there is none.
func lockToClear(i alibaba.Instance) string {
	for _, lock := range i.Locks {
		if slices.Contains(locksToClear, lock) {
			return lock
		}
	}
	return ""
}

// removable reports whether nothing is under way with a member.
func removable(m alibaba.EDASMember) bool {
	return m.Status == alibaba.EDASRunning || m.Status == alibaba.EDASFailed || m.Status == alibaba.EDASOffline
}

// statusName renders a member's status for people.
func statusName(status int) string {
	switch status {
	case alibaba.EDASRunning:
		return "running"
	case alibaba.EDASConverting:
		return "being converted"
	case alibaba.EDASFailed:
		return "one whose conversion has failed"
	case alibaba.EDASOffline:
		return "offline"
	default:
		return fmt.Sprintf("in status %d", status)
	}
}
