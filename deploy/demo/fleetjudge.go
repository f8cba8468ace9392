package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// kept is what is used of `fleetjoin report --json`.
type kept struct {
	Report  fleet.Report `json:"report"`
	Members []struct {
		Step    int                `json:"step"` // from 1
		ID      string             `json:"id"`
		Outcome membership.Outcome `json:"outcome"`
	} `json:"members"`
}

// of is the report of one step, from 0.
func (k kept) of(step int) (r membership.Report) {
	for _, m := range k.Members {
		if m.Step == step+1 {
			r.Members = append(r.Members, membership.MemberReport{ID: m.ID, Outcome: m.Outcome})
		}
	}
	return r
}

// judge compares what both fleets tell with what the simulator knows.
func (t *story) judge(ctx context.Context) error {
	t.title("The judge", "No report is believed: this is what the simulator's own state and journal say.")
	after, entries, err := t.evidence(ctx)
	if err != nil {
		return err
	}
	moved, err := t.judgeShop(ctx, after)
	if err != nil {
		return err
	}
	t.verdict(once(os.Stdout, entries))
	p, err := readPlan(ledger)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s\n", ledger)
	for _, step := range p.StepList() {
		members := chosen(t.before, step)
		moved = append(moved, members...)
		t.verdict(putBack(os.Stdout, t.before, after, entries, step, members))
	}
	fmt.Printf("\nall else\n")
	t.verdict(others(os.Stdout, t.before, after, moved))
	var kinds []string
	for _, run := range []string{shop, ledger} {
		p, err := readPlan(run)
		if err != nil {
			return err
		}
		for _, step := range p.StepList() {
			kinds = append(kinds, step.Kind)
		}
	}
	slices.Sort(kinds)
	findings, err := audit(ctx, t.stack, slices.Compact(kinds)...)
	t.verdict(findings)
	fmt.Printf("\nThe pages of the fleets: %s and %s\n", page(shop), page(ledger))
	return err
}

// judgeShop judges the fleet that went on, and returns who was to be moved.
func (t *story) judgeShop(ctx context.Context, after world.World) (all []string, err error) {
	var told kept
	if err := t.ask(ctx, &told, "report", shop, "--json"); err != nil {
		return nil, err
	}
	p, err := readPlan(shop)
	if err != nil {
		return nil, err
	}
	for i, step := range p.StepList() {
		d, err := find(step.Kind)
		if err != nil {
			return nil, err
		}
		fmt.Printf("\n%s, step %d: %s\n", shop, i+1, step.Kind)
		members := chosen(t.before, step)
		t.verdict(judge(os.Stdout, d, move{Group: step.Group, Wipes: d.spec().Destructive == "always"}, t.before, after, told.of(i), members))
		all = append(all, members...)
	}
	return all, nil
}

// evidence is what the simulator knows now.
func (t *story) evidence(ctx context.Context) (world.World, []journal.Entry, error) {
	w, err := t.plane().World(ctx)
	if err != nil {
		return w, nil, err
	}
	entries, _, err := t.plane().Journal(ctx, "")
	return w, entries, err
}

// verdict says what was found where it was found, and keeps it for the end.
func (t *story) verdict(findings []string) {
	for _, f := range findings {
		fmt.Println("NOT TRUE:", f)
	}
	t.findings = append(t.findings, findings...)
}

// chosen are those in a completed world that a step is about, found without asking fleetjoin.
func chosen(w world.World, s fleet.Step) (ids []string) {
	if s.Targets == nil {
		return s.Members
	}
	provider, _, _ := strings.Cut(s.Kind, ".")
	q := s.Targets.Cloud
	for _, t := range things(w) {
		tags, groups := strings.Split(t.tags, ","), strings.Split(t.groups, ",")
		fits := t.provider == provider && (q.NotIn == "" || !slices.Contains(groups, q.NotIn))
		for key, value := range q.Tags {
			fits = fits && slices.Contains(tags, key+"="+value)
		}
		if fits {
			ids = append(ids, t.id)
		}
	}
	return ids
}

