package huaweisecuritygroup

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// seen is a world in which server "s" is in the groups, and is to join "g", for "from" if there is one.
func seen(op membership.Operation, from string, groups ...string) *observation {
	return &observation{operation: op, change: changeOf(membership.Target{Operation: op, Group: "g", From: from}),
		servers: map[string]huawei.Server{"s": {ID: "s", Name: "web-1", Status: "ACTIVE", SecurityGroups: groups}}}
}

func request() membership.Request {
	return membership.Request{Kind: ID, Account: "demo", Group: "g", Members: []string{"s"}}
}

func refusals(check kindtest.Refused) {
	status := func(status, task string) func(*observation) {
		return func(o *observation) {
			s := o.servers["s"]
			s.Status, s.TaskState = status, task
			o.servers["s"] = s
		}
	}
	for name, c := range map[string]struct {
		op    membership.Operation
		from  string
		in    string
		spoil func(*observation)
		want  []string
	}{
		"nothing":                        {membership.Join, "", "a", nil, nil},
		"in whatever state":              {membership.Join, "", "a", status("ERROR", "rebooting"), nil},
		"deleted":                        {membership.Join, "", "a", status("SOFT_DELETED", ""), []string{codeServerStatus}},
		"being deleted":                  {membership.Join, "", "a", status("ACTIVE", "deleting"), []string{codeServerStatus}},
		"no server":                      {membership.Join, "", "a", func(o *observation) { clear(o.servers) }, []string{codeServerMissing}},
		"no group":                       {membership.Join, "", "a", func(o *observation) { o.addMissing = true }, []string{codeGroupMissing}},
		"neither":                        {membership.Join, "", "a", func(o *observation) { o.addMissing = true; clear(o.servers) }, []string{codeGroupMissing, codeServerMissing}},
		"no group to leave":              {membership.Join, "x", "a,x", func(o *observation) { o.dropMissing = true }, []string{codeGroupMissing}},
		"a swap":                         {membership.Join, "x", "x", nil, nil},
		"half a swap":                    {membership.Join, "x", "g,x", nil, nil},
		"a swap of what it is not in":    {membership.Join, "x", "a", nil, []string{membership.CodeNotInFrom}},
		"a leave":                        {membership.Leave, "", "a,g", nil, nil},
		"a leave of the last":            {membership.Leave, "", "g", nil, []string{codeLastGroup}},
		"a leave of what does not exist": {membership.Leave, "", "a,g", func(o *observation) { o.dropMissing = true }, []string{codeGroupMissing}},
	} {
		o := seen(c.op, c.from, strings.Split(c.in, ",")...)
		if c.spoil != nil {
			c.spoil(o)
		}
		check(name, o.Compile(request(), c.op).Members[0], c.want)
	}
}

