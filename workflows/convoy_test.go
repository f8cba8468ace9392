package workflows_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// monday is when convoys set out.
var monday = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// convoy is a fleet under test: its activities and cohorts are scripted, its clock is virtual. When it continues in a
// fresh history, so does the convoy.
type convoy struct {
	*testsuite.TestWorkflowEnvironment // of the present run
	t                                  rapid.TB
	plan                               fleet.Plan
	page                               int // most members of a page
	surveyed                           fleet.Survey

	fate    func(id string, try int) membership.Outcome // what becomes of a member, by how often it was tried; nil: joined
	undoing func(id string) membership.Outcome          // of one that is put back; nil: rolled back
	takes   func(in workflows.CohortInput) time.Duration
	dies    func(in workflows.CohortInput) error // why a cohort ends without a word
	looks   func(in fleet.PageInput) (fleet.Seen, error)
	surveys func() error
	checks  func(p fleet.Part) ([]string, error)
	begins  func(c *vessel)
	closes  error // with which the archive cannot be kept

	moments []*moment
	over    chan struct{} // closed when all is over
	// beginnings are what is to be done when activities begin, by their names.
	beginnings map[string]func()
	runs       int // histories
	replies    []*reply
	phases     []string // as search attributes told them, with the wave

	mu      sync.Mutex // cohorts and activities run beside each other
	vessels []*vessel
	records map[string][]membership.MemberReport
	tries   map[string]int
	seen    []fleet.PageInput // previewed
	checked []string          // records
	archive *fleet.Archive
	flying  int // members of cohorts under way
	most    int // cohorts under way at once
}

// moment is something to be done at a virtual time.
type moment struct {
	at   time.Duration
	do   func()
	done bool
}

func newConvoy(t rapid.TB, members int, change func(p *fleet.Plan)) *convoy {
	v := &convoy{t: t, page: 3, over: make(chan struct{}), beginnings: map[string]func(){},
		records: map[string][]membership.MemberReport{}, tries: map[string]int{}}
	v.plan = fleet.Plan{Name: "test", Step: fleet.Step{Kind: "toy.group", Account: "demo", Group: "g-1", Members: crowd("i", members)}}
	v.takes = func(workflows.CohortInput) time.Duration { return time.Minute }
	if change != nil {
		change(&v.plan)
	}
	return v
}

func crowd(name string, n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("%s-%03d", name, i))
	}
	return ids
}

// at does something when so much time has passed since the start.
func (v *convoy) at(after time.Duration, do func()) {
	v.moments = append(v.moments, &moment{at: after, do: do})
}

// when does something when an activity begins for the first time, before it does anything itself.
func (v *convoy) when(activity string, do func()) { v.beginnings[activity] = do }

// run plays the fleet to its end.
func (v *convoy) run() {
	args := []any{v.plan}
	for start, again := monday, true; again; start = v.Now() {
		v.embark(start)
		v.ExecuteWorkflow(workflows.TypeFleet, args...)
		require.True(v.t, v.IsWorkflowCompleted())
		var next *workflow.ContinueAsNewError
		if again = errors.As(v.GetWorkflowError(), &next); again {
			args = nil
			for _, p := range next.Input.Payloads {
				args = append(args, converter.NewRawValue(p))
			}
		}
	}
	close(v.over)
	for _, r := range v.replies {
		r.check(v.t)
	}
}

// embark makes the environment of the next history.
func (v *convoy) embark(start time.Time) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	v.TestWorkflowEnvironment = env
	env.SetStartTime(start)
	env.SetTestTimeout(time.Minute)
	if v.runs++; v.runs > 1 {
		env.SetContinuedExecutionRunID("the-run-before")
	}
	env.RegisterWorkflowWithOptions(workflows.Fleet, workflow.RegisterOptions{Name: workflows.TypeFleet})
	env.RegisterWorkflowWithOptions(v.cohort, workflow.RegisterOptions{Name: workflows.TypeCohort})
	for name, f := range map[string]any{workflows.SurveyActivity: v.survey, workflows.PreviewActivity: v.preview,
		workflows.CheckActivity: v.check, workflows.CloseActivity: v.close} {
		env.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if do, ok := v.beginnings[info.ActivityType.Name]; ok {
			delete(v.beginnings, info.ActivityType.Name)
			do()
		}
	})
	env.OnUpsertTypedSearchAttributes(mock.Anything).Return(nil).Run(func(args mock.Arguments) {
		told := args.Get(0).(temporal.SearchAttributes)
		phase, _ := told.GetKeyword(temporal.NewSearchAttributeKeyKeyword("FleetjoinPhase"))
		wave, _ := told.GetKeyword(temporal.NewSearchAttributeKeyKeyword("FleetjoinWave"))
		v.phases = append(v.phases, strings.TrimSpace(phase+" "+wave))
	})
	for _, m := range v.moments {
		if !m.done {
			env.RegisterDelayedCallback(func() { m.done = true; m.do() }, max(m.at-start.Sub(monday), time.Nanosecond))
		}
	}
}

