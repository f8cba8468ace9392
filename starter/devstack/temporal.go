package devstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

const (
	temporalStart = 90 * time.Second // a cold disk and two busy cores
	temporalStop  = 15 * time.Second
	temporalEvery = 200 * time.Millisecond
)

// FindTemporal returns the temporal CLI: the one that is named, else the one on PATH, else bin/temporal here.
func FindTemporal(named string) (string, error) {
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("--temporal: %w; name the temporal CLI", err)
		}
		return filepath.Abs(path)
	}
	if path, err := exec.LookPath("temporal"); err == nil {
		return filepath.Abs(path)
	}
	if path, err := exec.LookPath(filepath.Join(".", "bin", "temporal")); err == nil {
		return filepath.Abs(path)
	}
	return "", errors.New("the temporal CLI is neither on PATH nor in ./bin; install it with: make tools")
}

// startTemporal runs the development server and waits until runs can be started on it. The server looks for free ports of its
// own, and between the look and the use another process may take one: that is tried again, with other ports where any will do.
func (s *stack) startTemporal(ctx context.Context) error {
	const tries = 5
	for try := 1; ; try++ {
		child, err := s.tryTemporal(ctx)
		if err == nil {
			s.onStop(func() error { return child.stop(temporalStop) })
			go func() {
				<-child.done
				s.failed <- endedByItself(child)
			}()
			return nil
		}
		if child == nil {
			return err
		}
		err = errors.Join(err, child.stop(temporalStop))
		if try == tries || !strings.Contains(child.said(), "address already in use") {
			return err
		}
	}
}

func endedByItself(child *process) error {
	return fmt.Errorf("the Temporal server ended by itself: %w%s", child.err, child.said())
}

// tryTemporal starts a server and waits until it serves. The child is nil when there is none.
func (s *stack) tryTemporal(ctx context.Context) (*process, error) {
	port, err := reserve(s.TemporalPort, "--temporal-port")
	if err != nil {
		return nil, err
	}
	ui, err := reserve(s.UIPort, "--ui-port")
	if err != nil {
		return nil, err
	}
	child, err := spawn(s.Temporal, temporalArgs(port, ui, s.StateDir), withoutTemporal(os.Environ()))
	if err != nil {
		return nil, fmt.Errorf("start the Temporal server: %w", err)
	}
	s.where.Temporal = net.JoinHostPort(loopback, strconv.Itoa(port))
	s.where.UI = "http://" + net.JoinHostPort(loopback, strconv.Itoa(ui))

	waiting, cancel := context.WithTimeout(ctx, temporalStart)
	defer cancel()
	tick := time.NewTicker(temporalEvery)
	defer tick.Stop()
	for {
		err := serves(waiting, s.where.Temporal)
		if err == nil {
			return child, nil
		}
		select {
		case <-child.done:
			return child, endedByItself(child)
		case <-waiting.Done():
			return child, fmt.Errorf("the Temporal server was not there within %v: %w%s", temporalStart, err, child.said())
		case <-tick.C:
		}
	}
}

// serves reports whether the server answers and knows our search attributes, which it learns a little later.
func serves(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := connect.Dial(ctx, connect.Options{Address: address, Name: "fleetjoin-dev"})
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.CheckSearchAttributes(ctx)
}

func temporalArgs(port, ui int, stateDir string) []string {
	args := []string{"server", "start-dev", "--ip", loopback, "--port", strconv.Itoa(port),
		"--ui-port", strconv.Itoa(ui), "--color", "never", "--log-level", "warn"}
	for _, a := range workflows.SearchAttributes() {
		args = append(args, "--search-attribute", fmt.Sprintf("%s=%s", a.Name, a.Type))
	}
	if stateDir != "" {
		args = append(args, "--db-filename", filepath.Join(stateDir, "temporal.db"),
			"--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=NORMAL")
	}
	return args
}

// withoutTemporal leaves out the variables that say which server to talk to: ours is that server.
func withoutTemporal(env []string) []string {
	var kept []string
	for _, v := range env {
		if !strings.HasPrefix(v, "TEMPORAL_") {
			kept = append(kept, v)
		}
	}
	return kept
}
