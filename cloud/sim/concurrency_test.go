package sim_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Many callers at once: the quota holds to the last place, and the journal has the effects in their order.
func TestManyCallers(t *testing.T) {
	f := start(t, func(w *sim.World) {
		w.Huawei.Generate = []world.Generate{{Name: "w-%d", Count: 40, Flavor: "s6.large.2", Status: "SHUTOFF"}}
	})
	f.overHTTP()
	var callers sync.WaitGroup
	for _, s := range f.Servers() {
		if s.Flavor != "s6.large.2" || s.Project != "p1" {
			continue
		}
		callers.Go(func() {
			for _, body := range []string{"add_member", "add_member"} {
				_, err := f.try("POST", groupsPath+"/g1/action", `{"`+body+`":{"instance_uuid":"`+s.ID+`"}}`)
				if err != nil {
					t.Error(err)
				}
				if _, err := f.try("GET", groupsPath+"/g1", ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	var added []string
	for i, e := range f.Journal().Entries() {
		require.EqualValues(t, i+1, e.Seq)
		if e.Effect == journal.Changed {
			added = append(added, e.Servers...)
		}
	}
	group, _ := f.Group("g1")
	require.Len(t, added, 16)
	require.Equal(t, added, group.Members)
}
