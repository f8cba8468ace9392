// Command bench measures what is claimed of the cohort engine: its throughput against the obvious way to write it, its
// overhead over a script without durability, and how long machines are off. Everything that is compared runs in one
// call, on the same simulated servers, over HTTP to a simulator of its own process, with the same client. Absolute
// numbers are the machine's; the ratios are the product's.
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
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(command(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// command returns the exit code: 0 when everything was measured, whatever the numbers say.
func command(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "comma-separated `sections` to run: "+strings.Join(sectionNames(), ", ")+"; empty: all")
	quick := flags.Bool("quick", false, "small sizes: whether it runs, not how fast")
	members := flags.Int("members", 0, "run one fleet of so many `members`, in whole pages of 200, and nothing beside it")
	asJSON := flags.Bool("json", false, "print JSON instead of tables")
	temporal := flags.String("temporal", "", "`path` of the temporal CLI; empty: from PATH, else bin/temporal")
	simulate := flags.Bool(simulateFlag, false, "be the simulator (the bench starts itself so)")
	work := flags.Bool(workFlag, false, "be a worker (the bench starts itself so)")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *simulate {
		if err := serveCloud(stdin, stdout); err != nil {
			fmt.Fprintln(stderr, "bench:", err)
			return 1
		}
		return 0
	}
	if *work {
		if err := serveWork(ctx, stdin, stdout); err != nil {
			fmt.Fprintln(stderr, "bench:", err)
			return 1
		}
		return 0
	}
	chosen, err := choose(*only)
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	if *members < 0 || *members%perPage != 0 || *members > 0 && (*quick || *only != "") {
		fmt.Fprintf(stderr, "bench: -members: %d: want a multiple of %d, without -only and -quick\n", *members, perPage)
		return 2
	}
	size := full()
	if *members > 0 {
		chosen = []section{{"scale", aloneSection}}
		size.fleets = []fleet{{pages: *members / perPage, size: perPage, speed: 1}}
	}
	if *quick {
		size = small()
	}
	report, err := run(ctx, *temporal, chosen, size, stderr)
	if *quick {
		report.withoutClaims()
	}
	if err == nil && *asJSON {
		err = report.json(stdout)
	} else if err == nil {
		err = report.text(stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// section is one question, and how it is answered.
type section struct {
	name string
	run  func(context.Context, *bed, sizes) (Table, error)
}

func sections() []section {
	return []section{{"engine", engineSection}, {"overhead", overheadSection}, {"downtime", downtimeSection},
		{"scale", scaleSection}, {"throttled", throttledSection}, {"pause", pauseSection}}
}

func sectionNames() (names []string) {
	for _, s := range sections() {
		names = append(names, s.name)
	}
	return names
}

// choose returns the sections that are named, in the order in which they are always run.
func choose(only string) ([]section, error) {
	if only == "" {
		return sections(), nil
	}
	named := strings.Split(only, ",")
	for _, n := range named {
		if !slices.Contains(sectionNames(), n) {
			return nil, fmt.Errorf("-only: %q: want %s", n, strings.Join(sectionNames(), ", "))
		}
	}
	return slices.DeleteFunc(sections(), func(s section) bool { return !slices.Contains(named, s.name) }), nil
}

// longest is how long all sections may take on a slow machine.
const longest = time.Hour

func run(ctx context.Context, temporal string, chosen []section, size sizes, progress io.Writer) (Report, error) {
	ctx, stop := context.WithTimeout(ctx, longest)
	defer stop()
	var report Report
	err := withBed(ctx, temporal, progress, func(b *bed) error {
		report.Machine = machine(ctx, b.cli)
		for _, s := range chosen {
			table, err := s.run(ctx, b, size)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			table.Section = s.name
			report.Tables = append(report.Tables, table)
		}
		return nil
	})
	return report, err
}
