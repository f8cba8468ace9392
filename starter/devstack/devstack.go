// Package devstack runs everything that fleetjoin needs on one machine: a Temporal development server as a child
// process, the simulator of the clouds and a worker in this one. What it started it also stops, however it ends.
package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
	"github.com/fleetjoin/fleetjoin/worker/host"
)

// Options say what to run, and where.
type Options struct {
	World    world.World // the simulator's first one; it is not used when the state folder holds one
	StateDir string      // "" keeps everything in memory and in a temporary folder
	Temporal string      // the temporal CLI's path, see FindTemporal
	// Ports on loopback; 0 takes a free one.
	TemporalPort, UIPort, SimPort int
	Worker                        host.Config // its accounts file is written by the stack
	Logger                        *slog.Logger
}

// storeFolder is where fleets keep their records, beside the accounts file.
const storeFolder = "store"

// Ready is where everything is, once it is there. It is the content of the ready file.
type Ready struct {
	Temporal string `json:"temporal"` // host:port
	UI       string `json:"ui"`       // URL
	Sim      string `json:"sim"`      // URL
	Accounts string `json:"accounts"` // path of the worker's accounts file
	Request  string `json:"request"`  // path of a request to try, "" when the world has none to offer
}

// Run starts the stack, calls ready once all of it works, and keeps it until the context is done: then it stops
// everything, the worker first, and returns nil. When a part cannot start or dies, it stops the rest and says why.
func Run(ctx context.Context, o Options, ready func(Ready) error) (err error) {
	s := &stack{Options: o, failed: make(chan error, 3)}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop while starting: whatever failed, failed because of that
		}
		return err
	}
	if err := ready(s.where); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}

// stack is what runs, and how to stop it: undo holds the stops in the order of the starts.
type stack struct {
	Options
	where  Ready
	undo   []func() error
	failed chan error
}

func (s *stack) start(ctx context.Context) error {
	if err := s.openState(); err != nil {
		return err
	}
	if err := s.startSim(); err != nil {
		return err
	}
	if err := s.writeFiles(); err != nil {
		return err
	}
	if err := s.startTemporal(ctx); err != nil {
		return err
	}
	return s.startWorker(ctx)
}

func (s *stack) stop() error {
	var errs []error
	for i := len(s.undo) - 1; i >= 0; i-- {
		errs = append(errs, s.undo[i]())
	}
	return errors.Join(errs...)
}

func (s *stack) onStop(f func() error) { s.undo = append(s.undo, f) }

// openState makes the state folder and keeps a second stack out of it.
func (s *stack) openState() error {
	if s.StateDir == "" {
		dir, err := os.MkdirTemp("", "fleetjoin-dev-")
		if err != nil {
			return err
		}
		s.onStop(func() error { return os.RemoveAll(dir) })
		s.where.Accounts = filepath.Join(dir, accountsFile)
		return nil
	}
	dir, err := filepath.Abs(s.StateDir)
	if err != nil {
		return err
	}
	s.StateDir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("--state: %w; name a folder that can be made or written", err)
	}
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return fmt.Errorf("--state: %s is in use by another fleetjoin dev (%w); choose another folder", dir, err)
	}
	s.onStop(unlock)
	s.where.Accounts = filepath.Join(dir, accountsFile)
	return nil
}

func (s *stack) startSim() error {
	l, err := listen(s.SimPort, "--sim-port")
	if err != nil {
		return err
	}
	o := sim.Options{World: s.World}
	if s.StateDir != "" {
		o.StateDir = filepath.Join(s.StateDir, "sim")
	}
	clouds, err := sim.New(o)
	if err != nil {
		_ = l.Close() // the simulator's error is the one that matters
		return fmt.Errorf("simulator: %w", err)
	}
	server := &http.Server{Handler: clouds, ReadHeaderTimeout: 10 * time.Second}
	s.onStop(clouds.Close)
	s.onStop(server.Close)
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("simulator: %w", err)
		}
	}()
	s.where.Sim = "http://" + l.Addr().String()
	s.World = clouds.World() // what a state folder holds wins over what we were given
	return nil
}

func (s *stack) startWorker(ctx context.Context) error {
	cfg := s.Worker
	cfg.Accounts = s.where.Accounts
	if cfg.Store == "" {
		cfg.Store = filepath.Join(filepath.Dir(s.where.Accounts), storeFolder)
		if err := os.MkdirAll(cfg.Store, 0o700); err != nil {
			return err
		}
	}
	// The worker gets a context of its own, so that it is stopped in its turn and not with everything else at once.
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	polls, done := make(chan struct{}), make(chan error, 1)
	go func() {
		err := host.Run(working, host.Options{Config: cfg, Address: s.where.Temporal, Logger: s.Logger,
			Ready: func() { close(polls) }})
		if err != nil {
			err = fmt.Errorf("worker: %w", err)
		}
		done <- err
		if err != nil {
			s.failed <- err
		}
	}()
	s.onStop(func() error {
		cancel()
		<-done // its error, if any, was what made the stack fail
		return nil
	})
	select {
	case <-polls:
		return nil
	case err := <-s.failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
