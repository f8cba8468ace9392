// Assume checks the simulator's numbered assumptions about clouds, and tells which hold: against a simulator of its own, or,
// only reading, against a real account.
//
//	assume                                          all of them, against the simulator
//	assume --accounts accounts.yaml --account main  those that only read, against an account
//	assume --only H9,V9                             some of them
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/assume"
)

// The exit codes besides 0, which means that all that were checked hold.
const (
	exitBroken = 1 // one does not hold, or could not be checked
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("assume", flag.ContinueOnError)
	flags.SetOutput(stderr)
	accounts := flags.String("accounts", "", "accounts `file`, as the worker has it; needed with --account")
	name := flags.String("account", "", "`name` of an account to look at, without writing; empty: a simulator")
	only := flags.String("only", "", "`numbers` of assumptions, joined by commas; empty: all")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return exitUsage
	}
	o := assume.Options{ReadOnly: *name != "", Quick: *name != ""}
	if *only != "" {
		wanted := strings.Split(*only, ",")
		known := append(assume.Claims(assume.OfHuawei()), assume.Claims(assume.OfAlibaba())...)
		for _, id := range wanted {
			if !slices.ContainsFunc(known, func(c assume.Claim) bool { return c.ID == id }) {
				fmt.Fprintf(stderr, "assume: --only: %q is no assumption; they are numbered as in deploy/docs/world.md\n", id)
				return exitUsage
			}
		}
		o.Only = func(id string) bool { return slices.Contains(wanted, id) }
	}
	results, err := check(ctx, *accounts, *name, o)
	if err != nil {
		fmt.Fprintln(stderr, "assume:", err)
		return exitUsage
	}
	return report(stdout, results)
}

// check checks what can be checked with the account, or, without one, everything with fresh simulators.
func check(ctx context.Context, file, name string, o assume.Options) ([]assume.Result, error) {
	if name == "" && file == "" {
		return append(assume.Run(ctx, assume.OfHuawei(), o, assume.Simulator(nil)),
			assume.Run(ctx, assume.OfAlibaba(), o, assume.AlibabaSimulator(nil))...), nil
	}
	if name == "" || file == "" {
		return nil, errors.New("--accounts and --account go together: the file and the name of an account in it")
	}
	accounts, err := account.Load(file)
	if err != nil {
		return nil, err
	}
	a, err := accounts.Get(name)
	if err != nil {
		return nil, err
	}
	keys, err := a.Secrets(ctx)
	if err != nil {
		return nil, err
	}
	if a.Provider == account.Alibaba {
		return assume.Run(ctx, assume.OfAlibaba(), o, func() (*assume.Alibaba, error) { return assume.OpenAlibaba(a, keys, nil) }), nil
	}
	return assume.Run(ctx, assume.OfHuawei(), o, func() (*assume.Huawei, error) { return assume.Open(a, keys, nil) }), nil
}

// report prints a line for each assumption and returns the exit code.
func report(out io.Writer, results []assume.Result) int {
	code, count := 0, map[string]int{}
	for _, r := range results {
		count[r.Outcome]++
		if r.Outcome == assume.Broken || r.Outcome == assume.Failed {
			code = exitBroken
		}
		fmt.Fprintf(out, "%-4s %-20s %s\n", r.ID, r.Outcome, r.Says)
		if r.Why != "" {
			fmt.Fprintf(out, "     %-20s %s\n", "", r.Why)
		}
		if r.Outcome == assume.Broken {
			fmt.Fprintf(out, "     %-20s assumed after: %s\n", "", r.Source)
		}
	}
	fmt.Fprintf(out, "%d hold, %d do not, %d could not be checked, %d were not\n",
		count[assume.Holds], count[assume.Broken], count[assume.Failed], count[assume.Skipped])
	return code
}
