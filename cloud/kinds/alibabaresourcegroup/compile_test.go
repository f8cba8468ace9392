package alibabaresourcegroup

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const here = "cn-hangzhou"

func fine(id string) group {
	return group{ResourceGroup: alibaba.ResourceGroup{ID: id, Status: statusOK, Regions: map[string]string{here: statusOK}}}
}

// healthy is a world in which disk d-1 can join group rg-1, or leave it for rg-2.
func healthy(op membership.Operation) *observation {
	o := &observation{operation: op, params: params{resourceType: "disk"}, region: here, group: "rg-1", goal: fine("rg-1"),
		groups: map[string]string{"d-1": "rg-0"}, follows: followsNo}
	if op == membership.Leave {
		o.params.to, o.goal, o.source, o.groups["d-1"] = "rg-2", fine("rg-2"), fine("rg-1"), "rg-1"
	}
	return o
}

func request(members ...string) membership.Request {
	return membership.Request{Kind: ID, Account: "demo", Group: "rg-1", Members: members, Params: membership.Params{"type": "disk"}}
}

func codes(m membership.Member) (codes []string) {
	for _, o := range m.Refused {
		codes = append(codes, o.Code)
	}
	return codes
}

// refusals are all objections, also many at once.
func refusals(check kindtest.Refused) {
	for name, c := range map[string]struct {
		spoil func(*observation)
		want  []string
	}{
		"nothing":                      {func(*observation) {}, nil},
		"no group":                     {func(o *observation) { o.goal = group{missing: true} }, []string{codeGroupMissing}},
		"a group in the making":        {func(o *observation) { o.goal.Status = statusCreating }, []string{codeGroupStatus}},
		"a group that goes":            {func(o *observation) { o.goal.Status = "PendingDelete" }, []string{codeGroupStatus}},
		"a group that goes everywhere": {func(o *observation) { o.goal.Status, o.goal.Regions[here] = "Deleting", "Deleting" }, []string{codeGroupStatus}},
		"a group that goes here":       {func(o *observation) { o.goal.Regions[here] = "Deleting" }, []string{codeGroupRegion}},
		"a group in the making here":   {func(o *observation) { o.goal.Regions[here] = statusCreating }, []string{codeGroupRegion}},
		"a group of other regions":     {func(o *observation) { o.goal.Regions = map[string]string{"cn-beijing": statusOK} }, []string{codeGroupRegion}},
		"a group that goes elsewhere":  {func(o *observation) { o.goal.Regions["cn-beijing"] = "Deleting" }, nil},
		"a group that tells no region": {func(o *observation) { o.goal.Regions = nil }, nil},
		"no resource":                  {func(o *observation) { delete(o.groups, "d-1") }, []string{codeResourceMissing}},
		"no way back":                  {func(o *observation) { o.groups["d-1"] = "" }, []string{codeGroupUnknown}},
		"everything": {func(o *observation) {
			o.goal.Status, o.goal.Regions[here] = statusCreating, "Deleting"
			delete(o.groups, "d-1")
		}, []string{codeGroupStatus, codeGroupRegion, codeResourceMissing}},
	} {
		for _, op := range []membership.Operation{membership.Join, membership.Leave} {
			o := healthy(op)
			c.spoil(o)
			p := o.Compile(request("d-1"), op)
			check(name+", to "+string(op), p.Members[0], c.want)
		}
	}
	move := request("d-1")
	for from, want := range map[string][]string{healthy(membership.Join).groups["d-1"]: nil, "rg-other": {membership.CodeNotInFrom}} {
		move.From = from
		check("a move from "+from, healthy(membership.Join).Compile(move, membership.Join).Members[0], want)
	}
}

func TestTables(t *testing.T) { kindtest.RunTables(t, Kind{}, refusals, decisions) }

func TestCompileSaysThatAnIDMayBeOfAnotherType(t *testing.T) {
	reason := healthy(membership.Join).Compile(request("d-9"), membership.Join).Members[0].Refused[0].Reason
	require.Contains(t, reason, "no such resource of type disk in region cn-hangzhou")
	require.Contains(t, reason, "another type or in another region")
}

func TestCompileRemembersWhereThingsWere(t *testing.T) {
	o := healthy(membership.Join)
	o.groups["d-2"], o.groups["d-3"] = "rg-1", "rg-7"
	p := o.Compile(request("d-1", "d-2", "d-3"), membership.Join)
	require.Equal(t, []membership.Member{
		{ID: "d-1", Before: map[string]string{factGroup: "rg-0"}},
		{ID: "d-2", Before: map[string]string{factGroup: "rg-1"}, Already: true},
		{ID: "d-3", Before: map[string]string{factGroup: "rg-7"}},
	}, p.Members)
}

func TestCompileToLeave(t *testing.T) {
	o := healthy(membership.Leave)
	o.groups["d-2"], o.groups["d-3"] = "rg-2", "rg-7"
	o.goal.missing = true // whoever has left is no matter of it
	p := o.Compile(request("d-1", "d-2", "d-3"), membership.Leave)
	require.Equal(t, []string{codeGroupMissing}, codes(p.Members[0]))
	require.True(t, p.Members[1].Already)
	require.True(t, p.Members[2].Already)
	o.source.missing = true // a slip of the pen must not look as if everybody had left
	p = o.Compile(request("d-2"), membership.Leave)
	require.Equal(t, []string{codeGroupMissing, codeGroupMissing}, codes(p.Members[0]))
}