// contained finds out whom a run has touched that stopped when its budget was spent: as many as the budget allows were
// turned away and are as they were, and nobody behind them was touched.
func contained(out io.Writer, before, after world.World, entries []journal.Entry, members []string, budget int) (findings []string) {
	was, is := byID(before), byID(after)
	touched, failed := map[string]bool{}, map[string]bool{}
	for _, e := range entries {
		for _, id := range e.Servers {
			touched[id] = touched[id] || e.Write
			failed[id] = failed[id] || e.Write && e.Fault != ""
		}
	}
	never, turned := 0, 0
	for _, id := range members {
		switch {
		case failed[id]:
			turned++
			if was[id] != is[id] {
				findings = append(findings, fmt.Sprintf("%s was turned away and is not as it was: %v, now %v", is[id].name, was[id], is[id]))
			}
		case !touched[id]:
			never++
		}
	}
	if turned != budget {
		findings = append(findings, fmt.Sprintf("%d members were turned away, and the budget is %d", turned, budget))
	}
	if never == 0 {
		findings = append(findings, "nobody was left to be spared by the budget")
	}
	fmt.Fprintf(out, "\nThe simulator: %d were turned away and are as they were, %d were never touched.\n", turned, never)
	return findings
}

// wiping is the call of the fleets that destroys data.
const wiping = "AttachInstances"

// once looks for members that were wiped more often than once.
func once(out io.Writer, entries []journal.Entry) (findings []string) {
	times, lost := map[string]int{}, 0
	for _, e := range entries {
		if e.Action != wiping || e.Effect != journal.Changed {
			continue
		}
		for _, id := range e.Servers {
			times[id]++
		}
		if e.Lost {
			lost += len(e.Servers)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(times)) {
		if times[id] > 1 {
			findings = append(findings, fmt.Sprintf("%s was sent %s %d times", id, wiping, times[id]))
		}
	}
	if lost == 0 {
		findings = append(findings, "no worker died between a wipe and its answer")
	}
	fmt.Fprintf(out, "%d were wiped by one call each; for %d of them the worker died before the answer\n", len(times), lost)
	return findings
}

// putBack looks for members that are not as they were, and counts those that were away in between.
func putBack(out io.Writer, before, after world.World, entries []journal.Entry, s fleet.Step, members []string) (findings []string) {
	was, is := byID(before), byID(after)
	same, away := 0, map[string]bool{}
	for _, e := range entries {
		for _, id := range e.Servers {
			if e.Write && e.Effect == journal.Changed && slices.Contains(strings.Split(e.Group, ","), s.Group) {
				away[id] = true
			}
		}
	}
	for _, id := range members {
		if was[id] == is[id] {
			same++
			continue
		}
		findings = append(findings, fmt.Sprintf("%s was put back and is not as it was: %v, now %v", is[id].name, was[id], is[id]))
	}
	if len(away) == 0 {
		findings = append(findings, fmt.Sprintf("nobody came into %s, so nobody was put back", s.Group))
	}
	fmt.Fprintf(out, "%s: %d of %d are as they were before: power and groups; %d of them had been in %s\n", s.Kind, same, len(members), len(away), s.Group)
	return findings
}

// others looks for things that no plan was about and that have changed. What is part of a member goes with it.
func others(out io.Writer, before, after world.World, moved []string) (findings []string) {
	is, n := byID(after), 0
	for _, t := range things(before) {
		if slices.Contains(moved, t.id) || slices.Contains(moved, t.owner) {
			continue
		}
		n++
		if is[t.id] != t {
			findings = append(findings, fmt.Sprintf("%s is in no plan and has changed: %v, now %v", t.name, t, is[t.id]))
		}
	}
	fmt.Fprintf(out, "%d that no plan was about are as they were\n", n)
	return findings
}
