// Command demo is `make demo`: it starts everything on free ports, moves members of a kind into groups with the commands
// that an operator would use, some of them against the odds, and then asks the simulator whether what was reported is true.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
	"github.com/fleetjoin/fleetjoin/deploy/policies"
)

// defaultDemo is the one of `make demo`.
const defaultDemo = "huawei.servergroup"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 1 {
		return errors.New("want one kind at most: make demo DEMO=kind")
	}
	d, err := find(cmp.Or(strings.Join(args, ""), defaultDemo))
	if err != nil {
		return err
	}
	state, err := filepath.Abs(".demo")
	if err != nil {
		return err
	}
	if err := os.RemoveAll(state); err != nil {
		return err
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	worldFile := filepath.Join(state, "demo-world.yaml")
	if err := os.WriteFile(worldFile, d.worldYAML(), 0o600); err != nil {
		return err
	}
	s, err := startStack(ctx, state, worldFile)
	if err != nil {
		return err
	}
	defer s.stop()
	var findings []string
	for _, m := range d.moves {
		more, err := d.play(ctx, s, state, m)
		if err != nil {
			return err
		}
		findings = append(findings, more...)
	}
	calls, err := d.audit(ctx, s)
	if err != nil {
		return err
	}
	if findings = append(findings, calls...); len(findings) > 0 {
		return fmt.Errorf("the simulator has seen otherwise:\n%s", strings.Join(findings, "\n"))
	}
	s.stop()
	fmt.Print(`
Look at the runs in Temporal's Web UI: start the stack again on what the demo left, and open the URL it prints.

  bin/fleetjoin dev --state .demo
`)
	return nil
}

// play makes one move, with an approval where it needs one, and returns what the simulator knows better than its report.
func (d demo) play(ctx context.Context, s *stack, state string, m move) ([]string, error) {
	fmt.Printf("\n── %s\n", m.say)
	var before, after world.World
	if err := s.get(ctx, "/_sim/world", &before); err != nil {
		return nil, err
	}
	text, members := d.request(before, m)
	if err := os.WriteFile(filepath.Join(state, m.name+".yaml"), text, 0o600); err != nil {
		return nil, err
	}
	if err := s.apply(ctx, filepath.Join(".demo", m.name+".yaml"), m); err != nil {
		return nil, err
	}
	report, err := s.report(ctx, m)
	if err != nil {
		return nil, err
	}
	if err := s.get(ctx, "/_sim/world", &after); err != nil {
		return nil, err
	}
	fmt.Printf("\n── what the simulator says\n")
	return judge(os.Stdout, d, m, before, after, report, members), nil
}

// audit looks at every call that was made: what it cost, and whether the kind's policy allows it.
func (d demo) audit(ctx context.Context, s *stack) (findings []string, err error) {
	var log struct {
		Entries []journal.Entry `json:"entries"`
	}
	if err := s.get(ctx, "/_sim/journal", &log); err != nil {
		return nil, err
	}
	permissions, err := policies.Of(d.spec())
	if err != nil {
		return nil, err
	}
	writes, throttled, lost, vain := 0, 0, 0, 0
	for _, e := range log.Entries {
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
		if !policies.Allows(permissions, e.Action) {
			findings = append(findings, fmt.Sprintf("%s was called, which %s does not allow", e.Action, policies.File(d.kind)))
		}
	}
	fmt.Printf("%d calls, %d of them writes; %d throttled, %d answers lost after the cloud had acted, %d writes in vain\n",
		len(log.Entries), writes, throttled, lost, vain)
	if len(findings) == 0 {
		fmt.Printf("every call is one that %s allows\n", policies.File(d.kind))
	}
	return findings, nil
}
