package devstack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// process is a child that does not outlive us.
type process struct {
	cmd  *exec.Cmd
	out  tail
	done chan struct{} // closed once it has ended
	err  error         // how it ended; to be read once done is closed
}

func spawn(path string, args, env []string) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Env = env
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	detach(p.cmd)
	started := make(chan error)
	go func() {
		// Where the kernel ends children with their parent, the parent is the thread that started them: it must last.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		if p.err = p.cmd.Wait(); p.err == nil {
			p.err = errors.New("exit status 0")
		}
		close(p.done)
	}()
	return p, <-started
}

// stop asks the process to end, and ends it when it does not within the time.
func (p *process) stop(within time.Duration) error {
	select {
	case <-p.done: // by itself; whoever started it has noticed
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.cmd.Path, err)
	}
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-p.done:
		return nil
	case <-late.C:
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.cmd.Path, err)
	}
	<-p.done
	return fmt.Errorf("%s did not stop within %v and was killed", p.cmd.Path, within)
}

// said returns the last lines that the process wrote, as the end of an error.
func (p *process) said() string {
	text := p.out.String()
	if text == "" {
		return ""
	}
	return "; the last it said:\n" + text
}

// tail is a writer that keeps the last few lines.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const (
	tailBytes = 16 << 10
	tailLines = 20
)

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailBytes; over > 0 {
		t.text = bytes.Clone(t.text[over:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimRight(string(t.text), "\n"), "\n")
	if over := len(lines) - tailLines; over > 0 {
		lines = lines[over:]
	}
	return strings.Join(lines, "\n")
}
