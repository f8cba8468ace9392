// Command demo is `make demo`: it starts everything on free ports, moves 300 simulated servers into two groups with the
// commands that an operator would use, and then asks the simulator whether what was reported is true.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
	"github.com/fleetjoin/fleetjoin/starter/devstack"
)

//go:embed world.yaml
var worldYAML []byte

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// moves are what the demo asks for, and how each must end.
var moves = []struct {
	file, group, prefix string
	exit                int
	say                 string
}{
	{"web.yaml", "web-spread", "web-", 4, "200 servers into a group with room: running, stopped, Xen, locked, members already, and one that will not start"},
	{"db.yaml", "db-spread", "db-", 3, "100 servers into a group that has room for ten"},
}

func run(ctx context.Context) error {
	state, err := filepath.Abs(".demo")
	if err != nil {
		return err
	}
	if err := os.RemoveAll(state); err != nil {
		return err
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	w, err := world.Parse(worldYAML)
	if err != nil {
		return err
	}
	w = w.Complete()
	worldFile := filepath.Join(state, "demo-world.yaml")
	if err := os.WriteFile(worldFile, worldYAML, 0o600); err != nil {
		return err
	}
	where, stop, err := startStack(ctx, state, worldFile)
	if err != nil {
		return err
	}
	defer stop()
	moved := make(map[string]bool)
	for _, m := range moves {
		fmt.Printf("\n── %s\n", m.say)
		file := filepath.Join(state, m.file)
		if err := os.WriteFile(file, request(w, m.group, m.prefix, moved), 0o600); err != nil {
			return err
		}
		if err := fleetjoin(ctx, where, m.exit, "apply", filepath.Join(".demo", m.file)); err != nil {
			return err
		}
	}
	if err := audit(ctx, where.Sim, w, moved); err != nil {
		return err
	}
	stop()
	fmt.Print(`
Look at the runs in Temporal's Web UI: start the stack again on what the demo left, and open the URL it prints.

  bin/fleetjoin dev --state .demo
`)
	return nil
}

// request writes a request for all servers of a name into a group.
func request(w world.World, group, prefix string, moved map[string]bool) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "kind: huawei.servergroup\naccount: demo\ngroup: %s # %s\nmembers:\n", world.ID(w.Seed, "group", group), group)
	for _, s := range w.Huawei.Servers {
		if strings.HasPrefix(s.Name, prefix) {
			moved[s.ID] = true
			fmt.Fprintf(&b, "- %s # %s\n", s.ID, s.Name)
		}
	}
	return []byte(b.String())
}

// startStack runs `fleetjoin dev` on free ports and waits until it is ready.
func startStack(ctx context.Context, state, worldFile string) (where devstack.Ready, stop func(), err error) {
	ready := filepath.Join(state, "ready.json")
	cmd := exec.CommandContext(ctx, "bin/fleetjoin", "dev", "--world", worldFile, "--state", state, "--ready-file", ready,
		"--temporal-port", "0", "--ui-port", "0", "--sim-port", "0")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	log, err := os.Create(filepath.Join(state, "dev.log"))
	if err != nil {
		return where, nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	fmt.Println("starting a Temporal server, the simulator and a worker …")
	if err := cmd.Start(); err != nil {
		return where, nil, fmt.Errorf("%w (make build)", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		data, err := os.ReadFile(ready)
		if err == nil && json.Unmarshal(data, &where) == nil {
			return where, stop, nil
		}
		select {
		case <-tick.C:
		case <-ended:
			said, _ := os.ReadFile(log.Name())
			return where, nil, fmt.Errorf("the stack did not start:\n%s", said)
		}
	}
}

// fleetjoin runs the operator's CLI and wants its exit code.
func fleetjoin(ctx context.Context, where devstack.Ready, want int, args ...string) error {
	fmt.Println("$ fleetjoin", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, "bin/fleetjoin", args...)
	cmd.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+where.Temporal)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		return fmt.Errorf("fleetjoin %s ended with %d, and was to end with %d", args[0], got, want)
	}
	return nil
}

// audit asks the simulator, which knows the truth, what became of the servers and how they were treated.
func audit(ctx context.Context, url string, before world.World, moved map[string]bool) error {
	var after world.World
	if err := get(ctx, url+"/_sim/world", &after); err != nil {
		return err
	}
	status := make(map[string]string)
	for _, s := range before.Huawei.Servers {
		status[s.ID] = s.Status
	}
	same, off := 0, []string{}
	for _, s := range after.Huawei.Servers {
		switch {
		case !moved[s.ID]:
		case s.Status == status[s.ID]:
			same++
		default:
			off = append(off, fmt.Sprintf("%s was %s and is %s", s.Name, status[s.ID], s.Status))
		}
	}
	var log struct {
		Entries []journal.Entry `json:"entries"`
	}
	if err := get(ctx, url+"/_sim/journal", &log); err != nil {
		return err
	}
	writes, throttled, lost, needless := 0, 0, 0, 0
	for _, e := range log.Entries {
		if e.Write {
			writes++
		}
		if e.Status == http.StatusTooManyRequests {
			throttled++
		}
		if e.Lost {
			lost++
		}
		if e.Write && e.Effect == journal.None {
			needless++
		}
	}
	fmt.Printf("\n── what the simulator says\n")
	fmt.Printf("%d of %d servers are powered as they were before\n", same, len(moved))
	fmt.Printf("%d calls, %d of them writes; %d throttled, %d answers lost after the cloud had acted, %d writes in vain\n",
		len(log.Entries), writes, throttled, lost, needless)
	if len(off) > 0 {
		return fmt.Errorf("left in another state: %s", strings.Join(off, "; "))
	}
	return nil
}

func get(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
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
