package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// testFactory returns a factory that reaches nothing, and what it prints.
func testFactory(t *testing.T) (f *Factory, out, errs *bytes.Buffer) {
	t.Helper()
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	f = &Factory{Streams: Streams{In: &bytes.Buffer{}, Out: out, Err: errs}, Kinds: kinds.All(kinds.Clouds{}),
		Connect: func(context.Context, string) (*connect.Connection, error) {
			return nil, &connect.UnreachableError{Address: "temporal.example:7233", Err: errors.New("refused")}
		}}
	return f, out, errs
}

func TestExitCodesOfTheCommandLine(t *testing.T) {
	t.Parallel()
	good := []string{"--kind", "huawei.servergroup", "--account", "demo", "--group", group, "--member", web1}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no verb":           {nil, ExitOK, ""},
		"unknown verb":      {[]string{"aply"}, ExitBadInput, "unknown command"},
		"unknown flag":      {[]string{"plan", "--fast"}, ExitBadInput, "unknown flag: --fast"},
		"two files":         {[]string{"plan", "-f", "a", "b"}, ExitBadInput, "two request files"},
		"no run":            {[]string{"watch"}, ExitBadInput, "want the id of one run"},
		"two runs":          {[]string{"status", "a", "b"}, ExitBadInput, "want the id of one run"},
		"bad request":       {[]string{"apply", "nofile.yaml"}, ExitBadInput, "does not exist"},
		"bad operation":     {append([]string{"plan", "--operation", "jump"}, good...), ExitBadInput, `--operation: "jump"`},
		"unknown kind":      {[]string{"kinds", "nope"}, ExitBadInput, `"nope": is not a kind`},
		"skip, no reason":   {[]string{"skip", "run-1"}, ExitBadInput, "--reason: is missing"},
		"bad port":          {[]string{"dev", "--sim-port", "x"}, ExitBadInput, "invalid argument"},
		"bad log level":     {[]string{"dev", "--log-level", "loud"}, ExitBadInput, "--log-level"},
		"missing world":     {[]string{"dev", "--world", "none.yaml"}, ExitCouldNotRun, "none.yaml"},
		"negative generate": {[]string{"dev", "--generate", "-1"}, ExitCouldNotRun, "--generate: -1"},
		"plan, no server":   {append([]string{"plan"}, good...), ExitCouldNotRun, "does not answer at temporal.example:7233"},
		"apply, no server":  {append([]string{"apply"}, good...), ExitCouldNotRun, "TEMPORAL_ADDRESS"},
		"abort, no server":  {[]string{"abort", "run-1"}, ExitCouldNotRun, "fleetjoin dev"},
		"kinds":             {[]string{"kinds"}, ExitOK, ""},
		"help of a verb":    {[]string{"apply", "--help"}, ExitOK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _, errs := testFactory(t)
			require.Equal(t, c.code, run(t.Context(), f, c.args), errs.String())
			require.Contains(t, errs.String(), c.says)
		})
	}
}

func TestHelpOfStatusKnowsItsExitCodes(t *testing.T) {
	t.Parallel()
	f, out, _ := testFactory(t)
	require.Equal(t, ExitOK, run(t.Context(), f, []string{"status", "--help"}))
	for _, p := range []membership.Phase{membership.Waiting, membership.Stopped, membership.Awaiting, membership.Running} {
		require.Contains(t, out.String(), fmt.Sprint(tell(f, exitIn(p))), p)
	}
}

func TestErrorsAsJSON(t *testing.T) {
	t.Parallel()
	f, out, _ := testFactory(t)
	code := run(t.Context(), f, []string{"plan", "--json", "--kind", "nope", "--account", "demo", "--group", "g", "--member", "m"})
	require.Equal(t, ExitBadInput, code)
	var got failure
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	require.Equal(t, ExitBadInput, got.Exit)
	require.Equal(t, "kind", got.Problems[0].Field)
}

func TestFlagsReachTheVerbs(t *testing.T) {
	t.Parallel()
	f, _, _ := testFactory(t)
	var apply ApplyOptions
	cmd := newApply(f, membership.Leave, func(_ context.Context, o *ApplyOptions) error { apply = *o; return nil })
	cmd.SetArgs([]string{"--id", "mine", "--detach", "file.yaml"})
	require.NoError(t, cmd.ExecuteContext(t.Context()))
	require.Equal(t, ApplyOptions{Factory: f, Source: Source{File: "file.yaml"}, Operation: membership.Leave, ID: "mine", Detach: true}, apply)

	var steered []ControlOptions
	for _, cmd := range newControls(f, func(_ context.Context, o *ControlOptions) error { steered = append(steered, *o); return nil }) {
		args := []string{"run-1", "--by", "me", "--reason", "seen it"}
		if cmd.Flags().Lookup("digest") != nil {
			cmd.SetArgs(args)
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			require.ErrorContains(t, cmd.ExecuteContext(t.Context()), "--digest: is missing")
			args = append(args, "--digest", "sha256:d")
		}
		cmd.SetArgs(args)
		require.NoError(t, cmd.ExecuteContext(t.Context()))
	}
	require.Len(t, steered, 9)
	for _, o := range steered {
		want := membership.Control{By: "me", Reason: "seen it"}
		if o.Name == membership.ControlApprove || o.Name == membership.ControlReject {
			want.Digest = "sha256:d"
		}
		require.Equal(t, ControlOptions{Factory: f, Name: o.Name, Run: "run-1", Control: fleet.Control{Control: want}}, o)
	}

	var dev DevOptions
	env := func(name string) (string, bool) {
		return "4711", name == "FLEETJOIN_SIM_PORT" || name == "FLEETJOIN_UI_PORT"
	}
	cmd = newDev(f, env, func(_ context.Context, o *DevOptions) error { dev = *o; return nil })
	cmd.SetArgs([]string{"--ui-port", "0", "--poll", "100ms"})
	require.NoError(t, cmd.ExecuteContext(t.Context()))
	require.Equal(t, 4711, dev.Ports.Sim)
	require.Equal(t, 0, dev.Ports.UI, "the command line wins over the environment")
	require.Equal(t, 100*time.Millisecond, dev.Worker.Poll)
}

