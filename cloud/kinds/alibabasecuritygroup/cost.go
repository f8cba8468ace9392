package alibabasecuritygroup

import (
	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// perRead is how many members a read is for.
const perRead = 100

// Cost says what a member costs. How long a change takes to show is assumed, as the time that it is given: the vendor
// speaks of a slight delay.
func (Kind) Cost(t membership.Target, m *membership.Member) membership.Cost {
	p, _ := read(t) // what is wrong with them was said when they were given
	read, set := "DescribeInstances", "ModifyInstanceAttribute"
	if isInterface(m.ID) {
		read, set = "DescribeNetworkInterfaces", "ModifyNetworkInterfaceAttribute"
	}
	members, groups := alibaba.Reads(read, perRead), alibaba.Reads("DescribeSecurityGroups", perRead)
	groups.Batch = 0 // the one group, or the few that members are in
	c := membership.Cost{Look: []membership.Calls{members, groups}, Plan: []membership.Calls{members, groups}}
	if t.Operation == membership.Join { // how full the group is: before the step, and with the plan; of a full group it takes more
		full := alibaba.Reads("DescribeNetworkInterfaces", 0)
		full.Times = 2
		c.Plan = append(c.Plan, full)
	}
	if isInterface(m.ID) { // the instances behind them
		c.Plan = append(c.Plan, alibaba.Reads("DescribeInstances", perRead))
	}
	write := membership.StageCost{Stage: stageJoin, Takes: settle}
	if t.Operation == membership.Leave {
		write.Stage = stageLeave
	}
	switch {
	case !p.legacy: // the set is read right before it is written
		write.Calls = []membership.Calls{alibaba.Reads(read, 1), alibaba.Writes(set, 1)}
	case t.Operation == membership.Join:
		write.Calls = []membership.Calls{alibaba.Writes("JoinSecurityGroup", 1)}
	default:
		write.Calls = []membership.Calls{alibaba.Writes("LeaveSecurityGroup", 1)}
	}
	c.Stages = []membership.StageCost{write}
	return c
}
