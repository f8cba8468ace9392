package fault

import (
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
)

// State is a rule with its counters.
type State struct {
	Rule
	Seen int `json:"seen,omitempty"` // calls that matched
	Hits int `json:"hits,omitempty"` // calls it fired on
}

// Faults is the list of rules in force. It is safe for concurrent use.
type Faults struct {
	seed int64
	save func([]State) // called with every new state of the list, in order

	mu    sync.Mutex
	rules []State
	last  int // number in the newest id that Add gave
}

// New returns an empty list. The seed decides which calls a rule with Percent fires on; save, if not nil, gets
// every new state of the list, one at a time.
func New(seed int64, save func([]State)) *Faults {
	if save == nil {
		save = func([]State) {}
	}
	return &Faults{seed: seed, save: save}
}

// Add appends a rule and returns its id. It refuses a rule that makes no sense and an id that is in use.
func (f *Faults) Add(r Rule) (string, error) {
	if err := r.Validate(); err != nil {
		return "", fmt.Errorf("fault rule: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.ID == "" {
		r.ID = f.newID()
	}
	if f.taken(r.ID) {
		return "", fmt.Errorf("fault rule: id: %q is in use", r.ID)
	}
	f.rules = append(f.rules, State{Rule: r})
	f.save(slices.Clone(f.rules))
	return r.ID, nil
}

func (f *Faults) newID() string {
	for {
		f.last++
		if id := fmt.Sprintf("fault-%d", f.last); !f.taken(id) {
			return id
		}
	}
}

func (f *Faults) taken(id string) bool {
	return slices.ContainsFunc(f.rules, func(s State) bool { return s.ID == id })
}

// Remove takes a rule away and reports whether it was there.
func (f *Faults) Remove(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.taken(id) {
		return false
	}
	f.rules = slices.DeleteFunc(f.rules, func(s State) bool { return s.ID == id })
	f.save(slices.Clone(f.rules))
	return true
}

// List returns the rules in order, with their counters.
func (f *Faults) List() []State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.rules)
}

// Clear takes all rules away.
func (f *Faults) Clear() { f.Restore(nil) }

// Restore replaces the list, counters and all.
func (f *Faults) Restore(rules []State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = slices.Clone(rules)
	f.save(slices.Clone(f.rules))
}

// Pick counts the call on the rules that match it and returns the first that fires, or nil.
func (f *Faults) Pick(c Call) *Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	counted := false
	for i := range f.rules {
		s := &f.rules[i]
		if !s.matches(c) {
			continue
		}
		s.Seen++
		counted = true
		if s.Seen >= s.Nth && (s.Count == 0 || s.Hits < s.Count) && f.chosen(s) {
			s.Hits++
			f.save(slices.Clone(f.rules))
			rule := s.Rule
			return &rule
		}
	}
	if counted {
		f.save(slices.Clone(f.rules))
	}
	return nil
}

// chosen decides a rule's percentage from the seed and the count of calls seen, so that a run can be repeated.
func (f *Faults) chosen(s *State) bool {
	if s.Percent == 0 {
		return true
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s/%d", f.seed, s.ID, s.Seen)
	return float64(mix(h.Sum64())%10_000) < s.Percent*100
}

// mix spreads the bits of x: FNV of short, similar texts differs too little in some of them.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
