package fleet

import (
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Wave is a slice of a step's members: those that come after the wave before.
type Wave struct {
	Name    string `json:"name"` // "canary", or "wave 1" and so on
	Members int    `json:"members"`
	Pages   []int  `json:"pages"` // how many members each has; nil: they are not found yet
}

const (
	canary    = "canary"
	wantWhole = `a last wave of "100%" is right for any number`
)

// Layout divides the total members of a step, which is given by its index, into the plan's waves, in order and without a gap. A
// canary that is no smaller than the step is all of it. A wave that would be empty, because
// the shares before it have taken its members already (5% of 3 is one member, and so is 10%), is left out: what it
// should have waited for is waited for in the one before. The problems are about the waves alone; with any there are
// no waves.
func (p Plan) Layout(step, total int) ([]Wave, []membership.Problem) {
	ps := p.waveProblems()
	if total > 0 {
		ps = append(ps, p.totalProblems(total, p.StepName(step))...)
	}
	if len(ps) > 0 || total <= 0 {
		return nil, ps
	}
	var waves []Wave
	done := 0
	until := func(end int, name string) {
		if end > done {
			waves = append(waves, Wave{Name: name, Members: end - done})
			done = end
		}
	}
	until(min(p.Canary, total), canary)
	first := len(waves)
	name := func() string { return fmt.Sprintf("wave %d", len(waves)-first+1) }
	for _, s := range p.Waves {
		until(s.Of(total), name())
	}
	until(total, name())
	return waves, nil
}

// waveProblems returns what is wrong with the waves whatever they divide. Counts are compared with counts and
// percentages with percentages: how the two compare is a matter of the total.
func (p Plan) waveProblems() (ps []membership.Problem) {
	if p.Canary < 0 {
		ps = append(ps, membership.Problem{Field: canary, Value: fmt.Sprint(p.Canary), Want: "want at least 1, or none"})
	}
	count, percent := max(p.Canary, 0), 0.0
	countAt, percentAt := canary, ""
	for i, s := range p.Waves {
		field := fmt.Sprintf("waves[%d]", i)
		bad := func(format string, args ...any) {
			ps = append(ps, membership.Problem{Field: field, Value: s.String(), Want: fmt.Sprintf(format, args...)})
		}
		own := s.problems(field)
		switch ps = append(ps, own...); {
		case len(own) > 0:
			continue
		case percent == 100:
			bad("comes after %s, which is 100%% already; leave it out", percentAt)
		case s.Percent > 0 && s.Percent <= percent:
			bad("want more than the %v%% of %s: a wave's share is how much of a step is done when the wave ends", percent, percentAt)
		case s.Percent == 0 && s.Count <= count:
			bad("want more than the %d of %s: a wave's share is how much of a step is done when the wave ends", count, countAt)
		}
		if s.Percent > percent {
			percent, percentAt = s.Percent, field
		}
		if s.Count > count {
			count, countAt = s.Count, field
		}
	}
	if n := len(p.Waves); n > 0 && percent < 100 && p.Waves[n-1].Percent > 0 && p.Waves[n-1].Percent < 100 {
		ps = append(ps, membership.Problem{Field: fmt.Sprintf("waves[%d]", n-1), Value: p.Waves[n-1].String(),
			Want: `want "100%", since it is the last: everybody has a wave`})
	}
	return ps
}

// totalProblems returns what is wrong with the waves for the total members of a step.
func (p Plan) totalProblems(total int, step string) (ps []membership.Problem) {
	for i, s := range p.Waves {
		field, last := fmt.Sprintf("waves[%d]", i), i == len(p.Waves)-1
		switch {
		case s.Percent > 0 || s.Count < 1:
		case s.Count > total:
			ps = append(ps, membership.Problem{Field: field, Value: s.String(),
				Want: fmt.Sprintf("want at most the %d members of %s; %s", total, step, wantWhole)})
		case last && s.Count < total:
			ps = append(ps, membership.Problem{Field: field, Value: s.String(),
				Want: fmt.Sprintf("want %d, all members of %s, since it is the last; %s", total, step, wantWhole)})
		}
	}
	return ps
}
