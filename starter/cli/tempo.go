package cli

import "time"

const (
	// tempoWindow is long, since cohorts end as a whole: in a short one there would be nobody, or everybody.
	tempoWindow = 5 * time.Minute
	// tempoLeast is how long a run must have moved before its tempo means anything.
	tempoLeast = 10 * time.Second
	// tempoMost is where a guess is as good as none.
	tempoMost = 365 * 24 * time.Hour
)

// tempo tells how fast the members of a run end, and so how long the rest will take. Only the time in which the run moved
// counts: a night at a gate does not make it slow.
type tempo struct {
	marks  []mark // within the window, oldest first
	last   time.Time
	moving bool // since last
}

// mark is how many members had ended after so much time of moving.
type mark struct {
	moved time.Duration
	ended int
}

// note takes in how many members have ended at a moment, and whether the run moves from then on.
func (t *tempo) note(at time.Time, ended int, moving bool) {
	n := len(t.marks)
	switch {
	case n == 0:
		t.marks = []mark{{ended: ended}}
	case t.moving:
		moved := t.marks[n-1].moved + max(at.Sub(t.last), 0)
		t.marks = append(t.marks, mark{moved: moved, ended: ended})
		for len(t.marks) > 2 && moved-t.marks[1].moved >= tempoWindow {
			t.marks = t.marks[1:]
		}
	default: // no time has passed
		t.marks[n-1].ended = ended
	}
	t.last, t.moving = at, moving
}

// rate is how many members end in a minute, 0 when that is not known.
func (t *tempo) rate() float64 {
	if len(t.marks) == 0 {
		return 0
	}
	first, last := t.marks[0], t.marks[len(t.marks)-1]
	if last.moved-first.moved < tempoLeast || last.ended <= first.ended {
		return 0
	}
	return float64(last.ended-first.ended) / (last.moved - first.moved).Minutes()
}

// left is how long so many members will take, if the run goes on like that; false when that is not known.
func (t *tempo) left(members int) (time.Duration, bool) {
	rate := t.rate()
	if rate == 0 || members < 0 {
		return 0, false
	}
	minutes := float64(members) / rate
	if minutes > tempoMost.Minutes() {
		return 0, false
	}
	return time.Duration(minutes * float64(time.Minute)), true
}
