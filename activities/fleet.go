package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
)

// Survey finds everybody whom a plan is about, lays them out in waves and pages, and keeps that as the run's manifest. It
// asks the cloud only for members that are to be found there, and for what it takes to spread them.
func (a *Activities) Survey(ctx context.Context, plan fleet.Plan) (fleet.Survey, error) {
	var found atomic.Int64
	words := func() string {
		if n := found.Load(); n > 0 {
			return fmt.Sprintf("finding the members: %d so far", n)
		}
		return "finding the members"
	}
	return lookSaying(ctx, a, "", words, func() (fleet.Survey, error) { return a.survey(ctx, plan, &found) })
}

func (a *Activities) survey(ctx context.Context, plan fleet.Plan, found *atomic.Int64) (fleet.Survey, error) {
	if plan.Approval != nil {
		if err := a.checkSigned(&plan.Approval.Approval, plan.Requester, time.Now()); err != nil {
			return fleet.Survey{}, err
		}
	}
	if plan.Rollback != "" {
		return a.surveyRollback(ctx, plan)
	}
	survey := fleet.Survey{Run: activity.GetInfo(ctx).WorkflowExecution.RunID}
	manifest := fleet.Manifest{Plan: plan}
	manifest.Plan.Step, manifest.Plan.Steps = fleet.Step{}, nil
	var problems []membership.Problem // of all steps, so that they are told at once
	seen, wanted := make(naming), make(demand)
	var before []planned
	for i := range plan.StepList() {
		surveyed, paged, err := a.surveyStep(ctx, plan, i, seen, wanted, &before, found)
		if problems, err = gather(problems, err); err != nil && len(problems) == 0 {
			return fleet.Survey{}, err
		}
		if err != nil || len(problems) > fleet.MaxProblems {
			break // what is wrong so far is so whatever another try would tell
		}
		survey.Steps, manifest.Steps = append(survey.Steps, surveyed), append(manifest.Steps, paged)
	}
	if err := membership.Bad(fleet.Limited(problems)); err != nil {
		return fleet.Survey{}, err
	}
	key, err := store.PutJSON(ctx, a.store, manifest)
	if err != nil {
		return survey, err
	}
	survey.Manifest = string(key)
	if survey.Warnings, err = a.heldNow(ctx, plan, seen); err != nil {
		return survey, err
	}
	survey.Warnings = append(survey.Warnings, a.overlaps(ctx, seen)...)
	for i, step := range survey.Steps {
		if step.Members == 0 {
			survey.Warnings = append(survey.Warnings, plan.StepName(i)+": "+nobodyLeft(step.Operation))
		}
	}
	return survey, nil
}

func nobodyLeft(op membership.Operation) string {
	return fmt.Sprintf("nobody is left to %s: whoever the query finds is where they are to be", op)
}

// addNew adds those problems that are not there yet: what is wrong with a plan's waves is so for each of its steps, and
// what is wrong with a parameter for each page.
func addNew(problems []membership.Problem, more ...membership.Problem) []membership.Problem {
	for _, p := range more {
		if len(problems) <= fleet.MaxProblems && !slices.Contains(problems, p) {
			problems = append(problems, p)
		}
	}
	return problems
}

// gather adds an error that is bad input to the problems. Another one it returns.
func gather(problems []membership.Problem, err error) ([]membership.Problem, error) {
	var bad *membership.BadInput
	if errors.As(err, &bad) {
		return addNew(problems, bad.Problems...), nil
	}
	return problems, err
}

