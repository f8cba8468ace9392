package sim_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestInstancePowerTransitions(t *testing.T) {
	f := startAlibaba(t)
	status := func() any { return f.described("i-on")["Status"] }
	f.ok("StopInstance", "InstanceId", "i-on", "StoppedMode", "KeepCharging")
	require.Equal(t, journal.Changed, f.last().Effect)
	require.Equal(t, "Stopping", status())
	for _, action := range []string{"StopInstance", "StartInstance"} {
		out := f.call(action, "InstanceId", "i-on")
		require.Equal(t, 403, out.status)
		require.Equal(t, "IncorrectInstanceStatus", out.code)
	}
	f.Clock().Advance(20 * time.Second)
	require.Equal(t, "Stopped", status())
	require.Equal(t, "KeepCharging", f.described("i-on")["StoppedMode"])
	f.ok("StartInstance", "InstanceId", "i-on")
	require.Equal(t, "Starting", status())
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, "Running", status())
	require.Equal(t, "Not-applicable", f.described("i-on")["StoppedMode"])
}

func TestInstancePowerRefusals(t *testing.T) {
	f := startAlibaba(t)
	for _, c := range []struct {
		action, instance, code string
		status                 int
	}{
		{"StartInstance", "i-on", "IncorrectInstanceStatus", 403},
		{"StopInstance", "i-off", "IncorrectInstanceStatus", 403},
		{"StopInstance", "i-new", "IncorrectInstanceStatus", 403},
		{"StartInstance", "i-locked", "InstanceLockedForSecurity", 403},
		{"StartInstance", "i-dead", "OperationDenied.NoStock", 403},
		{"StartInstance", "i-none", "InvalidInstanceId.NotFound", 404},
		{"StartInstance", "i-foreign", "InvalidInstanceId.NotFound", 404},
		{"StopInstance", "i-beijing", "InvalidInstanceId.NotFound", 404},
		{"StopInstance", "", "MissingParameter", 400},
	} {
		out := f.call(c.action, "InstanceId", c.instance)
		require.Equal(t, c.code, out.code, "%v", c)
		require.Equal(t, c.status, out.status)
		require.Equal(t, journal.Refused, f.last().Effect)
	}
	require.Equal(t, "InvalidParameter", f.call("StopInstance", "InstanceId", "i-on", "StoppedMode", "Maybe").code)
	require.Equal(t, "DryRunOperation", f.call("StopInstance", "InstanceId", "i-on", "DryRun", "true").code)
	require.Equal(t, "IncorrectInstanceStatus", f.call("StartInstance", "InstanceId", "i-on", "DryRun", "true").code)
	f.ok("StopInstance", "InstanceId", "i-locked-on")
	f.ok("StopInstance", "InstanceId", "i-beijing", "RegionId", "")
}

func TestEconomicStop(t *testing.T) {
	for mode, starts := range map[string]bool{"": false, "StopCharging": false, "KeepCharging": true} {
		f := startAlibaba(t)
		f.ok("StopInstance", "InstanceId", "i-economic", "StoppedMode", mode)
		f.Clock().Advance(20 * time.Second)
		require.Equal(t, starts, f.call("StartInstance", "InstanceId", "i-economic").status == 200, mode)
	}
	f := startAlibaba(t, func(a *world.Alibaba) { a.Knobs.StoppedMode = "KeepCharging" })
	f.ok("StopInstance", "InstanceId", "i-economic")
	f.Clock().Advance(20 * time.Second)
	f.ok("StartInstance", "InstanceId", "i-economic")
}

func TestPowerInTargetState(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) { a.Knobs.PowerOnTarget = world.OK })
	f.ok("StartInstance", "InstanceId", "i-on")
	require.Equal(t, journal.None, f.last().Effect)
}

// powerRows sends a batch and returns its answer, and per instance the code and both states.
func powerRows(f *cloud, action, mode string, ids ...string) (reply, map[string][3]string) {
	f.Helper()
	in := []string{"BatchOptimization", mode}
	for i, id := range ids {
		in = append(in, fmt.Sprintf("InstanceId.%d", i+1), id)
	}
	out := f.call(action, in...)
	rows := map[string][3]string{}
	if list, ok := out.body["InstanceResponses"].(map[string]any); ok {
		for _, row := range list["InstanceResponse"].([]any) {
			r := row.(map[string]any)
			rows[r["InstanceId"].(string)] = [3]string{r["Code"].(string), r["PreviousStatus"].(string), r["CurrentStatus"].(string)}
		}
	}
	return out, rows
}

func TestBatches(t *testing.T) {
	f := startAlibaba(t)
	for _, mode := range []string{"", "AllTogether"} {
		out, _ := powerRows(f, "StopInstances", mode, "i-on", "i-off")
		require.Equal(t, 403, out.status)
		require.Equal(t, "IncorrectInstanceStatus", out.code)
		v, _ := f.Instance("i-on")
		require.Equal(t, "Running", v.Status, "all or nothing")
		require.Equal(t, journal.Refused, f.last().Effect)
	}
	out, rows := powerRows(f, "StopInstances", "SuccessFirst", "i-on", "i-off", "i-none", "i-on")
	require.Equal(t, 200, out.status)
	require.Equal(t, [3]string{"IncorrectInstanceStatus", "Stopped", "Stopped"}, rows["i-off"])
	require.Equal(t, [3]string{"InvalidInstanceId.NotFound", "", ""}, rows["i-none"])
	require.Equal(t, journal.Changed, f.last().Effect)
	require.Equal(t, []string{"i-on", "i-off", "i-none", "i-on"}, f.last().Servers)
	v, _ := f.Instance("i-on")
	require.Equal(t, "Stopping", v.Status)
	f.Clock().Advance(time.Minute)
	out, rows = powerRows(f, "StartInstances", "AllTogether", "i-on", "i-off")
	require.Equal(t, 200, out.status)
	require.Equal(t, [3]string{"200", "Stopped", "Starting"}, rows["i-on"])
	_, rows = powerRows(f, "StartInstances", "SuccessFirst", "i-none")
	require.Len(t, rows, 1)
	require.Equal(t, journal.Refused, f.last().Effect)

	out, _ = powerRows(f, "StartInstances", "Sometimes", "i-on")
	require.Equal(t, "InvalidParameter", out.code)
	out, _ = powerRows(f, "StartInstances", "")
	require.Equal(t, "MissingParameter", out.code)
	out, _ = powerRows(f, "StopInstances", "", slices.Repeat([]string{"i-on"}, 101)...)
	require.Equal(t, "InvalidParameter", out.code)
}

func TestInstancePowerFaults(t *testing.T) {
	f := startAlibaba(t)
	f.inject(sim.Fault{Effect: fault.JobFail, Code: "x", Count: 1, Match: sim.Match{Server: "i-on"}})
	f.ok("StopInstance", "InstanceId", "i-on")
	f.Clock().Advance(20 * time.Second)
	v, _ := f.Instance("i-on")
	require.Equal(t, "Running", v.Status, "accepted, but it went on")
	f.inject(sim.Fault{Effect: fault.Stuck, Count: 1, For: clock.Duration(time.Minute)})
	f.ok("StopInstance", "InstanceId", "i-on")
	f.Clock().Advance(79 * time.Second)
	require.Equal(t, "Stopping", f.described("i-on")["Status"])
	f.Clock().Advance(time.Second)
	require.Equal(t, "Stopped", f.described("i-on")["Status"])
}
