package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
)

// opening is whether the plan's windows are open, and until when that holds; a zero until is for ever.
type opening struct {
	Open  bool
	Until time.Time
	Said  bool // it has been looked at
}

// open reports whether members may be started now. What the windows say is written into the history: workers may have
// different ideas of the world's time zones.
func (f *fleetRun) open(ctx workflow.Context) bool {
	windows := fleet.Windows(f.plan.Allow)
	if len(windows) == 0 {
		return true
	}
	now := workflow.Now(ctx)
	if o := f.opening; !o.Said || !o.Until.IsZero() && !now.Before(o.Until) {
		said := workflow.SideEffect(ctx, func(workflow.Context) any {
			o := opening{Open: windows.Open(now), Said: true}
			if o.Open {
				o.Until, _ = windows.NextClosing(now)
			} else {
				o.Until, _ = windows.NextOpening(now)
			}
			return o
		})
		if err := said.Get(&f.opening); err != nil {
			workflow.GetLogger(ctx).Error("what the windows say cannot be read", "error", err)
		}
	}
	if !f.opening.Open {
		f.next = f.opening.Until
	}
	return f.opening.Open
}
