package fleet

import (
	"fmt"
	"math"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Then says what a spent budget leads to.
type Then string

const (
	ThenStop          Then = "stop"           // nothing more is started; a person decides
	ThenRollBackWave  Then = "roll-back-wave" // members that joined in the present wave are put back
	ThenRollBackFleet Then = "roll-back"      // members that joined in this run are put back
)

// Budget is how many members may fail before a run stops: rolled back or not, and those of whom nobody can say. The run
// stops with the last failure that is allowed.
type Budget struct {
	Failures Share `json:"failures,omitzero"` // of all members of the step; zero: unlimited
	PerWave  Share `json:"perWave,omitzero"`  // of the members of each wave; zero: unlimited
	Then     Then  `json:"then,omitempty"`    // "": stop
	// Strict keeps the members in flight within the budget, so that there is never a failure more than it allows; nil means
	// so, too. With false as many are in flight as the pace allows: the run stops at the budget, and what is in flight then
	// may fail beyond it.
	Strict *bool `json:"strict,omitempty"`
}

// Loose reports whether speed goes before the budget; nil budgets are strict.
func (b *Budget) Loose() bool { return b != nil && b.Strict != nil && !*b.Strict }

// Problems returns what is wrong with a budget; nil budgets are fine.
func (b *Budget) Problems(field string) (ps []membership.Problem) {
	if b == nil {
		return nil
	}
	if b.Failures == (Share{}) && b.PerWave == (Share{}) {
		ps = append(ps, membership.Problem{Field: field,
			Want: "allows any number of failures; want failures, perWave or both, or no budget"})
	}
	if b.Failures != (Share{}) {
		ps = append(ps, b.Failures.problems(field+".failures")...)
	}
	if b.PerWave != (Share{}) {
		ps = append(ps, b.PerWave.problems(field+".perWave")...)
	}
	switch b.Then {
	case "", ThenStop, ThenRollBackWave, ThenRollBackFleet:
	default:
		ps = append(ps, membership.Problem{Field: field + ".then", Value: membership.Quote(string(b.Then)),
			Want: fmt.Sprintf("want %q (also \"\"), %q or %q", ThenStop, ThenRollBackWave, ThenRollBackFleet)})
	}
	return ps
}

// Ledger keeps the budget of one step while it runs. Under a strict one what is in flight is reserved: of the members started,
// those that have failed and those that still may are never more than the budget, whatever the order in which they end. So the
// members that a run starts before it stops are the same however many it has in flight. Make it with NewLedger; its JSON
// is all of it.
type Ledger struct {
	Budget     *Budget `json:"budget,omitempty"`
	Total      int     `json:"total"`      // members of the step
	Size       int     `json:"size"`       // members of the present wave
	InFlight   int     `json:"inFlight"`   // started and not ended
	Failed     int     `json:"failed"`     // of the step
	WaveFailed int     `json:"waveFailed"` // of the present wave
}

// What Ledger.Spent may call spent: a field of Budget, as in a plan.
const (
	SpentFailures = "failures"
	SpentPerWave  = "perWave"
)

// NewLedger begins a step of total members, for now as a single wave. A nil budget allows any number of failures.
func NewLedger(b *Budget, total int) *Ledger {
	l := &Ledger{Total: total, Size: total}
	l.Change(b)
	return l
}

// Wave begins a wave of size members. What is in flight still counts as the new wave's.
func (l *Ledger) Wave(size int) { l.Size, l.WaveFailed = size, 0 }

// Change replaces the budget. With a smaller one nothing is started until what is in flight fits it; what is in flight
// already may fail beyond it.
func (l *Ledger) Change(b *Budget) {
	l.Budget = nil
	if b != nil {
		kept := *b
		l.Budget = &kept
	}
}

// Room is how many members may be started now: so many that the budget holds even if everything in flight fails, or any
// number until it is spent where it is not strict. math.MaxInt is without limit; it is never below 0.
func (l *Ledger) Room() int {
	room := math.MaxInt
	if l.Budget.Loose() {
		if _, spent := l.Spent(); spent {
			return 0
		}
		return room
	}
	for _, a := range l.allowances() {
		room = min(room, a.allowed-a.failed-l.InFlight)
	}
	return max(room, 0)
}

// Start says that n members have been started, for which there was room.
func (l *Ledger) Start(n int) {
	if room := l.Room(); n < 0 || n > room {
		panic(fmt.Sprintf("fleet: %d members started where there is room for %d", n, room))
	}
	l.InFlight += n
}

// Land says that n of the members in flight have ended, and that failed of them count against the budget.
func (l *Ledger) Land(n, failed int) {
	if failed < 0 || n < failed || n > l.InFlight {
		panic(fmt.Sprintf("fleet: %d members ended, %d of them failed, of %d in flight", n, failed, l.InFlight))
	}
	l.InFlight -= n
	l.Failed += failed
	l.WaveFailed += failed
}

// Spent reports whether the run has to stop, and which part of the budget says so: SpentFailures or SpentPerWave.
func (l *Ledger) Spent() (which string, spent bool) {
	for _, a := range l.allowances() {
		if a.failed >= a.allowed {
			return a.name, true
		}
	}
	return "", false
}

// String tells people how the budget stands, such as "3 of 5 failures allowed (5% of 100 members)".
func (l *Ledger) String() string {
	text := ""
	for _, a := range l.allowances() {
		switch {
		case a.name == SpentFailures:
			text = fmt.Sprintf("%d of %d failures allowed", a.failed, a.allowed)
		case text == "":
			text = fmt.Sprintf("%d of %d failures allowed in this wave", a.failed, a.allowed)
		default:
			text += fmt.Sprintf("; in this wave %d of %d", a.failed, a.allowed)
		}
		if a.share.Percent > 0 {
			text += fmt.Sprintf(" (%v of %d members)", a.share, a.of)
		}
	}
	if text == "" {
		return fmt.Sprintf("%d failures, any number allowed", l.Failed)
	}
	return text
}

// allowance is one part of a budget against what has failed.
type allowance struct {
	name            string
	share           Share
	of              int
	failed, allowed int
}

func (l *Ledger) allowances() (all []allowance) {
	if l.Budget == nil {
		return nil
	}
	for _, a := range []allowance{
		{name: SpentFailures, share: l.Budget.Failures, of: l.Total, failed: l.Failed},
		{name: SpentPerWave, share: l.Budget.PerWave, of: l.Size, failed: l.WaveFailed},
	} {
		if a.share != (Share{}) {
			a.allowed = max(a.share.Of(a.of), 1) // also of nobody, or nobody would have spent it
			all = append(all, a)
		}
	}
	return all
}
