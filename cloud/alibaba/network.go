package alibaba

import (
	"context"
	"encoding/json"
	"strconv"
)

var (
	describeNetworkInterfaces       = op{service: ecs, name: "DescribeNetworkInterfaces"}
	describeSecurityGroups          = op{service: ecs, name: "DescribeSecurityGroups"}
	joinSecurityGroup               = op{service: ecs, name: "JoinSecurityGroup", write: true}
	leaveSecurityGroup              = op{service: ecs, name: "LeaveSecurityGroup", write: true}
	modifyInstanceAttribute         = op{service: ecs, name: "ModifyInstanceAttribute", write: true}
	modifyNetworkInterfaceAttribute = op{service: ecs, name: "ModifyNetworkInterfaceAttribute", write: true}
)

// NetworkInterface is an elastic network interface.
type NetworkInterface struct {
	ID             string
	Name           string
	Type           string // "Primary" or "Secondary"
	Status         string // "Available", "InUse", or on the way, such as "Attaching"
	Instance       string // id; "" when it is not attached
	VPC            string
	VSwitch        string
	Zone           string
	SecurityGroups []string // ids
	ResourceGroup  string   // id; "" when the cloud does not say
	Addresses      int      // private ones, see addressRow: 1 or more
	Managed        bool     // it belongs to a product of the cloud, which alone may change it
}

// SecurityGroup is a security group.
type SecurityGroup struct {
	ID            string
	Name          string
	Type          string // "normal" (basic) or "enterprise" (advanced)
	VPC           string // "" in the classic network
	ResourceGroup string // id; "" when the cloud does not say
	Rules         int    // how many it has
	Managed       bool   // it belongs to a product of the cloud, which alone may change it
}

type interfaceRow struct {
	NetworkInterfaceID   string
	NetworkInterfaceName string
	Type                 string
	Status               string
	InstanceID           string
	VpcID                string
	VSwitchID            string
	ZoneID               string
	SecurityGroupIDs     list[string]
	ResourceGroupID      string
	ServiceManaged       bool
	addressRow
}

// addressRow is what counts in a basic security group, one each: addresses of both versions, and prefixes (Basic and advanced
// security groups).
type addressRow struct {
	PrivateIPSets  list[struct{}]
	IPv6Sets       list[struct{}]
	IPv4PrefixSets list[struct{}]
	IPv6PrefixSets list[struct{}]
}

// addresses is how many there are. The primary one there always is, whether or not the cloud tells it.
func (a *addressRow) addresses() int {
	return max(len(a.PrivateIPSets), 1) + len(a.IPv6Sets) + len(a.IPv4PrefixSets) + len(a.IPv6PrefixSets)
}

type securityGroupRow struct {
	SecurityGroupID   string
	SecurityGroupName string
	SecurityGroupType string
	VpcID             string
	ResourceGroupID   string
	RuleCount         int
	ServiceManaged    bool
}

var (
	interfacesByID = reading{op: describeNetworkInterfaces, list: "NetworkInterfaceSets", chunk: perPage,
		query: idsNumbered("NetworkInterfaceId"), check: checkIDs}
	securityGroupsByID = reading{op: describeSecurityGroups, list: "SecurityGroups", chunk: perPage,
		query: idsAsJSON("SecurityGroupIds"), check: checkIDs}
)

// NetworkInterfaces reads network interfaces by id, in chunks of 100. One that does not exist is absent from the result.
func (c *Client) NetworkInterfaces(ctx context.Context, ids []string) (map[string]NetworkInterface, error) {
	return read(ctx, c, interfacesByID, ids, func(row *interfaceRow) (string, NetworkInterface) {
		return row.NetworkInterfaceID, NetworkInterface{
			ID:             row.NetworkInterfaceID,
			Name:           row.NetworkInterfaceName,
			Type:           row.Type,
			Status:         row.Status,
			Instance:       row.InstanceID,
			VPC:            row.VpcID,
			VSwitch:        row.VSwitchID,
			Zone:           row.ZoneID,
			SecurityGroups: row.SecurityGroupIDs,
			ResourceGroup:  row.ResourceGroupID,
			Addresses:      row.addresses(),
			Managed:        row.ServiceManaged,
		}
	})
}

