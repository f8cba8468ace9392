package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// announce tells those who watch how far the run is: in its current details, which costs no event, and in its search
// attributes, which costs one when they change.
func (f *fleetRun) announce(ctx workflow.Context) error {
	s := f.Status()
	workflow.SetCurrentDetails(ctx, f.details())
	if s.Phase == f.saidPhase && s.Wave == f.saidWave {
		return nil
	}
	updates := []temporal.SearchAttributeUpdate{attrPhase.ValueSet(string(s.Phase)), attrWave.ValueSet(s.Wave)}
	if first := f.firstStep(); !f.saidKind && first.Kind != "" {
		f.saidKind = true
		updates = append(updates, attrKind.ValueSet(first.Kind), attrAccount.ValueSet(first.Account))
		if first.Group != "" {
			updates = append(updates, attrGroup.ValueSet(first.Group))
		}
	}
	if s.Phase == membership.Ended {
		updates = append(updates, attrOutcome.ValueSet(string(f.Report().Outcome)))
	}
	f.saidPhase, f.saidWave = s.Phase, s.Wave
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// firstStep is what a run is listed by. What a roll-back is about it knows when it has found the members.
func (f *fleetRun) firstStep() fleet.Step {
	if f.plan.Rollback == "" {
		return f.plan.StepList()[0]
	}
	if len(f.Survey.Steps) == 0 {
		return fleet.Step{}
	}
	s := f.Survey.Steps[0]
	return fleet.Step{Kind: s.Kind, Account: s.Account, Group: s.Group}
}

// details is what the Web UI and `temporal workflow describe` show of a run that is under way.
func (f *fleetRun) details() string {
	s := f.Status()
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**", s.Phase)
	if s.Wave != "" {
		fmt.Fprintf(&b, " · %s", s.Wave)
	}
	fmt.Fprintf(&b, " · %s, %d in flight in %s\n\n", membership.Count(s.Members, "member"), s.InFlight, membership.Count(len(s.Cohorts), "cohort"))
	for _, o := range membership.Outcomes() {
		if n := s.Counts[o]; n > 0 {
			fmt.Fprintf(&b, "- %s: %d\n", o, n)
		}
	}
	if s.Why != "" {
		fmt.Fprintf(&b, "\n%s\n", s.Why)
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "\n%s\n", w)
	}
	if s.Digest != "" {
		fmt.Fprintf(&b, "\nVotes must name `%s`\n", s.Digest)
	}
	return b.String()
}
