package alibabasdktest

import (
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/stretchr/testify/require"
)

// TestClassicDisks takes a snapshot, makes an image of it, and replaces a system disk from that.
func TestClassicDisks(t *testing.T) {
	s := start(t)
	c := classicECS(t, s, "sts")
	v, _ := s.Instance("i-2")
	take := ecs.CreateCreateSnapshotRequest()
	take.DiskId, take.SnapshotName, take.ClientToken = v.SystemDisk, "before", "t-1"
	take.Tag = &[]ecs.CreateSnapshotTag{{Key: "run", Value: "a b"}}
	taken, err := c.CreateSnapshot(take)
	require.NoError(t, err)
	find := ecs.CreateDescribeSnapshotsRequest()
	find.Tag = &[]ecs.DescribeSnapshotsTag{{Key: "run", Value: "a b"}}
	find.PageSize = "100"
	found, err := c.DescribeSnapshots(find)
	require.NoError(t, err)
	require.Len(t, found.Snapshots.Snapshot, 1)
	snapshot := found.Snapshots.Snapshot[0]
	require.Equal(t, []any{taken.SnapshotId, "accomplished", v.SystemDisk, "40", "run"}, []any{snapshot.SnapshotId,
		snapshot.Status, snapshot.SourceDiskId, snapshot.SourceDiskSize, snapshot.Tags.Tag[0].TagKey})

	compose := ecs.CreateCreateImageRequest()
	compose.SnapshotId, compose.ImageName, compose.ClientToken = taken.SnapshotId, "old", "t-2"
	compose.Tag = &[]ecs.CreateImageTag{{Key: "run", Value: "a b"}}
	composed, err := c.CreateImage(compose)
	require.NoError(t, err)
	images := ecs.CreateDescribeImagesRequest()
	images.Status = "Creating,Waiting,Available,UnAvailable,CreateFailed,Deprecated"
	images.Tag = &[]ecs.DescribeImagesTag{{Key: "run", Value: "a b"}}
	listed, err := c.DescribeImages(images)
	require.NoError(t, err)
	image := listed.Images.Image[0]
	require.Equal(t, []any{composed.ImageId, taken.SnapshotId}, []any{image.ImageId,
		image.DiskDeviceMappings.DiskDeviceMapping[0].SnapshotId})

	replace := ecs.CreateReplaceSystemDiskRequest()
	replace.InstanceId, replace.ImageId, replace.ClientToken, replace.KeyPairName = "i-2", composed.ImageId, "t-3", "key-1"
	replaced, err := c.ReplaceSystemDisk(replace)
	require.NoError(t, err)
	s.Clock().Advance(time.Minute)
	disks := ecs.CreateDescribeDisksRequest()
	disks.DiskIds = `["` + replaced.DiskId + `","` + v.SystemDisk + `"]`
	shown, err := c.DescribeDisks(disks)
	require.NoError(t, err)
	require.Len(t, shown.Disks.Disk, 1, "the old one is gone")
	disk := shown.Disks.Disk[0]
	require.Equal(t, []any{replaced.DiskId, "i-2", "system", "In_use", composed.ImageId, 40}, []any{disk.DiskId,
		disk.InstanceId, disk.Type, disk.Status, disk.ImageId, disk.Size})

	status := ecs.CreateDescribeCloudAssistantStatusRequest()
	status.InstanceId = &[]string{"i-1"}
	told, err := c.DescribeCloudAssistantStatus(status)
	require.NoError(t, err)
	require.Equal(t, "true", told.InstanceCloudAssistantStatusSet.InstanceCloudAssistantStatus[0].CloudAssistantStatus)
}
