package aliyun

import (
	"cmp"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// installing is the reason why an instance is locked while its system is installed (A19).
const installing = "ReplaceSystemDisk"

// installation is how a system is installed anew.
type installation struct {
	image   string // id
	size    int    // of the new system disk, in GiB; 0: as the old one
	keyPair string // "": a password instead
	status  string // of the instance afterwards: Running or Stopped
	until   time.Time
	made    *making
}

// reinstall installs an instance's system anew, at once: its system disk is released with all that was on it, and its OS
// generation goes up by one. Until the given moment (zero: never) the instance shows Stopped and is locked. Snapshots of
// its disks that are under way fail. An installation that is under way is cut off: its system is lost too. The result
// is the new system disk.
func (s *Service) reinstall(c *wire.Call, v *resource, in installation, changes *change) *resource {
	id := v.identity().id
	s.failSnapshots(c, id, changes)
	state := v.at(c.Now)
	state.OSGeneration++
	state.Image, state.KeyPair, state.AgentOffline = in.image, in.keyPair, false
	state.Status, state.StoppedMode = stopped, world.KeepCharging
	state.Becoming = &transition{Until: in.until, Status: in.status, Lock: installing}
	if in.status == stopped {
		state.Becoming.StoppedMode = world.KeepCharging
	}
	fresh := s.newSystemDisk(c, v, in, world.SystemDiskID(s.seed, id, state.OSGeneration), state.ResourceGroup)
	if old := s.systemDisk(id, c.Now); old != nil {
		fresh.Other.Category, fresh.Other.Size = old.Other.Category, cmp.Or(in.size, old.Other.Size)
		fresh.Versions[0].ResourceGroup = old.at(c.Now).ResourceGroup
		released := old.at(c.Now)
		released.Gone = true
		s.change(old, released, c.Now, changes)
	}
	s.change(v, state, c.Now, changes)
	s.add(fresh, changes)
	return fresh
}

func (s *Service) newSystemDisk(c *wire.Call, v *resource, in installation, id, group string) *resource {
	it := v.identity()
	return &resource{Type: "disk", Made: in.made,
		Other: &world.Resource{Type: "disk", ID: id, Name: id, Account: it.account, Region: it.region, Zone: it.zone,
			Instance: it.id, System: true, Category: "cloud_essd", Size: in.size, Image: in.image},
		Versions: []version{{Since: c.Now, Status: "In_use", Image: in.image, ResourceGroup: group}}}
}

// systemDisk returns the system disk that an instance has at t, or nil.
func (s *Service) systemDisk(instance string, t time.Time) *resource {
	for _, part := range s.partsAt(key{"instance", instance}, t) {
		if part.Other != nil && part.Other.System {
			return part
		}
	}
	return nil
}

// replaceSystemDisk installs the system of a stopped instance anew from an image.
func (s *Service) replaceSystemDisk(c *wire.Call, p params) wire.Answer {
	made, before, r := s.maker(c, p)
	switch {
	case r != nil:
		return s.refuse(c, r)
	case before != nil:
		return madeBefore(c, "DiskId", before)
	}
	v, in, r := s.readReplacement(c, p)
	if r != nil {
		return s.refuse(c, r)
	}
	in.made = made
	changes, id := &change{}, v.identity().id
	in.until = c.Now.Add(s.config.Timings.ReplaceDisk.Draw(world.Random(s.seed, c.Action, id, c.Number)))
	switch hit := c.Rule.Hits(id); {
	case hit && c.Rule.Effect == fault.JobFail:
		return done(c, changes, journal.Changed, object{"DiskId": s.replaceInVain(c, v, in, changes).identity().id})
	case hit && c.Rule.For > 0:
		in.until = in.until.Add(time.Duration(c.Rule.For))
	case hit:
		in.until = time.Time{}
	}
	disk := s.reinstall(c, v, in, changes)
	return done(c, changes, journal.Changed, object{"DiskId": disk.identity().id})
}

// replaceInVain locks the instance as long as a replacement takes, which then comes to nothing. The disk that it
// returns is one that never was.
func (s *Service) replaceInVain(c *wire.Call, v *resource, in installation, changes *change) *resource {
	state := v.at(c.Now)
	state.Becoming = &transition{Until: in.until, Status: state.Status, StoppedMode: state.StoppedMode, Lock: installing}
	s.change(v, state, c.Now, changes)
	disk := s.newSystemDisk(c, v, in, s.newID(c, "disk"), state.ResourceGroup)
	disk.Versions[0].Gone = true
	s.add(disk, changes)
	return disk
}

// readReplacement finds the instance and the image, and checks whether the one can be installed from the other.
func (s *Service) readReplacement(c *wire.Call, p params) (*resource, installation, *refusal) {
	in := installation{image: p.Get("ImageId"), keyPair: p.Get("KeyPairName"), status: stopped}
	for _, name := range []string{"InstanceId", "ImageId"} {
		if p.Get(name) == "" {
			return nil, in, missing(name)
		}
	}
	v := s.find(c, "instance", p.Get("InstanceId"), p.Get("RegionId"))
	if v == nil {
		return nil, in, noInstance()
	}
	state, region := v.at(c.Now), v.identity().region
	image, disk := s.find(c, "image", in.image, region), s.systemDisk(v.identity().id, c.Now)
	switch inherits, r := p.flag("PasswordInherit"); {
	case r != nil:
		return nil, in, r
	case inherits && p.Get("Password") != "":
		return nil, in, badRequest("InvalidPasswordParam.Mismatch",
			"The input password should be null when passwdInherit is true.")
	case p.Get("Password") != "" && !strong(p.Get("Password")):
		return nil, in, badRequest("InvalidPassword.Malformed", "The specified parameter \"Password\" is not valid.")
	case slices.Contains(v.Instance.Locks, "security"):
		return nil, in, locked()
	case state.Status != stopped || state.Becoming != nil || disk == nil:
		return nil, in, wrongStatus()
	case s.snapshotUnderWay(disk, c.Now):
		return nil, in, forbidden("DiskCreatingSnapshot",
			"The operation is denied due to a snapshot of the specified disk is not completed yet.")
	case image == nil || image.at(c.Now).Status != "Available": // A20
		return nil, in, notFound("InvalidImageId.NotFound", "The specified ImageId does not exist.")
	case in.keyPair != "" && s.find(c, "keypair", in.keyPair, region) == nil:
		return nil, in, badRequest("InvalidKeyPairName.NotFound", "The specified KeyPairName does not exist.")
	}
	var r *refusal
	in.size, r = p.whole("SystemDisk.Size", max(image.Other.Size, disk.Other.Size), 1, 2048)
	switch {
	case r != nil:
	case in.size < image.Other.Size:
		r = notFound("InvalidSystemDiskSize.LessThanImageSize",
			"The specified parameter SystemDisk.Size is less than the image size.")
	case in.size < disk.Other.Size:
		r = notFound("InvalidSystemDiskSize.LessThanMinSize",
			"The specified parameter SystemDisk.Size is less than the min size.")
	}
	return v, in, r
}

// locks are the reasons why the instance is locked.
func (v view) locks() []string {
	if v.state.Becoming != nil && v.state.Becoming.Lock != "" {
		return append(slices.Clone(v.Instance.Locks), v.state.Becoming.Lock)
	}
	return v.Instance.Locks
}

func diskBody(v view) object {
	d := v.Other
	kind, device := "data", "/dev/xvdb"
	if d.System {
		kind, device = "system", "/dev/xvda"
	}
	attached, mounts := "", []object{}
	if d.Instance != "" {
		attached = since(v.resource)
		mounts = append(mounts, object{"InstanceId": d.Instance, "Device": device, "AttachedTime": attached})
	}
	return unsaid(object{"DiskId": v.id, "DiskName": v.name, "Description": d.Description,
		"RegionId": v.region, "ZoneId": v.zone, "Type": kind,
		"Category": d.Category, "Size": d.Size, "Status": v.state.Status, "InstanceId": d.Instance, "Device": device,
		"ImageId": v.state.Image, "Portable": !d.System, "DeleteWithInstance": d.System, "CreationTime": since(v.resource),
		"ResourceGroupId": v.service.shownGroup(v.state), "OperationLocks": object{"OperationLock": []object{}},
		"DiskChargeType": postPaid, "ExpiredTime": never, "EnableAutoSnapshot": true, "PerformanceLevel": "PL1",
		"IOPS": 1800 + 50*d.Size, "Throughput": 120, "MultiAttach": "Disabled", "SerialNumber": v.id, "AttachedTime": attached,
		"MountInstanceNum": len(mounts), "MountInstances": object{"MountInstance": mounts},
		"Attachments": object{"Attachment": mounts}, "Placement": object{"ZoneIds": ""}, "Tags": v.tagList()},
		"AutoSnapshotPolicyId BdfId DetachedTime KMSKeyId ProductCode SourceSnapshotId StorageClusterId StorageSetId",
		"IOPSRead IOPSWrite ProvisionedIops StorageSetPartitionNumber ThroughputRead ThroughputWrite",
		"BurstingEnabled DeleteAutoSnapshot EnableAutomatedSnapshotPolicy Encrypted")
}

// since is when a resource was made.
func since(r *resource) string {
	if r.Born.IsZero() {
		return created
	}
	return r.Born.Format("2006-01-02T15:04:05Z")
}
