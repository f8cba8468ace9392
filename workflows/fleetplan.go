package workflows

import (
	"cmp"
	"errors"
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

// changePlanTurnover marks the runs that continue in a fresh history when they look at very many pages.
const changePlanTurnover = "plan-turnover"

// planRun is one run of FleetPlan.
type planRun struct {
	SumUpInput
	Looked int // pages that it has behind it, in the order of the steps and waves
}

// FleetPlan finds everybody whom a plan is about and looks at all of them as they are now.
func FleetPlan(ctx workflow.Context, input, continued converter.RawValue) (fleet.Preview, error) {
	var preview fleet.Preview
	plan, err := fleet.ParsePlan(payload(input))
	if err != nil {
		return preview, badInput(err)
	}
	var run planRun
	if len(payload(continued)) > 0 {
		if err := takeUp(ctx, continued, &run); err != nil {
			return preview, err
		}
	} else {
		surveying := workflow.WithStartToCloseTimeout(persist(ctx, lookTime, "who the members are"), time.Hour)
		if err := workflow.ExecuteActivity(surveying, SurveyActivity, plan).Get(ctx, &run.Survey); err != nil {
			return preview, err
		}
	}
	run.Plan = plan
	switch err := run.previewAll(ctx); {
	case errors.Is(err, errTurnover):
		return preview, workflow.NewContinueAsNewError(ctx, TypeFleetPlan, input, Pack(run))
	case err != nil:
		return preview, err
	}
	err = workflow.ExecuteActivity(persist(ctx, lookTime, "what it comes to"), SumUpActivity, Pack(run.SumUpInput)).Get(ctx, &preview)
	return preview, err
}

// previewAll looks at every page of the survey, as many at once as the plan has cohorts. The first error ends it. When the
// history gets long, it returns errTurnover, and goes on with those that are left the next time.
func (r *planRun) previewAll(ctx workflow.Context) error {
	type look struct {
		page fleet.PageInput
		into *fleet.Seen
	}
	var looks []look
	for i, step := range r.Survey.Steps {
		pages := 0
		for _, w := range step.Waves {
			pages += len(w.Pages)
		}
		if len(r.Seen) == i {
			r.Seen = append(r.Seen, make([]fleet.Seen, pages))
		}
		at := 0
		for wave, w := range step.Waves {
			for page, n := range w.Pages {
				in := fleet.PageInput{Manifest: r.Survey.Manifest, Step: i, Wave: wave, Page: page, To: n}
				looks = append(looks, look{page: in, into: &r.Seen[i][at]})
				at++
			}
		}
	}
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	var failed error
	next, lookers := r.Looked, workflow.NewWaitGroup(ctx)
	for range min(cmp.Or(r.Plan.Pace.Cohorts, fleet.DefaultCohorts), len(looks)) {
		lookers.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer lookers.Done()
			for next < len(looks) && failed == nil && (next == r.Looked || !planFull(ctx)) {
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
	if failed == nil && next < len(looks) {
		r.Looked = next
		return errTurnover
	}
	return failed
}

// planFull reports whether it is time for a fresh history.
func planFull(ctx workflow.Context) bool {
	return full(ctx) && workflow.GetVersion(ctx, changePlanTurnover, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}
