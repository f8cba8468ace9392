package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// votes lets people approve what is at the gate.
func (v *convoy) votes(people ...string) {
	for _, by := range people {
		v.accepts(membership.ControlApprove, membership.Control{By: by, Digest: v.status().Digest})
	}
}

// destroying lets the preview say what would be destroyed.
func (v *convoy) destroying(in fleet.PageInput) (fleet.Seen, error) {
	return fleet.Seen{Key: sight(in), Destructive: true, Due: in.To - in.From}, nil
}

// asking is a plan with gates.
func asking(a fleet.Approval) func(p *fleet.Plan) {
	return func(p *fleet.Plan) { p.Requester, p.Approval = "ann", &a }
}

func TestADestructiveStepAlwaysHasAGate(t *testing.T) {
	v := newConvoy(t, 9, func(p *fleet.Plan) { p.Requester, p.Waves = "ann", percents(50, 100) })
	v.looks = v.destroying
	v.at(time.Hour, func() {
		s := v.status()
		require.Equal(t, membership.Awaiting, s.Phase)
		require.Equal(t, "wave 1: join 9 members (toy.group); it DESTROYS their data", s.Gate.Why)
		require.Equal(t, "waits for 1 approval: "+s.Gate.Why, s.Why)
		require.True(t, s.Next.Equal(monday.Add(72*time.Hour)), "%v", s.Next)
		require.Empty(t, v.vessels)
		v.votes("bob")
	})
	v.run()
	require.Equal(t, "succeeded: 9 joined", v.tally())
	require.Len(t, v.seen, 4, "each page is looked at")
	for _, c := range v.vessels {
		require.True(t, c.in.Approved)
		require.Equal(t, sight(c.in.Page), c.in.Page.Seen, "what people saw")
	}
	require.Equal(t, "bob", v.report().Votes[0].By)
	require.Len(t, v.archive.Seen[0], 4)
}

func TestWithoutAnythingToDestroyNobodyIsAsked(t *testing.T) {
	v := newConvoy(t, 3, nil)
	v.looks = func(in fleet.PageInput) (fleet.Seen, error) { return fleet.Seen{Key: sight(in), Due: 3}, nil }
	v.run()
	require.Equal(t, "succeeded: 3 joined", v.tally())
	require.NotContains(t, v.phases, "awaiting-approval wave 1")
}

func TestWhereNothingIsToBeDoneNobodyIsAsked(t *testing.T) {
	v := newConvoy(t, 3, asking(fleet.Approval{}))
	v.looks = func(in fleet.PageInput) (fleet.Seen, error) { return fleet.Seen{Key: sight(in), Already: 3}, nil }
	v.fate = func(string, int) membership.Outcome { return membership.Already }
	v.run()
	require.Equal(t, "succeeded: 3 already", v.tally())
}

func TestAGateBeforeEachWave(t *testing.T) {
	v := newConvoy(t, 12, func(p *fleet.Plan) {
		asking(fleet.Approval{Approval: membership.Approval{Quorum: 2}, EachWave: true})(p)
		p.Waves = percents(25, 50, 100)
	})
	v.looks = func(in fleet.PageInput) (fleet.Seen, error) {
		s := fleet.Seen{Key: sight(in), Due: in.To - in.From}
		if in.Wave == 1 { // all of them are members already
			s.Already, s.Due = s.Due, 0
		}
		return s, nil
	}
	var digests []string
	v.at(time.Hour, func() {
		require.Equal(t, "wave 1: join 3 members (toy.group)", v.status().Gate.Why)
		digests = append(digests, v.status().Digest)
		v.votes("bob", "cid")
	})
	v.at(2*time.Hour, func() {
		require.Equal(t, "wave 3: join 6 members (toy.group)", v.status().Gate.Why, "its own, and nobody else's")
		require.NotEqual(t, digests[0], v.status().Digest)
		v.refuses(membership.ControlApprove, membership.Control{By: "bob", Digest: digests[0]}, "it is for the program")
		v.votes("bob") // who may vote at each
	})
	v.at(3*time.Hour, func() {
		require.Equal(t, membership.Awaiting, v.status().Phase, "one is not enough")
		v.votes("dan")
	})
	v.run()
	require.Equal(t, "succeeded: 12 joined", v.tally())
	require.Len(t, v.vessels, 4)
	require.Equal(t, 3*time.Hour, v.vessels[3].begun.Sub(monday))
	require.Len(t, v.report().Votes, 4)
}

