package assume

import (
	"context"
	"fmt"
	"strconv"
)

// alibabaResources are the assumptions about resource groups and lists.
func alibabaResources() []Assumption[*Alibaba] {
	move := func(c *Alibaba, status int, code, kind, id, group string) error {
		return c.ends(status, code, "JoinResourceGroup", "ResourceType", kind, "ResourceId", id, "ResourceGroupId", group)
	}
	return []Assumption[*Alibaba]{
		{Claim{ID: "A7", Says: "moving a resource into its own resource group", Source: movePage, Writes: true},
			with(func(c *Alibaba, ids []string) error {
				return first(move(c, 200, "", "disk", ids[1], ids[0]),
					move(c, 403, "InvalidResourceGroup.Duplicate", "disk", ids[1], ids[0]))
			}, "resource group", "lone disk")},
		{Claim{ID: "A11", Says: "a resource moves at once, what is associated with it later; until then none of them can be moved again",
			Source: "Resource Management, Associated transfer", Writes: true}, with(func(c *Alibaba, ids []string) error {
			if err := move(c, 200, "", "instance", ids[2], ids[0]); err != nil {
				return err
			}
			v, err := c.instance(ids[2])
			return first(err, equal("the resource group", fmt.Sprint(v["ResourceGroupId"]), ids[0]),
				move(c, 400, "EntityExists.AssociatedTransferTasks", "instance", ids[2], ids[1]))
		}, "resource group", "second resource group", "running")},
		{Claim{ID: "A12", Says: "what Describe calls show as `ResourceGroupId` in the default group; nobody can filter by it if it is empty", Source: guess},
			func(_ context.Context, c *Alibaba) error {
				body, _, err := c.call("resourcemanager", "ListResourceGroups", "PageSize", "100")
				if err != nil {
					return err
				}
				group := ""
				rows, _ := body.at("ResourceGroups.ResourceGroup").([]any)
				for _, row := range rows {
					if g, _ := row.(map[string]any); g["Name"] == "default" {
						group = fmt.Sprint(g["Id"])
					}
				}
				if group == "" {
					return &missing{"default resource group"}
				}
				body, _, err = c.call("resourcemanager", "ListResources", "ResourceGroupId", group, "ResourceType", "instance", "PageSize", "1")
				id, ok := body.at("Resources.Resource.0.ResourceId").(string)
				if err != nil || !ok {
					return first(err, &missing{"instance in the default resource group"})
				}
				v, err := c.instance(id)
				return first(err, equal("the resource group of an instance in the default one", fmt.Sprint(v["ResourceGroupId"]), ""))
			}},
		{Claim{ID: "A13", Says: "MoveResources takes 10 resources", Source: "Resource Management API, MoveResources", Writes: true},
			with(func(c *Alibaba, ids []string) error {
				moves := func(n int) (refusal, error) {
					params := []string{"ResourceGroupId", ids[0]}
					for i := 1; i <= n; i++ {
						at := "Resources." + strconv.Itoa(i) + "."
						params = append(params, at+"ResourceId", "i-none"+strconv.Itoa(i), at+"ResourceType", "instance",
							at+"RegionId", c.region, at+"Service", "ecs")
					}
					_, seen, err := c.call("resourcemanager", "MoveResources", params...)
					return seen, err
				}
				ten, err := moves(10)
				if err != nil {
					return err
				}
				eleven, err := moves(11)
				return first(err, equal("the answer to ten", ten.status, 200), equal("the answer to eleven", eleven, refusal{400, "InvalidParameter"}))
			}, "resource group")},
		{Claim{ID: "A14", Says: "`ResourceIds` of ListResources is a JSON array or joined by commas", Source: listPage + " shows both"},
			func(_ context.Context, c *Alibaba) error {
				body, _, err := c.call("resourcemanager", "ListResources", "PageSize", "2", "ResourceType", "instance")
				if err != nil {
					return err
				}
				rows, _ := body.at("Resources.Resource").([]any)
				if len(rows) < 2 {
					return &missing{"second instance"}
				}
				a, b := fmt.Sprint(object(rows[0].(map[string]any))["ResourceId"]), fmt.Sprint(object(rows[1].(map[string]any))["ResourceId"])
				for _, ids := range []string{a + "," + b, `["` + a + `","` + b + `"]`} {
					body, seen, err := c.call("resourcemanager", "ListResources", "ResourceIds", ids)
					found, _ := body.at("Resources.Resource").([]any)
					if err := first(err, equal("the answer", seen.status, 200), equal("how many are found by "+ids, len(found), 2)); err != nil {
						return err
					}
				}
				return nil
			}},
		{Claim{ID: "A15", Says: "the lists of DescribeActivations and DescribeManagedInstances are plain (as the SDK has them), not in an object",
			Source: "the vendor's SDK; the page shows an object"}, func(_ context.Context, c *Alibaba) error {
			for action, list := range map[string]string{"DescribeActivations": "ActivationList", "DescribeManagedInstances": "Instances"} {
				body, _, err := c.ecs(action)
				_, plain := body[list].([]any)
				if err := first(err, equal("that "+action+" has a plain list", plain, true)); err != nil {
					return err
				}
			}
			return nil
		}},
		{Claim{ID: "A21", Says: "a list that is filtered by tags or by resource group ends after the first 1,000 resources that have these, which is the documented limit of such filters; what else the call filters by is looked for among them alone",
			Source: "ECS API, DescribeInstances: up to 1,000 resources"}, with(func(c *Alibaba, ids []string) error {
			body, _, err := c.ecs("DescribeInstances", "Tag.1.Key", ids[0], "PageSize", "1")
			if err != nil {
				return err
			}
			return equal("how many of more than a thousand are found", fmt.Sprint(body["TotalCount"]), "1000")
		}, "tag of more than a thousand")},
	}
}
