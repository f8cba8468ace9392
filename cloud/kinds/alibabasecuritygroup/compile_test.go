package alibabasecuritygroup

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const (
	one = "i-one"
	nic = "eni-one"
)

// healthy is a world in which instance i-one and network interface eni-one can join sg-new.
func healthy() *observation {
	basic := func(id string) alibaba.SecurityGroup {
		return alibaba.SecurityGroup{ID: id, Type: "normal", VPC: "vpc-1"}
	}
	return &observation{target: membership.Target{Operation: membership.Join, Group: "sg-new"}, params: params{maxGroups: 5, maxRules: 1000},
		members: map[string]subject{
			one: ofInstance(alibaba.Instance{ID: one, Name: "web-1", Status: "Running", VPC: "vpc-1", SecurityGroups: []string{"sg-b", "sg-a"}}),
			nic: ofInterface(alibaba.NetworkInterface{ID: nic, Type: "Secondary", Status: "InUse", Instance: one, VPC: "vpc-1", SecurityGroups: []string{"sg-a"}}),
		},
		groups: map[string]alibaba.SecurityGroup{"sg-new": basic("sg-new"), "sg-a": basic("sg-a"), "sg-b": basic("sg-b"), "sg-c": basic("sg-c")},
	}
}

func request(members ...string) membership.Request {
	return membership.Request{Kind: ID, Account: "demo", Group: "sg-new", Members: members}
}

// alter changes a member of a world.
func alter(id string, f func(*subject)) func(*observation) {
	return func(o *observation) {
		s := o.members[id]
		f(&s)
		o.members[id] = s
	}
}

// regroup changes a group of a world.
func regroup(id string, f func(*alibaba.SecurityGroup)) func(*observation) {
	return func(o *observation) {
		g := o.groups[id]
		f(&g)
		o.groups[id] = g
	}
}

func leaving(o *observation) { o.target.Operation = membership.Leave }

