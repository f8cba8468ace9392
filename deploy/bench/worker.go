package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/fleetjoin/fleetjoin/activities"
	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/worker/host"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// workFlag makes the bench a worker: a process of its own, whose memory can be told from everything else's.
const workFlag = "work"

// workOrder is what such a worker is told on its standard input.
type workOrder struct {
	Temporal string          `json:"temporal"`
	Queue    string          `json:"queue"`
	Cloud    string          `json:"cloud"` // URL of the simulator
	Keys     string          `json:"keys"`
	Store    string          `json:"store"`
	Targets  string          `json:"targets"`
	Pace     membership.Pace `json:"pace"`
	Learning bool            `json:"learning"` // as in manner
}

// serveWork works until stdin ends.
func serveWork(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	in := bufio.NewReader(stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var o workOrder
	if err := json.Unmarshal(line, &o); err != nil {
		return err
	}
	c, err := client.DialContext(ctx, client.Options{HostPort: o.Temporal,
		Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return err
	}
	defer c.Close()
	blobs, err := store.Open(o.Store)
	if err != nil {
		return err
	}
	w := worker.New(c, o.Queue, workerOptions())
	limits := boundless
	if o.Learning {
		limits = limit.Seed{}
	}
	ecs, err := (&cloud{url: o.Cloud, keys: o.Keys}).dial(ctx, limits)
	if err != nil {
		return err
	}
	dial := func(context.Context, string) (*huawei.Client, error) { return ecs, nil }
	workflows.Register(w)
	activities.New(activities.Options{Kinds: kinds.All(kinds.Clouds{Huawei: dial}), Client: c, Store: blobs, Targets: o.Targets,
		Pace: o.Pace}).Register(w)
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	fmt.Fprintln(stdout, "working")
	_, _ = io.Copy(io.Discard, in) // an end is an end, whatever it is called
	return nil
}

func workerOptions() worker.Options {
	return worker.Options{
		MaxConcurrentActivityExecutionSize: host.Defaults().MaxSlices,
		MaxHeartbeatThrottleInterval:       800 * time.Millisecond,
	}
}

// spawnWorker starts a worker in a process of its own. peak tells the most memory that it has had, in MB.
func spawnWorker(ctx context.Context, o workOrder) (peak func() (float64, error), stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-"+workFlag)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() error { return errors.Join(stdin.Close(), cmd.Wait()) }
	if err := json.NewEncoder(stdin).Encode(o); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("the worker did not start: %w", err), stop())
	}
	return func() (float64, error) { return peakMemory(cmd.Process.Pid) }, stop, nil
}

// peakMemory reads the most resident memory that a process has had, in MB, as Linux tells it.
func peakMemory(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.ParseFloat(strings.Fields(text)[0], 64)
			return kB / 1024, err
		}
	}
	return 0, errors.New("the system does not tell how much memory a process has had")
}
