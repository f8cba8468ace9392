package fleet

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Expected is what a step should take when all goes well. Nobody approves it: it is not in what digests are of.
type Expected struct {
	// DurationSeconds is that of all waves and of the soaks between them. The time until people have decided, until a window
	// opens, or until another run lets go of a member comes to it.
	DurationSeconds int        `json:"durationSeconds"`
	SoakSeconds     int        `json:"soakSeconds"` // of it
	Calls           []APICalls `json:"calls"`
	Downtime        *Downtime  `json:"downtime,omitempty"` // nil: no member is ever off
}

// Downtime is for how long members do none of their work.
type Downtime struct {
	Members     int `json:"members"`     // how many
	SecondsEach int `json:"secondsEach"` // each of them, at the longest
}

// Costed is what says what members cost: a kind.
type Costed interface {
	Cost(membership.Target, *membership.Member) membership.Cost
}

// Forecast foresees a step from what was seen of its members, page after page in the order in which they are begun. It
// plays the dispatch of cohorts as runs do it (Pace.Admit), their calls one behind the other where
// they share a limit. It holds no page.
type Forecast struct {
	kind   Costed
	step   Step
	poll   time.Duration
	pace   Pace
	soak   time.Duration
	ledger *Ledger
	queues map[string]*queue // by limit

	now     time.Duration // since the wave began
	flights []flight
	waves   []time.Duration

	calls    tally
	downtime Downtime
}

// flight is a cohort under way.
type flight struct {
	lands   time.Duration // since the wave began
	members int
}

// NewForecast begins a step of a plan, which has so many members. poll is how often the engine looks.
func NewForecast(p Plan, s Step, members int, kind Costed, poll time.Duration) *Forecast {
	f := &Forecast{kind: kind, step: s, poll: poll, pace: p.Pace, soak: p.Soak.Std(),
		ledger: NewLedger(p.Budget, members), queues: make(map[string]*queue)}
	if f.step.Operation == "" {
		f.step.Operation = membership.Join
	}
	return f
}

// Wave begins a wave of so many members, when the one before has ended.
func (f *Forecast) Wave(members int) {
	f.end()
	f.now = 0
	f.waves = append(f.waves, 0)
	f.ledger.Wave(members)
	for _, q := range f.queues {
		q.free = 0
	}
}

// Page begins a page of the wave as soon as there is room for it, in several cohorts when the budget has no room for all of
// it at once.
func (f *Forecast) Page(members []membership.Member) {
	for len(members) > 0 {
		n := f.pace.Admit(f.ledger, len(f.flights), len(members))
		if n == 0 {
			f.land()
			continue
		}
		f.launch(members[:n])
		members = members[n:]
	}
}

func (f *Forecast) launch(members []membership.Member) {
	load := NewLoad(f.poll)
	for i := range members {
		m := &members[i]
		load.Add(m, f.kind.Cost(membership.Target{Operation: f.step.Operation, Group: f.step.Group, From: f.step.From, Params: f.step.Params}, m))
	}
	sent := f.now
	for limit, n := range load.paced() {
		q := f.queues[limit.Name]
		if q == nil {
			q = &queue{}
			f.queues[limit.Name] = q
		}
		sent = max(sent, q.serve(limit, f.now, n))
	}
	lands := sent + load.takes
	f.calls.add(load.Calls(lands - f.now))
	f.downtime.Members += load.offs
	f.downtime.SecondsEach = max(f.downtime.SecondsEach, seconds(load.off))
	f.ledger.Start(len(members))
	f.flights = append(f.flights, flight{lands: lands, members: len(members)})
}

// land goes on to the moment at which the next cohorts end.
func (f *Forecast) land() {
	f.now = slices.MinFunc(f.flights, func(a, b flight) int { return cmp.Compare(a.lands, b.lands) }).lands
	f.flights = slices.DeleteFunc(f.flights, func(fl flight) bool {
		if fl.lands > f.now {
			return false
		}
		f.ledger.Land(fl.members, 0)
		return true
	})
}

// end ends the wave under way.
func (f *Forecast) end() {
	for len(f.flights) > 0 {
		f.land()
	}
	if n := len(f.waves); n > 0 {
		f.waves[n-1] = f.now
	}
}

// WaveSeconds returns how long each wave takes, in whole seconds. The soak behind it is not in it.
func (f *Forecast) WaveSeconds() []int {
	f.end()
	all := make([]int, len(f.waves))
	for i, took := range f.waves {
		all[i] = seconds(took)
	}
	return all
}

// Expected returns what all waves come to.
func (f *Forecast) Expected() Expected {
	e := Expected{SoakSeconds: seconds(f.soak) * max(len(f.waves)-1, 0), Calls: append([]APICalls{}, f.calls...)}
	working := 0
	for _, s := range f.WaveSeconds() {
		working += s
	}
	e.DurationSeconds = working + e.SoakSeconds
	tally(e.Calls).share(time.Duration(working) * time.Second)
	if f.downtime.Members > 0 {
		downtime := f.downtime
		e.Downtime = &downtime
	}
	return e
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// queue is a limiter as calls come to it: one cohort's behind the other's. A pause makes it no slower.
type queue struct {
	sent int
	free time.Duration // when all that have come were sent
}

// serve returns when n more calls that come at some moment are sent.
func (q *queue) serve(l membership.Limit, at time.Duration, n int) time.Duration {
	q.free = max(q.free, at) + reach(l, q.sent+n) - reach(l, q.sent)
	q.sent += n
	return q.free
}

// reach is how long a limiter takes over its first n calls when they do not end: each lets the rate grow by a hundredth of
// the highest, divided by the rate itself (see limit.Limiter), until it is the highest. The moment from which on it counts
// is of no importance; the burst takes no time.
func reach(l membership.Limit, n int) time.Duration {
	if l.Most <= 0 {
		return 0
	}
	calls := float64(max(n, l.Burst))
	growing := (l.Most*l.Most - l.Start*l.Start) * 50 / l.Most // calls until the rate is the highest
	rate := math.Sqrt(l.Start*l.Start + l.Most*min(calls, growing)/50)
	took := (rate-l.Start)*100/l.Most + max(calls-growing, 0)/l.Most
	return time.Duration(took * float64(time.Second))
}
