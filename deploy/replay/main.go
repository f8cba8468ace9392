// Command replay records the histories that every later version of the workflows must replay. It runs scripted
// scenarios on a real Temporal server and the simulator and writes one file a scenario into the folder of the
// present release. Run it with `make replay-record` whenever the release is raised, and commit what it
// writes; never renew the folder of a released version.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/fleetjoin/fleetjoin/cloud/release"
	"github.com/fleetjoin/fleetjoin/cloud/sim/control"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
	"github.com/fleetjoin/fleetjoin/starter/devstack"
	"github.com/fleetjoin/fleetjoin/worker/host"
	"github.com/fleetjoin/fleetjoin/workflows"
)

func main() {
	out := flag.String("out", "workflows/testdata/histories", "folder of the corpus")
	only := flag.String("only", "", "try a single scenario, and keep nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := record(ctx, filepath.Join(*out, release.Version), *only); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
}

// The world: short timings, so that members still come through slices at different times.
const recordingWorld = `
seed: 7
clock: {speed: 10}
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, projectId: demo-project, region: sim-1}
huawei:
  readLag: 500ms
  timings: {stop: 5s-30s, start: 5s-30s, add: 1s, remove: 1s}
  quotas: {serverGroupMembers: 40, serverGroups: 100}
  flavors: [{id: s6.large.2}, {id: s3.large.2, virtualization: xen}]
`

// newWorld has, for each scenario, a group and servers of its own.
func newWorld() (world.World, error) {
	w, err := world.Parse([]byte(recordingWorld))
	if err != nil {
		return w, err
	}
	for _, s := range scenarios() {
		if s.of != "" || s.undoes != "" {
			continue
		}
		w.Huawei.Groups = append(w.Huawei.Groups, world.Group{Name: s.name})
		for i := range s.members {
			server := world.Server{Name: fmt.Sprintf("%s-%d", s.name, i), Flavor: "s6.large.2"}
			switch {
			case i < s.xen:
				server.Flavor = "s3.large.2"
			case i < s.xen+s.unlucky:
				server.StartFails = world.AfterAdd
			case i%4 == 3:
				server.Status = "SHUTOFF"
			}
			w.Huawei.Servers = append(w.Huawei.Servers, server)
		}
	}
	return w, w.Validate()
}

func record(ctx context.Context, folder, only string) error {
	w, err := newWorld()
	if err != nil {
		return err
	}
	temporal, err := devstack.FindTemporal("")
	if err != nil {
		return err
	}
	if only != "" {
		folder, err = os.MkdirTemp("", "replay")
		defer func() { _ = os.RemoveAll(folder) }()
	} else {
		err = os.RemoveAll(folder)
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	config := host.Defaults()
	config.Poll, config.Slice, config.LogLevel = 500*time.Millisecond, 2*time.Second, "error"
	ctx, stop := context.WithTimeout(ctx, 10*time.Minute)
	defer stop()
	return devstack.Run(ctx, devstack.Options{World: w, Temporal: temporal, Worker: config,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))},
		func(where devstack.Ready) error {
			defer stop()
			c, err := client.DialContext(ctx, client.Options{HostPort: where.Temporal,
				Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
			if err != nil {
				return err
			}
			defer c.Close()
			r := &recorder{client: c, world: w.Complete(), plane: control.Plane(where.Sim)}
			names := []string{}
			save := func(workflowID, name string) error {
				show := exec.CommandContext(ctx, temporal, "workflow", "show", "--address", where.Temporal,
					"--workflow-id", workflowID, "--output", "json")
				history, err := show.Output()
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				names = append(names, name)
				fmt.Println("recorded", name)
				return os.WriteFile(filepath.Join(folder, name+".json"), history, 0o644)
			}
			for _, s := range scenarios() {
				if only != "" && s.name != only {
					continue
				}
				if err := r.run(ctx, s); err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				if err := save(s.name, s.name); err != nil {
					return err
				}
			}
			if only != "" {
				return nil
			}
			if err := save("join-handful-undo.1", "cohort"); err != nil {
				return err
			}
			if err := r.contest(ctx); err != nil {
				return err
			}
			if err := save(workflows.LeasesOf(workflows.TaskQueue), "leases"); err != nil {
				return err
			}
			slices.Sort(names)
			list := ""
			for _, n := range names {
				list += n + "\n"
			}
			return os.WriteFile(filepath.Join(folder, "SCENARIOS"), []byte(list), 0o644)
		})
}
