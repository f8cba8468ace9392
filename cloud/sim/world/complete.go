package world

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
)

// prefixes of ids, by resource type.
var prefixes = map[string]string{"instance": "i-", "eni": "eni-", "securitygroup": "sg-", "resourcegroup": "rg-",
	"disk": "d-", "snapshot": "s-", "image": "m-", "ddh": "dh-", "ddhcluster": "dc-", "keypair": "",
	"launchtemplate": "lt-", "command": "c-", "activation": "activation-", "managedinstance": "mi-",
	"cluster": "c", "nodepool": "np", "deploymentset": "ds-"}

// AlibabaID returns the id that a world with this seed gives to the resource of this type and name. Key pairs have no
// ids of their own: there it is the name.
func AlibabaID(seed int64, resourceType, name string) string {
	if resourceType == "keypair" {
		return name
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%d/alibaba/%s/%s", seed, resourceType, name))
	return prefixes[resourceType] + fmt.Sprintf("%x", h[:10])
}

// completer turns names into ids and fills in what is left out.
type completer struct {
	seed            int64
	account, region string
	groups          map[string]string // resource groups: ids by id and by name
	firewalls       map[string]string // security groups likewise
	instances       map[string]*Instance
	defaults        map[string]string // default resource group by account
}

// completeAlibaba fills in all defaults, makes what Generate asks for, and gives each instance in a VPC its primary
// network interface, each instance its system disk, and each account its default resource group.
func (w *World) completeAlibaba() {
	a := &w.Alibaba
	a.fillDefaults()
	c := &completer{seed: w.Seed, account: w.DefaultAccount(), region: "cn-hangzhou", groups: map[string]string{},
		firewalls: map[string]string{}, instances: map[string]*Instance{},
		defaults: map[string]string{}}
	for _, account := range w.Accounts {
		if account.AccountID != "" && account.Region != "" {
			c.region = account.Region
			break
		}
	}
	a.Instances, a.Interfaces, a.Resources = slices.Clone(a.Instances), slices.Clone(a.Interfaces), slices.Clone(a.Resources)
	for _, rule := range a.Generate {
		for n := 1; n <= rule.Count; n++ {
			a.generate(w.Seed, rule, n)
		}
	}
	a.Generate = nil
	a.ResourceGroups = c.resourceGroups(a.ResourceGroups, w.Accounts)
	a.SecurityGroups = c.securityGroups(a.SecurityGroups)
	c.completeInstances(a.Instances)
	a.DeploymentSets = c.deploymentSets(a.DeploymentSets, a.Instances, &a.Deployment)
	a.Interfaces = c.interfaces(a.Interfaces, a.Instances)
	a.Resources = c.resources(a.Resources, a.Instances)
	a.Clusters = c.clusters(a.Clusters)
	a.EDASClusters = c.edasClusters(a.EDASClusters)
}

func (a *Alibaba) fillDefaults() {
	a.ListLag = cmp.Or(a.ListLag, a.ReadLag)
	a.Containers.complete(a.ReadLag)
	a.EDAS.complete(a.ReadLag)
	q := &a.Quotas
	q.GroupsPerInterface = cmp.Or(q.GroupsPerInterface, 5)
	q.BasicMembers = cmp.Or(q.BasicMembers, 6000)
	q.EnterpriseMembers = cmp.Or(q.EnterpriseMembers, 65536)
	q.RulesPerInterface = cmp.Or(q.RulesPerInterface, 1000)
	k, yes := &a.Knobs, true
	k.RegionRequired = cmp.Or(k.RegionRequired, &yes)
	k.RepeatJoin = cmp.Or(k.RepeatJoin, Error)
	k.LeaveNotMember = cmp.Or(k.LeaveNotMember, "InvalidSecurityGroupAssociation.NotFound")
	k.PrimaryInterface = cmp.Or(k.PrimaryInterface, Error)
	k.RepeatMove = cmp.Or(k.RepeatMove, Error)
	k.DefaultGroup = cmp.Or(k.DefaultGroup, Empty)
	k.StoppedMode = cmp.Or(k.StoppedMode, StopCharging)
	k.PowerOnTarget = cmp.Or(k.PowerOnTarget, Error)
	k.NoStock = cmp.Or(k.NoStock, "OperationDenied.NoStock")
	if len(a.Transfer.Rules) == 0 {
		a.Transfer.Rules = []TransferRule{{"instance", "disk"}, {"instance", "eni"}}
	}
}

func (c *completer) resourceGroups(given []ResourceGroup, accounts []Account) []ResourceGroup {
	groups := slices.Clone(given)
	for i := range groups {
		g := &groups[i]
		g.Account = cmp.Or(g.Account, c.account)
		g.ID = cmp.Or(g.ID, AlibabaID(c.seed, "resourcegroup", g.Name))
		g.Name = cmp.Or(g.Name, g.ID)
		g.Status = cmp.Or(g.Status, "OK")
		c.groups[g.ID], c.groups[g.Name] = g.ID, g.ID
		if g.Default {
			c.defaults[g.Account] = g.ID
		}
	}
	for _, account := range accounts {
		if account.AccountID == "" || c.defaults[account.AccountID] != "" {
			continue
		}
		id := AlibabaID(c.seed, "resourcegroup", "default/"+account.AccountID)
		c.defaults[account.AccountID], c.groups[id] = id, id
		groups = append(groups, ResourceGroup{ID: id, Name: "default resource group", Account: account.AccountID,
			Default: true, Status: "OK"})
	}
	return groups
}

// common fills in what all resources have.
func (c *completer) common(resourceType string, id, name, account, region, group *string) {
	*account = cmp.Or(*account, c.account)
	*region = cmp.Or(*region, c.region)
	*id = cmp.Or(*id, AlibabaID(c.seed, resourceType, *name))
	*name = cmp.Or(*name, *id)
	*group = cmp.Or(c.groups[*group], c.defaults[*account])
}

func (c *completer) securityGroups(given []SecurityGroup) []SecurityGroup {
	groups := slices.Clone(given)
	for i := range groups {
		g := &groups[i]
		c.common("securitygroup", &g.ID, &g.Name, &g.Account, &g.Region, &g.ResourceGroup)
		g.NetworkType = cmp.Or(g.NetworkType, "vpc")
		if g.NetworkType == "vpc" {
			g.VPC = cmp.Or(g.VPC, "vpc-1")
		}
		g.Type = cmp.Or(g.Type, Basic)
		c.firewalls[g.ID], c.firewalls[g.Name] = g.ID, g.ID
	}
	return groups
}

// firewallIDs turns names of security groups into ids.
func (c *completer) firewallIDs(names []string) []string {
	var ids []string
	for _, name := range names {
		ids = append(ids, c.firewalls[name])
	}
	return ids
}

func (c *completer) completeInstances(instances []Instance) {
	for i := range instances {
		v := &instances[i]
		c.common("instance", &v.ID, &v.Name, &v.Account, &v.Region, &v.ResourceGroup)
		v.Zone = cmp.Or(v.Zone, v.Region+"-h")
		v.NetworkType = cmp.Or(v.NetworkType, "vpc")
		if v.NetworkType == "vpc" {
			v.VPC = cmp.Or(v.VPC, "vpc-1")
			v.VSwitch = cmp.Or(v.VSwitch, "vsw-"+v.VPC)
		}
		v.InstanceType = cmp.Or(v.InstanceType, "ecs.g7.large")
		v.OSType = cmp.Or(v.OSType, "linux")
		v.Image = cmp.Or(v.Image, "m-standard")
		v.Status = cmp.Or(v.Status, "Running")
		if v.Status == "Stopped" {
			v.StoppedMode = cmp.Or(v.StoppedMode, KeepCharging)
		}
		v.StartFails = cmp.Or(v.StartFails, Never)
		v.OSGeneration = cmp.Or(v.OSGeneration, 1)
		v.SecurityGroups = c.firewallIDs(v.SecurityGroups)
		c.instances[v.ID], c.instances[v.Name] = v, v
	}
}

func (c *completer) interfaces(given []NetworkInterface, instances []Instance) []NetworkInterface {
	hasPrimary := map[string]bool{}
	for i := range given {
		n := &given[i]
		c.common("eni", &n.ID, &n.Name, &n.Account, &n.Region, &n.ResourceGroup)
		n.Type = cmp.Or(n.Type, "Secondary")
		n.SecurityGroups = c.firewallIDs(n.SecurityGroups)
		n.Status = cmp.Or(n.Status, map[bool]string{true: "InUse", false: "Available"}[n.Instance != ""])
		if v := c.instances[n.Instance]; v != nil {
			n.Instance = v.ID
			n.Zone, n.VPC, n.VSwitch = cmp.Or(n.Zone, v.Zone), cmp.Or(n.VPC, v.VPC), cmp.Or(n.VSwitch, v.VSwitch)
			hasPrimary[v.ID] = hasPrimary[v.ID] || n.Type == "Primary"
		}
		n.Zone = cmp.Or(n.Zone, n.Region+"-h")
		n.VPC = cmp.Or(n.VPC, "vpc-1")
		n.VSwitch = cmp.Or(n.VSwitch, "vsw-"+n.VPC)
	}
	for _, v := range instances {
		if v.NetworkType != "vpc" || hasPrimary[v.ID] {
			continue
		}
		id := AlibabaID(c.seed, "eni", "primary/"+v.ID)
		given = append(given, NetworkInterface{ID: id, Name: id, Account: v.Account, Region: v.Region, Zone: v.Zone,
			VPC: v.VPC, VSwitch: v.VSwitch, Type: "Primary", Instance: v.ID, Status: "InUse", ResourceGroup: v.ResourceGroup})
	}
	return given
}

// usable is the status in which a resource can be used, by type.
var usable = map[string]string{"disk": "Available", "snapshot": "accomplished", "image": "Available",
	"ddh": "Available"}

func (c *completer) resources(given []Resource, instances []Instance) []Resource {
	hasSystem := map[string]bool{}
	for i := range given {
		r := &given[i]
		c.common(r.Type, &r.ID, &r.Name, &r.Account, &r.Region, &r.ResourceGroup)
		r.Zone = cmp.Or(r.Zone, r.Region+"-h")
		if v := c.instances[r.Instance]; v != nil {
			r.Instance, r.Zone = v.ID, v.Zone
			r.Status = cmp.Or(r.Status, "In_use")
			hasSystem[v.ID] = hasSystem[v.ID] || r.System
		}
		r.Status = cmp.Or(r.Status, usable[r.Type])
	}
	for _, v := range instances {
		if hasSystem[v.ID] {
			continue
		}
		id := SystemDiskID(c.seed, v.ID, v.OSGeneration)
		given = append(given, Resource{Type: "disk", ID: id, Name: id, Account: v.Account, Region: v.Region, Zone: v.Zone,
			Status: "In_use", Instance: v.ID, System: true, ResourceGroup: v.ResourceGroup})
	}
	c.storage(given)
	return given
}

// generate adds the n-th resource that the rule asks for.
func (a *Alibaba) generate(seed int64, rule GenerateResources, n int) {
	name := fmt.Sprintf(rule.Name, n)
	switch resourceType := cmp.Or(rule.Type, "instance"); resourceType {
	case "instance":
		a.generateInstance(seed, rule, name)
	case "eni":
		a.Interfaces = append(a.Interfaces, NetworkInterface{Name: name, Account: rule.Account, Region: rule.Region,
			Zone: rule.Zone, VPC: rule.VPC, Status: rule.Status, SecurityGroups: rule.SecurityGroups,
			ResourceGroup: rule.ResourceGroup})
	default:
		a.Resources = append(a.Resources, Resource{Type: resourceType, Name: name, Account: rule.Account,
			Region: rule.Region, Zone: rule.Zone, Status: rule.Status, ResourceGroup: rule.ResourceGroup, Tags: rule.Tags})
	}
}

func (a *Alibaba) generateInstance(seed int64, rule GenerateResources, name string) {
	random := Random(seed, "generate", name)
	chance := func(percent float64) bool { return random.Float64()*100 < percent }
	v := Instance{Name: name, Account: rule.Account, Region: rule.Region, Zone: rule.Zone, VPC: rule.VPC,
		Status: rule.Status, SecurityGroups: rule.SecurityGroups, ResourceGroup: rule.ResourceGroup, Tags: rule.Tags,
		DeploymentSet: rule.DeploymentSet}
	if chance(rule.StoppedPercent) {
		v.Status = "Stopped"
	}
	if chance(rule.LockedPercent) {
		v.Locks = []string{"security"}
	}
	if failing := chance(rule.StartFailsPercent); failing || rule.StartFailsPercent == 0 {
		v.StartFails = rule.StartFails
		if failing {
			v.StartFails = cmp.Or(rule.StartFails, Always)
		}
	}
	a.Instances = append(a.Instances, v)
	for k := 1; k <= rule.Interfaces; k++ {
		a.Interfaces = append(a.Interfaces, NetworkInterface{Name: fmt.Sprintf("%s-eni-%d", name, k), Account: rule.Account,
			Region: rule.Region, Instance: name, SecurityGroups: rule.SecurityGroups, ResourceGroup: rule.ResourceGroup})
	}
}
