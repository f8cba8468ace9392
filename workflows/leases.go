package workflows

import (
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// LeasesOf is the workflow id of the book of leases for all runs on a task queue. Workers of one queue have the same
// accounts; those of another need not even be there to answer.
func LeasesOf(taskQueue string) string { return taskQueue + "-leases" }

// LeaseRequest asks that a run alone may act on some members.
type LeaseRequest struct {
	Holder  string   `json:"holder"`        // a workflow id
	Run     string   `json:"run"`           // its run id: a run of the same id before it is another
	Members []string `json:"members"`       // keys: short, and the same whatever the account by which a member is reached
	All     bool     `json:"all,omitempty"` // take all of them or none
}

// LeaseAnswer says who holds what the asker cannot have.
type LeaseAnswer struct {
	Held map[string]string `json:"held,omitempty"` // by key, the workflow id of the holder
	// TookOver is when the last run ended from which something was taken over, zero if none was: it had no time to say that
	// it was done, and what it sent may still come to show.
	TookOver time.Time `json:"tookOver,omitzero"`
}

// LeaseBook is who holds what.
type LeaseBook struct {
	Holders []LeaseHolder `json:"holders,omitempty"`
}

// LeaseHolder is one run and what it holds.
type LeaseHolder struct {
	Workflow string    `json:"workflow"`
	Run      string    `json:"run"`
	Since    time.Time `json:"since"`
	Members  []string  `json:"members"` // keys
	TookOver time.Time `json:"tookOver,omitzero"`
	// Ended: it has, without letting go. It is remembered for those who take over from it.
	Ended time.Time `json:"ended,omitzero"`
}

// LeaseRun is a run that may have ended: the latest of its id when Run is "". On the wire it is the workflow id, and
// after a line break the run id.
type LeaseRun struct{ Workflow, Run string }

// MarshalText implements [encoding.TextMarshaler].
func (r LeaseRun) MarshalText() ([]byte, error) {
	if r.Run == "" {
		return []byte(r.Workflow), nil
	}
	return []byte(r.Workflow + "\n" + r.Run), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *LeaseRun) UnmarshalText(text []byte) error {
	r.Workflow, r.Run, _ = strings.Cut(string(text), "\n")
	return nil
}

const (
	// leaseSweep is how often the book asks whether its holders still run. Who wants what an ended one holds asks at once.
	leaseSweep = 10 * time.Minute
	// leaseMemory is how long an ended holder is remembered: longer than anything that it has sent takes to show.
	leaseMemory = time.Hour
	// leaseTurnover is after how many requests the book continues in a fresh history. The server takes 2,000 updates a run.
	leaseTurnover = 500
)

// book is a run of Leases.
type book struct {
	holders  []*LeaseHolder
	byMember map[string]*LeaseHolder
	requests int
}

// Leases keeps two runs from acting on one member at the same time. It starts when a run asks for its first lease and ends
// when nobody holds any. A lease lasts until its holder says that it is done
// or has ended, however it ended: when somebody else wants what it holds, Temporal is asked whether it still runs.
func Leases(ctx workflow.Context, input converter.RawValue) error {
	b, given := &book{byMember: make(map[string]*LeaseHolder)}, LeaseBook{}
	if err := Unpack(input, &given); err != nil {
		return badInput(membership.Bad([]membership.Problem{{Field: "input", Want: "is no book of leases; runs start it themselves"}}))
	}
	for i := range given.Holders {
		b.enter(&given.Holders[i])
	}
	if err := b.listen(ctx); err != nil {
		return err
	}
	for {
		full, err := workflow.AwaitWithTimeout(ctx, leaseSweep, func() bool { return b.requests >= leaseTurnover })
		if err != nil {
			return err
		}
		full = full || workflow.GetInfo(ctx).GetContinueAsNewSuggested() // sweeps alone fill a history in a month
		if !full {
			if err := b.sweep(ctx); err != nil {
				return err
			}
		}
		if !full && len(b.holders) > 0 {
			continue
		}
		if err := settle(ctx, func() bool { return true }); err != nil {
			return err
		}
		if len(b.holders) > 0 || full {
			return workflow.NewContinueAsNewError(ctx, TypeLeases, Pack(b.copy()))
		}
		return nil
	}
}

func (b *book) listen(ctx workflow.Context) error {
	released := workflow.GetSignalChannel(ctx, SignalRelease)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for holder := (LeaseRun{}); ; {
			released.Receive(ctx, &holder)
			if h := b.of(holder.Workflow); h != nil && (holder.Run == "" || h.Run == "" || holder.Run == h.Run) {
				b.release(h)
			}
		}
	})
	if err := workflow.SetQueryHandler(ctx, QueryLeases, func() (LeaseBook, error) {
		c := b.copy()
		c.Holders = slices.DeleteFunc(c.Holders, func(h LeaseHolder) bool { return !h.Ended.IsZero() })
		return c, nil
	}); err != nil {
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
	if err := b.ask(ctx, b.suspects(in), in.Holder); err != nil {
		return LeaseAnswer{}, err
	}
	answer := LeaseAnswer{Held: b.held(in)}
	if len(answer.Held) > 0 && in.All {
		return answer, nil
	}
	mine := &LeaseHolder{Workflow: in.Holder, Run: in.Run, Since: workflow.Now(ctx)}
	if old := b.of(in.Holder); old != nil { // it asks anew for all that it wants
		mine.takeOver(old.TookOver)
		b.remove(old)
	}
	for _, key := range in.Members {
		if _, held := answer.Held[key]; held {
			continue
		}
		if dead := b.byMember[key]; dead != nil {
			mine.takeOver(dead.Ended)
			b.lose(dead, key)
		}
		mine.Members = append(mine.Members, key)
	}
	b.enter(mine)
	answer.TookOver = mine.TookOver
	return answer, nil
}