func TestWarnings(t *testing.T) {
	for name, c := range map[string]struct {
		op    membership.Operation
		spoil func(*observation)
		want  string
	}{
		"nothing to join":  {membership.Join, func(*observation) {}, ""},
		"nothing to leave": {membership.Leave, func(*observation) {}, ""},
		"a parameter that is not used": {membership.Join, func(o *observation) { o.params.to = "rg-2" },
			"joining does not use it"},
		"associated transfer":         {membership.Join, func(o *observation) { o.follows = followsYes }, "associated transfer is on"},
		"associated transfer, unsure": {membership.Join, func(o *observation) { o.follows = followsUnknown }, "may not read"},
		"no way back into a group that goes": {membership.Leave, func(o *observation) { o.source.Status = "PendingDelete" },
			"rg-1 is PendingDelete; it must be OK for anything to be put back"},
		"a group that is gone is an objection": {membership.Leave, func(o *observation) { o.source.missing = true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := healthy(c.op)
			c.spoil(o)
			warnings := strings.Join(o.Compile(request("d-1"), c.op).Warnings, "\n")
			require.Contains(t, warnings, c.want)
			require.Equal(t, c.want == "", warnings == "", warnings)
		})
	}
}

func TestValidate(t *testing.T) {
	good := func() membership.Request {
		return membership.Request{Kind: ID, Account: "demo", Group: "rg-bp67acfmxazb4p", Members: []string{"i-bp67acfmxazb4p"},
			Params: membership.Params{"type": "instance", "to": "rg-other"}}
	}
	require.Empty(t, membership.Validate(Kind{}, good()))
	for name, c := range map[string]struct {
		change func(*membership.Request)
		want   string
	}{
		"no type": {func(r *membership.Request) { delete(r.Params, "type") },
			"params.type: is missing; want the type of the resources: activation, command, ddh, ddhcluster, disk, eni, image, " +
				"instance, keypair, launchtemplate, managedinstance, securitygroup, snapshot"},
		"a type that is none":      {func(r *membership.Request) { r.Params["type"] = "vpc" }, `params.type: "vpc": want the type of the resources: activation, `},
		"a type in another case":   {func(r *membership.Request) { r.Params["type"] = "Instance" }, `params.type: "Instance": case matters: want "instance"`},
		"a type that is no text":   {func(r *membership.Request) { r.Params["type"] = 3.0 }, `params.type: "3": want the type`},
		"a type that is empty":     {func(r *membership.Request) { r.Params["type"] = "" }, `params.type: "": want the type`},
		"an id of another type":    {func(r *membership.Request) { r.Members = []string{"d-bp1"} }, `members[0]: "d-bp1": want the id of a resource of type instance, such as i-bp`},
		"an id of the other cloud": {func(r *membership.Request) { r.Members = []string{"34dac9a0-c4a7-457b-bab2-e2c696e0e401"} }, `members[0]: "34dac9a0`},
		"an id with a pattern":     {func(r *membership.Request) { r.Members = []string{"i-*"} }, `members[0]: "i-*"`},
		"a group that is none":     {func(r *membership.Request) { r.Group = "web" }, `group: "web": want the id of a resource group`},
		"a group of security":      {func(r *membership.Request) { r.Group = "sg-1" }, `group: "sg-1": want the id of a resource group`},
		"a way out that is none":   {func(r *membership.Request) { r.Params["to"] = "default" }, `params.to: "default": want the id of a resource group`},
		"a way out that is no text": {func(r *membership.Request) { r.Params["to"] = true },
			`params.to: "true": want the id of a resource group`},
		"a way out into itself": {func(r *membership.Request) { r.Params["to"] = r.Group }, "params.to: \"rg-bp67acfmxazb4p\": want another"},
		"an unknown parameter":  {func(r *membership.Request) { r.Params["force"] = true }, "params.force: is not a parameter"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := good()
			c.change(&bad)
			require.ErrorContains(t, membership.Bad(membership.Validate(Kind{}, bad)), c.want)
		})
	}
}

func TestEveryTypeIsValidatedAndDocumented(t *testing.T) {
	ids := map[string]string{
		"activation": "4ECEEE12-56F1-4FBC-9AB1-890F1234A5B6", "command": "c-1", "ddh": "dh-1", "ddhcluster": "dc-1", "disk": "d-1",
		"eni": "eni-1", "image": "m-1", "instance": "i-1", "keypair": "my.key_1", "launchtemplate": "lt-1",
		"managedinstance": "mi-1", "securitygroup": "sg-1", "snapshot": "s-1",
	}
	require.Len(t, alibaba.ResourceTypes(), len(ids))
	require.Len(t, idPatterns, len(ids))
	for _, resourceType := range alibaba.ResourceTypes() {
		r := membership.Request{Kind: ID, Account: "demo", Group: "rg-1", Members: []string{ids[resourceType]},
			Params: membership.Params{"type": resourceType}}
		require.Empty(t, membership.Validate(Kind{}, r), resourceType)
		r.Params["type"] = strings.ToUpper(resourceType)
		require.ErrorContains(t, membership.Bad(membership.Validate(Kind{}, r)), `want "`+resourceType+`"`)

		allowed := 0
		for _, p := range (Kind{}).Spec().Permissions {
			rights, resources, _ := strings.Cut(p, " on ")
			words := strings.FieldsFunc(resources, func(r rune) bool { return strings.ContainsRune(":/, ()", r) })
			if strings.HasPrefix(rights, "ecs:JoinResourceGroup") && slices.Contains(words, resourceType) {
				allowed++
			}
		}
		require.Equal(t, 1, allowed, "the right to move a %s", resourceType)
	}
}