// surveyStep finds and lays out the members of a step. seen are those of the steps before, and where they are named;
// wanted are the places that they want, and before is what becomes of them; it adds to all three, and counts in found.
func (a *Activities) surveyStep(ctx context.Context, plan fleet.Plan, number int, seen naming, wanted demand,
	before *[]planned, found *atomic.Int64) (s fleet.SurveyedStep, paged fleet.PagedStep, err error) {
	step, at := plan.StepList()[number], plan.At(number)
	kind, err := membership.Find(a.kinds, step.Kind)
	if err != nil {
		return s, paged, placed(at, err)
	}
	r := &roster{kind: kind, step: step, before: *before, found: found}
	groups, err := a.members(ctx, r)
	if err == nil {
		err = r.once(plan.StepName(number), groups, seen)
	}
	if err != nil {
		return s, paged, placed(at, err)
	}
	if number+1 < len(plan.StepList()) { // else nobody asks, and there may be 100,000 of them
		*before = append(*before, planned{step: step, groups: groups})
	}
	paged.Step = step
	paged.Members, paged.Groups, paged.Targets, paged.Spread = nil, nil, nil, nil
	if len(groups) == 0 {
		return fleet.SurveyedStep{Operation: operation(step), Kind: step.Kind, Account: step.Account, Group: step.Group}, paged, nil
	}
	spec := kind.Spec()
	s = fleet.SurveyedStep{Operation: operation(step), Kind: step.Kind, Account: step.Account, Groups: len(groups),
		Group: groups[0].Group, Read: r.read, Preview: plan.Approval != nil || spec.Destructive != ""}
	for _, g := range groups {
		s.Members += len(g.Members)
	}
	waves, problems := plan.Layout(number, s.Members)
	if err := membership.Bad(problems); err != nil {
		return s, paged, err
	}
	// An account that the worker does not have, and what else only sessions tell, is told before the run begins.
	_, err = r.session(ctx, groups[0].Group)
	if problems, err = gather(nil, err); err != nil {
		return s, paged, err
	}
	if len(problems) == 0 {
		if s.Scarce, err = wanted.scarce(ctx, r, groups); err != nil {
			return s, paged, placed(at, err)
		}
	}
	most := min(spec.PageLimit, membership.MaxMembers)
	if plan.Pace.Members > 0 {
		most = min(most, plan.Pace.Members)
	}
	cut := cutter{groups: groups}
	for _, w := range waves {
		var refs []fleet.PageRef
		for left := w.Members; left > 0 && len(problems) <= fleet.MaxProblems; {
			page := cut.next(min(left, most))
			left -= len(page.Members)
			if problems = addNew(problems, r.checkPage(page)...); len(problems) > 0 {
				continue // nothing will begin: this is to tell what else is wrong
			}
			key, err := store.PutJSON(ctx, a.store, page)
			if err != nil {
				return s, paged, err
			}
			refs = append(refs, fleet.PageRef{Key: string(key), Group: page.Group, Count: len(page.Members)})
			w.Pages = append(w.Pages, len(page.Members))
		}
		s.Waves, paged.Waves = append(s.Waves, w), append(paged.Waves, refs)
	}
	return s, paged, placed(at, membership.Bad(problems))
}

// membershipOf is what nobody is to have twice. Leaving and joining are two: a plan may move members.
type membershipOf struct {
	operation     membership.Operation
	kind, account string
}

// naming says, by id, where members are named. There may be 100,000 of them.
type naming map[membershipOf]map[string]string

func operation(s fleet.Step) membership.Operation {
	if s.Operation == "" {
		return membership.Join
	}
	return s.Operation
}

func request(step fleet.Step, page fleet.Page) membership.Request {
	return membership.Request{Kind: step.Kind, Account: step.Account, Group: page.Group, From: step.From, Members: page.Members, Params: step.Params}
}

// cutter cuts pages off the groups, in order. A page is of one group.
type cutter struct {
	groups []fleet.Assignment
	at     int // the next member of the first group
}

func (c *cutter) next(most int) fleet.Page {
	g := c.groups[0]
	to := min(c.at+most, len(g.Members))
	page := fleet.Page{Group: g.Group, Members: g.Members[c.at:to]}
	if c.at = to; to == len(g.Members) {
		c.groups, c.at = c.groups[1:], 0
	}
	return page
}

// page reads a page of a manifest, and the step that it belongs to.
func (a *Activities) page(ctx context.Context, in fleet.PageInput) (step fleet.Step, page fleet.Page, err error) {
	m, err := a.manifests.get(ctx, a.store, store.Key(in.Manifest))
	if err != nil {
		return step, page, err
	}
	if in.Step >= len(m.Steps) || in.Wave >= len(m.Steps[in.Step].Waves) || in.Page >= len(m.Steps[in.Step].Waves[in.Wave]) {
		return step, page, fmt.Errorf("manifest %s has no step %d, wave %d, page %d", in.Manifest, in.Step, in.Wave, in.Page)
	}
	paged := m.Steps[in.Step]
	page, err = store.GetJSON[fleet.Page](ctx, a.store, store.Key(paged.Waves[in.Wave][in.Page].Key))
	if err == nil && (in.From < 0 || in.From >= in.To || in.To > len(page.Members)) {
		err = errors.New("no such members in the page")
	}
	return paged.Step, page, err
}
