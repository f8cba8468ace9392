package huawei

import (
	"context"
	"net/http"
	"slices"
	"strings"

	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	vpc2 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v2"
	ports "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v2/model"
	vpc3 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v3"
	vpc "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v3/model"
)

// The network has an SDK for each version of its API. Ports are read with the older one, which all regions have.
var (
	network     = &service[*vpc3.VpcClient]{name: "vpc", builder: vpc3.VpcClientBuilder, client: vpc3.NewVpcClient, rules: vpcRules}
	networkPort = &service[*vpc2.VpcClient]{name: "vpc", builder: vpc2.VpcClientBuilder, client: vpc2.NewVpcClient, rules: vpcRules}
)

var (
	listSecurityGroups = network.read("ListSecurityGroups")
	showSecurityGroup  = network.read("ShowSecurityGroup")
	listPorts          = networkPort.read("ListPorts")

	novaListServerSecurityGroups  = elastic.read("NovaListServerSecurityGroups")
	novaAssociateSecurityGroup    = elastic.write("NovaAssociateSecurityGroup", novaSuccess...)
	novaDisassociateSecurityGroup = elastic.write("NovaDisassociateSecurityGroup", novaSuccess...)
)

// novaSuccess are the statuses of Nova's actions: its reference says 202, the vendor's page none (V1).
var novaSuccess = []int{http.StatusOK, http.StatusAccepted, http.StatusNoContent}

const securityGroupPage, portPage = 1000, 1000

// SecurityGroup is a security group of the VPC service. It belongs to a project, and to no VPC.
type SecurityGroup struct {
	ID          string
	Name        string // others may have the same
	Description string
	Rules       int // how many; known of one that was read by its id only
}

// SecurityGroup reads a security group with the number of its rules. One that does not exist is an error, Rejected with
// status 404.
func (c *Client) SecurityGroup(ctx context.Context, id string) (SecurityGroup, error) {
	if err := showSecurityGroup.check(id); err != nil {
		return SecurityGroup{}, err
	}
	return call(ctx, c, showSecurityGroup, func(sdk *vpc3.VpcClient) (SecurityGroup, bool, error) {
		answer, err := sdk.ShowSecurityGroup(&vpc.ShowSecurityGroupRequest{SecurityGroupId: id})
		if err != nil || answer.SecurityGroup == nil || answer.SecurityGroup.Id == "" {
			return SecurityGroup{}, false, err
		}
		g := answer.SecurityGroup
		return SecurityGroup{ID: g.Id, Name: g.Name, Description: g.Description, Rules: len(g.SecurityGroupRules)}, true, nil
	})
}

// EachSecurityGroup yields the security groups of the project that have one of the names; none is every name.
func (c *Client) EachSecurityGroup(ctx context.Context, names []string, yield func(SecurityGroup) error) error {
	limit := int32(securityGroupPage)
	request := &vpc.ListSecurityGroupsRequest{Limit: &limit}
	if len(names) > 0 {
		request.Name = &names
	}
	return pages(listSecurityGroups.name, func(marker string) (string, error) {
		if marker != "" {
			request.Marker = &marker
		}
		type page struct {
			groups []vpc.SecurityGroup
			next   string
		}
		p, err := call(ctx, c, listSecurityGroups, func(sdk *vpc3.VpcClient) (page, bool, error) {
			answer, err := sdk.ListSecurityGroups(request)
			if err != nil || answer.SecurityGroups == nil {
				return page{}, false, err
			}
			p := page{groups: *answer.SecurityGroups}
			if answer.PageInfo != nil && len(p.groups) > 0 {
				p.next = value(answer.PageInfo.NextMarker)
			}
			return p, true, nil
		})
		for _, g := range p.groups {
			if err := yield(SecurityGroup{ID: g.Id, Name: g.Name, Description: g.Description}); err != nil {
				return "", err
			}
		}
		return p.next, err
	})
}

