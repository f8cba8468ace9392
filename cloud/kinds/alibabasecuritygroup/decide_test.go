package alibabasecuritygroup

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// scene is an observation of one member.
type scene struct {
	groups  string // that the member is in
	before  string // that it was in
	from    string // what is swapped
	gone    bool
	noGroup bool
	unready bool
	locked  bool
	leave   bool
}

func split(groups string) []string {
	if groups == "" {
		return nil
	}
	return strings.Split(groups, ",")
}

func (s scene) observation() *observation {
	o := &observation{target: membership.Target{Operation: membership.Join, Group: "new", From: s.from}, params: params{maxGroups: 5},
		groups: map[string]alibaba.SecurityGroup{"new": {ID: "new"}}, members: map[string]subject{}}
	if s.leave {
		o.target.Operation = membership.Leave
	}
	if s.noGroup {
		clear(o.groups)
	}
	if !s.gone {
		o.members["i-one"] = subject{id: "i-one", status: "?", ready: !s.unready, locked: s.locked, groups: split(s.groups)}
	}
	return o
}

func (s scene) moment(stage string, undo bool) membership.Moment {
	op := membership.Join
	if s.leave {
		op = membership.Leave
	}
	stages := Kind{}.Spec().Stages[op]
	at := slices.IndexFunc(stages, func(s membership.Stage) bool { return s.Name == stage })
	return membership.Moment{Member: &membership.Member{ID: "i-one", Before: map[string]string{factGroups: s.before}},
		Stage: &stages[at], Undo: undo}
}

func decisions(check kindtest.Decided) {
	next, wait := membership.Next(), membership.Wait("")
	act := func(a string) membership.Decision { return membership.Act(a, "") }
	fail := func(c string) membership.Decision { return membership.Fail(c, "") }
	for name, c := range map[string]struct {
		stage string
		undo  bool
		scene scene
		want  membership.Decision
	}{
		"join":                                {stageJoin, false, scene{groups: "a"}, act(actJoin)},
		"not twice":                           {stageJoin, false, scene{groups: "a,new"}, next},
		"not twice, though not ready":         {stageJoin, false, scene{groups: "a,new", unready: true, locked: true, noGroup: true}, next},
		"not while it starts":                 {stageJoin, false, scene{groups: "a", unready: true}, wait},
		"not what is locked":                  {stageJoin, false, scene{groups: "a", locked: true}, fail(codeMemberLocked)},
		"not without a group":                 {stageJoin, false, scene{groups: "a", noGroup: true}, fail(codeGroupMissing)},
		"not what is gone":                    {stageJoin, false, scene{gone: true}, fail(codeMemberMissing)},
		"swap":                                {stageJoin, false, scene{groups: "a,b", from: "a"}, act(actJoin)},
		"swap what has joined":                {stageJoin, false, scene{groups: "a,new", from: "a"}, act(actJoin)},
		"swap what has left":                  {stageJoin, false, scene{groups: "b", from: "a"}, act(actJoin)},
		"swapped":                             {stageJoin, false, scene{groups: "b,new", from: "a"}, next},
		"verified":                            {stageVerify, false, scene{groups: "a,new"}, next},
		"not seen yet":                        {stageVerify, false, scene{groups: "a"}, wait},
		"not seen to have left":               {stageVerify, false, scene{groups: "a,new", from: "a"}, wait},
		"gone at last":                        {stageVerify, false, scene{gone: true}, fail(codeMemberMissing)},
		"undo":                                {stageJoin, true, scene{groups: "a,new", before: "a"}, act(actRestore)},
		"undo nothing":                        {stageJoin, true, scene{groups: "a", before: "a"}, next},
		"undo nothing, though others came":    {stageJoin, true, scene{groups: "a,x", before: "a"}, next},
		"undo nothing, though others went":    {stageJoin, true, scene{groups: "a", before: "a,b"}, next},
		"undo what is gone":                   {stageJoin, true, scene{gone: true, before: "a"}, next},
		"undo when it is ready":               {stageJoin, true, scene{groups: "a,new", before: "a", unready: true}, wait},
		"undo with no other group left":       {stageJoin, true, scene{groups: "new", before: "a"}, fail(codeLastGroup)},
		"undo a swap":                         {stageJoin, true, scene{groups: "b,new", before: "a,b", from: "a"}, act(actRestore)},
		"undo a swap of the only group":       {stageJoin, true, scene{groups: "new", before: "a", from: "a"}, act(actRestore)},
		"undo a swap that never was":          {stageJoin, true, scene{groups: "a,b", before: "a,b", from: "a"}, next},
		"undo a swap of who had joined":       {stageJoin, true, scene{groups: "new", before: "a,new", from: "a"}, act(actRestore)},
		"undo a swap that was nothing":        {stageJoin, true, scene{groups: "a,new", before: "a,new", from: "a"}, next},
		"undo a swap that somebody undid":     {stageJoin, true, scene{groups: "b", before: "a,b", from: "a"}, fail(codeChanged)},
		"undo a swap, and from is back":       {stageJoin, true, scene{groups: "a,new", before: "a", from: "a"}, act(actRestore)},
		"leave":                               {stageLeave, false, scene{leave: true, groups: "a,new"}, act(actLeave)},
		"left":                                {stageLeave, false, scene{leave: true, groups: "a"}, next},
		"left, not back in the other":         {stageLeave, false, scene{leave: true, groups: "a", from: "b"}, next},
		"not the last one":                    {stageLeave, false, scene{leave: true, groups: "new"}, fail(codeLastGroup)},
		"not what starts":                     {stageLeave, false, scene{leave: true, groups: "a,new", unready: true}, wait},
		"seen to have left":                   {stageVerify, false, scene{leave: true, groups: "a"}, next},
		"still seen in it":                    {stageVerify, false, scene{leave: true, groups: "a,new"}, wait},
		"undo a leave":                        {stageLeave, true, scene{leave: true, groups: "a", before: "a,new"}, act(actRestore)},
		"undo a leave that never was":         {stageLeave, true, scene{leave: true, groups: "a,new", before: "a,new"}, next},
		"undo a leave though the group is no": {stageLeave, true, scene{leave: true, groups: "a,new", before: "a,new", noGroup: true}, next},
	} {
		check(name, c.scene.observation().Decide(c.scene.moment(c.stage, c.undo)), c.want)
	}
}

