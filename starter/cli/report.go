package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func newReport(f *Factory) *cobra.Command {
	var run string
	var all bool
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Show how a run ended, for every member",
		Long:  "Show how a run ended, for every member.\n\n" + exitHelp,
		Args:  oneRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.report(cmd.Context(), args[0], run, all)
		},
	}
	runFlag(cmd, &run)
	cmd.Flags().BoolVar(&all, "all", false, "list the members that went well, too")
	return cmd
}

func (f *Factory) report(ctx context.Context, id, run string, all bool) error {
	conn, err := f.Connect(ctx, f.Profile)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, running, err := describe(ctx, conn, id, run)
	if err != nil {
		return err
	}
	if running {
		return fmt.Errorf("run %s has not ended; see where it is: fleetjoin status %s, or follow it: fleetjoin watch %s",
			id, id, id)
	}
	r, err := reportOf(ctx, conn.GetWorkflow(ctx, id, run))
	if err != nil {
		return err
	}
	if f.JSON {
		err = f.pretty(r)
	} else {
		f.printReport(id, r, all)
	}
	if err != nil {
		return err
	}
	return exitWith(exitOf(r.Outcome))
}

// meaning says what an outcome tells about the cloud, for those that raise the question.
func meaning(o membership.Outcome) string {
	switch o {
	case membership.Already, membership.Refused, membership.NotStarted:
		return "nothing was done"
	case membership.RolledBack:
		return "everything is as it was"
	case membership.RollbackIncomplete:
		return "not everything could be put back: look at it"
	case membership.Unknown:
		return "the evidence does not tell: look at it"
	case membership.Skipped:
		return "left as it is, as a person said"
	}
	return ""
}

func (f *Factory) printReport(id string, r membership.Report, all bool) {
	f.printf("\n%s  run %s\n", f.paint(outcomePaint(r.Outcome), string(r.Outcome)), clean(id))
	f.printf("%s %s, group %s (%s, account %s), in %v\n\n", r.Operation, count(len(r.Members), "member"), clean(r.Group),
		r.Kind, r.Account, r.Ended.Sub(r.Started).Round(time.Second))
	var t table
	for _, o := range membership.Outcomes() {
		if n := r.Counts[o]; n > 0 {
			t.add(cell{fmt.Sprintf("%4d", n), bold}, cell{string(o), colourOf(string(o))}, text(meaning(o)))
		}
	}
	t.print(&f.Streams, "")
	f.printMembers(r, all)
	f.printVotes(r.Votes)
	for _, w := range r.Warnings {
		f.printf("%s %s\n", f.paint(yellow, "warning:"), clean(w))
	}
}

// fold is how many members with the same story are listed before the rest is only counted.
const fold = 3

// printMembers lists the members that something must be said of, those with the same story together.
func (f *Factory) printMembers(r membership.Report, all bool) {
	var order []string
	alike := map[string][]membership.MemberReport{}
	quiet := 0
	for _, m := range r.Members {
		if !all && wentWell(m) {
			quiet++
			continue
		}
		story := m.ID
		if !all {
			story = fmt.Sprint(m.Outcome, m.Stage, m.Code, m.Reason, m.Also)
		}
		if alike[story] == nil {
			order = append(order, story)
		}
		alike[story] = append(alike[story], m)
	}
	if len(order) == 0 {
		return
	}
	var t table
	t.head("MEMBER", "NAME", "OUTCOME", "AT", "WHY")
	folded := false
	for _, story := range order {
		same := alike[story]
		shown := same
		if len(same) > fold+1 {
			shown, folded = same[:fold], true
		}
		for _, m := range shown {
			t.member(m)
		}
		if rest := len(same) - len(shown); rest > 0 {
			t.add(cell{fmt.Sprintf("… and %d more", rest), faint}, cell{}, cell{string(same[0].Outcome), faint}, cell{},
				cell{"for the same reason", faint})
		}
	}
	f.printf("\n")
	t.print(&f.Streams, "")
	switch {
	case quiet > 0:
		f.printf("and %d that went well (fleetjoin report --all lists them)\n", quiet)
	case folded:
		f.printf("fleetjoin report --all lists them all\n")
	}
}

func (t *table) member(m membership.MemberReport) {
	reason := why(m.Code, m.Reason)
	if m.RequestID != "" {
		reason += " (request " + m.RequestID + ")"
	}
	t.add(text(m.ID), text(other(m.Name, m.ID)), cell{string(m.Outcome), colourOf(string(m.Outcome))}, text(m.Stage), text(reason))
	for _, o := range m.Also {
		t.add(cell{}, cell{}, cell{}, cell{}, text(o.String()))
	}
}

func wentWell(m membership.MemberReport) bool {
	return m.Code == "" && (m.Outcome == membership.Joined || m.Outcome == membership.Left ||
		m.Outcome == membership.Already)
}

func outcomePaint(o membership.RunOutcome) paint {
	switch exitOf(o) {
	case ExitOK:
		return green
	case ExitNeedsPerson:
		return red
	}
	return yellow
}
