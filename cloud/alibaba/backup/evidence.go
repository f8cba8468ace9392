package backup

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Evidence is what the cloud said of disks and backups at one moment.
type Evidence struct {
	Attached  map[string][]alibaba.Disk   // by instance; only when planning
	Disks     map[string]alibaba.Disk     // by id: of the system disks that the program remembers, those that still exist
	Snapshots map[string]alibaba.Snapshot // by disk: those that this run made, of several the one that got furthest
	Images    map[string]alibaba.Image    // by the system disk that they were made of, likewise
}

// Before returns the facts to remember of a member. Look.Thorough has to have been observed.
func (e *Evidence) Before(instance alibaba.Instance) map[string]string {
	facts := map[string]string{FactPower: Off, FactImage: instance.Image}
	if instance.Status == Running {
		facts[FactPower] = On
	}
	if instance.KeyPair != "" {
		facts[FactKeyPair] = instance.KeyPair
	}
	var data []string
	for _, d := range e.Attached[instance.ID] {
		switch d.Type {
		case alibaba.SystemDisk:
			facts[FactSystemDisk] = d.ID
		case alibaba.DataDisk:
			data = append(data, d.ID)
		}
	}
	if len(data) > 0 {
		slices.Sort(data) // what is remembered must not differ by the order of an answer
		facts[FactDataDisks] = strings.Join(data, ",")
	}
	return facts
}

// Objections returns what speaks against installing the system of an instance anew, where a backup is wanted also what
// speaks against that. Look.Thorough has to have been observed.
func (e *Evidence) Objections(instance string, wanted bool) (all []membership.Objection) {
	object := func(code, reason string, args ...any) {
		all = append(all, membership.Objection{Code: code, Reason: fmt.Sprintf(reason, args...)})
	}
	systems := 0
	for _, d := range e.Attached[instance] {
		if d.Type == alibaba.SystemDisk {
			systems++
		}
		if !wanted {
			continue
		}
		// The categories of disks that are kept in the cloud, and not on the instance's host, all begin so.
		if !strings.HasPrefix(d.Category, "cloud") {
			object(CodeDiskLocal, "disk %s is of category %q; there are snapshots of cloud disks only", d.ID, d.Category)
		}
		if d.Status != diskInUse {
			object(CodeDiskStatus, "disk %s is %s; it must be %s", d.ID, d.Status, diskInUse)
		}
	}
	if systems != 1 {
		object(CodeSystemDisk, "the cloud tells of %d system disks", systems)
	}
	return all
}

const diskInUse = "In_use"

// System is what image and system disk tell of a member's system.
type System int

const (
	AsBefore System = iota
	Changed
	Unmeasured // the program does not say how it was
)

// System tells whether the system of a member is still the one that it had. now is its instance.
func (e *Evidence) System(m *membership.Member, now alibaba.Instance) System {
	image, disk := m.Before[FactImage], m.Before[FactSystemDisk]
	switch {
	case disk == "":
		return Unmeasured
	case image != now.Image, !e.attached(m):
		return Changed
	default:
		return AsBefore
	}
}

// attached reports whether a member has the system disk that it had.
func (e *Evidence) attached(m *membership.Member) bool {
	return e.Disks[m.Before[FactSystemDisk]].Instance == m.ID
}

// Words renders a member's system beside the one that it had.
func (e *Evidence) Words(m *membership.Member, now alibaba.Instance) string {
	disk := "its own"
	if !e.attached(m) {
		disk = "another"
	}
	before := func(fact string) string {
		if v := m.Before[fact]; v != "" {
			return v
		}
		return "unknown"
	}
	return fmt.Sprintf("its image is %s and its system disk %s (before: %s and %s)", now.Image, disk,
		before(FactImage), before(FactSystemDisk))
}

// Idle reports whether nothing is under way on an instance.
func Idle(i alibaba.Instance) bool {
	return len(i.Locks) == 0 && (i.Status == Running || i.Status == Stopped)
}

// Doing renders what an instance is and what it waits for.
func Doing(i alibaba.Instance) string {
	if len(i.Locks) == 0 {
		return "the instance is " + i.Status
	}
	return fmt.Sprintf("the instance is %s, locked: %s", i.Status, strings.Join(i.Locks, ", "))
}
