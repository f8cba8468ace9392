package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// thing is what the simulator knows of a member, whatever it is. Two are equal when nothing has become of it.
type thing struct {
	provider string
	id, name string
	owner    string // the instance that it is part of, "" of what stands alone
	power    string // the status of a machine, "" of something without power
	systems  int    // how often a system was installed on the machine
	groups   string // the ids of those that it says itself that it is in, joined by commas
	tags     string // "key=value", joined by commas
}

// things are all that can be members in a completed world.
func things(w world.World) (all []thing) {
	for _, s := range w.Huawei.Servers {
		all = append(all, thing{provider: "huawei", id: s.ID, name: s.Name, power: s.Status, systems: s.OSGeneration,
			groups: s.Group, tags: strings.Join(s.Tags, ",")})
	}
	for _, i := range w.Alibaba.Instances {
		var tags []string
		for key, value := range i.Tags {
			tags = append(tags, key+"="+value)
		}
		slices.Sort(tags)
		groups := slices.Sorted(slices.Values(append([]string{i.ResourceGroup}, i.SecurityGroups...)))
		all = append(all, thing{provider: "alibaba", id: i.ID, name: i.Name, power: i.Status, systems: i.OSGeneration,
			groups: strings.Join(groups, ","), tags: strings.Join(tags, ",")})
	}
	for _, r := range w.Alibaba.Resources {
		all = append(all, thing{provider: "alibaba", id: r.ID, name: r.Name, owner: r.Instance, groups: r.ResourceGroup})
	}
	return all
}

func byID(w world.World) map[string]thing {
	all := map[string]thing{}
	for _, t := range things(w) {
		all[t.id] = t
	}
	return all
}

// judge compares a report with what the simulator knows, writes what is true of it, and returns what is not: members must
// be in the group if and only if the report says so, be powered as before, and have had their system installed once if
// they joined by being wiped, and not at all if nothing was done to them.
func judge(out io.Writer, d demo, m move, before, after world.World, r membership.Report, members []string) (findings []string) {
	was, is, inside := byID(before), byID(after), inGroup(after, m.Group)
	outcomes := map[string]membership.Outcome{}
	for _, member := range r.Members {
		outcomes[member.ID] = member.Outcome
	}
	in, machines, same, installed := 0, 0, 0, 0
	wrong := func(id, format string, args ...any) {
		findings = append(findings, fmt.Sprintf("%s, which the report calls %s, ", is[id].name, outcomes[id])+fmt.Sprintf(format, args...))
	}
	for _, id := range members {
		told := outcomes[id] == membership.Joined || outcomes[id] == membership.Already
		switch {
		case slices.Contains(inside, id) != told:
			wrong(id, "is in the group: %v", !told)
		case told:
			in++
		}
		switch {
		case was[id].power != is[id].power:
			wrong(id, "was %s and is %s", was[id].power, is[id].power)
		case was[id].power != "":
			same++
		}
		if was[id].power != "" {
			machines++
		}
		times := is[id].systems - was[id].systems
		installed += times
		if want, fixed := systems(outcomes[id], m.Wipes); fixed && times != want {
			wrong(id, "had its system installed %d times and not %d", times, want)
		}
	}
	fmt.Fprintf(out, "%d of %d are in the group\n", in, len(members))
	if machines > 0 {
		fmt.Fprintf(out, "%d of %d are powered as they were before\n", same, machines)
	}
	if m.Wipes {
		fmt.Fprintf(out, "%d systems were installed\n", installed)
	}
	return findings
}

// systems says how often a member's system is installed when a run ends so; fixed is false where that depends.
func systems(o membership.Outcome, wipes bool) (times int, fixed bool) {
	switch o {
	case membership.Joined:
		if wipes {
			return 1, true
		}
		return 0, true
	case membership.RolledBack, membership.RollbackIncomplete:
		return 0, !wipes
	default:
		return 0, true
	}
}
