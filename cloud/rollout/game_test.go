package rollout_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/rollout"
)

// monday is when games begin.
var monday = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// page is how many members a page has in games.
const page = 3

// game plays a run: it answers what the run wants done, each cohort after a minute, and writes down what happens.
type game struct {
	*rollout.Rollout
	t    rapid.TB
	plan fleet.Plan
	now  time.Time
	log  []string

	running []*cohort
	records map[string][]membership.MemberReport
	archive *fleet.Archive

	fate    func(id string, try int) membership.Outcome // what becomes of a member; nil: all goes well
	undo    func(id string) membership.Outcome          // of one that is put back; nil: it is
	seen    func(in fleet.PageInput) fleet.Seen
	lost    func(p fleet.Part) []string
	dies    func(in fleet.PageInput) *rollout.Failure
	scarce  bool
	before  *game       // that has ended, and is rolled back
	turns   func() bool // whether the history is full; nil: never
	tries   map[string]int
	most    int // members that were at stake at once: failed, unknown or in flight
	moments map[time.Duration]func()
}

type cohort struct {
	start rollout.StartCohort
	ids   []string
	ends  time.Time
	told  string
}

func newGame(t rapid.TB, members int, change func(p *fleet.Plan)) *game {
	g := &game{t: t, now: monday, records: map[string][]membership.MemberReport{}, tries: map[string]int{}, moments: map[time.Duration]func(){}}
	g.plan = fleet.Plan{Requester: "ann", Step: fleet.Step{Kind: "toy.group", Account: "demo", Group: "g-1", Members: crowd(members)}}
	if change != nil {
		change(&g.plan)
	}
	require.Empty(t, g.plan.Problems())
	g.Rollout = rollout.New(g.plan, monday)
	return g
}

func crowd(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("m%d", i))
	}
	return ids
}

func (g *game) at(after time.Duration, do func()) { g.moments[after] = do }

func (g *game) say(format string, args ...any) { g.log = append(g.log, fmt.Sprintf(format, args...)) }

// play goes on until the run has ended or waits for a person, and nothing more is to come.
func (g *game) play() *game {
	for range 100_000 {
		full := g.turns != nil && g.turns()
		commands := g.Next(g.now, full)
		answered := false
		for _, c := range commands {
			answered = g.do(c) || answered
		}
		if over, err := g.Over(); over {
			require.NoError(g.t, err)
			return g
		}
		g.stake()
		if g.WantsFreshHistory() {
			g.turnOver()
			continue
		}
		if !answered && !g.wait() {
			return g
		}
	}
	g.t.Fatalf("the run never ends; it is in %s: %s", g.Stage, strings.Join(g.log[max(0, len(g.log)-20):], "; "))
	return g
}

// turnOver goes on with what a run hands on, as JSON.
func (g *game) turnOver() {
	data, err := json.Marshal(g.State)
	require.NoError(g.t, err)
	var state rollout.State
	require.NoError(g.t, json.Unmarshal(data, &state))
	g.Rollout = rollout.Resume(g.plan, state, g.now)
}

// wait lets time go on to the next thing that happens, and reports whether there is one.
func (g *game) wait() bool {
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, c := range g.running {
		sooner(c.ends)
	}
	for after := range g.moments {
		sooner(monday.Add(after))
	}
	if wake := g.Wake(); wake.After(g.now) {
		sooner(wake)
	}
	if next.IsZero() {
		return false
	}
	g.now = next
	if do, ok := g.moments[next.Sub(monday)]; ok {
		delete(g.moments, next.Sub(monday))
		do()
		return true
	}
	for _, c := range slices.Clone(g.running) {
		if !c.ends.After(g.now) {
			g.land(c)
			return true
		}
	}
	return true
}

func (g *game) do(command rollout.Command) (answered bool) {
	switch c := command.(type) {
	case rollout.Survey:
		if g.before != nil {
			s := g.before.Survey
			s.Done, s.Seen = slices.Clone(g.before.Parts), g.before.Previews
			g.Surveyed(s, nil)
			break
		}
		g.Surveyed(g.survey(), nil)
	case rollout.PreviewPage:
		seen := fleet.Seen{Key: fmt.Sprintf("seen %d.%d", c.Page.Step, c.I), Due: c.Page.To - c.Page.From}
		if g.seen != nil {
			seen = g.seen(c.Page)
		}
		g.Previewed(c.I, seen, nil)
	case rollout.Reserve:
		g.say("reserve in %d looks", len(c.Seen))
		seen := slices.Clone(c.Seen)
		for i := range seen {
			seen[i].Key += ", placed"
		}
		g.Reserved(seen, nil)
	case rollout.CheckPart:
		var lost []string
		if g.lost != nil {
			lost = g.lost(c.Part)
		}
		g.say("check %s", c.Part.Cohort)
		g.Checked(lost, nil)
	case rollout.StopLooking:
	case rollout.AskWindows:
		open := c.Windows.Open(g.now)
		until, _ := c.Windows.NextOpening(g.now)
		if open {
			until, _ = c.Windows.NextClosing(g.now)
		}
		g.WindowsAre(open, until)
	case rollout.StartCohort:
		run := &cohort{start: c, ids: g.members(c.Input), ends: g.now.Add(time.Minute)}
		g.running = append(g.running, run)
		g.CohortRuns(c.Number, fmt.Sprintf("c%d", c.Number))
		what := "start"
		if c.Input.Again != nil {
			what = map[bool]string{true: "undo", false: "retry"}[c.Input.Again.Undo]
		}
		approved := ""
		if g.scarce {
			require.Contains(g.t, c.Input.Seen, ", placed")
			approved = map[bool]string{true: ", approved"}[c.Approved]
		}
		g.say("%s %s%s", what, strings.Join(run.ids, " "), approved)
		return false
	case rollout.TellCohort:
		i := slices.IndexFunc(g.running, func(run *cohort) bool { return run.start.Number == c.Number })
		g.running[i].told = c.Control
		g.say("tell c%d %s", c.Number, c.Control)
		return false
	case rollout.CloseGate:
		g.say("close gate")
	case rollout.Close:
		g.archive = &c.Archive
		g.Archived()
	}
	return true
}

