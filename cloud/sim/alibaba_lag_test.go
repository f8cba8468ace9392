package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// TestLagHidesNothingNewFromWhoMadeIt: what a call made is read by its id at once, unless the world wants it otherwise.
func TestLagHidesNothingNewFromWhoMadeIt(t *testing.T) {
	for _, hides := range []bool{false, true} {
		f := startAlibaba(t, func(a *world.Alibaba) {
			a.ReadLag, a.Knobs.LagHidesNew = clock.Duration(time.Minute), hides
			a.Timings.Snapshot = clock.Fixed(time.Hour)
		})
		count := func(outer, inner, action string, nameValues ...string) int {
			return len(f.rows(outer, inner, action, nameValues...))
		}
		seen := 1
		if hides {
			seen = 0
		}
		f.Clock().Advance(time.Hour)
		v, _ := f.Instance("i-off")
		snapshot := f.ok("CreateSnapshot", "DiskId", v.SystemDisk)["SnapshotId"].(string)
		require.Equal(t, seen, count("Snapshots", "Snapshot", "DescribeSnapshots", "SnapshotIds", `["`+snapshot+`"]`))
		require.Zero(t, count("Snapshots", "Snapshot", "DescribeSnapshots", "DiskId", v.SystemDisk), "lists lag")
		f.Clock().Advance(time.Hour)
		rows := f.rows("Snapshots", "Snapshot", "DescribeSnapshots", "SnapshotIds", `["`+snapshot+`"]`)
		require.Equal(t, "progressing", rows[0]["Status"], "what becomes of it lags")

		f.Clock().Advance(time.Hour)
		image := f.ok("CreateImage", "SnapshotId", snapshot)["ImageId"].(string)
		require.Equal(t, seen, count("Images", "Image", "DescribeImages", "ImageId", image))
		f.Clock().Advance(time.Hour)
		disk := f.ok("ReplaceSystemDisk", "InstanceId", "i-off", "ImageId", image)["DiskId"].(string)
		require.Equal(t, seen, count("Disks", "Disk", "DescribeDisks", "DiskIds", `["`+disk+`"]`))
		f.Clock().Advance(time.Minute)
		require.Equal(t, 1, count("Disks", "Disk", "DescribeDisks", "DiskIds", `["`+disk+`"]`))
	}
}

// TestTasksOfClustersAreReadAtOnce: their ids come from the calls that began them.
func TestTasksOfClustersAreReadAtOnce(t *testing.T) {
	f := startContainers(t, func(a *world.Alibaba) { a.ReadLag = clock.Duration(time.Hour) })
	require.Equal(t, "running", f.taskNow(f.attach("i-1"))["state"])
}

func TestRequestIDsOfAlibabaCloudDifferBetweenStarts(t *testing.T) {
	ids := map[any]bool{}
	for range 2 {
		f := startAlibaba(t)
		for range 2 {
			id := f.ok("DescribeInstances")["RequestId"].(string)
			require.Regexp(t, `^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$`, id)
			ids[id] = true
		}
	}
	require.Len(t, ids, 4)
}
