package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// slowDisks makes all that is done with disks take a minute.
func slowDisks(a *world.Alibaba) {
	a.Timings.Snapshot, a.Timings.Image = clock.Fixed(time.Minute), clock.Fixed(time.Minute)
	a.Timings.ReplaceDisk = clock.Fixed(time.Minute)
}

// made calls what makes a resource and returns its id.
func (f *cloud) made(idField, action string, nameValues ...string) string {
	f.Helper()
	return f.ok(action, nameValues...)[idField].(string)
}

func (f *cloud) systemDisk(instance string) string {
	f.Helper()
	v, ok := f.Instance(instance)
	require.True(f, ok)
	return v.SystemDisk
}

// snapshot takes one of a disk and waits for it.
func (f *cloud) snapshot(disk string) string {
	f.Helper()
	id := f.made("SnapshotId", "CreateSnapshot", "DiskId", disk)
	f.Clock().Advance(time.Minute)
	return id
}

// image makes one of an instance's system disk and waits for it.
func (f *cloud) image(instance string) string {
	f.Helper()
	id := f.made("ImageId", "CreateImage", "SnapshotId", f.snapshot(f.systemDisk(instance)))
	f.Clock().Advance(time.Minute)
	return id
}

func (f *cloud) statusOf(resourceType, id string) string {
	f.Helper()
	r, ok := f.Resource(resourceType, id)
	require.True(f, ok)
	return r.Status
}

func TestSnapshotsAreMade(t *testing.T) {
	f := startAlibaba(t, slowDisks)
	call := []string{"DiskId", "d-data", "SnapshotName", "before", "ClientToken", "t-1", "Tag.1.Key", "fleetjoin",
		"Tag.1.Value", "abc"}
	id := f.made("SnapshotId", "CreateSnapshot", call...)
	require.Equal(t, journal.Changed, f.last().Effect)
	require.Equal(t, []string{"d-data", "i-on"}, f.last().Servers, "the journal names the instance, too")
	f.Clock().Advance(30 * time.Second)
	shown := func(filter ...string) map[string]any {
		rows := f.rows("Snapshots", "Snapshot", "DescribeSnapshots", filter...)
		require.Len(t, rows, 1)
		return rows[0]
	}
	row := shown("Tag.1.Key", "fleetjoin", "Tag.1.Value", "abc")
	require.Equal(t, []any{id, "before", "d-data", "data", "progressing", "50%"}, []any{row["SnapshotId"],
		row["SnapshotName"], row["SourceDiskId"], row["SourceDiskType"], row["Status"], row["Progress"]})
	require.Equal(t, "IncorrectDiskStatus.CreatingSnapshot", f.call("CreateSnapshot", "DiskId", "d-data").code)

	require.Equal(t, id, f.made("SnapshotId", "CreateSnapshot", call...), "the same call makes no second one")
	require.Equal(t, journal.None, f.last().Effect)
	for _, other := range [][]string{{"SnapshotName", "after"}, {"Tag.1.Value", "abd"}, {"DiskId", "d-free"}} {
		require.Equal(t, "IdempotentParameterMismatch", f.call("CreateSnapshot", append(call[:len(call):len(call)], other...)...).code)
	}
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, []any{"accomplished", "100%"}, []any{shown("SnapshotIds", `["`+id+`"]`)["Status"], shown("SnapshotName", "before")["Progress"]})
	require.Equal(t, id, f.made("SnapshotId", "CreateSnapshot", call...), "nor later")
	require.Empty(t, f.rows("Snapshots", "Snapshot", "DescribeSnapshots", "Tag.1.Key", "fleetjoin", "Tag.1.Value", "x"))
	require.NotEqual(t, id, f.snapshot("d-data"), "without a token, there is another")
}

