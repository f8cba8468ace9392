package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const (
	labelWidth    = 9 // of the lines below the bars
	widestBar     = 40
	narrowestBar  = 8
	failedShown   = 3
	failedLines   = 2 // of each
	betweenItems  = " · "
	nothingKnown  = "-"
	cutOff        = " …"
	presentMarker = "> "
)

// history is what has been seen of a fleet under way: its statuses, and what follows from more than one of them.
type history struct {
	id    string
	began time.Time // zero when nobody knows any more
	at    time.Time // of the last look
	now   fleet.Status
	near  closeUp
	past  map[int]int // by step, how many members those had that were seen
	tempo tempo
}

func (h *history) note(at time.Time, s fleet.Status, near closeUp) {
	if h.past == nil {
		h.past = make(map[int]int)
	}
	if s.Step != h.now.Step {
		h.tempo = tempo{} // another kind, perhaps, at another speed
	}
	h.at, h.now, h.near, h.past[s.Step] = at, s, near, 0
	for _, w := range s.Waves {
		h.past[s.Step] += w.Members
	}
	h.tempo.note(at, h.ended(), s.Phase == membership.Running)
}

// ended is how many members have come to an end.
func (h *history) ended() (n int) {
	for _, o := range membership.Outcomes() {
		n += h.now.Counts[o]
	}
	return n
}

