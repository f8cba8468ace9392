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

// crash is a worker that dies: at given steps it is killed, either before the step or after it has had its effect and
// before the worker hears of that. Steps are calls of the cloud, blobs that are put into the store, and the ends of
// activities, whose results are lost. From then on, and until the worker is started again, nothing that it does has an effect.
type crash struct {
	sim   http.RoundTripper
	store store.Blobs

	mu     sync.Mutex
	steps  int           // how many were taken
	writes int           // how many of them were writes to the cloud
	lethal []death       // those to come, in order
	dead   chan struct{} // closed when the worker dies; nil while it cannot
	killed bool          // it is dead, or dies once the cloud has done what it was asked for
	deaths int
	// again chooses the next death once the worker has been started again; nil for none but those that are laid.
	again func()
}

// death is when a worker dies: at the step or at the write, whichever comes first; 0 is none. They are counted over the
// life of the crash.
type death struct {
	step, write int
	after       bool // it has its effect
}

// noticed is how long it takes until the server gives a dead worker's activities to another. In life that is the
// heartbeat timeout; here it is less than the cloud's read lag, which is harder: the next worker cannot see yet what the
// dead one did.
const noticed = time.Second

var errKilled = errors.New("the worker was killed")

// arm lays deaths.
func (c *crash) arm(deaths ...death) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lay(deaths...)
}

func (c *crash) lay(deaths ...death) {
	if c.lethal = deaths; len(deaths) > 0 {
		c.dead = make(chan struct{})
	}
}

// made returns how many steps were taken, and how many of them were writes.
func (c *crash) made() (steps, writes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.steps, c.writes
}

func (c *crash) died() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

func (c *crash) dying() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.killed
}

// restart starts another worker in the place of the one that has died, unless somebody has done so.
func (c *crash) restart(dead <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if dead != c.dead {
		return
	}
	c.killed, c.dead = false, nil
	c.deaths++
	c.lay(c.lethal[1:]...)
	if c.again != nil {
		c.again()
	}
}

// step takes a step, unless the worker is dead or dies at it.
func (c *crash) step(write bool, take func() error) error {
	dies, err := c.count(write)
	if err != nil {
		return err
	}
	err = take()
	if dies != nil {
		close(dies)
		return errKilled
	}
	return err
}

// count counts a step that is about to be taken. Who has to die once it has had its effect closes what is returned.
func (c *crash) count(write bool) (dies chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.killed {
		return nil, errKilled
	}
	c.steps++
	if write {
		c.writes++
	}
	if len(c.lethal) == 0 {
		return nil, nil
	}
	d := c.lethal[0]
	if (d.step == 0 || c.steps < d.step) && (d.write == 0 || !write || c.writes < d.write) {
		return nil, nil
	}
	c.killed = true
	if d.after {
		return c.dead, nil
	}
	if write {
		c.writes-- // the next worker sends it
	}
	close(c.dead)
	return nil, errKilled
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
	if dead != nil && c.dying() {
		<-dead // what another of the worker's activities is killed by has its effect yet
	}
	select {
	case <-dead:
		time.Sleep(noticed) // virtual time
		c.restart(dead)
		return nil, errKilled
	default:
		return result, err
	}
}
