package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// chart is the fleet over time: a row for each wave, in it a bar for each cohort. All lengths are units of the drawing.
type chart struct {
	Width, Height, Top, Bottom float64
	Rows                       []chartRow
	Ticks                      []tick
	Breaks                     []chartBreak
	Flags                      []pennant
}

type chartRow struct {
	Name, Note string
	Y, Height  float64
	Bars       []bar
}

// bar is a cohort, cut into pieces by what became of its members.
type bar struct {
	X, Y, Width, Height float64
	Label, Title        string
	Cohort              string
	Act                 archive.Act
	Pieces              []piece
}

type piece struct {
	X, Width float64
	Outcome  membership.Outcome
}

// Middle is where the name of the row stands.
func (r chartRow) Middle() float64 { return r.Y + r.Height/2 }

// Middle is where the label of the bar stands.
func (b bar) Middle() float64 { return b.Y + b.Height/2 }

// Deep is how far down the rows go.
func (c chart) Deep() float64 { return c.Bottom - c.Top }

// chartBreak is a time that was cut short.
type chartBreak struct {
	Left, Width float64
	Label       string
}

// X is where its label stands.
func (b chartBreak) X() float64 { return b.Left + b.Width/2 }

type tick struct {
	X     float64
	Label string
}

// pennant marks a moment when somebody said something: N is its number in the list.
type pennant struct {
	X     float64
	N     int
	Title string
}

const (
	chartWidth = 1080.0
	chartLeft  = 132.0 // of it the names of the waves
	chartRight = 14.0
	chartTop   = 26.0
	chartAxis  = 24.0
	rowPadding = 7.0
	rowGap     = 4.0
	barGap     = 2.0
	leastPiece = 3.0
	leastBar   = 2.5
	leastTick  = 76.0 // between two labels
	breakWidth = 46.0
)

// newChart draws the cohorts; nil when there is no time to any of them.
func newChart(f *archive.Run, people []person) *chart {
	var cohorts []archive.Cohort
	for _, c := range f.Cohorts() {
		if !c.Started.IsZero() {
			cohorts = append(cohorts, c)
		}
	}
	if len(cohorts) == 0 {
		return nil
	}
	slices.SortStableFunc(cohorts, func(a, b archive.Cohort) int { return a.Started.Compare(b.Started) })
	s := newScale(f.Report.Started, f.Report.Ended, cohorts)
	c := &chart{Width: chartWidth, Top: chartTop}
	y := chartTop
	for _, w := range f.Waves() {
		row := chartRow{Name: w.Name, Note: count(w.Members, "member"), Y: y}
		if len(f.Report.Steps) > 1 {
			row.Name = fmt.Sprintf("%d · %s", w.Step, w.Name)
		}
		var own []archive.Cohort
		for _, k := range cohorts {
			if k.Step == w.Step && k.Number == w.Number {
				own = append(own, k)
			}
		}
		row.fill(own, s)
		y += row.Height + rowGap
		c.Rows = append(c.Rows, row)
	}
	c.Bottom = y
	c.Height = y + chartAxis
	c.Ticks, c.Breaks = s.ticks(), s.breaks()
	for _, p := range people {
		c.Flags = append(c.Flags, pennant{X: s.x(p.At), N: p.N, Title: p.String()})
	}
	return c
}

// fill stacks bars that overlap in time.
func (r *chartRow) fill(cohorts []archive.Cohort, s *scale) {
	var free []time.Time // by line, when it is
	lines := make([]int, len(cohorts))
	for i, c := range cohorts {
		line := slices.IndexFunc(free, func(t time.Time) bool { return !t.After(c.Started) })
		if line < 0 {
			line = len(free)
			free = append(free, time.Time{})
		}
		free[line], lines[i] = c.Ended, line
	}
	height := 15.0
	switch n := len(free); {
	case n > 16:
		height = 5
	case n > 6:
		height = 8
	case n > 3:
		height = 11
	}
	r.Height = max(2*rowPadding+float64(len(free))*(height+barGap)-barGap, 38)
	offset := r.Y + (r.Height-float64(len(free))*(height+barGap)+barGap)/2
	for i, c := range cohorts {
		r.Bars = append(r.Bars, newBar(c, s, offset+float64(lines[i])*(height+barGap), height))
	}
}

func newBar(c archive.Cohort, s *scale, y, height float64) bar {
	b := bar{X: s.x(c.Started), Y: y, Height: height, Cohort: c.ID, Act: c.Act}
	b.Width = max(s.x(c.Ended)-b.X-1, leastBar) // the next may begin at once, and be seen
	what := ""
	if c.Act != archive.ActFirst {
		what = ", " + string(c.Act)
	}
	b.Title = fmt.Sprintf("%s%s: %s\n%s to %s, %s", c.ID, what, tally(c.Counts), clock(c.Started), clock(c.Ended), span(c.Ended.Sub(c.Started)))
	if label := c.ID[strings.LastIndexByte(c.ID, '.')+1:]; height >= 11 && b.Width > 14+7*float64(len(label)) {
		b.Label = label
	}
	b.Pieces = cut(c.Counts, b.Width, leastPiece)
	for i := range b.Pieces {
		b.Pieces[i].X += b.X
	}
	return b
}

