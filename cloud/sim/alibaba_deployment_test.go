package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// startDeployment is a cloud with deployment sets that have room for two in a zone.
func startDeployment(t *testing.T, edits ...func(*world.Alibaba)) *cloud {
	t.Helper()
	return startAlibaba(t, append([]func(*world.Alibaba){func(a *world.Alibaba) {
		a.Deployment.Change = clock.Fixed(10 * time.Second)
		a.Deployment.PerZone = 2
		a.DeploymentSets = []world.DeploymentSet{{ID: "ds-1"}, {ID: "ds-2", Name: "two"}, {ID: "ds-full", PerZone: 1},
			{ID: "ds-groups", Strategy: world.AvailabilityGroup}, {ID: "ds-foreign", Account: "1002"}}
		a.Instances = append(a.Instances,
			world.Instance{ID: "i-member", Status: "Stopped", DeploymentSet: "two"},
			world.Instance{ID: "i-fill", DeploymentSet: "ds-full"},
			world.Instance{ID: "i-shares", Status: "Stopped", SharesHost: true},
			world.Instance{ID: "i-cheap", Status: "Stopped", StoppedMode: world.StopCharging},
			world.Instance{ID: "i-next", Status: "Stopped", Zone: "cn-hangzhou-i"},
			world.Instance{ID: "i-crowded", Status: "Stopped", StartFails: world.InDeploymentSet},
			world.Instance{ID: "i-local", Status: "Stopped", LocalDisks: 2})
	}}, edits...)...)
}

// place asks for a change of an instance's deployment set.
func (f *cloud) place(instance, set string, more ...string) reply {
	f.Helper()
	return f.call("ModifyInstanceDeployment", append([]string{"InstanceId", instance, "DeploymentSetId", set}, more...)...)
}

func TestDeploymentSetChanges(t *testing.T) {
	f := startDeployment(t)
	set := func(id string) any { return f.described(id)["DeploymentSetId"] }
	require.Equal(t, 200, f.place("i-off", "ds-1").status)
	require.Equal(t, journal.Changed, f.last().Effect)
	require.Empty(t, set("i-off"), "it takes its time")
	require.Equal(t, "IncorrectInstanceStatus", f.call("StartInstance", "InstanceId", "i-off").code)
	require.Equal(t, "InvalidOperation.Conflict", f.place("i-off", "ds-2").code)
	f.Clock().Advance(10 * time.Second)
	require.Equal(t, "ds-1", set("i-off"))
	require.Equal(t, 200, f.place("i-off", "ds-1").status)
	require.Equal(t, journal.None, f.last().Effect, "it is there already")

	require.Equal(t, 200, f.place("i-off", "ds-2").status, "from one set into another")
	f.Clock().Advance(10 * time.Second)
	truth, _ := f.Instance("i-off")
	require.Equal(t, "ds-2", truth.DeploymentSet)
	require.False(t, truth.Busy)
	require.Equal(t, "DeploymentSet.InvalidId", f.place("i-off", "ds-1", "RemoveFromDeploymentSet", "true").code)
	require.Equal(t, 200, f.place("i-off", "ds-2", "RemoveFromDeploymentSet", "true").status)
	f.Clock().Advance(10 * time.Second)
	require.Empty(t, set("i-off"))
	require.Equal(t, "Stopped", f.described("i-off")["Status"])
}

func TestDeploymentSetRefusals(t *testing.T) {
	f := startDeployment(t)
	for _, c := range []struct {
		instance, set string
		more          []string
		status        int
		code          string
	}{
		{"i-on", "ds-1", nil, 403, "IncorrectInstanceStatus"},
		{"i-new", "ds-1", nil, 403, "IncorrectInstanceStatus"},
		{"i-cheap", "ds-1", []string{"Force", "true"}, 403, "IncorrectInstanceStatus"},
		{"i-locked", "ds-1", nil, 403, "InstanceLockedForSecurity"},
		{"i-classic", "ds-1", nil, 404, "InvalidInstanceNetworkType.NotSupport"},
		{"i-off", "ds-none", nil, 400, "DeploymentSet.InvalidId"},
		{"i-off", "ds-foreign", nil, 400, "DeploymentSet.InvalidId"},
		{"i-off", "ds-full", nil, 403, "DeploymentSet.InstanceLimitExceeded"},
		{"i-shares", "ds-1", nil, 403, "DeploymentSet.ModificationFailed"},
		{"i-none", "ds-1", nil, 404, "InvalidInstanceId.NotFound"},
		{"i-foreign", "ds-1", nil, 404, "InvalidInstanceId.NotFound"},
		{"", "ds-1", nil, 400, "MissingParameter"},
		{"i-off", "", nil, 400, "MissingParameter"},
		{"i-off", "ds-1", []string{"RegionId", ""}, 400, "MissingParameter"},
		{"i-off", "ds-1", []string{"Force", "maybe"}, 400, "InvalidParameter"},
		{"i-off", "ds-1", []string{"DeploymentSetGroupNo", "2"}, 400, "InvalidParameter"},
		{"i-off", "ds-groups", []string{"DeploymentSetGroupNo", "8"}, 400, "InvalidParameter"},
		{"i-off", "ds-1", []string{"Tenancy", "host"}, 501, "SIM.0501"},
	} {
		out := f.place(c.instance, c.set, c.more...)
		require.Equal(t, c.code, out.code, "%v", c)
		require.Equal(t, c.status, out.status, "%v", c)
		require.Equal(t, journal.Refused, f.last().Effect)
	}
	require.Equal(t, 200, f.place("i-next", "ds-full").status, "there is room in another zone")
	require.Equal(t, 200, f.place("i-shares", "ds-1", "Force", "true").status)
}