func TestAStepHasAGateOfItsOwn(t *testing.T) {
	v := newConvoy(t, 0, func(p *fleet.Plan) {
		moving(p)
		asking(fleet.Approval{})(p)
	})
	v.at(time.Hour, func() {
		require.Contains(t, v.status().Gate.Why, "step 1, wave 1: leave 5 members (toy.group)")
		require.Len(t, v.seen, 2, "the second step is looked at when the first has ended")
		v.votes("bob")
	})
	v.at(2*time.Hour, func() {
		require.Contains(t, v.status().Gate.Why, "step 2, wave 1: join 5 members (other.group)")
		require.Equal(t, "step 2, wave 1", v.status().Wave)
		v.accepts(membership.ControlReject, membership.Control{By: "cid", Digest: v.status().Digest, Reason: "it is Friday"})
	})
	v.fate = func(string, int) membership.Outcome { return membership.Left }
	v.run()
	require.Equal(t, "partial: 5 left, 5 not-started", v.tally())
	require.NoError(t, v.GetWorkflowError())
	require.Equal(t, "wave 1: rejected by cid: it is Friday", v.report().Why)
}

func TestVotesForAFleetThatDoNotCount(t *testing.T) {
	v := newConvoy(t, 3, asking(fleet.Approval{Approval: membership.Approval{Voters: []string{"bob", "cid"}, Quorum: 2}}))
	v.at(time.Hour, func() {
		digest := v.status().Digest
		for _, c := range []struct {
			vote  membership.Control
			words string
		}{
			{membership.Control{By: "ann", Digest: digest}, "ann has asked for this run and may not vote on it"},
			{membership.Control{By: "eve", Digest: digest}, "eve is none of the voters, who are bob, cid"},
			{membership.Control{Digest: digest}, "by is missing"},
			{membership.Control{By: "bob", Digest: "sha256:another"}, `it is for the program "sha256:another", and the program is ` + digest},
			{membership.Control{By: "bob"}, "digest is missing"},
		} {
			v.refuses(membership.ControlApprove, c.vote, c.words)
			v.SignalWorkflow(membership.ControlApprove, c.vote) // the same as a signal: recorded, and no more
		}
		v.refuses(membership.ControlReject, membership.Control{By: "bob", Digest: digest}, "reason is missing")
		v.SignalWorkflow(membership.ControlApprove, "rubbish")
		v.SignalWorkflow(membership.ControlApprove, membership.Control{By: "bob", Digest: digest, Reason: "go"})
	})
	v.at(2*time.Hour, func() {
		require.Equal(t, membership.Awaiting, v.status().Phase)
		require.Len(t, v.status().Votes, 7)
		v.refuses(membership.ControlApprove, membership.Control{By: "bob", Digest: v.status().Digest}, "bob has voted already")
		v.votes("cid")
	})
	v.at(2*time.Hour+30*time.Second, func() {
		v.refuses(membership.ControlApprove, membership.Control{By: "dan", Digest: "x"}, "no gate is open now")
		v.SignalWorkflow(membership.ControlReject, membership.Control{By: "dan", Digest: "x", Reason: "late"})
	})
	v.run()
	require.Equal(t, "succeeded: 3 joined", v.tally())
	var counted, refused []string
	for _, vote := range v.report().Votes {
		if vote.Refused == "" {
			counted = append(counted, vote.By)
		} else {
			refused = append(refused, vote.By)
		}
	}
	require.Equal(t, []string{"bob", "cid"}, counted)
	require.Equal(t, []string{"ann", "eve", "", "bob", "bob", "", "dan"}, refused)
}

func TestStrangersCannotKeepAGateShut(t *testing.T) {
	v := newConvoy(t, 3, asking(fleet.Approval{}))
	v.at(time.Hour, func() {
		for range 300 {
			v.SignalWorkflow(membership.ControlApprove, membership.Control{By: "eve", Digest: "x"})
		}
	})
	v.at(2*time.Hour, func() { v.votes("bob") })
	v.run()
	require.Equal(t, "succeeded: 3 joined", v.tally())
	require.Len(t, v.report().Votes, 101)
}

func TestOneRejectionEndsTheFleet(t *testing.T) {
	v := newConvoy(t, 3, asking(fleet.Approval{Approval: membership.Approval{Quorum: 3}}))
	v.at(time.Hour, func() {
		digest := v.status().Digest
		v.votes("bob")
		v.SignalWorkflowSkippingWorkflowTask(membership.ControlReject, membership.Control{By: "cid", Digest: digest, Reason: "no"})
		v.SignalWorkflow(membership.ControlApprove, membership.Control{By: "ann", Digest: digest}) // which does not count
	})
	v.run()
	require.Equal(t, "refused: 3 not-started", v.tally())
	require.Equal(t, "wave 1: rejected by cid: no", v.report().Why)
	require.Empty(t, v.vessels)
}

