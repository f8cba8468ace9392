// Package cli is the operator's command line: one file per verb. Each verb is a struct of options, a constructor that
// parses flags into it and a function that does the work; streams and connections are handed in, so that all of it
// runs in a test as it does in a shell.
package cli

import (
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/release"
	"github.com/fleetjoin/fleetjoin/worker/connect"
)

// dialTimeout is short: an operator waits in front of it.
const dialTimeout = 10 * time.Second

// Factory is what every verb is made from.
type Factory struct {
	Streams
	Kinds   []membership.Kind
	Connect func(ctx context.Context, profile string) (*connect.Connection, error)

	// Set by the flags that all verbs share.
	Profile string
	JSON    bool
}

// NewFactory returns the factory of the real program. Its kinds describe and validate, and reach no cloud.
func NewFactory(s Streams) *Factory {
	return &Factory{Streams: s, Kinds: kinds.All(kinds.Clouds{}), Connect: dial}
}

func dial(ctx context.Context, profile string) (*connect.Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	// What the SDK warns about, such as a retry, is told again as an error when it matters.
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	return connect.Dial(ctx, connect.Options{Profile: profile, Name: "fleetjoin", Logger: quiet})
}

// Main runs the command line and returns the exit code.
func Main(ctx context.Context, args []string, s Streams) int {
	return run(ctx, NewFactory(s), args)
}

func run(ctx context.Context, f *Factory, args []string) int {
	parsed := false
	root := newRoot(f)
	root.SetArgs(append([]string{}, args...)) // nil would mean the arguments of the process
	root.PersistentPreRun = func(*cobra.Command, []string) { parsed = true }
	err := root.ExecuteContext(ctx)
	if err != nil && !parsed {
		err = &usageError{err}
	}
	return tell(f, err)
}

func newRoot(f *Factory) *cobra.Command {
	root := &cobra.Command{
		Use:   "fleetjoin",
		Short: "Move fleets of cloud instances into groups, durably",
		Long: `Move fleets of cloud instances into groups, durably.

How to reach Temporal comes from the TEMPORAL_* variables and from temporal.toml, as for the temporal CLI.

` + exitHelp,
		Version:       release.String(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(f.In)
	root.SetOut(f.Out)
	root.SetErr(f.Err)
	root.PersistentFlags().BoolVar(&f.JSON, "json", false, "print JSON of a stable shape")
	root.PersistentFlags().StringVar(&f.Profile, "profile", "", "profile of temporal.toml (TEMPORAL_PROFILE)")
	for _, group := range []cobra.Group{
		{ID: "runs", Title: "Start and follow runs:"},
		{ID: "controls", Title: "Steer a run:"},
		{ID: "setup", Title: "Look around and set up:"},
	} {
		root.AddGroup(&group)
	}
	add := func(group string, cmds ...*cobra.Command) {
		for _, cmd := range cmds {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add("runs", newPlan(f, nil), newApply(f, membership.Join, nil), newApply(f, membership.Leave, nil), newWatch(f),
		newStatus(f), newReport(f, nil), newRollback(f, nil), newInbox(f))
	add("controls", newControls(f, nil)...)
	add("setup", newDev(f, os.LookupEnv, nil), newKinds(f), newDoctor(f))
	return root
}
