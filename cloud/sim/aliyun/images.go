package aliyun

import (
	"cmp"
	"strconv"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// createImage begins an image of the snapshot of a system disk.
func (s *Service) createImage(c *wire.Call, p params) wire.Answer {
	made, before, r := s.maker(c, p)
	switch {
	case r != nil:
		return s.refuse(c, r)
	case before != nil:
		return madeBefore(c, "ImageId", before)
	}
	snapshot, r := s.readImage(c, p)
	if r != nil {
		return s.refuse(c, r)
	}
	changes, from := &change{}, snapshot.Other
	id := s.newID(c, "image")
	image := &resource{Type: "image", Made: made, Other: &world.Resource{Type: "image", ID: id,
		Name: cmp.Or(p.Get("ImageName"), id), Description: p.Get("Description"),
		Account: from.Account, Region: from.Region, Snapshot: from.ID,
		Size: from.Size, Tags: p.tags()}}
	state := version{Since: c.Now, Status: "Creating", ResourceGroup: snapshot.at(c.Now).ResourceGroup}
	state.Becoming = s.begin(image, c, from.ID, s.config.Timings.Image, transition{Status: "Available"},
		transition{Status: "CreateFailed"})
	image.Versions = []version{state}
	s.add(image, changes)
	return done(c, changes, journal.Changed, object{"ImageId": id})
}

// readImage finds the snapshot and checks whether an image can be made of it.
func (s *Service) readImage(c *wire.Call, p params) (*resource, *refusal) {
	id, region := p.Get("SnapshotId"), p.Get("RegionId")
	switch {
	case region == "":
		return nil, missing("RegionId")
	case id == "":
		return nil, missing("SnapshotId")
	}
	snapshot := s.find(c, "snapshot", id, region)
	switch {
	case snapshot == nil:
		return nil, notFound("InvalidSnapshotId.NotFound", "The specified SnapshotId does not exist.")
	case snapshot.at(c.Now).Status != accomplished:
		return nil, forbidden("InvalidSnapshotId.NotReady",
			"The current status of the snapshot does not support this operation.")
	case !snapshot.Other.System:
		return nil, forbidden("OperationDenied", "The specified snapshot is not from system disk.")
	}
	for _, image := range s.ordered["image"] {
		if it := image.identity(); it.name == p.Get("ImageName") && s.find(c, "image", it.id, region) != nil {
			return nil, badRequest("InvalidImageName.Duplicated", "The specified Image name has already been used.")
		}
	}
	return snapshot, nil
}

func imageBody(v view) object {
	disks := []object{}
	if v.Other.Snapshot != "" {
		disks = append(disks, object{"SnapshotId": v.Other.Snapshot, "Type": "system", "Device": "/dev/xvda",
			"Size": strconv.Itoa(v.Other.Size), "Progress": progress(v), "Format": "RAW"})
	}
	return unsaid(object{"ImageId": v.id, "ImageName": v.name, "Description": v.Other.Description, "Status": v.state.Status,
		"ImageOwnerAlias": "self",
		"OSType":          "linux", "Architecture": "x86_64", "Size": v.Other.Size, "Progress": progress(v),
		"CreationTime": since(v.resource), "DiskDeviceMappings": object{"DiskDeviceMapping": disks},
		"OSName": osName("linux"), "OSNameEn": osName("linux"), "Platform": "Aliyun", "BootMode": "BIOS", "Usage": "none",
		"IsSupportCloudinit": true, "IsSupportIoOptimized": true, "LoginAsNonRootSupported": true,
		"ImageOwnerId": number(v.account), "DetectionOptions": object{"Status": "", "Items": object{"Item": []object{}}},
		"Features": unsaid(object{"NvmeSupport": "supported"}, "ImdsSupport CpuOnlineUpgrade CpuOnlineDowngrade "+
			"MemoryOnlineUpgrade MemoryOnlineDowngrade", "", ""),
		"ResourceGroupId": v.service.shownGroup(v.state), "Tags": v.tagList()},
		"ImageFamily ImageVersion IsSelfShared ProductCode SupplierName", "", "IsCopied IsPublic IsSubscribed")
}

// number is the number of an account, 0 if its id is none.
func number(account string) int64 {
	n, err := strconv.ParseInt(account, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
