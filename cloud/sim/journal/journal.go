// Package journal records every request the simulator answered, with the effect it had, for tests to assert on.
package journal

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// The effects of a write. Reads have none: their Effect is empty.
const (
	Changed = "changed" // state changed, or a transition was accepted
	None    = "none"    // a valid call that changed nothing because the thing already was so: a needless write
	Refused = "refused" // nothing was done
)

// Entry is one request. Its slices must not be changed.
type Entry struct {
	Seq       int64     `json:"seq"`  // 1, 2, 3, …; survives restarts and resets
	At        time.Time `json:"at"`   // simulated time
	Wall      time.Time `json:"wall"` // wall time
	Account   string    `json:"account,omitempty"`
	Action    string    `json:"action"` // the API's name of the call, for example AddServerGroupMember
	Method    string    `json:"method"`
	Path      string    `json:"path"` // with the query
	RequestID string    `json:"requestId"`
	Servers   []string  `json:"servers,omitempty"` // the servers, or other resources, the call names
	Group     string    `json:"group,omitempty"`   // the group the call names; several are joined by commas
	Write     bool      `json:"write,omitempty"`
	Status    int       `json:"status"`           // HTTP status; after an effect the service's own, even if Lost; 0: no answer
	Code      string    `json:"code,omitempty"`   // the cloud's error code
	Effect    string    `json:"effect,omitempty"` // of a write: changed, none, refused
	Fault     string    `json:"fault,omitempty"`  // the effect of the fault rule that hit the call
	Lost      bool      `json:"lost,omitempty"`   // a fault kept the service's own answer from the caller
}

// Journal holds the newest entries in memory. It is safe for concurrent use.
type Journal struct {
	limit int

	mu      sync.Mutex
	entries []Entry // append-only, so that a view of it stays valid without copying
	seq     int64
	grown   chan struct{} // closed at the next append; nil while nobody waits
}

// New returns a journal that keeps at least the newest limit entries.
func New(limit int) *Journal { return &Journal{limit: limit} }

// Append numbers e and adds it. Before the entry can be seen it goes to save, one at a time and in order of Seq;
// the entry is added whatever save returns, and that is what Append returns.
func (j *Journal) Append(e Entry, save func(Entry) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq++
	e.Seq = j.seq
	err := save(e)
	j.add(e)
	return err
}

// Restore adds an entry that already carries its number, as read back from a file.
func (j *Journal) Restore(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq = max(j.seq, e.Seq)
	j.add(e)
}

// Continue makes the next entry's number greater than seq.
func (j *Journal) Continue(seq int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq = max(j.seq, seq)
}

func (j *Journal) add(e Entry) {
	// Dropping a quarter at a time keeps the cost per append constant; older views keep the array they look at.
	if len(j.entries) >= j.limit+j.limit/4+1 {
		j.entries = append(make([]Entry, 0, j.limit+j.limit/4+1), j.entries[len(j.entries)-j.limit:]...)
	}
	j.entries = append(j.entries, e)
	if j.grown != nil {
		close(j.grown)
		j.grown = nil
	}
}

// Entries returns what is held, oldest first. The slice is a view: do not change its elements.
func (j *Journal) Entries() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries[:len(j.entries):len(j.entries)]
}

// Seq returns the number of the newest entry ever made.
func (j *Journal) Seq() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seq
}

// Reset forgets all entries; numbering goes on.
func (j *Journal) Reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = nil
}

// Wait blocks until cond holds for the entries, looking again whenever one is added, or until ctx ends; then it
// returns ctx's error.
func (j *Journal) Wait(ctx context.Context, cond func([]Entry) bool) error {
	for {
		j.mu.Lock()
		view := j.entries[:len(j.entries):len(j.entries)]
		if j.grown == nil {
			j.grown = make(chan struct{})
		}
		grown := j.grown
		j.mu.Unlock()
		if cond(view) {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Filter selects entries; a zero field selects all.
type Filter struct {
	Since   int64  // entries with a greater Seq
	Account string // by name
	Action  string
	Server  string // entries that name this server or other resource
	Group   string
	Effect  string
	Fault   string
	Writes  bool // writes only
}

// Match reports whether e is selected.
func (f Filter) Match(e Entry) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return e.Seq > f.Since && is(f.Account, e.Account) && is(f.Action, e.Action) &&
		is(f.Effect, e.Effect) && is(f.Fault, e.Fault) && (e.Write || !f.Writes) &&
		(f.Group == "" || slices.Contains(strings.Split(e.Group, ","), f.Group)) &&
		(f.Server == "" || slices.Contains(e.Servers, f.Server))
}

// Select returns a new slice of the entries that f selects.
func (j *Journal) Select(f Filter) []Entry { return Select(j.Entries(), f) }

// Select returns a new slice of the entries that f selects.
func Select(entries []Entry, f Filter) []Entry {
	var selected []Entry
	for _, e := range entries {
		if f.Match(e) {
			selected = append(selected, e)
		}
	}
	return selected
}
