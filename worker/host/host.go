// Package host runs a worker: it reads the configuration, connects to Temporal, registers what runs need, watches its
// health and shuts down in good order. The fleetjoin-worker program is a host and nothing more; fleetjoin dev runs one
// beside a Temporal server and a simulator.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/worker"

	"github.com/fleetjoin/fleetjoin/activities"
	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/ballot"
	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

const (
	// stopGrace is what a stopping worker waits beyond one slice: every slice that runs hands its state back, and
	// nothing is repeated needlessly.
	stopGrace = 5 * time.Second
	// heartbeatThrottle is a little less than the second between two heartbeats of a slice, so that each goes out at
	// once: that a slice was cancelled is noticed within that second, and none is left to send when it ends.
	heartbeatThrottle = 800 * time.Millisecond
	dialTimeout       = 15 * time.Second
	readyEvery        = 200 * time.Millisecond
)

// Options are what Run needs besides its configuration.
type Options struct {
	Config
	// Address of a plain Temporal server of our own; "" means the one that profile and environment name.
	Address string
	Logger  *slog.Logger
	// Ready is called once, when the server knows that this worker polls; it may be nil.
	Ready func()
}

// Run works until the context is done, and then stops cleanly and returns nil. Any error means that it could not work
// (any longer).
func Run(ctx context.Context, o Options) error {
	if err := o.Check(); err != nil {
		return err
	}
	if err := checkDebug(os.Getenv("DEBUG")); err != nil {
		return err
	}
	accounts, err := account.Load(o.Accounts)
	if err != nil {
		return err
	}
	if o.Signers != "" { // it is read at every vote; a mistake in it is better found now
		if _, err := ballot.LoadSigners(o.Signers); err != nil {
			return err
		}
	}
	var limits limit.Set
	told := &metrics{}
	if o.Metrics != "" {
		if told, err = newMetrics(&limits, o.Logger); err != nil {
			return err
		}
	}
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := connect.Dial(dialing, connect.Options{Profile: o.Profile, Address: o.Address,
		Name: "fleetjoin-worker", Logger: o.Logger, Metrics: told.temporal})
	if err != nil {
		return err
	}
	defer conn.Close()
	switch err := conn.CheckSearchAttributes(dialing); {
	case errors.Is(err, connect.ErrCannotTell):
		o.Logger.Warn("search attributes were not checked", "reason", err)
	case err != nil:
		return err
	}
	var probe health
	served, err := serve(o.Logger, endpoint{flag: "--health", addr: o.Health, path: "/healthz", handler: &probe},
		endpoint{flag: "--metrics", addr: o.Metrics, path: "/metrics", handler: told.handler})
	if err != nil {
		return err
	}
	defer served.close()
	return work(ctx, o, conn, accounts, &limits, &probe)
}

// checkDebug refuses values of the variable DEBUG with which the vendors' packages print whole requests, with their keys
// and tokens, to standard output. They read it before any code of ours runs, so all that is left is not to begin.
func checkDebug(value string) error {
	for _, part := range strings.Split(value, ",") {
		switch part {
		case "dara", "tea", "credential", "sdk", "signer":
			return fmt.Errorf("DEBUG: %q: makes vendors' packages print credentials; take %s out of it", value, part)
		}
	}
	return nil
}

func work(ctx context.Context, o Options, conn *connect.Connection, accounts *account.Accounts, limits *limit.Set,
	probe *health) error {
	fatal := make(chan error, 1)
	w := worker.New(conn.Client, o.TaskQueue, worker.Options{
		Identity:                           conn.Identity,
		MaxConcurrentActivityExecutionSize: o.MaxSlices,
		MaxHeartbeatThrottleInterval:       heartbeatThrottle,
		WorkerStopTimeout:                  o.Slice + stopGrace,
		OnFatalError:                       func(err error) { fatal <- err },
	})
	blobs, err := store.Open(o.Store)
	if err != nil {
		return err
	}
	workflows.Register(w)
	activities.New(activities.Options{
		Kinds:         kinds.All(connectTo(accounts, limits)),
		Limits:        limits,
		Client:        conn.Client,
		DataConverter: conn.DataConverter,
		Store:         blobs,
		Targets:       o.Targets,
		Signers:       o.Signers,
		Pace:          o.pace(),
		Logger:        o.Logger,
	}).Register(w)
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	log := o.Logger.With("taskQueue", o.TaskQueue, "namespace", conn.Namespace, "temporal", conn.Address)
	go awaitPolling(ctx, o, conn, probe, log)

	select {
	case err := <-fatal: // the SDK has stopped the worker already
		probe.ready.Store(false)
		return fmt.Errorf("the worker cannot go on: %w", err)
	case <-ctx.Done():
		probe.ready.Store(false)
		log.Info("stopping; slices that run hand their state back", "within", o.Slice+stopGrace)
		w.Stop()
		log.Info("stopped")
		return nil
	}
}

// awaitPolling reports the worker ready once the server lists it among the pollers. Starting a worker only starts to
// try: who waits for readiness wants to know that work is being taken.
func awaitPolling(ctx context.Context, o Options, conn *connect.Connection, probe *health, log *slog.Logger) {
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	for {
		ids, err := conn.Pollers(ctx, o.TaskQueue)
		if err == nil && slices.Contains(ids, conn.Identity) {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	probe.ready.Store(true)
	log.Info("polling", "identity", conn.Identity)
	if o.Ready != nil {
		o.Ready()
	}
}
