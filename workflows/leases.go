package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// TypeLeases is the workflow that knows which run acts on which member. It starts when a run asks for its first lease and
// ends when nobody holds any.
const TypeLeases = "Leases" // input LeaseBook

// LeasesOf is the workflow id of the book of leases for all runs on a task queue. Workers of one queue have the same
// accounts; those of another need not even be there to answer.
func LeasesOf(taskQueue string) string { return taskQueue + "-leases" }

// What the book of leases understands. They are wire contract.
const (
	UpdateAcquire = "acquire" // LeaseRequest, answered with a LeaseAnswer
	SignalRelease = "release" // the holder, a workflow id: it is done with all that it holds
	QueryLeases   = "leases"  // answered with a LeaseBook
	QueryHolders  = "holders" // []string of keys, answered with a LeaseAnswer
)

// EndedActivity tells which of some runs have ended, and when: []string in, map[string]time.Time out.
const EndedActivity = "fleetjoin.ended"

// LeaseRequest asks that a run alone may act on some members.
type LeaseRequest struct {
	Holder  string   `json:"holder"`        // a workflow id
	Members []string `json:"members"`       // keys, see LeaseKey
	All     bool     `json:"all,omitempty"` // take all of them or none
}

// LeaseAnswer says who holds what the asker cannot have.
type LeaseAnswer struct {
	Held map[string]string `json:"held,omitempty"` // by key, the workflow id of the holder
	// Since is when the last holder ended from whom something was taken over, zero if none: it had no time to say that it
	// was done, and what it sent may still come to show.
	Since time.Time `json:"since,omitzero"`
}

// LeaseBook is who holds what.
type LeaseBook struct {
	Holders []LeaseHolder `json:"holders,omitempty"`
}

// LeaseHolder is one run and what it holds.
type LeaseHolder struct {
	Workflow string    `json:"workflow"`
	Since    time.Time `json:"since"`
	Members  []string  `json:"members"` // keys
}

const (
	// leaseSweep is how often the book asks whether its holders still run. Who wants what an ended one holds asks at once.
	leaseSweep = 10 * time.Minute
	// leaseTurnover is after how many requests the book continues in a fresh history. The server takes 2,000 updates a run.
	leaseTurnover = 500
)

// book is a run of Leases.
type book struct {
	holders  []*LeaseHolder
	byMember map[string]*LeaseHolder
	requests int
}

// Leases keeps two runs from acting on one member at the same time. A lease lasts until its holder says that it is done
// or has ended, however it ended: when somebody else wants what it holds, Temporal is asked whether it still runs.
func Leases(ctx workflow.Context, given LeaseBook) error {
	b := &book{byMember: make(map[string]*LeaseHolder)}
	for i := range given.Holders {
		b.enter(&given.Holders[i])
	}
	released := workflow.GetSignalChannel(ctx, SignalRelease)
	if err := b.listen(ctx, released); err != nil {
		return err
	}
	for {
		full, err := workflow.AwaitWithTimeout(ctx, leaseSweep, func() bool { return b.requests >= leaseTurnover })
		if err != nil {
			return err
		}
		if !full {
			if err := b.sweep(ctx, b.all(), nil); err != nil {
				return err
			}
		}
		if !full && len(b.holders) > 0 {
			continue
		}
		if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
			return err
		}
		for holder := ""; released.ReceiveAsync(&holder); {
			b.free(holder)
		}
		if len(b.holders) > 0 || full {
			return workflow.NewContinueAsNewError(ctx, TypeLeases, b.copy())
		}
		return nil
	}
}

func (b *book) listen(ctx workflow.Context, released workflow.ReceiveChannel) error {
	workflow.Go(ctx, func(ctx workflow.Context) {
		for holder := ""; ; {
			released.Receive(ctx, &holder)
			b.free(holder)
		}
	})
	if err := workflow.SetQueryHandler(ctx, QueryLeases, func() (LeaseBook, error) { return b.copy(), nil }); err != nil {
		return err
	}
	if err := workflow.SetQueryHandler(ctx, QueryHolders, func(keys []string) (LeaseAnswer, error) {
		return LeaseAnswer{Held: b.held(LeaseRequest{Members: keys})}, nil
	}); err != nil {
		return err
	}
	return workflow.SetUpdateHandler(ctx, UpdateAcquire, b.acquire)
}

func (b *book) acquire(ctx workflow.Context, in LeaseRequest) (LeaseAnswer, error) {
	b.requests++
	var answer LeaseAnswer
	if err := b.sweep(ctx, b.rivals(in), &answer.Since); err != nil {
		return answer, err
	}
	if answer.Held = b.held(in); len(answer.Held) > 0 && in.All {
		return answer, nil
	}
	b.free(in.Holder) // it asks anew for all that it wants
	mine := &LeaseHolder{Workflow: in.Holder, Since: workflow.Now(ctx)}
	for _, key := range in.Members {
		if _, held := answer.Held[key]; !held {
			mine.Members = append(mine.Members, key)
		}
	}
	b.enter(mine)
	return answer, nil
}

// rivals returns the others that hold something of what is asked for.
func (b *book) rivals(in LeaseRequest) (rivals []*LeaseHolder) {
	for _, key := range in.Members {
		if h := b.byMember[key]; h != nil && h.Workflow != in.Holder && !slices.Contains(rivals, h) {
			rivals = append(rivals, h)
		}
	}
	return rivals
}

func (b *book) all() []*LeaseHolder { return slices.Clone(b.holders) }

func (b *book) held(in LeaseRequest) map[string]string {
	held := make(map[string]string)
	for _, key := range in.Members {
		if h := b.byMember[key]; h != nil && h.Workflow != in.Holder {
			held[key] = h.Workflow
		}
	}
	return held
}

// sweep frees what those hold who have ended, and notes in since when the last of them did.
func (b *book) sweep(ctx workflow.Context, holders []*LeaseHolder, since *time.Time) error {
	if len(holders) == 0 {
		return nil
	}
	ids := make([]string, len(holders))
	for i, h := range holders {
		ids[i] = h.Workflow
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second},
		Summary:             "which holders have ended",
	})
	var ended map[string]time.Time
	if err := workflow.ExecuteActivity(ctx, EndedActivity, ids).Get(ctx, &ended); err != nil {
		return err
	}
	for _, h := range holders {
		at, over := ended[h.Workflow]
		if !over || !slices.Contains(b.holders, h) { // it may have begun anew meanwhile
			continue
		}
		b.remove(h)
		if since != nil && at.After(*since) {
			*since = at
		}
	}
	return nil
}

func (b *book) enter(h *LeaseHolder) {
	if len(h.Members) == 0 {
		return
	}
	b.holders = append(b.holders, h)
	for _, key := range h.Members {
		b.byMember[key] = h
	}
}

func (b *book) free(holder string) {
	for _, h := range slices.Clone(b.holders) {
		if h.Workflow == holder {
			b.remove(h)
		}
	}
}

func (b *book) remove(h *LeaseHolder) {
	b.holders = slices.DeleteFunc(b.holders, func(other *LeaseHolder) bool { return other == h })
	for _, key := range h.Members {
		delete(b.byMember, key)
	}
}

func (b *book) copy() LeaseBook {
	var c LeaseBook
	for _, h := range b.holders {
		c.Holders = append(c.Holders, *h)
	}
	return c
}
