package alibaba

import (
	"context"
	"maps"
	"slices"
	"strings"
)

var (
	getResourceGroup              = op{service: resourceManager, name: "GetResourceGroup"}
	listResources                 = op{service: resourceManager, name: "ListResources"}
	listAssociatedTransferSetting = op{service: resourceManager, name: "ListAssociatedTransferSetting"}
	joinResourceGroup             = op{service: ecs, name: "JoinResourceGroup", write: true}
)

// ResourceGroup is a resource group of the account.
type ResourceGroup struct {
	ID          string
	Name        string
	DisplayName string
	Status      string            // "OK", "Creating" or "PendingDelete"
	Regions     map[string]string // region to its status there: as Status, or "Deleting"
}

// ResourceGroup reads a resource group. One that does not exist is a Rejected error.
func (c *Client) ResourceGroup(ctx context.Context, id string) (ResourceGroup, error) {
	if err := checkIDs(getResourceGroup, id); err != nil {
		return ResourceGroup{}, err
	}
	type answer struct {
		ResourceGroup struct {
			ID, Name, DisplayName, Status string
			RegionStatuses                list[struct{ RegionID, Status string }]
		}
	}
	a, err := call(ctx, c, getResourceGroup, request{query: map[string]string{"ResourceGroupId": id}},
		func(a *answer) bool { return a.ResourceGroup.ID == id && a.ResourceGroup.Status != "" })
	if err != nil {
		return ResourceGroup{}, err
	}
	g := ResourceGroup{
		ID:          id,
		Name:        a.ResourceGroup.Name,
		DisplayName: a.ResourceGroup.DisplayName,
		Status:      a.ResourceGroup.Status,
		Regions:     make(map[string]string, len(a.ResourceGroup.RegionStatuses)),
	}
	for _, r := range a.ResourceGroup.RegionStatuses {
		g.Regions[r.RegionID] = r.Status
	}
	return g, nil
}

// AssociatedTransferEnabled tells whether, in this account, resources follow others into their group: the disks and the
// interfaces of an instance, say. They do so some time later, and an undo has to think of them too.
func (c *Client) AssociatedTransferEnabled(ctx context.Context) (bool, error) {
	type answer struct {
		AssociatedTransferSetting *struct{ Status string }
	}
	a, err := call(ctx, c, listAssociatedTransferSetting, request{},
		func(a *answer) bool { return a.AssociatedTransferSetting != nil })
	if err != nil {
		return false, err
	}
	return strings.EqualFold(a.AssociatedTransferSetting.Status, "Enable"), nil
}

// JoinResourceGroup puts a resource into a resource group, out of the one that it is in. The type is one of
// ResourceTypes, in its case.
func (c *Client) JoinResourceGroup(ctx context.Context, resourceType, id, group string) error {
	t, ok := resourceTypes[resourceType]
	if !ok {
		return refuseType(joinResourceGroup, resourceType)
	}
	if err := t.check(joinResourceGroup, id); err != nil {
		return err
	}
	if err := checkIDs(joinResourceGroup, group); err != nil {
		return err
	}
	return c.tell(ctx, joinResourceGroup, map[string]string{
		"ResourceType": resourceType, "ResourceId": id, "ResourceGroupId": group,
	})
}

// ResourceTypes returns the types of resources that JoinResourceGroup and ResourceGroupOf know, sorted.
func ResourceTypes() []string {
	return slices.Sorted(maps.Keys(resourceTypes))
}

func refuseType(o op, resourceType string) error {
	return refuse(o, "%q is no resource type; use %s", resourceType, strings.Join(ResourceTypes(), ", "))
}

// ResourceGroupOf reads in which resource groups resources of one type are: id to the group's id. A resource that does
// not exist is absent from the result. The group is "" when the cloud does not say; then there is nothing to go back to.
// Resources whose group ECS leaves out cost a call each.
func (c *Client) ResourceGroupOf(ctx context.Context, resourceType string, ids []string) (map[string]string, error) {
	groups, err := c.ResourceGroupShown(ctx, resourceType, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		if groups[id] != "" {
			continue
		}
		if groups[id], err = c.ResourceGroupListed(ctx, resourceType, id); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// ResourceGroupShown is ResourceGroupOf as far as ECS tells: it may leave the default group out, and the result then has
// "" for the resource. The types of which OneByOne is true cost a call for each id, the others one for 50 or 100.
func (c *Client) ResourceGroupShown(ctx context.Context, resourceType string, ids []string) (map[string]string, error) {
	t, ok := resourceTypes[resourceType]
	if !ok {
		return nil, refuseType(listResources, resourceType)
	}
	return read(ctx, c, t.reading, ids, func(row *resourceRow) (string, string) {
		id, r := t.resource(row)
		return id, r.Group
	})
}

// ResourceGroupListed asks the resource manager for the group of a resource; "" when it does not know.
func (c *Client) ResourceGroupListed(ctx context.Context, resourceType, id string) (string, error) {
	type row struct{ Service, ResourceType, ResourceID, ResourceGroupID, RegionID string }
	rows, err := pages[row](ctx, c, listResources, pageSize(perPage, map[string]string{
		"Service": ecs.name, "ResourceType": resourceType, "ResourceId": id, "Region": c.account.Region,
	}), "Resources")
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if r.Service == ecs.name && r.ResourceType == resourceType && r.ResourceID == id {
			return r.ResourceGroupID, nil
		}
	}
	return "", nil
}
