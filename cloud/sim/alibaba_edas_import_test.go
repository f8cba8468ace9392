package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestAnImportInstallsTheSystemAnew(t *testing.T) {
	f := startEDAS(t, func(a *world.Alibaba) { a.EDAS.Appear = clock.Fixed(20 * time.Second) })
	before, _ := f.Instance("i-1")
	f.importing("i-1,i-2")
	entry := f.last()
	require.Equal(t, []any{"InsertClusterMember", "prod", journal.Changed, []string{"i-1", "i-2"}},
		[]any{entry.Action, entry.Group, entry.Effect, entry.Servers})
	require.NotContains(t, entry.Path, password)
	require.Contains(t, entry.Path, "clusterId=prod")
	require.Empty(t, f.told("prod"), "not listed yet")
	v, _ := f.Instance("i-1")
	require.Equal(t, []any{"Stopped", true, 2, "m-edas"}, []any{v.Status, v.Busy, v.OSGeneration, v.Image})
	require.NotEqual(t, before.SystemDisk, v.SystemDisk)
	shown := f.described("i-1")
	require.NotEmpty(t, shown["OperationLocks"].(map[string]any)["LockReason"])
	require.Equal(t, "", shown["KeyPairName"], "one logs on with the password")
	require.NotContains(t, f.convertible(), "i-1")

	f.Clock().Advance(20 * time.Second)
	require.Equal(t, map[string]float64{"i-1": 0, "i-2": 0}, f.told("prod"))
	f.Clock().Advance(4*time.Minute + 40*time.Second)
	v, _ = f.Instance("i-1")
	require.Equal(t, []any{"Running", false}, []any{v.Status, v.Busy})
	f.Clock().Advance(20 * time.Second)
	require.Equal(t, map[string]float64{"i-1": 1, "i-2": 1}, f.told("prod"))
	member, _ := f.EDASMember("i-1")

	f.importing("i-1") // once more
	v, _ = f.Instance("i-1")
	require.Equal(t, []any{"Stopped", 3}, []any{v.Status, v.OSGeneration}, "and all is lost again")
	f.importing("i-1")
	v, _ = f.Instance("i-1")
	require.Equal(t, 4, v.OSGeneration, "even while it is being imported")
	again, _ := f.EDASMember("i-1")
	require.Equal(t, []any{member.ID, 0}, []any{again.ID, again.Status})
	f.Clock().Advance(5 * time.Minute)
	require.Equal(t, map[string]float64{"i-1": 1, "i-2": 1}, f.told("prod"))
	require.Equal(t, []string{"i-old", "i-app", "i-1", "i-2"}, f.World().Alibaba.EDASClusters[0].Members)
	require.NoError(t, f.World().Validate())
}

func TestImportsThatAreRefused(t *testing.T) {
	f := startEDAS(t)
	for name, c := range map[string]struct{ cluster, instances, password, says string }{
		"no such cluster":  {"none", "i-1", password, "the cluster does not exist"},
		"foreign cluster":  {"foreign", "i-1", password, "the cluster does not exist"},
		"containers":       {"docker", "i-1", password, "not one of ECS instances"},
		"weak password":    {"prod", "i-1", "password1", "the password must have"},
		"short password":   {"prod", "i-1", "Passw0r", "the password must have"},
		"no such instance": {"prod", "i-1,i-none", password, "i-none cannot be imported: it does not exist"},
		"foreign":          {"prod", "i-foreign", password, "does not exist"},
		"other region":     {"prod", "i-beijing", password, "does not exist"},
		"unknown to EDAS":  {"prod", "i-fresh", password, "does not exist"},
		"other VPC":        {"prod", "i-vpc2", password, "VPC"},
		"classic network":  {"prod", "i-classic", password, "VPC"},
		"other cluster":    {"prod", "i-taken", password, "another cluster"},
		"windows":          {"prod", "i-windows", password, "not Linux"},
		"unpaid":           {"prod", "i-unpaid", password, "expired"},
		"locked":           {"prod", "i-locked", password, "locked"},
		"being made":       {"prod", "i-new", password, "Pending"},
	} {
		_, says := f.refused("InsertClusterMember", "clusterId", c.cluster, "instanceIds", c.instances, "password", c.password)
		require.Contains(t, says, c.says, name)
	}
	for _, left := range []string{"clusterId", "instanceIds", "password"} {
		query := map[string]string{"clusterId": "prod", "instanceIds": "i-1", "password": password}
		delete(query, left)
		var in []string
		for name, value := range query {
			in = append(in, name, value)
		}
		out := f.edas("InsertClusterMember", in...)
		require.Equal(t, []any{400, "MissingParameter"}, []any{out.status, out.code})
	}
	for _, v := range f.Instances() {
		require.Equal(t, 1, v.OSGeneration, v.ID)
	}
	f.importing("i-off")
	f.Clock().Advance(5 * time.Minute)
	v, _ := f.Instance("i-off")
	require.Equal(t, "Running", v.Status, "an import leaves the instance running")
}

