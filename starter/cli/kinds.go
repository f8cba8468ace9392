package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func newKinds(f *Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "kinds [KIND]",
		Short: "List the kinds of membership, or tell all about one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return printKinds(f)
			}
			k, err := membership.Find(f.Kinds, args[0])
			if err != nil {
				return err
			}
			if f.JSON {
				return f.pretty(k.Spec())
			}
			return printKind(f, k.Spec())
		},
	}
}

func printKinds(f *Factory) error {
	specs := make([]membership.Spec, len(f.Kinds))
	for i, k := range f.Kinds {
		specs[i] = k.Spec()
	}
	if f.JSON {
		return f.pretty(specs)
	}
	var t table
	t.head("KIND", "PROVIDER", "AT ONCE", "WHAT")
	for _, s := range specs {
		t.add(cell{s.ID, bold}, text(s.Provider), text(fmt.Sprint(s.PageLimit)), text(s.Title))
	}
	t.print(&f.Streams, "")
	f.printf("\nfleetjoin kinds KIND tells all about one.\n")
	return nil
}

func printKind(f *Factory, s membership.Spec) error {
	dir := kinds.Dir(s.ID)
	plan, err := kinds.File(s.ID, "plan.yaml")
	if err != nil {
		return err
	}
	var example fleet.Plan
	if err := yaml.Unmarshal(plan, &example); err != nil {
		return err
	}
	f.printf("%s  %s\n", f.paint(bold, s.ID), s.Title)
	f.printf("provider %s, revision %d, up to %d members at once\n", s.Provider, s.Revision, s.PageLimit)
	if s.Destructive != "" {
		f.printf("%s\n", f.paint(red, "destructive "+s.Destructive+": data of the members is lost, so a gate asks people first"))
	} else {
		f.printf("not destructive: no data of the members is lost\n")
	}
	printSection(&f.Streams, "Plan of one step: an object in YAML or JSON; deploy/docs/fleets.md has all fields")
	printEntries(&f.Streams, planTable(s, example))
	printSection(&f.Streams, "Members that a plan can find in the cloud")
	printEntries(&f.Streams, table{rows: [][]cell{{text("who"), text(s.Finds)}, {text("room of a group"), text(s.Room)},
		{text("moves"), text(cmp.Or(s.Moves, "in two steps: one in which they leave, one in which they join"))}}})
	printSection(&f.Streams, "Parameters: what params may hold")
	var params table
	for _, p := range s.Params {
		params.add(text(p.Name), text(p.Type), text("default "+p.Default), text(p.Help))
	}
	printEntries(&f.Streams, params)
	for _, op := range []membership.Operation{membership.Join, membership.Leave} {
		if len(s.Stages[op]) > 0 {
			printSection(&f.Streams, "Stages of "+string(op))
			printStages(&f.Streams, s.Stages[op])
		}
	}
	printSection(&f.Streams, "Preconditions: a member is refused with")
	printObjections(&f.Streams, s.Objections)
	printSection(&f.Streams, "Failures: a member fails, or waits for a person, with")
	printObjections(&f.Streams, s.Failures)
	printSection(&f.Streams, "Codes that come with every kind")
	printObjections(&f.Streams, append(membership.EngineObjections(), membership.EngineFailures()...))
	printSection(&f.Streams, "Codes of the cloud")
	f.printf("  A member that the cloud refuses has the cloud's code. What each code means, for a read and for a write, and what\n")
	f.printf("  the other codes ask of you: deploy/docs/error-codes.md\n")
	printSection(&f.Streams, "Calls")
	var calls table
	for _, name := range slices.Sorted(maps.Keys(s.Actions)) {
		a := s.Actions[name]
		calls.add(text(name), text(a.Call), text("up to "+membership.Count(a.Batch, "member")+" in one"))
	}
	printEntries(&f.Streams, calls)
	printSection(&f.Streams, "Permissions, as a policy in "+dir+"/policy.json")
	printLines(&f.Streams, s.Permissions)
	printSection(&f.Streams, "Source")
	printLines(&f.Streams, s.Source)
	printSection(&f.Streams, "Example: "+dir+"/plan.yaml")
	printLines(&f.Streams, strings.Split(strings.TrimSpace(string(plan)), "\n"))
	return nil
}

// planTable lists the fields that a plan of one step needs, with the values of the kind's example.
func planTable(s membership.Spec, r fleet.Plan) (t table) {
	gate := "where there is a gate"
	if s.Destructive == "always" {
		gate = "needed"
	}
	for _, row := range [][5]string{
		{"kind", "text", "needed", s.ID, "this kind"},
		{"account", "text", "needed", r.Account, "a name in the worker's accounts file, never a credential"},
		{"group", "id", "needed", r.Group, "what the members join"},
		{"members", "list of ids", "needed", "[" + first(r.Members) + "]", "what joins, each once"},
		{"from", "id", "if need be", r.From, "a group that they leave for it: they are moved"},
		{"params", "object", "if need be", compact(r.Params), "parameters of the kind"},
		{"requester", "text", gate, "ann", "who asks, and may not approve it; apply fills in who runs it"},
		{"approval.quorum", "number", "default 1", "2", "how many must approve; an approval, also an empty one, asks for a gate"},
		{"approval.voters", "list of texts", "default all", "[bob, cid]", "who may vote; never the requester"},
		{"approval.timeout", "duration", "default 72h", "24h", "after that nothing is done; 1m to 720h"},
		{"approval.signed", "boolean", "default false", "true", "count only votes that an allowed signer has signed"},
		{"whenHeld", "text", "default refuse", "wait", "members that another run acts on: refuse them, or wait until it is done with them"},
	} {
		if row[0] == "from" && s.Moves == "" {
			continue
		}
		t.add(text(row[0]), text(row[1]), text(row[2]), text(row[3]), text(row[4]))
	}
	return t
}

func first(ids []string) string {
	if len(ids) > 1 {
		return ids[0] + ", …"
	}
	return strings.Join(ids, "")
}

// compact writes an object on one line, as YAML and JSON both take it.
func compact(v map[string]any) string {
	if len(v) == 0 {
		return "{}"
	}
	line, _ := json.Marshal(v) // it was read from JSON, so it can be written
	return string(line)
}

func printSection(out *Streams, title string) { out.printf("\n%s\n", out.paint(bold, title)) }

func printEntries(out *Streams, t table) {
	if len(t.rows) == 0 {
		out.printf("  none\n")
	}
	t.print(out, "  ")
}

func printObjections(out *Streams, all []membership.Objection) {
	var t table
	for _, o := range all {
		t.add(text(o.Code), text(o.Reason))
	}
	printEntries(out, t)
}

func printLines(out *Streams, all []string) {
	var t table
	for _, line := range all {
		t.add(text(line))
	}
	printEntries(out, t)
}