// SecurityGroups reads security groups by id, in chunks of 100. One that does not exist is absent from the result.
func (c *Client) SecurityGroups(ctx context.Context, ids []string) (map[string]SecurityGroup, error) {
	return read(ctx, c, securityGroupsByID, ids, func(row *securityGroupRow) (string, SecurityGroup) {
		return row.SecurityGroupID, SecurityGroup{
			ID:            row.SecurityGroupID,
			Name:          row.SecurityGroupName,
			Type:          row.SecurityGroupType,
			VPC:           row.VpcID,
			ResourceGroup: row.ResourceGroupID,
			Rules:         row.RuleCount,
			Managed:       row.ServiceManaged,
		}
	})
}

// GroupInterfaces counts the network interfaces in a security group. By them an enterprise group is full.
func (c *Client) GroupInterfaces(ctx context.Context, group string) (int, error) {
	if err := checkIDs(describeNetworkInterfaces, group); err != nil {
		return 0, err
	}
	// Only pages by number come with a count of all.
	query := pageSize(perPage, map[string]string{"SecurityGroupId": group, "PageNumber": "1"})
	var size int
	_, err := call(ctx, c, describeNetworkInterfaces, request{query: query}, func(a *struct{ TotalCount json.Number }) bool {
		n, err := strconv.Atoi(a.TotalCount.String())
		size = n
		return err == nil && n >= 0
	})
	return size, err
}

// GroupAddresses counts the private addresses of the network interfaces in a security group, a hundred interfaces with each call.
// By them a basic group is full.
func (c *Client) GroupAddresses(ctx context.Context, group string) (taken int, err error) {
	if err := checkIDs(describeNetworkInterfaces, group); err != nil {
		return 0, err
	}
	err = eachPage(ctx, c, describeNetworkInterfaces, maxResults(map[string]string{"SecurityGroupId": group}), interfacesByID.list,
		func(page []interfaceRow) error {
			for i := range page {
				taken += page[i].addresses()
			}
			return nil
		})
	return taken, err
}

// Target is what joins or leaves a security group: an instance, by its primary interface, or one interface. Exactly one
// of the two is given.
type Target struct {
	Instance         string // id
	NetworkInterface string // id
}

// JoinSecurityGroup puts a target into a security group, by the older action. It is done at once; what it means for
// traffic follows shortly.
func (c *Client) JoinSecurityGroup(ctx context.Context, group string, t Target) error {
	return c.member(ctx, joinSecurityGroup, group, t)
}

// LeaveSecurityGroup takes a target out of a security group, by the older action. Nothing can leave its last group.
func (c *Client) LeaveSecurityGroup(ctx context.Context, group string, t Target) error {
	return c.member(ctx, leaveSecurityGroup, group, t)
}

func (c *Client) member(ctx context.Context, o op, group string, t Target) error {
	name, id := "InstanceId", t.Instance
	switch {
	case t.Instance != "" && t.NetworkInterface != "":
		return refuse(o, "instance %q and network interface %q are both given; give one", t.Instance, t.NetworkInterface)
	case t.NetworkInterface != "":
		name, id = "NetworkInterfaceId", t.NetworkInterface
	}
	if err := checkIDs(o, group, id); err != nil {
		return err
	}
	return c.tell(ctx, o, map[string]string{"SecurityGroupId": group, name: id})
}

// SetInstanceSecurityGroups makes an instance a member of exactly these groups, by its primary interface. It leaves every
// other: between reading its groups and this call, nobody else may change them.
func (c *Client) SetInstanceSecurityGroups(ctx context.Context, instance string, groups []string) error {
	return c.setGroups(ctx, modifyInstanceAttribute, "InstanceId", instance, "SecurityGroupIds", groups)
}

// SetInterfaceSecurityGroups makes a network interface a member of exactly these groups. It leaves every other: between
// reading its groups and this call, nobody else may change them.
func (c *Client) SetInterfaceSecurityGroups(ctx context.Context, networkInterface string, groups []string) error {
	return c.setGroups(ctx, modifyNetworkInterfaceAttribute, "NetworkInterfaceId", networkInterface, "SecurityGroupId", groups)
}

func (c *Client) setGroups(ctx context.Context, o op, name, id, listed string, groups []string) error {
	if err := checkIDs(o, append([]string{id}, groups...)...); err != nil {
		return err
	}
	switch {
	case len(groups) == 0:
		return refuse(o, "no security groups; %q must be in one at least", id)
	case len(unique(groups)) != len(groups):
		return refuse(o, "a security group is given twice: %q", groups)
	}
	return c.tell(ctx, o, numbered(map[string]string{name: id}, listed, groups))
}

// tell makes a call that answers with nothing but its request id.
func (c *Client) tell(ctx context.Context, o op, query map[string]string) error {
	_, err := call[struct{}](ctx, c, o, request{query: query}, nil)
	return err
}
