package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetjoin/fleetjoin/worker/connect"
)

// newWatch makes watch.
func newWatch(f *Factory) *cobra.Command {
	var run string
	cmd := &cobra.Command{
		Use:   "watch RUN",
		Short: "Follow a run until it ends or needs a person",
		Args:  oneRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			conn, err := f.Connect(ctx, f.Profile)
			if err != nil {
				return err
			}
			defer conn.Close()
			found, err := describe(ctx, conn, args[0], run)
			switch {
			case err != nil:
				return err
			case found.cohort:
				return fmt.Errorf("run %s is a cohort; watch its run", args[0])
			}
			// whatever its run id is by the time it ends
			return conclude(ctx, f, conn, begunRun{conn.GetWorkflow(ctx, args[0], run), found, begun(ctx, conn, args[0], found)})
		},
	}
	cmd.Long = cmd.Short + ".\n\nCtrl-C stops following; the run goes on.\n\n" + exitHelp
	runFlag(cmd, &run)
	return cmd
}

// begun is when a fleet was started: the first of the histories in which it has continued. It is zero when that cannot be
// told; then nothing is lost but a number on the terminal.
func begun(ctx context.Context, conn *connect.Connection, id string, found foundRun) time.Time {
	if found.first == "" || found.first == found.id {
		return found.started
	}
	d, err := conn.DescribeWorkflowExecution(ctx, id, found.first)
	if err != nil {
		return time.Time{}
	}
	return d.GetWorkflowExecutionInfo().GetStartTime().AsTime()
}

func runFlag(cmd *cobra.Command, run *string) {
	cmd.Flags().StringVar(run, "run-id", "", "Temporal's run id, for an earlier run of the same name")
}

// oneRun wants the id of a run as the only argument.
func oneRun(_ *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return fmt.Errorf("%d arguments; want the id of one run, as apply printed it", len(args))
	}
	return nil
}
