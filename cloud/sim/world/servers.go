package world

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// The kinds of virtualization.
const (
	KVM      = "kvm"
	Xen      = "xen"
	QingTian = "qingtian"
	Unknown  = "unknown" // KVM underneath, but the API does not say so
)

// Flavor is a machine type.
type Flavor struct {
	ID             string `json:"id"`
	VCPUs          int    `json:"vcpus,omitempty" default:"2"`
	RAMMiB         int    `json:"ramMiB,omitempty" default:"4096"`
	Virtualization string `json:"virtualization,omitempty" default:"kvm" oneOf:"kvm xen qingtian unknown"`
	LocalDisk      bool   `json:"localDisk,omitempty"`
	NVMe           bool   `json:"nvme,omitempty"`
	GPU            bool   `json:"gpu,omitempty"`
	FPGA           bool   `json:"fpga,omitempty"`
	Abandoned      bool   `json:"abandoned,omitempty"` // retired: missing from flavor lists
	// Zones are where it is sold; default: wherever the world has something.
	Zones []string `json:"zones,omitempty"`
}

// When a server's start fails for lack of a host.
const (
	Never    = "never"
	AfterAdd = "after-add" // while it is in a group that it was added to: the add chose another host for it
	Always   = "always"
)

// Server is a machine. An empty ID is made from seed and name, an empty Name from the ID.
type Server struct {
	ID                string            `json:"id,omitempty"`
	Name              string            `json:"name,omitempty"`
	Project           string            `json:"project,omitempty"` // default: the first account's
	Flavor            string            `json:"flavor"`
	Status            string            `json:"status,omitempty" default:"ACTIVE" oneOf:"ACTIVE BUILD DELETED ERROR HARD_REBOOT MIGRATING PAUSED REBOOT REBUILD RESIZE REVERT_RESIZE SHELVED SHELVED_OFFLOADED SHUTOFF SUSPENDED UNKNOWN VERIFY_RESIZE"`
	Locked            bool              `json:"locked,omitempty"`
	Group             string            `json:"group,omitempty"` // id or name
	Zone              string            `json:"zone,omitempty" default:"az1"`
	StartFails        string            `json:"startFails,omitempty" default:"never" oneOf:"never after-add always"`
	SoftStopHangs     bool              `json:"softStopHangs,omitempty"`
	OSGeneration      int               `json:"osGeneration,omitempty" default:"1"` // counts installations of the system
	Placed            bool              `json:"placed,omitempty"`                   // it came into its group by an add
	Metadata          map[string]string `json:"metadata,omitempty"`
	EnterpriseProject string            `json:"enterpriseProject,omitempty" default:"0"`
	Host              string            `json:"host,omitempty"`         // name of the physical host; default: one of its own
	AddKeepsHost      bool              `json:"addKeepsHost,omitempty"` // an add does not move it to a host of its own (H19)
	// SecurityGroups are ids or names; default: the project's own.
	SecurityGroups []string `json:"securityGroups,omitempty"`

	VPC    string   `json:"vpc,omitempty"`              // default: one for the project
	Subnet string   `json:"subnet,omitempty"`           // likewise
	NICs   int      `json:"nics,omitempty" default:"1"` // network interfaces
	Image  string   `json:"image,omitempty"`            // id of the image that its system was installed from; default: one for all
	Tags   []string `json:"tags,omitempty"`             // "key=value"
}

// Group is a server group. Members and the servers' own Group add up.
type Group struct {
	ID       string   `json:"id,omitempty"`
	Name     string   `json:"name,omitempty"`
	Project  string   `json:"project,omitempty"`
	Policies []string `json:"policies,omitempty"` // default [anti-affinity]
	Members  []string `json:"members,omitempty"`  // ids or names of servers
}

// Generate makes Count servers, numbered from 1. Percentages are decided per server from the seed.
type Generate struct {
	Name       string `json:"name"` // with one %d, for example "web-%05d"
	Count      int    `json:"count" least:"1"`
	Project    string `json:"project,omitempty"`
	Flavor     string `json:"flavor"`
	Status     string `json:"status,omitempty" oneOf:"ACTIVE BUILD DELETED ERROR HARD_REBOOT MIGRATING PAUSED REBOOT REBUILD RESIZE REVERT_RESIZE SHELVED SHELVED_OFFLOADED SHUTOFF SUSPENDED UNKNOWN VERIFY_RESIZE"`
	Group      string `json:"group,omitempty"` // id or name
	Zone       string `json:"zone,omitempty"`
	StartFails string `json:"startFails,omitempty" oneOf:"never after-add always"` // of all, or of startFailsPercent (then default after-add)

	SecurityGroups       []string `json:"securityGroups,omitempty"` // ids or names
	Host                 string   `json:"host,omitempty"`
	AddKeepsHost         bool     `json:"addKeepsHost,omitempty"`
	StoppedPercent       float64  `json:"stoppedPercent,omitempty" most:"100"`
	LockedPercent        float64  `json:"lockedPercent,omitempty" most:"100"`
	StartFailsPercent    float64  `json:"startFailsPercent,omitempty" most:"100"`
	SoftStopHangsPercent float64  `json:"softStopHangsPercent,omitempty" most:"100"`
}