// refusals are all objections, also many at once.
func refusals(check kindtest.Refused) {
	type spoil = func(*observation)
	swap := func(from string) spoil { return func(o *observation) { o.target.From = from } }
	in := func(id string, groups ...string) spoil { return alter(id, func(s *subject) { s.groups = groups }) }
	for name, c := range map[string]struct {
		member string
		spoil  []spoil
		want   []string
	}{
		"nothing":          {one, nil, nil},
		"nothing, again":   {nic, nil, nil},
		"stopped":          {one, []spoil{alter(one, func(s *subject) { s.status, s.power = "Stopped", membership.PowerOff })}, nil},
		"no group":         {one, []spoil{func(o *observation) { delete(o.groups, "sg-new") }}, []string{codeGroupMissing}},
		"a managed group":  {one, []spoil{regroup("sg-new", func(g *alibaba.SecurityGroup) { g.Managed = true })}, []string{codeGroupManaged}},
		"no instance":      {"i-none", nil, []string{codeMemberMissing}},
		"no interface":     {"eni-none", nil, []string{codeMemberMissing}},
		"starting":         {one, []spoil{alter(one, func(s *subject) { s.ready = false })}, []string{codeMemberStatus}},
		"locked":           {one, []spoil{alter(one, func(s *subject) { s.locked = true })}, []string{codeMemberLocked}},
		"its host locked":  {nic, []spoil{alter(nic, func(s *subject) { s.locked = true })}, []string{codeMemberLocked}},
		"managed":          {nic, []spoil{alter(nic, func(s *subject) { s.managed = true })}, []string{codeMemberManaged}},
		"a primary one":    {nic, []spoil{alter(nic, func(s *subject) { s.kind = "Primary" })}, []string{codeMemberType}},
		"a trunk":          {nic, []spoil{alter(nic, func(s *subject) { s.kind = "Trunk" })}, []string{codeMemberType}},
		"another VPC":      {one, []spoil{alter(one, func(s *subject) { s.vpc = "vpc-2" })}, []string{codeVPCMismatch}},
		"a classic group":  {one, []spoil{regroup("sg-new", func(g *alibaba.SecurityGroup) { g.VPC = "" })}, []string{codeNetworkType}},
		"classic, both":    {one, []spoil{regroup("sg-new", func(g *alibaba.SecurityGroup) { g.VPC = "" }), alter(one, func(s *subject) { s.vpc = "" })}, []string{codeNetworkType}},
		"classic, legacy":  {one, []spoil{regroup("sg-new", func(g *alibaba.SecurityGroup) { g.VPC = "" }), alter(one, func(s *subject) { s.vpc = "" }), func(o *observation) { o.params.legacy = true }}, nil},
		"enterprise":       {one, []spoil{regroup("sg-new", func(g *alibaba.SecurityGroup) { g.Type = "enterprise" })}, []string{codeTypeMix}},
		"a type not told":  {one, []spoil{func(o *observation) { delete(o.groups, "sg-a") }}, []string{codeTypeMix}},
		"enterprise, swap": {one, []spoil{regroup("sg-new", func(g *alibaba.SecurityGroup) { g.Type = "enterprise" }), in(one, "sg-a"), swap("sg-a")}, nil},
		"five already":     {one, []spoil{in(one, "sg-a", "sg-b", "sg-c", "sg-d", "sg-e"), known("sg-d", "sg-e")}, []string{codeTooMany}},
		"five, and swap":   {one, []spoil{in(one, "sg-a", "sg-b", "sg-c", "sg-d", "sg-e"), known("sg-d", "sg-e"), swap("sg-a")}, nil},
		"five, quota six":  {one, []spoil{in(one, "sg-a", "sg-b", "sg-c", "sg-d", "sg-e"), known("sg-d", "sg-e"), func(o *observation) { o.params.maxGroups = 6 }}, nil},
		"rules": {one, []spoil{regroup("sg-new", func(g *alibaba.SecurityGroup) { g.Rules = 600 }),
			regroup("sg-a", func(g *alibaba.SecurityGroup) { g.Rules = 401 })}, []string{codeTooManyRules}},
		"rules, just enough": {one, []spoil{regroup("sg-new", func(g *alibaba.SecurityGroup) { g.Rules = 600 }),
			regroup("sg-a", func(g *alibaba.SecurityGroup) { g.Rules = 400 })}, nil},
		"rules, swap": {one, []spoil{regroup("sg-new", func(g *alibaba.SecurityGroup) { g.Rules = 600 }),
			regroup("sg-a", func(g *alibaba.SecurityGroup) { g.Rules = 900 }), swap("sg-a")}, nil},
		"swap":            {one, []spoil{swap("sg-a")}, nil},
		"not in from":     {one, []spoil{swap("sg-c")}, []string{membership.CodeNotInFrom}},
		"from is missing": {one, []spoil{swap("sg-x")}, []string{codeGroupMissing, membership.CodeNotInFrom}},
		"from is managed": {one, []spoil{swap("sg-a"), regroup("sg-a", func(g *alibaba.SecurityGroup) { g.Managed = true })}, []string{codeGroupManaged}},
		"in both":         {one, []spoil{swap("sg-a"), in(one, "sg-a", "sg-new")}, nil},
		"leave":           {one, []spoil{leaving, in(one, "sg-a", "sg-new")}, nil},
		"leave, last":     {one, []spoil{leaving, in(one, "sg-new")}, []string{codeLastGroup}},
		"leave, locked":   {one, []spoil{leaving, in(one, "sg-a", "sg-new"), alter(one, func(s *subject) { s.locked = true })}, []string{codeMemberLocked}},
		"leave no group":  {one, []spoil{leaving, func(o *observation) { delete(o.groups, "sg-new") }}, []string{codeGroupMissing}},
		"everything": {nic, []spoil{
			alter(nic, func(s *subject) {
				s.ready, s.locked, s.managed, s.kind, s.vpc, s.groups = false, true, true, "Trunk", "vpc-2", []string{"sg-a", "sg-b", "sg-c", "sg-d", "sg-e"}
			}),
			enterprise("sg-new"), regroup("sg-new", func(g *alibaba.SecurityGroup) { g.Managed = true }), swap("sg-x")},
			[]string{codeGroupManaged, codeGroupMissing, codeMemberStatus, codeMemberLocked, codeMemberManaged, codeMemberType,
				codeVPCMismatch, membership.CodeNotInFrom, codeTooMany, codeTypeMix}},
	} {
		o := healthy()
		for _, f := range c.spoil {
			f(o)
		}
		m := o.Compile(request(c.member), o.target.Operation).Members[0]
		check(name, m, c.want)
	}
}

func TestTables(t *testing.T) { kindtest.RunTables(t, Kind{}, refusals, decisions) }

// known adds basic groups to a world.
func known(ids ...string) func(*observation) {
	return func(o *observation) {
		for _, id := range ids {
			o.groups[id] = alibaba.SecurityGroup{ID: id, Type: "normal", VPC: "vpc-1"}
		}
	}
}

// enterprise makes groups of a world enterprise ones.
func enterprise(ids ...string) func(*observation) {
	return func(o *observation) {
		for _, id := range ids {
			o.groups[id] = alibaba.SecurityGroup{ID: id, Type: "enterprise", VPC: "vpc-1"}
		}
	}
}

func TestWhoHasItsPlaceTakesNone(t *testing.T) {
	o := healthy()
	o.target.From = "sg-a"
	alter(one, func(s *subject) { s.groups = []string{"sg-a", "sg-new"} })(o)
	p := o.Compile(request(one, nic), membership.Join)
	require.True(t, p.Members[0].Placed && p.Members[0].Due(), "it is only to be taken out of the other")
	require.False(t, p.Members[1].Placed)
}

