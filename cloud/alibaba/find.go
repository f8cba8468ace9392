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

// mostTagged is how many instances the cloud filters by tags: "If you use a single tag to filter resources, the resource
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
	tagged, err := c.byTags(ctx, query, f.Tags)
	if err != nil {
		return err
	}
	return eachPage(ctx, c, describeInstances, maxResults(tagged), "Instances", func(page []instanceRow) error {
		for i := range page {
			if err := yield(newInstance(&page[i])); err != nil {
				return err
			}
		}
		return nil
	})
}

// byTags adds tags to a query, unless that has more instances than the cloud filters by tags, or it refuses to.
func (c *Client) byTags(ctx context.Context, query, tags map[string]string) (map[string]string, error) {
	if len(tags) == 0 {
		return query, nil
	}
	tagged := maps.Clone(query)
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
		return query, nil
	case "":
		if count < mostTagged {
			return tagged, nil
		}
		return query, nil
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

// ResourcesIn reads the ids of the resources of a type in the client's region that are in a resource group, as far as the
// resource manager knows: it learns of a move a little later. Unlike ECS, it knows who is in the default group.
func (c *Client) ResourcesIn(ctx context.Context, resourceType, group string) ([]string, error) {
	if err := checkIDs(listResources, group); err != nil {
		return nil, err
	}
	type row struct{ ResourceType, ResourceID, ResourceGroupID string }
	type answer struct {
		TotalCount json.Number
		Resources  list[row]
	}
	rows, err := byNumber(listResources, func(r row) string { return r.ResourceID }, func(n int) ([]row, int, error) {
		query := pageSize(perPage, map[string]string{"Service": ecs.name, "ResourceType": resourceType,
			"ResourceGroupId": group, "Region": c.account.Region, "PageNumber": strconv.Itoa(n)})
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
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ResourceID
	}
	return ids, nil
}