func decisions(check kindtest.Decided) {
	act := func(a string) membership.Decision { return membership.Act(a, "") }
	fail := func(c string) membership.Decision { return membership.Fail(c, "") }
	next, wait := membership.Next(), membership.Wait("")
	gone := func(o *observation) { clear(o.servers) }
	for name, c := range map[string]struct {
		op     membership.Operation
		from   string
		before string
		in     string
		stage  string
		undo   bool
		spoil  func(*observation)
		want   membership.Decision
	}{
		"adds":                        {membership.Join, "", "a", "a", stageAdd, false, nil, act(actAdd)},
		"not twice":                   {membership.Join, "", "a", "a,g", stageAdd, false, nil, next},
		"a server that is gone":       {membership.Join, "", "a", "a", stageAdd, false, gone, fail(codeServerMissing)},
		"nothing to remove":           {membership.Join, "", "a", "a,g", stageRemove, false, nil, next},
		"sees it":                     {membership.Join, "", "a", "a,g", stageVerify, false, nil, next},
		"does not see it":             {membership.Join, "", "a", "a", stageVerify, false, nil, wait},
		"leaves the other behind":     {membership.Join, "x", "x", "g,x", stageRemove, false, nil, act(actRemove)},
		"not before it is in":         {membership.Join, "x", "x", "x", stageRemove, false, nil, wait},
		"a swap is not done":          {membership.Join, "x", "x", "g,x", stageVerify, false, nil, wait},
		"a swap is done":              {membership.Join, "x", "x", "g", stageVerify, false, nil, next},
		"leaves":                      {membership.Leave, "", "a,g", "a,g", stageRemove, false, nil, act(actRemove)},
		"not into nothing":            {membership.Leave, "", "a,g", "g", stageRemove, false, nil, fail(codeLastGroup)},
		"nothing to add":              {membership.Leave, "", "a,g", "a,g", stageAdd, false, nil, next},
		"has left":                    {membership.Leave, "", "a,g", "a", stageVerify, false, nil, next},
		"undoes the add":              {membership.Join, "", "a", "a,g", stageAdd, true, nil, act(actTakeOut)},
		"an add that never was":       {membership.Join, "", "a", "a", stageAdd, true, nil, next},
		"nor of who was in":           {membership.Join, "x", "g,x", "g,x", stageAdd, true, nil, next},
		"nor of who is gone":          {membership.Join, "", "a", "a", stageAdd, true, gone, next},
		"nor into nothing":            {membership.Join, "", "a", "g", stageAdd, true, nil, fail(codeLastGroup)},
		"undoes the removal":          {membership.Join, "x", "x", "g", stageRemove, true, nil, act(actPutBack)},
		"a removal that never was":    {membership.Join, "x", "x", "g,x", stageRemove, true, nil, next},
		"nor of who was out":          {membership.Join, "x", "g", "g", stageRemove, true, nil, next},
		"nor where none was asked":    {membership.Join, "", "", "g", stageRemove, true, nil, next},
		"undoes a leave":              {membership.Leave, "", "a,g", "a", stageRemove, true, nil, act(actPutBack)},
		"a stage of another version":  {membership.Join, "", "a", "a", "", false, nil, membership.Park(membership.CodeEngine, "")},
		"the undo of another version": {membership.Join, "", "a", "a", "", true, nil, membership.Park(membership.CodeEngine, "")},
	} {
		o := seen(c.op, c.from, strings.Split(c.in, ",")...)
		if c.spoil != nil {
			c.spoil(o)
		}
		check(name, o.Decide(membership.Moment{Member: &membership.Member{ID: "s", Before: map[string]string{factGroups: c.before}},
			Stage: &membership.Stage{Name: c.stage}, Undo: c.undo}), c.want)
	}
}

func TestTables(t *testing.T) { kindtest.RunTables(t, Kind{}, refusals, decisions) }

func TestCompileRemembersHowThingsWere(t *testing.T) {
	p := seen(membership.Join, "", "b", "a").Compile(request(), membership.Join)
	require.Equal(t, membership.Member{ID: "s", Name: "web-1", Before: map[string]string{membership.FactPower: membership.PowerOn,
		factGroups: "a,b"}}, p.Members[0])
	require.Empty(t, p.Warnings)
	p = seen(membership.Join, "", "a", "b", "c", "d", "e").Compile(request(), membership.Join)
	require.Equal(t, []string{"1 server would be in more than 5 groups, which the vendor advises against: the rules of all are checked"}, p.Warnings)
	require.True(t, p.Members[0].Due())
}

func TestWhoIsThereAlready(t *testing.T) {
	for in, o := range map[string]*observation{
		"joined":  seen(membership.Join, "", "a", "g"),
		"swapped": seen(membership.Join, "x", "g"),
		"left":    seen(membership.Leave, "", "a"),
	} {
		require.True(t, o.Compile(request(), o.operation).Members[0].Already, in)
	}
}

func TestTheGroupThatIsLeft(t *testing.T) {
	const a, b = "0121a35e-610c-4127-889d-38d125ad6181", "19ce0608-03b8-450c-9091-8913fe7843b1"
	r := membership.Request{Kind: ID, Account: "demo", Group: a, Members: []string{b}, From: b}
	require.Empty(t, membership.Validate(Kind{}, r))
	for from, want := range map[string]string{
		"web": `from: "web": ` + huawei.WantUUID,
		a:     `from: "` + a + `": is the group itself; want another one`,
	} {
		r.From = from
		require.ErrorContains(t, membership.Bad(membership.Validate(Kind{}, r)), want)
	}
}