func TestAPageHasTenSnapshots(t *testing.T) {
	f := startAlibaba(t)
	for i := range 12 {
		f.made("SnapshotId", "CreateSnapshot", "DiskId", "d-free", "Tag.1.Key", "run", "Tag.1.Value", fmt.Sprint(i/11))
	}
	require.Len(t, f.rows("Snapshots", "Snapshot", "DescribeSnapshots", "DiskId", "d-free"), 10)
	require.Len(t, f.rows("Snapshots", "Snapshot", "DescribeSnapshots", "DiskId", "d-free", "PageNumber", "2"), 2)
	require.Len(t, f.rows("Snapshots", "Snapshot", "DescribeSnapshots", "Tag.1.Key", "run", "PageSize", "100"), 12)
	require.Len(t, f.rows("Snapshots", "Snapshot", "DescribeSnapshots", "Tag.1.Key", "run", "Tag.1.Value", "0",
		"MaxResults", "100"), 11)
}

// TestSnapshotsFail: a change of the instance's status spoils them, and so does a fault.
func TestSnapshotsFail(t *testing.T) {
	f := startAlibaba(t, slowDisks)
	spoiled := f.made("SnapshotId", "CreateSnapshot", "DiskId", "d-data")
	f.ok("StopInstance", "InstanceId", "i-on", "StoppedMode", "KeepCharging")
	require.Equal(t, "failed", f.statusOf("snapshot", spoiled))
	refused := f.call("CreateSnapshot", "DiskId", "d-data")
	require.Equal(t, "IncorrectInstanceStatus", refused.code, "not while it is stopping")
	require.Equal(t, 400, refused.status)
	f.Clock().Advance(20 * time.Second)
	require.Equal(t, "accomplished", f.statusOf("snapshot", f.snapshot("d-data")), "of a stopped instance it can be taken")

	f.inject(sim.Fault{Effect: fault.JobFail, Code: "any", Count: 1, Match: sim.Match{Action: "CreateSnapshot"}})
	require.Equal(t, "failed", f.statusOf("snapshot", f.snapshot("d-data")))
	f.inject(sim.Fault{Effect: fault.Stuck, Count: 1, Match: sim.Match{Action: "CreateSnapshot", Server: "d-data"}})
	stuck := f.snapshot("d-data")
	f.Clock().Advance(time.Hour)
	require.Equal(t, "progressing", f.statusOf("snapshot", stuck))
	f.ok("StartInstance", "InstanceId", "i-on")
	require.Equal(t, "failed", f.statusOf("snapshot", stuck))

	for code, disk := range map[string]string{"InvalidDiskId.NotFound": "d-none", "MissingParameter": "",
		"InstanceLockedForSecurity": f.systemDisk("i-locked"), "IncorrectInstanceStatus": f.systemDisk("i-new")} {
		require.Equal(t, code, f.call("CreateSnapshot", "DiskId", disk).code)
	}
	require.Equal(t, "InvalidParameter", f.call("CreateSnapshot", "DiskId", "d-data", "ClientToken", "ü").code)
}

