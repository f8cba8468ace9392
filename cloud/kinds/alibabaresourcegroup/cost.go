package alibabaresourcegroup

import (
	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Cost says what a resource costs. A move is done when its call returns; that it takes as long as reads lag to be seen is
// assumed, since nothing is published. Left out is what hangs on the resources: those of the default group are each looked
// up once more, and those of types that are read one by one take turns, which makes a page slower.
func (Kind) Cost(t membership.Target, _ *membership.Member) membership.Cost {
	p, _ := read(t) // what is wrong with them was said when they were given
	resources, group := alibaba.ResourceReads(p.resourceType), alibaba.Reads("GetResourceGroup", 0)
	c := membership.Cost{
		Plan: []membership.Calls{resources, group, alibaba.Reads("ListAssociatedTransferSetting", 0)},
		Look: []membership.Calls{resources, group},
		Stages: []membership.StageCost{{Stage: stageJoin, Takes: readLag,
			Calls: []membership.Calls{alibaba.Writes("JoinResourceGroup", 1)}}},
	}
	if alibaba.OneByOne(p.resourceType) {
		c.Look[0].Batch, c.Look[0].Times = 0, lookups
	}
	if t.Operation == membership.Leave {
		c.Stages[0].Stage = stageLeave
	}
	return c
}
