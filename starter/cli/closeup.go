package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
)

// closeUp is how the only cohort under way is doing, or the fleet itself while it plans; of many cohorts one wants to know
// less.
type closeUp struct {
	where   []string // how many members are where, such as "2 stop" and "now add 1"
	trouble string   // what the last try of an activity failed with
}

// lookCloser looks at a fleet of which there is but one thing to see.
func lookCloser(ctx context.Context, f *Factory, conn *connect.Connection, id string, s fleet.Status) (c closeUp) {
	if s.Phase == membership.Planning {
		p := takePulse(ctx, conn, conn.GetWorkflow(ctx, id, ""))
		return closeUp{trouble: p.trouble}
	}
	if len(s.Cohorts) != 1 {
		return c
	}
	status, err := queryCohort(ctx, conn, s.Cohorts[0], "")
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

// places returns where members can be, in the order of the story.
func places(kinds []membership.Kind, s membership.Status) []string {
	var order []string
	if k, err := membership.Find(kinds, s.Kind); err == nil {
		p := membership.Program{Stages: k.Spec().Stages[s.Operation]}
		order = p.Places()
	}
	order = append(order, membership.AtParked)
	for _, o := range membership.Outcomes() {
		order = append(order, string(o))
	}
	// What a newer worker says and we do not know comes last, and is not lost.
	for _, p := range slices.Sorted(maps.Keys(s.Counts)) {
		if !slices.Contains(order, p) {
			order = append(order, p)
		}
	}
	return order
}

// counted is how many members are where, such as "12 stop" and "48 joined".
func counted(kinds []membership.Kind, s membership.Status) (parts []string) {
	for _, p := range places(kinds, s) {
		if n := s.Counts[p]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, clean(p)))
		}
	}
	return parts
}
