package assume_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/assume"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestAllAssumptionsHoldInTheSimulator(t *testing.T) {
	results := assume.Run(t.Context(), assume.OfHuawei(), assume.Options{}, assume.Simulator(nil))
	require.Len(t, results, len(assume.OfHuawei()))
	require.Greater(t, len(results), 30)
	for _, r := range results {
		assert.Equal(t, assume.Holds, r.Outcome, "%s: %s: %s", r.ID, r.Says, r.Why)
	}
}

func TestAllAssumptionsAboutAlibabaHoldInTheSimulator(t *testing.T) {
	results := assume.Run(t.Context(), assume.OfAlibaba(), assume.Options{}, assume.AlibabaSimulator(nil))
	require.Len(t, results, len(assume.OfAlibaba()))
	require.Greater(t, len(results), 20)
	for _, r := range results {
		assert.Equal(t, assume.Holds, r.Outcome, "%s: %s: %s", r.ID, r.Says, r.Why)
	}
}

// TestWhatDoesNotHoldIsTold turns every knob the other way: each check must notice its own.
func TestWhatDoesNotHoldIsTold(t *testing.T) {
	no := false
	for id, edit := range map[string]func(*sim.World){
		"H1":  func(w *sim.World) { w.Huawei.Knobs.RequireStopped = &no },
		"H2":  func(w *sim.World) { w.Huawei.Knobs.Busy = "Ecs.0100" },
		"H4":  func(w *sim.World) { w.Huawei.Knobs.MissingGroup = "itemNotFound" },
		"H5":  func(w *sim.World) { w.Huawei.Knobs.PowerOnTargetState = "fail" },
		"H10": func(w *sim.World) { w.Huawei.Knobs.QingTianJoins = true },
		"H12": func(w *sim.World) { w.Huawei.Knobs.RepeatAdd = "error" },
		"H13": func(w *sim.World) { w.Huawei.Knobs.RemoveNotMember = "error" },
		"H14": func(w *sim.World) { w.Huawei.Knobs.SecondGroup = "Ecs.0100" },
		"H15": func(w *sim.World) { w.Huawei.Knobs.NoCapacity = "Ecs.0226" },
		"H16": func(w *sim.World) { w.Huawei.Knobs.JobRetention = 3600e9 },
		"H18": func(w *sim.World) { w.Huawei.ReadLag, w.Huawei.Knobs.LagHidesNew = 60e9, true },
		"H19": func(w *sim.World) {
			for i := range w.Huawei.Servers {
				w.Huawei.Servers[i].AddKeepsHost = true
			}
		},
		"V3": func(w *sim.World) { w.Huawei.Knobs.RepeatAssociate = "error" },
		"V4": func(w *sim.World) { w.Huawei.Quotas.GroupsPerServer = 5 },
		"V6": func(w *sim.World) { w.Huawei.Knobs.RemoveNotInGroup = "ok" },
		"V7": func(w *sim.World) { w.Huawei.Knobs.RemoveLastGroup = "ok" },
		"C2": func(w *sim.World) { w.Huawei.CCE.RepeatManage = "ok" },
	} {
		only := assume.Options{Only: func(other string) bool { return other == id }}
		results := assume.Run(t.Context(), assume.OfHuawei(), only, assume.Simulator(edit))
		require.Len(t, results, 1, id)
		require.Equal(t, assume.Broken, results[0].Outcome, "%s: %s", id, results[0].Why)
		require.Contains(t, results[0].Why, "not ", id)
	}
}

func TestWhatDoesNotHoldOfAlibabaIsTold(t *testing.T) {
	no := false
	for id, edit := range map[string]func(*world.Alibaba){
		"A1":  func(a *world.Alibaba) { a.Knobs.RegionRequired = &no },
		"A2":  func(a *world.Alibaba) { a.Knobs.RepeatJoin = "ok" },
		"A4":  func(a *world.Alibaba) { a.Knobs.LeaveNotMember = "InstanceNotInSecurityGroup" },
		"A5":  func(a *world.Alibaba) { a.Knobs.PrimaryInterface = "ok" },
		"A6":  func(a *world.Alibaba) { a.Knobs.PowerOnTarget = "ok" },
		"A7":  func(a *world.Alibaba) { a.Knobs.RepeatMove = "ok" },
		"A8":  func(a *world.Alibaba) { a.Knobs.NoStock = "Zone.NotOnSale" },
		"A12": func(a *world.Alibaba) { a.Knobs.DefaultGroup = "shown" },
		"A15": func(a *world.Alibaba) { a.Knobs.WrappedLists = true },
		"A16": func(a *world.Alibaba) { a.Knobs.StoppedMode = "KeepCharging" },
		"D1":  func(a *world.Alibaba) { a.Deployment.Running = "ok" },
		"D3":  func(a *world.Alibaba) { a.Deployment.NotInSet = "InvalidParameter" },
		"D5":  func(a *world.Alibaba) { a.Deployment.Shared = "OperationDenied.NoStock" },
		"E8":  func(a *world.Alibaba) { a.EDAS.RemoveConverting = "ok" },
		"K1":  func(a *world.Alibaba) { a.Containers.RepeatAttach = "ok" },
		"K4":  func(a *world.Alibaba) { a.Containers.BusyPool = "error" },
		"K7":  func(a *world.Alibaba) { a.Containers.RemoveInitial = "ok" },
	} {
		only := assume.Options{Only: func(other string) bool { return other == id }}
		results := assume.Run(t.Context(), assume.OfAlibaba(), only,
			assume.AlibabaSimulator(func(w *sim.World) { edit(&w.Alibaba) }))
		require.Len(t, results, 1, id)
		require.Equal(t, assume.Broken, results[0].Outcome, "%s: %s", id, results[0].Why)
	}
}

func TestTheReadLagDoesNotHideWhatIsNew(t *testing.T) {
	only := assume.Options{Only: func(id string) bool { return id == "H18" }}
	results := assume.Run(t.Context(), assume.OfHuawei(), only, assume.Simulator(func(w *sim.World) { w.Huawei.ReadLag = 60e9 }))
	require.Equal(t, assume.Holds, results[0].Outcome, results[0].Why)
}

// TestReadOnly: nothing is written, and what reads holds.
func TestReadOnly(t *testing.T) {
	open := assume.Simulator(nil)
	ran := 0
	for _, r := range assume.Run(t.Context(), assume.OfHuawei(), assume.Options{ReadOnly: true, Quick: true}, open) {
		if r.Writes {
			require.Equal(t, assume.Skipped, r.Outcome)
			continue
		}
		require.Equal(t, assume.Holds, r.Outcome, r.Why)
		ran++
	}
	require.GreaterOrEqual(t, ran, 4)
}

// TestTheListIsThatOfTheDocs: numbers and sentences are those of world.md, and every assumption has a source.
func TestTheListIsThatOfTheDocs(t *testing.T) {
	text, err := os.ReadFile("../../deploy/docs/world.md")
	require.NoError(t, err)
	documented := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([A-Z]\d+) \| (.*?) \|`).FindAllStringSubmatch(string(text), -1) {
		require.NotContains(t, documented, row[1], "a number is given twice")
		documented[row[1]] = row[2]
	}
	listed := map[string]string{}
	claims := assume.Claims(assume.OfHuawei())
	for _, c := range append(claims, assume.Claims(assume.OfAlibaba())...) {
		listed[c.ID] = c.Says
		require.NotEmpty(t, c.Source, c.ID)
	}
	require.Equal(t, documented, listed)
}