// frame is the picture of the fleet as it is now. When it is too high for the terminal, it leaves out failed members and
// waves that are far away.
func (h *history) frame(columns, height int) []line {
	columns, height = max(columns, 1), max(height, 2)-1 // the cursor rests below
	head := append(h.header(columns), h.steps()...)
	tail := slices.Concat(h.waits(columns), h.warnings(columns), h.members(columns), h.close(columns), h.pace(columns), h.budget(columns))
	failed := h.failed(columns)
	room := height - rows(head, columns) - rows(tail, columns) - rows(failed, columns)
	lines := slices.Concat(head, h.waves(columns, max(room, 1)), tail, failed)
	for rows(lines, columns) > height {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func (h *history) header(columns int) []line {
	phase := cell{string(h.now.Phase), phasePaint(h.now.Phase)}
	items := []cell{{clean(h.id), bold}, phase}
	if h.now.Name != "" {
		items = slices.Insert(items, 0, cell{clean(h.now.Name), bold})
	}
	if !h.began.IsZero() {
		items = append(items, text(elapsed(h.at.Sub(h.began))))
	}
	return wrap(columns, cell{}, 0, betweenItems, items)
}

// steps tells of the steps before. The next one begins only when all has gone well in the one before.
func (h *history) steps() (lines []line) {
	if h.now.Steps < 2 {
		return nil
	}
	for i := 1; i < h.now.Step; i++ {
		l := line{{fmt.Sprintf("step %d", i), plain}, {"  done", green}}
		if n := h.past[i]; n > 0 {
			l = append(l, text("  "+membership.Count(n, "member")))
		}
		lines = append(lines, l)
	}
	return append(lines, line{text(fmt.Sprintf("step %d of %d", h.now.Step, h.now.Steps))})
}

// present is the number of the wave that the run is in, -1 when it is in none.
func (h *history) present() int {
	return slices.IndexFunc(h.now.Waves, func(w fleet.WaveStatus) bool {
		return h.now.Wave == w.Name || strings.HasSuffix(h.now.Wave, ", "+w.Name)
	})
}

// waves draws a bar for each wave, in at most room lines: those around the present one, and how many there are before and
// after.
func (h *history) waves(columns, room int) (lines []line) {
	all, present := h.now.Waves, h.present()
	from, to := 0, len(all)
	if len(all) > room {
		size := max(room-2, 1)
		from = min(max(present-size/2, 0), len(all)-size)
		to = from + size
	}
	tell := room > 2
	if tell && from > 0 {
		lines = append(lines, line{{fmt.Sprintf("  … %s before", membership.Count(from, "wave")), faint}})
	}
	var names, counts, failures []string
	for _, w := range all[from:to] {
		names = append(names, clean(w.Name))
		counts = append(counts, fmt.Sprintf("%d/%d", w.Ended, w.Members))
		failures = append(failures, "")
		if w.Failed > 0 {
			failures[len(failures)-1] = fmt.Sprintf("  %d failed", w.Failed)
		}
	}
	n, c, f := widest(names), widest(counts), widest(failures)
	size := min(columns-1-len(presentMarker)-n-c-f-len(" [] "), widestBar)
	for i, w := range all[from:to] {
		l := line{{text: "  "}, {names[i] + pad(names[i], n), plain}}
		flying := 0
		if from+i == present {
			l[0].text, l[1].paint = presentMarker, bold
			if h.now.Phase != membership.Undoing { // those in flight have ended already
				flying = h.now.InFlight
			}
		}
		if size >= narrowestBar {
			l = slices.Concat(l, line{{text: " ["}}, bar(size, w, flying), line{{text: "]"}})
		}
		lines = append(lines, append(l, cell{text: " " + pad(counts[i], c) + counts[i]}, cell{failures[i], red}))
	}
	if tell && to < len(all) {
		lines = append(lines, line{{fmt.Sprintf("  … %s to come", membership.Count(len(all)-to, "wave")), faint}})
	}
	return lines
}

// bar is a wave: who ended well, who failed, who is in flight. Who is there at all is seen, however few they are.
func bar(size int, w fleet.WaveStatus, flying int) line {
	members := max(w.Members, 1)
	share := func(n int) int { return min(max(n, 0), members) * size / members }
	failed := share(w.Failed)
	if w.Failed > 0 {
		failed = max(failed, 1)
	}
	ended := max(share(w.Ended), failed)
	air := share(w.Ended+flying) - share(w.Ended)
	if flying > 0 {
		air = max(air, 1)
	}
	air = min(air, size-ended)
	return line{{strings.Repeat("=", ended-failed), green}, {strings.Repeat("x", failed), red},
		{strings.Repeat("-", air), plain}, {text: strings.Repeat(" ", size-ended-air)}}
}

func widest(texts []string) (n int) {
	for _, t := range texts {
		n = max(n, width(t))
	}
	return n
}

func pad(text string, to int) string { return strings.Repeat(" ", max(to-width(text), 0)) }

// labelled lays items out behind a label.
func labelled(columns int, label, between string, items []cell) []line {
	return wrap(columns, cell{label, faint}, labelWidth, between, items)
}

func (h *history) members(columns int) []line {
	s := h.now
	if s.Members == 0 {
		return nil
	}
	var items []cell
	for _, o := range membership.Outcomes() {
		if n := s.Counts[o]; n > 0 {
			items = append(items, cell{fmt.Sprintf("%d %s", n, o), colourOf(string(o))})
		}
	}
	if s.InFlight > 0 {
		items = append(items, text(fmt.Sprintf("%d in flight", s.InFlight)),
			text(fmt.Sprintf("%d of at most %s", len(s.Cohorts), membership.Count(s.Pace, "cohort"))))
	}
	if left := s.Members - h.ended() - s.InFlight; left > 0 && s.Phase != membership.Undoing {
		items = append(items, text(fmt.Sprintf("%d to go", left)))
	}
	return labelled(columns, "members", betweenItems, append(items, text(fmt.Sprintf("%d in all", s.Members))))
}

func (h *history) warnings(columns int) (lines []line) {
	for _, w := range h.now.Warnings {
		lines = append(lines, labelled(columns, "warning", " ", words(w, yellow))...)
	}
	return lines
}

// close tells where the members of the only cohort are, and what it cannot get done.
func (h *history) close(columns int) []line {
	var items []cell
	for _, part := range h.near.where {
		items = append(items, text(part))
	}
	if h.near.trouble != "" {
		items = append(items, cell{"trying again: " + clean(h.near.trouble), yellow})
	}
	if len(items) == 0 {
		return nil
	}
	return labelled(columns, "cohort", betweenItems, items)
}

// pace tells how fast the run is and when it should be through. Nobody knows when people will say something.
func (h *history) pace(columns int) []line {
	s := h.now
	if s.Members == 0 {
		return nil
	}
	rate := nothingKnown
	switch r := h.tempo.rate(); {
	case r >= 10:
		rate = fmt.Sprintf("%.0f/min", r)
	case r > 0:
		rate = fmt.Sprintf("%.1f/min", r)
	}
	return labelled(columns, "rate", betweenItems, append([]cell{text(rate)}, h.eta()...))
}

// eta is when the wave and the run should be through.
func (h *history) eta() []cell {
	s, present := h.now, h.present()
	var rest time.Duration
	if s.Phase == membership.Resting {
		rest = max(s.Next.Sub(h.at), 0)
	}
	goesOn := (s.Phase == membership.Running || s.Phase == membership.Resting) && s.Why == ""
	run, known := h.tempo.left(s.Members - h.ended())
	if !known || !goesOn {
		return []cell{text("ETA " + nothingKnown)}
	}
	var items []cell
	if present >= 0 {
		members := s.Waves[present].Members - s.Waves[present].Ended
		if wave, known := h.tempo.left(members); known && members > 0 {
			items = append(items, text("wave in "+roughly(rest+wave)))
		}
	}
	more := ""
	if s.Step < s.Steps || present+1 < len(s.Waves) {
		more = "+" // whatever lies between this wave and the next ones
	}
	return append(items, text("run in "+roughly(rest+run)+more))
}

// elapsed is a duration that has been measured.
func elapsed(d time.Duration) string {
	if d < time.Hour {
		return shortly(max(d.Round(time.Second), time.Second))
	}
	return roughly(d)
}

// roughly is a duration as one would say it.
func roughly(d time.Duration) string {
	if d > time.Minute {
		return shortly(d.Round(time.Minute))
	}
	return shortly(max(d.Round(time.Second), time.Second))
}

func (h *history) budget(columns int) []line {
	if h.now.Budget == "" {
		return nil
	}
	return labelled(columns, "budget", " ", words(h.now.Budget, plain))
}

// waits tells who waits for what. The commands of who must say something now are told when the verb ends for it.
func (h *history) waits(columns int) []line {
	s := h.now
	say := func(p paint, texts ...string) []line {
		return labelled(columns, "waits", " ", words(strings.Join(texts, " "), p))
	}
	switch {
	case s.Phase == membership.Planning:
		return say(plain, "until everybody has been looked at")
	case s.Phase == membership.Awaiting && s.Gate != nil:
		return slices.Concat(say(yellow, "for", s.Gate.Needs(), h.until()+":", s.Gate.Why), h.ballot(columns))
	case s.Phase == membership.Paused:
		return append(say(yellow, cmp.Or(s.Why, "paused")+"; it goes on with"),
			line{{text: pad("", labelWidth)}, text("fleetjoin resume " + h.id)})
	case s.Phase == membership.Stopped:
		return say(red, "for a person:", s.Why)
	case s.Phase == membership.Waiting:
		return say(red, "for a person: nobody else can tell about those who failed")
	case s.Phase == membership.Undoing:
		return labelled(columns, "ends", " ", words(s.Why, yellow))
	case s.Phase == membership.Resting && h.soaking():
		return say(plain, "soaks", h.until()+", then looks whether everybody is still as they were left")
	case s.Why != "" && s.InFlight > 0:
		return say(yellow, "for those in flight, then for a person:", s.Why)
	case s.Next.After(h.at):
		return say(plain, "starts nobody", h.until()+": no window is open")
	}
	return nil
}

// soaking tells a rest after a wave from one before its members.
func (h *history) soaking() bool {
	p := h.present()
	return p >= 0 && h.now.Waves[p].Ended >= h.now.Waves[p].Members
}

// ballot tells who may vote and who has.
func (h *history) ballot(columns int) []line {
	g, who := h.now.Gate, "anybody"
	if len(g.Voters) > 0 {
		who = strings.Join(g.Voters, ", ")
	}
	items := words(fmt.Sprintf("%s may vote, but not %s", who, g.Requester), plain)
	lines := labelled(columns, "", " ", items)
	var cast []string
	for _, v := range h.now.Votes {
		if v.Digest == h.now.Digest && v.Refused == "" {
			cast = append(cast, v.By)
		}
	}
	if len(cast) == 0 {
		return append(lines, labelled(columns, "", " ", words("nobody has voted yet", plain))...)
	}
	return append(lines, labelled(columns, "", " ", words("approved so far by "+strings.Join(cast, ", "), green))...)
}

// until is the moment when it goes on, and how long that is.
func (h *history) until() string {
	next := h.now.Next.In(h.at.Location())
	layout := "Mon 15:04"
	if next.Sub(h.at) < 12*time.Hour {
		layout = time.TimeOnly
	}
	return fmt.Sprintf("until %s (%s more)", next.Format(layout), roughly(next.Sub(h.at)))
}

// failed names the latest who failed.
func (h *history) failed(columns int) (lines []line) {
	label := "failed"
	for _, m := range h.now.Failed[:min(len(h.now.Failed), failedShown)] {
		items := []cell{text(m.ID), {string(m.Outcome), colourOf(string(m.Outcome))}}
		some := labelled(columns-width(cutOff), label, " ", append(items, words(withCode(m.Code, m.Reason), plain)...))
		if len(some) > failedLines {
			some = some[:failedLines]
			some[failedLines-1] = append(some[failedLines-1], cell{text: cutOff})
		}
		lines, label = append(lines, some...), ""
	}
	if n := len(h.now.Failed) - failedShown; n > 0 {
		lines = append(lines, labelled(columns, "", " ", words(fmt.Sprintf("and %d more: fleetjoin status %s", n, h.id), faint))...)
	}
	return lines
}

// phasePaint is how a phase looks.
func phasePaint(p membership.Phase) paint {
	switch p {
	case membership.Stopped, membership.Waiting:
		return red
	case membership.Awaiting, membership.Paused, membership.Undoing, membership.Resting:
		return yellow
	}
	return green
}