func (v *convoy) survey(_ context.Context, plan fleet.Plan) (fleet.Survey, error) {
	if v.surveys != nil {
		if err := v.surveys(); err != nil {
			return fleet.Survey{}, err
		}
	}
	s := fleet.Survey{Manifest: "manifest", Run: "run-1"}
	for _, step := range plan.StepList() {
		waves, problems := plan.Layout(0, len(step.Members))
		if err := membership.Bad(problems); err != nil {
			return s, err
		}
		surveyed := fleet.SurveyedStep{Operation: cmp.Or(step.Operation, membership.Join), Kind: step.Kind, Account: step.Account, Groups: 1,
			Group: step.Group, Members: len(step.Members), Preview: plan.Approval != nil || v.looks != nil}
		for _, w := range waves {
			for left := w.Members; left > 0; left -= v.page {
				w.Pages = append(w.Pages, min(left, v.page))
			}
			surveyed.Waves = append(surveyed.Waves, w)
		}
		s.Steps = append(s.Steps, surveyed)
	}
	v.surveyed = s
	return s, nil
}

func (v *convoy) preview(_ context.Context, in fleet.PageInput) (fleet.Seen, error) {
	v.mu.Lock()
	v.seen = append(v.seen, in)
	v.mu.Unlock()
	if v.looks != nil {
		return v.looks(in)
	}
	return fleet.Seen{Key: sight(in), Due: in.To - in.From}, nil
}

func sight(in fleet.PageInput) string { return fmt.Sprintf("seen %d.%d.%d", in.Step, in.Wave, in.Page) }

func (v *convoy) check(_ context.Context, p fleet.Part) ([]string, error) {
	v.mu.Lock()
	v.checked = append(v.checked, p.Record)
	v.mu.Unlock()
	if v.checks != nil {
		return v.checks(p)
	}
	return nil, nil
}

func (v *convoy) close(_ context.Context, packed converter.RawValue) (workflows.CloseResult, error) {
	v.archive = new(fleet.Archive)
	if err := workflows.Unpack(packed, v.archive); err != nil {
		return workflows.CloseResult{}, err
	}
	return workflows.CloseResult{Archive: "archive"}, v.closes
}

func (v *convoy) status() fleet.Status {
	v.t.Helper()
	value, err := v.QueryWorkflow(membership.QueryStatus)
	require.NoError(v.t, err)
	var s fleet.Status
	require.NoError(v.t, value.Get(&s))
	return s
}

// reply is what an update was answered.
type reply struct {
	control, words string
	members        []string // that it moved
	accepted       bool
	done           any
	err            error
}

// accepts sends an update that must be accepted, and move the members.
func (v *convoy) accepts(name string, payload any, members ...string) {
	v.update(&reply{control: name, members: members}, payload)
}

// refuses sends an update that must be refused with the words.
func (v *convoy) refuses(name string, payload any, words string) {
	v.update(&reply{control: name, words: words}, payload)
}

func (v *convoy) update(r *reply, payload any) {
	v.replies = append(v.replies, r)
	v.UpdateWorkflow(r.control, "", &testsuite.TestUpdateCallback{
		OnAccept:   func() { r.accepted = true },
		OnReject:   func(err error) { r.err = err },
		OnComplete: func(done any, err error) { r.done, r.err = done, errors.Join(r.err, err) },
	}, payload)
}

func (r *reply) check(t rapid.TB) {
	t.Helper()
	if r.words != "" {
		require.ErrorContains(t, r.err, r.words, r.control)
		require.False(t, r.accepted, r.control)
		return
	}
	require.NoError(t, r.err, r.control)
	require.True(t, r.accepted, "%s was never answered", r.control)
	if r.members != nil {
		require.ElementsMatch(t, r.members, r.done.(membership.Controlled).Members, r.control)
	}
}

// report returns the one truth, wherever the run ended, after it has looked whether it accounts for everybody.
func (v *convoy) report() fleet.Report {
	v.t.Helper()
	var r fleet.Report
	truth(v.t, v.TestWorkflowEnvironment, &r)
	require.Len(v.t, r.Steps, len(v.surveyed.Steps))
	all := map[membership.Outcome]int{}
	for _, s := range r.Steps {
		n := 0
		for o, c := range s.Counts {
			all[o] += c
			n += c
			require.Positive(v.t, c, "%s of %v", o, s.Counts)
		}
		require.Equal(v.t, s.Members, n, "everybody of the step is accounted for: %v", s.Counts)
	}
	require.Equal(v.t, all, r.Counts)
	if len(r.Steps) > 0 {
		require.Equal(v.t, "archive", r.Archive)
		require.NotNil(v.t, v.archive)
		kept := r
		kept.Archive = ""
		require.Equal(v.t, kept.Counts, v.archive.Report.Counts)
		require.Equal(v.t, kept.Outcome, v.archive.Report.Outcome)
		require.Equal(v.t, v.plan.Name, v.archive.Plan.Name)
	}
	return r
}

// tally is the report's counts for reading, after its outcome.
func (v *convoy) tally() string {
	v.t.Helper()
	r := v.report()
	return string(r.Outcome) + ": " + membership.Report{Counts: r.Counts}.Tally()
}
