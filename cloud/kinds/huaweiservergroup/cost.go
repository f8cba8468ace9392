package huaweiservergroup

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// power is how long a server takes to stop or start: the Terraform provider reckons 15 to 35 seconds. The vendor
// publishes nothing.
const power = 35 * time.Second

// perCall is how many servers a read or a power call is for.
const perCall = 100

// Cost says what a server costs. That a change of the group takes as long as reads lag is assumed: the call has no job,
// and nothing is published.
func (Kind) Cost(t membership.Target, m *membership.Member) membership.Cost {
	servers, group := huawei.Reads("ListServersDetails", perCall), huawei.Reads("ShowServerGroup", 0)
	if t.From != "" {
		group.Times = 2
	}
	flavors := huawei.Reads("NovaShowFlavorExtraSpecs", 0) // one for each flavor, of which a cohort has few
	c := membership.Cost{
		Plan: []membership.Calls{servers, group, flavors, huawei.Reads("ListServerGroups", 0)},
		Look: []membership.Calls{servers, group, flavors, huawei.Reads("ShowJob", 0)},
	}
	calls := func(api string, batch int) []membership.Calls {
		return []membership.Calls{huawei.Writes(api, batch)}
	}
	if t.Operation == membership.Join {
		c.Plan = append(c.Plan, huawei.Reads("ShowServerLimits", 0), huawei.Reads("ListServerGroups", 0)) // for the room
	}
	if t.Operation == membership.Leave {
		c.Stages = []membership.StageCost{{Stage: stageRemove, Calls: calls("DeleteServerGroupMember", 1), Takes: readLag}}
		return c
	}
	p, _ := read(t) // what is wrong with them was said when they were given
	add := membership.StageCost{Stage: stageAdd, Calls: calls("AddServerGroupMember", 1), Takes: readLag}
	if t.From != "" {
		c.Stages = append(c.Stages, membership.StageCost{Stage: stageRemove, Calls: calls("DeleteServerGroupMember", 1), Takes: readLag})
	}
	c.Stages = append(c.Stages, add)
	if !p.stop || m.Power() != membership.PowerOn {
		return c
	}
	for i := range c.Stages {
		c.Stages[i].Off = true
	}
	stop := membership.StageCost{Stage: stageStop, Calls: calls("BatchStopServers", perCall), Takes: power, Off: true}
	start := membership.StageCost{Stage: stageStart, Calls: calls("BatchStartServers", perCall), Takes: power, Off: true}
	c.Stages = append(append([]membership.StageCost{stop}, c.Stages...), start)
	return c
}
