package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestAddAndRemove(t *testing.T) {
	f := start(t)
	out := f.add("g1", "off")
	require.Equal(t, 200, out.status)
	require.Empty(t, out.raw, "success has no body at all")
	require.Equal(t, journal.Changed, f.last().Effect)
	require.Equal(t, []string{"off"}, f.last().Servers)
	require.Equal(t, "g1", f.last().Group)
	require.Equal(t, []any{"off"}, f.members("g1"))
	require.Equal(t, [4]any{"SHUTOFF", "stopped", nil, "g1"}, f.shown("off"))

	require.Equal(t, 200, f.add("g1", "off").status)
	require.Equal(t, journal.None, f.last().Effect)

	require.Empty(t, f.remove("g1", "off").raw)
	require.Equal(t, journal.Changed, f.last().Effect)
	require.Empty(t, f.members("g1"))
	require.Equal(t, 200, f.remove("g1", "off").status)
	require.Equal(t, journal.None, f.last().Effect)
}

func TestAddRefusals(t *testing.T) {
	no := false
	cases := map[string]struct {
		group, server string
		status        int
		code          string
		edit          func(*world.Knobs)
	}{
		"running":           {"g1", "on", 400, "Ecs.0100", nil},
		"running, allowed":  {"g1", "on", 200, "", func(k *world.Knobs) { k.RequireStopped = &no }},
		"broken":            {"g1", "broken", 400, "Ecs.0100", func(k *world.Knobs) { k.RequireStopped = &no }},
		"xen":               {"g1", "xen", 400, "Ecs.0005", nil},
		"qingtian":          {"g1", "qingtian", 400, "Ecs.0005", nil},
		"qingtian, allowed": {"g1", "qingtian", 200, "", func(k *world.Knobs) { k.QingTianJoins = true }},
		"unknown is kvm":    {"g1", "unknown", 200, "", nil},
		"local disk":        {"g1", "disk", 400, "Ecs.0005", nil},
		"nvme":              {"g1", "nvme", 400, "Ecs.0005", nil},
		"gpu":               {"g1", "gpu", 400, "Ecs.0005", nil},
		"fpga":              {"g1", "fpga", 400, "Ecs.0005", nil},
		"locked":            {"g1", "locked", 400, "Ecs.0605", nil},
		"missing server":    {"g1", "none", 404, "Ecs.0114", nil},
		"foreign server":    {"g1", "foreign", 404, "Ecs.0114", nil},
		"missing group":     {"none", "off", 404, "Ecs.0114", nil},
		"missing, Nova":     {"none", "off", 404, "itemNotFound", func(k *world.Knobs) { k.MissingGroup = "itemNotFound" }},
		"missing, 400":      {"none", "off", 400, "Ecs.0313", func(k *world.Knobs) { k.MissingGroup = "Ecs.0313" }},
		"policy":            {"fd", "off", 400, "Ecs.0005", nil},
		"second group":      {"g1", "db-1", 400, "Ecs.0005", nil},
		"second, chosen":    {"g1", "db-1", 400, "Ecs.1000", func(k *world.Knobs) { k.SecondGroup = "Ecs.1000" }},
		"repeat, refused":   {"g2", "db-1", 400, "Ecs.0005", func(k *world.Knobs) { k.RepeatAdd = world.Error }},
		"repeat":            {"g2", "db-1", 200, "", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			if c.edit != nil {
				f = start(t, knobs(c.edit))
			}
			before := f.Servers()
			out := f.add(c.group, c.server)
			require.Equal(t, c.status, out.status, out.raw)
			require.Equal(t, c.code, out.code, out.raw)
			require.Equal(t, c.code, f.last().Code)
			if c.code != "" {
				require.Equal(t, journal.Refused, f.last().Effect)
				require.Equal(t, before, f.Servers())
			}
		})
	}
}

func TestRemoveOfAStranger(t *testing.T) {
	f := start(t, knobs(func(k *world.Knobs) { k.RemoveNotMember = world.Error }))
	require.Equal(t, "Ecs.0005", f.remove("g1", "off").code)
	require.Equal(t, "Ecs.0005", f.remove("g1", "db-1").code, "a member of another group")
	require.Equal(t, "Ecs.0114", f.remove("g1", "none").code)
	require.Equal(t, []any{"db-1"}, f.members("g2"))
}

