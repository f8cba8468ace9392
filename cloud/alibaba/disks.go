package alibaba

import (
	"context"
	"slices"
)

var (
	describeDisks     = op{service: ecs, name: "DescribeDisks"}
	replaceSystemDisk = op{service: ecs, name: "ReplaceSystemDisk", write: true}
)

// The types of a Disk.
const (
	SystemDisk = "system"
	DataDisk   = "data"
)

// Disk is a cloud disk.
type Disk struct {
	ID       string
	Instance string // id; "" when it is not attached
	Type     string // SystemDisk or DataDisk
	Category string // such as "cloud_essd"
	Status   string // "In_use", "Available", or on the way, such as "Attaching" and "ReIniting"
	Image    string // id of the image that a system disk was made from; "" for a data disk
	SizeGiB  int
}

type diskRow struct {
	DiskID      string
	InstanceID  string
	Type        string
	Category    string
	Status      string
	ImageID     string
	Size        int
	Attachments list[struct{ InstanceID string }] // of a disk that many instances can share, which may have no InstanceID
}

// on tells whether the disk is attached to an instance.
func (r *diskRow) on(instance string) bool {
	return r.InstanceID == instance ||
		slices.ContainsFunc(r.Attachments, func(a struct{ InstanceID string }) bool { return a.InstanceID == instance })
}

func newDisk(r *diskRow) Disk {
	return Disk{ID: r.DiskID, Instance: r.InstanceID, Type: r.Type, Category: r.Category, Status: r.Status,
		Image: r.ImageID, SizeGiB: r.Size}
}

var disksByID = byJSON(describeDisks.name, "Disks", "DiskIds")

// Disks reads disks by id, in chunks of 100. One that does not exist, as the system disk of an instance whose system was
// installed anew, is absent from the result.
func (c *Client) Disks(ctx context.Context, ids []string) (map[string]Disk, error) {
	return read(ctx, c, disksByID, ids, func(r *diskRow) (string, Disk) { return r.DiskID, newDisk(r) })
}

// DisksOf reads all disks that are attached to an instance, in the order of the cloud. It is empty when the instance does
// not exist.
func (c *Client) DisksOf(ctx context.Context, instance string) ([]Disk, error) {
	if err := checkIDs(describeDisks, instance); err != nil {
		return nil, err
	}
	query := maxResults(map[string]string{"InstanceId": instance, "DiskType": "all"})
	rows, err := pages[diskRow](ctx, c, describeDisks, query, "Disks")
	if err != nil {
		return nil, err
	}
	var disks []Disk
	for i := range rows {
		if rows[i].on(instance) {
			disk := newDisk(&rows[i])
			disk.Instance = instance
			disks = append(disks, disk)
		}
	}
	return disks, nil
}

// ReplaceSystemDisk installs the system of a stopped instance anew from an image, which destroys what is on its system
// disk. People then log on with the key pair, or, when that is "", with the password that the image has inside. It is
// accepted at once and done when the instance has no locks and its new system disk, whose id is returned, is in use. The
// same token does not do it twice.
func (c *Client) ReplaceSystemDisk(ctx context.Context, instance, image, token, keyPair string) (disk string, err error) {
	if err := checkIDs(replaceSystemDisk, instance, image); err != nil {
		return "", err
	}
	query := map[string]string{"InstanceId": instance, "ImageId": image, "PasswordInherit": "true"}
	if keyPair != "" {
		if err := checkNames(replaceSystemDisk, keyPair); err != nil {
			return "", err
		}
		delete(query, "PasswordInherit")
		query["KeyPairName"] = keyPair
	}
	return c.create(ctx, replaceSystemDisk, "DiskId", query, token, nil)
}