func TestImportsThatGoWrong(t *testing.T) {
	f := startEDAS(t)
	wrong := func(code, instance string, late time.Duration) {
		f.inject(sim.Fault{Effect: fault.JobFail, Code: code, For: clock.Duration(late),
			Match: sim.Match{Action: "InsertClusterMember", Server: instance}})
		f.importing(instance)
		f.Faults().Clear()
	}
	wrong("any", "i-1", 0)
	wrong("offline", "i-2", 2*time.Minute)
	wrong("absent", "i-3", 0)
	wrong("offline", "i-off", 0)
	f.inject(sim.Fault{Effect: fault.Stuck, Match: sim.Match{Action: "InsertClusterMember"}})
	f.importing("i-old")
	require.Equal(t, map[string]float64{"i-1": 0, "i-2": 0, "i-off": 0}, f.told("prod"))
	f.Clock().Advance(5 * time.Minute)
	require.Equal(t, map[string]float64{"i-1": -1, "i-2": -2, "i-off": -2}, f.told("prod"))
	f.Clock().Advance(2 * time.Minute)
	require.Equal(t, map[string]float64{"i-1": -1, "i-2": 1, "i-off": -2}, f.told("prod"), "one agent came back")
	f.Clock().Advance(24 * time.Hour)
	old, _ := f.EDASMember("i-old")
	require.Equal(t, 0, old.Status, "stuck for ever")
	for id, generation := range map[string]int{"i-1": 2, "i-2": 2, "i-3": 1, "i-off": 2, "i-old": 2} {
		v, _ := f.Instance(id)
		require.Equal(t, generation, v.OSGeneration, id)
	}
	_, there := f.EDASMember("i-3")
	require.False(t, there, "the call was forgotten")

	f.Faults().Clear()
	f.inject(sim.Fault{Effect: fault.Status, Status: 200, Code: "500", Message: "busy", Count: 1,
		Match: sim.Match{Action: "InsertClusterMember"}})
	code, says := f.refused("InsertClusterMember", "clusterId", "prod", "instanceIds", "i-3", "password", password)
	require.Equal(t, []any{500, "busy"}, []any{code, says}, "faults can refuse as EDAS does")
	f.importing("i-1")
	f.Clock().Advance(5 * time.Minute)
	member, _ := f.EDASMember("i-1")
	require.Equal(t, 1, member.Status, "who failed can be imported again")
}

func TestAgentsAreInstalled(t *testing.T) {
	f := startEDAS(t)
	install := func(instances string) map[string]any {
		statuses := map[string]any{}
		for _, row := range listOf(f, f.done("InstallAgent", "ClusterId", "prod", "InstanceIds", instances), "ExecutionResultList", "ExecutionResult") {
			require.Equal(t, row["Success"] == true, row["Status"] == "OK", row)
			statuses[row["InstanceId"].(string)] = row["Status"]
		}
		return statuses
	}
	require.Equal(t, map[string]any{"i-1": "OK", "i-2": "OK"}, install("i-1,i-2"))
	require.Equal(t, journal.Changed, f.last().Effect)
	require.Equal(t, map[string]float64{"i-1": 0, "i-2": 0}, f.told("prod"))
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, map[string]float64{"i-1": 1, "i-2": 1}, f.told("prod"))
	v, _ := f.Instance("i-1")
	require.Equal(t, []any{1, "Running"}, []any{v.OSGeneration, v.Status}, "the system stays")
	require.Equal(t, map[string]any{"i-1": "OK"}, install("i-1"))
	require.Equal(t, journal.None, f.last().Effect)

	f.inject(sim.Fault{Effect: fault.JobFail, Code: "ClientNotResponse", Count: 1, Match: sim.Match{Action: "InstallAgent", Server: "i-3"}})
	require.Equal(t, map[string]any{"i-3": "ClientNotResponse", "i-off": "InstanceNotRunning", "i-deaf": "ClientNotRunning",
		"i-1": "OK", "i-fresh": "it does not exist", "i-vpc2": "it is not in the VPC of the cluster",
		"i-taken": "it is in another cluster"}, install("i-3,i-off,i-deaf,i-1,i-fresh,i-vpc2,i-taken"))
	require.Equal(t, journal.None, f.last().Effect)
	require.Equal(t, map[string]any{"i-off": "InstanceNotRunning"}, install("i-off"))
	require.Equal(t, journal.Refused, f.last().Effect)
	require.Equal(t, map[string]any{"i-3": "OK"}, install("i-3"), "those that failed can be tried again")
	f.importing("i-deaf")
	f.Clock().Advance(5 * time.Minute)
	deaf, _ := f.EDASMember("i-deaf")
	require.Equal(t, 1, deaf.Status, "a new system has an agent that is heard")

	f.inject(sim.Fault{Effect: fault.Stuck, For: clock.Duration(time.Minute), Match: sim.Match{Action: "InstallAgent"}})
	f.ok("StartInstance", "InstanceId", "i-off")
	install("i-off")
	f.Clock().Advance(time.Minute)
	require.Equal(t, 0.0, f.told("prod")["i-off"])
	f.Clock().Advance(time.Minute)
	require.Equal(t, 1.0, f.told("prod")["i-off"])
	_, says := f.refused("InstallAgent", "ClusterId", "docker", "InstanceIds", "i-1")
	require.Contains(t, says, "not one of ECS instances")
	require.Equal(t, 400, f.edas("InstallAgent", "ClusterId", "prod").status)
}
