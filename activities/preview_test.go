package activities

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// watched is a town whose members can be looked at: some are members, and some are refused, by their number.
type watched struct{ town }

func (w *watched) Open(context.Context, membership.Target) (membership.Session, error) {
	return &watch{hall: hall{town: &w.town}}, nil
}

type watch struct{ hall }

func (w *watch) Observe(context.Context, membership.Look) (membership.Observation, error) {
	return view{places: w.places}, nil
}

type view struct {
	membership.Observation
	places int // that each takes, as in membership.Member
}

func (v view) Compile(r membership.Request, op membership.Operation) membership.Program {
	p := membership.Program{Kind: r.Kind, Operation: op, Group: r.Group, Destructive: r.Group == "g2",
		Warnings: []string{"the same for all", "of " + r.Group}}
	for _, id := range r.Members {
		m := membership.Member{ID: id, Places: v.places}
		var n int
		if _, err := fmt.Sscanf(id, "m%d", &n); err != nil {
			panic(err)
		}
		if n%10 == 3 {
			m.Already = true
		}
		if n%4 == 0 {
			m.Refused = append(m.Refused, membership.Objection{Code: "even", Reason: id + " is"}, membership.Objection{Code: "even", Reason: "twice"})
		}
		if n%8 == 0 {
			m.Refused = append(m.Refused, membership.Objection{Code: "round", Reason: id + " is"})
		}
		p.Members = append(p.Members, m)
	}
	return p
}

// priced is a watched town that says what its members cost: each is written to, and off for a while.
type priced struct{ watched }

func (*priced) Cost(t membership.Target, _ *membership.Member) membership.Cost {
	return membership.Cost{Plan: []membership.Calls{{API: "See"}}, Stages: []membership.StageCost{{Stage: string(t.Operation), Off: true,
		Calls: []membership.Calls{{API: "Write", Write: true, Batch: 10}}, Takes: 58 * time.Second}}}
}

// foresee runs a Preview with the activities of a worker.
func foresee(t *testing.T, plan fleet.Plan) (fleet.Preview, store.Blobs) {
	t.Helper()
	return foreseeOf(t, &watched{}, plan)
}

func foreseeOf(t *testing.T, kind membership.Kind, plan fleet.Plan) (fleet.Preview, store.Blobs) {
	t.Helper()
	blobs, err := store.Open(t.TempDir())
	require.NoError(t, err)
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	New(Options{Kinds: []membership.Kind{kind}, Store: blobs}).Register(env)
	env.ExecuteWorkflow(workflows.TypePreview, plan)
	require.NoError(t, env.GetWorkflowError())
	var p fleet.Preview
	require.NoError(t, env.GetWorkflowResult(&p))
	return p, blobs
}

func numbered(from, to int) (ids []string) {
	for n := from; n <= to; n++ {
		ids = append(ids, fmt.Sprintf("m%d", n))
	}
	return ids
}

func TestWhatAPlanComesTo(t *testing.T) {
	opens := fleet.Window{From: "00:00", To: "01:00", Zone: "UTC"}
	p, blobs := foresee(t, fleet.Plan{Name: "all", Requester: "ann", Canary: 1, Waves: []fleet.Share{{Percent: 50}, {Percent: 100}},
		Budget: &fleet.Budget{Failures: fleet.Share{Percent: 10}, Then: fleet.ThenRollBackWave}, Windows: []fleet.Window{opens},
		Step: fleet.Step{Kind: "toy.town", Account: "demo", Groups: []fleet.Assignment{
			{Group: "g1", Members: numbered(1, 5)}, {Group: "g2", Members: numbered(6, 60)}}}})
	require.Equal(t, "all", p.Name)
	require.WithinDuration(t, time.Now(), p.Made, time.Minute)
	require.Len(t, p.Openings, 3)
	require.Equal(t, time.Hour, p.Openings[2].Closes.Sub(p.Openings[2].Opens))
	require.Len(t, p.Steps, 1)
	s := p.Steps[0]
	require.Equal(t, fleet.Foreseen{Members: 60, Due: 39, Already: 6, Refused: 15}, s.Foreseen)
	require.Equal(t, 2, s.AllGroups)
	require.Equal(t, []fleet.PreviewGroup{{Group: "g1", Foreseen: fleet.Foreseen{Members: 5, Due: 3, Already: 1, Refused: 1}},
		{Group: "g2", Foreseen: fleet.Foreseen{Members: 55, Due: 36, Already: 5, Refused: 14}}}, s.Groups)
	var sizes []fleet.Foreseen
	seen := 0
	for i, w := range s.Waves {
		require.Equal(t, []string{"canary", "wave 1", "wave 2"}[i], w.Name)
		sizes = append(sizes, w.Foreseen)
		for _, page := range w.Pages {
			sight, err := store.GetJSON[fleet.Sight](t.Context(), blobs, store.Key(page.Sight))
			require.NoError(t, err)
			require.Contains(t, sight.Warnings, "of "+page.Group)
			seen += len(sight.Members)
		}
	}
	require.Equal(t, []fleet.Foreseen{{Members: 1, Due: 1}, {Members: 29, Due: 19, Already: 3, Refused: 7},
		{Members: 30, Due: 19, Already: 3, Refused: 8}}, sizes)
	require.Equal(t, 60, seen, "what was seen of each member can be looked up")

	require.Len(t, s.Refusals, 2)
	require.Equal(t, [2]any{"even", 15}, [2]any{s.Refusals[0].Code, s.Refusals[0].Members}, "who is refused twice for one reason counts once")
	require.Len(t, s.Refusals[0].Examples, 10)
	require.Equal(t, fleet.Example{Member: "m4", Reason: "m4 is"}, s.Refusals[0].Examples[0])
	require.Equal(t, [2]any{"round", 7}, [2]any{s.Refusals[1].Code, s.Refusals[1].Members})
	require.Equal(t, []string{"the same for all", "of g1", "of g2"}, s.Warnings)
	require.Equal(t, "0 of 6 failures allowed (10% of 60 members); then roll-back-wave", s.Budget)
	require.True(t, s.Destructive)
	require.Equal(t, &membership.Gate{Quorum: 1, Requester: "ann", Timeout: membership.Duration(72 * time.Hour),
		Why: "join 39 members (toy.town); it DESTROYS their data"}, s.Gate)
	require.False(t, s.EachWave)
}

