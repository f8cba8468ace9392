package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// runError is the error with which a run ends that has come to an outcome, nil when no member of it has failed. It carries the report, the one truth. A run is only called cancelled when no member was left half-way.
func runError(outcome membership.RunOutcome, counts map[membership.Outcome]int, report any) error {
	failed := func(kind string) error {
		return temporal.NewApplicationErrorWithOptions(fmt.Sprintf("%s: %s", outcome, membership.Report{Counts: counts}.Tally()), kind,
			temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{report}})
	}
	switch {
	case outcome == membership.RunIncomplete:
		return failed(ErrRollbackIncomplete)
	case outcome == membership.RunCancelled:
		return temporal.NewCanceledError(report)
	case counts[membership.RolledBack] > 0:
		return failed(ErrRolledBack)
	}
	return nil
}