// SecurityGroupsOf reads the security groups of a server. One that does not exist is an error, with status 404.
func (c *Client) SecurityGroupsOf(ctx context.Context, server string) ([]SecurityGroup, error) {
	if err := novaListServerSecurityGroups.check(server); err != nil {
		return nil, err
	}
	request := &model.NovaListServerSecurityGroupsRequest{ServerId: server}
	return call(ctx, c, novaListServerSecurityGroups, func(sdk *ecs.EcsClient) ([]SecurityGroup, bool, error) {
		answer, err := sdk.NovaListServerSecurityGroups(request)
		if err != nil || answer.SecurityGroups == nil {
			return nil, false, err
		}
		var all []SecurityGroup
		for _, g := range *answer.SecurityGroups {
			all = append(all, SecurityGroup{ID: g.Id, Name: g.Name, Description: g.Description})
		}
		return all, true, nil
	})
}

// ServersIn yields the ids of the servers of which a network interface is in the security group, each once.
func (c *Client) ServersIn(ctx context.Context, group string, yield func(server string) error) error {
	if err := listPorts.check(group); err != nil {
		return err
	}
	limit := int32(portPage)
	request := &ports.ListPortsRequest{Limit: &limit, SecurityGroups: &[]string{group}}
	told := map[string]bool{}
	return pages(listPorts.name, func(marker string) (string, error) {
		if marker != "" {
			request.Marker = &marker
		}
		all, err := call(ctx, c, listPorts, func(sdk *vpc2.VpcClient) ([]ports.Port, bool, error) {
			answer, err := sdk.ListPorts(request)
			if err != nil || answer.Ports == nil {
				return nil, false, err
			}
			return *answer.Ports, true, nil
		})
		if err != nil || len(all) == 0 {
			return "", err
		}
		for _, p := range all {
			// What else has ports, such as load balancers, is no server.
			if !strings.HasPrefix(p.DeviceOwner.Value(), "compute:") || told[p.DeviceId] || !slices.Contains(p.SecurityGroups, group) {
				continue
			}
			told[p.DeviceId] = true
			if err := yield(p.DeviceId); err != nil {
				return "", err
			}
		}
		return all[len(all)-1].Id, nil // only an empty page is surely behind the last
	})
}

// AddToSecurityGroup puts all network interfaces of a server into a security group. Done is what SecurityGroupsOf says.
func (c *Client) AddToSecurityGroup(ctx context.Context, group, server string) error {
	if err := novaAssociateSecurityGroup.check(group, server); err != nil {
		return err
	}
	request := &model.NovaAssociateSecurityGroupRequest{ServerId: server, Body: &model.NovaAssociateSecurityGroupRequestBody{
		AddSecurityGroup: &model.NovaAddSecurityGroupOption{Name: group},
	}}
	_, err := call(ctx, c, novaAssociateSecurityGroup, func(sdk *ecs.EcsClient) (struct{}, bool, error) {
		_, err := sdk.NovaAssociateSecurityGroup(request)
		return struct{}{}, true, err
	})
	return err
}

// RemoveFromSecurityGroup takes all network interfaces of a server out of a security group. Done is what SecurityGroupsOf
// says.
func (c *Client) RemoveFromSecurityGroup(ctx context.Context, group, server string) error {
	if err := novaDisassociateSecurityGroup.check(group, server); err != nil {
		return err
	}
	request := &model.NovaDisassociateSecurityGroupRequest{ServerId: server,
		Body: &model.NovaDisassociateSecurityGroupRequestBody{
			RemoveSecurityGroup: &model.NovaRemoveSecurityGroupOption{Name: group},
		}}
	_, err := call(ctx, c, novaDisassociateSecurityGroup, func(sdk *ecs.EcsClient) (struct{}, bool, error) {
		_, err := sdk.NovaDisassociateSecurityGroup(request)
		return struct{}{}, true, err
	})
	return err
}