func TestMemberQuota(t *testing.T) {
	f := start(t, func(w *sim.World) {
		w.Huawei.Quotas.ServerGroupMembers = 2
		w.Huawei.Timings.Add = clock.Fixed(time.Second)
	})
	require.Equal(t, 200, f.add("g1", "off").status)
	require.Equal(t, 200, f.add("g1", "off2").status)
	require.Equal(t, "Ecs.0022", f.add("g1", "off3").code, "who is joining counts")
	f.Clock().Advance(time.Second)
	require.Equal(t, 200, f.remove("g1", "off").status)
	require.Equal(t, 200, f.add("g1", "off3").status)
	f.Clock().Advance(time.Second)
	require.Equal(t, []any{"off2", "off3"}, f.members("g1"), "in the order of joining")
}

func TestBatchMembers(t *testing.T) {
	f := start(t, func(w *sim.World) { w.Huawei.Quotas.ServerGroupMembers = 2 })
	out := f.do("POST", groupsPath+"/g1/add_members", `{"server_ids":["off","xen","off2","off3"]}`)
	require.Equal(t, 200, out.status, out.raw)
	require.Equal(t, "fail", out.body["status"])
	var rows []string
	for _, row := range out.body["servers"].([]any) {
		row := row.(map[string]any)
		rows = append(rows, fmt.Sprint(row["server_id"], " ", row["status"]))
	}
	require.Equal(t, []string{"off success", "xen fail", "off2 success", "off3 fail"}, rows)
	require.Equal(t, journal.Changed, f.last().Effect)
	require.Equal(t, []any{"off", "off2"}, f.members("g1"))

	out = f.do("POST", groupsPath+"/g1/remove_members", `{"server_ids":["off","off2"]}`)
	require.Equal(t, "success", out.body["status"])
	require.Empty(t, f.members("g1"))
	f.do("POST", groupsPath+"/g1/remove_members", `{"server_ids":["off"]}`)
	require.Equal(t, journal.None, f.last().Effect)
	f.do("POST", groupsPath+"/g1/add_members", `{"server_ids":["xen"]}`)
	require.Equal(t, journal.Refused, f.last().Effect)
	require.Equal(t, "Ecs.0005", f.do("POST", groupsPath+"/g1/add_members", `{}`).code)
	require.Equal(t, "Ecs.0114", f.do("POST", groupsPath+"/none/add_members", `{"server_ids":["off"]}`).code)
}

func TestGroupLife(t *testing.T) {
	f := start(t, func(w *sim.World) { w.Huawei.Quotas.ServerGroups = 4 })
	create := `{"server_group":{"name":"new","policies":["anti-affinity"]}}`
	out := f.do("POST", groupsPath, create)
	require.Equal(t, 200, out.status, out.raw)
	id := out.body["server_group"].(map[string]any)["id"].(string)
	require.Equal(t, "Ecs.0022", f.do("POST", groupsPath, create).code)
	require.Equal(t, "Ecs.0005", f.do("POST", groupsPath, `{"server_group":{"name":"x","policies":["affinity"]}}`).code)
	require.Equal(t, "Ecs.0005", f.do("POST", groupsPath, `{}`).code)

	require.Equal(t, 200, f.add(id, "off").status)
	require.Equal(t, 204, f.do("DELETE", groupsPath+"/"+id, "").status)
	require.Equal(t, "Ecs.0114", f.do("GET", groupsPath+"/"+id, "").code)
	require.Equal(t, "Ecs.0114", f.do("DELETE", groupsPath+"/"+id, "").code)
	require.Equal(t, "", f.shown("off")[3])
	require.Equal(t, 200, f.do("POST", groupsPath, create).status, "the quota is free again")
}

func TestDeleteGroupWhileJoining(t *testing.T) {
	f := start(t, func(w *sim.World) { w.Huawei.Timings.Add = clock.Fixed(time.Minute) })
	f.add("g1", "off")
	require.Equal(t, 204, f.do("DELETE", groupsPath+"/g1", "").status)
	f.Clock().Advance(time.Hour)
	server, _ := f.Server("off")
	require.Empty(t, server.Group)
	require.False(t, server.Busy)
}

