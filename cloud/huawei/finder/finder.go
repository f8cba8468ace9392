// Package finder finds ECS servers by a query of people, for the kinds whose members they are.
package finder

import (
	"context"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Servers yields the servers of the client's project that a query matches (ListServersDetails): of those with its ids, of
// those in its group, which in lists, or of all of them, page after page. of tells in which groups a server is.
func Servers(ctx context.Context, c *huawei.Client, q membership.Query, in []string, of func(server string) []string,
	yield func(membership.Found) error) error {
	take := func(s huawei.Server) error {
		f := membership.Found{ID: s.ID, Name: s.Name, VPC: s.VPC, Groups: of(s.ID), Traits: membership.Traits(s.Zone, s.TagMap())}
		if !q.Matches(f) {
			return nil
		}
		return yield(f)
	}
	switch {
	case q.IDs != nil:
		return c.EachServer(ctx, q.IDs, take)
	case q.In != "":
		return c.EachServer(ctx, in, take)
	}
	return c.FindServers(ctx, q.NamePart(), take)
}
