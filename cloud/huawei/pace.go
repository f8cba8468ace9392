package huawei

import (
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Reads describes reads of an API, for up to batch members in a call, at the pace of a client that was given none.
func Reads(api string, batch int) membership.Calls {
	return membership.Calls{API: api, Batch: batch, Limit: limitOf(api, gateway)}
}

// Writes describes writes to ECS and VPC likewise.
func Writes(api string, batch int) membership.Calls {
	return membership.Calls{API: api, Write: true, Batch: batch, Limit: limitOf(api, gateway)}
}

// ClusterWrites describes writes to CCE likewise.
func ClusterWrites(api string, batch int) membership.Calls {
	return membership.Calls{API: api, Write: true, Batch: batch, Limit: limitOf(clusters.writes.name, clusters.writes.seed)}
}

func limitOf(name string, s limit.Seed) membership.Limit {
	return membership.Limit{Name: name, Start: s.Start, Most: s.Max, Burst: s.Burst}
}
