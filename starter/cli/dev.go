package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
	"github.com/fleetjoin/fleetjoin/starter/devstack"
	"github.com/fleetjoin/fleetjoin/worker/host"
)

// The ports of dev: those of Temporal are the ones that its tools expect.
const (
	temporalPort = 7233
	uiPort       = 8233
	simPort      = 7280
)

// DevOptions are what dev takes.
type DevOptions struct {
	*Factory
	World     string
	State     string
	Temporal  string
	ReadyFile string
	Generate  int
	Ports     struct{ Temporal, UI, Sim int }
	Worker    host.Config
}

func newDev(f *Factory, lookup func(string) (string, bool), runF func(context.Context, *DevOptions) error) *cobra.Command {
	o := &DevOptions{Factory: f, Worker: host.Defaults()}
	o.Worker.LogFormat, o.Worker.LogLevel = "console", "warn"
	if runF == nil {
		runF = devRun
	}
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a Temporal server, simulated clouds and a worker on this machine",
		Long: "Run a Temporal server, simulated clouds and a worker on this machine, until Ctrl-C.\n\n" +
			"The temporal CLI comes from PATH, else from ./bin, where make tools puts it. Every flag can be set by a\n" +
			"variable: FLEETJOIN_SIM_PORT for --sim-port, and so on.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := host.FromEnv(cmd.Flags(), lookup); err != nil {
				return &usageError{err}
			}
			return runF(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.World, "world", "", "world `file` of the simulator; by default a small example")
	fs.IntVar(&o.Generate, "generate", 0, "add so many servers to the world")
	fs.StringVar(&o.State, "state", "", "`folder` that keeps runs and clouds over restarts, and then wins over --world; by default nothing is kept")
	fs.StringVar(&o.Temporal, "temporal", "", "`path` of the temporal CLI")
	fs.StringVar(&o.ReadyFile, "ready-file", "", "`file` to write, as JSON, once everything works: where it all is")
	fs.IntVar(&o.Ports.Temporal, "temporal-port", temporalPort, "port of Temporal; 0 takes a free one")
	fs.IntVar(&o.Ports.UI, "ui-port", uiPort, "port of Temporal's Web UI; 0 takes a free one")
	fs.IntVar(&o.Ports.Sim, "sim-port", simPort, "port of the simulator; 0 takes a free one")
	fs.DurationVar(&o.Worker.Poll, "poll", o.Worker.Poll, "how often to look while waiting for the cloud")
	fs.DurationVar(&o.Worker.Slice, "slice", o.Worker.Slice, "how long one activity runs before its state is recorded")
	fs.StringVar(&o.Worker.Targets, "targets", ".", "`folder` of the target files that plans may name")
	fs.StringVar(&o.Worker.Signers, "allowed-signers", "", "`file` of the keys that may sign votes, as OpenSSH's allowed_signers")
	fs.IntVar(&o.Worker.Parallel, "parallel", o.Worker.Parallel, "most writes under way at once in one activity")
	fs.StringVar(&o.Worker.Metrics, "metrics", "", "serve the worker's /metrics, for Prometheus, at this `address`")
	fs.StringVar(&o.Worker.LogFormat, "log-format", o.Worker.LogFormat, "json or console")
	fs.StringVar(&o.Worker.LogLevel, "log-level", o.Worker.LogLevel, "debug, info, warn or error")
	return cmd
}

func devRun(ctx context.Context, o *DevOptions) error {
	log, err := host.NewLogger(o.Err, o.Worker.LogFormat, o.Worker.LogLevel)
	if err != nil {
		return &usageError{err}
	}
	w, err := o.loadWorld()
	if err != nil {
		return err
	}
	temporal, err := devstack.FindTemporal(o.Temporal)
	if err != nil {
		return err
	}
	o.notef("starting a Temporal server, the simulator and a worker …\n")
	err = devstack.Run(ctx, devstack.Options{
		World: w, StateDir: o.State, Temporal: temporal,
		TemporalPort: o.Ports.Temporal, UIPort: o.Ports.UI, SimPort: o.Ports.Sim,
		Worker: o.Worker, Logger: log,
	}, func(r devstack.Ready) error { return printReady(o, r) })
	if o.ReadyFile != "" {
		_ = os.Remove(o.ReadyFile) // it may never have been written
	}
	if err == nil {
		o.notef("stopped\n")
	}
	return err
}

func (o *DevOptions) loadWorld() (world.World, error) {
	var w world.World
	var err error
	if o.World == "" {
		w, err = devstack.ExampleWorld()
	} else {
		w, err = world.Load(o.World)
	}
	if err != nil {
		return w, err
	}
	return devstack.Generate(w, o.Generate)
}

// printReady tells where everything is.
func printReady(o *DevOptions, r devstack.Ready) error {
	if o.ReadyFile != "" {
		if err := writeReady(o.ReadyFile, r); err != nil {
			return fmt.Errorf("--ready-file: %w", err)
		}
	}
	if o.JSON {
		return o.json(r)
	}
	o.printf("\nWeb UI     %s\nsimulator  %s\naccounts   %s\n\n", o.paint(bold, r.UI), r.Sim, r.Accounts)
	o.printf("In another terminal:\n\n  export TEMPORAL_ADDRESS=%s\n", r.Temporal)
	if r.Request != "" {
		o.printf("  fleetjoin plan %s\n", r.Request)
	} else {
		o.printf("  fleetjoin doctor\n")
	}
	o.printf("\nCtrl-C stops everything.\n")
	return nil
}

// writeReady puts the file in place at once, so that who waits for it never reads half of it.
func writeReady(path string, r devstack.Ready) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return writeFile(path, func(to io.Writer) error {
		_, err := to.Write(append(data, '\n'))
		return err
	})
}
