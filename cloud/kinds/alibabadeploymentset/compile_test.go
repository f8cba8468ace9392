package alibabadeploymentset

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// healthy is a world in which instance "i-1" can join set "ds-1".
func healthy() *observation {
	return &observation{operation: membership.Join, params: params{force: true}, group: "ds-1",
		set:       &alibaba.DeploymentSet{ID: "ds-1", Strategy: "Availability", Members: []string{"i-old"}, Room: map[string]int{"a": 2, "b": 0}},
		instances: map[string]alibaba.Instance{"i-1": {ID: "i-1", Name: "web-1", Status: statusRunning, Zone: "a", NetworkType: "vpc"}},
	}
}

func request(members ...string) membership.Request {
	return membership.Request{Kind: ID, Account: "demo", Group: "ds-1", Members: members}
}

func codes(m membership.Member) (codes []string) {
	for _, o := range m.Refused {
		codes = append(codes, o.Code)
	}
	return codes
}

// alter changes the one instance of a world.
func alter(o *observation, f func(*alibaba.Instance)) {
	i := o.instances["i-1"]
	f(&i)
	o.instances["i-1"] = i
}

// refusals are all objections, also many at once.
func refusals(check kindtest.Refused) {
	for name, c := range map[string]struct {
		spoil func(*observation)
		want  []string
	}{
		"nothing":                       {func(*observation) {}, nil},
		"stopped":                       {func(o *observation) { alter(o, func(i *alibaba.Instance) { i.Status = statusStopped }) }, nil},
		"groups of hosts":               {func(o *observation) { o.set.Strategy = "AvailabilityGroup" }, nil},
		"no set":                        {func(o *observation) { o.set = nil }, []string{codeGroupMissing}},
		"hosts that are near":           {func(o *observation) { o.set.Strategy = "LowLatency" }, []string{codeGroupStrategy}},
		"no strategy told":              {func(o *observation) { o.set.Strategy = "" }, []string{codeGroupStrategy}},
		"no room told":                  {func(o *observation) { o.set.Room = nil }, nil},
		"no instance":                   {func(o *observation) { delete(o.instances, "i-1") }, []string{codeInstanceMissing}},
		"starting":                      {func(o *observation) { alter(o, func(i *alibaba.Instance) { i.Status = "Starting" }) }, []string{codeInstanceBusy}},
		"in a status that nobody knows": {func(o *observation) { alter(o, func(i *alibaba.Instance) { i.Status = "" }) }, []string{codeInstanceStatus}},
		"locked":                        {func(o *observation) { alter(o, func(i *alibaba.Instance) { i.Locks = []string{"security"} }) }, []string{codeInstanceLocked}},
		"in the classic network":        {func(o *observation) { alter(o, func(i *alibaba.Instance) { i.NetworkType = "classic" }) }, []string{codeNetworkType}},
		"in another set":                {func(o *observation) { alter(o, func(i *alibaba.Instance) { i.DeploymentSet = "ds-2" }) }, []string{codeOtherGroup}},
		"in another set, to be moved": {func(o *observation) {
			o.from = "ds-2"
			alter(o, func(i *alibaba.Instance) { i.DeploymentSet = "ds-2" })
		}, nil},
		"in none, to be moved": {func(o *observation) { o.from = "ds-2" }, []string{membership.CodeNotInFrom}},
		"in a third, to be moved": {func(o *observation) {
			o.from = "ds-2"
			alter(o, func(i *alibaba.Instance) { i.DeploymentSet = "ds-3" })
		}, []string{membership.CodeNotInFrom, codeOtherGroup}},
		"local disks":           {func(o *observation) { alter(o, func(i *alibaba.Instance) { i.LocalDisks = 1 }) }, []string{codeLocalDisk}},
		"local disks that stay": {func(o *observation) { o.params.force = false; alter(o, func(i *alibaba.Instance) { i.LocalDisks = 1 }) }, nil},
		"stopped without charge": {func(o *observation) {
			alter(o, func(i *alibaba.Instance) { i.Status, i.StoppedMode = statusStopped, "StopCharging" })
		}, []string{codeNoHost}},
		"stopped, and its place paid for": {func(o *observation) {
			alter(o, func(i *alibaba.Instance) { i.Status, i.StoppedMode = statusStopped, "KeepCharging" })
		}, nil},
		"everything": {func(o *observation) {
			o.set.Strategy = "LowLatency"
			alter(o, func(i *alibaba.Instance) {
				i.Status, i.StoppedMode, i.Locks, i.NetworkType = statusStopped, "StopCharging", []string{"financial"}, "classic"
				i.LocalDisks, i.DeploymentSet = 4, "ds-2"
			})
		}, []string{codeGroupStrategy, codeInstanceLocked, codeNetworkType, codeNoHost, codeLocalDisk, codeOtherGroup}},
	} {
		o := healthy()
		c.spoil(o)
		check(name, o.Compile(request("i-1"), membership.Join).Members[0], c.want)
	}
}

