package alibabaresourcegroup

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/finder"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const typeInstance = "instance"

// Find implements membership.Session: the members are the region's resources of the type. Instances are looked for in ECS
// (DescribeInstances); resources of other types are those that the resource manager lists (ListResources), whose names,
// zones, VPCs and tags ECS then tells. Who is in a group, the resource manager tells for all types.
func (s *session) Find(ctx context.Context, q membership.Query, yield func(membership.Found) error) error {
	if err := membership.Bad(foreign(q, s.params.resourceType)); err != nil {
		return err
	}
	for _, id := range q.Groups() {
		g, err := s.readGroup(ctx, id)
		switch {
		case err != nil:
			return err
		case g.missing:
			return membership.NoGroup(id, "in the account")
		}
	}
	if s.params.resourceType == typeInstance {
		return s.findInstances(ctx, q, yield)
	}
	return s.findResources(ctx, q, yield)
}

// foreign returns the parts of a query that no resource of the type could match.
func foreign(q membership.Query, resourceType string) (ps []membership.Problem) {
	bad := func(name, value, want string) {
		ps = append(ps, membership.Problem{Field: "targets.cloud." + name, Value: membership.Quote(value), Want: want})
	}
	if strings.Trim(q.Name, "*") != "" && !alibaba.Named(resourceType) {
		bad("name", q.Name, fmt.Sprintf(`resources of type %q have no names; want tags, in, or "*" for everybody`, resourceType))
	}
	if q.VPC != "" && !alibaba.InVPC(resourceType) {
		all := slices.DeleteFunc(alibaba.ResourceTypes(), func(t string) bool { return !alibaba.InVPC(t) })
		bad("vpc", q.VPC, fmt.Sprintf("resources of type %q are in no VPC, only those of types %s are; want tags, name or in",
			resourceType, strings.Join(all, ", ")))
	}
	return ps
}

// findInstances has ECS filter. It may leave the default group out; the resource manager has it.
func (s *session) findInstances(ctx context.Context, q membership.Query, yield func(membership.Found) error) error {
	var in []string
	hidden := make(map[string]string)
	for _, group := range q.Groups() {
		listed, err := s.client.ResourcesIn(ctx, typeInstance, group)
		if err != nil {
			return err
		}
		if group == q.In {
			in = slices.Sorted(maps.Keys(listed))
		}
		maps.Copy(hidden, listed)
	}
	of := func(i alibaba.Instance) []string { return groupOf(i.ResourceGroup, hidden[i.ID]) }
	return finder.Instances(ctx, s.client, q, finder.Groups{Of: of, In: in}, yield)
}

// findResources keeps the ids of those that the resource manager lists, since it pages by number.
func (s *session) findResources(ctx context.Context, q membership.Query, yield func(membership.Found) error) error {
	listed, err := s.client.ResourcesIn(ctx, s.params.resourceType, q.In)
	if err != nil {
		return err
	}
	ids := q.IDs
	if ids == nil {
		ids = slices.Sorted(maps.Keys(listed))
	}
	return s.client.EachResource(ctx, s.params.resourceType, ids, func(r alibaba.Resource) error {
		f := membership.Found{ID: r.ID, Name: r.Name, VPC: r.VPC, Groups: groupOf(r.Group, listed[r.ID]),
			Traits: membership.Traits(r.Zone, r.Tags)}
		if !q.Matches(f) {
			return nil
		}
		return yield(f)
	})
}

// groupOf is the group that a resource is in: that which ECS shows or, where that leaves it out, which the resource
// manager lists.
func groupOf(shown, listed string) []string {
	if group := cmp.Or(shown, listed); group != "" {
		return []string{group}
	}
	return nil
}

// Room implements membership.Session: resource groups have no limit.
func (*session) Room(context.Context, []string) (membership.Room, error) {
	return membership.NoRoomTold()
}
