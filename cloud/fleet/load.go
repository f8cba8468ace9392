package fleet

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Load is what the members of one cohort ask of a cloud when all goes well. Make it with NewLoad.
type Load struct {
	poll               time.Duration // how often the engine looks
	plan, look, stages []shared
	takes              time.Duration // how long the slowest member takes, unless it waits for its calls
	off                time.Duration // how long a member is off, the longest
	offs               int           // how many are
}

// shared are calls that members share.
type shared struct {
	stage string
	calls membership.Calls
	needs int // how often they are needed, by all members together
}

// APICalls counts the calls of an API.
type APICalls struct {
	API string `json:"api"`
	// Writes are so many while members that share calls go together, and up to WritesAtMost when each goes at its own pace.
	Writes       int `json:"writes"`
	WritesAtMost int `json:"writesAtMost"`
	Reads        int `json:"reads"` // about: how often members are looked at depends on how long they take
	// Limit is the name of the limit that paces the calls, and that calls of other APIs may share. LimitShare is how much all
	// its calls are of those that it lets through while members are moved: 1 is all.
	Limit          string  `json:"limit"`
	LimitPerSecond float64 `json:"limitPerSecond"`
	LimitShare     float64 `json:"limitShare"`
}

// NewLoad begins a cohort that is looked at so often.
func NewLoad(poll time.Duration) *Load { return &Load{poll: poll} }

// Add adds a member.
func (l *Load) Add(m *membership.Member, c membership.Cost) {
	for _, calls := range c.Plan {
		l.plan = share(l.plan, "", calls)
	}
	if !m.Due() {
		return
	}
	for _, calls := range c.Look {
		l.look = share(l.look, "", calls)
	}
	var takes, off time.Duration
	for _, s := range c.Stages {
		for _, calls := range s.Calls {
			l.stages = share(l.stages, s.Stage, calls)
		}
		if s.Takes == 0 {
			continue
		}
		takes += s.Takes + l.poll // what has come true is seen at the next look
		if s.Off {
			off += s.Takes + l.poll
		}
	}
	l.takes, l.off = max(l.takes, takes), max(l.off, off)
	if off > 0 {
		l.offs++
	}
}

func share(all []shared, stage string, c membership.Calls) []shared {
	needs := max(c.Times, 1)
	c.Times = 0
	for i := range all {
		if all[i].stage != stage || all[i].calls != c {
			continue
		}
		if c.Batch == 0 {
			all[i].needs = max(all[i].needs, needs)
		} else {
			all[i].needs += needs
		}
		return all
	}
	return append(all, shared{stage: stage, calls: c, needs: needs})
}

// full is how many calls it takes when each is for as many members as it can be.
func (s shared) full() int {
	if s.calls.Batch == 0 {
		return s.needs
	}
	return (s.needs + s.calls.Batch - 1) / s.calls.Batch
}

// Calls counts the calls of the cohort when it takes so long: each API once, those that the stages call first. Limits have
// no shares yet.
func (l *Load) Calls(took time.Duration) []APICalls {
	looks := 1 // the one that sees that all is done
	if l.poll > 0 {
		looks += int((took + l.poll - 1) / l.poll)
	}
	var t tally
	for _, s := range l.stages {
		if a := t.of(s.calls); s.calls.Write {
			a.Writes, a.WritesAtMost = a.Writes+s.full(), a.WritesAtMost+s.needs
		} else {
			a.Reads += s.full()
		}
	}
	for _, s := range l.look {
		t.of(s.calls).Reads += looks * s.full()
	}
	for _, s := range l.plan {
		t.of(s.calls).Reads += s.full()
	}
	return t
}

// paced counts the calls that stages send, by their limit. Looks are not among them: where those are held up, a member is
// seen a little later, and no more than that.
func (l *Load) paced() map[membership.Limit]int {
	calls := make(map[membership.Limit]int)
	for _, s := range l.stages {
		calls[s.calls.Limit] += s.full()
	}
	return calls
}

// tally counts calls by API.
type tally []APICalls

// of returns the count of an API.
func (t *tally) of(c membership.Calls) *APICalls {
	for i := range *t {
		if a := &(*t)[i]; a.API == c.API && a.Limit == c.Limit.Name {
			return a
		}
	}
	*t = append(*t, APICalls{API: c.API, Limit: c.Limit.Name, LimitPerSecond: c.Limit.Most})
	return &(*t)[len(*t)-1]
}

func (t *tally) add(calls []APICalls) {
	for _, c := range calls {
		a := t.of(membership.Calls{API: c.API, Limit: membership.Limit{Name: c.Limit, Most: c.LimitPerSecond}})
		a.Writes += c.Writes
		a.WritesAtMost += c.WritesAtMost
		a.Reads += c.Reads
	}
}

// share tells how much of each limit its calls are in so long a time.
func (t tally) share(in time.Duration) {
	calls := make(map[string]int) // by limit
	for _, a := range t {
		calls[a.Limit] += a.Writes + a.Reads
	}
	for i := range t {
		if all := t[i].LimitPerSecond * in.Seconds(); all > 0 {
			t[i].LimitShare = float64(calls[t[i].Limit]) / all
		}
	}
}
