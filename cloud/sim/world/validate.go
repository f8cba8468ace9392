package world

import (
	"fmt"
	"slices"
	"strings"
)

// validation collects mistakes.
type validation struct{ errs []error }

func (v *validation) bad(field string, value any, why string) {
	if text, ok := value.(string); ok {
		value = fmt.Sprintf("%q", text)
	}
	v.errs = append(v.errs, fmt.Errorf("%s: %v %s", field, value, why))
}

func (v *validation) required(field, value string) {
	if value == "" {
		v.errs = append(v.errs, fmt.Errorf("%s: is missing", field))
	}
}

// oneOf accepts the empty string too: it stands for the default.
func (v *validation) oneOf(field, value string, known ...string) {
	if value != "" && !slices.Contains(known, value) {
		v.bad(field, value, "is not one of "+strings.Join(known, ", "))
	}
}

func (v *validation) percent(field string, value float64) {
	if value < 0 || value > 100 {
		v.bad(field, value, "is not between 0 and 100")
	}
}

func (v *validation) atLeast(field string, value, least int) {
	if value < least {
		v.bad(field, value, fmt.Sprintf("is less than %d", least))
	}
}

// unique returns a function that reports values it has seen before.
func (v *validation) unique() func(field, value string) {
	seen := map[string]string{}
	return func(field, value string) {
		if first, ok := seen[value]; ok && value != "" {
			v.bad(field, value, "is taken by "+first)
			return
		}
		seen[value] = field
	}
}

var statuses = []string{"ACTIVE", "BUILD", "DELETED", "ERROR", "HARD_REBOOT", "MIGRATING", "PAUSED", "REBOOT", "REBUILD",
	"RESIZE", "REVERT_RESIZE", "SHELVED", "SHELVED_OFFLOADED", "SHUTOFF", "SUSPENDED", "UNKNOWN", "VERIFY_RESIZE"}

func (w World) validateHuawei(v *validation) {
	h := w.Huawei
	v.atLeast("huawei.quotas.serverGroups", h.Quotas.ServerGroups, 0)
	v.atLeast("huawei.quotas.serverGroupMembers", h.Quotas.ServerGroupMembers, 0)
	v.atLeast("huawei.quotas.securityGroups", h.Quotas.SecurityGroups, 0)
	v.atLeast("huawei.quotas.securityGroupRules", h.Quotas.SecurityGroupRules, 0)
	v.atLeast("huawei.quotas.groupsPerServer", h.Quotas.GroupsPerServer, 0)
	h.Throttle.validate(v, "huawei.throttle")
	k := h.Knobs
	v.oneOf("huawei.knobs.repeatAdd", k.RepeatAdd, OK, Error)
	v.oneOf("huawei.knobs.removeNotMember", k.RemoveNotMember, OK, Error)
	v.oneOf("huawei.knobs.repeatAssociate", k.RepeatAssociate, OK, Error)
	v.oneOf("huawei.knobs.removeNotInGroup", k.RemoveNotInGroup, OK, Error)
	v.oneOf("huawei.knobs.removeLastGroup", k.RemoveLastGroup, OK, Error)
	v.oneOf("huawei.knobs.powerOnTargetState", k.PowerOnTargetState, Success, Fail)
	v.oneOf("huawei.knobs.busy", k.Busy, "Ecs.0603", "Ecs.0100")
	v.oneOf("huawei.knobs.missingGroup", k.MissingGroup, "Ecs.0114", "Ecs.0313", "itemNotFound")

	flavors := map[string]bool{}
	ids := v.unique()
	for i, f := range h.Flavors {
		at := fmt.Sprintf("huawei.flavors[%d]", i)
		v.required(at+".id", f.ID)
		ids(at+".id", f.ID)
		v.oneOf(at+".virtualization", f.Virtualization, KVM, Xen, QingTian, Unknown)
		v.atLeast(at+".vcpus", f.VCPUs, 0)
		v.atLeast(at+".ramMiB", f.RAMMiB, 0)
		flavors[f.ID] = true
	}
	refs := references{validation: v, flavors: flavors, groups: map[string]bool{"": true},
		security: h.validateSecurityGroups(v)}
	h.validateGroups(v, refs.groups)
	servers := h.validateServers(v, refs)
	for i, g := range h.Groups {
		for j, m := range g.Members {
			if !servers[m] {
				v.bad(fmt.Sprintf("huawei.groups[%d].members[%d]", i, j), m, "is no server of this world")
			}
		}
	}
	h.validateClusters(v, refs, servers)
}

func (t Throttle) validate(v *validation, at string) {
	v.oneOf(at+".retryAfter", t.RetryAfter, "none", "int", "float")
	check := func(at string, r Rate) {
		if r.PerSecond < 0 {
			v.bad(at+".perSecond", r.PerSecond, "is negative")
		}
		v.atLeast(at+".burst", r.Burst, 0)
	}
	check(at, t.Rate)
	for action, r := range t.Actions {
		check(at+".actions."+action, r)
	}
}

func (h Huawei) validateGroups(v *validation, groups map[string]bool) {
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

func (r references) check(at, flavor, group, status, startFails string) {
	if !r.flavors[flavor] {
		r.bad(at+".flavor", flavor, "is no flavor of this world")
	}
	if !r.groups[group] {
		r.bad(at+".group", group, "is no group of this world")
	}
	r.oneOf(at+".status", status, statuses...)
	r.oneOf(at+".startFails", startFails, Never, AfterAdd, Always)
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
		refs.check(at, s.Flavor, s.Group, s.Status, s.StartFails)
		refs.checkSecurityGroups(at, s.SecurityGroups)
		v.atLeast(at+".osGeneration", s.OSGeneration, 0)
		v.atLeast(at+".nics", s.NICs, 0)
		known[s.ID], known[s.Name] = true, true
	}
	for i, g := range h.Generate {
		at := fmt.Sprintf("huawei.generate[%d]", i)
		v.atLeast(at+".count", g.Count, 1)
		if first, second := fmt.Sprintf(g.Name, 1), fmt.Sprintf(g.Name, 2); first == second ||
			strings.Contains(first, "%!") {
			v.bad(at+".name", g.Name, "needs one number, as in \"web-%05d\"")
			continue
		}
		refs.check(at, g.Flavor, g.Group, g.Status, g.StartFails)
		refs.checkSecurityGroups(at, g.SecurityGroups)
		v.percent(at+".stoppedPercent", g.StoppedPercent)
		v.percent(at+".lockedPercent", g.LockedPercent)
		v.percent(at+".startFailsPercent", g.StartFailsPercent)
		v.percent(at+".softStopHangsPercent", g.SoftStopHangsPercent)
		for n := 1; n <= g.Count; n++ {
			name := fmt.Sprintf(g.Name, n)
			names(at+".name", name)
			known[name] = true
		}
	}
	return known
}