func TestExitOfEveryRunOutcome(t *testing.T) {
	t.Parallel()
	for outcome, code := range map[membership.RunOutcome]int{
		membership.RunSucceeded: ExitOK, membership.RunRefused: ExitRefused, membership.RunCancelled: ExitRolledBack,
		membership.RunRolledBack: ExitRolledBack, membership.RunIncomplete: ExitNeedsPerson,
		"something new": ExitNeedsPerson,
	} {
		require.Equal(t, code, exitOf(outcome, nil), outcome)
	}
	require.Equal(t, ExitRefused, exitOf(membership.RunPartial, map[membership.Outcome]int{membership.Joined: 32, membership.Refused: 5}))
	require.Equal(t, ExitRolledBack, exitOf(membership.RunPartial, map[membership.Outcome]int{membership.Joined: 32, membership.RolledBack: 5}))
}

func TestRunIDIgnoresTheOrderOfMembers(t *testing.T) {
	t.Parallel()
	of := func(members ...string) fleet.Plan {
		return fleet.Plan{Step: fleet.Step{Kind: "k", Group: "g", Members: members}}
	}
	a, b := of("1", "2"), of("2", "1")
	require.Equal(t, runID(a), runID(b))
	require.NotEqual(t, runID(a), runID(of("12")))
	require.Regexp(t, `^join-k-g-[0-9a-f]{8}$`, runID(a))
	require.Equal(t, []string{"2", "1"}, b.Members, "the plan stays as it was")
}

// ranTo is a run that has ended.
type ranTo struct {
	client.WorkflowRun
	report fleet.Report
	err    error
}

func (r ranTo) GetID() string { return "run-1" }
func (r ranTo) Get(_ context.Context, into any) error {
	*into.(*fleet.Report) = r.report
	return r.err
}

func TestReportOfEveryEnd(t *testing.T) {
	t.Parallel()
	report := fleet.Report{Outcome: membership.RunRolledBack, Counts: map[membership.Outcome]int{membership.RolledBack: 1}}
	failed := func(kind string, details ...any) error {
		return temporal.NewNonRetryableApplicationError("text", kind, nil, details...)
	}
	for name, c := range map[string]struct {
		err  error
		want int
		says string
	}{
		"succeeded":               {nil, ExitOK, ""},
		"rolled back":             {failed(workflows.ErrRolledBack, report), ExitOK, ""},
		"rollback incomplete":     {failed(workflows.ErrRollbackIncomplete, report), ExitOK, ""},
		"cancelled":               {temporal.NewCanceledError(report), ExitOK, ""},
		"cancelled while planned": {temporal.NewCanceledError(), ExitRolledBack, "before anything was touched"},
		"bad input":               {failed(workflows.ErrBadInput, []membership.Problem{{Field: "account", Want: "is unknown"}}), ExitBadInput, "account: is unknown"},
		"bad input, no details":   {failed(workflows.ErrBadInput), ExitBadInput, "text"},
		"rubbish details":         {failed(workflows.ErrRolledBack, 42), ExitCouldNotRun, "text"},
		"cloud refused":           {failed(workflows.ErrCloudRefused), ExitCouldNotRun, "nothing was touched: text"},
		"another error":           {failed("Other"), ExitCouldNotRun, "run run-1"},
		"gone": {&serviceerror.NotFound{}, ExitCouldNotRun, `there is no run "run-1" in this namespace; list them with: ` +
			`temporal workflow list --query 'WorkflowType IN ("Fleet", "Join", "Leave")'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wire := temporal.GetDefaultFailureConverter()
			err := c.err
			var gone *serviceerror.NotFound
			if err != nil && !errors.As(err, &gone) {
				err = wire.FailureToError(wire.ErrorToFailure(err)) // as it comes from a server
			}
			got, err := reportOf(t.Context(), ranTo{report: report, err: err})
			f, _, errs := testFactory(t)
			require.Equal(t, c.want, tell(f, err))
			require.Contains(t, errs.String(), c.says)
			if c.want == ExitOK {
				require.Equal(t, report, got)
			}
		})
	}
}

func TestAServerThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	t.Parallel()
	trouble := []error{&serviceerror.Unavailable{}, context.DeadlineExceeded, &serviceerror.NotFound{}}
	asked := 0
	err := answered(t.Context(), func() error { asked++; return trouble[asked-1] })
	require.ErrorIs(t, err, trouble[2], "what is about the run is told")
	require.Equal(t, len(trouble), asked)

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, answered(gone, func() error { return &serviceerror.Unavailable{} }))
}
