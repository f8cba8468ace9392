package alibabanodepool

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// How long an instance takes to become a node, and to be none again. Nothing is published, and the Terraform provider
// gives a whole pool an hour: this is a guess, by what the nodes of other clouds take.
const (
	attaches = 5 * time.Minute
	removes  = 2 * time.Minute
)

// perRead is how many instances a read is for.
const perRead = 100

// Cost says what an instance costs. One that is being made a node by somebody else is only seen through.
func (Kind) Cost(t membership.Target, m *membership.Member) membership.Cost {
	p, _ := read(t) // what is wrong with them was said when they were given
	reads := func() []membership.Calls {
		return []membership.Calls{
			alibaba.Reads("DescribeInstances", perRead),
			alibaba.Reads("DescribeClusterDetail", 0),
			alibaba.Reads("DescribeClusterNodePoolDetail", 0),
			alibaba.Reads("DescribeClusterNodes", perRead),
		}
	}
	c := membership.Cost{Plan: reads(), Look: append(reads(), alibaba.Reads("DescribeTaskInfo", 0))}
	if t.Operation == membership.Leave {
		c.Stages = []membership.StageCost{{Stage: stageRemove, Takes: removes, Off: true,
			Calls: []membership.Calls{alibaba.Writes("RemoveNodePoolNodes", perCall)}}}
		return c
	}
	c.Plan = append(c.Plan, alibaba.Reads("DescribeClustersV1", 0), alibaba.Reads("DescribeUserQuota", 0))
	c.Plan = append(c.Plan, reads()[2:]...) // for the room
	isNode := m.Before[factNode] != ""
	backup.Cost(&c, m, p.backup && !isNode)
	attach := membership.StageCost{Stage: stageAttach, Takes: attaches, Off: true}
	if !isNode {
		attach.Calls = []membership.Calls{alibaba.Writes("AttachInstances", perCall)}
	}
	c.Stages = append(c.Stages, attach)
	return c
}
