package report

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed" // the parts of the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

// WriteHTML writes the fleet as a page that needs nothing else: no network, no other file. Browsers run no script in it
// but its own, whatever a cloud calls its servers.
func WriteHTML(ctx context.Context, f *archive.Run, to io.Writer) error {
	page, err := template.New("page").Funcs(template.FuncMap{
		"after": after, "clock": clock, "count": count, "day": day, "meaning": Meaning, "n": thousands, "span": span,
		"join":  func(all []string) string { return strings.Join(all, " ") },
		"px":    func(x float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0") },
		"words": func(name any) string { return words(fmt.Sprint(name)) },
	}).Parse(pageHTML)
	if err != nil {
		return err
	}
	v, err := newView(ctx, f)
	if err != nil {
		return err
	}
	return page.Execute(to, v)
}

// view is what the page shows.
type view struct {
	Title   string
	Run     string
	Key     string
	Report  fleet.Report
	Tone    string // what colour the outcome has
	Steps   []stepView
	Facts   []fact
	Members int
	Tallies []tallied
	Shares  []piece
	Waves   []waveView
	Chart   *chart
	People  []person
	Keys    []fact
	gathered
	CSS    template.CSS
	Script template.JS
	Policy string
}

type stepView struct {
	fleet.SurveyedStep
	N      int
	Stages []membership.Stage
}

type fact struct{ Name, Value string }

type waveView struct {
	archive.Wave
	Shares []piece
}

// Took is how long the wave was under way.
func (w waveView) Took() time.Duration { return w.Ended.Sub(w.Started) }

func newView(ctx context.Context, f *archive.Run) (*view, error) {
	sum := sha256.Sum256([]byte(pageJS))
	v := &view{Title: cmp.Or(f.Report.Name, f.ID, "fleet"), Run: f.ID, Key: f.Key, Report: f.Report, Tone: tone(f.Report.Outcome),
		Facts: about(f), Tallies: tallies(f.Report.Counts), Shares: shares(f.Report.Counts), People: people(f.Report), Keys: keys(f),
		CSS: template.CSS(pageCSS), Script: template.JS(pageJS), // they are our own
		Policy: fmt.Sprintf("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; script-src 'sha256-%s'",
			base64.StdEncoding.EncodeToString(sum[:]))}
	v.Chart = newChart(f, v.People)
	for _, w := range f.Waves() {
		v.Waves = append(v.Waves, waveView{Wave: w, Shares: shares(w.Counts)})
		v.Members += w.Members
	}
	var err error
	if v.gathered, err = gather(ctx, f); err != nil {
		return nil, err
	}
	for i, s := range f.Report.Steps {
		v.Steps = append(v.Steps, stepView{SurveyedStep: s.SurveyedStep, N: i + 1, Stages: v.Stages[i]})
	}
	return v, nil
}

// tallied is how many came to an outcome.
type tallied struct {
	Outcome membership.Outcome
	Count   int
}

func tallies(counts map[membership.Outcome]int) (all []tallied) {
	for _, o := range membership.Outcomes() {
		if n := counts[o]; n > 0 {
			all = append(all, tallied{o, n})
		}
	}
	return all
}

// shares divides a bar of 100.
func shares(counts map[membership.Outcome]int) []piece { return cut(counts, 100, 0.5) }

func tone(o membership.RunOutcome) string {
	switch o {
	case membership.RunSucceeded:
		return "good"
	case membership.RunIncomplete:
		return "bad"
	}
	return "fair"
}

// about tells who asked for what, and when it was.
func about(f *archive.Run) []fact {
	stamp := func(t time.Time) string { return day(t) + " " + clock(t) + " UTC" }
	cohorts := 0
	for _, p := range f.Parts {
		if p.Cohort != "" {
			cohorts++
		}
	}
	all := []fact{{"asked for by", f.Plan.Requester}, {"started", stamp(f.Report.Started)}, {"ended", stamp(f.Report.Ended)},
		{"took", span(f.Report.Ended.Sub(f.Report.Started))}, {"in", count(cohorts, "cohort")}, {"manner", manner(f.Plan)},
		{"budget", allowance(f.Plan.Budget)}}
	return slices.DeleteFunc(all, func(a fact) bool { return a.Value == "" })
}

// keys are what vouches for the fleet.
func keys(f *archive.Run) []fact {
	all := []fact{{"archive", f.Key}, {"manifest", f.Manifest}, {"kept by", f.Release}}
	for _, v := range f.Report.Votes {
		approved := fact{"approved", v.Digest}
		if v.Refused == "" && v.Approves && !slices.Contains(all, approved) {
			all = append(all, approved)
		}
	}
	return slices.DeleteFunc(all, func(a fact) bool { return a.Value == "" })
}
