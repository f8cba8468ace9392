package world

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

func (w World) validateAlibaba(v *validation) {
	a := w.Alibaba
	v.atLeast("alibaba.quotas.groupsPerInterface", a.Quotas.GroupsPerInterface, 0)
	v.atLeast("alibaba.quotas.basicMembers", a.Quotas.BasicMembers, 0)
	v.atLeast("alibaba.quotas.enterpriseMembers", a.Quotas.EnterpriseMembers, 0)
	v.atLeast("alibaba.quotas.rulesPerInterface", a.Quotas.RulesPerInterface, 0)
	v.fields("alibaba.throttle", a.Throttle)
	a.Containers.validate(v)
	k := a.Knobs
	v.oneOf("alibaba.knobs.repeatJoin", k.RepeatJoin, OK, Error)
	v.oneOf("alibaba.knobs.leaveNotMember", k.LeaveNotMember, OK, "InvalidSecurityGroupAssociation.NotFound",
		"InstanceNotInSecurityGroup")
	v.oneOf("alibaba.knobs.primaryInterface", k.PrimaryInterface, OK, Error)
	v.oneOf("alibaba.knobs.repeatMove", k.RepeatMove, OK, Error)
	v.oneOf("alibaba.knobs.defaultGroup", k.DefaultGroup, Empty, Shown)
	v.oneOf("alibaba.knobs.stoppedMode", k.StoppedMode, StopCharging, KeepCharging)
	v.oneOf("alibaba.knobs.powerOnTargetState", k.PowerOnTarget, OK, Error)
	for i, r := range a.Transfer.Rules {
		at := fmt.Sprintf("alibaba.associatedTransfer.rules[%d]", i)
		if rule := r.From + " → " + r.To; !slices.Contains(
			[]string{"instance → disk", "instance → eni", "disk → snapshot"}, rule) {
			v.bad(at, rule, "is not one of instance → disk, instance → eni, disk → snapshot")
		}
	}
	c := &alibabaCheck{validation: v, accounts: map[string]bool{"": true}, groups: map[string]bool{"": true},
		firewalls: map[string]bool{}, instances: map[string]bool{"": true}, disks: map[string]bool{"": true},
		snapshots: map[string]bool{"": true}, ids: map[string]func(string, string){}}
	for _, account := range w.Accounts {
		c.accounts[account.AccountID] = true
	}
	c.known(a)
	c.check(a)
}

// alibabaCheck knows what the resources of a world may refer to.
type alibabaCheck struct {
	*validation
	accounts, groups, firewalls, instances, disks, snapshots map[string]bool
	ids                                                      map[string]func(field, value string) // by resource type
}

// known collects the ids and names that are referred to.
func (c *alibabaCheck) known(a Alibaba) {
	for _, g := range a.ResourceGroups {
		c.groups[g.ID], c.groups[g.Name] = true, true
	}
	for _, g := range a.SecurityGroups {
		c.firewalls[g.ID], c.firewalls[g.Name] = true, true
	}
	for _, v := range a.Instances {
		c.instances[v.ID], c.instances[v.Name] = true, true
	}
	for _, r := range a.Resources {
		switch r.Type {
		case "disk":
			c.disks[r.ID], c.disks[r.Name] = true, true
		case "snapshot":
			c.snapshots[r.ID], c.snapshots[r.Name] = true, true
		}
	}
	for _, g := range a.Generate {
		for n := 1; n <= g.Count && g.Type == "disk"; n++ {
			c.disks[fmt.Sprintf(g.Name, n)] = true
		}
		for n := 1; n <= g.Count && cmp.Or(g.Type, "instance") == "instance"; n++ {
			c.instances[fmt.Sprintf(g.Name, n)] = true
		}
	}
}

// identity checks id, name and account of a resource. Without an id it is made from the name, which so must be unique.
func (c *alibabaCheck) identity(at, resourceType, id, name, account string) {
	if c.ids[resourceType] == nil {
		c.ids[resourceType] = c.unique()
	}
	if id == "" {
		c.required(at+".name", name)
		c.ids[resourceType](at+".name", name)
	} else if !strings.HasPrefix(id, prefixes[resourceType]) {
		c.bad(at+".id", id, fmt.Sprintf("does not start with %q", prefixes[resourceType]))
	}
	c.ids[resourceType](at+".id", id)
	if !c.accounts[account] {
		c.bad(at+".account", account, "is the accountId of no account of this world")
	}
}

// refers checks that a value is among the known ones.
func (c *alibabaCheck) refers(field, value string, known map[string]bool, what string) {
	if !known[value] {
		c.bad(field, value, "is no "+what+" of this world")
	}
}

func (c *alibabaCheck) securityGroups(at string, names []string) {
	for i, name := range names {
		c.refers(fmt.Sprintf("%s.securityGroups[%d]", at, i), name, c.firewalls, "security group")
	}
}

