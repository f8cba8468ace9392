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

// secure adds security groups, and servers that are in them, to the base world.
func secure(w *sim.World) {
	h := &w.Huawei
	h.SecurityGroups = []world.VPCSecurityGroup{{ID: "sg-web", Name: "web", Rules: 6}, {ID: "sg-db", Name: "db"},
		{ID: "sg-twin1", Name: "twin"}, {ID: "sg-twin2", Name: "twin"}, {ID: "sg-far", Name: "far", Project: "p2"}}
	h.Servers = append(h.Servers,
		world.Server{ID: "one", Flavor: "s6.large.2", SecurityGroups: []string{"web"}},
		world.Server{ID: "two", Flavor: "s6.large.2", SecurityGroups: []string{"web", "sg-db"}, Status: "ERROR",
			NICs: 2})
}

func (f *fixture) secure(action, server, group string) reply {
	f.Helper()
	return f.do("POST", "/v2.1/p1/servers/"+server+"/action", `{"`+action+`SecurityGroup":{"name":"`+group+`"}}`)
}

// securityGroups returns the ids that NovaListServerSecurityGroups says.
func (f *fixture) securityGroups(server string) []any {
	f.Helper()
	out := f.do("GET", "/v2.1/p1/servers/"+server+"/os-security-groups", "")
	require.Equal(f, 200, out.status, out.raw)
	ids := []any{}
	for _, g := range out.body["security_groups"].([]any) {
		ids = append(ids, g.(map[string]any)["id"])
	}
	return ids
}

func TestAServerGetsIntoASecurityGroupAndOut(t *testing.T) {
	f := start(t, secure)
	out := f.secure("add", "two", "twin1x")
	require.Equal(t, []any{404, "itemNotFound"}, []any{out.status, out.code})

	out = f.secure("add", "one", "db")
	require.Equal(t, []any{202, ""}, []any{out.status, out.raw}, "V1")
	require.Equal(t, []any{"sg-web", "sg-db"}, f.securityGroups("one"))
	entry := f.last()
	require.Equal(t, "NovaListServerSecurityGroups", entry.Action)
	entry = f.Journal().Select(sim.Filter{Writes: true, Effect: journal.Changed})[0]
	require.Equal(t, []any{"NovaAssociateSecurityGroup", "sg-db", []string{"one"}},
		[]any{entry.Action, entry.Group, entry.Servers}, "the journal has the group's id, whatever the call named")
	server, _ := f.Server("one")
	require.Equal(t, []string{"sg-web", "sg-db"}, server.SecurityGroups)

	require.Equal(t, 202, f.secure("remove", "one", "sg-web").status)
	require.Equal(t, []any{"sg-db"}, f.securityGroups("one"))
	shown := f.do("GET", "/v1/p1/cloudservers/one", "").body["server"].(map[string]any)
	require.Equal(t, []any{map[string]any{"id": "sg-db", "name": "db"}}, shown["security_groups"])
}

// TestEveryInterfaceIsChanged: the configuration takes effect for the NICs on the ECS (vendor's page).
func TestEveryInterfaceIsChanged(t *testing.T) {
	f := start(t, secure)
	require.Equal(t, 202, f.secure("remove", "two", "db").status, "in whatever state the server is (V2)")
	ports := f.do("GET", "/v1/p1/ports?device_id=two", "").body["ports"].([]any)
	require.Len(t, ports, 2)
	for _, p := range ports {
		require.Equal(t, []any{"sg-web"}, p.(map[string]any)["security_groups"])
	}
	in := f.do("GET", "/v1/p1/ports?security_groups=sg-web", "").body["ports"].([]any)
	require.Len(t, in, 3)
}

func TestSecurityGroupRefusals(t *testing.T) {
	strict := knobs(func(k *world.Knobs) { k.RepeatAssociate = world.Error })
	loose := knobs(func(k *world.Knobs) { k.RemoveNotInGroup, k.RemoveLastGroup = world.OK, world.OK })
	full := func(w *sim.World) { w.Huawei.Quotas.GroupsPerServer = 2 }
	plain := func(*sim.World) {}
	for name, c := range map[string]struct {
		edit                  func(*sim.World)
		action, server, group string
		status                int
		code, effect          string
	}{
		"no server":          {plain, "add", "none", "db", 404, "itemNotFound", journal.Refused},
		"another's server":   {plain, "add", "foreign", "db", 404, "itemNotFound", journal.Refused},
		"another's group":    {plain, "add", "one", "sg-far", 404, "itemNotFound", journal.Refused},
		"two of that name":   {plain, "add", "one", "twin", 409, "conflictingRequest", journal.Refused},
		"no name":            {plain, "add", "one", "", 400, "badRequest", journal.Refused},
		"again":              {plain, "add", "one", "web", 202, "", journal.None},
		"again, strictly":    {strict, "add", "one", "web", 400, "badRequest", journal.Refused},
		"full":               {full, "add", "two", "sg-twin1", 403, "forbidden", journal.Refused},
		"not in it":          {plain, "remove", "one", "db", 404, "itemNotFound", journal.Refused},
		"not in it, loosely": {loose, "remove", "one", "db", 202, "", journal.None},
		"the last":           {plain, "remove", "one", "web", 400, "badRequest", journal.Refused},
		"the last, loosely":  {loose, "remove", "one", "web", 202, "", journal.Changed},
		"the default":        {plain, "add", "one", "default", 202, "", journal.Changed},
		"one of many twins":  {plain, "add", "one", "sg-twin1", 202, "", journal.Changed},
		"unknown action":     {plain, "change", "one", "db", 501, "SIM.0501", journal.Refused},
		"beyond the advice": {func(w *sim.World) {
			w.Huawei.Servers[len(w.Huawei.Servers)-2].SecurityGroups = []string{"web", "db", "sg-twin1", "sg-twin2", "default"}
		}, "remove", "one", "db", 202, "", journal.Changed},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, secure, c.edit)
			out := f.secure(c.action, c.server, c.group)
			require.Equal(t, []any{c.status, c.code}, []any{out.status, out.code}, out.raw)
			require.Equal(t, c.effect, f.last().Effect)
		})
	}
}

