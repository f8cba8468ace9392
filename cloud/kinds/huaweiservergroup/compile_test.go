package huaweiservergroup

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// healthy is a world in which server "s" can join group "g".
func healthy() *observation {
	return &observation{operation: membership.Join, params: params{stop: true},
		group:   huawei.Group{ID: "g", Policies: []string{"anti-affinity"}, Members: []string{"old-1", "old-2"}},
		servers: map[string]huawei.Server{"s": {ID: "s", Name: "web-1", Status: "ACTIVE", FlavorID: "s6", Zone: "az1"}},
		flavors: map[string]huawei.Flavor{"s6": {ID: "s6", ExtraSpecs: map[string]string{"ecs:virtualization_env_types": "CloudCompute"}}},
	}
}

func request(members ...string) membership.Request {
	return membership.Request{Kind: ID, Account: "demo", Group: "g", Members: members}
}

func codes(m membership.Member) (codes []string) {
	for _, o := range m.Refused {
		codes = append(codes, o.Code)
	}
	return codes
}

// change alters the one server of a world.
func change(o *observation, f func(*huawei.Server)) {
	s := o.servers["s"]
	f(&s)
	o.servers["s"] = s
}

func specs(o *observation, kv ...string) {
	m := map[string]string{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	o.flavors["s6"] = huawei.Flavor{ID: "s6", ExtraSpecs: m}
}

// refusals are all objections, also many at once.
func refusals(check kindtest.Refused) {
	const env, kvm = "ecs:virtualization_env_types", "CloudCompute"
	for name, c := range map[string]struct {
		spoil func(*observation)
		want  []string
	}{
		"nothing":        {func(*observation) {}, nil},
		"stopped":        {func(o *observation) { change(o, func(s *huawei.Server) { s.Status = "SHUTOFF" }) }, nil},
		"no group":       {func(o *observation) { o.groupMissing = true }, []string{codeGroupMissing}},
		"another policy": {func(o *observation) { o.group.Policies = []string{"affinity"} }, []string{codeGroupPolicy}},
		"no policy":      {func(o *observation) { o.group.Policies = nil }, []string{codeGroupPolicy}},
		"a move": {func(o *observation) {
			change(o, func(s *huawei.Server) { s.Groups = []string{"x"} })
			o.from = huawei.Group{ID: "x", Members: []string{"s"}}
		}, nil},
		"a move from where it is not": {func(o *observation) { o.from = huawei.Group{ID: "x"} }, []string{membership.CodeNotInFrom}},
		"a move from no group":        {func(o *observation) { o.from.ID, o.fromMissing = "x", true }, []string{codeGroupMissing}},
		"a move from another group": {func(o *observation) {
			change(o, func(s *huawei.Server) { s.Groups = []string{"y"} })
			o.from = huawei.Group{ID: "x"}
		}, []string{membership.CodeNotInFrom, codeOtherGroup}},
		"no server":        {func(o *observation) { delete(o.servers, "s") }, []string{codeServerMissing}},
		"broken":           {func(o *observation) { change(o, func(s *huawei.Server) { s.Status = "ERROR" }) }, []string{codeServerStatus}},
		"busy":             {func(o *observation) { change(o, func(s *huawei.Server) { s.TaskState = "rebooting" }) }, []string{codeServerBusy}},
		"locked":           {func(o *observation) { change(o, func(s *huawei.Server) { s.Locked = true }) }, []string{codeServerLocked}},
		"in another group": {func(o *observation) { change(o, func(s *huawei.Server) { s.Groups = []string{"x"} }) }, []string{codeOtherGroup}},
		"in a group that does not tell the server": {func(o *observation) { o.elsewhere = map[string]string{"s": "x"} }, []string{codeOtherGroup}},
		"in another group, told twice": {func(o *observation) {
			change(o, func(s *huawei.Server) { s.Groups = []string{"x"} })
			o.elsewhere = map[string]string{"s": "x"}
		}, []string{codeOtherGroup}},
		"Xen":                           {func(o *observation) { specs(o, env, "FusionCompute") }, []string{codeNotKVM}},
		"Xen, whatever is assumed":      {func(o *observation) { specs(o, env, "FusionCompute"); o.params.assumeKVM = true }, []string{codeNotKVM}},
		"a retired flavor":              {func(o *observation) { delete(o.flavors, "s6") }, []string{codeKVMUnknown}},
		"QingTian":                      {func(o *observation) { specs(o, env, "QingTian") }, []string{codeKVMUnknown}},
		"QingTian, assumed to be KVM":   {func(o *observation) { specs(o, env, "QingTian"); o.params.assumeKVM = true }, nil},
		"a retired flavor, assumed KVM": {func(o *observation) { delete(o.flavors, "s6"); o.params.assumeKVM = true }, nil},
		"local disks":                   {func(o *observation) { specs(o, env, kvm, "quota:local_disk", "hdd:3:1675:0") }, []string{codeLocalDisk}},
		"NVMe":                          {func(o *observation) { specs(o, env, kvm, "quota:nvme_ssd", "true") }, []string{codeLocalDisk}},
		"a GPU":                         {func(o *observation) { specs(o, env, kvm, "pci_passthrough:alias", "gpu:1") }, []string{codePassThrough}},
		"everything": {func(o *observation) {
			o.group.Policies = []string{"affinity"}
			change(o, func(s *huawei.Server) {
				s.Status, s.TaskState, s.Locked, s.Groups = "ERROR", "deleting", true, []string{"x"}
			})
			specs(o, env, "FusionCompute", "quota:local_disk", "x", "pci_passthrough:a", "y")
		}, []string{codeGroupPolicy, codeServerStatus, codeServerBusy, codeServerLocked, codeOtherGroup, codeNotKVM, codeLocalDisk, codePassThrough}},
	} {
		o := healthy()
		c.spoil(o)
		p := o.Compile(request("s"), membership.Join)
		check(name, p.Members[0], c.want)
	}
}

func TestTables(t *testing.T) { kindtest.RunTables(t, Kind{}, refusals, decisions) }

func TestCompileRemembersHowThingsWere(t *testing.T) {
	p := healthy().Compile(request("s"), membership.Join)
	require.Equal(t, membership.Member{ID: "s", Name: "web-1",
		Before: map[string]string{membership.FactPower: membership.PowerOn, factFlavor: "s6", membership.FactZone: "az1"}}, p.Members[0])
	stages := (Kind{}).Spec().Stages[membership.Join]
	move := request("s")
	move.From = "x"
	require.Equal(t, stages, healthy().Compile(move, membership.Join).Stages)
	require.Equal(t, stageRemove, stages[2].Name)
	require.Equal(t, slices.Delete(stages, 2, 3), p.Stages)
}

func TestThatServersAreStoppedIsToldAsAnAssumption(t *testing.T) {
	o := healthy()
	require.Equal(t, []string{assumesStop}, o.Compile(request("s"), membership.Join).Warnings)
	o.params.stop = false
	require.Empty(t, o.Compile(request("s"), membership.Join).Warnings)
	o = healthy()
	change(o, func(s *huawei.Server) { s.Status = "SHUTOFF" })
	require.Empty(t, o.Compile(request("s"), membership.Join).Warnings)
}

func TestCompileToLeave(t *testing.T) {
	o := healthy()
	o.servers["old-1"] = huawei.Server{ID: "old-1", Status: "ACTIVE"}
	o.servers["old-2"] = huawei.Server{ID: "old-2", Status: "ACTIVE", TaskState: "rebooting", Locked: true}
	o.group.Members = append(o.group.Members, "gone")
	p := o.Compile(request("old-1", "old-2", "s", "gone"), membership.Leave)
	require.True(t, p.Members[0].Due())
	require.Equal(t, []string{codeServerBusy, codeServerLocked}, codes(p.Members[1]))
	require.True(t, p.Members[2].Already)
	require.Equal(t, []string{codeServerMissing}, codes(p.Members[3]))
	o.groupMissing = true
	require.Equal(t, []string{codeGroupMissing}, codes(o.Compile(request("old-1"), membership.Leave).Members[0]))
}

func TestValidate(t *testing.T) {
	const id = "34dac9a0-c4a7-457b-bab2-e2c696e0e401"
	r := membership.Request{Kind: ID, Account: "demo", Group: id, Members: []string{id}}
	require.Empty(t, membership.Validate(Kind{}, r))
	for name, c := range map[string]struct {
		change func(*membership.Request)
		want   string
	}{
		"an id of the other cloud": {func(r *membership.Request) { r.Members = []string{"i-2ze7s2v0b789k60p"} }, `members[0]: "i-2ze7s2v0b789k60p": want a UUID`},
		"a group that is none":     {func(r *membership.Request) { r.Group = "web" }, `group: "web": want a UUID`},
		"an unknown parameter":     {func(r *membership.Request) { r.Params = membership.Params{"force": true} }, "params.force: is not a parameter"},
		"no boolean":               {func(r *membership.Request) { r.Params = membership.Params{"assumeKVM": "yes"} }, `params.assumeKVM: "yes": want true or false`},
		"no duration":              {func(r *membership.Request) { r.Params = membership.Params{"hardStopAfter": 180.0} }, `params.hardStopAfter: "180": want a duration`},
		"too short":                {func(r *membership.Request) { r.Params = membership.Params{"hardStopAfter": "1s"} }, "want a duration of 10s to 9m"},
		"too long":                 {func(r *membership.Request) { r.Params = membership.Params{"hardStopAfter": "1h"} }, "want a duration of 10s to 9m"},
		"by force without a stop":  {func(r *membership.Request) { r.Params = membership.Params{"hardStopAfter": "1m", "stop": false} }, "makes no sense with stop: false"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := r
			c.change(&bad)
			problems := membership.Validate(Kind{}, bad)
			require.ErrorContains(t, membership.Bad(problems), c.want)
		})
	}
}
