package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

const (
	followEvery  = time.Second
	queryTimeout = 5 * time.Second
	// patience is how long nothing is heard of a run before we look whether anybody works on it.
	patience = 3 * time.Second
)

// unheard says that a run did not answer.
type unheard struct {
	id  string
	why error
}

func (u *unheard) Error() string { return fmt.Sprintf("run %s does not answer: %v", u.id, u.why) }
func (u *unheard) Unwrap() error { return u.why }

// follow looks at a run until it has ended, and returns its truth, which wait waits for; or until look finds that people must
// do something, which its error says, unless that is *unheard.
func follow[T any](ctx context.Context, f *Factory, conn *connect.Connection, wait func(context.Context) (T, error),
	look func(context.Context) error) (truth T, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var late error
	over := make(chan T, 1)
	go func() {
		var r T
		r, late = wait(ctx)
		over <- r
	}()
	watchdog := newWatchdog(f, conn)
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		asking, done := context.WithTimeout(ctx, queryTimeout)
		err := look(asking)
		done()
		var silence *unheard
		switch {
		case err == nil:
			watchdog.heard()
		case errors.As(err, &silence):
			watchdog.silent(ctx, silence)
		default:
			return truth, err
		}
		select {
		case r := <-over:
			return r, late
		case <-tick.C:
		}
	}
}

// watchdog tells the operator, once, when nobody works on what is being waited for.
type watchdog struct {
	f     *Factory
	conn  *connect.Connection
	since time.Time
	told  bool
}

func newWatchdog(f *Factory, conn *connect.Connection) *watchdog {
	return &watchdog{f: f, conn: conn, since: time.Now()}
}

func (w *watchdog) heard() { w.since, w.told = time.Now(), false }

// silent is told whenever nothing is heard, and why, where somebody was asked.
func (w *watchdog) silent(ctx context.Context, why error) {
	if w.told || ctx.Err() != nil || time.Since(w.since) < patience {
		return
	}
	asking, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	switch ids, err := w.conn.Pollers(asking, workflows.TaskQueue); {
	case ctx.Err() != nil: // nobody listens any more
	case err != nil:
		w.told = true
		w.f.notef("Temporal does not answer at %s any more, still trying: %v\n", w.conn.Address, err)
	case len(ids) == 0:
		w.told = true
		w.f.notef("%s\n", noWorker(w.conn))
	case why != nil && !outOfReach(why):
		w.told = true
		w.f.notef("%s; still trying, see the runbook, \"A run does not replay\"\n", clean(why.Error()))
	} // otherwise there are workers, and they are merely busy
}

func noWorker(conn *connect.Connection) string {
	return fmt.Sprintf("no worker polls task queue %s of namespace %s at %s; nothing happens until one does: "+
		"fleetjoin-worker --accounts FILE --store FOLDER, or fleetjoin dev", workflows.TaskQueue, conn.Namespace, conn.Address)
}
