// Command fleetjoin-worker does the work: it runs the workflows and activities that move members into groups.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/fleetjoin/fleetjoin/worker/host"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "fleetjoin-worker: %v\n", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	cfg := host.Defaults()
	cmd := &cobra.Command{
		Use:   "fleetjoin-worker --accounts FILE",
		Short: "Run the workflows and activities of fleetjoin",
		Long: `Run the workflows and activities of fleetjoin until SIGTERM or SIGINT.

How to reach Temporal comes from the TEMPORAL_* variables and from temporal.toml, as for the temporal CLI.
Every other flag can be set by a variable: FLEETJOIN_LOG_LEVEL for --log-level, and so on.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := host.FromEnv(cmd.Flags(), os.LookupEnv); err != nil {
				return err
			}
			log, err := host.NewLogger(os.Stderr, cfg.LogFormat, cfg.LogLevel)
			if err != nil {
				return err
			}
			return host.Run(cmd.Context(), host.Options{Config: cfg, Logger: log})
		},
	}
	cfg.Flags(cmd.Flags())
	return cmd
}
