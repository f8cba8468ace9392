package alibabaresourcegroup

import (
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// observation is what the cloud said at one moment.
type observation struct {
	operation membership.Operation
	params    params
	region    string
	group     string            // the request's
	goal      group             // the one to be in: the request's or, to leave, the parameter's
	groups    map[string]string // resource to group, "" when the cloud does not say; resources that do not exist are absent
	waiting   map[string]bool   // resources that were not looked at this time, see lookups
	// Only when planning:
	source  group // the group to leave
	follows follows
}

// group is a resource group, or that there is none with its id.
type group struct {
	alibaba.ResourceGroup
	missing bool
}

// follows says whether the account has associated transfer: disks, say, follow their instance into its group.
type follows string

const (
	followsNo      follows = "no"
	followsYes     follows = "yes"
	followsUnknown follows = "unknown"
)

// factGroup is the fact that a program remembers of a member: the group that every undo puts it back into.
const factGroup = "group"

// Statuses of a resource group, as a whole and in a region.
const (
	statusOK       = "OK"
	statusCreating = "Creating"
)

// objections returns everything that speaks against moving something into the group. passing: it will clear by itself.
func (g group) objections(region string) (all membership.Objections, passing bool) {
	if g.missing {
		all.Add(codeGroupMissing, "there is no resource group %s in the account", g.ID)
		return all, false
	}
	passing = g.Status == statusOK || g.Status == statusCreating
	if g.Status != statusOK {
		all.Add(codeGroupStatus, "resource group %s is %s; it must be OK", g.ID, g.Status)
	}
	// A group that names no region at all leaves only its own status to go by.
	switch there, told := g.Regions[region]; {
	case !told && len(g.Regions) > 0:
		all.Add(codeGroupRegion, "resource group %s is not known in region %s", g.ID, region)
		passing = false
	case told && there != statusOK && there != g.Status:
		all.Add(codeGroupRegion, "resource group %s is %s in region %s; it must be OK there", g.ID, there, region)
		passing = passing && there == statusCreating
	}
	return all, passing && len(all) > 0
}

// Compile refuses what the group cannot take and remembers where the others were.
func (o *observation) Compile(r membership.Request, op membership.Operation) membership.Program {
	var groups []membership.Objection
	if op == membership.Leave && o.source.missing {
		groups, _ = o.source.objections(o.region)
	}
	more, _ := o.goal.objections(o.region)
	groups = append(groups, more...)
	p := membership.Compile(Kind{}.Spec(), r, op, func(id string) membership.Member {
		m := membership.Member{ID: id}
		current, exists := o.groups[id]
		if current != "" {
			m.Before = map[string]string{factGroup: current}
		}
		switch {
		case op == membership.Join && current == o.group, op == membership.Leave && !o.source.missing && o.left(current):
			m.Already = true
		default:
			m.Refused = append(m.Refused, groups...)
			m.Refused = append(m.Refused, o.objections(current, exists)...)
			if r.From != "" && current != "" && current != r.From {
				m.Refused = append(m.Refused, membership.Objection{Code: membership.CodeNotInFrom,
					Reason: fmt.Sprintf("the resource is in group %s, and not in %s", current, r.From)})
			}
		}
		return m
	})
	p.Warnings = o.warnings()
	return p
}

// objections returns what speaks against moving a resource at all.
func (o *observation) objections(current string, exists bool) []membership.Objection {
	switch {
	case !exists:
		return []membership.Objection{{Code: codeResourceMissing, Reason: fmt.Sprintf(
			"there is no such resource of type %s in region %s; it may be one of another type or in another region",
			o.params.resourceType, o.region)}}
	case current == "":
		return []membership.Objection{{Code: codeGroupUnknown,
			Reason: "the cloud does not say in which group the resource is, so it could not be put back"}}
	}
	return nil
}

// left reports whether a resource in that group has left the request's.
func (o *observation) left(current string) bool { return current != "" && current != o.group }

func (o *observation) warnings() (all []string) {
	if o.operation == membership.Join && o.params.to != "" {
		all = append(all, "the parameter to is for leaving; joining does not use it")
	}
	switch o.follows {
	case followsYes:
		all = append(all, "associated transfer is on in this account: what belongs to a resource follows it some time later, "+
			"such as the disks of an instance; an undo takes it along into the group of the resource, not into one of its own")
	case followsUnknown:
		all = append(all, "the account may not read whether associated transfer is on; if it is, what belongs to a resource "+
			"follows it, and an undo takes it along")
	}
	if troubles, _ := o.source.objections(o.region); o.operation == membership.Leave && !o.source.missing && len(troubles) > 0 {
		all = append(all, troubles[0].Reason+" for anything to be put back into it")
	}
	return all
}
