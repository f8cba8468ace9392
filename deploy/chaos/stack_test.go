package chaos

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/starter/devstack"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

const (
	patience = time.Minute // for what must come true some time, on a busy machine
	look     = 50 * time.Millisecond
	loopback = "127.0.0.1"
)

// stack is what all runs share: a Temporal server with its database in a file, and a simulator with a state folder.
type stack struct {
	lasts    *testing.T // what runs as long as the stack is cleaned up with it
	dir      string
	seed     int64
	cli      string // the temporal CLI
	address  string // of the Temporal server
	cloud    cloud
	client   *connect.Connection
	temporal *process
	sim      *process
	cohorts  atomic.Int32 // groups of the world that are given out
}

func newStack(t *testing.T, seed int64) *stack {
	s := &stack{lasts: t, dir: t.TempDir(), seed: seed, cli: findTemporal(t), address: freeAddress(t)}
	s.cloud = cloud{address: freeAddress(t)}
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, "store"), 0o700))
	s.build(t)
	s.writeWorld(t)
	s.startSimulator(t)
	s.startTemporal(t)
	client, err := connect.Dial(t.Context(), connect.Options{Address: s.address, Name: "chaos"})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	s.client = client
	return s
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

// build makes the programs that are killed. They run outside of this process, as they do in life.
func (s *stack) build(t *testing.T) {
	t.Helper()
	for name, source := range map[string]string{"fleetjoin-worker": "worker", "cloudsim": "cloud/sim/cmd/cloudsim"} {
		out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(s.dir, name),
			"github.com/fleetjoin/fleetjoin/"+source).CombinedOutput()
		require.NoError(t, err, "go build %s: %s", source, out)
	}
}

func (s *stack) startTemporal(t *testing.T) {
	t.Helper()
	host, port, err := net.SplitHostPort(s.address)
	require.NoError(t, err)
	args := []string{"server", "start-dev", "--headless", "--ip", host, "--port", port, "--log-level", "error",
		"--db-filename", filepath.Join(s.dir, "temporal.db"),
		"--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=NORMAL"}
	for _, a := range workflows.SearchAttributes() {
		args = append(args, "--search-attribute", fmt.Sprintf("%s=%s", a.Name, a.Type))
	}
	s.temporal = s.spawn(t, s.lasts, s.cli, args...)
	eventually(t, patience, "the Temporal server serves", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		c, err := connect.Dial(ctx, connect.Options{Address: s.address, Name: "chaos"})
		if err != nil {
			return err
		}
		defer c.Close()
		return c.CheckSearchAttributes(ctx)
	})
}

func (s *stack) startSimulator(t *testing.T) {
	t.Helper()
	s.sim = s.spawn(t, s.lasts, filepath.Join(s.dir, "cloudsim"), "--world", filepath.Join(s.dir, worldFile),
		"--listen", s.cloud.address, "--state", filepath.Join(s.dir, "sim"))
	eventually(t, patience, "the simulator serves", func() error {
		_, err := s.cloud.seq(t.Context())
		return err
	})
}

func (s *stack) startWorker(t *testing.T, queue string) *process {
	t.Helper()
	return s.spawn(t, t, filepath.Join(s.dir, "fleetjoin-worker"), "--accounts", filepath.Join(s.dir, accountsFile),
		"--store", filepath.Join(s.dir, "store"), "--task-queue", queue, "--poll", "500ms", "--log-level", "warn")
}

// run runs the temporal CLI as an operator would.
func (s *stack) run(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.cli, args...)
	cmd.Env = s.environment()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "temporal %s: %s%s", strings.Join(args, " "), out, &stderr)
	return out
}

// environment is all that children get: no profile and no variable of the machine points them to another server.
func (s *stack) environment() []string {
	return []string{"HOME=" + s.dir, "PATH=" + os.Getenv("PATH"), "TEMPORAL_ADDRESS=" + s.address}
}

// process is a child of ours.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended
}

// spawn starts a program. It ends with the test that it lasts for, and what it wrote is shown when that has failed.
func (s *stack) spawn(t, lasts *testing.T, path string, args ...string) *process {
	t.Helper()
	log, err := os.CreateTemp(s.dir, filepath.Base(path)+"-*.log")
	require.NoError(t, err)
	defer func() { _ = log.Close() }() // the child has its own handle
	p := &process{cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = s.environment(), log, log
	dieWithUs(p.cmd)
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // killed, as a rule
		close(p.done)
	}()
	lasts.Cleanup(func() {
		p.kill()
		if said, err := os.ReadFile(log.Name()); lasts.Failed() && err == nil && len(said) > 0 {
			lasts.Logf("%s said at last: …%s", filepath.Base(path), said[max(0, len(said)-4000):])
		}
	})
	return p
}

// kill sends SIGKILL and waits until the process is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // the one error is that it has ended
	<-p.done
}

// freeAddress finds a port of this machine that nobody listens on. Servers that are restarted keep theirs.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", loopback+":0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// eventually waits until the condition has no error any more.
func eventually(t *testing.T, within time.Duration, what string, condition func() error) {
	t.Helper()
	late := time.NewTimer(within)
	defer late.Stop()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("%s: not within %v: %v", what, within, err)
		}
	}
}