func TestAStageOfAnotherVersionIsForAPerson(t *testing.T) {
	m := scene{}.moment(stageJoin, false)
	m.Stage = &membership.Stage{Name: "detach"}
	d := scene{groups: "a"}.observation().Decide(m)
	require.Equal(t, membership.DoPark, d.Verb)
	require.Equal(t, membership.CodeEngine, d.Code)
}

// Whatever is observed, Decide does nothing that could hurt, and what it asks for touches no group but those of the run.
func TestDecideNeverHurts(t *testing.T) {
	spec := Kind{}.Spec()
	codes := make(map[string]bool)
	for _, o := range append(spec.Failures, membership.EngineFailures()...) {
		codes[o.Code] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		sets := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "new", "x"}), rapid.ID)
		s := scene{
			groups: strings.Join(sets.Draw(t, "groups"), ","), before: strings.Join(sets.Draw(t, "before"), ","),
			from: rapid.SampledFrom([]string{"", "a"}).Draw(t, "from"), gone: rapid.Bool().Draw(t, "gone"),
			noGroup: rapid.Bool().Draw(t, "noGroup"), unready: rapid.Bool().Draw(t, "unready"),
			locked: rapid.Bool().Draw(t, "locked"), leave: rapid.Bool().Draw(t, "leave"),
		}
		o := s.observation()
		stage := rapid.SampledFrom(spec.Stages[o.target.Operation]).Draw(t, "stage")
		undo := stage.Undo != "" && rapid.Bool().Draw(t, "undo")
		m := s.moment(stage.Name, undo)
		d := o.Decide(m)
		switch d.Verb {
		case membership.DoFail, membership.DoPark:
			if !codes[d.Code] {
				t.Fatalf("%q is not a documented code", d.Code)
			}
		case membership.DoAct:
			c := o.change()
			if undo {
				c = c.undo(groupsBefore(m.Member))
			}
			now := split(s.groups)
			after := c.of(now)
			_, documented := spec.Actions[d.Action]
			switch {
			case !documented:
				t.Fatalf("%q is not an action", d.Action)
			case undo != (d.Action == actRestore):
				t.Fatalf("%s, undo %v", d.Action, undo)
			case s.gone || s.unready || len(after) == 0 || slices.Equal(slices.Sorted(slices.Values(now)), slices.Sorted(slices.Values(after))):
				t.Fatalf("%s of %+v: %v", d.Action, s, after)
			case !undo && (s.locked || s.noGroup):
				t.Fatalf("%s of %+v", d.Action, s)
			}
			if foreign := others(now, s.from); !maps.Equal(foreign, others(after, s.from)) {
				t.Fatalf("%s of %+v: %v", d.Action, s, after)
			}
			for _, g := range after { // an undo brings nothing that was not there before
				if undo && !slices.Contains(now, g) && !slices.Contains(split(s.before), g) {
					t.Fatalf("%s puts it into %s: %+v", d.Action, g, s)
				}
			}
		}
	})
}

// others are the groups that are none of the run's.
func others(groups []string, from string) map[string]bool {
	set := make(map[string]bool)
	for _, g := range groups {
		if g != "new" && g != from {
			set[g] = true
		}
	}
	return set
}

// Doing something and undoing it comes to what was before, whoever else has put the member into another group meanwhile.
func TestUndoRestores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "new"}), 1, 3, rapid.ID).Draw(t, "before")
		target := membership.Target{Group: "new",
			Operation: rapid.SampledFrom([]membership.Operation{membership.Join, membership.Leave}).Draw(t, "operation")}
		if target.Operation == membership.Join {
			target.From = rapid.SampledFrom([]string{"", "a"}).Draw(t, "from")
		}
		c := changeOf(target)
		done := c.of(before)
		if !c.done(done) {
			t.Fatalf("%v of %v is %v", c, before, done)
		}
		back := c.undo(before).of(append(done, "meanwhile"))
		want := append(slices.Clone(before), "meanwhile")
		if !slices.Equal(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(back))) {
			t.Fatalf("%v of %v, undone: %v", c, before, back)
		}
	})
}
