package alibaba

import "github.com/fleetjoin/fleetjoin/cloud/membership"

// Reads describes reads of an API, for up to batch members in a call, at the pace of a client that was given none.
func Reads(api string, batch int) membership.Calls {
	return membership.Calls{API: api, Batch: batch,
		Limit: membership.Limit{Name: api, Start: guess.Start, Most: guess.Max, Burst: guess.Burst}}
}

// Writes describes writes likewise.
func Writes(api string, batch int) membership.Calls {
	c := Reads(api, batch)
	c.Write = true
	return c
}

// ResourceReads describes the reads that tell the resource groups of resources of a type, as far as ECS tells them; see
// ResourceGroupShown.
func ResourceReads(resourceType string) membership.Calls {
	by := resourceTypes[resourceType].reading
	return Reads(by.op.name, by.chunk)
}