func TestCompileRemembersTheGroups(t *testing.T) {
	p := healthy().Compile(request(one, nic), membership.Join)
	require.Equal(t, []membership.Member{
		{ID: one, Name: "web-1", Before: map[string]string{factGroups: "sg-a,sg-b", membership.FactPower: membership.PowerOn}},
		{ID: nic, Before: map[string]string{factGroups: "sg-a"}},
	}, p.Members)
	require.Equal(t, (Kind{}).Spec().Stages[membership.Join], p.Stages)
}

func TestWhoIsAlreadyThere(t *testing.T) {
	for name, c := range map[string]struct {
		op     membership.Operation
		from   string
		groups []string
		want   bool
	}{
		"joined":                          {membership.Join, "", []string{"sg-a", "sg-new"}, true},
		"not joined":                      {membership.Join, "", []string{"sg-a"}, false},
		"swapped":                         {membership.Join, "sg-b", []string{"sg-a", "sg-new"}, true},
		"joined, and still in the former": {membership.Join, "sg-a", []string{"sg-a", "sg-new"}, false},
		"left":                            {membership.Leave, "", []string{"sg-a"}, true},
		"not left":                        {membership.Leave, "", []string{"sg-a", "sg-new"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := healthy()
			o.target.Operation, o.target.From = c.op, c.from
			alter(one, func(s *subject) { s.groups = c.groups })(o)
			require.Equal(t, c.want, o.Compile(request(one), c.op).Members[0].Already)
		})
	}
}

func TestValidate(t *testing.T) {
	ok := func() membership.Request {
		return membership.Request{Kind: ID, Account: "demo", Group: "sg-new", Members: []string{one}}
	}
	with := func(name string, v any) func(*membership.Request) {
		return func(r *membership.Request) { r.Params = membership.Params{name: v} }
	}
	from := func(group string) func(*membership.Request) { return func(r *membership.Request) { r.From = group } }
	for name, change := range map[string]func(*membership.Request){
		"an instance":   func(*membership.Request) {},
		"an interface":  func(r *membership.Request) { r.Members = []string{nic, "eni-two"} },
		"legacy":        with("legacy", true),
		"swap":          from("sg-old"),
		"a quota":       with("maxGroups", 10.0),
		"a capacity":    with("capacity", 2000.0),
		"from, default": func(r *membership.Request) { r.From, r.Params = "sg-old", membership.Params{"legacy": false} },
	} {
		t.Run(name, func(t *testing.T) {
			r := ok()
			change(&r)
			require.Empty(t, membership.Validate(Kind{}, r))
		})
	}
	const uuid = "34dac9a0-c4a7-457b-bab2-e2c696e0e401"
	for name, c := range map[string]struct {
		change func(*membership.Request)
		want   string
	}{
		"both at once":           {func(r *membership.Request) { r.Members = []string{one, nic, "eni-two"} }, "members: 1 instances and 2 network interfaces: want one or the other"},
		"an id of another cloud": {func(r *membership.Request) { r.Members = []string{uuid} }, `members[0]: "` + uuid + `": is an id of Huawei Cloud; want the id of an instance`},
		"a group of the other":   {func(r *membership.Request) { r.Group = uuid }, `group: "` + uuid + `": is an id of Huawei Cloud; want the id of a security group`},
		"a disk":                 {func(r *membership.Request) { r.Members = []string{"d-1"} }, `members[0]: "d-1": want the id of an instance`},
		"a resource group":       {func(r *membership.Request) { r.Group = "rg-1" }, `group: "rg-1": want the id of a security group`},
		"an unknown parameter":   {with("force", true), "params.force: is not a parameter"},
		"no boolean":             {with("legacy", "yes"), `params.legacy: "yes": want true or false`},
		"no number":              {with("maxGroups", "5"), `params.maxGroups: "5": want a whole number from 1 to 100`},
		"half a group":           {with("maxGroups", 5.5), "want a whole number"},
		"no groups":              {with("maxGroups", 0.0), "want a whole number"},
		"too many groups":        {with("maxGroups", 101.0), "want a whole number"},
		"no capacity":            {with("capacity", -1.0), "params.capacity"},
		"from no group":          {from("i-1"), `from: "i-1": want the id of a security group`},
		"from itself":            {from("sg-new"), "from: \"sg-new\": is the group itself"},
		"from, legacy":           {func(r *membership.Request) { r.From, r.Params = "sg-old", membership.Params{"legacy": true} }, "makes no sense with legacy: true"},
	} {
		t.Run(name, func(t *testing.T) {
			r := ok()
			c.change(&r)
			require.ErrorContains(t, membership.Bad(membership.Validate(Kind{}, r)), c.want)
		})
	}
}
