package workflows

import "go.temporal.io/sdk/workflow"

// settle waits until a run may end or continue in a fresh history without losing a word: every update is answered, nobody
// who listens has a signal in hands, and idle holds.
func settle(ctx workflow.Context, idle func() bool) error {
	settled := func() bool { return idle() && workflow.AllHandlersFinished(ctx) }
	for {
		if err := workflow.Await(ctx, settled); err != nil {
			return err
		}
		// Who listens goes first: there may be a signal in its hands that it has not looked at yet.
		heard := false
		workflow.Go(ctx, func(workflow.Context) { heard = true })
		if err := workflow.Await(ctx, func() bool { return heard }); err != nil {
			return err
		}
		if settled() {
			return nil
		}
	}
}
