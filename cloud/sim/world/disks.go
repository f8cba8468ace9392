package world

import (
	"cmp"
	"fmt"
)

// SystemDiskID returns the id of the system disk that an instance has after so many installations of its system:
// each comes with a new disk.
func SystemDiskID(seed int64, instance string, generation int) string {
	return AlibabaID(seed, "disk", fmt.Sprintf("system/%s/%d", instance, generation))
}

// storage completes disks, then the snapshots made from them, then the images made from those.
func (c *completer) storage(given []Resource) {
	made := map[string]*Resource{} // by id and by name
	each := func(resourceType string, complete func(r *Resource)) {
		for i := range given {
			if r := &given[i]; r.Type == resourceType {
				complete(r)
				made[resourceType+"/"+r.ID], made[resourceType+"/"+r.Name] = r, r
			}
		}
	}
	each("disk", func(r *Resource) {
		if v := c.instances[r.Instance]; v != nil && r.System {
			r.Image = cmp.Or(r.Image, v.Image)
		}
		r.Category, r.Size = cmp.Or(r.Category, "cloud_essd"), cmp.Or(r.Size, defaultSize)
	})
	each("snapshot", func(r *Resource) {
		if disk := made["disk/"+r.Disk]; disk != nil {
			r.Disk, r.System, r.Size = disk.ID, disk.System, cmp.Or(r.Size, disk.Size)
		}
		r.Size = cmp.Or(r.Size, defaultSize)
	})
	each("image", func(r *Resource) {
		if snapshot := made["snapshot/"+r.Snapshot]; snapshot != nil {
			r.Snapshot, r.Size = snapshot.ID, cmp.Or(r.Size, snapshot.Size)
		}
		r.Size = cmp.Or(r.Size, defaultSize)
	})
}

// defaultSize is the size of disks that name none, in GiB.
const defaultSize = 40
