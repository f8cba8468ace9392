package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// mostOverlaps is how many members that others are about are named of a plan.
const mostOverlaps = 1000

// overlaps tells which other runs, that have not ended, are about members of a plan, whether or not they have come to them yet:
// their leases are those of cohorts under way. It is for people, and no reason not to begin.
func (a *Activities) overlaps(ctx context.Context, members naming) (warnings []string) {
	if a.client == nil {
		return nil
	}
	runs, shared, err := a.sharing(ctx, members)
	if err != nil {
		warnings = append(warnings, "it could not be told which other runs are about the same members: "+verdict.Redact(err.Error()))
	}
	if len(shared) > 0 {
		runs, shared = distinct(runs), distinct(shared)
		count := membership.Count(len(shared), "member")
		if len(shared) >= mostOverlaps {
			count = "at least " + count
		}
		warnings = append(warnings, fmt.Sprintf("other runs (%s) have not ended, and are about %s of these, too: %s",
			strings.Join(membership.Few(runs), ", "), count, strings.Join(membership.Few(shared), ", ")))
	}
	return warnings
}

// sharing finds the runs under way that have members in common with a plan, and those members.
func (a *Activities) sharing(ctx context.Context, members naming) (runs, shared []string, err error) {
	info := activity.GetInfo(ctx)
	in := &workflowservice.ListWorkflowExecutionsRequest{Query: fmt.Sprintf(
		"WorkflowType IN ('%s', '%s', '%s') AND ExecutionStatus = 'Running' AND TaskQueue = '%s'",
		workflows.TypeFleet, workflows.TypeJoin, workflows.TypeLeave, info.TaskQueue)}
	for {
		page, err := a.client.ListWorkflow(ctx, in)
		if err != nil {
			return runs, shared, err
		}
		for _, e := range page.GetExecutions() {
			id := e.GetExecution().GetWorkflowId()
			if id == info.WorkflowExecution.ID || len(shared) >= mostOverlaps {
				continue
			}
			value, err := a.client.QueryWorkflow(ctx, id, "", membership.QueryStatus)
			var s fleet.Status
			if err != nil || value.Get(&s) != nil || s.Manifest == "" {
				continue // it has ended meanwhile, or has not found its members yet, and then it tells of this one
			}
			common, err := a.common(ctx, store.Key(s.Manifest), members)
			if err != nil {
				return runs, shared, err
			}
			if len(common) > 0 {
				runs, shared = append(runs, id), append(shared, common...)
			}
		}
		if in.NextPageToken = page.GetNextPageToken(); len(in.NextPageToken) == 0 {
			return runs, shared, nil
		}
	}
}

// common are the members of a plan that a manifest names, too, by whatever kind and account of their cloud.
func (a *Activities) common(ctx context.Context, key store.Key, members naming) (common []string, err error) {
	m, err := store.GetJSON[fleet.Manifest](ctx, a.store, key)
	if err != nil {
		return nil, err
	}
	for _, step := range m.Steps {
		mine := a.sameCloud(step.Kind, members)
		if len(mine) == 0 {
			continue
		}
		for _, ref := range slices.Concat(step.Waves...) {
			page, err := store.GetJSON[fleet.Page](ctx, a.store, store.Key(ref.Key))
			if err != nil {
				return common, err
			}
			for _, id := range page.Members {
				named := func(ids map[string]string) bool { _, is := ids[id]; return is }
				if slices.ContainsFunc(mine, named) {
					common = append(common, id)
				}
			}
			if len(common) >= mostOverlaps {
				return common[:mostOverlaps], nil
			}
		}
	}
	return common, nil
}

// sameCloud are the members of a plan, by id, that a step of some kind may be about, too.
func (a *Activities) sameCloud(kind string, members naming) (same []map[string]string) {
	theirs, err := membership.Find(a.kinds, kind)
	if err != nil {
		return nil // of a worker that knows more kinds
	}
	for of, ids := range members {
		if mine, err := membership.Find(a.kinds, of.kind); err == nil && mine.Spec().Provider == theirs.Spec().Provider {
			same = append(same, ids)
		}
	}
	return same
}
