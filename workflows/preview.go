package workflows

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/rollout"
)

// SumUpInput is what a preview is made of.
type SumUpInput struct {
	Plan   fleet.Plan     `json:"plan"`
	Survey fleet.Survey   `json:"survey"`
	Seen   [][]fleet.Seen `json:"seen"` // by step, of each of its pages in the order of the waves
}

// ReserveInput is what places are given to.
type ReserveInput struct {
	Manifest string       `json:"manifest"`
	Step     int          `json:"step"`
	Seen     []fleet.Seen `json:"seen"` // of each of the step's pages
}

// previewRun is one run of Preview.
type previewRun struct {
	SumUpInput
	Looked int // pages that it has behind it, in the order of the steps and waves

	progress PreviewProgress
}

// PreviewProgress answers the progress query of a preview.
type PreviewProgress struct {
	Members int `json:"members"` // of the plan; 0 until they are found
	Looked  int `json:"looked"`  // how many of them have been looked at
}

// Preview finds all members that a plan is about and looks at them as they are now. It changes nothing.
func Preview(ctx workflow.Context, input, continued converter.RawValue) (fleet.Preview, error) {
	var preview fleet.Preview
	plan, err := fleet.ParsePlan(payload(input))
	if err == nil && plan.Rollback != "" {
		err = membership.Bad([]membership.Problem{{Field: "rollback", Want: "has no preview: what is put back is what the run's report tells"}})
	}
	if err != nil {
		return preview, badInput(err)
	}
	var run previewRun
	if err := workflow.SetQueryHandlerWithOptions(ctx, QueryProgress, func() (PreviewProgress, error) {
		return run.progress, nil
	}, workflow.QueryHandlerOptions{Description: "how many members have been looked at"}); err != nil {
		return preview, err
	}
	if len(payload(continued)) > 0 {
		if err := takeUp(ctx, continued, &run); err != nil {
			return preview, err
		}
	} else {
		surveying := workflow.WithStartToCloseTimeout(persist(ctx, lookTime, "which the members are"), time.Hour)
		if err := workflow.ExecuteActivity(surveying, SurveyActivity, plan).Get(ctx, &run.Survey); err != nil {
			return preview, err
		}
	}
	run.Plan = plan
	switch err := run.previewAll(ctx); {
	case errors.Is(err, errTurnover):
		return preview, workflow.NewContinueAsNewError(ctx, TypePreview, input, Pack(run))
	case err != nil:
		return preview, err
	}
	err = workflow.ExecuteActivity(persist(ctx, lookTime, "what it comes to"), SumUpActivity, Pack(run.SumUpInput)).Get(ctx, &preview)
	return preview, err
}

// previewAll looks at every page of the survey, as many at once as the plan has cohorts. The first error ends it. When the
// history gets long, it returns errTurnover, and goes on with those that are left the next time.
func (r *previewRun) previewAll(ctx workflow.Context) error {
	var pages []fleet.PageInput
	var into []*fleet.Seen
	for i := range r.Survey.Steps {
		of := rollout.Pages(r.Survey, i)
		if len(r.Seen) == i {
			r.Seen = append(r.Seen, make([]fleet.Seen, len(of)))
		}
		for n := range of {
			into = append(into, &r.Seen[i][n])
		}
		pages = append(pages, of...)
	}
	r.progress = PreviewProgress{}
	for i, p := range pages {
		if r.progress.Members += p.To - p.From; i < r.Looked {
			r.progress.Looked += p.To - p.From
		}
	}
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	var failed error
	next := r.Looked
	all := workflow.NewWaitGroup(ctx)
	for range min(cmp.Or(r.Plan.Pace.Cohorts, fleet.DefaultCohorts), len(pages)) {
		all.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer all.Done()
			for next < len(pages) && failed == nil && (next == r.Looked || !full(ctx)) {
				i := next
				next++
				looking := persist(ctx, lookTime, fmt.Sprintf("preview %d of %d", i+1, len(pages)))
				if err := workflow.ExecuteActivity(looking, PreviewActivity, pages[i]).Get(ctx, into[i]); err != nil && failed == nil {
					failed = err
					stop()
				}
				r.progress.Looked += pages[i].To - pages[i].From
			}
		})
	}
	all.Wait(ctx)
	if failed == nil && next < len(pages) {
		r.Looked = next
		return errTurnover
	}
	return failed
}

// errTurnover ends the looks so that the run continues in a fresh history.
var errTurnover = errors.New("continue as new")