// completeServers makes generated servers and turns names of groups into ids. It returns the ids of groups by id and name.
func (w *World) completeServers() (groupID map[string]string) {
	h := &w.Huawei
	h.Groups = slices.Clone(h.Groups)
	groupID, groupOf := map[string]string{}, map[string]string{}
	for i := range h.Groups {
		g := &h.Groups[i]
		g.Project = cmp.Or(g.Project, w.DefaultProject())
		g.ID = cmp.Or(g.ID, ID(w.Seed, "group", g.Name))
		g.Name = cmp.Or(g.Name, g.ID)
		if len(g.Policies) == 0 {
			g.Policies = []string{"anti-affinity"}
		}
		groupID[g.ID], groupID[g.Name] = g.ID, g.ID
		for _, m := range g.Members {
			groupOf[m] = g.ID
		}
		g.Members = nil
	}
	h.Servers = slices.Clone(h.Servers)
	for _, rule := range h.Generate {
		for n := 1; n <= rule.Count; n++ {
			h.Servers = append(h.Servers, rule.server(w.Seed, n))
		}
	}
	h.Generate = nil
	for i := range h.Servers {
		s := &h.Servers[i]
		s.Project = cmp.Or(s.Project, w.DefaultProject())
		s.ID = cmp.Or(s.ID, ID(w.Seed, "server", s.Name))
		s.Name = cmp.Or(s.Name, s.ID)
		s.Group = cmp.Or(groupID[s.Group], groupOf[s.ID], groupOf[s.Name])
		vpc, subnet := DefaultNetwork(w.Seed, s.Project)
		s.VPC, s.Subnet = cmp.Or(s.VPC, vpc), cmp.Or(s.Subnet, subnet)
		s.Image = cmp.Or(s.Image, ID(w.Seed, "image", "standard"))
	}
	return groupID
}

// DefaultNetwork returns the VPC and the subnet of servers and clusters of a project that name none.
func DefaultNetwork(seed int64, project string) (vpc, subnet string) {
	return ID(seed, "vpc", project), ID(seed, "subnet", project)
}

func (g Generate) server(seed int64, n int) Server {
	name := fmt.Sprintf(g.Name, n)
	random := Random(seed, "generate", name)
	chance := func(percent float64) bool { return random.Float64()*100 < percent }
	s := Server{Name: name, Project: g.Project, Flavor: g.Flavor, Status: g.Status, Group: g.Group, Zone: g.Zone,
		SecurityGroups: g.SecurityGroups, Host: g.Host, AddKeepsHost: g.AddKeepsHost}
	if chance(g.StoppedPercent) {
		s.Status = "SHUTOFF"
	}
	s.Locked = chance(g.LockedPercent)
	if failing := chance(g.StartFailsPercent); failing || g.StartFailsPercent == 0 {
		s.StartFails = g.StartFails
		if failing {
			s.StartFails = cmp.Or(g.StartFails, AfterAdd)
		}
	}
	s.SoftStopHangs = chance(g.SoftStopHangsPercent)
	return s
}

// validateFlavors returns the ids of all flavors.
func (h Huawei) validateFlavors(v *validation) map[string]bool {
	flavors := map[string]bool{}
	ids := v.unique()
	for i, f := range h.Flavors {
		at := fmt.Sprintf("huawei.flavors[%d]", i)
		v.required(at+".id", f.ID)
		ids(at+".id", f.ID)
		flavors[f.ID] = true
	}
	return flavors
}

// validateGroups returns the ids and names of all groups.
func (h Huawei) validateGroups(v *validation) map[string]bool {
	groups := map[string]bool{"": true}
	names := v.unique()
	for i, g := range h.Groups {
		at := fmt.Sprintf("huawei.groups[%d]", i)
		if g.ID == "" {
			v.required(at+".name", g.Name)
		}
		names(at+".id", g.ID)
		if g.Name != g.ID {
			names(at+".name", g.Name)
		}
		groups[g.ID], groups[g.Name] = true, true
	}
	return groups
}

// references checks what servers and generators refer to.
type references struct {
	*validation
	flavors, groups, security map[string]bool
}

func (r references) checkSecurityGroups(at string, groups []string) {
	for i, g := range groups {
		if !r.security[g] {
			r.bad(fmt.Sprintf("%s.securityGroups[%d]", at, i), g, "is no security group of this world")
		}
	}
}

func (r references) check(at, flavor, group string) {
	if !r.flavors[flavor] {
		r.bad(at+".flavor", flavor, "is no flavor of this world")
	}
	if !r.groups[group] {
		r.bad(at+".group", group, "is no group of this world")
	}
}

// validateServers returns the ids and names of all servers, generated ones included.
func (h Huawei) validateServers(v *validation, refs references) map[string]bool {
	known := map[string]bool{}
	ids, names := v.unique(), v.unique()
	for i, s := range h.Servers {
		at := fmt.Sprintf("huawei.servers[%d]", i)
		if s.ID == "" {
			v.required(at+".name", s.Name)
			names(at+".name", s.Name) // the id is made from it
		}
		ids(at+".id", s.ID)
		refs.check(at, s.Flavor, s.Group)
		refs.checkSecurityGroups(at, s.SecurityGroups)
		known[s.ID], known[s.Name] = true, true
	}
	for i, g := range h.Generate {
		at := fmt.Sprintf("huawei.generate[%d]", i)
		if first, second := fmt.Sprintf(g.Name, 1), fmt.Sprintf(g.Name, 2); first == second ||
			strings.Contains(first, "%!") {
			v.bad(at+".name", g.Name, "needs one number, as in \"web-%05d\"")
			continue
		}
		refs.check(at, g.Flavor, g.Group)
		refs.checkSecurityGroups(at, g.SecurityGroups)
		for n := 1; n <= g.Count; n++ {
			name := fmt.Sprintf(g.Name, n)
			names(at+".name", name)
			known[name] = true
		}
	}
	return known
}
