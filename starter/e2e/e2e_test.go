// Package e2e runs the programs as an operator does: scripts of fleetjoin and of the real temporal CLI against
// fleetjoin dev, which is a Temporal server, the simulated clouds and a worker. Run it with: make e2e
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/starter/cli"
	"github.com/fleetjoin/fleetjoin/starter/devstack"
	"github.com/fleetjoin/fleetjoin/worker/host"
)

var update = flag.Bool("update", false, "write what the scripts compare with")

// patience is how long a condition may take to come true on a busy machine.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	program := func(main func(context.Context, []string) int) func() {
		return func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			os.Exit(main(ctx, os.Args[1:]))
		}
	}
	testscript.Main(m, map[string]func(){
		"fleetjoin": program(func(ctx context.Context, args []string) int {
			return cli.Main(ctx, args, cli.System())
		}),
		"fleetjoin-worker": program(host.Main),
	})
}

func TestScripts(t *testing.T) { runScripts(t, "testdata") }

// runScripts runs the scripts of a folder.
func runScripts(t *testing.T, dir string) {
	temporal := findTemporal(t)
	folder, err := filepath.Abs("../../cloud/kinds")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Deadline:            time.Now().Add(4 * patience), // a script that hangs is ended, and its log is shown
		Setup: func(env *testscript.Env) error {
			bin := filepath.Join(env.WorkDir, ".bin")
			if err := os.Mkdir(bin, 0o700); err != nil {
				return err
			}
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("KINDS", folder)
			for _, name := range []string{"PORT", "HEALTH"} {
				port, err := freePort()
				if err != nil {
					return err
				}
				env.Setenv(name, port)
			}
			return os.Symlink(temporal, filepath.Join(bin, "temporal"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"capture":    capture,
			"digest":     digest,
			"exits":      exits,
			"eventually": eventually,
			"healthy":    healthy,
			"ready":      ready,
		},
	})
}

// Every kind has a script that applies every plan in its folder to its end; together they are one.
func TestPlans(t *testing.T) {
	whole, err := os.ReadFile("testdata/plans/all.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var tries []byte
	for _, k := range kinds.All(kinds.Clouds{}) {
		dir := filepath.Join("../..", kinds.Dir(k.Spec().ID))
		try, err := os.ReadFile(filepath.Join(dir, "try.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		plans, err := filepath.Glob(filepath.Join(dir, "plan*.*"))
		if err != nil || len(plans) == 0 {
			t.Fatalf("%s: no plans: %v", dir, err)
		}
		for _, plan := range plans {
			name := filepath.Base(dir) + "/" + filepath.Base(plan)
			applied := `(?m)^(exec|exits \d+) (fleetjoin (apply|leave)|temporal workflow execute) (.* )?\$KINDS/` + regexp.QuoteMeta(name) + `( |$)`
			if !regexp.MustCompile(applied).Match(try) {
				t.Errorf("%s/try.txtar does not apply %s", dir, name)
			}
		}
		tries = append(append(tries, try...), '\n')
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plans.txtar"), bytes.Replace(whole, []byte("TRY\n"), tries, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	runScripts(t, dir)
}

// findTemporal finds the CLI or fails: a suite that runs nothing must not look as if all were well.
func findTemporal(t *testing.T) string {
	t.Helper()
	path, err := devstack.FindTemporal(os.Getenv("FLEETJOIN_TEMPORAL"))
	if err == nil {
		return path
	}
	if made, err := filepath.Abs("../../bin/temporal"); err == nil {
		if _, err := exec.LookPath(made); err == nil {
			return made
		}
	}
	t.Fatalf("%v; or name it: FLEETJOIN_TEMPORAL=PATH", err)
	return ""
}

// exits runs a program that must end with a code: exits CODE PROGRAM [ARGS].
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGS]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// eventually runs a program until it succeeds and its output matches: eventually REGEXP PROGRAM [ARGS].
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually REGEXP PROGRAM [ARGS]")
	}
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	wait(ts, strings.Join(args[1:], " "), func() error {
		if err := ts.Exec(args[1], args[2:]...); err != nil {
			return err
		}
		if out := ts.ReadFile("stdout"); !want.MatchString(out) {
			return fmt.Errorf("no match for %s in %s", want, out)
		}
		return nil
	})
}

// healthy waits until a URL answers 200, with a text that matches: healthy URL [REGEXP].
func healthy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: healthy URL [REGEXP]")
	}
	want, err := regexp.Compile(strings.Join(args[1:], ""))
	ts.Check(err)
	wait(ts, args[0], func() error {
		answer, err := http.Get(args[0])
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }()
		if answer.StatusCode != http.StatusOK {
			return errors.New(answer.Status)
		}
		body, err := io.ReadAll(answer.Body)
		if err == nil && !want.Match(body) {
			err = fmt.Errorf("no match for %s in %d bytes", want, len(body))
		}
		return err
	})
}

// capture sets a variable to what a regular expression has in brackets, where it first matches what the last program
// printed: capture NAME REGEXP.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture NAME REGEXP")
	}
	want, err := regexp.Compile(args[1])
	ts.Check(err)
	found := want.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("no match for %s in %s", want, ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], found[1])
}

// digest sets DIGEST to the digest of a run's program, and puts it into files that say $DIGEST: digest RUN [FILE].
func digest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: digest RUN [FILE]")
	}
	ts.Check(ts.Exec("temporal", "workflow", "query", "--workflow-id", args[0], "--type", membership.QueryStatus))
	found := regexp.MustCompile(`"digest":"(sha256:[0-9a-f]{64})"`).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("run %s has no digest: %s", args[0], ts.ReadFile("stdout"))
	}
	ts.Setenv("DIGEST", found[1])
	for _, file := range args[1:] {
		text := strings.ReplaceAll(ts.ReadFile(file), "$DIGEST", found[1])
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

// freePort finds a port for a program that a script starts.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// ready waits for the file that fleetjoin dev writes, and sets TEMPORAL_ADDRESS, TEMPORAL_PORT, SIM, SIM_PORT, UI,
// ACCOUNTS and REQUEST: ready FILE.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready FILE")
	}
	var r devstack.Ready
	wait(ts, args[0], func() error {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if err != nil {
			return err
		}
		return json.Unmarshal(data, &r)
	})
	_, temporalPort, err := net.SplitHostPort(r.Temporal)
	ts.Check(err)
	sim, err := url.Parse(r.Sim)
	ts.Check(err)
	for name, value := range map[string]string{"TEMPORAL_ADDRESS": r.Temporal, "TEMPORAL_PORT": temporalPort,
		"SIM": r.Sim, "SIM_PORT": sim.Port(), "UI": r.UI, "ACCOUNTS": r.Accounts, "REQUEST": r.Request} {
		ts.Setenv(name, value)
	}
}

func wait(ts *testscript.TestScript, what string, condition func() error) {
	late := time.Now().Add(patience)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(late) {
			ts.Fatalf("%s: not within %v: %v", what, patience, err)
		}
		<-tick.C
	}
}
