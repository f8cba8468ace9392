package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/control"
	"github.com/fleetjoin/fleetjoin/starter/cli"
	"github.com/fleetjoin/fleetjoin/starter/devstack"
)

// look is how often the demo looks whether what it waits for has come true.
const look = 100 * time.Millisecond

// stack is a Temporal server, the simulator and a worker, and the programs that talk to them.
type stack struct {
	where   devstack.Ready
	state   string // the folder of all that they keep
	running []*process
}

// startDev runs `fleetjoin dev` on free ports and waits until it is ready.
func startDev(ctx context.Context, state, worldFile string) (*stack, error) {
	s := &stack{state: state}
	ready := filepath.Join(state, "ready.json")
	fmt.Println("starting a Temporal server, the simulator and a worker …")
	dev, err := s.spawn(ctx, "bin/fleetjoin", "dev", "--world", worldFile, "--state", state, "--ready-file", ready,
		"--temporal-port", "0", "--ui-port", "0", "--sim-port", "0")
	if err != nil {
		return nil, err
	}
	err = dev.ready(ctx, func(context.Context) error {
		data, err := os.ReadFile(ready)
		if err != nil {
			return err
		}
		return json.Unmarshal(data, &s.where)
	})
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// spawn starts a program that runs beside the demo.
func (s *stack) spawn(ctx context.Context, path string, args ...string) (*process, error) {
	p, err := spawn(ctx, s.environment(), filepath.Join(s.state, filepath.Base(path)+".log"), path, args...)
	if err == nil {
		s.running = append(s.running, p)
	}
	return p, err
}

// stop ends what runs, in the opposite order.
func (s *stack) stop() {
	for i := len(s.running) - 1; i >= 0; i-- {
		s.running[i].stop()
	}
	s.running = nil
}

// environment is the machine's, but for what would lead to another Temporal server or set up another worker.
func (s *stack) environment() (env []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TEMPORAL_") && !strings.HasPrefix(v, "FLEETJOIN_") {
			env = append(env, v)
		}
	}
	if s.where.Temporal != "" {
		env = append(env, "TEMPORAL_ADDRESS="+s.where.Temporal)
	}
	return env
}

// apply starts a run and follows it to its end; somebody else than the requester approves it, if it asks for that.
func (s *stack) apply(ctx context.Context, file string, m move) error {
	if !m.Wipes {
		return s.run(ctx, m.Exit, "fleetjoin", "apply", file, "--id", m.Name)
	}
	if err := s.run(ctx, cli.ExitAwaitsApproval, "fleetjoin", "apply", file, "--id", m.Name); err != nil {
		return err
	}
	var status membership.Status
	if err := s.ask(ctx, &status, "status", m.Name, "--json"); err != nil {
		return err
	}
	if err := s.run(ctx, cli.ExitOK, "fleetjoin", "approve", m.Name, "--by", "bob", "--digest", status.Digest); err != nil {
		return err
	}
	return s.run(ctx, m.Exit, "fleetjoin", "watch", m.Name)
}

// run runs a program in front of everybody and wants its exit code.
func (s *stack) run(ctx context.Context, want int, program string, args ...string) error {
	fmt.Println("\n$", commandLine(program, args))
	// What it says on standard error is part of the story.
	got, err := s.exec(ctx, os.Stdout, os.Stdout, program, args...)
	switch {
	case err != nil || got == want:
		return err
	case ctx.Err() != nil: // it was told to stop
		return ctx.Err()
	default:
		return fmt.Errorf("%s %s ended with %d, and was to end with %d", program, args[0], got, want)
	}
}

// ask runs fleetjoin behind the scenes and reads the JSON that it prints, whatever its exit code says about the run.
func (s *stack) ask(ctx context.Context, into any, args ...string) error {
	var out bytes.Buffer
	if _, err := s.exec(ctx, &out, os.Stderr, "fleetjoin", args...); err != nil {
		return err
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		return fmt.Errorf("fleetjoin %s: %w: %s", strings.Join(args, " "), err, &out)
	}
	return nil
}

// exec runs fleetjoin or the temporal CLI.
func (s *stack) exec(ctx context.Context, stdout, stderr io.Writer, program string, args ...string) (code int, err error) {
	path, err := locate(program)
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopsWithin
	cmd.Env, cmd.Stdout, cmd.Stderr = s.environment(), stdout, stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// locate returns where a program is.
func locate(program string) (string, error) {
	if program == "temporal" {
		return devstack.FindTemporal("")
	}
	return filepath.Join("bin", program), nil
}

var plain = regexp.MustCompile(`^[\w./:=@%+,-]+$`)

// commandLine is what one would type into a shell.
func commandLine(program string, args []string) string {
	words := []string{program}
	for _, a := range args {
		if !plain.MatchString(a) {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// plane is the simulator's control plane.
func (s *stack) plane() control.Plane { return control.Plane(s.where.Sim) }
