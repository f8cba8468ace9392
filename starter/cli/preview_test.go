package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// previewed is what a plan of two steps might come to.
func previewed() fleet.Preview {
	opens := time.Date(2026, 11, 21, 22, 0, 0, 0, time.Local)
	two := fleet.Foreseen{Members: 2, Due: 2}
	three := fleet.Foreseen{Members: 3, Due: 1, Already: 1, Refused: 1}
	all := fleet.Foreseen{Members: 5, Due: 3, Already: 1, Refused: 1}
	join := fleet.PreviewStep{Operation: membership.Join, Kind: "huawei.nodepool", Account: "demo", Foreseen: all,
		Groups:    []fleet.PreviewGroup{{Group: "pool-1", Foreseen: two}, {Group: "pool-2", Foreseen: three}},
		AllGroups: 2,
		Waves: []fleet.PreviewWave{{Name: "canary", Foreseen: two, Pages: []fleet.PreviewPage{{Group: "pool-1", Sight: "one"}}},
			{Name: "wave 1", Foreseen: three, Pages: []fleet.PreviewPage{{Group: "pool-2", Sight: "two"}}}},
		Refusals: []fleet.Refusal{{Code: "server-locked", Members: 12, Examples: []fleet.Example{{Member: "web-5", Reason: "it is locked\x1b[2J"},
			{Member: "web-6", Reason: "it is locked"}}}},
		Destructive: true, Warnings: []string{"disks are wiped"}, Budget: "0 of 1 failures allowed (5% of 5 members)",
		Gate: &membership.Gate{Quorum: 2, Requester: "ann", Timeout: membership.Duration(8 * time.Hour)}, EachWave: true}
	leave := fleet.PreviewStep{Operation: membership.Leave, Kind: "huawei.servergroup", Account: "demo", Foreseen: two, AllGroups: 25,
		Waves: []fleet.PreviewWave{{Name: "wave 1", Foreseen: two}}}
	for i := range 25 {
		leave.Groups = append(leave.Groups, fleet.PreviewGroup{Group: fmt.Sprintf("g-%d", i)})
	}
	join.Waves[0].DurationSeconds, join.Waves[1].DurationSeconds = 250, 3725
	join.Expected = &fleet.Expected{DurationSeconds: 4575, SoakSeconds: 600, Downtime: &fleet.Downtime{Members: 3, SecondsEach: 242},
		Calls: []fleet.APICalls{
			{API: "AddNodesToNodePool", Writes: 2, WritesAtMost: 3, Limit: "CCE writes", LimitPerSecond: 1. / 6, LimitShare: 0.003},
			{API: "AddServerGroupMember", Writes: 3, WritesAtMost: 3, Limit: "AddServerGroupMember", LimitPerSecond: 200},
			{API: "ListNodes", Reads: 1200, Limit: "ListNodes", LimitPerSecond: 200, LimitShare: 0.124}}}
	leave.Waves[0].DurationSeconds, leave.Expected = 7, &fleet.Expected{DurationSeconds: 7}
	return fleet.Preview{Name: "two steps", DurationSeconds: 4582, Steps: []fleet.PreviewStep{join, leave},
		Openings: []fleet.Opening{{Opens: opens, Closes: opens.Add(6 * time.Hour)}, {Opens: opens.AddDate(0, 0, 1)}}}
}

// sights are those of the first step of previewed.
func sights(_ context.Context, key string) ([]byte, error) {
	seen, ok := map[string]fleet.Sight{
		"one": {Members: []membership.Member{{ID: "web-1", Name: "first", Before: map[string]string{"power": "on"}}, {ID: "web-2"}}},
		"two": {Members: []membership.Member{{ID: "web-3"}, {ID: "web-4", Already: true},
			{ID: "web-5", Refused: []membership.Objection{{Code: "server-locked", Reason: "it is locked"}, {Code: "not-kvm", Reason: "it is Xen"}}}}},
	}[key]
	if !ok {
		return nil, errors.New("blob " + key + " is not there")
	}
	return json.Marshal(seen)
}

func TestPreview(t *testing.T) {
	t.Parallel()
	f, out, _ := testFactory(t)
	printPreview(&f.Streams, previewed(), false)
	zone := time.Date(2026, 11, 21, 22, 0, 0, 0, time.Local).Format("Z07:00")
	golden(t, "fleetplan.golden", strings.ReplaceAll(out.String(), zone, "Z"))
	require.NotContains(t, out.String(), "\x1b[2J", "what the cloud says moves no cursor")
	require.NotContains(t, out.String(), "g-24 ")
	out.Reset()
	printPreview(&f.Streams, previewed(), true)
	require.Contains(t, out.String(), "g-24 ", "all groups")
}

func TestPreviewOfEveryMember(t *testing.T) {
	t.Parallel()
	f, out, _ := testFactory(t)
	require.NoError(t, tellSights(t.Context(), f, previewed(), sights))
	golden(t, "fleetplan-all.golden", out.String())

	out.Reset()
	f.JSON = true
	require.NoError(t, tellSights(t.Context(), f, previewed(), sights))
	var lines []sightLine
	for dec := json.NewDecoder(out); dec.More(); {
		var l sightLine
		require.NoError(t, dec.Decode(&l))
		lines = append(lines, l)
	}
	require.Len(t, lines, 2)
	require.Equal(t, sightLine{Step: 1, Wave: "wave 1", Group: "pool-2", Members: lines[1].Members}, lines[1])
	require.Equal(t, "web-3", lines[1].Members[0].ID)

	p := previewed()
	p.Steps[0].Waves[0].Pages[0].Sight = "none"
	require.ErrorContains(t, tellSights(t.Context(), f, p, sights), "blob none is not there")
	broken := func(context.Context, string) ([]byte, error) { return []byte("{"), nil }
	require.ErrorContains(t, tellSights(t.Context(), f, previewed(), broken), "blob one: unexpected end of JSON input")
}

// What only fleets know makes a file the plan of one.
func TestPlansOfFleets(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`{"kind": "huawei.servergroup", "account": "demo", "members": ["a"], "spread": {"groups": ["b"], "by": "rack"}}`:           `spread.by: "rack"`,
		`{"kind": "huawei.servergroup", "account": "demo", "group": "b", "targets": {"cloud": {}}}`:                                "targets.cloud: says too little",
		`{"kind": "huawei.servergroup", "account": "demo", "group": "b", "targets": {"cloud": {"tag": {"a": "b"}}}}`:               "tag: is not a field of a plan",
		`{"kind": "nope", "account": "demo", "group": "b", "targets": {"cloud": {"name": "*"}}}`:                                   `kind: "nope": is not a kind`,
		`{"kind": "huawei.servergroup", "account": "demo", "group": "b", "operation": "leave", "targets": {"cloud": {"in": "b"}}}`: "temporal.example:7233",
	} {
		f, _, errs := testFactory(t)
		f.In = strings.NewReader(text)
		require.NotEqual(t, ExitOK, run(t.Context(), f, []string{"plan", "-"}))
		require.Contains(t, errs.String(), says, text)
	}
	f, _, errs := testFactory(t)
	f.In = strings.NewReader(`{"kind": "huawei.servergroup", "account": "demo", "group": "b", "operation": "leave", "targets": {"cloud": {"in": "b"}}}`)
	require.Equal(t, ExitBadInput, run(t.Context(), f, []string{"plan", "--operation", "leave", "-"}))
	require.Contains(t, errs.String(), "says what the step does; use apply")
}
