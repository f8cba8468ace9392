package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const (
	// heartbeatTimeout is how soon a dead worker is noticed. Activities heartbeat every second.
	heartbeatTimeout = 10 * time.Second
	// lookTime is how long a look at a page may take.
	lookTime = 10 * time.Minute
)

// persist prepares for an activity that is tried for ever, each time for so long: one that fails has lost its worker, not
// its work.
func persist(ctx workflow.Context, try time.Duration, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: try,
		HeartbeatTimeout:    heartbeatTimeout,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2,
			MaximumInterval: 30 * time.Second},
		Summary: summary,
	})
}

func payload(v converter.RawValue) []byte {
	if v.Payload() == nil {
		return nil
	}
	return v.Payload().GetData()
}

// badInput turns problems into the error that ends a run before anything was touched.
func badInput(err error) error {
	var bad *membership.BadInput
	if !errors.As(err, &bad) {
		return err
	}
	return temporal.NewNonRetryableApplicationError(bad.Error(), ErrBadInput, nil, bad.Problems)
}
