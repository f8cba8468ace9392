package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

const (
	// previewTimeout ends the plan of a fleet that nobody waits for any more. Looking at 100,000 members takes a while.
	previewTimeout = 6 * time.Hour
	// someGroups is how many groups are listed unless all are.
	someGroups = 20
)

// previewRun shows what a plan would do.
func previewRun(ctx context.Context, o *PlanOptions, p fleet.Plan) error {
	conn, err := o.Connect(ctx, o.Profile)
	if err != nil {
		return err
	}
	defer conn.Close()
	id := fmt.Sprintf("plan-%s-%s", runID(p), strings.ToLower(rand.Text()[:8]))
	run, err := conn.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                workflows.TaskQueue,
		WorkflowExecutionTimeout: previewTimeout,
		StaticSummary:            "plan: " + summary(p),
	}, workflows.TypePreview, p)
	if err != nil {
		return fmt.Errorf("start plan %s: %w", id, err)
	}
	var preview fleet.Preview
	if err := awaitPlan(ctx, o.Factory, conn, run, &preview); err != nil {
		return err
	}
	// Of a handful one wants to see each.
	members := 0
	for _, s := range preview.Steps {
		members += s.Members
	}
	each := o.All || !o.JSON && members <= membership.ByName
	if o.JSON {
		err = o.pretty(preview)
	} else {
		printPreview(&o.Streams, preview, o.All)
	}
	if err == nil && each {
		err = attend(ctx, o.Factory, conn, nil, func(ctx context.Context) error { return tellSights(ctx, o.Factory, preview, fromWorkers(conn)) })
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(preview.Steps, func(s fleet.PreviewStep) bool { return s.Refused > 0 }) {
		return exitWith(ExitRefused)
	}
	return nil
}

func printPreview(out *Streams, p fleet.Preview, all bool) {
	printWarnings(out, p.Warnings)
	for i, s := range p.Steps {
		if i > 0 {
			out.printf("\n")
		}
		if len(p.Steps) > 1 {
			out.printf("step %d of %d: ", i+1, len(p.Steps))
		}
		printPreviewStep(out, s, all)
	}
	if len(p.Steps) > 1 && p.DurationSeconds > 0 {
		out.printf("\nall steps: about %s\n", lasting(p.DurationSeconds))
	}
	for i, o := range p.Openings {
		if i == 0 {
			out.printf("\nThe next windows:\n")
		}
		until := "without an end"
		if !o.Closes.IsZero() {
			until = "until " + o.Closes.Local().Format(time.RFC3339)
		}
		out.printf("  %s %s\n", o.Opens.Local().Format(time.RFC3339), until)
	}
}

func printPreviewStep(out *Streams, s fleet.PreviewStep, all bool) {
	out.printf("%s %s, %s (%s, account %s)\n\n", s.Operation, membership.Count(s.Members, "member"), membership.Count(s.AllGroups, "group"),
		s.Kind, s.Account)
	if s.Read != "" {
		out.printf("read %s\n\n", clean(s.Read))
	}
	groups := s.Groups
	if !all {
		groups = groups[:min(len(groups), someGroups)]
	}
	var t table
	t.head("GROUP", "MEMBERS", "DUE", "ALREADY", "REFUSED")
	for _, g := range groups {
		t.foreseen(g.Group, g.Foreseen)
	}
	if more := s.AllGroups - len(groups); more > 0 {
		t.add(cell{fmt.Sprintf("… and %d more", more), faint})
	}
	t.print(out, "")
	out.printf("\n")
	t = table{}
	t.head("WAVE", "MEMBERS", "DUE", "ALREADY", "REFUSED", "TAKES ABOUT")
	for _, w := range s.Waves {
		takes := ""
		if s.Expected != nil {
			takes = lasting(w.DurationSeconds)
		}
		t.foreseen(w.Name, w.Foreseen, text(takes))
	}
	t.print(out, "")
	out.printf("\n%s\n", foreseen(s.Foreseen, s.Operation))
	printRefusals(out, s.Refusals)
	if len(s.Stages) > 0 {
		out.printf("\nEach member to %s goes through:\n", s.Operation)
		printStages(out, s.Stages)
		out.printf("\n")
	}
	if s.Destructive {
		out.printf("%s\n", out.paint(red, "This destroys data: look at the stages."))
	}
	printWarnings(out, s.Warnings)
	out.printf("budget: %s\n", cmp.Or(s.Budget, "any number of failures"))
	when := "the first wave"
	if s.EachWave {
		when = "each wave"
	}
	printGate(out, s.Gate, when)
	printExpected(out, s.Expected)
}

// foreseen adds what would become of some members, and more about them.
func (t *table) foreseen(name string, s fleet.Foreseen, more ...cell) {
	number := func(n int, p paint) cell {
		if n == 0 {
			p = faint
		}
		return cell{fmt.Sprint(n), p}
	}
	t.add(append([]cell{text(name), number(s.Members, plain), number(s.Due, bold), number(s.Already, green),
		number(s.Refused, yellow)}, more...)...)
}