func TestSecurityGroupsAreReadInBothVersions(t *testing.T) {
	f := start(t, secure)
	out := f.do("GET", "/v1/p1/security-groups/sg-web", "")
	require.Len(t, out.body["security_group"].(map[string]any)["security_group_rules"], 6)
	out = f.do("GET", "/v3/p1/vpc/security-groups/sg-web", "")
	require.Len(t, out.body["security_group"].(map[string]any)["security_group_rules"], 6)
	out = f.do("GET", "/v1/p1/security-groups/none", "")
	require.Equal(t, []any{404, "VPC.0603"}, []any{out.status, out.body["code"]})
	out = f.do("GET", "/v3/p1/vpc/security-groups/sg-far", "")
	require.Equal(t, []any{404, "VPC.9904"}, []any{out.status, out.code})

	page := f.do("GET", "/v3/p1/vpc/security-groups?limit=2", "").body
	require.Len(t, page["security_groups"], 2)
	next := page["page_info"].(map[string]any)["next_marker"].(string)
	require.Len(t, f.do("GET", "/v3/p1/vpc/security-groups?marker="+next, "").body["security_groups"], 3, "with the default one")
	require.Len(t, f.do("GET", "/v3/p1/vpc/security-groups?id=sg-db&id=sg-web", "").body["security_groups"], 2)
	quota := f.do("GET", "/v1/p1/quotas?type=securityGroup", "").body["quotas"].(map[string]any)["resources"].([]any)
	require.Equal(t, []any{map[string]any{"type": "securityGroup", "used": 5., "quota": 100., "min": 0.}}, quota)
}

func TestAChangeOfSecurityGroupsIsSeenAfterItsTimeAndTheReadLag(t *testing.T) {
	f := start(t, secure, func(w *sim.World) {
		w.Huawei.ReadLag = clock.Duration(5 * time.Second)
		w.Huawei.Timings.SecurityGroups = clock.Fixed(2 * time.Second)
	})
	f.secure("add", "one", "db")
	f.secure("remove", "one", "web")
	before, after := []any{"sg-web"}, []any{"sg-db"}
	for _, step := range []struct {
		advance time.Duration
		shown   []any
		truth   []string
	}{{0, before, []string{"sg-web"}}, {2 * time.Second, before, []string{"sg-db"}}, {4 * time.Second, before, []string{"sg-db"}},
		{time.Second, after, []string{"sg-db"}}} {
		f.Clock().Advance(step.advance)
		require.Equal(t, step.shown, f.securityGroups("one"))
		server, _ := f.Server("one")
		require.Equal(t, step.truth, server.SecurityGroups)
	}
}

func TestAChangeOfSecurityGroupsCanComeToNothingOrLate(t *testing.T) {
	f := start(t, secure)
	add := func(r sim.Fault, server string) {
		r.Match = sim.Match{Action: "NovaAssociateSecurityGroup", Server: server}
		_, err := f.Faults().Add(r)
		require.NoError(t, err)
	}
	add(sim.Fault{Effect: fault.JobFail, Code: "x"}, "one")
	add(sim.Fault{Effect: fault.Stuck, For: clock.Duration(time.Minute)}, "on")
	require.Equal(t, 202, f.secure("add", "one", "db").status)
	require.Equal(t, 202, f.secure("add", "on", "db").status)
	require.Equal(t, []any{"sg-web"}, f.securityGroups("one"))
	require.Len(t, f.securityGroups("on"), 1)
	f.Clock().Advance(time.Minute)
	require.Equal(t, []any{"sg-web"}, f.securityGroups("one"))
	require.Len(t, f.securityGroups("on"), 2)
}

// TestSecurityGroupsSurviveRestarts also looks at the world file that the simulator writes.
func TestSecurityGroupsSurviveRestarts(t *testing.T) {
	dir := t.TempDir()
	w, err := sim.ParseWorld([]byte(base))
	require.NoError(t, err)
	secure(&w)
	f := open(t, sim.Options{World: w, StateDir: dir})
	f.secure("add", "one", "db")
	again := open(t, sim.Options{StateDir: dir}) // as after a kill: nothing was closed
	require.Equal(t, []any{"sg-web", "sg-db"}, again.securityGroups("one"))
	require.NoError(t, again.Close())
	f = open(t, sim.Options{StateDir: dir})
	require.Equal(t, []any{"sg-web", "sg-db"}, f.securityGroups("one"))
	described := f.World()
	require.NoError(t, described.Validate())
	copied := open(t, sim.Options{World: described})
	require.Equal(t, []any{"sg-web", "sg-db"}, copied.securityGroups("one"))
}
