package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func fleetWorld(t *testing.T) world.World {
	t.Helper()
	w, err := world.Parse(fleetFile("world"))
	require.NoError(t, err)
	return w.Complete()
}

// The plans are about members of the world that their kinds take, over both clouds, and one step destroys data.
func TestTheFleetsAskForWhatTheWorldHas(t *testing.T) {
	w := fleetWorld(t)
	accounts, err := account.Parse([]byte(accountsFor("http://127.0.0.1:1")), "accounts.yaml")
	require.NoError(t, err)
	var worldAccounts []string
	for _, a := range w.Accounts {
		worldAccounts = append(worldAccounts, a.Name)
	}
	require.ElementsMatch(t, worldAccounts, accounts.Names())

	used, providers, wiping := map[string]bool{}, map[string]bool{}, 0
	for _, run := range []string{shop, ledger} {
		_, err := os.Stat(filepath.Join("..", "..", path(run)))
		require.NoError(t, err, "the commands name it where it is")
		p, err := readPlan(run)
		require.NoError(t, err)
		for _, step := range p.StepList() {
			k, err := membership.Find(kinds.All(kinds.Clouds{}), step.Kind)
			require.NoError(t, err)
			members := chosen(w, step)
			require.Empty(t, membership.Validate(k, membership.Request{Kind: step.Kind, Account: step.Account, Group: step.Group,
				From: step.From, Members: members, Params: step.Params}))
			_, err = accounts.Get(step.Account)
			require.NoError(t, err)
			require.NotSubset(t, inGroup(w, step.Group), members, "%s: there would be nothing to do", step.Kind)
			used[step.Kind], providers[k.Spec().Provider] = true, true
			if k.Spec().Destructive == "always" {
				wiping++
			}
		}
	}
	require.GreaterOrEqual(t, len(used), 3)
	require.Len(t, providers, 2)
	require.Equal(t, 1, wiping, "one step has a gate")
	var faults []string
	for _, f := range w.Faults {
		faults = append(faults, f.ID)
	}
	require.Contains(t, faults, quotaFault)
}

func TestWhoIsChosen(t *testing.T) {
	var w world.World
	w.Huawei.Servers = []world.Server{
		{ID: "a", Tags: []string{"app=shop", "tier=web"}},
		{ID: "b", Tags: []string{"app=shop"}, Group: "g"},
		{ID: "c", Tags: []string{"app=shopping"}},
	}
	w.Alibaba.Instances = []world.Instance{{ID: "i", Tags: map[string]string{"app": "shop"}, SecurityGroups: []string{"sg"}}}
	tagged := func(kind, notIn string, tags map[string]string) fleet.Step {
		return fleet.Step{Kind: kind, Targets: &fleet.Targets{Cloud: &membership.Query{Tags: tags, NotIn: notIn}}}
	}
	app := map[string]string{"app": "shop"}
	require.Equal(t, []string{"a", "b"}, chosen(w, tagged("huawei.servergroup", "", app)))
	require.Equal(t, []string{"a"}, chosen(w, tagged("huawei.servergroup", "g", app)))
	require.Equal(t, []string{"a"}, chosen(w, tagged("huawei.servergroup", "", map[string]string{"app": "shop", "tier": "web"})))
	require.Equal(t, []string{"i"}, chosen(w, tagged("alibaba.securitygroup", "", app)))
	require.Empty(t, chosen(w, tagged("alibaba.securitygroup", "sg", app)))
	require.Equal(t, []string{"x"}, chosen(w, fleet.Step{Members: []string{"x"}}))
}

