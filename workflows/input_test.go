package workflows_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

func TestBadInputEndsARunBeforeAnythingIsTouched(t *testing.T) {
	request := func(change func(map[string]any)) map[string]any {
		r := map[string]any{"kind": "toy.group", "account": "demo", "group": "g-1", "members": []string{"i-1"}}
		change(r)
		return r
	}
	for name, c := range map[string]struct {
		input any
		words []string
	}{
		"nothing":           {nil, []string{"plan", "want an object"}},
		"a string":          {"join", []string{"plan", "a JSON string"}},
		"a list":            {[]int{1}, []string{"plan", "a JSON array"}},
		"no kind":           {request(func(r map[string]any) { delete(r, "kind") }), []string{"kind: is missing"}},
		"no account":        {request(func(r map[string]any) { r["account"] = "" }), []string{"account: is missing"}},
		"no group":          {request(func(r map[string]any) { delete(r, "group") }), []string{"group: is missing"}},
		"no members":        {request(func(r map[string]any) { r["members"] = []string{} }), []string{"members: is empty"}},
		"twice the same":    {request(func(r map[string]any) { r["members"] = []string{"i-1", "i-2", "i-1"} }), []string{"members[2]", "members[0]"}},
		"a slash":           {request(func(r map[string]any) { r["members"] = []string{"i-1/../x"} }), []string{"members[0]", `"i-1/../x"`}},
		"a blank":           {request(func(r map[string]any) { r["group"] = "g 1" }), []string{"group", `"g 1"`}},
		"a control char":    {request(func(r map[string]any) { r["group"] = "g\x001" }), []string{"group", `\x00`}},
		"a megabyte":        {request(func(r map[string]any) { r["group"] = strings.Repeat("g", 1<<20) }), []string{"group", "1048576 bytes"}},
		"a field nobody":    {request(func(r map[string]any) { r["grupo"] = "x" }), []string{"grupo", "is not a field"}},
		"members a string":  {request(func(r map[string]any) { r["members"] = "i-1" }), []string{"members", "a JSON string"}},
		"several at a time": {map[string]any{"kind": "?", "members": []string{""}}, []string{"kind", "account", "group", "members[0]"}},
	} {
		for _, wf := range []string{workflows.TypeJoin, workflows.TypeLeave} {
			t.Run(name+"/"+wf, func(t *testing.T) {
				b := newBench(t, some(1), func(context.Context, membership.SliceInput) (membership.Slice, error) {
					t.Error("a slice ran")
					return membership.Slice{}, nil
				})
				b.ExecuteWorkflow(wf, c.input)
				var app *temporal.ApplicationError
				require.ErrorAs(t, b.GetWorkflowError(), &app)
				require.Equal(t, workflows.ErrBadInput, app.Type())
				require.True(t, app.NonRetryable())
				for _, w := range c.words {
					require.Contains(t, app.Message(), w)
				}
				require.Less(t, len(app.Message()), 4000)
				var problems []membership.Problem
				require.NoError(t, app.Details(&problems))
				require.NotEmpty(t, problems)
			})
		}
	}
}

func TestJoinAndLeaveAreOfOneStep(t *testing.T) {
	for words, plan := range map[string]fleet.Plan{
		`steps: 1 steps: want the fields of a single step, whose members leave`: {Steps: []fleet.Step{{Kind: "toy.group", Account: "demo",
			Group: "g-1", Members: []string{"i-1"}}}},
		`operation: "join": want "leave", or leave it out`: {Step: fleet.Step{Operation: membership.Join, Kind: "toy.group", Account: "demo",
			Group: "g-1", Members: []string{"i-1"}}},
	} {
		b := newBench(t, some(1), nil)
		b.ExecuteWorkflow(workflows.TypeLeave, plan)
		require.ErrorContains(t, b.GetWorkflowError(), words)
	}
}
