package huaweisecuritygroup

import (
	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// perRead is how many servers a read is for.
const perRead = 100

// Cost says what a server costs. That a change takes as long as it is given to show is assumed: nothing is published.
func (Kind) Cost(t membership.Target, _ *membership.Member) membership.Cost {
	groups := huawei.Reads("ShowSecurityGroup", 0)
	if t.From != "" {
		groups.Times = 2
	}
	servers := huawei.Reads("ListServersDetails", perRead)
	c := membership.Cost{Plan: []membership.Calls{servers, groups}, Look: []membership.Calls{servers}}
	write := func(stage, api string) { // which begins with a look of its own
		c.Stages = append(c.Stages, membership.StageCost{Stage: stage, Calls: []membership.Calls{servers, huawei.Writes(api, 1)}, Takes: settle})
	}
	change := changeOf(t)
	if change.add != "" {
		write(stageAdd, "NovaAssociateSecurityGroup")
	}
	if change.drop != "" {
		write(stageRemove, "NovaDisassociateSecurityGroup")
	}
	return c
}
