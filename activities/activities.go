// Package activities is the I/O side of the engine: it observes, asks the kind what each member needs, and sends it.
// Which clouds there are it does not know; kinds are handed to it.
package activities

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// Options are what a worker gives its activities.
type Options struct {
	Kinds         []membership.Kind
	Client        client.Client           // for what is in other histories: programs, leases; nil does without (tests)
	DataConverter converter.DataConverter // the one the workflows' results were written with; nil is Temporal's default
	Store         store.Blobs             // what runs keep
	Targets       string                  // the folder of target files; "": none can be named
	Signers       string                  // the file of those who may sign votes; "": gates cannot want signatures
	Limits        *limit.Set              // what paces the calls of the kinds, for heartbeats to tell; nil: nothing does
	Pace          membership.Pace         // zero fields get DefaultPace's
	Logger        *slog.Logger            // nil discards
}

// DefaultPace is measured to keep a page's overhead low without holding its members up.
func DefaultPace() membership.Pace {
	return membership.Pace{
		Slice:    membership.Duration(10 * time.Second),
		Poll:     membership.Duration(2 * time.Second),
		Parallel: 20,
	}
}

// Activities implements every activity type of every kind.
type Activities struct {
	kinds    []membership.Kind
	client   client.Client
	programs *programs
	store    store.Blobs
	targets  string
	signers  string
	// manifests are those that were read lately
	manifests manifests
	limits    *limit.Set
	pace      membership.Pace
	log       *slog.Logger
}

// New prepares the activities of a worker.
func New(o Options) *Activities {
	pace, standard := o.Pace, DefaultPace()
	if pace.Slice <= 0 {
		pace.Slice = standard.Slice
	}
	if pace.Poll <= 0 {
		pace.Poll = standard.Poll
	}
	if pace.Parallel <= 0 {
		pace.Parallel = standard.Parallel
	}
	if o.DataConverter == nil {
		o.DataConverter = converter.GetDefaultDataConverter()
	}
	if o.Limits == nil {
		o.Limits = &limit.Set{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Activities{kinds: o.Kinds, client: o.Client, store: o.Store, targets: o.Targets, signers: o.Signers,
		programs: newPrograms(o.Client, o.DataConverter), limits: o.Limits, pace: pace, log: o.Logger}
}

// Register makes every activity type known to a worker, each under a name that tells an operator what it does.
func (a *Activities) Register(r worker.ActivityRegistry) {
	r.RegisterActivityWithOptions(a.Plan, activity.RegisterOptions{Name: membership.PlanActivity})
	for name, f := range map[string]any{
		workflows.CheckVoteActivity: a.CheckVote,
		workflows.EndedActivity:     a.Ended,
		workflows.SurveyActivity:    a.Survey,
		workflows.PreviewActivity:   a.Preview,
		workflows.ReserveActivity:   a.Reserve,
		workflows.SumUpActivity:     a.SumUp,
		workflows.FileActivity:      a.File,
		workflows.CheckActivity:     a.CheckStill,
		workflows.CloseActivity:     a.Close,
		workflows.ReadActivity:      a.Read,
	} {
		r.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	for _, k := range a.kinds {
		for _, name := range membership.LaneActivities(k.Spec()) {
			r.RegisterActivityWithOptions(a.Advance, activity.RegisterOptions{Name: name})
		}
	}
}

// Plan observes the cloud and compiles the program of a cohort. It only reads.
func (a *Activities) Plan(ctx context.Context, in workflows.PlanInput) (membership.Program, error) {
	return look(ctx, a, "", "observing", func() (membership.Program, error) { return a.plan(ctx, in) })
}

func (a *Activities) plan(ctx context.Context, in workflows.PlanInput) (membership.Program, error) {
	p, err := a.planCohort(ctx, in)
	if err != nil {
		return p, err
	}
	run := activity.GetInfo(ctx).WorkflowExecution
	if err := p.Seal(run.RunID, time.Now(), a.pace); err != nil {
		return membership.Program{}, err
	}
	a.programs.remember(run.RunID, &p)
	return p, nil
}

// compile observes the members of a request and makes a program of what it sees, with those that the run may
// act on from here on.
func (a *Activities) compile(ctx context.Context, op membership.Operation, req membership.Request, hold hold) (membership.Program, error) {
	kind, err := membership.Find(a.kinds, req.Kind)
	if err != nil {
		return membership.Program{}, err
	}
	if err := membership.Bad(membership.Validate(kind, req)); err != nil {
		return membership.Program{}, err
	}
	session, err := kind.Open(ctx, membership.Target{Operation: op, Account: req.Account, Group: req.Group, From: req.From,
		Params: req.Params})
	if err != nil {
		return membership.Program{}, err
	}
	claim, err := a.claim(ctx, kind.Spec().Provider, req, hold)
	if err != nil {
		return membership.Program{}, err
	}
	seen, err := session.Observe(ctx, membership.Look{Members: req.Members, Thorough: true})
	if err != nil {
		return membership.Program{}, err
	}
	p := seen.Compile(req, op)
	claim.apply(&p, time.Now())
	if op == membership.Join && slices.ContainsFunc(p.Members, func(m membership.Member) bool { return m.Due() && !m.Placed }) {
		room, err := roomOf(ctx, session, []string{req.Group})
		if err != nil {
			return membership.Program{}, err
		}
		room.Fit(req.Group, p.Members)
	}
	return p, nil
}

// planError says what an error means for planning: bad input and a cloud that refuses to be read end the run before
// anything was touched; everything else is tried again.
func planError(err error) error {
	var bad *membership.BadInput
	var call *verdict.Error
	var known *temporal.ApplicationError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &bad):
		return temporal.NewNonRetryableApplicationError(bad.Error(), workflows.ErrBadInput, nil, bad.Problems)
	case errors.As(err, &call) && call.Verdict == verdict.Rejected:
		return temporal.NewNonRetryableApplicationError(call.Error(), workflows.ErrCloudRefused, nil)
	case errors.As(err, &call):
		return temporal.NewApplicationErrorWithOptions(call.Error(), string(call.Verdict), temporal.ApplicationErrorOptions{
			NextRetryDelay: call.RetryAfter, Category: temporal.ApplicationErrorCategoryBenign})
	default:
		return temporal.NewApplicationError(verdict.Redact(err.Error()), "PlanFailed")
	}
}

// beat heartbeats every second until stop is called, with words about what is going on. Nothing is ever resumed from
// a heartbeat.
func beat(ctx context.Context, words string) (stop func()) {
	return beatWith(ctx, func() []any { return []any{words} })
}

// look does what only reads the cloud, by an account if there is but one, and tells by its error whether to try again.
func look[T any](ctx context.Context, a *Activities, account, words string, do func() (T, error)) (T, error) {
	return lookSaying(ctx, a, account, func() string { return words }, do)
}

// lookSaying is look with words that change.
func lookSaying[T any](ctx context.Context, a *Activities, account string, words func() string, do func() (T, error)) (seen T, err error) {
	stop := a.beatAt(ctx, account, words)
	defer stop()
	if seen, err = do(); err != nil {
		return seen, planError(err)
	}
	return seen, nil
}

func beatWith(ctx context.Context, details func() []any) (stop func()) {
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			activity.RecordHeartbeat(ctx, details()...)
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-finished
	}
}
