package activities

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/activity"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
)

// surveyRollback finds what a run did that has ended: its members are where its manifest says.
func (a *Activities) surveyRollback(ctx context.Context, plan fleet.Plan) (fleet.Survey, error) {
	run, err := archive.Open(ctx, func(ctx context.Context, key string) ([]byte, error) { return a.store.Get(ctx, store.Key(key)) }, plan.Rollback)
	if err != nil {
		return fleet.Survey{}, bad("rollback", plan.Rollback, "leads to no run in the workers' store: "+err.Error())
	}
	survey := fleet.Survey{Run: activity.GetInfo(ctx).WorkflowExecution.RunID, Manifest: run.Manifest, Seen: run.Seen}
	for _, s := range run.Report.Steps {
		survey.Steps = append(survey.Steps, s.SurveyedStep)
	}
	for _, p := range run.Parts {
		p.Worst = nil // nobody is to be tried again
		survey.Done = append(survey.Done, p)
		if p.Record == "" || survey.Destructive {
			continue
		}
		record, err := store.GetJSON[fleet.Record](ctx, a.store, store.Key(p.Record))
		if err != nil {
			return survey, err
		}
		survey.Destructive = record.Program.Destructive
	}
	if run.Report.Counts[membership.Joined]+run.Report.Counts[membership.Left] == 0 {
		return survey, bad("rollback", plan.Rollback, "is a run in which nobody has joined or left; there is nothing to put back")
	}
	return survey, nil
}

// refuseMoved refuses, of the members of a roll-back, those that are not as the run left them.
func (a *Activities) refuseMoved(ctx context.Context, p *membership.Program, req membership.Request) error {
	now, err := a.compile(ctx, p.Operation, req, lookOnly)
	if err != nil {
		return err
	}
	at := make(map[string]*membership.Member, len(now.Members))
	for i := range now.Members {
		at[now.Members[i].ID] = &now.Members[i]
	}
	for i := range p.Members {
		m := &p.Members[i]
		why := ""
		switch is := at[m.ID]; {
		case is == nil || !is.Already:
			why = "it is not where the run has left it any more"
		case is.Power() != "" && is.Power() != m.Power(): // where it is on its way, what is undone waits
			why = fmt.Sprintf("power is %s, and was %s when the run ended", is.Power(), m.Power())
		default:
			continue
		}
		m.Refused = []membership.Objection{{Code: membership.CodeDrifted, Reason: why}}
	}
	return nil
}
