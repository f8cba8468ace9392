package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"go.temporal.io/sdk/client"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// The lines that a run prints with --json; each has the ids and one of the others.
type (
	statusLine struct {
		ID     string            `json:"id"`
		RunID  string            `json:"runId"`
		Status membership.Status `json:"status"`
	}
	reportLine struct {
		ID     string            `json:"id"`
		RunID  string            `json:"runId"`
		Report membership.Report `json:"report"`
	}
	startedLine struct {
		ID      string `json:"id"`
		RunID   string `json:"runId"`
		Started bool   `json:"started"`
	}
)

// view chooses how to show a run: objects, bars, or lines.
func (f *Factory) view(run client.WorkflowRun) view {
	switch {
	case f.JSON:
		return &jsonView{f: f, run: run}
	case f.Terminal:
		return &barView{f: f, bars: map[string]*mpb.Bar{}}
	default:
		return &lineView{f: f, now: time.Now}
	}
}

// places returns where members can be, in the order of the story.
func places(kinds []membership.Kind, s membership.Status) []string {
	var order []string
	if k, err := membership.Find(kinds, s.Kind); err == nil {
		p := membership.Program{Stages: k.Spec().Stages[s.Operation]}
		order = p.Places()
	}
	order = append(order, membership.AtParked)
	for _, o := range membership.Outcomes() {
		order = append(order, string(o))
	}
	// What a newer worker says and we do not know comes last, and is not lost.
	for _, p := range slices.Sorted(maps.Keys(s.Counts)) {
		if !slices.Contains(order, p) {
			order = append(order, p)
		}
	}
	return order
}

// counted is how many members are where, such as "12 stop" and "48 joined".
func counted(kinds []membership.Kind, s membership.Status) (parts []string) {
	for _, p := range places(kinds, s) {
		if n := s.Counts[p]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, clean(p)))
		}
	}
	return parts
}

// tally is a status in a line, such as "running: 12 stop, 140 add, 48 joined".
func tally(kinds []membership.Kind, s membership.Status) string {
	parts := counted(kinds, s)
	line := string(s.Phase)
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	if s.Trouble != "" {
		line += "; the cloud cannot be read: " + clean(s.Trouble)
	}
	return line
}

// parkedLines say which members wait for a person, and why.
func parkedLines(s membership.Status) []string {
	var lines []string
	for _, m := range s.Members {
		if m.At == membership.AtParked {
			lines = append(lines, fmt.Sprintf("%s waits for a person: %s: %s", clean(m.ID), clean(m.Code), clean(m.Reason)))
		}
	}
	return lines
}

// lineView prints a line whenever something has changed.
type lineView struct {
	f       *Factory
	now     func() time.Time
	last    string
	trouble string
	parked  []string
}

func (v *lineView) show(s membership.Status, p pulse) {
	line := tally(v.f.Kinds, s)
	if p.now != "" {
		line += " · now " + clean(p.now)
	}
	if line != v.last {
		v.last = line
		v.f.printf("%s %s\n", v.now().Format(time.TimeOnly), line)
	}
	if p.trouble != v.trouble && p.trouble != "" {
		v.f.printf("%s trying again: %s\n", v.now().Format(time.TimeOnly), clean(p.trouble))
	}
	v.trouble = p.trouble
	parked := parkedLines(s)
	for _, line := range parked {
		if !slices.Contains(v.parked, line) {
			v.f.printf("%s %s\n", v.now().Format(time.TimeOnly), line)
		}
	}
	v.parked = parked
}

func (v *lineView) close() {}

// jsonView prints an object whenever something has changed.
type jsonView struct {
	f    *Factory
	run  client.WorkflowRun
	last string
}

func (v *jsonView) show(s membership.Status, _ pulse) {
	if now := fmt.Sprint(s); now != v.last {
		v.last = now
		_ = v.f.json(statusLine{ID: v.run.GetID(), RunID: v.run.GetRunID(), Status: s}) // the report's write will tell
	}
}

func (v *jsonView) close() {}

// barView draws a bar for each place where members are or have been.
type barView struct {
	f        *Factory
	progress *mpb.Progress
	bars     map[string]*mpb.Bar
	parked   []string
}

const (
	barWidth    = 40
	barNamePad  = 2
	barInterval = 150 * time.Millisecond
)

func (v *barView) show(s membership.Status, _ pulse) {
	if len(s.Members) == 0 {
		return // still planning
	}
	if v.progress == nil {
		v.progress = mpb.New(mpb.WithOutput(v.f.Out), mpb.WithAutoRefresh(), mpb.WithWidth(barWidth),
			mpb.WithRefreshRate(barInterval))
	}
	for i, place := range places(v.f.Kinds, s) {
		n := s.Counts[place]
		bar, ok := v.bars[place]
		if !ok {
			if n == 0 {
				continue
			}
			bar = v.bar(i, place, len(s.Members))
			v.bars[place] = bar
		}
		bar.SetCurrent(int64(n))
	}
	v.parked = parkedLines(s)
}

// bar makes one that never completes by itself: counts of stages rise and fall.
func (v *barView) bar(priority int, place string, total int) *mpb.Bar {
	name := decor.Meta(decor.Name(clean(place), decor.WC{W: barNamePad, C: decor.DindentRight | decor.DSyncWidth}),
		func(text string) string { return v.f.paint(colourOf(place), text) })
	bar := v.progress.New(0, mpb.BarStyle().Lbound("[").Filler("=").Tip("").Padding(" ").Rbound("]"),
		mpb.BarPriority(priority), mpb.PrependDecorators(name),
		mpb.AppendDecorators(decor.CountersNoUnit("%d/%d", decor.WCSyncWidth)))
	bar.SetTotal(int64(total), false)
	return bar
}

func (v *barView) close() {
	if v.progress == nil {
		return
	}
	for _, bar := range v.bars {
		bar.Abort(false)
	}
	v.progress.Wait()
	for _, line := range v.parked {
		v.f.printf("%s\n", v.f.paint(yellow, line))
	}
}

// colourOf says how a place looks.
func colourOf(place string) paint {
	switch membership.Outcome(place) {
	case membership.Joined, membership.Left, membership.Already:
		return green
	case membership.Refused, membership.RolledBack, membership.Skipped, membership.AtParked:
		return yellow
	case membership.RollbackIncomplete, membership.Unknown:
		return red
	case membership.NotStarted:
		return faint
	}
	return plain
}