func (g *game) survey() fleet.Survey {
	s := fleet.Survey{Manifest: "manifest", Run: "run"}
	for i, step := range g.plan.StepList() {
		waves, problems := g.plan.Layout(i, len(step.Members))
		require.Empty(g.t, problems)
		op := step.Operation
		if op == "" {
			op = membership.Join
		}
		surveyed := fleet.SurveyedStep{Operation: op, Kind: step.Kind, Account: step.Account, Groups: 1, Group: step.Group,
			Members: len(step.Members), Preview: g.plan.Approval != nil || g.seen != nil, Scarce: g.scarce}
		for _, w := range waves {
			for left := w.Members; left > 0; left -= page {
				w.Pages = append(w.Pages, min(left, page))
			}
			surveyed.Waves = append(surveyed.Waves, w)
		}
		s.Steps = append(s.Steps, surveyed)
	}
	return s
}

func (g *game) members(in fleet.PageInput) []string {
	if in.Again != nil && in.Again.Record != "" {
		return in.Again.Of(membership.Report{Members: g.records[in.Again.Record]})
	}
	first := 0
	for _, w := range g.Survey.Steps[in.Step].Waves[:in.Wave] {
		first += w.Members
	}
	for _, n := range g.Survey.Steps[in.Step].Waves[in.Wave].Pages[:in.Page] {
		first += n
	}
	return g.plan.StepList()[in.Step].Members[first+in.From : first+in.To]
}

// land ends a cohort.
func (g *game) land(c *cohort) {
	g.running = slices.DeleteFunc(g.running, func(other *cohort) bool { return other == c })
	in := c.start.Input
	if g.dies != nil {
		if f := g.dies(in); f != nil {
			g.say("lose %s", strings.Join(c.ids, " "))
			g.CohortEnded(c.start.Number, fleet.Part{}, f)
			return
		}
	}
	p := fleet.Part{Record: fmt.Sprintf("r%d", c.start.Number), Counts: map[membership.Outcome]int{}}
	for _, id := range c.ids {
		o := membership.Joined
		if c.start.Step.Operation == membership.Leave {
			o = membership.Left
		}
		switch {
		case in.Again != nil && in.Again.Undo && g.undo != nil:
			o = g.undo(id)
		case in.Again != nil && in.Again.Undo, c.told == membership.ControlAbort:
			o = membership.RolledBack
		case g.fate != nil:
			g.tries[id]++
			if fate := g.fate(id, g.tries[id]); fate != "" {
				o = fate
			}
		}
		g.records[p.Record] = append(g.records[p.Record], membership.MemberReport{ID: id, Outcome: o})
		p.Counts[o]++
		if (fleet.Part{Counts: map[membership.Outcome]int{o: 1}}).Failed() > 0 {
			p.Worst = append(p.Worst, fleet.FailedMember{ID: id, Outcome: o, Code: "no-luck", Reason: "because"})
		}
	}
	g.CohortEnded(c.start.Number, p, nil)
}

// stake notes how many members are failed or may be, as the budget counts.
func (g *game) stake() {
	if g.Ledger != nil {
		g.most = max(g.most, g.Ledger.Failed+g.Ledger.InFlight)
	}
}

// fails makes members fail like that, whenever they are tried.
func (g *game) fails(o membership.Outcome, ids ...string) {
	g.fate = func(id string, _ int) membership.Outcome {
		if slices.Contains(ids, id) {
			return o
		}
		return ""
	}
}

func (g *game) control(name string, in fleet.Control) {
	_, err := g.Control(g.now, name, in)
	require.NoError(g.t, err)
}

// tally is how the run has ended, or where it stands.
func (g *game) tally() string {
	g.t.Helper()
	over, _ := g.Over()
	if !over {
		s := g.Status()
		return strings.TrimSuffix(fmt.Sprintf("%s: %s", s.Phase, s.Why), ": ")
	}
	r := g.Report()
	total := 0
	for i, s := range r.Steps {
		n := 0
		for _, c := range s.Counts {
			require.Positive(g.t, c)
			n += c
		}
		require.Equal(g.t, s.Members, n, "all members of step %d are accounted for: %v", i+1, s.Counts)
		total += n
	}
	require.NotNil(g.t, g.archive)
	return string(r.Outcome) + ": " + membership.Report{Counts: r.Counts}.Tally()
}