// Every judge of fleets is silent when all is well, and speaks when it is not.
func TestTheJudgesOfFleets(t *testing.T) {
	servers := func(a, b world.Server) (w world.World) {
		a.ID, a.Name, b.ID, b.Name = "a", "a", "b", "b"
		w.Huawei.Servers = []world.Server{a, b}
		return w
	}
	on, off := world.Server{Status: "ACTIVE"}, world.Server{Status: "SHUTOFF"}
	before := servers(on, on)
	write := func(action, id, fault string) journal.Entry {
		e := journal.Entry{Action: action, Servers: []string{id}, Group: "g", Write: true, Effect: journal.Changed, Fault: fault}
		if fault == "timeout" {
			e.Lost = true
		}
		return e
	}
	turnedAway := []journal.Entry{write("AddServerGroupMember", "a", "status")}
	add, wiped, unanswered := write("AddServerGroupMember", "a", ""), write(wiping, "a", ""), write(wiping, "b", "timeout")
	read := journal.Entry{Action: "ListServersDetails", Servers: []string{"a", "b"}}
	step := fleet.Step{Kind: "huawei.servergroup", Group: "g"}
	members := []string{"a", "b"}
	for name, c := range map[string]struct {
		findings []string
		want     string // "" is well
	}{
		"contained":              {contained(io.Discard, before, before, append(turnedAway, read), members, 1), ""},
		"not contained":          {contained(io.Discard, before, before, append(turnedAway, write("BatchStopServers", "b", "")), members, 1), "nobody was left"},
		"more than the budget":   {contained(io.Discard, before, before, turnedAway, members, 0), "1 members were turned away, and the budget is 0"},
		"turned away, left off":  {contained(io.Discard, before, servers(off, on), turnedAway, members, 1), "a was turned away and is not as it was"},
		"once":                   {once(io.Discard, []journal.Entry{wiped, unanswered, read}), ""},
		"twice":                  {once(io.Discard, []journal.Entry{unanswered, write(wiping, "b", "")}), "b was sent AttachInstances 2 times"},
		"answered all":           {once(io.Discard, []journal.Entry{wiped}), "no worker died"},
		"put back":               {putBack(io.Discard, before, before, []journal.Entry{add}, step, members), ""},
		"put back, but not all":  {putBack(io.Discard, before, servers(world.Server{Status: "ACTIVE", Group: "g"}, on), []journal.Entry{add}, step, members), "a was put back and is not as it was"},
		"put back, but left off": {putBack(io.Discard, before, servers(on, off), []journal.Entry{add}, step, members), "b was put back and is not as it was"},
		"never away":             {putBack(io.Discard, before, before, []journal.Entry{read}, step, members), "nobody was put back"},
		"others":                 {others(io.Discard, before, servers(off, on), []string{"a"}), ""},
		"others touched":         {others(io.Discard, before, servers(on, off), []string{"a"}), "b is in no plan and has changed"},
	} {
		if c.want == "" {
			require.Empty(t, c.findings, name)
			continue
		}
		require.Len(t, c.findings, 1, name)
		require.Contains(t, c.findings[0], c.want, name)
	}
}

// A disk that a wiped instance has lost is not somebody else's.
func TestPartsOfMembersGoWithThem(t *testing.T) {
	var before, after world.World
	before.Alibaba.Resources = []world.Resource{{Type: "disk", ID: "d", Instance: "i"}}
	require.Empty(t, others(io.Discard, before, after, []string{"i"}))
	require.Len(t, others(io.Discard, before, after, nil), 1)
}

// What is printed can be typed.
func TestCommandsArePrintedAsAShellTakesThem(t *testing.T) {
	args := []string{"--name", "approve", "--input", `{"by":"ann","reason":"it's fine $HOME"}`, "a@b.com", ""}
	typed := commandLine("printf", append([]string{"%s\n"}, args...))
	out, err := exec.CommandContext(t.Context(), "sh", "-c", typed).Output()
	require.NoError(t, err)
	require.Equal(t, strings.Join(args, "\n")+"\n", string(out))
}

// A program that ends before it is ready is not waited for.
func TestAProgramThatDoesNotStart(t *testing.T) {
	p, err := spawn(t.Context(), nil, filepath.Join(t.TempDir(), "log"), "/bin/sh", "-c", "echo no such world >&2; exit 2")
	require.NoError(t, err)
	err = p.ready(t.Context(), func(context.Context) error { return errors.New("not yet") })
	require.ErrorContains(t, err, "did not start:\nno such world")
}
