package alibaba

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// mostTagged is how many resources the cloud filters by tags: "If you use a single tag to filter resources, the resource
// count with the tag cannot exceed 1,000" (reference of DescribeInstances). What it does beyond that, it does not say.
const mostTagged = 1000

// InstanceFilter is what the cloud can look for among instances. Empty fields are any.
type InstanceFilter struct {
	Name          string            // * at the end, or at both ends, is any text
	VPC           string            // id
	SecurityGroup string            // id
	Tags          map[string]string // by key; the value "" is any
}

// FindInstances yields the instances of the region that the filter is for, page by page; where the cloud cannot filter,
// others too. They come in no order; one that is made or deleted meanwhile may be missing.
func (c *Client) FindInstances(ctx context.Context, f InstanceFilter, yield func(Instance) error) error {
	query := make(map[string]string)
	for name, value := range map[string]string{"VpcId": f.VPC, "SecurityGroupId": f.SecurityGroup} {
		if value == "" {
			continue
		}
		if err := checkIDs(describeInstances, value); err != nil {
			return err
		}
		query[name] = value
	}
	// Of a pattern with an asterisk elsewhere nobody says that the cloud takes it.
	if inner := strings.TrimSuffix(strings.TrimPrefix(f.Name, "*"), "*"); inner != "" && !strings.Contains(inner, "*") &&
		(!strings.HasPrefix(f.Name, "*") || strings.HasSuffix(f.Name, "*")) {
		query["InstanceName"] = f.Name
	}
	tagged, err := c.byTags(ctx, f.Tags)
	if err != nil {
		return err
	}
	maps.Copy(query, tagged)
	return eachPage(ctx, c, describeInstances, maxResults(query), "Instances", func(page []instanceRow) error {
		for i := range page {
			if err := yield(newInstance(&page[i])); err != nil {
				return err
			}
		}
		return nil
	})
}

// byTags returns the parameters that filter by tags: none when the cloud refuses to, or when more instances have the tags
// than it filters by them, whatever else it filters by.
func (c *Client) byTags(ctx context.Context, tags map[string]string) (map[string]string, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	tagged := make(map[string]string)
	for i, key := range slices.Sorted(maps.Keys(tags)) {
		tagged[fmt.Sprintf("Tag.%d.Key", i+1)] = key
		if tags[key] != "" {
			tagged[fmt.Sprintf("Tag.%d.Value", i+1)] = tags[key]
		}
	}
	// Only pages by number come with a count of all.
	asked := pageSize(perPage, maps.Clone(tagged))
	asked["PageNumber"] = "1"
	count := 0
	_, err := call(ctx, c, describeInstances, request{query: asked}, func(a *struct{ TotalCount json.Number }) (ok bool) {
		n, err := strconv.Atoi(a.TotalCount.String())
		count = n
		return err == nil && n >= 0
	})
	switch verdict.Of(err) {
	case verdict.Rejected, verdict.Unknown: // with whichever code
		return nil, nil
	case "":
		if count < mostTagged {
			return tagged, nil
		}
	}
	return nil, err
}

// EachInstance yields the instances with these ids that exist, a hundred at a time.
func (c *Client) EachInstance(ctx context.Context, ids []string, yield func(Instance) error) error {
	for chunk := range slices.Chunk(ids, perPage) {
		found, err := c.Instances(ctx, chunk)
		if err != nil {
			return err
		}
		for _, id := range chunk {
			if i, ok := found[id]; ok {
				if err := yield(i); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ResourcesIn reads which resources of a type the client's region has, and in which resource groups: id to the group's id.
// With a group it reads those in it alone. The resource manager tells it, which learns of a move a little later, and shows
// only what the account's keys may see. Unlike ECS, it knows who is in the default group.
func (c *Client) ResourcesIn(ctx context.Context, resourceType, group string) (map[string]string, error) {
	if _, ok := resourceTypes[resourceType]; !ok {
		return nil, refuseType(listResources, resourceType)
	}
	query := pageSize(perPage, map[string]string{"Service": ecs.name, "ResourceType": resourceType,
		"Region": c.account.Region})
	if group != "" {
		if err := checkIDs(listResources, group); err != nil {
			return nil, err
		}
		query["ResourceGroupId"] = group
	}
	type row struct{ ResourceID, ResourceGroupID string }
	type answer struct {
		TotalCount json.Number
		Resources  list[row]
	}
	rows, err := byNumber(listResources, func(r row) string { return r.ResourceID }, func(n int) ([]row, int, error) {
		query["PageNumber"] = strconv.Itoa(n)
		total := 0
		a, err := call(ctx, c, listResources, request{query: query}, func(a *answer) bool {
			var err error
			total, err = strconv.Atoi(a.TotalCount.String())
			return err == nil && a.Resources != nil
		})
		return a.Resources, total, err
	})
	if err != nil {
		return nil, err
	}
	groups := make(map[string]string, len(rows))
	for _, r := range rows {
		groups[r.ResourceID] = r.ResourceGroupID
	}
	return groups, nil
}

// EachResource yields the resources of a type with these ids that exist, in the order of the ids and as many at a time as
// the type can be read by, see OneByOne.
func (c *Client) EachResource(ctx context.Context, resourceType string, ids []string, yield func(Resource) error) error {
	t, ok := resourceTypes[resourceType]
	if !ok {
		return refuseType(listResources, resourceType)
	}
	for chunk := range slices.Chunk(ids, t.chunk) {
		found, err := read(ctx, c, t.reading, chunk, t.resource)
		if err != nil {
			return err
		}
		for _, id := range chunk {
			if r, ok := found[id]; ok {
				if err := yield(r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
