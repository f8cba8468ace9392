package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

func newStatus(f *Factory) *cobra.Command {
	var run string
	cmd := &cobra.Command{
		Use:   "status RUN",
		Short: "Show where a run is now",
		Long: "Show where a run is now, who failed in it, and what holds back the calls of the workers that work for it.\n\n" +
			"The exit code is 5 when the run waits for a person, 8 when it waits for an approval, otherwise 0.",
		Args: oneRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return statusRun(cmd.Context(), f, args[0], run)
		},
	}
	runFlag(cmd, &run)
	return cmd
}

func statusRun(ctx context.Context, f *Factory, id, run string) error {
	conn, err := f.Connect(ctx, f.Profile)
	if err != nil {
		return err
	}
	defer conn.Close()
	found, err := describe(ctx, conn, id, run)
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if found.cohort {
		s, err := queryCohort(asking, conn, id, run)
		if err != nil {
			return unanswered(ctx, conn, "cohort "+id+" does not answer", err)
		}
		limits := knownLimits(ctx, f, conn, found, id)
		if f.JSON {
			return f.pretty(limitedCohort{s, limits})
		}
		printCohort(f, s)
		printLimits(&f.Streams, limits)
		return nil
	}
	s, err := query(asking, conn, id, run)
	if err != nil {
		return unanswered(ctx, conn, "run "+id+" does not answer", err)
	}
	limits := knownLimits(ctx, f, conn, found, append(s.Cohorts, id)...)
	if f.JSON {
		err = f.pretty(limitedRun{s, limits})
	} else {
		printStatus(&f.Streams, s)
		printLimits(&f.Streams, limits)
	}
	if err != nil {
		return err
	}
	return exitIn(s.Phase)
}

// exitIn is the exit code for a run in a phase.
func exitIn(p membership.Phase) error {
	switch p {
	case membership.Waiting, membership.Stopped:
		return exitWith(ExitNeedsPerson)
	case membership.Awaiting:
		return exitWith(ExitAwaitsApproval)
	default:
		return nil
	}
}

// unanswered explains why a run does not answer: mostly because there is no worker to answer for it.
func unanswered(ctx context.Context, conn *connect.Connection, what string, err error) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if ids, lookErr := conn.Pollers(ctx, workflows.TaskQueue); lookErr == nil && len(ids) == 0 {
		return errors.New(what + ": " + noWorker(conn))
	}
	return fmt.Errorf("%s: %w", what, err)
}

func printCohort(f *Factory, s membership.Status) {
	what := string(s.Operation)
	if len(s.Members) > 0 { // none are known while the cohort is planned
		what += " " + membership.Count(len(s.Members), "member")
	}
	f.printf("%s, group %s (%s, account %s)\n", what, clean(s.Group), s.Kind, s.Account)
	line := string(s.Phase)
	if parts := counted(f.Kinds, s); len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	if s.Trouble != "" {
		line += "; the cloud cannot be read: " + clean(s.Trouble)
	}
	f.printf("%s\n", f.paint(bold, line))
	if len(s.Members) == 0 {
		return
	}
	f.printf("\n")
	var t table
	t.head("MEMBER", "NAME", "AT", "WHY")
	for _, m := range s.Members {
		t.add(text(m.ID), text(unlessSame(m.Name, m.ID)), cell{clean(m.At), colourOf(m.At)}, text(withCode(m.Code, m.Reason)))
	}
	t.print(&f.Streams, "")
}

func printVotes(out *Streams, votes []membership.Vote) {
	for _, v := range votes {
		word, note := "approved", v.Reason
		if !v.Approves {
			word = "rejected"
		}
		if v.Refused != "" {
			note = "did not count: " + v.Refused
		}
		printSaid(out, word, v.By, v.At, note)
	}
}

// printSaid is a line on what somebody said to a run, and what about it, if there is anything.
func printSaid(out *Streams, what, by string, at time.Time, note string) {
	out.printf("%s\n", strings.TrimRight(fmt.Sprintf("%s by %s at %s  %s", what, clean(by), at.UTC().Format(time.RFC3339), clean(note)), " "))
}

// becauseOf is what follows on an outcome, nothing when there was no reason but the run's.
func becauseOf(code, reason string) string {
	if code == "" && reason == "" {
		return ""
	}
	return ": " + clean(withCode(code, reason))
}

func withCode(code, reason string) string {
	if code == "" {
		return reason
	}
	return code + ": " + reason
}
