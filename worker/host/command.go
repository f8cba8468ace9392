package host

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/fleetjoin/fleetjoin/cloud/release"
)

// Main runs the worker program with its arguments and returns its exit code: 0 when it was told to stop, 1 when it
// could not work.
func Main(ctx context.Context, args []string) int {
	cmd := newCommand()
	cmd.SetArgs(append([]string{}, args...)) // nil would mean the arguments of the process
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "fleetjoin-worker: %v\n", err)
		return 1
	}
	return 0
}

func newCommand() *cobra.Command {
	cfg := Defaults()
	cmd := &cobra.Command{
		Use:   "fleetjoin-worker --accounts FILE --store FOLDER",
		Short: "Run the workflows and activities of fleetjoin",
		Long: `Run the workflows and activities of fleetjoin until SIGTERM or SIGINT.

How to reach Temporal comes from the TEMPORAL_* variables and from temporal.toml, as for the temporal CLI.
Every other flag can be set by a variable: FLEETJOIN_LOG_LEVEL for --log-level, and so on.`,
		Version:       release.String(),
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := FromEnv(cmd.Flags(), os.LookupEnv); err != nil {
				return err
			}
			log, err := NewLogger(os.Stderr, cfg.LogFormat, cfg.LogLevel)
			if err != nil {
				return err
			}
			return Run(cmd.Context(), Options{Config: cfg, Logger: log})
		},
	}
	cfg.Flags(cmd.Flags())
	return cmd
}
