package report

import (
	"context"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// gathered is what the page tells of the members.
type gathered struct {
	Failures []*failure
	Hosts    archive.Hosts
	Healed   int // who failed at first, and went well when they were tried again
	Undos    []*undo
	Undone   int                  // members that were put back
	Stages   [][]membership.Stage // by step
	Data     data
}

// failure is all members that did not go well in the same way.
type failure struct {
	Outcome membership.Outcome
	Stage   string
	Code    string
	Count   int
	Reasons []string // the first few
	IDs     []string // of the first, too
}

const (
	mostReasons = 3
	mostNamed   = 8
)

// undo is all members that one cohort put back, or should have, with the same outcome.
type undo struct {
	Cohort  string
	Own     bool // it is the cohort in which they failed
	Outcome membership.Outcome
	IDs     []string
}

// data is every member, for the page's script. Rows are cut behind their last value.
type data struct {
	Text []string `json:"text"` // what occurs often; the first is ""
	Rows [][]any  `json:"rows"` // see row
}

type gatherer struct {
	*gathered
	texts    map[string]int
	failures map[[3]string]*failure
	undos    map[[3]string]*undo
}

func gather(ctx context.Context, f *archive.Run) (gathered, error) {
	g := gatherer{gathered: &gathered{Stages: make([][]membership.Stage, len(f.Report.Steps))}, texts: make(map[string]int),
		failures: make(map[[3]string]*failure), undos: make(map[[3]string]*undo)}
	g.text("")
	for leaf, err := range f.Pages(ctx) {
		if err != nil {
			return gathered{}, err
		}
		if g.Stages[leaf.Step] == nil {
			g.Stages[leaf.Step] = leaf.Stages
		}
		for i := range leaf.Members {
			m := &leaf.Members[i]
			g.fail(m)
			g.undo(m)
			g.Hosts.Add(m)
			g.Data.Rows = append(g.Data.Rows, g.row(m, after(f.Report.Steps[leaf.Step].Operation, m.Outcome)))
		}
	}
	slices.SortStableFunc(g.Failures, func(a, b *failure) int {
		return severity(a.Outcome) - severity(b.Outcome)
	})
	return *g.gathered, nil
}

// severity orders outcomes by how soon somebody should look.
func severity(o membership.Outcome) int {
	return slices.Index([]membership.Outcome{membership.RollbackIncomplete, membership.Unknown, membership.RolledBack, membership.Refused,
		membership.Skipped, membership.NotStarted, membership.Joined, membership.Left, membership.Already}, o)
}

// fail folds the members of whom something must be said.
func (g *gatherer) fail(m *archive.Member) {
	switch {
	case severity(m.Outcome) > severity(membership.NotStarted):
		if slices.ContainsFunc(m.Earlier, func(t archive.Try) bool { return severity(t.Outcome) <= severity(membership.RolledBack) }) {
			g.Healed++
		}
		return
	case m.Outcome == membership.NotStarted && m.Reason == "", m.Outcome == membership.RolledBack && m.Act == archive.ActPutBack:
		return // nothing was wrong with it
	}
	story := [3]string{string(m.Outcome), m.Stage, m.Code}
	f := g.failures[story]
	if f == nil {
		f = &failure{Outcome: m.Outcome, Stage: m.Stage, Code: m.Code}
		g.failures[story] = f
		g.Failures = append(g.Failures, f)
	}
	f.Count++
	if len(f.Reasons) < mostReasons && m.Reason != "" && !slices.Contains(f.Reasons, m.Reason) {
		f.Reasons = append(f.Reasons, m.Reason)
	}
	if len(f.IDs) < mostNamed {
		f.IDs = append(f.IDs, m.ID)
	}
}

// undo lists whom a cohort put back.
func (g *gatherer) undo(m *archive.Member) {
	if m.Act != archive.ActPutBack && m.Outcome != membership.RolledBack && m.Outcome != membership.RollbackIncomplete {
		return
	}
	if m.Outcome == membership.RolledBack {
		g.Undone++
	}
	key := [3]string{m.Cohort, string(m.Act), string(m.Outcome)}
	u := g.undos[key]
	if u == nil {
		u = &undo{Cohort: m.Cohort, Own: m.Act != archive.ActPutBack, Outcome: m.Outcome}
		g.undos[key] = u
		g.Undos = append(g.Undos, u)
	}
	u.IDs = append(u.IDs, m.ID)
}

func (g *gatherer) text(s string) int {
	i, ok := g.texts[s]
	if !ok {
		i = len(g.Data.Text)
		g.texts[s] = i
		g.Data.Text = append(g.Data.Text, s)
	}
	return i
}

// row is a member for the script, which names the same columns. Numbers are indexes of texts, but for the step.
func (g *gatherer) row(m *archive.Member, after string) []any {
	var also, earlier []any
	for _, o := range m.Also {
		also = append(also, g.text(o.String()))
	}
	for _, t := range m.Earlier {
		earlier = append(earlier, []any{g.text(string(t.Outcome)), g.text(t.Cohort), g.text(string(t.Act)), g.text(t.Stage), g.text(t.Code),
			g.text(t.Reason), t.RequestID})
	}
	row := []any{m.ID, m.Name, g.text(string(m.Outcome)), g.text(m.Wave), g.text(m.Group), m.Step, g.text(facts(m.Before, "\n")),
		g.text(after), g.text(m.Cohort), g.text(string(m.Act)), g.text(m.Stage), g.text(m.Code), g.text(m.Reason), m.RequestID, also, earlier}
	for len(row) > 0 && empty(row[len(row)-1]) {
		row = row[:len(row)-1]
	}
	return row
}

func empty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case int:
		return v == 0
	case []any:
		return len(v) == 0
	}
	return false
}
