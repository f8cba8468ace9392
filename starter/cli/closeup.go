package cli

import (
	"context"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/starter/report"
	"github.com/fleetjoin/fleetjoin/worker/connect"
)

// closeUp is how the only cohort under way is doing; of many cohorts one wants to know less.
type closeUp struct {
	where   []string // how many members are where, such as "2 stop" and "now add 1"
	trouble string   // what the last try of an activity failed with
}

// closeUp looks at the cohort of a fleet that has but one.
func (f *Factory) closeUp(ctx context.Context, conn *connect.Connection, s fleet.Status) (c closeUp) {
	if len(s.Cohorts) != 1 {
		return c
	}
	status, err := queryStatus(ctx, conn, s.Cohorts[0], "")
	if err != nil || status.Phase == membership.Ended {
		return c // it has not begun, or has ended meanwhile
	}
	p := takePulse(ctx, conn, conn.GetWorkflow(ctx, s.Cohorts[0], ""))
	c.where, c.trouble = counted(f.Kinds, status), p.trouble
	if p.now != "" {
		c.where = append(c.where, "now "+clean(p.now))
	}
	if status.Trouble != "" {
		c.trouble = "the cloud cannot be read: " + status.Trouble
	}
	return c
}

func (c closeUp) String() string { return strings.Join(c.where, ", ") }

// printFew tells what became of each member of a fleet that is as small as a cohort. The rest of what is kept is for
// report to tell.
func (f *Factory) printFew(ctx context.Context, conn *connect.Connection, r fleet.Report) {
	members := 0
	for _, s := range r.Steps {
		members += s.Members
	}
	if members > membership.MaxMembers || r.Account == "" {
		return
	}
	fl, err := report.Open(ctx, fromWorkers(conn), r.Account)
	if err == nil {
		err = f.printStories(ctx, fl, false)
	}
	if err != nil {
		f.notef("what became of each member cannot be read: %v\n", err)
	}
}