func (c *alibabaCheck) check(a Alibaba) {
	for i, g := range a.ResourceGroups {
		at := fmt.Sprintf("alibaba.resourceGroups[%d]", i)
		c.identity(at, "resourcegroup", g.ID, g.Name, g.Account)
		c.oneOf(at+".status", g.Status, "OK", "Creating", "PendingDelete")
		for region, status := range g.Regions {
			c.oneOf(at+".regions."+region, status, "OK", "Creating", "PendingDelete", "Deleting")
		}
	}
	for i, g := range a.SecurityGroups {
		at := fmt.Sprintf("alibaba.securityGroups[%d]", i)
		c.identity(at, "securitygroup", g.ID, g.Name, g.Account)
		c.oneOf(at+".networkType", g.NetworkType, "vpc", "classic")
		c.oneOf(at+".type", g.Type, Basic, Enterprise)
		c.atLeast(at+".rules", g.Rules, 0)
		c.atLeast(at+".capacity", g.Capacity, 0)
		c.refers(at+".resourceGroup", g.ResourceGroup, c.groups, "resource group")
	}
	for i, n := range a.Instances {
		c.instance(fmt.Sprintf("alibaba.instances[%d]", i), n)
	}
	for i, n := range a.Interfaces {
		at := fmt.Sprintf("alibaba.networkInterfaces[%d]", i)
		c.identity(at, "eni", n.ID, n.Name, n.Account)
		c.oneOf(at+".type", n.Type, "Secondary", "Primary", "Trunk", "Member")
		c.oneOf(at+".status", n.Status, "InUse", "Available", "Creating", "Attaching", "Detaching", "Deleting")
		c.refers(at+".instance", n.Instance, c.instances, "instance")
		c.securityGroups(at, n.SecurityGroups)
		c.refers(at+".resourceGroup", n.ResourceGroup, c.groups, "resource group")
	}
	for i, r := range a.Resources {
		at := fmt.Sprintf("alibaba.resources[%d]", i)
		if !slices.Contains(otherTypes(), r.Type) {
			c.bad(at+".type", r.Type, "is not one of "+strings.Join(otherTypes(), ", "))
			continue
		}
		c.identity(at, r.Type, r.ID, r.Name, r.Account)
		c.refers(at+".instance", r.Instance, c.instances, "instance")
		if !strings.HasPrefix(r.Disk, prefixes["disk"]) { // a snapshot outlives its disk
			c.refers(at+".disk", r.Disk, c.disks, "disk")
		}
		if !strings.HasPrefix(r.Snapshot, prefixes["snapshot"]) {
			c.refers(at+".snapshot", r.Snapshot, c.snapshots, "snapshot")
		}
		c.atLeast(at+".size", r.Size, 0)
		c.refers(at+".resourceGroup", r.ResourceGroup, c.groups, "resource group")
	}
	c.deploymentSets(a)
	c.clusters(a.Clusters)
	c.edas(a.EDAS, a.EDASClusters)
	for i, g := range a.Generate {
		c.generate(fmt.Sprintf("alibaba.generate[%d]", i), g)
	}
}

func (c *alibabaCheck) instance(at string, n Instance) {
	c.identity(at, "instance", n.ID, n.Name, n.Account)
	c.oneOf(at+".networkType", n.NetworkType, "vpc", "classic")
	c.oneOf(at+".osType", n.OSType, "linux", "windows")
	c.oneOf(at+".status", n.Status, "Running", "Stopped", "Pending")
	c.oneOf(at+".stoppedMode", n.StoppedMode, KeepCharging, StopCharging)
	c.oneOf(at+".startFails", n.StartFails, Never, AfterStopCharging, InDeploymentSet, Always)
	c.atLeast(at+".osGeneration", n.OSGeneration, 0)
	for i, lock := range n.Locks {
		c.oneOf(fmt.Sprintf("%s.locks[%d]", at, i), lock, "security", "financial", "Recycling",
			"dedicatedhostfinancial", "refunded")
	}
	c.securityGroups(at, n.SecurityGroups)
	c.refers(at+".resourceGroup", n.ResourceGroup, c.groups, "resource group")
}

func (c *alibabaCheck) generate(at string, g GenerateResources) {
	c.atLeast(at+".count", g.Count, 1)
	if first, second := fmt.Sprintf(g.Name, 1), fmt.Sprintf(g.Name, 2); first == second || strings.Contains(first, "%!") {
		c.bad(at+".name", g.Name, "needs one number, as in \"web-%05d\"")
		return
	}
	resourceType := cmp.Or(g.Type, "instance")
	if resourceType == "securitygroup" || !slices.Contains(ResourceTypes(), resourceType) {
		c.bad(at+".type", g.Type, "is not one of instance, eni, "+strings.Join(otherTypes(), ", "))
		return
	}
	c.percent(at+".stoppedPercent", g.StoppedPercent)
	c.percent(at+".lockedPercent", g.LockedPercent)
	c.percent(at+".startFailsPercent", g.StartFailsPercent)
	c.atLeast(at+".interfaces", g.Interfaces, 0)
	c.oneOf(at+".startFails", g.StartFails, Never, AfterStopCharging, InDeploymentSet, Always)
	if resourceType == "instance" {
		c.oneOf(at+".status", g.Status, "Running", "Stopped", "Pending")
	}
	c.securityGroups(at, g.SecurityGroups)
	c.refers(at+".resourceGroup", g.ResourceGroup, c.groups, "resource group")
	for n := 1; n <= g.Count; n++ {
		c.identity(at, resourceType, "", fmt.Sprintf(g.Name, n), g.Account)
	}
}
