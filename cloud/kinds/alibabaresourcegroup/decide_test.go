package alibabaresourcegroup

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func moment(op membership.Operation, stage string, undo bool, before string) membership.Moment {
	stages := Kind{}.Spec().Stages[op]
	at := slices.IndexFunc(stages, func(s membership.Stage) bool { return s.Name == stage })
	return membership.Moment{Member: &membership.Member{ID: "d-1", Before: map[string]string{factGroup: before}},
		Stage: &stages[at], Undo: undo}
}

// In these scenes a join goes from rg-0 to rg-1, and a leave from rg-1 to rg-2.
func decisions(check kindtest.Decided) {
	const join, leave = membership.Join, membership.Leave
	next, wait := membership.Next(), membership.Wait("")
	act := func(a string) membership.Decision { return membership.Act(a, "") }
	fail := func(c string) membership.Decision { return membership.Fail(c, "") }
	as := func(*observation) {}
	in := func(group string) func(*observation) { return func(o *observation) { o.groups["d-1"] = group } }
	gone := func(o *observation) { delete(o.groups, "d-1") }
	inTurn := func(o *observation) { gone(o); o.waiting = map[string]bool{"d-1": true} }
	status := func(whole, there string) func(*observation) {
		return func(o *observation) { o.goal.Status, o.goal.Regions[here] = whole, there }
	}
	for name, c := range map[string]struct {
		op    membership.Operation
		stage string
		undo  bool
		scene func(*observation)
		want  membership.Decision
	}{
		"join":                                  {join, stageJoin, false, as, act(actJoin)},
		"not what is in":                        {join, stageJoin, false, in("rg-1"), next},
		"not what is gone":                      {join, stageJoin, false, gone, fail(codeResourceMissing)},
		"not what nobody looked at":             {join, stageJoin, false, inTurn, wait},
		"not what is nobody knows where":        {join, stageJoin, false, in(""), wait},
		"not what somebody moved":               {join, stageJoin, false, in("rg-7"), fail(codeMoved)},
		"not without a group":                   {join, stageJoin, false, func(o *observation) { o.goal.missing = true }, fail(codeGroupMissing)},
		"not into a group in the making":        {join, stageJoin, false, status(statusCreating, statusCreating), wait},
		"not into a group in the making here":   {join, stageJoin, false, status(statusOK, statusCreating), wait},
		"not into a group that goes":            {join, stageJoin, false, status("PendingDelete", statusOK), fail(codeGroupStatus)},
		"not into a group that goes here":       {join, stageJoin, false, status(statusOK, "Deleting"), fail(codeGroupRegion)},
		"in, though the group goes":             {join, stageJoin, false, func(o *observation) { in("rg-1")(o); o.goal.missing = true }, next},
		"verified":                              {join, stageVerify, false, in("rg-1"), next},
		"not seen in the group yet":             {join, stageVerify, false, as, wait},
		"verify what is nobody knows where":     {join, stageVerify, false, in(""), wait},
		"verify what nobody looked at":          {join, stageVerify, false, inTurn, wait},
		"verify what somebody moved":            {join, stageVerify, false, in("rg-7"), fail(codeMoved)},
		"verify what is gone":                   {join, stageVerify, false, gone, fail(codeResourceMissing)},
		"undo the join":                         {join, stageJoin, true, in("rg-1"), act(actPutBack)},
		"undo, though the group goes":           {join, stageJoin, true, func(o *observation) { in("rg-1")(o); status("PendingDelete", "")(o) }, act(actPutBack)},
		"undo no join":                          {join, stageJoin, true, as, next},
		"undo the join of what somebody moved":  {join, stageJoin, true, in("rg-7"), next},
		"undo the join of what is gone":         {join, stageJoin, true, gone, next},
		"undo the join of what nobody sees":     {join, stageJoin, true, inTurn, wait},
		"undo the join of what is hidden":       {join, stageJoin, true, in(""), wait},
		"leave":                                 {leave, stageLeave, false, as, act(actLeave)},
		"not what has left":                     {leave, stageLeave, false, in("rg-2"), next},
		"not what has left for somewhere else":  {leave, stageLeave, false, in("rg-7"), next},
		"not for nowhere":                       {leave, stageLeave, false, func(o *observation) { o.goal.missing = true }, fail(codeGroupMissing)},
		"not for a group that goes":             {leave, stageLeave, false, status("PendingDelete", statusOK), fail(codeGroupStatus)},
		"has left":                              {leave, stageVerify, false, in("rg-2"), next},
		"still seen in the group":               {leave, stageVerify, false, as, wait},
		"undo the leave":                        {leave, stageLeave, true, in("rg-2"), act(actPutBack)},
		"undo no leave":                         {leave, stageLeave, true, as, next},
		"undo the leave of what somebody moved": {leave, stageLeave, true, in("rg-7"), next},
	} {
		o := healthy(c.op)
		c.scene(o)
		before := "rg-0"
		if c.op == leave {
			before = "rg-1"
		}
		check(name, o.Decide(moment(c.op, c.stage, c.undo, before)), c.want)
	}
}

