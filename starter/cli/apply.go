package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// ApplyOptions are what apply and leave take.
type ApplyOptions struct {
	*Factory
	Source
	Operation membership.Operation
	ID        string
	Detach    bool
}

// newApply makes apply, which joins, and leave.
func newApply(f *Factory, op membership.Operation, runF func(context.Context, *ApplyOptions) error) *cobra.Command {
	o := &ApplyOptions{Factory: f, Operation: op}
	if runF == nil {
		runF = applyRun
	}
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Start a run that moves the members into the group, and follow it",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.args(args); err != nil {
				return err
			}
			return runF(cmd.Context(), o)
		},
	}
	if op == membership.Leave {
		cmd.Use, cmd.Short = "leave [FILE]", "Start a run that moves the members out of the group, and follow it"
	}
	cmd.Long = cmd.Short + ".\n\nCtrl-C stops following; the run goes on.\n\n" + exitHelp
	o.flags(cmd)
	cmd.Flags().StringVar(&o.ID, "id", "", "id of the run; by default one made of kind, group and members")
	cmd.Flags().BoolVar(&o.Detach, "detach", false, "start the run and do not follow it")
	return cmd
}

func applyRun(ctx context.Context, o *ApplyOptions) error {
	p, err := readPlan(o.Factory, &o.Source, o.Operation)
	if err != nil {
		return err
	}
	id := cmp.Or(o.ID, runID(p))
	if err := membership.Bad(membership.CheckRunID("id", id)); err != nil {
		return err
	}
	conn, err := o.Connect(ctx, o.Profile)
	if err != nil {
		return err
	}
	defer conn.Close()
	return begin(ctx, o.Factory, conn, p, id, o.Detach)
}

// begin starts a run and, unless it is let go, follows it to its end.
func begin(ctx context.Context, f *Factory, conn *connect.Connection, p fleet.Plan, id string, detach bool) error {
	run, err := start(ctx, conn, p, id)
	if err != nil {
		return err
	}
	switch {
	case f.JSON:
		if err := f.json(startedLine{ID: id, RunID: run.GetRunID(), Started: true}); err != nil {
			return err
		}
	case detach:
		f.printf("run %s is started\nfollow it: fleetjoin watch %s\n", id, id)
	default:
		f.printf("run %s: %s\n", id, summary(p))
	}
	if detach {
		if ids, err := conn.Pollers(ctx, workflows.TaskQueue); err == nil && len(ids) == 0 {
			f.notef("%s\n", noWorker(conn))
		}
		return nil
	}
	return conclude(ctx, f, conn, run)
}

// startedLine is what a run that has begun prints with --json.
type startedLine struct {
	ID      string `json:"id"`
	RunID   string `json:"runId"`
	Started bool   `json:"started"`
}
