package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/control"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// simulateFlag makes the bench a simulator: a process of its own, as a cloud is.
const simulateFlag = "simulate"

// serveCloud serves an empty cloud and prints its URL. It ends when stdin does, so it cannot outlive its parent.
func serveCloud(stdin io.Reader, stdout io.Writer) error {
	s, err := sim.New(sim.Options{})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	fmt.Fprintf(stdout, "http://%s\n", l.Addr())
	_, _ = io.Copy(io.Discard, stdin) // an end is an end, whatever it is called
	_ = server.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return s.Close()
}

// spawnCloud starts a simulator in a process of its own and returns its URL.
func spawnCloud(ctx context.Context) (url string, stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-"+simulateFlag)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error { return errors.Join(stdin.Close(), cmd.Wait()) }
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("the simulator did not say where it is: %w", err), stop())
	}
	return strings.TrimSpace(line), stop, nil
}

// cloud is a simulator with a fleet in it.
type cloud struct {
	url   string
	fleet fleet
	pages []page
	keys  string // folder of the credentials, and of the store
}

// fill makes the simulator at url hold a fleet, and nothing else. Its credentials are written to the folder.
func fill(ctx context.Context, url string, f fleet, keys string) (*cloud, error) {
	w, pages := f.world()
	c := &cloud{url: url, fleet: f, pages: pages, keys: keys}
	for name, secret := range map[string]string{"access": accessKey, "secret": secretKey} {
		if err := os.WriteFile(filepath.Join(keys, name), []byte(secret), 0o600); err != nil {
			return nil, err
		}
	}
	return c, c.plane().Do(ctx, http.MethodPut, "world", w, nil)
}

// boundless is the pace of a client that never waits for its own limiter: what is measured then is the engine.
var boundless = limit.Seed{Start: 1e6, Min: 1e6, Max: 1e6, Burst: 1e6}

// dial connects a client; the zero pace is that of one which is told none.
func (c *cloud) dial(ctx context.Context, pace limit.Seed) (*huawei.Client, error) {
	return huawei.Dial(ctx, huawei.Config{
		Account: account.Account{Name: accountName, Provider: account.Huawei, Region: region, ProjectID: projectID,
			Endpoints: map[string]string{"ecs": c.url},
			Credentials: account.Sources{
				AccessKey: account.Source{File: filepath.Join(c.keys, "access")},
				SecretKey: account.Source{File: filepath.Join(c.keys, "secret")},
			}},
		Pace: pace,
	})
}

// plane is the simulator's control plane.
func (c *cloud) plane() control.Plane { return control.Plane(c.url) }

// checkJoined fails unless every member is in its group and runs: a variant that did not do the work measured nothing.
func (c *cloud) checkJoined(ctx context.Context) error {
	w, err := c.plane().World(ctx)
	if err != nil {
		return err
	}
	now := make(map[string]world.Server, len(w.Huawei.Servers))
	for _, s := range w.Huawei.Servers {
		now[s.ID] = s
	}
	for _, p := range c.pages {
		for _, id := range p.Members {
			if s := now[id]; s.Group != p.Group || s.Status != "ACTIVE" {
				return fmt.Errorf("server %s is %s in group %q, and was to run in %s", id, s.Status, s.Group, p.Group)
			}
		}
	}
	return nil
}

// granted counts the calls that the simulator did not refuse.
func (c *cloud) granted(ctx context.Context) (n int, err error) {
	entries, _, err := c.plane().Journal(ctx, "")
	for _, e := range entries {
		if e.Status < http.StatusBadRequest {
			n++
		}
	}
	return n, err
}

// writes returns the writes that reached the simulator, oldest first, and how many calls of any sort did.
func (c *cloud) writes(ctx context.Context) (entries []journal.Entry, calls int64, err error) {
	return c.plane().Journal(ctx, "writes=true")
}
