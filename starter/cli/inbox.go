package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// waitingQuery finds the runs that wait for votes.
const waitingQuery = `FleetjoinPhase = "` + string(membership.Awaiting) + `" AND ExecutionStatus = "Running"`

// askAtOnce is how many runs are asked at the same time.
const askAtOnce = 8

// waiting is a run that waits for votes.
type waiting struct {
	ID        string    `json:"id"`
	RunID     string    `json:"runId"`
	What      string    `json:"what,omitempty"` // there is to decide
	Digest    string    `json:"digest,omitempty"`
	Requester string    `json:"requester,omitempty"`
	Quorum    int       `json:"quorum,omitempty"`
	Approvals int       `json:"approvals"`         // that it has
	Signed    bool      `json:"signed,omitempty"`  // they must be
	Deadline  time.Time `json:"deadline,omitzero"` // when it is known
	Barred    string    `json:"barred,omitempty"`  // why the one who asks may not vote on it; "": they may
	Trouble   string    `json:"trouble,omitempty"` // why it could not be asked; then nothing is known but its ids
}

// inbox is what the verb prints with --json.
type inbox struct {
	By   string     `json:"by"`
	Runs []*waiting `json:"runs"`
}

func newInbox(f *Factory) *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use:   "inbox",
		Short: "List the runs that wait for votes, and on which you may vote",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return inboxRun(cmd.Context(), f, by) },
	}
	cmd.Flags().StringVar(&by, "by", me(), "who would vote")
	return cmd
}

func inboxRun(ctx context.Context, f *Factory, by string) error {
	conn, err := f.Connect(ctx, f.Profile)
	if err != nil {
		return err
	}
	defer conn.Close()
	found, err := awaitingVotes(ctx, conn)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		if ids, err := conn.Pollers(ctx, workflows.TaskQueue); err == nil && len(ids) == 0 {
			return errors.New(membership.Count(len(found), "run") + " cannot be asked: " + noWorker(conn))
		}
	}
	rows := make([]*waiting, len(found))
	var group errgroup.Group
	group.SetLimit(askAtOnce)
	for i, run := range found {
		group.Go(func() error {
			rows[i] = ask(ctx, conn, run, by)
			return nil
		})
	}
	_ = group.Wait() // what went wrong is in the rows
	// The list is a little behind the runs: some may have gone on.
	rows = slices.DeleteFunc(rows, func(w *waiting) bool { return w == nil })
	if f.JSON {
		return f.pretty(inbox{By: by, Runs: rows})
	}
	printInbox(&f.Streams, by, rows)
	return nil
}

// awaitingVotes lists the runs that wait for votes, all pages of them.
func awaitingVotes(ctx context.Context, conn *connect.Connection) (runs []*workflowpb.WorkflowExecutionInfo, err error) {
	in := &workflowservice.ListWorkflowExecutionsRequest{Query: waitingQuery}
	for {
		page, err := conn.ListWorkflow(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list the runs that wait for votes: %w", err)
		}
		runs = append(runs, page.GetExecutions()...)
		if in.NextPageToken = page.GetNextPageToken(); len(in.NextPageToken) == 0 {
			return runs, nil
		}
	}
}

// ask asks a run what it waits for; nil when it does not wait any more.
func ask(ctx context.Context, conn *connect.Connection, run *workflowpb.WorkflowExecutionInfo, by string) *waiting {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	w := &waiting{ID: run.GetExecution().GetWorkflowId(), RunID: run.GetExecution().GetRunId()}
	s, err := query(ctx, conn, w.ID, w.RunID)
	switch {
	case err != nil:
		w.Trouble = err.Error()
		return w
	case s.Gate == nil:
		return nil
	}
	gate := s.Gate
	w.Digest, w.Deadline = s.Digest, s.Next
	// Votes at the gates before this one do not count here.
	votes := slices.DeleteFunc(s.Votes, func(v membership.Vote) bool { return v.Digest != s.Digest })
	w.What, w.Requester, w.Quorum, w.Signed = gate.Why, gate.Requester, gate.Quorum, gate.Signed
	w.Barred = gate.Barred(by, votes)
	for _, v := range votes {
		if v.Refused == "" && v.Approves {
			w.Approvals++
		}
	}
	return w
}

func printInbox(out *Streams, by string, runs []*waiting) {
	if len(runs) == 0 {
		out.printf("no run waits for a vote\n")
		return
	}
	var t table
	t.head("RUN", "WHAT", "APPROVALS", "UNTIL", "MAY "+clean(by)+" VOTE", "DIGEST")
	for _, w := range runs {
		if w.Trouble != "" {
			t.add(text(w.ID), cell{"does not answer: " + clean(w.Trouble), yellow})
			continue
		}
		approvals, until, may := fmt.Sprintf("%d of %d", w.Approvals, w.Quorum), "", cell{"yes", green}
		if w.Signed {
			approvals += ", signed"
		}
		if !w.Deadline.IsZero() {
			until = w.Deadline.UTC().Format(time.RFC3339)
		}
		if w.Barred != "" {
			may = cell{"no: " + clean(w.Barred), faint}
		}
		t.add(text(w.ID), text(w.What), text(approvals), text(until), may, text(w.Digest))
	}
	t.print(out, "")
	out.printf("\nlook at one:  fleetjoin status RUN\nthen vote:    fleetjoin approve RUN --digest DIGEST [--key KEY]\n" +
		"              fleetjoin reject RUN --digest DIGEST --reason WHY [--key KEY]\n")
}
