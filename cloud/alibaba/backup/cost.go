package backup

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// snapshots is how long the snapshots of an instance take, side by side. Nothing is published but that the first of a
// full disk may take more than an hour; half of it is a guess.
const snapshots = 30 * time.Minute

// Cost adds to the cost of a member what its disks cost: the reads of them and, with a backup, the stage.
func Cost(c *membership.Cost, m *membership.Member, wanted bool) {
	c.Plan = append(c.Plan, alibaba.Reads("DescribeDisks", 1)) // of each instance
	c.Look = append(c.Look, alibaba.Reads("DescribeDisks", 100))
	if !wanted {
		return
	}
	kept := alibaba.Writes("CreateSnapshot", 1)
	kept.Times = max(len(disksOf(m)), 1)
	stage := membership.StageCost{Stage: StageName, Calls: []membership.Calls{kept}, Takes: snapshots}
	c.Look = append(c.Look, alibaba.Reads("DescribeSnapshots", 100), alibaba.Reads("DescribeImages", 100))
	c.Stages = append(c.Stages, stage)
}
