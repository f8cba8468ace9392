package alibaba

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

func TestNetworkInterfaces(t *testing.T) {
	client, asked := recorded(t, `"NetworkInterfaceSets":{"NetworkInterfaceSet":[{"NetworkInterfaceId":"eni-1",
		"NetworkInterfaceName":"n","Type":"Secondary","Status":"InUse","InstanceId":"i-1","VpcId":"vpc-1",
		"VSwitchId":"vsw-1","ZoneId":"z","SecurityGroupIds":{"SecurityGroupId":["sg-1"]},"ResourceGroupId":"rg-1",
		"ServiceManaged":true,"ServiceID":1}]}`)
	got, err := client.NetworkInterfaces(t.Context(), []string{"eni-1", "eni-2"})
	require.NoError(t, err)
	assert.Equal(t, map[string]NetworkInterface{"eni-1": {ID: "eni-1", Name: "n", Type: "Secondary", Status: "InUse",
		Instance: "i-1", VPC: "vpc-1", VSwitch: "vsw-1", Zone: "z", SecurityGroups: []string{"sg-1"}, ResourceGroup: "rg-1",
		Addresses: 1, Managed: true}}, got)
	assert.Equal(t, []url.Values{{"Action": {"DescribeNetworkInterfaces"}, "NetworkInterfaceId.1": {"eni-1"},
		"NetworkInterfaceId.2": {"eni-2"}, "MaxResults": {"100"}}}, *asked)
}

func TestSecurityGroups(t *testing.T) {
	client, asked := recorded(t, `"SecurityGroups":{"SecurityGroup":[{"SecurityGroupId":"sg-1","SecurityGroupName":"n",
		"SecurityGroupType":"enterprise","VpcId":"vpc-1","ResourceGroupId":"rg-1","RuleCount":7,"ServiceManaged":true}]}`)
	got, err := client.SecurityGroups(t.Context(), []string{"sg-1"})
	require.NoError(t, err)
	assert.Equal(t, map[string]SecurityGroup{"sg-1": {ID: "sg-1", Name: "n", Type: "enterprise", VPC: "vpc-1",
		ResourceGroup: "rg-1", Rules: 7, Managed: true}}, got)
	assert.Equal(t, []url.Values{{"Action": {"DescribeSecurityGroups"}, "SecurityGroupIds": {`["sg-1"]`},
		"MaxResults": {"100"}}}, *asked)
}

func TestGroupInterfaces(t *testing.T) {
	client, asked := recorded(t, `"TotalCount":4711,"NetworkInterfaceSets":{"NetworkInterfaceSet":[]}`)
	got, err := client.GroupInterfaces(t.Context(), "sg-1")
	require.NoError(t, err)
	assert.Equal(t, 4711, got)
	assert.Equal(t, []url.Values{{"Action": {"DescribeNetworkInterfaces"}, "SecurityGroupId": {"sg-1"},
		"PageNumber": {"1"}, "PageSize": {"100"}}}, *asked)

	for _, count := range []string{`"TotalCount":-1`, `"TotalCount":"many"`, `"TotalCount":1.5`, ``} {
		client, _ := recorded(t, count)
		_, err := client.GroupInterfaces(t.Context(), "sg-1")
		assert.Equal(t, verdict.Transient, verdict.Of(err), "%q", count)
	}
}

func TestGroupAddresses(t *testing.T) {
	client, asked := recorded(t, `"NetworkInterfaceSets":{"NetworkInterfaceSet":[{"NetworkInterfaceId":"eni-1"},
		{"NetworkInterfaceId":"eni-2","PrivateIpSets":{"PrivateIpSet":[{"PrivateIpAddress":"10.0.0.1"},{"PrivateIpAddress":"10.0.0.2"}]},
		"Ipv6Sets":{"Ipv6Set":[{"Ipv6Address":"2001:db8::1"}]},"Ipv4PrefixSets":{"Ipv4PrefixSet":[{"Ipv4Prefix":"10.1.0.0/28"}]},
		"Ipv6PrefixSets":{"Ipv6PrefixSet":[{"Ipv6Prefix":"2001:db8::/80"}]}}]}`)
	got, err := client.GroupAddresses(t.Context(), "sg-1")
	require.NoError(t, err)
	assert.Equal(t, 1+2+3, got)
	assert.Equal(t, []url.Values{{"Action": {"DescribeNetworkInterfaces"}, "SecurityGroupId": {"sg-1"},
		"MaxResults": {"100"}}}, *asked)

	client, _ = recorded(t, `"TotalCount":1`)
	_, err = client.GroupAddresses(t.Context(), "sg-1")
	assert.Equal(t, verdict.Transient, verdict.Of(err), "an answer without the list is none")
}

func TestMembershipOnTheWire(t *testing.T) {
	ctx := t.Context()
	for want, do := range map[string]func(*Client) error{
		"Action=JoinSecurityGroup&InstanceId=i-1&SecurityGroupId=sg-1": func(c *Client) error {
			return c.JoinSecurityGroup(ctx, "sg-1", Target{Instance: "i-1"})
		},
		"Action=JoinSecurityGroup&NetworkInterfaceId=eni-1&SecurityGroupId=sg-1": func(c *Client) error {
			return c.JoinSecurityGroup(ctx, "sg-1", Target{NetworkInterface: "eni-1"})
		},
		"Action=LeaveSecurityGroup&InstanceId=i-1&SecurityGroupId=sg-1": func(c *Client) error {
			return c.LeaveSecurityGroup(ctx, "sg-1", Target{Instance: "i-1"})
		},
		"Action=ModifyInstanceAttribute&InstanceId=i-1&SecurityGroupIds.1=sg-2&SecurityGroupIds.2=sg-1": func(c *Client) error {
			return c.SetInstanceSecurityGroups(ctx, "i-1", []string{"sg-2", "sg-1"})
		},
		"Action=ModifyNetworkInterfaceAttribute&NetworkInterfaceId=eni-1&SecurityGroupId.1=sg-1": func(c *Client) error {
			return c.SetInterfaceSecurityGroups(ctx, "eni-1", []string{"sg-1"})
		},
	} {
		client, asked := recorded(t, "")
		require.NoError(t, do(client))
		require.Len(t, *asked, 1)
		assert.Equal(t, want, (*asked)[0].Encode())
	}
}

func TestMembershipsThatMakeNoSense(t *testing.T) {
	client, asked := recorded(t, "")
	ctx := t.Context()
	for want, err := range map[string]error{
		`instance "i-1" and network interface "eni-1" are both given; give one`: client.JoinSecurityGroup(ctx, "sg-1",
			Target{Instance: "i-1", NetworkInterface: "eni-1"}),
		`"" is no id`: client.LeaveSecurityGroup(ctx, "sg-1", Target{}),
		`no security groups; "i-1" must be in one at least`: client.SetInstanceSecurityGroups(ctx, "i-1", nil),
		`a security group is given twice: ["sg-1" "sg-1"]`: client.SetInterfaceSecurityGroups(ctx, "eni-1",
			[]string{"sg-1", "sg-1"}),
	} {
		e := verdict.As(err)
		assert.Equal(t, verdict.Rejected, e.Verdict)
		assert.Contains(t, e.Message, want)
	}
	assert.Empty(t, *asked)
}
