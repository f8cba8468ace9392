package kindtest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// crash is the connection of a worker to the cloud, and the worker's death: at a given call the worker is killed, either
// before the call leaves it or after the cloud has acted and before the answer arrives. From then on, and until the
// worker is started again, no call of it reaches the cloud.
type crash struct {
	sim http.RoundTripper

	mu     sync.Mutex
	calls  int           // how many calls were made
	writes []int         // which of them were writes
	at     int           // the call to die at, 0 for never
	after  bool          // die after the cloud acted
	dead   chan struct{} // closed when the worker dies; nil while it cannot
	deaths int
	// again chooses the next death once the worker has been started again; nil for no other.
	again   func()
	atWrite bool // die at the next write already, if it comes before that call
}

// noticed is how long it takes until the server gives a dead worker's activities to another. In life that is the
// heartbeat timeout; here it is less than the cloud's read lag, which is harder: the next worker cannot see yet what the
// dead one did.
const noticed = time.Second

var errKilled = errors.New("the worker was killed")

// arm makes the worker die at the n-th call from now.
func (c *crash) arm(n int, after bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls, c.at, c.after, c.dead = 0, n, after, make(chan struct{})
}

// made returns how many calls were made, and which of them were writes.
func (c *crash) made() (calls int, writes []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls, c.writes
}

func (c *crash) died() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// restart starts another worker once the first is dead.
func (c *crash) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at > 0 && c.calls >= c.at {
		c.at, c.dead = 0, nil
		c.deaths++
		if c.again != nil {
			c.again()
		}
	}
}

func (c *crash) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.calls++
	if writes(r) {
		c.writes = append(c.writes, c.calls)
		if c.atWrite && c.calls < c.at {
			c.at, c.atWrite = c.calls, false
		}
	}
	n, at, after, dead := c.calls, c.at, c.after, c.dead
	if n == at && !after {
		close(dead)
	}
	c.mu.Unlock()
	if at > 0 && (n > at || n == at && !after) {
		return nil, errKilled
	}
	answer, err := c.sim.RoundTrip(r)
	if n == at {
		c.mu.Lock()
		close(dead)
		c.mu.Unlock()
		return nil, errKilled
	}
	return answer, err
}

// writes reports whether a call asks for a change. Some clouds read with POST, too, and name the action in a header.
func writes(r *http.Request) bool {
	action := r.Header.Get("x-acs-action")
	if action == "" {
		return r.Method != http.MethodGet
	}
	reading := func(verb string) bool { return strings.HasPrefix(action, verb) }
	return !slices.ContainsFunc([]string{"Describe", "Get", "List"}, reading)
}

// live runs an activity on a worker that may die. When it does, the result is lost and, after the heartbeats have been
// missed, the activity is tried again.
func live[T any](ctx context.Context, c *crash, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dead := c.died()
	done := make(chan struct{})
	go func() {
		select {
		case <-dead:
			cancel()
		case <-done:
		}
	}()
	result, err := f(ctx)
	close(done)
	select {
	case <-dead:
		time.Sleep(noticed) // virtual time
		c.restart()
		var lost T
		return lost, errKilled
	default:
		return result, err
	}
}
