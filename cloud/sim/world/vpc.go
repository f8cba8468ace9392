package world

import (
	"cmp"
	"fmt"
	"slices"
)

// VPCSecurityGroup is a security group of Huawei Cloud. An empty ID is made from seed and name. Every project has one
// that is called default, which servers are in that name no other.
type VPCSecurityGroup struct {
	ID                string `json:"id,omitempty"`
	Name              string `json:"name,omitempty"` // need not be unique
	Project           string `json:"project,omitempty"`
	Description       string `json:"description,omitempty"`
	EnterpriseProject string `json:"enterpriseProject,omitempty" default:"0"`
	Rules             int    `json:"rules,omitempty" default:"4"` // how many; a new group has four
}

const defaultSecurityGroup = "default"

// completeSecurityGroups gives each project its default group, and turns the names that servers use into ids.
func (w *World) completeSecurityGroups() {
	h := &w.Huawei
	h.SecurityGroups = slices.Clone(h.SecurityGroups)
	id := map[[2]string]string{} // by project and id or name
	add := func(g *VPCSecurityGroup) {
		g.Project = cmp.Or(g.Project, w.DefaultProject())
		kind := "security-group"
		if g.Name == defaultSecurityGroup {
			g.ID = cmp.Or(g.ID, ID(w.Seed, kind, g.Project))
		}
		g.ID = cmp.Or(g.ID, ID(w.Seed, kind, g.Project+"/"+g.Name))
		g.Name = cmp.Or(g.Name, g.ID)
		id[[2]string{g.Project, g.Name}] = g.ID
		id[[2]string{g.Project, g.ID}] = g.ID
	}
	for i := range h.SecurityGroups {
		add(&h.SecurityGroups[i])
	}
	defaultOf := func(project string) string {
		key := [2]string{project, defaultSecurityGroup}
		if id[key] == "" {
			g := VPCSecurityGroup{Name: defaultSecurityGroup, Project: project, Description: "Default security group"}
			add(&g)
			h.SecurityGroups = append(h.SecurityGroups, g)
		}
		return id[key]
	}
	for _, a := range w.Accounts {
		if a.ProjectID != "" {
			defaultOf(a.ProjectID)
		}
	}
	for i := range h.Servers {
		s := &h.Servers[i]
		if s.SecurityGroups == nil {
			s.SecurityGroups = []string{defaultOf(s.Project)}
			continue
		}
		s.SecurityGroups = slices.Clone(s.SecurityGroups)
		for k, g := range s.SecurityGroups {
			s.SecurityGroups[k] = cmp.Or(id[[2]string{s.Project, g}], g)
		}
	}
}

// validateSecurityGroups returns the ids and names of all security groups.
func (h Huawei) validateSecurityGroups(v *validation) map[string]bool {
	known := map[string]bool{defaultSecurityGroup: true}
	ids := v.unique()
	for i, g := range h.SecurityGroups {
		at := fmt.Sprintf("huawei.securityGroups[%d]", i)
		if g.ID == "" {
			v.required(at+".name", g.Name)
			ids(at+".name", g.Project+"/"+g.Name) // the id is made from them
		}
		ids(at+".id", g.ID)
		known[g.ID], known[g.Name] = true, true
	}
	return known
}
