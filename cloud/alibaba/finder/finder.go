// Package finder finds ECS instances by a query of people, for the kinds whose members they are.
package finder

import (
	"context"
	"maps"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Groups are the groups of a kind, as far as a query needs to know them.
type Groups struct {
	// Of tells in which an instance is.
	Of func(alibaba.Instance) []string
	// In are the ids of the instances in the query's In. A kind for which ECS itself lists them names it as SecurityGroup
	// instead.
	In            []string
	SecurityGroup string
}

// OneEach are groups of which an instance is in one at most: of has it by instance, in is the query's.
func OneEach(of map[string]string, in string) Groups {
	g := Groups{Of: func(i alibaba.Instance) []string {
		if group := of[i.ID]; group != "" {
			return []string{group}
		}
		return nil
	}}
	for _, id := range slices.Sorted(maps.Keys(of)) {
		if of[id] == in {
			g.In = append(g.In, id)
		}
	}
	return g
}

// Instances yields the instances of the client's region that a query matches (DescribeInstances): of those with its ids, of
// those in its group, or of all of them, page after page, which the cloud then filters as far as it can.
func Instances(ctx context.Context, c *alibaba.Client, q membership.Query, groups Groups,
	yield func(membership.Found) error) error {
	take := func(i alibaba.Instance) error {
		f := membership.Found{ID: i.ID, Name: i.Name, VPC: i.VPC, Groups: groups.Of(i), Traits: membership.Traits(i.Zone, i.Tags)}
		if !q.Matches(f) {
			return nil
		}
		return yield(f)
	}
	switch {
	case q.IDs != nil:
		return c.EachInstance(ctx, q.IDs, take)
	case q.In != "" && groups.SecurityGroup == "":
		return c.EachInstance(ctx, groups.In, take)
	}
	filter := alibaba.InstanceFilter{Name: q.Name, VPC: q.VPC, SecurityGroup: groups.SecurityGroup, Tags: q.Tags}
	return c.FindInstances(ctx, filter, take)
}
