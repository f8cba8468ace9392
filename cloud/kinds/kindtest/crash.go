package kindtest

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/fleetjoin/fleetjoin/cloud/store"
)

// crash is a worker's death: at a given step the worker is killed, either before the step or after it has had its effect
// and before the worker hears of that. Steps are calls of the cloud, blobs that are put into the store, and the ends of
// activities, whose results are lost. From then on, and until the worker is started again, nothing that it does has an effect.
type crash struct {
	sim   http.RoundTripper
	store store.Blobs

	mu     sync.Mutex
	steps  int           // how many were taken
	writes []int         // which of them were writes to the cloud
	at     int           // the step to die at, 0 for never
	after  bool          // die after it had its effect
	dead   chan struct{} // closed when the worker dies; nil while it cannot
	deaths int
	// again chooses the next death once the worker has been started again; nil for no other.
	again   func()
	atWrite bool // die at the next write already, if it comes before that step
}

// noticed is how long it takes until the server gives a dead worker's activities to another. In life that is the
// heartbeat timeout; here it is less than the cloud's read lag, which is harder: the next worker cannot see yet what the
// dead one did.
const noticed = time.Second

var errKilled = errors.New("the worker was killed")

// arm makes the worker die at the n-th step from now.
func (c *crash) arm(n int, after bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps, c.at, c.after, c.dead = 0, n, after, make(chan struct{})
}

// made returns how many steps were taken, and which of them were writes.
func (c *crash) made() (steps int, writes []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.steps, c.writes
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
	if c.at > 0 && c.steps >= c.at {
		c.at, c.dead = 0, nil
		c.deaths++
		if c.again != nil {
			c.again()
		}
	}
}

// step takes a step, unless the worker is dead or dies at it.
func (c *crash) step(write bool, take func() error) error {
	c.mu.Lock()
	c.steps++
	if write {
		c.writes = append(c.writes, c.steps)
		if c.atWrite && c.steps < c.at {
			c.at, c.atWrite = c.steps, false
		}
	}
	n, at, after, dead := c.steps, c.at, c.after, c.dead
	if n == at && !after {
		close(dead)
	}
	c.mu.Unlock()
	if at > 0 && (n > at || n == at && !after) {
		return errKilled
	}
	err := take()
	if n == at {
		c.mu.Lock()
		close(dead)
		c.mu.Unlock()
		return errKilled
	}
	return err
}

// RoundTrip implements [http.RoundTripper].
func (c *crash) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	err = c.step(writes(r), func() (err error) {
		answer, err = c.sim.RoundTrip(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
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

// Put implements [store.Blobs].
func (c *crash) Put(ctx context.Context, data []byte) (key store.Key, err error) {
	err = c.step(false, func() (err error) {
		key, err = c.store.Put(ctx, data)
		return err
	})
	return key, err
}

// Get implements [store.Blobs]. To read changes nothing, and a death at it is like one at the step after it.
func (c *crash) Get(ctx context.Context, key store.Key) ([]byte, error) { return c.store.Get(ctx, key) }

// mortal registers activities that die with their worker: what a killed activity would have returned is lost, and
// the activity is tried again, as the server does when the heartbeats stop.
type mortal struct {
	env interface {
		RegisterActivityWithOptions(any, activity.RegisterOptions)
	}
	crash *crash
}

func (m mortal) RegisterActivity(any)                                         {}
func (m mortal) RegisterDynamicActivity(any, activity.DynamicRegisterOptions) {}
func (m mortal) RegisterActivityWithOptions(a any, options activity.RegisterOptions) {
	f := reflect.ValueOf(a) // func(context.Context, In) (Out, error)
	living := reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
		out, err := live(args[0].Interface().(context.Context), m.crash, func(ctx context.Context) ([]reflect.Value, error) {
			out := f.Call([]reflect.Value{reflect.ValueOf(ctx), args[1]})
			err, _ := out[1].Interface().(error)
			return out, err
		})
		if out == nil {
			out = []reflect.Value{reflect.Zero(f.Type().Out(0)), reflect.ValueOf(&err).Elem()}
		}
		return out
	})
	m.env.RegisterActivityWithOptions(living.Interface(), options)
}

// live runs an activity on a worker that may die. When it does, the result is lost and, after the heartbeats have been
// missed, the activity is tried again.
func live(ctx context.Context, c *crash, f func(context.Context) ([]reflect.Value, error)) ([]reflect.Value, error) {
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
	if err == nil {
		err = c.step(false, func() error { return nil }) // its result is on the way to the server
	}
	close(done)
	select {
	case <-dead:
		time.Sleep(noticed) // virtual time
		c.restart()
		return nil, errKilled
	default:
		return result, err
	}
}
