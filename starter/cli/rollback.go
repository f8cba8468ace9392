package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// RollbackOptions are what rollback takes.
type RollbackOptions struct {
	*Factory
	Run       string
	RunID     string
	ID        string
	Requester string
	Detach    bool
}

func newRollback(f *Factory, runF func(context.Context, *RollbackOptions) error) *cobra.Command {
	o := &RollbackOptions{Factory: f}
	if runF == nil {
		runF = rollbackRun
	}
	cmd := &cobra.Command{
		Use:   "rollback RUN",
		Short: "Start a run that puts back what a run did that has ended, and follow it",
		Long: "Start a run that puts back what a run did that has ended, and follow it.\n\n" +
			"Steps are put back in reverse. Members that are not as the run left them are told, and left alone.\n" +
			"People decide on it where they had to for the run. A run under way is ended by abort instead.\n\n" + exitHelp,
		Args: oneRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Run = args[0]
			return runF(cmd.Context(), o)
		},
	}
	runFlag(cmd, &o.RunID)
	fs := cmd.Flags()
	fs.StringVar(&o.ID, "id", "", "id of the run that is started; by default RUN-rollback")
	fs.StringVar(&o.Requester, "by", me(), "who asks for it: gates do not let them vote")
	fs.BoolVar(&o.Detach, "detach", false, "start the run and do not follow it")
	return cmd
}

func rollbackRun(ctx context.Context, o *RollbackOptions) error {
	id := cmp.Or(o.ID, o.Run+"-rollback")
	if err := membership.Bad(membership.CheckRunID("id", id)); err != nil {
		return err
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
		return fmt.Errorf("run %s is a cohort; roll its run back", o.Run)
	case found.running:
		return fmt.Errorf("run %s has not ended; to end it and put everything back: fleetjoin abort %s --then roll-back", o.Run, o.Run)
	}
	r, err := reportOf(ctx, conn.GetWorkflow(ctx, o.Run, o.RunID))
	if err != nil {
		return err
	}
	if r.Archive == "" {
		return fmt.Errorf("run %s ended before its members were found; there is nothing to put back", o.Run)
	}
	p := fleet.Plan{Name: cmp.Or(r.Name, o.Run) + ", rolled back", Requester: o.Requester, Rollback: r.Archive}
	err = attend(ctx, o.Factory, conn, nil, func(ctx context.Context) error {
		run, err := archive.Open(ctx, fromWorkers(conn), r.Archive)
		if err == nil {
			p.Approval, p.Pace = run.Plan.Approval, run.Plan.Pace
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("what is kept of run %s cannot be read: %w", o.Run, err)
	}
	return begin(ctx, o.Factory, conn, p, id, o.Detach)
}