func TestHowLongAPlanTakes(t *testing.T) {
	join := fleet.Step{Kind: "toy.town", Account: "demo", Group: "g1", Members: numbered(1, 50)}
	leave := join
	leave.Operation, leave.Members = membership.Leave, numbered(4, 4)
	plan := fleet.Plan{Requester: "ann", Steps: []fleet.Step{join, leave}, Waves: []fleet.Share{{Percent: 50}, {Percent: 100}},
		Soak: fleet.Duration(time.Hour), Pace: fleet.Pace{Cohorts: 2}, Approval: &fleet.Approval{}}
	p, _ := foreseeOf(t, &priced{}, plan)
	// A member takes 58 s and a look, two. Of 25 members, there are nine cohorts, two at once.
	s := p.Steps[0]
	require.Equal(t, []int{300, 300}, []int{s.Waves[0].DurationSeconds, s.Waves[1].DurationSeconds})
	require.Equal(t, 33, s.Due)
	require.Equal(t, &fleet.Expected{DurationSeconds: 4200, SoakSeconds: 3600, Downtime: &fleet.Downtime{Members: 33, SecondsEach: 60},
		Calls: []fleet.APICalls{{API: "Write", Writes: 18, WritesAtMost: 33}, {API: "See", Reads: 18}}}, s.Expected)
	require.Zero(t, p.Steps[1].Expected.DurationSeconds, "with m4, nothing is done")
	require.Equal(t, 4200, p.DurationSeconds)

	// What people approve is what was seen, and that is the same whatever it should take.
	unknown, _ := foresee(t, plan) // of a kind that says its members cost nothing
	require.Empty(t, unknown.Steps[0].Expected.Calls)
	require.Equal(t, 3600, unknown.DurationSeconds, "the soak")
	require.Equal(t, p.Manifest, unknown.Manifest)
	for i, w := range s.Waves {
		require.Equal(t, w.Pages, unknown.Steps[0].Waves[i].Pages)
	}
}

func TestWhatAPlanWithoutMuchComesTo(t *testing.T) {
	step := fleet.Step{Kind: "toy.town", Account: "demo", Group: "g1", Members: []string{"m4"}}
	p, _ := foresee(t, fleet.Plan{Requester: "ann", Approval: &fleet.Approval{EachWave: true}, Step: step})
	require.Nil(t, p.Steps[0].Gate, "nobody decides about nothing")
	require.Nil(t, p.Openings)
	require.Empty(t, p.Steps[0].Budget)

	step.Members = []string{"m1"}
	other := step
	other.Operation = membership.Leave
	p, _ = foresee(t, fleet.Plan{Requester: "ann", Approval: &fleet.Approval{EachWave: true, Approval: membership.Approval{Quorum: 2}}, Steps: []fleet.Step{step, other}})
	require.Len(t, p.Steps, 2)
	require.Equal(t, membership.Leave, p.Steps[1].Operation)
	require.Equal(t, 2, p.Steps[1].Gate.Quorum)
	require.True(t, p.Steps[1].EachWave)
}

// However many groups and warnings there are, the result stays small.
func TestWhatAPlanComesToStaysSmall(t *testing.T) {
	s := newSum(fleet.SurveyedStep{Waves: []fleet.Wave{{Name: "wave 1"}}, Groups: 1500})
	for i := range 1500 {
		group := fmt.Sprintf("g%d", i)
		sight := fleet.Sight{Warnings: []string{"of " + group}, Members: []membership.Member{{ID: "m"}}}
		s.add(&s.Waves[0], group, sight)
		s.add(&s.Waves[0], group, sight)
	}
	step := s.step(fleet.Plan{})
	require.Len(t, step.Groups, fleet.MostGroups)
	require.Equal(t, 1500, step.AllGroups)
	require.Equal(t, 2, step.Groups[999].Members)
	require.Len(t, step.Warnings, fleet.MostWarnings)
	require.Equal(t, 3000, step.Members)
}

func TestSummingUpWhatWasNotSeen(t *testing.T) {
	blobs, err := store.Open(t.TempDir())
	require.NoError(t, err)
	key, err := store.PutJSON(t.Context(), blobs, fleet.Manifest{Steps: []fleet.PagedStep{{Waves: [][]fleet.PageRef{{{Key: "page", Count: 1}}}}}})
	require.NoError(t, err)
	in := workflows.SumUpInput{Survey: fleet.Survey{Manifest: string(key), Steps: []fleet.SurveyedStep{{Waves: []fleet.Wave{{}}}}}}
	_, err = New(Options{Store: blobs}).sumUp(t.Context(), in, time.Now())
	require.ErrorContains(t, err, "previews of 0 steps for a manifest of 1")
	in.Seen = [][]fleet.Seen{nil}
	_, err = New(Options{Store: blobs}).sumUp(t.Context(), in, time.Now())
	require.ErrorContains(t, err, "no preview of page page")
}
