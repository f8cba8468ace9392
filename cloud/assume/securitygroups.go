package assume

import (
	"context"
	"slices"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	ports "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v2/model"
	vpc "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v3/model"
)

const (
	addPage    = "ECS API, Adding a Security Group (ecs_03_0601)"
	nova       = "OpenStack's Nova, which the API is native of"
	vpcGuide   = "VPC user guide, Adding an Instance to or Removing an Instance from a Security Group"
	batchPorts = "VPC API, Associating Multiple NIC Ports (vpc_sg01_0009)"
)

// join returns the status of a success beside the error, for V1.
func (c *Huawei) join(group, server string) (status int, err error) {
	answer, err := c.ECS.NovaAssociateSecurityGroup(&model.NovaAssociateSecurityGroupRequest{ServerId: server,
		Body: &model.NovaAssociateSecurityGroupRequestBody{AddSecurityGroup: &model.NovaAddSecurityGroupOption{Name: group}}})
	if err != nil {
		return 0, err
	}
	return answer.HttpStatusCode, nil
}

func (c *Huawei) leave(group, server string) error {
	_, err := c.ECS.NovaDisassociateSecurityGroup(&model.NovaDisassociateSecurityGroupRequest{ServerId: server,
		Body: &model.NovaDisassociateSecurityGroupRequestBody{
			RemoveSecurityGroup: &model.NovaRemoveSecurityGroupOption{Name: group}}})
	return err
}

// interfaces returns the security groups of each of a server's network interfaces.
func (c *Huawei) interfaces(server string) ([][]string, error) {
	answer, err := c.Ports.ListPorts(&ports.ListPortsRequest{DeviceId: &server})
	if err != nil {
		return nil, err
	}
	var all [][]string
	for _, p := range value(answer.Ports) {
		all = append(all, p.SecurityGroups)
	}
	return all, nil
}

// securityGroups are the assumptions about servers in security groups.
func securityGroups() []Assumption[*Huawei] {
	joined := func(part, group string) func(context.Context, *Huawei) error {
		return func(_ context.Context, c *Huawei) error {
			ids, err := c.need(group, part)
			if err != nil {
				return err
			}
			_, err = c.join(ids[0], ids[1])
			return answers("adding the server", err, 200, "")
		}
	}
	return []Assumption[*Huawei]{
		{Claim{ID: "V1", Says: "the Nova calls answer 202 with an empty body", Source: addPage + " names neither; " + nova, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("security group", "running")
			if err != nil {
				return err
			}
			status, err := c.join(ids[0], ids[1])
			return first(err, equal("the status", status, 202))
		}},
		{Claim{ID: "V2", Says: "a server's groups can be changed in whatever state it is, unless it is deleted; it is not busy meanwhile",
			Source: "no page names a state; " + nova, Writes: true}, func(ctx context.Context, c *Huawei) error {
			return first(joined("in trouble", "security group")(ctx, c), joined("stopped", "security group")(ctx, c))
		}},
		{Claim{ID: "V3", Says: "adding a server to a group that it is in is no error", Source: batchPorts + " says so of ports", Writes: true}, joined("running", "its security group")},
		{Claim{ID: "V4", Says: "five groups for a server are advice, and no limit; a limit that a world sets is 403 forbidden", Source: addPage,
			Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("running", "security group", "second", "third", "fourth", "fifth")
			if err != nil {
				return err
			}
			for _, group := range ids[1:] {
				if _, err := c.join(group, ids[0]); err != nil {
					return answers("adding a server to six groups", err, 200, "")
				}
			}
			all, err := c.interfaces(ids[0])
			if err != nil || len(all) == 0 {
				return first(err, &missing{"network interface"})
			}
			return equal("in how many groups the server is", len(all[0]), 6)
		}},
		{Claim{ID: "V5", Says: "a name that several groups have is 409 conflictingRequest", Source: nova, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("name of two", "running")
			if err != nil {
				return err
			}
			_, err = c.join(ids[0], ids[1])
			return answers("naming two groups", err, 409, "conflictingRequest")
		}},
		{Claim{ID: "V6", Says: "removing a server from a group that it is not in is 404 itemNotFound, as are a missing server and a missing group",
			Source: nova, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("security group", "running")
			if err != nil {
				return err
			}
			_, noGroup := c.join(nobody, ids[1])
			_, noServer := c.join(ids[0], nobody)
			return first(answers("removing from a group that it is not in", c.leave(ids[0], ids[1]), 404, "itemNotFound"),
				answers("adding to no group", noGroup, 404, "itemNotFound"),
				answers("adding no server", noServer, 404, "itemNotFound"))
		}},
		{Claim{ID: "V7", Says: "a server is in one group at least: removing it from the only one is 400 badRequest",
			Source: vpcGuide + "; " + batchPorts, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("its security group", "running")
			if err != nil {
				return err
			}
			return answers("removing from the only group", c.leave(ids[0], ids[1]), 400, "badRequest")
		}},
		{Claim{ID: "V8", Says: "all interfaces of a server are changed by one call, at the same moment", Source: addPage, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("security group", "with two interfaces")
			if err != nil {
				return err
			}
			if _, err := c.join(ids[0], ids[1]); err != nil {
				return err
			}
			all, err := c.interfaces(ids[1])
			if err != nil {
				return err
			}
			in := 0
			for _, groups := range all {
				if slices.Contains(groups, ids[0]) {
					in++
				}
			}
			return first(equal("how many interfaces there are", len(all), 2), equal("how many are in the group", in, 2))
		}},
		{Claim{ID: "V9", Says: "a group of another project does not exist; that of another VPC does, since groups have none",
			Source: "VPC API v3, Querying Security Groups: no VPC is named"}, func(_ context.Context, c *Huawei) error {
			id := c.Resources["another's security group"]
			if id == "" {
				id = nobody
			}
			_, err := c.VPC.ShowSecurityGroup(&vpc.ShowSecurityGroupRequest{SecurityGroupId: id})
			return answers("showing another's group", err, 404, "VPC.9904")
		}},
	}
}
