package workflows

import "go.temporal.io/sdk/workflow"

// changeLeases marks the runs that say when they are done with their members. Those from before hold no leases.
const changeLeases = "leases"

// letGo tells the book of leases that the run is done with its members. There is no book when nobody holds any.
func letGo(ctx workflow.Context) {
	if workflow.GetVersion(ctx, changeLeases, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return
	}
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	info := workflow.GetInfo(ctx)
	if err := workflow.SignalExternalWorkflow(ctx, LeasesOf(info.TaskQueueName), "", SignalRelease,
		LeaseRun{Workflow: info.WorkflowExecution.ID, Run: info.WorkflowExecution.RunID}).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Debug("nobody to let go of the members", "error", err)
	}
}
