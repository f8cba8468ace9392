package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// runError is the error with which a run ends that has come to an outcome, nil when all went well or was refused. It
// carries the report, the one truth. A run is only called cancelled when no member was left half-way.
func runError(outcome membership.RunOutcome, counts map[membership.Outcome]int, report any) error {
	failed := func(kind string) error {
		return temporal.NewApplicationErrorWithOptions(fmt.Sprintf("%s: %s", outcome, tally(counts)), kind,
			temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{report}})
	}
	switch outcome {
	case membership.RunIncomplete:
		return failed(ErrRollbackIncomplete)
	case membership.RunCancelled:
		return temporal.NewCanceledError(report)
	case membership.RunRolledBack:
		return failed(ErrRolledBack)
	default:
		return nil
	}
}
