package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
)

// TypeFleetPlan is the workflow that tells what a fleet would do. Its input is a fleet.Plan, its result a fleet.Preview.
// It changes nothing.
const TypeFleetPlan = "FleetPlan"

// SumUpActivity makes the result of what was seen: SumUpInput in, fleet.Preview out.
const SumUpActivity = "fleetjoin.sum-up"

// SumUpInput is what a preview is made of.
type SumUpInput struct {
	Plan   fleet.Plan     `json:"plan"`
	Survey fleet.Survey   `json:"survey"`
	Seen   [][]fleet.Seen `json:"seen"` // by step, of each of its pages in the order of the waves
}

// FleetPlan finds everybody whom a plan is about and looks at all of them as they are now.
func FleetPlan(ctx workflow.Context, input converter.RawValue) (fleet.Preview, error) {
	var preview fleet.Preview
	plan, err := fleet.ParsePlan(payload(input))
	if err != nil {
		return preview, badInput(err)
	}
	sum := SumUpInput{Plan: plan}
	surveying := workflow.WithStartToCloseTimeout(persist(ctx, lookTime, "who the members are"), time.Hour)
	if err := workflow.ExecuteActivity(surveying, SurveyActivity, plan).Get(ctx, &sum.Survey); err != nil {
		return preview, err
	}
	if sum.Seen, err = previewAll(ctx, plan, sum.Survey); err != nil {
		return preview, err
	}
	err = workflow.ExecuteActivity(persist(ctx, lookTime, "what it comes to"), SumUpActivity, sum).Get(ctx, &preview)
	return preview, err
}

// previewAll looks at every page of a survey, as many at once as the plan has cohorts. The first error ends it.
func previewAll(ctx workflow.Context, plan fleet.Plan, survey fleet.Survey) ([][]fleet.Seen, error) {
	type look struct {
		page fleet.PageInput
		into *fleet.Seen
	}
	seen := make([][]fleet.Seen, len(survey.Steps))
	var looks []look
	for i, step := range survey.Steps {
		pages := 0
		for _, w := range step.Waves {
			pages += len(w.Pages)
		}
		seen[i] = make([]fleet.Seen, pages)
		at := 0
		for wave, w := range step.Waves {
			for page, n := range w.Pages {
				in := fleet.PageInput{Manifest: survey.Manifest, Step: i, Wave: wave, Page: page, To: n}
				looks = append(looks, look{page: in, into: &seen[i][at]})
				at++
			}
		}
	}
	pace := plan.Pace.Cohorts
	if pace == 0 {
		pace = fleet.DefaultCohorts
	}
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	var failed error
	next, lookers := 0, workflow.NewWaitGroup(ctx)
	for range min(pace, len(looks)) {
		lookers.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer lookers.Done()
			for next < len(looks) && failed == nil {
				l := looks[next]
				next++
				ctx := persist(ctx, lookTime, fmt.Sprintf("preview %d of %d", next, len(looks)))
				if err := workflow.ExecuteActivity(ctx, PreviewActivity, l.page).Get(ctx, l.into); err != nil && failed == nil {
					failed = err
					stop()
				}
			}
		})
	}
	lookers.Wait(ctx)
	return seen, failed
}
