package cli

import (
	"context"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/starter/report"
	"github.com/fleetjoin/fleetjoin/worker/connect"
)

// closeUp is how the only cohort under way is doing, or the fleet itself while it plans; of many cohorts one wants to know
// less.
type closeUp struct {
	where   []string // how many members are where, such as "2 stop" and "now add 1"
	trouble string   // what the last try of an activity failed with
}

// closeUp looks at a fleet of which there is but one thing to see.
func (f *Factory) closeUp(ctx context.Context, conn *connect.Connection, id string, s fleet.Status) (c closeUp) {
	if s.Phase == membership.Planning {
		p := takePulse(ctx, conn, conn.GetWorkflow(ctx, id, ""))
		return closeUp{trouble: p.trouble}
	}
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

// few is what became of each member of a fleet that is as small as a cohort. Of a larger one it is for report to tell.
func (f *Factory) few(ctx context.Context, conn *connect.Connection, r fleet.Report) (members []membership.MemberReport) {
	n := 0
	for _, s := range r.Steps {
		n += s.Members
	}
	if n > membership.MaxMembers || r.Account == "" {
		return nil
	}
	fl, err := archive.Open(ctx, fromWorkers(conn), r.Account)
	if err == nil {
		for m, unread := range fl.Members(ctx) {
			if err = unread; err != nil {
				break
			}
			members = append(members, told(m))
		}
	}
	if err != nil {
		f.notef("what became of each member cannot be read: %v\n", err)
	}
	return members
}

// told is a member's story as a table tells it.
func told(m archive.Member) membership.MemberReport {
	r := m.MemberReport()
	if m.Outcome == membership.RolledBack && m.Act == archive.ActPutBack {
		r.Reason = "put back after it had joined"
	}
	return r
}