func TestImagesAreMade(t *testing.T) {
	f := startAlibaba(t, slowDisks)
	early := f.made("SnapshotId", "CreateSnapshot", "DiskId", f.systemDisk("i-on"))
	require.Equal(t, "InvalidSnapshotId.NotReady", f.call("CreateImage", "SnapshotId", early).code)
	f.Clock().Advance(time.Minute)
	call := []string{"SnapshotId", early, "ImageName", "old-system", "ClientToken", "t-1", "Tag.1.Key", "run", "Tag.1.Value", "7"}
	id := f.made("ImageId", "CreateImage", call...)
	require.Equal(t, id, f.made("ImageId", "CreateImage", call...))
	require.Equal(t, "IdempotentParameterMismatch", f.call("CreateImage", append(call, "ImageName", "x")...).code)
	tagged := []string{"Tag.1.Key", "run", "Tag.1.Value", "7"}
	require.Empty(t, f.rows("Images", "Image", "DescribeImages", tagged...), "only images that are available are told")
	rows := f.rows("Images", "Image", "DescribeImages", append(tagged, "Status", "Creating,Available,CreateFailed")...)
	require.Len(t, rows, 1)
	require.Equal(t, []any{id, "old-system", "Creating"}, []any{rows[0]["ImageId"], rows[0]["ImageName"], rows[0]["Status"]})
	f.Clock().Advance(time.Minute)
	row := f.rows("Images", "Image", "DescribeImages", tagged...)[0]
	disks := row["DiskDeviceMappings"].(map[string]any)["DiskDeviceMapping"].([]any)
	require.Equal(t, early, disks[0].(map[string]any)["SnapshotId"])
	require.Len(t, f.rows("Images", "Image", "DescribeImages", "SnapshotId", early), 1)

	f.inject(sim.Fault{Effect: fault.JobFail, Code: "any", Count: 1, Match: sim.Match{Action: "CreateImage"}})
	failed := f.made("ImageId", "CreateImage", "SnapshotId", early)
	f.Clock().Advance(time.Minute)
	require.Equal(t, "CreateFailed", f.statusOf("image", failed))
	for _, c := range []struct{ code, snapshot, name string }{
		{"InvalidSnapshotId.NotFound", "s-none", ""},
		{"MissingParameter", "", ""},
		{"InvalidImageName.Duplicated", early, "old-system"},
		{"OperationDenied", f.snapshot("d-data"), ""},
	} {
		require.Equal(t, c.code, f.call("CreateImage", "SnapshotId", c.snapshot, "ImageName", c.name).code)
	}
}

func TestASystemDiskIsReplaced(t *testing.T) {
	f := startAlibaba(t, slowDisks, func(a *world.Alibaba) { a.Timings.Stop, a.Timings.Start = clock.Range{}, clock.Range{} })
	image, old := f.image("i-on"), f.systemDisk("i-on")
	call := []string{"InstanceId", "i-on", "ImageId", image, "KeyPairName", "key-1", "ClientToken", "t-1"}
	require.Equal(t, "IncorrectInstanceStatus", f.call("ReplaceSystemDisk", call...).code, "not while it runs")
	f.ok("StopInstance", "InstanceId", "i-on", "StoppedMode", "KeepCharging")

	disk := f.made("DiskId", "ReplaceSystemDisk", call...)
	require.Equal(t, disk, f.made("DiskId", "ReplaceSystemDisk", call...), "the same call does it once")
	require.Equal(t, journal.None, f.last().Effect)
	require.Equal(t, "IdempotentParameterMismatch", f.call("ReplaceSystemDisk", append(call, "KeyPairName", "")...).code)
	require.NotEqual(t, old, disk)
	require.NotEmpty(t, f.described("i-on")["OperationLocks"].(map[string]any)["LockReason"])
	require.Equal(t, "IncorrectInstanceStatus", f.call("StartInstance", "InstanceId", "i-on").code, "not while it is locked")
	require.Equal(t, "IncorrectInstanceStatus", f.call("ReplaceSystemDisk", call[:4]...).code, "nor this once more")
	require.Empty(t, f.rows("Disks", "Disk", "DescribeDisks", "DiskIds", `["`+old+`"]`), "the old one is released")

	f.Clock().Advance(time.Minute)
	shown := f.described("i-on")
	require.Empty(t, shown["OperationLocks"].(map[string]any)["LockReason"])
	require.Equal(t, []any{"Stopped", image, "key-1"}, []any{shown["Status"], shown["ImageId"], shown["KeyPairName"]})
	disks := map[any]any{}
	for _, row := range f.rows("Disks", "Disk", "DescribeDisks", "InstanceId", "i-on") {
		disks[row["Type"]] = row["DiskId"].(string) + " " + row["ImageId"].(string)
	}
	require.Equal(t, map[any]any{"system": disk + " " + image, "data": "d-data "}, disks)
	f.ok("StartInstance", "InstanceId", "i-on")
	v, _ := f.Instance("i-on")
	require.Equal(t, []any{"Running", 2, image, disk}, []any{v.Status, v.OSGeneration, v.Image, v.SystemDisk})
	require.NoError(t, f.World().Validate(), "a snapshot outlives its disk")
}

