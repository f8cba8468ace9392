package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
)

// PlanOptions are what plan takes.
type PlanOptions struct {
	*Factory
	Source
	Operation string
	All       bool // every member of a fleet
}

func newPlan(f *Factory, runF func(context.Context, *PlanOptions) error) *cobra.Command {
	o := &PlanOptions{Factory: f}
	if runF == nil {
		runF = planRun
	}
	cmd := &cobra.Command{
		Use:   "plan [FILE]",
		Short: "Show what would be done, to which member, and who is refused and why",
		Long: "Show what would be done, to which member, and who is refused and why.\n\n" +
			"Nothing is changed. The exit code is 3 when a member would be refused.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.args(args); err != nil {
				return err
			}
			return runF(cmd.Context(), o)
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.Operation, "operation", string(membership.Join), "join or leave")
	cmd.Flags().BoolVar(&o.All, "all", false, "list every group and every member of a fleet, not only what is refused")
	return cmd
}

func planRun(ctx context.Context, o *PlanOptions) error {
	op := membership.Operation(o.Operation)
	if op != membership.Join && op != membership.Leave {
		return badValue("--operation", o.Operation, "want join or leave")
	}
	p, err := readPlan(o.Factory, &o.Source, op)
	if err != nil {
		return err
	}
	return previewRun(ctx, o, p)
}

// awaitPlan waits for the answer of a plan, says when nobody makes one, and takes the question back when the operator
// leaves.
func awaitPlan(ctx context.Context, f *Factory, conn *connect.Connection, run client.WorkflowRun, into any) error {
	p := planProgress{conn: conn, run: run, now: time.Now}
	err := attend(ctx, f, conn, p.words, func(ctx context.Context) error {
		err := answered(ctx, func() error { return run.Get(ctx, into) })
		if err != nil {
			return ended(run.GetID(), err)
		}
		return nil
	})
	if ctx.Err() != nil {
		taking, cancel := context.WithTimeout(context.WithoutCancel(ctx), queryTimeout)
		defer cancel()
		_ = conn.CancelWorkflow(taking, run.GetID(), run.GetRunID()) // it ends by its timeout anyway
	}
	return err
}

func printGate(out *Streams, g *membership.Gate, before string) {
	if g != nil {
		out.printf("needs %s before %s, within %s, and not from %s\n", clean(g.Needs()), before, shortly(g.Timeout.Std()), clean(g.Requester))
	}
}

// planned adds a member as it was seen when it was planned; what is done with it when something is.
func (t *table) planned(m membership.Member, what string) {
	row := []cell{text(m.ID), text(unlessSame(m.Name, m.ID)), {what, bold}, text(facts(m.Before)), {}}
	switch {
	case len(m.Refused) > 0:
		row[2] = cell{string(membership.Refused), yellow}
	case m.Already:
		row[2] = cell{string(membership.Already), green}
	}
	if len(m.Refused) == 0 {
		t.add(row...)
	}
	for _, o := range m.Refused {
		row[4] = text(o.String())
		t.add(row...)
		row = make([]cell, len(row))
	}
}

// foreseen is what would become of members, in a line.
func foreseen(f fleet.Foreseen, op membership.Operation) string {
	return fmt.Sprintf("%d to %s, %d already, %d refused", f.Due, op, f.Already, f.Refused)
}

func printStages(out *Streams, stages []membership.Stage) {
	var t table
	for _, s := range stages {
		undo := "no undo"
		if s.Undo != "" {
			undo = "undo: " + s.Undo
		}
		t.add(text(s.Name), cell{string(s.Risk), riskPaint(s.Risk)}, text("within "+shortly(s.Timeout.Std())),
			text(s.Help), text(undo))
	}
	t.print(out, "  ")
}

// shortly writes a duration without the zeros that Go ends it with: "10m", not "10m0s".
func shortly(d time.Duration) string {
	text := d.String()
	if d%time.Minute == 0 {
		text = strings.TrimSuffix(text, "0s")
	}
	if d%time.Hour == 0 {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func riskPaint(r membership.Risk) paint {
	switch r {
	case membership.Destructive:
		return red
	case membership.Disruptive:
		return yellow
	}
	return plain
}

// unlessSame returns a name unless it only repeats the id.
func unlessSame(name, id string) string {
	if name == id {
		return ""
	}
	return name
}

func pairs(m map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return out
}
