package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/starter/report"
)

// runView shows a fleet that is under way: as a picture on a terminal, else as a line, or an object, whenever something
// has changed.
type runView struct {
	f       *Factory
	run     client.WorkflowRun
	runID   string
	now     func() time.Time
	last    string
	failed  []fleet.FailedMember
	trouble string
	warned  bool
	history *history // of what is drawn
}

// begunRun is a run that somebody started before we came; at is zero when nobody knows when.
type begunRun struct {
	client.WorkflowRun
	found foundRun
	at    time.Time
}

// draw draws the picture anew, since time has passed even when nothing else has happened.
func (v *runView) draw(s fleet.Status, near closeUp) {
	if v.history == nil {
		v.history = &history{id: v.run.GetID(), began: v.now()}
		if r, ok := v.run.(begunRun); ok {
			v.history.began = r.at
		}
	}
	v.history.note(v.now(), s, near)
	v.f.draw(v.history.frame(v.f.size()))
}

func (v *runView) show(s fleet.Status, near closeUp) {
	if v.f.Terminal && !v.f.JSON {
		v.draw(s, near)
		return
	}
	line := tally(s)
	if v.f.JSON {
		if line != v.last {
			v.last = line
			_ = v.f.json(statusLine{ID: v.run.GetID(), RunID: v.runID, Status: s}) // the report's write will tell
		}
		return
	}
	if !v.warned && len(s.Warnings) > 0 {
		v.warned = true
		printWarnings(&v.f.Streams, s.Warnings)
	}
	if at := near.String(); at != "" {
		line += " · " + at
	}
	if near.trouble != v.trouble && near.trouble != "" {
		v.f.printf("%s trying again: %s\n", v.now().Format(time.TimeOnly), clean(near.trouble))
	}
	v.trouble = near.trouble
	if line == v.last {
		return
	}
	v.last = line
	v.f.printf("%s %s\n", v.now().Format(time.TimeOnly), line)
	for _, m := range s.Failed {
		if !slices.Contains(v.failed, m) {
			v.f.printf("%s %s %s%s\n", v.now().Format(time.TimeOnly), clean(m.ID), v.f.paint(colourOf(string(m.Outcome)), string(m.Outcome)),
				becauseOf(m.Code, m.Reason))
		}
	}
	v.failed = s.Failed
}

// tally is a fleet in a line, such as "running · wave 1 · 12 joined, 200 in flight of 1000".
func tally(s fleet.Status) string {
	parts := []string{string(s.Phase)}
	if s.Wave != "" && s.Phase != membership.Ended {
		parts = append(parts, clean(s.Wave))
	}
	if s.Members > 0 {
		text := outcomeTally(s.Counts)
		if s.InFlight > 0 {
			if text != "" {
				text += ", "
			}
			text += fmt.Sprintf("%d in flight", s.InFlight)
		}
		if text == "" {
			text = "none begun"
		}
		parts = append(parts, fmt.Sprintf("%s, of %d", text, s.Members))
	}
	if s.Why != "" {
		parts = append(parts, clean(s.Why))
	}
	switch {
	case s.Next.IsZero():
	case s.Phase == membership.Awaiting:
		parts = append(parts, "until "+moment(s.Next))
	default:
		parts = append(parts, "goes on at "+moment(s.Next))
	}
	return strings.Join(parts, " · ")
}

// moment is a time of today, or the day, too.
func moment(t time.Time) string {
	t = t.Local()
	if time.Until(t).Abs() < 12*time.Hour {
		return t.Format(time.TimeOnly)
	}
	return t.Format("Mon 2 Jan 15:04")
}

func outcomeTally(counts map[membership.Outcome]int) string {
	return membership.Report{Counts: counts}.Tally()
}

func printStatus(out *Streams, s fleet.Status) {
	out.printf("%s\n", out.paint(bold, tally(s)))
	if s.Steps > 1 {
		out.printf("step %d of %d\n", s.Step, s.Steps)
	}
	if s.Phase == membership.Awaiting {
		out.printf("%s\nneeds %s within %s; asked for by %s\ndigest %s\n", clean(s.Gate.Why), s.Gate.Needs(),
			s.Gate.Timeout.Std(), clean(s.Gate.Requester), s.Digest)
	}
	printWarnings(out, s.Warnings)
	printVotes(out, s.Votes)
	if s.Budget != "" {
		out.printf("budget: %s\n", clean(s.Budget))
	}
	if len(s.Waves) > 0 {
		out.printf("\n")
		var t table
		t.head("WAVE", "MEMBERS", "ENDED", "FAILED")
		for _, w := range s.Waves {
			t.add(text(w.Name), text(fmt.Sprint(w.Members)), text(fmt.Sprint(w.Ended)), text(fmt.Sprint(w.Failed)))
		}
		t.print(out, "")
	}
	printFailed(out, s.Failed)
	if len(s.Cohorts) > 0 {
		out.printf("\ncohorts under way, each a run of its own: %s\n", clean(strings.Join(s.Cohorts, " ")))
	}
}

func printFailed(out *Streams, failed []fleet.FailedMember) {
	if len(failed) == 0 {
		return
	}
	out.printf("\n")
	var t table
	t.head("MEMBER", "OUTCOME", "WHY")
	for _, m := range failed {
		t.add(text(m.ID), cell{string(m.Outcome), colourOf(string(m.Outcome))}, text(withCode(m.Code, m.Reason)))
	}
	t.print(out, "")
}

func printReport(out *Streams, id string, r fleet.Report) {
	out.erase() // the picture is of the moment before the end
	out.printf("\n%s: %s  run %s\n", out.paint(outcomePaint(r), string(r.Outcome)), outcomeTally(r.Counts), clean(id))
	if r.Why != "" {
		out.printf("%s\n", clean(r.Why))
	}
	for i, s := range r.Steps {
		out.printf("step %d: %s %s, %s (%s, account %s)\n", i+1, s.Operation, membership.Count(s.Members, "member"), membership.Count(s.Groups, "group"),
			s.Kind, s.Account)
	}
	out.printf("in %v\n\n", r.Ended.Sub(r.Started).Round(time.Second))
	var t table
	for _, o := range membership.Outcomes() {
		if n := r.Counts[o]; n > 0 {
			t.add(cell{fmt.Sprintf("%6d", n), bold}, cell{string(o), colourOf(string(o))}, text(report.Meaning(o)))
		}
	}
	t.print(out, "")
	printVotes(out, r.Votes)
	for _, s := range r.Controls {
		if s.What == membership.ControlApprove || s.What == membership.ControlReject {
			continue // they are among the votes
		}
		words := []string{report.Detail(r, s.Control), s.Control.Reason}
		if s.Refused != "" {
			words[1] = "was refused: " + s.Refused
		}
		words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
		printSaid(out, s.What, cmp.Or(s.Control.By, "somebody"), s.At, strings.Join(words, ": "))
	}
	if r.Archive != "" {
		out.printf("archive %s\n", r.Archive)
	}
}
