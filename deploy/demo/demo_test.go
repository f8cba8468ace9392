package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestEveryKindHasADemo(t *testing.T) {
	_, err := find("nebula.star")
	require.ErrorContains(t, err, `there is no demo of "nebula.star"; there is one of each of `)
	for _, d := range demos(t) {
		require.ErrorContains(t, err, d.kind)
		require.NotEmpty(t, d.moves)
	}
	require.ErrorContains(t, run(t.Context(), []string{"nebula.star"}), "nebula.star")
	require.ErrorContains(t, run(t.Context(), []string{"a", "b"}), "one kind")
}

func demos(t *testing.T) (all []demo) {
	for _, k := range kinds.All(kinds.Clouds{}) {
		d, err := find(k.Spec().ID)
		require.NoError(t, err)
		all = append(all, d)
	}
	return all
}

// What a move asks for is a request that its kind takes, for a page of members or most of one.
func TestMovesAskForWhatTheKindTakes(t *testing.T) {
	names := map[string]bool{}
	for _, d := range demos(t) {
		w, err := world.Parse(d.world)
		require.NoError(t, err, d.kind)
		w = w.Complete()
		total := 0
		for _, m := range d.moves {
			require.False(t, names[m.Name], "%s: runs of two moves would be confused", m.Name)
			names[m.Name] = true
			text, members := d.request(w, m)
			data, err := yaml.YAMLToJSONStrict(text)
			require.NoError(t, err)
			p, err := fleet.ParsePlan(data)
			require.NoError(t, err)
			r := membership.Request{Kind: p.Kind, Account: p.Account, Group: p.Group, From: p.From, Members: p.Members, Params: p.Params}
			require.Equal(t, r.Members, members)
			k, err := membership.Find(kinds.All(kinds.Clouds{}), r.Kind)
			require.NoError(t, err)
			require.Empty(t, membership.Validate(k, r))
			require.Equal(t, "demo", r.Account)
			if d.spec().Destructive == "always" {
				require.True(t, m.Wipes)
			} else if d.spec().Destructive == "" {
				require.False(t, m.Wipes)
			}
			total += len(members)
		}
		require.GreaterOrEqual(t, total, 100, d.kind)
	}
}

func TestTheJudgeBelievesNoReport(t *testing.T) {
	d := demo{kind: "huawei.servergroup"}
	server := func(id, status, group string, systems int) world.Server {
		return world.Server{ID: id, Name: id, Status: status, Group: group, OSGeneration: systems}
	}
	for name, c := range map[string]struct {
		outcome       membership.Outcome
		wipes         bool
		before, after world.Server
		want          string
	}{
		"joined":               {membership.Joined, false, server("a", "ACTIVE", "", 1), server("a", "ACTIVE", "g", 1), ""},
		"already":              {membership.Already, true, server("a", "ACTIVE", "g", 1), server("a", "ACTIVE", "g", 1), ""},
		"wiped":                {membership.Joined, true, server("a", "ACTIVE", "", 1), server("a", "ACTIVE", "g", 2), ""},
		"back":                 {membership.RolledBack, true, server("a", "ACTIVE", "", 1), server("a", "ACTIVE", "", 3), ""},
		"not joined":           {membership.Joined, false, server("a", "ACTIVE", "", 1), server("a", "ACTIVE", "", 1), "a, which the report calls joined, is in the group: false"},
		"joined in secret":     {membership.Refused, false, server("a", "ACTIVE", "", 1), server("a", "ACTIVE", "g", 1), "a, which the report calls refused, is in the group: true"},
		"left off":             {membership.Joined, false, server("a", "ACTIVE", "", 1), server("a", "SHUTOFF", "g", 1), "was ACTIVE and is SHUTOFF"},
		"wiped twice":          {membership.Joined, true, server("a", "ACTIVE", "", 1), server("a", "ACTIVE", "g", 3), "had its system installed 2 times and not 1"},
		"wiped for nothing":    {membership.Refused, true, server("a", "ACTIVE", "", 1), server("a", "ACTIVE", "", 2), "had its system installed 1 times and not 0"},
		"wiped by a mere join": {membership.Joined, false, server("a", "ACTIVE", "", 1), server("a", "ACTIVE", "g", 2), "had its system installed 1 times and not 0"},
		"wiped, then not":      {membership.RolledBack, false, server("a", "ACTIVE", "", 1), server("a", "ACTIVE", "", 2), "had its system installed 1 times and not 0"},
		"forgotten":            {"", false, server("a", "ACTIVE", "", 1), server("a", "ACTIVE", "g", 1), "is in the group: true"},
	} {
		r := membership.Report{Members: []membership.MemberReport{{ID: "a", Outcome: c.outcome}}}
		before, after := world.World{}, world.World{}
		before.Huawei.Servers, after.Huawei.Servers = []world.Server{c.before}, []world.Server{c.after}
		findings := judge(io.Discard, d, move{Group: "g", Wipes: c.wipes}, before, after, r, []string{"a"})
		if c.want == "" {
			require.Empty(t, findings, name)
			continue
		}
		require.Len(t, findings, 1, name)
		require.Contains(t, findings[0], c.want, name)
	}
}
