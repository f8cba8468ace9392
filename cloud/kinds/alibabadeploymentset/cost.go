package alibabadeploymentset

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const (
	// power is how long an instance takes to stop or start, and change how long its set takes to be another, with a change
	// of host: guesses. The vendor publishes neither.
	power  = 40 * time.Second
	change = 30 * time.Second
	// perCall is how many instances a read or a power call is for.
	perCall = 100
)

// Cost says what an instance costs.
func (Kind) Cost(t membership.Target, m *membership.Member) membership.Cost {
	reads := []membership.Calls{alibaba.Reads("DescribeInstances", perCall), alibaba.Reads("DescribeDeploymentSets", 0)}
	c := membership.Cost{Plan: reads, Look: reads}
	calls := func(api string, batch int) []membership.Calls { return []membership.Calls{alibaba.Writes(api, batch)} }
	place := membership.StageCost{Stage: stagePlace, Calls: calls("ModifyInstanceDeployment", 1), Takes: change}
	switch {
	case t.Operation == membership.Leave:
		place.Stage, place.Takes = stageRemove, readLag
		c.Stages = []membership.StageCost{place}
	case m.Power() != membership.PowerOn:
		c.Stages = []membership.StageCost{place}
	default:
		place.Off = true
		c.Stages = []membership.StageCost{
			{Stage: stageStop, Calls: calls("StopInstances", perCall), Takes: power, Off: true},
			place,
			{Stage: stageStart, Calls: calls("StartInstances", perCall), Takes: power, Off: true},
		}
	}
	return c
}
