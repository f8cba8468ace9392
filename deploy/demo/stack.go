package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/starter/cli"
	"github.com/fleetjoin/fleetjoin/starter/devstack"
)

// stack is a `fleetjoin dev` that runs, and the programs that talk to it.
type stack struct {
	where devstack.Ready
	stop  func()
}

// startStack runs `fleetjoin dev` on free ports and waits until it is ready.
func startStack(ctx context.Context, state, worldFile string) (*stack, error) {
	ready := filepath.Join(state, "ready.json")
	cmd := exec.CommandContext(ctx, "bin/fleetjoin", "dev", "--world", worldFile, "--state", state, "--ready-file", ready,
		"--temporal-port", "0", "--ui-port", "0", "--sim-port", "0")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	log, err := os.Create(filepath.Join(state, "dev.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	fmt.Println("starting a Temporal server, the simulator and a worker …")
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (make build)", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	s := &stack{stop: func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
	}}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		data, err := os.ReadFile(ready)
		if err == nil && json.Unmarshal(data, &s.where) == nil {
			return s, nil
		}
		select {
		case <-tick.C:
		case <-ended:
			said, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("the stack did not start:\n%s", said)
		}
	}
}

// apply starts a run and follows it to its end; somebody else than the requester approves it, if it asks for that.
func (s *stack) apply(ctx context.Context, file string, m move) error {
	if !m.wipes {
		return s.fleetjoin(ctx, m.exit, "apply", file, "--id", m.name)
	}
	if err := s.fleetjoin(ctx, cli.ExitAwaitsApproval, "apply", file, "--id", m.name); err != nil {
		return err
	}
	var status membership.Status
	out, err := s.output(ctx, "status", m.name, "--json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, &status); err != nil {
		return fmt.Errorf("fleetjoin status: %w", err)
	}
	if err := s.fleetjoin(ctx, cli.ExitOK, "approve", m.name, "--by", "bob", "--digest", status.Digest); err != nil {
		return err
	}
	return s.fleetjoin(ctx, m.exit, "watch", m.name)
}

// report returns the truth that the run told.
func (s *stack) report(ctx context.Context, m move) (r membership.Report, err error) {
	out, err := s.output(ctx, "report", m.name, "--json")
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("fleetjoin report: %w", err)
	}
	return r, nil
}

// fleetjoin runs the operator's CLI in front of everybody and wants its exit code.
func (s *stack) fleetjoin(ctx context.Context, want int, args ...string) error {
	fmt.Println("$ fleetjoin", strings.Join(args, " "))
	got, err := s.exec(ctx, os.Stdout, args...)
	if err == nil && got != want {
		err = fmt.Errorf("fleetjoin %s ended with %d, and was to end with %d", args[0], got, want)
	}
	return err
}

// output runs the operator's CLI and returns what it printed, whatever its exit code says about the run.
func (s *stack) output(ctx context.Context, args ...string) ([]byte, error) {
	var out bytes.Buffer
	_, err := s.exec(ctx, &out, args...)
	return out.Bytes(), err
}

func (s *stack) exec(ctx context.Context, out io.Writer, args ...string) (code int, err error) {
	cmd := exec.CommandContext(ctx, "bin/fleetjoin", args...)
	cmd.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+s.where.Temporal)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// get asks the simulator's control plane.
func (s *stack) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.where.Sim+path, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return json.NewDecoder(answer.Body).Decode(into)
}
