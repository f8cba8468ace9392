package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func newKinds(f *Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "kinds [KIND]",
		Short: "List the kinds of membership, or tell all about one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return f.listKinds()
			}
			k, err := membership.Find(f.Kinds, args[0])
			if err != nil {
				return err
			}
			if f.JSON {
				return f.pretty(k.Spec())
			}
			f.printKind(k.Spec())
			return nil
		},
	}
}

func (f *Factory) listKinds() error {
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

func (f *Factory) printKind(s membership.Spec) {
	f.printf("%s  %s\n", f.paint(bold, s.ID), s.Title)
	f.printf("provider %s, revision %d, up to %d members at once\n", s.Provider, s.Revision, s.PageLimit)
	if s.Destructive != "" {
		f.printf("%s\n", f.paint(red, "destructive "+s.Destructive+": data of the members is lost, so a gate asks people first"))
	} else {
		f.printf("not destructive: no data of the members is lost\n")
	}
	f.section("Parameters")
	var params table
	for _, p := range s.Params {
		params.add(text(p.Name), text(p.Type), text("default "+p.Default), text(p.Help))
	}
	f.entries(params)
	for _, op := range []membership.Operation{membership.Join, membership.Leave} {
		if len(s.Stages[op]) > 0 {
			f.section("Stages of " + string(op))
			f.printStages(s.Stages[op])
		}
	}
	f.section("Preconditions: a member is refused with")
	f.objections(s.Objections)
	f.section("Failures: a member fails, or waits for a person, with")
	f.objections(s.Failures)
	f.section("Calls")
	var calls table
	for _, name := range slices.Sorted(maps.Keys(s.Actions)) {
		a := s.Actions[name]
		calls.add(text(name), text(a.Call), text("up to "+count(a.Batch, "member")+" in one"))
	}
	f.entries(calls)
	f.section("Permissions")
	f.lines(s.Permissions)
	f.section("Source")
	f.lines(s.Source)
}

func (f *Factory) section(title string) { f.printf("\n%s\n", f.paint(bold, title)) }

func (f *Factory) entries(t table) {
	if len(t.rows) == 0 {
		f.printf("  none\n")
	}
	t.print(&f.Streams, "  ")
}

func (f *Factory) objections(all []membership.Objection) {
	var t table
	for _, o := range all {
		t.add(text(o.Code), text(o.Reason))
	}
	f.entries(t)
}

func (f *Factory) lines(all []string) {
	var t table
	for _, line := range all {
		t.add(text(line))
	}
	f.entries(t)
}
