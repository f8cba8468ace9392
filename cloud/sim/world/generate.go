package world

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

// Complete returns w with all defaults filled in, generated servers made, and group references turned into ids.
// The result has no Generate rules and no group Members: each server names its group; and every Alibaba instance has
// its network interface and its system disk. w must be valid.
func (w World) Complete() World {
	h := &w.Huawei
	h.fillDefaults()
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
		s.Status = cmp.Or(s.Status, "ACTIVE")
		s.StartFails = cmp.Or(s.StartFails, Never)
		s.Zone = cmp.Or(s.Zone, "az1")
		s.OSGeneration = cmp.Or(s.OSGeneration, 1)
		s.EnterpriseProject = cmp.Or(s.EnterpriseProject, "0")
		s.Group = cmp.Or(groupID[s.Group], groupOf[s.ID], groupOf[s.Name])
		s.Machine.complete(w.Seed, s.Project)
	}
	w.completeSecurityGroups()
	w.completeClusters(groupID)
	w.completeAlibaba()
	return w
}

func (h *Huawei) fillDefaults() {
	h.Quotas.ServerGroups = cmp.Or(h.Quotas.ServerGroups, 10)
	h.Quotas.ServerGroupMembers = cmp.Or(h.Quotas.ServerGroupMembers, 16)
	h.Quotas.SecurityGroups = cmp.Or(h.Quotas.SecurityGroups, 100)
	h.Quotas.SecurityGroupRules = cmp.Or(h.Quotas.SecurityGroupRules, 5000)
	k, yes := &h.Knobs, true
	k.RequireStopped = cmp.Or(k.RequireStopped, &yes)
	k.BatchPartial = cmp.Or(k.BatchPartial, &yes)
	k.RepeatAdd = cmp.Or(k.RepeatAdd, OK)
	k.RemoveNotMember = cmp.Or(k.RemoveNotMember, OK)
	k.SecondGroup = cmp.Or(k.SecondGroup, "Ecs.0005")
	k.MissingGroup = cmp.Or(k.MissingGroup, "Ecs.0114")
	k.Busy = cmp.Or(k.Busy, "Ecs.0603")
	k.PowerOnTargetState = cmp.Or(k.PowerOnTargetState, Success)
	k.NoCapacity = cmp.Or(k.NoCapacity, "Ecs.0319")
	k.QingTianType = cmp.Or(k.QingTianType, "QingTian")
	k.RepeatAssociate = cmp.Or(k.RepeatAssociate, OK)
	k.RemoveNotInGroup = cmp.Or(k.RemoveNotInGroup, Error)
	k.RemoveLastGroup = cmp.Or(k.RemoveLastGroup, Error)
	k.JobRetention = cmp.Or(k.JobRetention, clock.Duration(24*time.Hour))
	h.Flavors = slices.Clone(h.Flavors)
	for i := range h.Flavors {
		f := &h.Flavors[i]
		f.VCPUs = cmp.Or(f.VCPUs, 2)
		f.RAMMiB = cmp.Or(f.RAMMiB, 4096)
		f.Virtualization = cmp.Or(f.Virtualization, KVM)
	}
}

func (g Generate) server(seed int64, n int) Server {
	name := fmt.Sprintf(g.Name, n)
	random := Random(seed, "generate", name)
	chance := func(percent float64) bool { return random.Float64()*100 < percent }
	s := Server{Name: name, Project: g.Project, Flavor: g.Flavor, Status: g.Status, Group: g.Group, Zone: g.Zone,
		SecurityGroups: g.SecurityGroups}
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

// Random returns a source of randomness that depends only on the seed and on what it is for.
func Random(seed int64, purpose ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, purpose...)
	return rand.New(rand.NewPCG(uint64(seed), h.Sum64()))
}
