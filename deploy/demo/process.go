package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// process is a program that runs beside the demo and writes to a file.
type process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{} // closed once it has
}

const (
	startsWithin = 90 * time.Second // on a cold disk
	stopsWithin  = 20 * time.Second
)

// spawn starts a program, and asks it to stop when the context ends.
func spawn(ctx context.Context, env []string, log, path string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own handle
	p := &process{cmd: exec.CommandContext(ctx, path, args...), log: log, ended: make(chan struct{})}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = stopsWithin
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, out, out
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (make build)", err)
	}
	go func() {
		_ = p.cmd.Wait() // interrupted or killed, as a rule; who waits for it to be ready tells what it said
		close(p.ended)
	}()
	return p, nil
}

// ready waits until the check has no error any more.
func (p *process) ready(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startsWithin)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
			said, _ := os.ReadFile(p.log)
			return fmt.Errorf("%s did not start:\n%s", p.cmd.Path, said)
		case <-ctx.Done():
			return fmt.Errorf("%s was not ready within %v: %w", p.cmd.Path, startsWithin, err)
		}
	}
}

// stop asks the program to end, and ends it when it does not.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt) // the one error is that it has ended
	select {
	case <-p.ended:
	case <-time.After(stopsWithin):
		p.kill()
	}
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // likewise
	<-p.ended
}