// A run that another version planned may have stages that this one does not know.
func TestDecideParksAtStagesOfOtherVersions(t *testing.T) {
	for _, stage := range []membership.Stage{{Name: "tag"}, {Name: "tag", Undo: "untags it"}} {
		for _, undo := range []bool{false, true} {
			m := moment(membership.Join, stageJoin, undo, "rg-0")
			m.Stage = &stage
			d := healthy(membership.Join).Decide(m)
			require.Equal(t, membership.DoPark, d.Verb)
			require.Equal(t, membership.CodeEngine, d.Code)
		}
	}
	require.Equal(t, membership.DoPark, healthy(membership.Join).Decide(moment(membership.Join, stageVerify, true, "rg-0")).Verb)
}

// Whatever is observed, Decide moves nothing that it does not know the way back for, and nothing that somebody else moved.
func TestDecideNeverHurts(t *testing.T) {
	spec := Kind{}.Spec()
	codes := make(map[string]bool)
	for _, o := range append(spec.Failures, membership.EngineFailures()...) {
		codes[o.Code] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom([]membership.Operation{membership.Join, membership.Leave}).Draw(t, "operation")
		stage := rapid.SampledFrom(spec.Stages[op]).Draw(t, "stage")
		statuses := rapid.SampledFrom([]string{statusOK, statusCreating, "PendingDelete", "Deleting", ""})
		o := healthy(op)
		o.goal.missing = rapid.Bool().Draw(t, "no group")
		o.goal.Status = statuses.Draw(t, "status")
		o.goal.Regions = map[string]string{rapid.SampledFrom([]string{here, "cn-beijing"}).Draw(t, "region"): statuses.Draw(t, "there")}
		current := rapid.SampledFrom([]string{"", "rg-0", "rg-1", "rg-2", "rg-7"}).Draw(t, "current")
		before := "rg-0"
		if op == membership.Leave {
			before = "rg-1"
		}
		o.groups["d-1"] = current
		gone := rapid.Bool().Draw(t, "gone")
		if gone {
			delete(o.groups, "d-1")
		}
		waiting := rapid.Bool().Draw(t, "waiting")
		if waiting {
			o.waiting = map[string]bool{"d-1": true}
		}
		m := moment(op, stage.Name, stage.Undo != "" && rapid.Bool().Draw(t, "undo"), before)
		m.In = time.Duration(rapid.IntRange(0, 3600).Draw(t, "in")) * time.Second
		m.Sends = rapid.IntRange(0, 3).Draw(t, "sends")
		switch d := o.Decide(m); d.Verb {
		case membership.DoFail, membership.DoPark:
			if !codes[d.Code] {
				t.Fatalf("%q is not a documented code", d.Code)
			}
		case membership.DoNext:
			if waiting {
				t.Fatalf("settled unseen")
			}
			if !m.Undo && (gone || current == before || current == "") {
				t.Fatalf("%s holds for what is in %q", stage.Name, current)
			}
		case membership.DoAct:
			_, known := spec.Actions[d.Action]
			troubles, _ := o.goal.objections(o.region)
			switch {
			case !known:
				t.Fatalf("%q is not an action", d.Action)
			case gone, waiting, current == "":
				t.Fatalf("%s of what is nobody knows where", d.Action)
			case stage.Name == stageVerify:
				t.Fatalf("verifying writes")
			case m.Undo != (d.Action == actPutBack):
				t.Fatalf("%s, undo %v", d.Action, m.Undo)
			case m.Undo && current != o.goal.ID:
				t.Fatalf("put back from %s, where we never put it", current)
			case !m.Undo && (current != before || len(troubles) > 0):
				t.Fatalf("%s from %s, %v", d.Action, current, troubles)
			}
		}
	})
}
