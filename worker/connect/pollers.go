package connect

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
)

// pollerFresh is how long ago a poller may have asked for work and still count: a long poll takes a minute, and the
// server remembers pollers for minutes after they died.
const pollerFresh = 75 * time.Second

// Pollers returns the identities that poll the task queue for both workflow and activity tasks.
func (c *Connection) Pollers(ctx context.Context, taskQueue string) ([]string, error) {
	workflowSide, err := c.pollers(ctx, taskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return nil, err
	}
	activitySide, err := c.pollers(ctx, taskQueue, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	if err != nil {
		return nil, err
	}
	var both []string
	for id := range workflowSide {
		if activitySide[id] {
			both = append(both, id)
		}
	}
	return both, nil
}

func (c *Connection) pollers(ctx context.Context, queue string, side enumspb.TaskQueueType) (map[string]bool, error) {
	answer, err := c.DescribeTaskQueue(ctx, queue, side)
	if err != nil {
		return nil, fmt.Errorf("describe task queue %s: %w", queue, err)
	}
	ids := map[string]bool{}
	for _, p := range answer.GetPollers() {
		if time.Since(p.GetLastAccessTime().AsTime()) < pollerFresh {
			ids[p.GetIdentity()] = true
		}
	}
	return ids, nil
}