func TestTables(t *testing.T) { kindtest.RunTables(t, Kind{}, refusals, decisions) }

func TestCompileRemembersHowThingsWere(t *testing.T) {
	o := healthy()
	o.from = "ds-2"
	alter(o, func(i *alibaba.Instance) { i.DeploymentSet, i.DeploymentGroup = "ds-2", 3 })
	p := o.Compile(request("i-1"), membership.Join)
	require.Equal(t, membership.Member{ID: "i-1", Name: "web-1", Before: map[string]string{membership.FactPower: membership.PowerOn,
		membership.FactZone: "a", factSet: "ds-2", factGroup: "3"}}, p.Members[0])
	require.Equal(t, (Kind{}).Spec().Stages[membership.Join], p.Stages)
}

func TestCompileToLeave(t *testing.T) {
	o := healthy()
	o.instances["i-old"] = alibaba.Instance{ID: "i-old", Status: statusRunning, DeploymentSet: "ds-1"}
	o.instances["i-bad"] = alibaba.Instance{ID: "i-bad", Status: "Stopping", Locks: []string{"security"}, DeploymentSet: "ds-1"}
	p := o.Compile(request("i-old", "i-bad", "i-1", "i-gone"), membership.Leave)
	require.True(t, p.Members[0].Due())
	require.Equal(t, []string{codeInstanceBusy, codeInstanceLocked}, codes(p.Members[1]))
	require.True(t, p.Members[2].Already)
	require.Equal(t, []string{codeInstanceMissing}, codes(p.Members[3]))
	o.set = nil
	require.Equal(t, []string{codeGroupMissing}, codes(o.Compile(request("i-old"), membership.Leave).Members[0]))
}

func TestValidate(t *testing.T) {
	r := membership.Request{Kind: ID, Account: "demo", Group: "ds-bp67acfmxazb4p", Members: []string{"i-2ze7s2v0b789k60p"}}
	require.Empty(t, membership.Validate(Kind{}, r))
	for name, c := range map[string]struct {
		change func(*membership.Request)
		want   string
	}{
		"a security group": {func(r *membership.Request) { r.Group = "sg-1" }, `group: "sg-1": want the id of a deployment set`},
		"no instance":      {func(r *membership.Request) { r.Members = []string{"eni-1"} }, `members[0]: "eni-1": want the id of an instance`},
		"of the other cloud": {func(r *membership.Request) { r.Group = "34dac9a0-c4a7-457b-bab2-e2c696e0e401" },
			"is an id of Huawei Cloud; want the id of a deployment set"},
		"from what is no set": {func(r *membership.Request) { r.From = "sg-1" }, `from: "sg-1": want the id of a deployment set`},
		"no boolean":          {func(r *membership.Request) { r.Params = membership.Params{"force": "yes"} }, `params.force: "yes": want true or false`},
	} {
		t.Run(name, func(t *testing.T) {
			bad := r
			c.change(&bad)
			require.ErrorContains(t, membership.Bad(membership.Validate(Kind{}, bad)), c.want)
		})
	}
}