// takeOver notes that something was taken over from a run that ended then.
func (h *LeaseHolder) takeOver(ended time.Time) {
	if ended.After(h.TookOver) {
		h.TookOver = ended
	}
}

// suspects returns the holders that stand in the way of a request if they still run: others that hold something of it, and
// a run before with the same id.
func (b *book) suspects(in LeaseRequest) (found []*LeaseHolder) {
	if old := b.of(in.Holder); old != nil && old.Run != in.Run {
		found = append(found, old)
	}
	for _, key := range in.Members {
		if h := b.byMember[key]; h != nil && h.Workflow != in.Holder && !slices.Contains(found, h) {
			found = append(found, h)
		}
	}
	return slices.DeleteFunc(found, func(h *LeaseHolder) bool { return !h.Ended.IsZero() })
}

// held returns who holds what of a request and has not ended.
func (b *book) held(in LeaseRequest) map[string]string {
	held := make(map[string]string)
	for _, key := range in.Members {
		if h := b.byMember[key]; h != nil && h.Workflow != in.Holder && h.Ended.IsZero() {
			held[key] = h.Workflow
		}
	}
	return held
}

// ask notes which of the holders have ended. One goes on under its id when it was reset, so only a later run of that id,
// the asker, wants to know about the very run.
func (b *book) ask(ctx workflow.Context, holders []*LeaseHolder, asker string) error {
	if len(holders) == 0 {
		return nil
	}
	runs := make([]LeaseRun, len(holders))
	for i, h := range holders {
		if runs[i].Workflow = h.Workflow; h.Workflow == asker {
			runs[i].Run = h.Run
		}
	}
	ctx = persist(ctx, time.Minute, "which holders have ended")
	var ended map[LeaseRun]time.Time
	if err := workflow.ExecuteActivity(ctx, EndedActivity, runs).Get(ctx, &ended); err != nil {
		return err
	}
	for i, run := range runs {
		if at, over := ended[run]; over {
			holders[i].Ended = at
		}
	}
	return nil
}

// sweep forgets who ended long ago.
func (b *book) sweep(ctx workflow.Context) error {
	running := slices.DeleteFunc(slices.Clone(b.holders), func(h *LeaseHolder) bool { return !h.Ended.IsZero() })
	if err := b.ask(ctx, running, ""); err != nil {
		return err
	}
	for _, h := range slices.Clone(b.holders) {
		if !h.Ended.IsZero() && workflow.Now(ctx).Sub(h.Ended) > leaseMemory {
			b.remove(h)
		}
	}
	return nil
}

// of returns the holder with a workflow id that has not ended, nil when there is none.
func (b *book) of(id string) *LeaseHolder {
	for _, h := range b.holders {
		if h.Workflow == id && h.Ended.IsZero() {
			return h
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

func (b *book) remove(h *LeaseHolder) {
	for _, key := range h.Members {
		delete(b.byMember, key)
	}
	b.holders = slices.DeleteFunc(b.holders, func(other *LeaseHolder) bool { return other == h })
}

// release lets go of what a holder has. That it had taken it over from one that just ended, the next one must know, too.
func (b *book) release(h *LeaseHolder) {
	if h.TookOver.IsZero() {
		b.remove(h)
		return
	}
	h.Ended = h.TookOver
}

// lose takes a member from a holder.
func (b *book) lose(h *LeaseHolder, key string) {
	delete(b.byMember, key)
	h.Members = slices.DeleteFunc(h.Members, func(other string) bool { return other == key })
	if len(h.Members) == 0 {
		b.remove(h)
	}
}

func (b *book) copy() LeaseBook {
	var c LeaseBook
	for _, h := range b.holders {
		kept := *h
		kept.Members = slices.Clone(h.Members)
		c.Holders = append(c.Holders, kept)
	}
	return c
}