func printRefusals(out *Streams, refusals []fleet.Refusal) {
	if len(refusals) == 0 {
		return
	}
	out.printf("\n")
	var t table
	t.head("REFUSED", "MEMBERS", "SUCH AS", "WHY")
	for _, r := range refusals {
		row := []cell{{r.Code, yellow}, text(fmt.Sprint(r.Members)), {}, {}}
		for _, e := range r.Examples {
			row[2], row[3] = text(e.Member), text(e.Reason)
			t.add(row...)
			row = make([]cell, len(row))
		}
		if more := r.Members - len(r.Examples); more > 0 {
			t.add(cell{}, cell{}, cell{fmt.Sprintf("… and %d more", more), faint})
		}
	}
	t.print(out, "")
	out.printf("\n")
}

// sightLine is what is printed with --json --all of a page of members.
type sightLine struct {
	Step    int                 `json:"step"` // from 1
	Wave    string              `json:"wave"`
	Group   string              `json:"group"`
	Members []membership.Member `json:"members"`
}

// tellSights lists every member, page by page: however many there are, only one page is held.
func tellSights(ctx context.Context, f *Factory, p fleet.Preview, get archive.Get) error {
	for i, s := range p.Steps {
		for _, w := range s.Waves {
			for _, page := range w.Pages {
				data, err := get(ctx, page.Sight)
				if err != nil {
					return err
				}
				var sight fleet.Sight
				if err := json.Unmarshal(data, &sight); err != nil {
					return fmt.Errorf("blob %s: %w", page.Sight, err)
				}
				line := sightLine{Step: i + 1, Wave: w.Name, Group: page.Group, Members: sight.Members}
				if !f.JSON {
					printSight(&f.Streams, line, stageNames(s), len(p.Steps) > 1)
				} else if err := f.json(line); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func printSight(out *Streams, s sightLine, stages string, steps bool) {
	out.printf("\n")
	if steps {
		out.printf("step %d, ", s.Step)
	}
	out.printf("%s, group %s\n", clean(s.Wave), clean(s.Group))
	var t table
	t.head("MEMBER", "NAME", "PLAN", "NOW", "WHY")
	for _, m := range s.Members {
		t.planned(m, stages)
	}
	t.print(out, "")
}

func stageNames(s fleet.PreviewStep) string {
	var names []string
	for _, stage := range s.Stages {
		names = append(names, stage.Name)
	}
	return cmp.Or(strings.Join(names, " → "), string(s.Operation))
}

// printExpected tells what something should take, unless nobody knows or it is nothing.
func printExpected(out *Streams, e *fleet.Expected) {
	if e == nil || e.DurationSeconds == 0 {
		return
	}
	soaks := ""
	if e.SoakSeconds > 0 {
		soaks = fmt.Sprintf(", %s of it between waves", lasting(e.SoakSeconds))
	}
	out.printf("\nexpected: about %s%s, when all goes well and nobody is waited for\n", lasting(e.DurationSeconds), soaks)
	if d := e.Downtime; d != nil {
		out.printf("down: %s, for about %s each\n", membership.Count(d.Members, "member"), lasting(d.SecondsEach))
	}
	if len(e.Calls) == 0 {
		return
	}
	var t table
	t.head("CALLS", "WRITES", "READS", "LIMIT", "OF THE LIMIT")
	for _, c := range e.Calls {
		t.add(text(c.API), text(writesOf(c)), text(readsOf(c)), text(limitOf(c)), text(shareOf(c)))
	}
	t.print(out, "  ")
}

// lasting is how long something should take; what takes long is not told to the second.
func lasting(seconds int) string {
	d := time.Duration(seconds) * time.Second
	if d > 10*time.Minute {
		d = d.Round(time.Minute)
	}
	return shortly(d)
}

func writesOf(c fleet.APICalls) string {
	if c.Writes < c.WritesAtMost {
		return fmt.Sprintf("%d to %d", c.Writes, c.WritesAtMost)
	}
	return fmt.Sprint(c.Writes)
}

func readsOf(c fleet.APICalls) string {
	if c.Reads == 0 {
		return "0"
	}
	return fmt.Sprintf("about %d", c.Reads)
}

// limitOf writes a limit, and its name when it is not one of the API's own.
func limitOf(c fleet.APICalls) string {
	text := fmt.Sprintf("%.3g/s", c.LimitPerSecond)
	if c.LimitPerSecond < 1 {
		text = fmt.Sprintf("%.3g/min", c.LimitPerSecond*60)
	}
	if c.Limit != c.API {
		text += ", " + c.Limit
	}
	return text
}

func shareOf(c fleet.APICalls) string {
	if c.LimitShare > 0 && c.LimitShare < 0.01 {
		return "<1%"
	}
	return fmt.Sprintf("%.0f%%", c.LimitShare*100)
}
