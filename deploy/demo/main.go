// Command demo is `make demo`: it starts everything on free ports, moves fleets, or members of one kind, into groups with the
// commands that an operator would use, against the odds, and then asks the simulator whether what was reported is true.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/deploy/policies"
)

// state is the folder of all that a demo leaves behind.
const state = ".demo"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	show := fleets
	switch len(args) {
	case 0:
	case 1:
		d, err := find(args[0])
		if err != nil {
			return err
		}
		show = d.show
	default:
		return errors.New("want one kind at most: make demo DEMO=kind")
	}
	if err := os.RemoveAll(state); err != nil {
		return err
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	findings, err := show(ctx)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return fmt.Errorf("the simulator has seen otherwise:\n%s", strings.Join(findings, "\n"))
	}
	fmt.Print(`
The simulator has seen nothing else than what was reported.

Look at the runs in Temporal's Web UI: start the stack again on what the demo left, and open the URL it prints.

  bin/fleetjoin dev --state .demo
`)
	return nil
}

// show makes the moves of a kind, and returns what the simulator knows better than their reports.
func (d demo) show(ctx context.Context) (findings []string, err error) {
	worldFile := filepath.Join(state, "demo-world.yaml")
	if err := os.WriteFile(worldFile, d.world, 0o600); err != nil {
		return nil, err
	}
	s, err := startDev(ctx, state, worldFile)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	for _, m := range d.moves {
		more, err := d.play(ctx, s, m)
		if err != nil {
			return nil, err
		}
		findings = append(findings, more...)
	}
	calls, err := audit(ctx, s, d.kind)
	return append(findings, calls...), err
}

// play makes one move, with an approval where it needs one, and returns what the simulator knows better than its report.
func (d demo) play(ctx context.Context, s *stack, m move) ([]string, error) {
	fmt.Printf("\n── %s\n", m.Say)
	before, err := s.plane().World(ctx)
	if err != nil {
		return nil, err
	}
	text, members := d.request(before, m)
	file := filepath.Join(state, m.Name+".yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	if err := s.apply(ctx, file, m); err != nil {
		return nil, err
	}
	var report membership.Report
	if err := s.ask(ctx, &report, "report", m.Name, "--json"); err != nil {
		return nil, err
	}
	after, err := s.plane().World(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Printf("\n── what the simulator says\n")
	return judge(os.Stdout, d, m, before, after, report, members), nil
}

// audit looks at every call that was made: what it cost, and whether the policies of the kinds allow it.
func audit(ctx context.Context, s *stack, ids ...string) (findings []string, err error) {
	entries, _, err := s.plane().Journal(ctx, "")
	if err != nil {
		return nil, err
	}
	var allowed []policies.Permission
	var files []string
	for _, kind := range ids {
		d, err := find(kind)
		if err != nil {
			return nil, err
		}
		permissions, err := policies.Of(d.spec())
		if err != nil {
			return nil, err
		}
		allowed, files = append(allowed, permissions...), append(files, kinds.Dir(kind)+"/"+policies.File)
	}
	writes, throttled, lost, vain := 0, 0, 0, 0
	for _, e := range entries {
		if e.Write {
			writes++
		}
		if e.Status == 429 || strings.HasPrefix(e.Code, "Throttling") {
			throttled++
		}
		if e.Lost {
			lost++
		}
		if e.Write && e.Effect == journal.None {
			vain++
		}
		if !policies.Allows(allowed, e.Action) {
			findings = append(findings, fmt.Sprintf("%s was called, which %s does not allow", e.Action, strings.Join(files, ", ")))
		}
	}
	fmt.Printf("%d calls, %d of them writes; %d throttled, %d answers lost after the cloud had acted, %d writes in vain\n",
		len(entries), writes, throttled, lost, vain)
	if len(findings) == 0 {
		fmt.Printf("every call is one that is allowed by %s\n", strings.Join(files, ", "))
	}
	return findings, nil
}
