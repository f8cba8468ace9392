package aliyun

import (
	"fmt"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// move is one resource's way into a resource group.
type move struct{ resourceType, id, region, group string }

func (s *Service) joinResourceGroup(c *wire.Call, p params) wire.Answer {
	for _, name := range []string{"ResourceType", "ResourceId", "ResourceGroupId"} {
		if p.Get(name) == "" {
			return s.refuse(c, forbidden("MissingParameter", missing(name).message))
		}
	}
	changes := &change{}
	effect, r := s.move(c, move{p.Get("ResourceType"), p.Get("ResourceId"), p.Get("RegionId"), c.Group}, changes)
	if r != nil {
		return s.refuse(c, r)
	}
	return done(c, changes, effect, nil)
}

// move puts a resource into a group at once and returns the effect. What is associated with it follows (A11).
func (s *Service) move(c *wire.Call, m move, changes *change) (string, *refusal) {
	r, refused := s.movable(c, m)
	if refused != nil {
		return journal.Refused, refused
	}
	state := r.at(c.Now)
	if state.ResourceGroup == m.group {
		if s.config.Knobs.RepeatMove == world.OK { // A7
			return journal.None, nil
		}
		return journal.Refused, forbidden("InvalidResourceGroup.Duplicate",
			"The ResourceId provided has a ResourceGroup in our records.")
	}
	state.ResourceGroup = m.group
	if s.config.Transfer.Enabled {
		state.Transfer = s.transferParts(c, r, m, changes)
	}
	s.change(r, state, c.Now, changes)
	return journal.Changed, nil
}

// movable finds the resource and the group, and returns why the one cannot be put into the other.
func (s *Service) movable(c *wire.Call, m move) (*resource, *refusal) {
	if !slices.Contains(world.ResourceTypes(), m.resourceType) {
		return nil, notFound("InvalidResourceType.NotFound", "The ResourceType provided does not exist in our records.")
	}
	g, ok := s.groups[m.group]
	if !ok || g.Account != s.account(c) {
		return nil, notFound("InvalidResourceGroup.NotFound", "The ResourceGroup provided does not exist in our records.")
	}
	r := s.find(c, m.resourceType, m.id, m.region)
	if r == nil {
		return nil, notFound("InvalidResourceId.NotFound", "The ResourceId provided does not exist in our records.")
	}
	region := r.identity().region
	switch {
	case slices.Contains(s.config.RegionsWithoutGroups, region):
		return nil, forbidden("InvalidRegionId.ResourceGroup", "The specified region does not support resource group yet.")
	case g.Status != "OK" || statusIn(g, region) != "OK":
		return nil, forbidden("InvalidStatus.ResourceGroup",
			"You cannot perform an operation on a resource group that is being created or deleted.")
	case r.at(c.Now).Transfer != nil:
		return nil, badRequest("EntityExists.AssociatedTransferTasks",
			"An associated transfer task is in progress. Try again later.")
	}
	return r, nil
}

// statusIn is a resource group's status in a region.
func statusIn(g world.ResourceGroup, region string) string {
	if status, ok := g.Regions[region]; ok {
		return status
	}
	return g.Status
}

// transferParts lets the parts of a resource follow it, and returns the transition that marks the resource itself as
// long as one of them is on its way; nil if none is. A fault about the resource is about its parts.
func (s *Service) transferParts(c *wire.Call, whole *resource, m move, changes *change) *transition {
	var task *transition
	for _, part := range s.partsAt(key{whole.Type, whole.identity().id}, c.Now) {
		rule := world.TransferRule{From: whole.Type, To: part.Type}
		state := part.at(c.Now)
		if !slices.Contains(s.config.Transfer.Rules, rule) || state.Transfer != nil {
			continue
		}
		end, failed := transition{ResourceGroup: m.group}, transition{ResourceGroup: state.ResourceGroup}
		state.Transfer = s.begin(part, c, m.id, s.config.Timings.Transfer, end, failed)
		task = later(task, state.Transfer, m.group)
		if below := s.transferParts(c, part, m, changes); below != nil {
			task = later(task, below, m.group)
		}
		s.change(part, state, c.Now, changes)
	}
	return task
}

// later returns a transition into the group that ends with the last of both.
func later(a, b *transition, group string) *transition {
	until := b.Until
	if a != nil && (a.Until.IsZero() || !until.IsZero() && a.Until.After(until)) {
		until = a.Until
	}
	return &transition{Until: until, ResourceGroup: group}
}

// shownGroup is the resource group as Describe calls show it: what they say of the default one is the world's choice
// (A12).
func (s *Service) shownGroup(v version) string {
	if s.config.Knobs.DefaultGroup == world.Empty && s.groups[v.ResourceGroup].Default {
		return ""
	}
	return v.ResourceGroup
}

// movedID is the name of the parameter with the id of the i-th resource that MoveResources moves.
func movedID(i int) string { return fmt.Sprintf("Resources.%d.ResourceId", i) }

// maxMoved is how many resources one MoveResources takes (A13).
const maxMoved = 10

func (s *Service) moveResources(c *wire.Call, p params) wire.Answer {
	g, ok := s.groups[c.Group]
	switch {
	case c.Group == "":
		return s.refuse(c, missing("ResourceGroupId"))
	case len(c.Servers) == 0:
		return s.refuse(c, missing("Resources"))
	case len(c.Servers) > maxMoved:
		return s.refuse(c, invalid("Resources"))
	case !ok || g.Account != s.account(c):
		return s.refuse(c, noResourceGroup())
	}
	changes, count := &change{}, map[string]int{}
	var rows []object
	for i, id := range c.Servers {
		field := func(name string) string { return p.Get(fmt.Sprintf("Resources.%d.%s", i+1, name)) }
		row := object{"ResourceId": id, "ResourceType": field("ResourceType"), "Service": field("Service"),
			"RegionId": field("RegionId"), "RequestId": requestID(c), "Status": "SUCCESS"}
		effect, r := journal.Refused, notFound("InvalidService.NotFound", "The service does not exist in our records.")
		if field("Service") == "ecs" {
			effect, r = s.move(c, move{field("ResourceType"), id, field("RegionId"), c.Group}, changes)
		}
		if r != nil {
			row["Status"], row["ErrorCode"], row["ErrorMsg"] = "FAIL", r.code, r.message
		}
		count[effect]++
		rows = append(rows, row)
	}
	effect := journal.None
	switch {
	case count[journal.Changed] > 0:
		effect = journal.Changed
	case count[journal.Refused] == len(rows):
		effect = journal.Refused
	}
	return done(c, changes, effect, object{"Responses": rows})
}

func noResourceGroup() *refusal {
	return notFound("EntityNotExists.ResourceGroup", "The specified resource group does not exist.")
}

// listed is the moment that ListResources shows.
func (s *Service) listed(now time.Time) time.Time { return now.Add(-time.Duration(s.config.ListLag)) }