func TestForcedChangeRestartsWhatRuns(t *testing.T) {
	f := startDeployment(t)
	require.Equal(t, 200, f.place("i-on", "ds-1", "Force", "true").status)
	require.Equal(t, "Stopping", f.described("i-on")["Status"])
	f.Clock().Advance(20 * time.Second)
	require.Equal(t, "Starting", f.described("i-on")["Status"])
	require.Equal(t, "ds-1", f.described("i-on")["DeploymentSetId"])
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, "Running", f.described("i-on")["Status"])
	require.Equal(t, 200, f.place("i-on", "ds-1", "RemoveFromDeploymentSet", "true").status)
	f.Clock().Advance(10 * time.Second)
	require.Equal(t, "Running", f.described("i-on")["Status"], "it leaves without a stop")
}

func TestNoHostInTheSet(t *testing.T) {
	f := startDeployment(t)
	require.Equal(t, 200, f.place("i-crowded", "ds-1").status)
	f.Clock().Advance(10 * time.Second)
	require.Equal(t, "OperationDenied.NoStock", f.call("StartInstance", "InstanceId", "i-crowded").code)
	require.Equal(t, 200, f.place("i-crowded", "ds-1", "RemoveFromDeploymentSet", "true").status)
	f.Clock().Advance(10 * time.Second)
	f.ok("StartInstance", "InstanceId", "i-crowded")
}

func TestDeploymentSetGroups(t *testing.T) {
	f := startDeployment(t)
	for _, id := range []string{"i-off", "i-local", "i-shares"} {
		require.Equal(t, 200, f.place(id, "ds-groups", "Force", "true").status)
		f.Clock().Advance(10 * time.Second)
	}
	require.EqualValues(t, 2, f.described("i-local")["DeploymentSetGroupNo"], "evenly")
	require.EqualValues(t, 2, f.described("i-local")["LocalStorageAmount"])
	require.Equal(t, 200, f.place("i-off", "ds-groups", "DeploymentSetGroupNo", "2").status)
	f.Clock().Advance(10 * time.Second)
	require.Equal(t, "DeploymentSet.InstanceLimitExceeded",
		f.place("i-crowded", "ds-groups", "DeploymentSetGroupNo", "2").code)
}

func TestDescribeDeploymentSets(t *testing.T) {
	f := startDeployment(t)
	rows := f.rows("DeploymentSets", "DeploymentSet", "DescribeDeploymentSets", "DeploymentSetIds", `["ds-2","ds-none"]`)
	require.Len(t, rows, 1)
	require.Equal(t, "two", rows[0]["DeploymentSetName"])
	require.Equal(t, map[string]any{"InstanceId": []any{"i-member"}}, rows[0]["InstanceIds"])
	require.Contains(t, rows[0]["Capacities"].(map[string]any)["Capacity"],
		map[string]any{"ZoneId": "cn-hangzhou-h", "UsedAmount": 1.0, "AvailableAmount": 1.0})
	require.Len(t, f.rows("DeploymentSets", "DeploymentSet", "DescribeDeploymentSets"), 4)
	require.Len(t, f.rows("DeploymentSets", "DeploymentSet", "DescribeDeploymentSets", "PageSize", "3", "PageNumber", "2"), 1)
	require.Len(t, f.rows("DeploymentSets", "DeploymentSet", "DescribeDeploymentSets", "Strategy", "AvailabilityGroup"), 1)
	require.Equal(t, "InvalidParameter", f.call("DescribeDeploymentSets", "PageSize", "51").code)
	require.Equal(t, "MissingParameter", f.call("DescribeDeploymentSets", "RegionId", "").code)
}

// What the world says of sets is what it says again, and what a restart brings back.
func TestDeploymentSetsArePartOfTheWorld(t *testing.T) {
	f := startDeployment(t)
	require.Equal(t, 200, f.place("i-off", "ds-1").status)
	f.Clock().Advance(10 * time.Second)
	w := f.World()
	require.NoError(t, w.Validate())
	for _, v := range w.Alibaba.Instances {
		if v.ID == "i-off" {
			require.Equal(t, "ds-1", v.DeploymentSet)
		}
	}
	require.Len(t, w.Alibaba.DeploymentSets, 5)
}