func TestReplaceSystemDiskCodes(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) {
		a.Resources = append(a.Resources, world.Resource{Type: "image", ID: "m-large", Size: 100},
			world.Resource{Type: "disk", ID: "d-off", Instance: "i-off", System: true, Size: 80})
	})
	replace := func(instance, image string, more ...string) reply {
		return f.call("ReplaceSystemDisk", append([]string{"InstanceId", instance, "ImageId", image}, more...)...)
	}
	for _, c := range []struct {
		status          int
		code            string
		instance, image string
		more            []string
	}{
		{400, "MissingParameter", "", "m-1", nil},
		{400, "MissingParameter", "i-off", "", nil},
		{404, "InvalidInstanceId.NotFound", "i-none", "m-1", nil},
		{404, "InvalidImageId.NotFound", "i-off", "m-none", nil},
		{404, "InvalidImageId.NotFound", "i-off", "m-2", nil},
		{403, "InstanceLockedForSecurity", "i-locked", "m-1", nil},
		{403, "IncorrectInstanceStatus", "i-on", "m-1", nil},
		{400, "InvalidKeyPairName.NotFound", "i-off", "m-1", []string{"KeyPairName", "none"}},
		{400, "InvalidPasswordParam.Mismatch", "i-off", "m-1", []string{"Password", "x", "PasswordInherit", "true"}},
		{400, "InvalidPassword.Malformed", "i-off", "m-1", []string{"Password", "password"}},
		{404, "InvalidSystemDiskSize.LessThanImageSize", "i-off", "m-large", []string{"SystemDisk.Size", "90"}},
		{404, "InvalidSystemDiskSize.LessThanMinSize", "i-off", "m-1", []string{"SystemDisk.Size", "50"}},
	} {
		out := replace(c.instance, c.image, c.more...)
		require.Equal(t, c.code, out.code, "%v", c)
		require.Equal(t, c.status, out.status, "%v", c)
	}
	f.inject(sim.Fault{Effect: fault.Stuck, Match: sim.Match{Action: "CreateSnapshot"}})
	f.made("SnapshotId", "CreateSnapshot", "DiskId", "d-off")
	require.Equal(t, "DiskCreatingSnapshot", replace("i-off", "m-1").code)
	require.Equal(t, 200, replace("i-dead", "m-large", "PasswordInherit", "true").status)
	rows := f.rows("Disks", "Disk", "DescribeDisks", "DiskIds", `["`+f.systemDisk("i-dead")+`"]`)
	require.EqualValues(t, 100, rows[0]["Size"], "an image that is larger makes a larger disk")
}

func TestReplacementsGoWrong(t *testing.T) {
	f := startAlibaba(t, slowDisks)
	old := f.systemDisk("i-off")
	f.inject(sim.Fault{Effect: fault.JobFail, Code: "any", Count: 1, Match: sim.Match{Action: "ReplaceSystemDisk"}})
	call := []string{"InstanceId", "i-off", "ImageId", "m-1", "ClientToken", "t-1"}
	never := f.made("DiskId", "ReplaceSystemDisk", call...)
	require.Equal(t, never, f.made("DiskId", "ReplaceSystemDisk", call...))
	v, _ := f.Instance("i-off")
	require.True(t, v.Busy)
	f.Clock().Advance(time.Minute)
	v, _ = f.Instance("i-off")
	require.Equal(t, []any{"Stopped", false, old, 1}, []any{v.Status, v.Busy, v.SystemDisk, v.OSGeneration})

	f.inject(sim.Fault{Effect: fault.Stuck, For: clock.Duration(time.Hour), Count: 1, Match: sim.Match{Action: "ReplaceSystemDisk"}})
	f.made("DiskId", "ReplaceSystemDisk", "InstanceId", "i-off", "ImageId", "m-1")
	f.Clock().Advance(time.Hour)
	v, _ = f.Instance("i-off")
	require.True(t, v.Busy)
	f.Clock().Advance(time.Minute)
	v, _ = f.Instance("i-off")
	require.Equal(t, []any{false, 2}, []any{v.Busy, v.OSGeneration})

	f.inject(sim.Fault{Effect: fault.Stuck, Match: sim.Match{Action: "ReplaceSystemDisk"}})
	f.made("DiskId", "ReplaceSystemDisk", "InstanceId", "i-off", "ImageId", "m-1")
	f.Clock().Advance(24 * time.Hour)
	v, _ = f.Instance("i-off")
	require.Equal(t, []any{true, 3}, []any{v.Busy, v.OSGeneration})
}

