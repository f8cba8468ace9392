package alibabaresourcegroup

import (
	"cmp"
	"context"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const typeInstance = "instance"

// Find implements membership.Finder: the members are instances of the region (DescribeInstances); those in a group are
// the ones that the resource manager lists (ListResources).
func (s *session) Find(ctx context.Context, q membership.Query, yield func(membership.Found) error) error {
	if s.params.resourceType != typeInstance {
		return membership.Bad([]membership.Problem{{Field: "params.type", Value: membership.Quote(s.params.resourceType),
			Want: `cannot be found or spread; only resources of type "instance" can: list these, each with its group`}})
	}
	var in []string
	hidden := make(map[string]string) // ECS may leave the default group out; the resource manager has it
	for _, group := range q.Groups() {
		g, err := s.readGroup(ctx, group)
		if err != nil {
			return err
		}
		if g.missing {
			return membership.NoGroup(group, "in the account")
		}
		ids, err := s.client.ResourcesIn(ctx, typeInstance, group)
		if err != nil {
			return err
		}
		if group == q.In {
			in = ids
		}
		for _, id := range ids {
			hidden[id] = group
		}
	}
	take := func(i alibaba.Instance) error {
		f := membership.Found{ID: i.ID, Name: i.Name, VPC: i.VPC, Groups: []string{cmp.Or(i.ResourceGroup, hidden[i.ID])},
			Traits: membership.Traits(i.Zone, i.Tags)}
		if !q.Matches(f) {
			return nil
		}
		return yield(f)
	}
	switch {
	case q.IDs != nil:
		return s.client.EachInstance(ctx, q.IDs, take)
	case q.In != "":
		return s.client.EachInstance(ctx, in, take)
	}
	return s.client.FindInstances(ctx, alibaba.InstanceFilter{Name: q.Name, VPC: q.VPC, Tags: q.Tags}, take)
}