// cut divides a width by outcomes, the good first. Whoever is not good is to be seen, however few they are among how many.
func cut(counts map[membership.Outcome]int, width, least float64) (pieces []piece) {
	total, left := fleet.Part{Counts: counts}.Members(), width
	for _, o := range slices.Backward(membership.Outcomes()) {
		if n := counts[o]; n > 0 {
			p := piece{Outcome: o, Width: min(max(width*float64(n)/float64(total), least), left)}
			left -= p.Width
			p.X = left
			pieces = append(pieces, p)
		}
	}
	slices.Reverse(pieces)
	if len(pieces) > 0 {
		pieces[0].Width += left
		pieces[0].X = 0
	}
	return pieces
}

// scale maps time to the drawing. Times when nothing runs are cut short: a gate may be open for days.
type scale struct{ spans []interval }

type interval struct {
	from, to   time.Time
	left, wide float64
	idle       bool // cut short
}

// longIdle is from when on an idle time is cut short, as a part of the time when something runs.
const longIdle = 0.15

func newScale(from, to time.Time, cohorts []archive.Cohort) *scale {
	var busy []interval // joined where they overlap
	for _, c := range cohorts {
		if last := len(busy) - 1; last >= 0 && !c.Started.After(busy[last].to) {
			busy[last].to = later(busy[last].to, c.Ended)
			continue
		}
		busy = append(busy, interval{from: c.Started, to: c.Ended})
	}
	var total time.Duration
	for _, b := range busy {
		total += b.to.Sub(b.from)
	}
	total = max(total, time.Second)
	s := &scale{}
	at := from
	idle := func(until time.Time) {
		if until.After(at) {
			s.spans = append(s.spans, interval{from: at, to: until, idle: until.Sub(at) > time.Duration(longIdle*float64(total))})
		}
	}
	for _, b := range busy {
		idle(b.from)
		s.spans = append(s.spans, b)
		at = b.to
	}
	idle(to)
	s.lay()
	return s
}

// lay gives every span its place: idle ones that are cut short a little, the others by their length.
func (s *scale) lay() {
	room := chartWidth - chartLeft - chartRight
	var total time.Duration
	cut := 0
	for _, i := range s.spans {
		if i.idle {
			cut++
		} else {
			total += i.to.Sub(i.from)
		}
	}
	each := min(breakWidth, room/2/float64(max(cut, 1)))
	room -= float64(cut) * each
	x := chartLeft
	for i := range s.spans {
		n := &s.spans[i]
		n.left, n.wide = x, each
		if !n.idle {
			n.wide = room * float64(n.to.Sub(n.from)) / float64(max(total, 1))
		}
		x += n.wide
	}
}

func (s *scale) x(t time.Time) float64 {
	i, _ := slices.BinarySearchFunc(s.spans, t, func(i interval, t time.Time) int { return i.to.Compare(t) })
	n := s.spans[min(i, len(s.spans)-1)]
	part := float64(t.Sub(n.from)) / float64(max(n.to.Sub(n.from), 1))
	return n.left + n.wide*min(max(part, 0), 1)
}

func (s *scale) breaks() (all []chartBreak) {
	for _, i := range s.spans {
		if i.idle {
			all = append(all, chartBreak{i.left, i.wide, span(i.to.Sub(i.from))})
		}
	}
	return all
}

func (s *scale) ticks() (all []tick) {
	var total time.Duration
	room := 0.0
	for _, i := range s.spans {
		if !i.idle {
			total += i.to.Sub(i.from)
			room += i.wide
		}
	}
	step := tickStep(time.Duration(leastTick / room * float64(total)))
	layout := "15:04"
	if step < time.Minute {
		layout = "15:04:05"
	}
	breaks := s.breaks()
	last := 0.0
	for _, i := range s.spans {
		if i.idle {
			continue
		}
		for t := i.from.UTC().Truncate(step); !t.After(i.to); t = t.Add(step) {
			x := s.x(t)
			close := func(b chartBreak) bool { return math.Abs(x-b.X()) < leastTick*0.7 }
			if t.Before(i.from) || x-last < leastTick*0.8 || x > chartWidth-2*chartRight || slices.ContainsFunc(breaks, close) {
				continue
			}
			all = append(all, tick{X: x, Label: t.Format(layout)})
			last = x
		}
	}
	return all
}

// tickStep is the shortest distance of ticks that reads well and is not below least.
func tickStep(least time.Duration) time.Duration {
	for _, unit := range []time.Duration{time.Second, time.Minute, time.Hour} {
		for _, n := range []time.Duration{1, 2, 5, 10, 20, 30} {
			if step := n * unit; step >= least && (unit != time.Hour || 24%n == 0) {
				return step
			}
		}
	}
	return least.Round(24*time.Hour) + 24*time.Hour
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
