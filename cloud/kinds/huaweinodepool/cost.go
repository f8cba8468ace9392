package huaweinodepool

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// How long the job over a node takes. Nothing is published: the Terraform provider looks for the first time after two
// minutes at an add and after one and a half at a removal, and gives up after twenty.
const (
	adds    = 4 * time.Minute
	removes = 2 * time.Minute
)

// perRead is how many servers a read is for.
const perRead = 100

// Cost says what a server costs. A server that is being made a node by somebody else is only seen through.
func (Kind) Cost(t membership.Target, m *membership.Member) membership.Cost {
	look := []membership.Calls{
		huawei.Reads("ListServersDetails", perRead),
		huawei.Reads("NovaShowFlavorExtraSpecs", 0), // one for each flavor, and a pool has one
		huawei.Reads("ShowCluster", 0),
		huawei.Reads("ShowNodePool", 0),
		huawei.Reads("ListNodes", 0), // one for each 500 nodes of the cluster
	}
	// Of another cluster of the project the nodes are listed, too: how many there are nobody knows before.
	c := membership.Cost{Plan: append([]membership.Calls{huawei.Reads("ListClusters", 0)}, look...)}
	c.Look = append(look, huawei.Reads("ShowJob", 0))
	if t.Operation == membership.Join {
		c.Plan = append(c.Plan, look[2:5]...) // for the room
	}
	switch {
	case t.Operation == membership.Leave:
		c.Stages = []membership.StageCost{{Stage: stageRemove, Takes: removes, Off: true,
			Calls: []membership.Calls{huawei.ClusterWrites("RemoveNode", huawei.NodesPerCall)}}}
	case m.Before[factNode] != "":
		c.Stages = []membership.StageCost{{Stage: stageAdd, Takes: adds, Off: true}}
	default:
		c.Stages = []membership.StageCost{{Stage: stageAdd, Takes: adds, Off: true,
			Calls: []membership.Calls{huawei.ClusterWrites("AddNodesToNodePool", huawei.NodesPerCall)}}}
	}
	return c
}