func TestReadLag(t *testing.T) {
	f := start(t, func(w *sim.World) { w.Huawei.ReadLag = clock.Duration(3 * time.Second) })
	f.add("g1", "off")
	truth, _ := f.Group("g1")
	require.Equal(t, []string{"off"}, truth.Members)
	require.Empty(t, f.members("g1"))
	require.Equal(t, "", f.shown("off")[3])
	require.Equal(t, 200, f.add("g1", "off").status)
	require.Equal(t, journal.None, f.last().Effect, "writes see the truth")

	f.Clock().Advance(2 * time.Second)
	f.remove("g1", "off")
	require.Empty(t, f.members("g1"))
	f.Clock().Advance(time.Second)
	require.Equal(t, []any{"off"}, f.members("g1"), "what was true three seconds ago")
	require.Equal(t, "g1", f.shown("off")[3])
	f.Clock().Advance(2 * time.Second)
	require.Empty(t, f.members("g1"))

	created := f.do("POST", groupsPath, `{"server_group":{"name":"new","policies":["anti-affinity"]}}`)
	id := created.body["server_group"].(map[string]any)["id"].(string)
	require.Equal(t, 200, f.do("GET", groupsPath+"/"+id, "").status, "the lag does not hide what a caller has just made (H18)")
	require.NotContains(t, f.do("GET", groupsPath, "").raw, id, "but lists lag")
	f.Clock().Advance(3 * time.Second)
	require.Contains(t, f.do("GET", groupsPath, "").raw, id)
}

func TestAWorldCanHideWhatIsNew(t *testing.T) {
	f := start(t, func(w *sim.World) {
		w.Huawei.ReadLag, w.Huawei.Knobs.LagHidesNew = clock.Duration(3*time.Second), true
	})
	created := f.do("POST", groupsPath, `{"server_group":{"name":"new","policies":["anti-affinity"]}}`)
	id := created.body["server_group"].(map[string]any)["id"].(string)
	require.Equal(t, 404, f.do("GET", groupsPath+"/"+id, "").status)
	f.Clock().Advance(3 * time.Second)
	require.Equal(t, 200, f.do("GET", groupsPath+"/"+id, "").status)
}

func TestListGroups(t *testing.T) {
	f := start(t)
	var seen []string
	path := groupsPath + "?limit=2"
	for range 2 {
		out := f.do("GET", path, "")
		require.Equal(t, 200, out.status, out.raw)
		for _, g := range out.body["server_groups"].([]any) {
			seen = append(seen, g.(map[string]any)["id"].(string))
		}
		next, _ := out.body["page_info"].(map[string]any)["next_marker"].(string)
		path = groupsPath + "?limit=2&marker=" + next
	}
	require.Equal(t, []string{"g1", "g2", "fd"}, seen)
	require.Equal(t, "Ecs.0005", f.do("GET", groupsPath+"?marker=none", "").code)
	f.key.Access, f.key.Secret = "AK2", "SK2"
	require.Empty(t, f.do("GET", "/v1/p2/cloudservers/os-server-groups", "").body["server_groups"])
}

// TestHosts: an add moves a server away from the others, unless the world's cloud breaks that promise.
func TestHosts(t *testing.T) {
	f := start(t, func(w *sim.World) {
		for i := range w.Huawei.Servers {
			if s := &w.Huawei.Servers[i]; s.ID == "off" || s.ID == "off2" || s.ID == "off3" {
				s.Host, s.AddKeepsHost = "shared", s.ID == "off3"
			}
		}
	})
	host := func(id string) any {
		s := f.do("GET", "/v1/p1/cloudservers/"+id, "").body["server"].(map[string]any)
		truth, _ := f.Server(id)
		require.Equal(t, truth.Host, s["hostId"])
		return s["hostId"]
	}
	require.Equal(t, host("off"), host("off2"))
	require.NotEqual(t, host("off"), host("on"))
	f.add("g1", "off")
	f.add("g1", "off3")
	require.NotEqual(t, host("off"), host("off2"), "it was moved")
	require.Equal(t, host("off3"), host("off2"), "it was not")
	f.add("g1", "off2")
	require.NotEqual(t, host("off"), host("off2"))
}