func TestAGateClosesInTime(t *testing.T) {
	v := newConvoy(t, 3, asking(fleet.Approval{Approval: membership.Approval{Timeout: membership.Duration(2 * time.Hour)}}))
	v.at(time.Hour, func() { v.SignalWorkflow(membership.ControlApprove, membership.Control{By: "ann"}) })
	v.run()
	require.Equal(t, "refused: 3 not-started", v.tally())
	require.Equal(t, "wave 1: not approved within 2h0m0s", v.report().Why)
	require.Equal(t, 2*time.Hour, v.report().Ended.Sub(v.report().Started))
}

func TestAnAbortAtTheGate(t *testing.T) {
	v := newConvoy(t, 3, asking(fleet.Approval{}))
	v.at(time.Hour, func() { v.CancelWorkflow() })
	v.run()
	require.Equal(t, "cancelled: 3 not-started", v.tally())
	require.Equal(t, "cancelled", v.report().Why)
}

func TestAGateNeedsARequester(t *testing.T) {
	v := newConvoy(t, 3, nil)
	v.looks = v.destroying
	v.run()
	var app *temporal.ApplicationError
	require.ErrorAs(t, v.GetWorkflowError(), &app)
	require.Equal(t, workflows.ErrBadInput, app.Type())
	require.Contains(t, app.Message(), "requester: is missing")
	require.Empty(t, v.vessels)
}

func TestALaterGateNeedsARequester(t *testing.T) {
	v := newConvoy(t, 0, moving)
	v.looks = func(in fleet.PageInput) (fleet.Seen, error) {
		return fleet.Seen{Key: sight(in), Destructive: in.Step == 1, Due: in.To - in.From}, nil
	}
	v.run()
	require.Equal(t, "partial: 5 joined, 5 not-started", v.tally(), "something was touched, and the report tells")
	require.Contains(t, v.report().Why, "step 2 cannot begin: requester: is missing")
}

func TestAFirstStepThatCannotBeLookedAt(t *testing.T) {
	v := newConvoy(t, 30, asking(fleet.Approval{}))
	v.looks = func(in fleet.PageInput) (fleet.Seen, error) {
		if in.Page == 0 {
			return fleet.Seen{}, temporal.NewNonRetryableApplicationError("forbidden", workflows.ErrCloudRefused, nil)
		}
		<-v.over // the others are not waited for
		return fleet.Seen{}, nil
	}
	v.run()
	require.ErrorContains(t, v.GetWorkflowError(), "forbidden")
	require.Empty(t, v.vessels)
}

func TestALaterStepThatCannotBeLookedAt(t *testing.T) {
	v := newConvoy(t, 0, moving)
	v.looks = func(in fleet.PageInput) (fleet.Seen, error) {
		if in.Step == 1 {
			return fleet.Seen{}, temporal.NewNonRetryableApplicationError("forbidden", workflows.ErrCloudRefused, nil)
		}
		return fleet.Seen{Key: sight(in), Due: 1}, nil
	}
	v.run()
	require.Equal(t, "partial: 5 joined, 5 not-started", v.tally())
	require.Equal(t, "step 2 cannot begin: forbidden", v.report().Why)
}

func TestThePaceMayChangeWhilePagesAreLookedAt(t *testing.T) {
	v := newConvoy(t, 30, asking(fleet.Approval{}))
	v.plan.Pace.Cohorts = 2
	v.when(workflows.PreviewActivity, func() { v.accepts(fleet.ControlChange, fleet.Control{Cohorts: 7}) })
	v.at(time.Hour, func() { v.votes("bob") })
	v.run()
	require.Equal(t, "succeeded: 30 joined", v.tally())
	require.Equal(t, 7, v.most)
}

func TestAnAbortWhilePagesAreLookedAt(t *testing.T) {
	v := newConvoy(t, 30, asking(fleet.Approval{}))
	v.looks = func(fleet.PageInput) (fleet.Seen, error) { <-v.over; return fleet.Seen{}, nil }
	v.when(workflows.PreviewActivity, func() {
		require.Equal(t, membership.Planning, v.status().Phase)
		v.accepts(membership.ControlAbort, nil)
	})
	v.run()
	require.Equal(t, "cancelled: 30 not-started", v.tally())
}
