package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/starter/devstack"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// DoctorOptions are what doctor takes.
type DoctorOptions struct {
	*Factory
	Accounts string
	Temporal string
}

// finding is the answer to one question of the doctor.
type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

// diagnosis is what doctor prints with --json.
type diagnosis struct {
	OK     bool      `json:"ok"`
	Checks []finding `json:"checks"`
}

func newDoctor(f *Factory) *cobra.Command {
	o := &DoctorOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check that everything is there for runs to work, and say what to do where it is not",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return doctorRun(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.Accounts, "accounts", os.Getenv("FLEETJOIN_ACCOUNTS"), "accounts `file` to check, too")
	cmd.Flags().StringVar(&o.Temporal, "temporal", os.Getenv("FLEETJOIN_TEMPORAL"), "`path` of the temporal CLI")
	return cmd
}

func doctorRun(ctx context.Context, o *DoctorOptions) error {
	d := diagnosis{OK: true}
	add := func(all ...finding) {
		for _, one := range all {
			d.OK = d.OK && one.OK
			d.Checks = append(d.Checks, one)
		}
	}
	add(checkServer(ctx, o.Factory)...)
	add(checkTemporalCLI(ctx, o.Temporal))
	if o.Accounts != "" {
		add(checkAccounts(o.Accounts))
	}
	if o.JSON {
		if err := o.pretty(d); err != nil {
			return err
		}
	} else {
		printDiagnosis(&o.Streams, d)
	}
	if !d.OK {
		return exitWith(ExitCouldNotRun)
	}
	return nil
}

func printDiagnosis(out *Streams, d diagnosis) {
	for _, c := range d.Checks {
		mark := out.paint(green, "ok    ")
		if !c.OK {
			mark = out.paint(red, "failed")
		}
		out.printf("%s  %s: %s\n", mark, c.Name, c.Detail)
		if c.Fix != "" {
			out.printf("        → %s\n", strings.ReplaceAll(c.Fix, "\n", "\n          "))
		}
	}
}

// checkServer asks what needs a server. Without one there is nothing more to ask it.
func checkServer(ctx context.Context, f *Factory) []finding {
	conn, err := f.Connect(ctx, f.Profile)
	if err != nil {
		what, fix, _ := strings.Cut(err.Error(), "\n")
		return []finding{{Name: "Temporal", Detail: what, Fix: fix}}
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return []finding{
		{Name: "Temporal", OK: true, Detail: "answers at " + conn.Address},
		checkNamespace(ctx, conn),
		checkAttributes(ctx, conn),
		checkWorkers(ctx, conn),
	}
}

func checkNamespace(ctx context.Context, conn *connect.Connection) finding {
	c := finding{Name: "namespace"}
	answer, err := conn.WorkflowService().DescribeNamespace(ctx,
		&workflowservice.DescribeNamespaceRequest{Namespace: conn.Namespace})
	if err != nil {
		c.Detail = fmt.Sprintf("%s: %v", conn.Namespace, err)
		c.Fix = "set TEMPORAL_NAMESPACE, or create it: temporal operator namespace create -n " + conn.Namespace
		return c
	}
	kept := answer.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
	c.OK, c.Detail = true, fmt.Sprintf("%s keeps ended runs for %v", conn.Namespace, kept)
	return c
}

func checkAttributes(ctx context.Context, conn *connect.Connection) finding {
	c := finding{Name: "search attributes"}
	switch err := conn.CheckSearchAttributes(ctx); {
	case errors.Is(err, connect.ErrCannotTell):
		c.OK, c.Detail = true, err.Error()
	case err != nil:
		c.Detail, c.Fix, _ = strings.Cut(err.Error(), "\n")
	default:
		c.OK, c.Detail = true, fmt.Sprintf("all %d are there", len(workflows.SearchAttributes()))
	}
	return c
}

func checkWorkers(ctx context.Context, conn *connect.Connection) finding {
	c := finding{Name: "workers"}
	ids, err := conn.Pollers(ctx, workflows.TaskQueue)
	switch {
	case err != nil:
		c.Detail = err.Error()
	case len(ids) == 0:
		c.Detail = "none polls task queue " + workflows.TaskQueue
		c.Fix = "start one: fleetjoin-worker --accounts FILE --store FOLDER; or, to try things, fleetjoin dev"
	default:
		c.OK, c.Detail = true, fmt.Sprintf("%s task queue %s: %s", polls(len(ids)), workflows.TaskQueue, strings.Join(ids, ", "))
	}
	return c
}

func polls(n int) string {
	if n == 1 {
		return "1 polls"
	}
	return fmt.Sprintf("%d poll", n)
}

// checkTemporalCLI looks for the CLI; only dev needs it, but whoever operates runs wants it.
func checkTemporalCLI(ctx context.Context, named string) finding {
	c := finding{Name: "temporal CLI", Fix: "install it with: make tools"}
	path, err := devstack.FindTemporal(named)
	if err != nil {
		c.Detail = err.Error()
		return c
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		c.Detail = fmt.Sprintf("%s --version: %v", path, err)
		return c
	}
	return finding{Name: c.Name, OK: true, Detail: path + ": " + clean(strings.TrimSpace(string(out)))}
}

func checkAccounts(path string) finding {
	c := finding{Name: "accounts"}
	accounts, err := account.Load(path)
	if err != nil {
		c.Detail, c.Fix = err.Error(), "correct the file; deploy/docs describes it"
		return c
	}
	c.OK, c.Detail = true, fmt.Sprintf("%s: %s", path, strings.Join(accounts.Names(), ", "))
	if warnings := accounts.Warnings(); len(warnings) > 0 {
		c.Fix = strings.Join(warnings, "\n")
	}
	return c
}
