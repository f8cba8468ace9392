package aliyun

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// The statuses of a snapshot.
const (
	progressing  = "progressing"
	accomplished = "accomplished"
	failed       = "failed"
)

// createSnapshot begins a snapshot of a disk.
func (s *Service) createSnapshot(c *wire.Call, p params) wire.Answer {
	made, before, r := s.maker(c, p)
	switch {
	case r != nil:
		return s.refuse(c, r)
	case before != nil:
		return madeBefore(c, "SnapshotId", before)
	}
	disk, r := s.readSnapshot(c, p)
	if r != nil {
		return s.refuse(c, r)
	}
	changes, d := &change{}, disk.Other
	id := s.newID(c, "snapshot")
	snapshot := &resource{Type: "snapshot", Made: made, Other: &world.Resource{Type: "snapshot", ID: id,
		Name: cmp.Or(p.Get("SnapshotName"), id), Description: p.Get("Description"),
		Account: d.Account, Region: d.Region, Zone: d.Zone, Disk: d.ID,
		System: d.System, Size: d.Size, Tags: p.tags()}}
	state := version{Since: c.Now, Status: progressing, ResourceGroup: disk.at(c.Now).ResourceGroup}
	state.Becoming = s.begin(snapshot, c, d.ID, s.config.Timings.Snapshot, transition{Status: accomplished},
		transition{Status: failed})
	snapshot.Versions = []version{state}
	s.add(snapshot, changes)
	return done(c, changes, journal.Changed, object{"SnapshotId": id})
}

// readSnapshot finds the disk and checks whether a snapshot of it can begin now.
func (s *Service) readSnapshot(c *wire.Call, p params) (*resource, *refusal) {
	if p.Get("DiskId") == "" {
		return nil, missing("DiskId")
	}
	disk := s.find(c, "disk", p.Get("DiskId"), p.Get("RegionId"))
	if disk == nil {
		return nil, notFound("InvalidDiskId.NotFound", "The specified DiskId does not exist.")
	}
	if status := disk.at(c.Now).Status; status != "In_use" && status != "Available" {
		return nil, forbidden("IncorrectDiskStatus", "The current disk status does not support this operation.")
	}
	if s.snapshotUnderWay(disk, c.Now) {
		return nil, forbidden("IncorrectDiskStatus.CreatingSnapshot", "A previous snapshot creation is in process.")
	}
	v := s.byKey[key{"instance", disk.Other.Instance}]
	if v == nil {
		return disk, nil
	}
	c.Servers = append(c.Servers, disk.Other.Instance)
	switch state := v.at(c.Now); {
	case slices.Contains(v.Instance.Locks, "security"):
		return nil, locked()
	case state.Becoming != nil || state.Status != running && state.Status != stopped:
		r := wrongStatus()
		return nil, badRequest(r.code, r.message) // other than everywhere else
	}
	return disk, nil
}

// snapshotUnderWay reports whether a snapshot of the disk is being made at t.
func (s *Service) snapshotUnderWay(disk *resource, t time.Time) bool {
	return slices.ContainsFunc(s.partsAt(key{"disk", disk.Other.ID}, t), func(snapshot *resource) bool {
		return snapshot.at(t).Status == progressing
	})
}

// failSnapshots lets the snapshots fail that are under way of an instance's disks: its status is going to change.
func (s *Service) failSnapshots(c *wire.Call, instance string, changes *change) {
	for _, disk := range s.partsAt(key{"instance", instance}, c.Now) {
		for _, snapshot := range s.partsAt(key{disk.Type, disk.identity().id}, c.Now) {
			if state := snapshot.at(c.Now); state.Status == progressing {
				state.Status, state.Becoming = failed, nil
				s.change(snapshot, state, c.Now, changes)
			}
		}
	}
}

func snapshotBody(v view) object {
	kind := "data"
	if v.Other.System {
		kind = "system"
	}
	return unsaid(object{"SnapshotId": v.id, "SnapshotName": v.name, "Description": v.Other.Description,
		"RegionId": v.region, "Status": v.state.Status,
		"Progress": progress(v), "SourceDiskId": v.Other.Disk, "SourceDiskType": kind,
		"SourceDiskSize": strconv.Itoa(v.Other.Size), "Available": v.state.Status == accomplished, "SnapshotType": "user",
		"CreationTime": since(v.resource), "LastModifiedTime": since(v.resource), "Category": "standard", "Usage": "none",
		"SourceStorageType": "disk", "ResourceGroupId": v.service.shownGroup(v.state), "Tags": v.tagList()},
		"KMSKeyId ProductCode SnapshotLinkId SnapshotSN SourceRegionId SourceSnapshotId",
		"InstantAccessRetentionDays RemainTime RetentionDays", "Encrypted InstantAccess")
}

// progress is how far the making of a snapshot or image has come.
func progress(v view) string {
	b := v.state.Becoming
	switch {
	case b == nil && v.state.Status == failed:
		return "0%"
	case b == nil:
		return "100%"
	case b.Until.IsZero() || !b.Until.After(v.state.Since):
		return "0%"
	}
	return fmt.Sprintf("%d%%", 100*v.at.Sub(v.state.Since)/b.Until.Sub(v.state.Since))
}
