package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// look does n things that change nothing, numbered from 0, as many at once as the pace allows. The first error ends them
// all; so does the end of the run, and then there is no error. When the history gets long, it returns errTurnover, and
// goes on with those that are left the next time it is called.
func (f *fleetRun) look(ctx workflow.Context, n int, do func(ctx workflow.Context, i int) error) error {
	if err := f.announce(ctx); err != nil {
		return err
	}
	looking, stop := workflow.WithCancel(ctx)
	f.stopLooking = stop
	next, failed := lookers{from: f.Looked, to: n, most: f.pace(), stop: stop,
		ended: func() bool { return f.Ending != "" },
		full:  full}.run(looking, do)
	f.Looked = 0
	switch {
	case f.Ending != "":
		return nil
	case failed == nil && next < n:
		f.Looked = next
		return errTurnover
	}
	return failed
}

// lookers do what only looks, numbered, some of it at once.
type lookers struct {
	from, to, most int
	stop           func() // ends those under way when one has failed
	ended          func() bool
	full           func(workflow.Context) bool // the history is; one more is done all the same, so that none is for nothing
}

// run returns the number of the first that nobody has begun with, and the first error.
func (l lookers) run(ctx workflow.Context, do func(ctx workflow.Context, i int) error) (next int, failed error) {
	next = l.from
	all := workflow.NewWaitGroup(ctx)
	for range min(l.most, l.to) {
		all.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer all.Done()
			for next < l.to && failed == nil && !l.ended() && (next == l.from || !l.full(ctx)) {
				i := next
				next++
				if err := do(ctx, i); err != nil && failed == nil {
					failed = err
					l.stop()
				}
			}
		})
	}
	waiting, _ := workflow.NewDisconnectedContext(ctx)
	all.Wait(waiting)
	return next, failed
}

// pagesOf are the pages of a step, in the order of its waves.
func pagesOf(s fleet.Survey, step int) (pages []fleet.PageInput) {
	for wave, w := range s.Steps[step].Waves {
		for page, n := range w.Pages {
			pages = append(pages, fleet.PageInput{Manifest: s.Manifest, Step: step, Wave: wave, Page: page, To: n})
		}
	}
	return pages
}

// survey finds everybody. It is tried until it works or tells that it never will.
func (f *fleetRun) survey(ctx workflow.Context) error {
	return f.look(ctx, 1, func(ctx workflow.Context, _ int) error {
		ctx = persist(ctx, time.Hour, "who the members are")
		return workflow.ExecuteActivity(ctx, SurveyActivity, f.plan).Get(ctx, &f.Survey)
	})
}

// preview looks at everybody of a step on whom people decide, page by page: what they say yes to is what was seen.
func (f *fleetRun) preview(ctx workflow.Context, step fleet.SurveyedStep) error {
	if !step.Preview {
		return nil
	}
	pages := pagesOf(f.Survey, f.Step)
	for len(f.Seen) <= f.Step {
		f.Seen = append(f.Seen, nil)
	}
	if f.Looked == 0 {
		f.Seen[f.Step] = make([]fleet.Seen, len(pages))
	}
	seen := f.Seen[f.Step]
	err := f.look(ctx, len(pages), func(ctx workflow.Context, i int) error {
		ctx = persist(ctx, lookTime, fmt.Sprintf("preview %d of %d", i+1, len(pages)))
		return workflow.ExecuteActivity(ctx, PreviewActivity, pages[i]).Get(ctx, &seen[i])
	})
	if errors.Is(err, errTurnover) {
		return err
	}
	if err != nil || f.Ending != "" {
		f.Seen = f.Seen[:f.Step] // half a look is none
	}
	if err != nil {
		return f.impossible(ctx, err)
	}
	if f.Ending == "" && f.asksNobody() {
		f.Seen[f.Step] = nil // nobody is held to what nobody decided about
	}
	return nil
}

// impossible ends the run because a step cannot begin: with the error while nothing was touched, else with the truth.
func (f *fleetRun) impossible(ctx workflow.Context, err error) error {
	if f.Cohorts == 0 {
		return err
	}
	f.ending(ctx, fleet.ThenFinish, fmt.Sprintf("step %d cannot begin: %s", f.Step+1, rootCause(err)))
	return nil
}

// check looks whether everybody who was moved in a wave is still as they were left, before the next one begins. When
// somebody is not, or nobody can tell, a person decides.
func (f *fleetRun) check(ctx workflow.Context, w fleet.SurveyedWave) error {
	var parts []fleet.Part
	for _, p := range f.Parts {
		if p.Input.Step == f.Step && p.Input.Wave == f.Wave && p.Record != "" &&
			p.Counts[membership.Joined]+p.Counts[membership.Left] > 0 {
			parts = append(parts, p)
		}
	}
	found := make([][]string, len(parts))
	err := f.look(ctx, len(parts), func(ctx workflow.Context, i int) error {
		ctx = persist(ctx, lookTime, fmt.Sprintf("members still, %d of %d", i+1, len(parts)))
		return workflow.ExecuteActivity(ctx, CheckActivity, parts[i]).Get(ctx, &found[i])
	})
	lost := f.Lost
	for _, some := range found {
		lost = append(lost, some...)
	}
	if errors.Is(err, errTurnover) {
		f.Lost = lost
		return err
	}
	f.Lost = nil
	switch {
	case err != nil:
		f.Doubt = fmt.Sprintf("after %s, it could not be told whether its members are as they were left: %s", w.Name, rootCause(err))
	case len(lost) > 0:
		f.Doubt = fmt.Sprintf("after %s, not as they were left (%d): %s", w.Name, len(lost), strings.Join(membership.Few(lost), "; "))
	}
	for f.Doubt != "" && f.Ending == "" {
		f.Stopped = f.Doubt
		if err := f.wait(ctx, time.Time{}); err != nil {
			return err
		}
	}
	f.Stopped = ""
	return nil
}
