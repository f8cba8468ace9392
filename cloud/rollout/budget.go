package rollout

import (
	"fmt"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// enforceBudget blocks or ends the run when its budget is spent, and unblocks it when it is no more. Where nothing is left
// to be started, there is nothing to block.
func (r *Rollout) enforceBudget() {
	r.enforcePlans()
	if r.End != nil || r.Block != nil && r.Block.Cause != BudgetSpent {
		return
	}
	r.Block = nil
	which, spent := r.Ledger.Spent()
	switch {
	case spent:
		why := fmt.Sprintf("the budget is spent (%s): %s", which, r.Ledger)
		switch then := r.Budget.Then; {
		case then != "" && then != fleet.ThenStop:
			r.end(then, why, false)
		case r.left() || !r.lastWave():
			r.Block = &Block{BudgetSpent, why}
		}
	case len(r.inFlight) == 0 && len(r.Queue) > 0 && size(r.Queue[0].Input) > r.Ledger.Room():
		r.Block = &Block{BudgetSpent, fmt.Sprintf("%s to be tried again at once, and the budget has room for %s",
			membership.Count(size(r.Queue[0].Input), "member"), membership.Count(r.Ledger.Room(), "more failure"))}
	}
}

// enforcePlans blocks the run when the cloud has refused to plan two cohorts in a row, or no other member of the wave is left
// to ask about: it would refuse those behind them, too, one by one. Where no member was moved yet the run ends.
func (r *Rollout) enforcePlans() {
	alone := len(r.inFlight) == 0 && !r.left()
	switch {
	case r.End != nil || r.Block != nil && r.Block.Cause == PlansRefused:
	case len(r.Unplannable) == 0 || len(r.Unplannable) < 2 && !alone:
	case len(r.inFlight) == 0 && !slices.ContainsFunc(r.Parts, func(p fleet.Part) bool { return p.Record != "" }):
		r.closeUnplannable(membership.Refused)
		r.end(fleet.ThenFinish, "no cohort could be planned: "+r.PlanError, false)
	default:
		r.Block = &Block{PlansRefused, fmt.Sprintf("%s could not be planned: %s; resume when that is mended, skip them, or abort",
			membership.Count(len(r.Unplannable), "cohort"), r.PlanError)}
	}
}

// closeUnplannable takes in what becomes of the pages that the cloud has refused to plan.
func (r *Rollout) closeUnplannable(as membership.Outcome) {
	for _, in := range r.Unplannable {
		in.Manifest, in.Seen = "", ""
		r.enter(fleet.Part{Input: in, Counts: map[membership.Outcome]int{as: size(in)}, Error: r.PlanError,
			Code: membership.CodeUnobservable})
	}
	r.Unplannable = nil
}
