package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/converter"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// mostOpenings is how many of the next openings of its windows a preview tells.
const mostOpenings = 3

// SumUp tells what the previews of all pages come to; its input is a workflows.SumUpInput, which may be packed.
func (a *Activities) SumUp(ctx context.Context, packed converter.RawValue) (fleet.Preview, error) {
	var in workflows.SumUpInput
	if err := workflows.Unpack(packed, &in); err != nil {
		return fleet.Preview{}, err
	}
	return look(ctx, a, "", "summing up", func() (fleet.Preview, error) { return a.sumUp(ctx, in, time.Now()) })
}

func (a *Activities) sumUp(ctx context.Context, in workflows.SumUpInput, now time.Time) (fleet.Preview, error) {
	p := fleet.Preview{Name: in.Plan.Name, Made: now.UTC().Truncate(time.Second), Manifest: in.Survey.Manifest, Warnings: in.Survey.Warnings}
	manifest, err := a.manifests.get(ctx, a.store, store.Key(in.Survey.Manifest))
	if err != nil {
		return p, err
	}
	if len(in.Seen) != len(manifest.Steps) {
		return p, fmt.Errorf("previews of %d steps for a manifest of %d", len(in.Seen), len(manifest.Steps))
	}
	done := make(map[membershipOf]*moves) // of each kind and account, what the steps so far will have done
	for i, surveyed := range in.Survey.Steps {
		s := newSum(surveyed)
		of := membershipOf{kind: surveyed.Kind, account: surveyed.Account}
		if surveyed.Scarce || done[of] != nil {
			if in.Seen[i], err = a.reserve(ctx, manifest.Steps[i], in.Seen[i], done[of]); err != nil {
				return p, err
			}
		}
		if i+1 < len(in.Survey.Steps) && done[of] == nil {
			done[of] = newMoves()
		}
		s.moves, s.paged = done[of], manifest.Steps[i].Step
		s.forecast = a.forecast(in.Plan, manifest.Steps[i].Step, surveyed)
		if err := s.read(ctx, a.store, manifest.Steps[i], in.Seen[i]); err != nil {
			return p, err
		}
		step := s.step(in.Plan)
		p.Steps = append(p.Steps, step)
	}
	p.DurationSeconds = lasts(p.Steps)
	if windows := fleet.Windows(in.Plan.Windows); len(windows) > 0 {
		p.Openings = windows.Openings(p.Made, mostOpenings)
	}
	return p, nil
}

// forecast begins the forecast of a step; nil when nobody knows its kind.
func (a *Activities) forecast(p fleet.Plan, step fleet.Step, s fleet.SurveyedStep) *fleet.Forecast {
	kind, err := membership.Find(a.kinds, s.Kind)
	if err != nil {
		return nil
	}
	return fleet.NewForecast(p, step, s.Members, kind, a.pace.Poll.Std())
}

// lasts is for how many seconds all steps last, 0 when one of them does not say.
func lasts(steps []fleet.PreviewStep) (total int) {
	for _, s := range steps {
		if s.Expected == nil {
			return 0
		}
		total += s.Expected.DurationSeconds
	}
	return total
}

// sum is what a step comes to, while its pages are read.
type sum struct {
	fleet.PreviewStep
	groups   map[string]int // by group, its index in Groups
	refusals map[string]*fleet.Refusal
	forecast *fleet.Forecast // nil: nobody knows

	largestPage int    // in members
	moves       *moves // to which it adds what it does; nil: nobody asks
	paged       fleet.Step
}

func (s *sum) largestWave() (members int) {
	for _, w := range s.Waves {
		members = max(members, w.Members)
	}
	return members
}

func newSum(s fleet.SurveyedStep) *sum {
	sum := &sum{groups: make(map[string]int), refusals: make(map[string]*fleet.Refusal),
		PreviewStep: fleet.PreviewStep{Operation: s.Operation, Kind: s.Kind, Account: s.Account, Read: s.Read, AllGroups: s.Groups}}
	for _, w := range s.Waves {
		sum.Waves = append(sum.Waves, fleet.PreviewWave{Name: w.Name})
	}
	return sum
}

