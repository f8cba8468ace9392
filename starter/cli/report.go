package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ReportOptions are what report takes.
type ReportOptions struct {
	*Factory
	Run    string // a workflow id, or the key of a fleet's account
	RunID  string
	All    bool
	CSV    bool
	HTML   string // the file to write; "-" is standard output
	Verify bool
	Store  string // a folder with a store or a copy of one; "": the workers read theirs
}

func newReport(f *Factory, runF func(context.Context, *ReportOptions) error) *cobra.Command {
	o := &ReportOptions{Factory: f}
	if runF == nil {
		runF = reportRun
	}
	cmd := &cobra.Command{
		Use:   "report RUN | sha256:KEY",
		Short: "Show how a run ended, for every member",
		Long: "Show how a run ended, for every member.\n\n" +
			"More is kept than Temporal keeps: records in the workers' store, which the key of the run's account leads to.\n" +
			"The key alone is enough when Temporal has forgotten the run; with --store it takes no Temporal at all.\n\n" + exitHelp,
		Args: oneRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Run = args[0]
			if err := o.check(f.JSON); err != nil {
				return err
			}
			return runF(cmd.Context(), o)
		},
	}
	runFlag(cmd, &o.RunID)
	fs := cmd.Flags()
	fs.BoolVar(&o.All, "all", false, "list the members that went well, too")
	fs.BoolVar(&o.CSV, "csv", false, "print a line for every member, for spreadsheets")
	fs.StringVar(&o.HTML, "html", "", "write a page that needs nothing else to this `file`; - is standard output")
	fs.BoolVar(&o.Verify, "verify", false, "check every record against its key, and that they add up; the exit code is 0 or 1")
	fs.StringVar(&o.Store, "store", "", "read the records from this `folder`, a store of workers or a copy")
	return cmd
}

func (o *ReportOptions) check(asJSON bool) error {
	formats := 0
	for _, chosen := range []bool{o.CSV, o.HTML != "", o.All, asJSON && !o.Verify, o.Verify} {
		if chosen {
			formats++
		}
	}
	if formats > 1 {
		return &usageError{errors.New("choose one of --all, --csv, --html, --json and --verify, or --verify --json")}
	}
	return nil
}

// byKey reports whether a fleet's account is named, and not a run.
func (o *ReportOptions) byKey() bool { return strings.HasPrefix(o.Run, "sha256:") }

func reportRun(ctx context.Context, o *ReportOptions) error {
	if o.byKey() {
		return reportKept(ctx, o)
	}
	conn, err := o.Connect(ctx, o.Profile)
	if err != nil {
		return err
	}
	defer conn.Close()
	found, err := describe(ctx, conn, o.Run, o.RunID)
	switch {
	case err != nil:
		return err
	case found.cohort:
		return fmt.Errorf("run %s is a cohort; report its run", o.Run)
	case found.running:
		return fmt.Errorf("run %s has not ended; see where it is: fleetjoin status %s, or follow it: fleetjoin watch %s",
			o.Run, o.Run, o.Run)
	}
	return reportFleet(ctx, o, conn)
}

func printWarnings(out *Streams, warnings []string) {
	for _, w := range warnings {
		out.printf("%s %s\n", out.paint(yellow, "warning:"), clean(w))
	}
}

// printMembers lists the members that something must be said of, those with the same story together.
func printMembers(out *Streams, members []membership.MemberReport, all bool) {
	s := stories{all: all}
	for _, m := range members {
		s.add(m)
	}
	s.print(out)
}

func outcomePaint(r fleet.Report) paint {
	switch exitOf(r.Outcome, r.Counts) {
	case ExitOK:
		return green
	case ExitNeedsPerson:
		return red
	}
	return yellow
}
