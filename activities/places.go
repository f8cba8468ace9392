package activities

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// What kinds object to is somewhere in a page, or a group that they were asked about. People want to know where that is
// in what they wrote.

// checkPage finds what only the kind can tell of a page. A program that wipes disks gets its gate from the fleet.
func (r *roster) checkPage(page fleet.Page) []membership.Problem {
	problems := membership.Validate(r.kind, request(r.step, page))
	for i, p := range problems {
		var n int
		switch _, err := fmt.Sscanf(p.Field, "members[%d]", &n); {
		case err == nil && n < len(page.Members):
			problems[i].Field = r.fieldOf(page.Members[n])
		case p.Field == "group":
			problems[i].Field = r.fieldOfGroup(page.Group)
		}
	}
	return problems
}

// once wants members that no step before has named. seen says of each where that was; step is the name of this one.
func (r *roster) once(step string, groups []fleet.Assignment, seen naming) error {
	of := membershipOf{operation: operation(r.step), kind: r.step.Kind, account: r.step.Account}
	mine := seen[of]
	if mine == nil {
		mine = make(map[string]string, len(r.list))
		seen[of] = mine
	}
	var problems []membership.Problem
	for _, g := range groups {
		here := fmt.Sprintf("for group %s in %s", g.Group, step)
		for _, id := range g.Members {
			if len(problems) > fleet.MaxProblems {
				return membership.Bad(problems)
			}
			if before, twice := mine[id]; twice {
				problems = addNew(problems, membership.Problem{Field: r.fieldOf(id), Value: membership.Quote(id),
					Want: "is named " + before + " already; name each member once"})
			} else {
				mine[id] = here
			}
		}
	}
	return membership.Bad(problems)
}

// fieldOf names what names a member.
func (r *roster) fieldOf(id string) string {
	if i := slices.Index(r.step.Members, id); i >= 0 {
		return fmt.Sprintf("members[%d]", i)
	}
	for i, g := range r.step.Groups {
		if j := slices.Index(g.Members, id); j >= 0 {
			return fmt.Sprintf("groups[%d].members[%d]", i, j)
		}
	}
	if i := slices.IndexFunc(r.list, func(m listed) bool { return m.ID == id }); i >= 0 && r.list[i].line > 0 {
		return r.line(r.list[i].line)
	}
	return "targets.cloud"
}

// fieldOfGroup names what names a group, or the group of the step.
func (r *roster) fieldOfGroup(id string) string {
	if t := r.step.Targets; t != nil && t.Cloud != nil {
		switch id {
		case t.Cloud.In:
			return "targets.cloud.in"
		case t.Cloud.NotIn:
			return "targets.cloud.notIn"
		}
	}
	if s := r.step.Spread; s != nil {
		if i := slices.Index(s.Groups, id); i >= 0 {
			return fmt.Sprintf("spread.groups[%d]", i)
		}
	}
	if i := slices.IndexFunc(r.step.Groups, func(g fleet.Assignment) bool { return g.Group == id }); i >= 0 {
		return fmt.Sprintf("groups[%d].group", i)
	}
	if i := slices.IndexFunc(r.list, func(m listed) bool { return m.group == id }); i >= 0 && id != r.step.Group {
		return r.line(r.list[i].line) + ", group"
	}
	return "group"
}

// located names the field in what is wrong with a group that the cloud was asked about.
func (r *roster) located(err error) error {
	return relabelled(err, func(p membership.Problem) string {
		for _, id := range r.asked() {
			if p.Field == "group" && p.Value == membership.Quote(id) {
				return r.fieldOfGroup(id)
			}
		}
		return p.Field
	})
}

// asked are the groups that the cloud is asked about before a step begins.
func (r *roster) asked() (groups []string) {
	if t := r.step.Targets; t != nil && t.Cloud != nil {
		groups = t.Cloud.Groups()
	}
	if r.step.Spread != nil {
		groups = append(groups, r.step.Spread.Groups...)
	}
	return groups
}

// line names a line of the step's file.
func (r *roster) line(n int) string { return fmt.Sprintf("%s line %d", r.file(), n) }

func (r *roster) file() string { return "targets.file " + r.step.Targets.File }

// inFile puts the file's name into what is wrong with its content.
func (r *roster) inFile(err error) error {
	return relabelled(err, func(p membership.Problem) string {
		switch p.Field {
		case "targets": // which is all of it
			return r.file()
		case "targets.address":
			return p.Field
		}
		return r.file() + " " + p.Field
	})
}

// placed puts the place of a step into what is wrong with it.
func placed(at string, err error) error {
	return relabelled(err, func(p membership.Problem) string { return at + p.Field })
}

// relabelled names the fields of bad input anew. Other errors stay what they are.
func relabelled(err error, field func(membership.Problem) string) error {
	var bad *membership.BadInput
	if !errors.As(err, &bad) {
		return err
	}
	problems := slices.Clone(bad.Problems)
	for i, p := range problems {
		problems[i].Field = field(p)
	}
	return membership.Bad(problems)
}