// read reads all pages of a step, one at a time.
func (s *sum) read(ctx context.Context, blobs store.Blobs, paged fleet.PagedStep, seen []fleet.Seen) error {
	for w, refs := range paged.Waves {
		if s.forecast != nil {
			s.forecast.Wave(size(refs))
		}
		for _, ref := range refs {
			if len(seen) == 0 {
				return fmt.Errorf("no preview of page %s", ref.Key)
			}
			page, err := store.GetJSON[fleet.Page](ctx, blobs, store.Key(ref.Key))
			if err != nil {
				return err
			}
			sight, err := store.GetJSON[fleet.Sight](ctx, blobs, store.Key(seen[0].Key))
			if err != nil {
				return err
			}
			s.Waves[w].Pages = append(s.Waves[w].Pages, fleet.PreviewPage{Group: page.Group, Sight: seen[0].Key})
			s.add(&s.Waves[w], page.Group, sight)
			if s.moves != nil {
				s.moves.note(s.paged, page.Group, sight.Members)
			}
			if s.forecast != nil {
				s.forecast.Page(sight.Members)
			}
			seen = seen[1:]
		}
	}
	return nil
}

func size(wave []fleet.PageRef) (members int) {
	for _, page := range wave {
		members += page.Count
	}
	return members
}

// add adds a page of a wave.
func (s *sum) add(wave *fleet.PreviewWave, group string, sight fleet.Sight) {
	f := fleet.Foresee(sight.Members)
	s.Add(f)
	wave.Add(f)
	s.largestPage = max(s.largestPage, f.Members)
	g, known := s.groups[group]
	if !known {
		g = len(s.groups)
		s.groups[group] = g
		if g < fleet.MostGroups {
			s.Groups = append(s.Groups, fleet.PreviewGroup{Group: group})
		}
	}
	if g < fleet.MostGroups {
		s.Groups[g].Add(f)
	}
	s.Destructive = s.Destructive || sight.Destructive
	if len(s.Stages) == 0 && f.Due > 0 {
		s.Stages = sight.Stages
	}
	for _, w := range sight.Warnings {
		if len(s.Warnings) < fleet.MostWarnings && !slices.Contains(s.Warnings, w) {
			s.Warnings = append(s.Warnings, w)
		}
	}
	for _, m := range sight.Members {
		s.refuse(m)
	}
}

func (s *sum) refuse(m membership.Member) {
	counted := make(map[string]bool, len(m.Refused)) // a code may stand for several objections
	for _, o := range m.Refused {
		if counted[o.Code] {
			continue
		}
		counted[o.Code] = true
		r := s.refusals[o.Code]
		if r == nil {
			r = &fleet.Refusal{Code: o.Code}
			s.refusals[o.Code] = r
		}
		if r.Members++; len(r.Examples) < fleet.MostExamples {
			r.Examples = append(r.Examples, fleet.Example{Member: m.ID, Reason: o.Reason})
		}
	}
}

// step is the whole, for a plan.
func (s *sum) step(plan fleet.Plan) fleet.PreviewStep {
	for _, r := range s.refusals {
		s.Refusals = append(s.Refusals, *r)
	}
	slices.SortFunc(s.Refusals, func(a, b fleet.Refusal) int {
		return cmp.Or(cmp.Compare(b.Members, a.Members), strings.Compare(a.Code, b.Code))
	})
	if s.forecast != nil {
		for i, seconds := range s.forecast.WaveSeconds() {
			s.Waves[i].DurationSeconds = seconds
		}
		expected := s.forecast.Expected()
		s.Expected = &expected
	}
	if plan.Budget != nil {
		s.Budget = fmt.Sprintf("%s; then %s", fleet.NewLedger(plan.Budget, s.Members), cmp.Or(plan.Budget.Then, fleet.ThenStop))
		if over := plan.Pace.Overshoot(plan.Budget, s.largestWave(), s.largestPage); over > 0 {
			s.Budget += fmt.Sprintf("; it is not strict: up to %d more may fail, those in flight when it is spent", over)
		}
	}
	if s.Due > 0 && (plan.Approval != nil || s.Destructive) {
		var approval membership.Approval
		if plan.Approval != nil {
			approval, s.EachWave = plan.Approval.Approval, plan.Approval.EachWave
		}
		why := fmt.Sprintf("%s %s (%s)", s.Operation, membership.Count(s.Due, "member"), s.Kind)
		g := membership.NewGate(plan.Requester, approval, why, s.Destructive)
		s.Gate = &g
	}
	return s.PreviewStep
}