func TestDisksAreToldLate(t *testing.T) {
	f := startAlibaba(t, slowDisks, func(a *world.Alibaba) {
		a.ReadLag, a.Knobs.LagHidesNew = clock.Duration(5*time.Second), true
	})
	old, known := f.systemDisk("i-off"), func(id string) bool {
		return len(f.rows("Disks", "Disk", "DescribeDisks", "DiskIds", `["`+id+`"]`)) == 1
	}
	fresh := f.made("DiskId", "ReplaceSystemDisk", "InstanceId", "i-off", "ImageId", "m-1")
	require.Equal(t, []bool{true, false}, []bool{known(old), known(fresh)})
	require.Equal(t, "m-standard", f.described("i-off")["ImageId"])
	f.Clock().Advance(5 * time.Second)
	require.Equal(t, []bool{false, true}, []bool{known(old), known(fresh)})
	require.Equal(t, "m-1", f.described("i-off")["ImageId"])
	require.Equal(t, "InvalidDiskId.NotFound", f.call("CreateSnapshot", "DiskId", old).code, "writes see the truth")
}

func TestDisksSurviveARestart(t *testing.T) {
	f, dir := alibabaDir(t, slowDisks)
	off := f.systemDisk("i-off")
	backup := f.made("SnapshotId", "CreateSnapshot", "DiskId", off, "ClientToken", "t-1")
	f.Clock().Advance(time.Minute)
	image := f.made("ImageId", "CreateImage", "SnapshotId", backup)
	f.Clock().Advance(time.Minute)
	disk := f.made("DiskId", "ReplaceSystemDisk", "InstanceId", "i-off", "ImageId", image, "ClientToken", "t-2")
	under := f.made("SnapshotId", "CreateSnapshot", "DiskId", "d-free")
	f.Clock().Advance(30 * time.Second)
	instances := f.Instances()
	for range 2 { // from the log, then from the snapshot
		f = &cloud{fixture: reopen(t, dir), key: f.key, style: f.style}
		require.Equal(t, instances, f.Instances())
		require.Equal(t, backup, f.made("SnapshotId", "CreateSnapshot", "DiskId", off, "ClientToken", "t-1"))
		require.Equal(t, disk, f.made("DiskId", "ReplaceSystemDisk", "InstanceId", "i-off", "ImageId", image, "ClientToken", "t-2"))
		require.Equal(t, "progressing", f.statusOf("snapshot", under))
		_, there := f.Resource("disk", off)
		require.False(t, there)
		require.Len(t, f.rows("Images", "Image", "DescribeImages", "SnapshotId", backup), 1)
	}
	f.Clock().Advance(time.Minute)
	require.Equal(t, "accomplished", f.statusOf("snapshot", under))

	w := f.World()
	require.NoError(t, f.Load(w))
	require.Equal(t, disk, f.systemDisk("i-off"), "a world taken from a simulator has its disks")
	require.Len(t, f.rows("Snapshots", "Snapshot", "DescribeSnapshots", "DiskId", off), 1)
}

func TestCloudAssistant(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) { a.Instances[2].AgentOffline = true })
	online := map[any]any{}
	for _, row := range f.rows("InstanceCloudAssistantStatusSet", "InstanceCloudAssistantStatus",
		"DescribeCloudAssistantStatus", "InstanceId.1", "i-on", "InstanceId.2", "i-off", "InstanceId.3", "i-three") {
		online[row["InstanceId"]] = row["CloudAssistantStatus"]
	}
	require.Equal(t, map[any]any{"i-on": "true", "i-off": "false", "i-three": "false"}, online)
}
