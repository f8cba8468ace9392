package sim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// startOne has an instance like no other in it, and one in the classic network.
func startOne(t *testing.T, edits ...func(*world.Alibaba)) *cloud {
	t.Helper()
	w, err := sim.ParseWorld([]byte(`
accounts: [{name: main, accessKey: AK, secretKey: SK, accountId: "1001", region: cn-hangzhou}]
alibaba:
  instances:
  - {id: i-one, name: web-1, description: first, instanceType: ecs.c6.xlarge, vswitch: vsw-9, image: m-9, keyPair: key-9,
     locks: [financial], zone: cn-hangzhou-k}
  - {id: i-two, status: Stopped}
  - {id: i-classic, networkType: classic}
`))
	require.NoError(t, err)
	for _, edit := range edits {
		edit(&w.Alibaba)
	}
	return openAlibaba(t, sim.Options{World: w})
}

func TestFiltersOfInstances(t *testing.T) {
	f := startOne(t)
	found := func(nameValues ...string) (ids []string) {
		for _, row := range f.rows("Instances", "Instance", "DescribeInstances", nameValues...) {
			ids = append(ids, row["InstanceId"].(string))
		}
		return ids
	}
	all := []string{"i-one", "i-two", "i-classic"}
	require.Equal(t, all, found())
	private := f.described("i-one")["VpcAttributes"].(map[string]any)["PrivateIpAddress"].(map[string]any)["IpAddress"].([]any)[0].(string)
	inner := f.described("i-classic")["InnerIpAddress"].(map[string]any)["IpAddress"].([]any)[0].(string)
	for _, c := range [][2]string{{"VSwitchId", "vsw-9"}, {"InstanceType", "ecs.c6.xlarge"}, {"InstanceTypeFamily", "ecs.c6"},
		{"ImageId", "m-9"}, {"KeyPairName", "key-9"}, {"LockReason", "financial"}, {"ZoneId", "cn-hangzhou-k"},
		{"InstanceName", "web-*"}, {"PrivateIpAddresses", `["1.1.1.1","` + private + `"]`}} {
		require.Equal(t, []string{"i-one"}, found(c[0], c[1]), c)
		require.Empty(t, found(c[0], c[1], "Status", "Stopped"), "all filters count")
	}
	require.Equal(t, []string{"i-classic"}, found("InnerIpAddresses", `["`+inner+`"]`))
	require.Empty(t, found("PrivateIpAddresses", `["`+inner+`"]`))
	for _, c := range [][2]string{{"IoOptimized", "true"}, {"DeviceAvailable", "true"}, {"InstanceChargeType", "PostPaid"},
		{"InternetChargeType", "PayByTraffic"}, {"NeedSaleCycle", "false"}} {
		require.Equal(t, all, found(c[0], c[1]), c)
	}
	for _, c := range [][2]string{{"IoOptimized", "false"}, {"InstanceChargeType", "PrePaid"}, {"HpcClusterId", "hpc-1"},
		{"Ipv6Address.1", "::1"}, {"RdmaIpAddresses", "1.1.1.1"}, {"EipAddresses", `["1.1.1.1"]`}} {
		require.Empty(t, found(c[0], c[1]), c)
	}
	for filter, want := range map[[2]string][]string{{"CreationStartTime", "2023-01-01T00:00Z"}: all,
		{"CreationStartTime", "2025-01-01T00:00Z"}: nil, {"CreationEndTime", "2025-01-01T00:00Z"}: all,
		{"ExpiredEndTime", "2025-01-01T00:00Z"}: nil, {"ExpiredStartTime", "2025-01-01T00:00Z"}: all} {
		require.Equal(t, want, found("Filter.1.Key", filter[0], "Filter.1.Value", filter[1]), filter)
	}
	for _, c := range [][2]string{{"PrivateIpAddresses", "1.1.1.1"}, {"IoOptimized", "optimized"}, {"InstanceChargeType", "Free"},
		{"DryRun", "maybe"}, {"LockReason", "mood"}, {"Filter.1.Key", "Colour"}, {"AdditionalAttributes.1", "COLOUR"}} {
		require.Equal(t, "InvalidParameter", f.call("DescribeInstances", c[0], c[1]).code, c)
	}
	out := f.call("DescribeInstances", "DryRun", "true")
	require.Equal(t, []any{400, "DryRunOperation"}, []any{out.status, out.code})
	require.Equal(t, "MissingParameter", f.call("DescribeInstances", "DryRun", "true", "RegionId", "").code)
}

func TestRulesOfSecurityGroups(t *testing.T) {
	f := startAlibaba(t)
	rules := func(nameValues ...string) (ids []string, next string) {
		body := f.ok("DescribeSecurityGroupAttribute", append(nameValues, "SecurityGroupId", "sg-rules")...)
		for _, rule := range body["Permissions"].(map[string]any)["Permission"].([]any) {
			ids = append(ids, rule.(map[string]any)["SecurityGroupRuleId"].(string))
		}
		return ids, body["NextToken"].(string)
	}
	all, next := rules("Direction", "all", "NicType", "intranet")
	require.Len(t, all, 101)
	require.Empty(t, next)
	page, next := rules("Direction", "ingress", "MaxResults", "100")
	require.Equal(t, all[:100], page)
	rest, none := rules("MaxResults", "100", "NextToken", next)
	require.Equal(t, all[100:], rest)
	require.Empty(t, none)
	out, _ := rules("Direction", "egress")
	require.Empty(t, out)
	for _, c := range [][2]string{{"Direction", "up"}, {"NicType", "x"}, {"MaxResults", "0"}, {"MaxResults", "1001"}, {"NextToken", "x"}} {
		require.Contains(t, f.call("DescribeSecurityGroupAttribute", "SecurityGroupId", "sg-rules", c[0], c[1]).code, "InvalidParameter")
	}
}

func TestTagsOfResourceGroups(t *testing.T) {
	f := startAlibaba(t)
	rows := f.rows("ResourceGroups", "ResourceGroup", "ListResourceGroups", "Tag.1.Key", "team", "Tag.1.Value", "web",
		"IncludeTags", "true")
	require.Len(t, rows, 1)
	require.Equal(t, map[string]any{"Tag": []any{map[string]any{"TagKey": "team", "TagValue": "web"}}}, rows[0]["Tags"])
	require.NotContains(t, f.ok("GetResourceGroup", "ResourceGroupId", "rg-web")["ResourceGroup"], "Tags")
}
