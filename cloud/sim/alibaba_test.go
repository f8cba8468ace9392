package sim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestEveryStyleReachesEveryProduct(t *testing.T) {
	f := startAlibaba(t)
	for _, style := range []alibabasign.Style{alibabasign.RPC, alibabasign.ROA, alibabasign.TeaROA, alibabasign.ACS3} {
		f.style = style
		f.described("i-on")
		require.Equal(t, "DescribeInstances", f.last().Action)
		require.Equal(t, "main", f.last().Account)
		f.ok("ListAssociatedTransferSetting")
		out := f.call("DeleteInstance", "InstanceId", "i-on")
		require.Equal(t, 501, out.status)
		require.Contains(t, out.body["Message"], "DeleteInstance of version 2014-05-26")
		out = f.call("DescribeInstances", "Colour", "red")
		require.Equal(t, 501, out.status)
		require.Contains(t, out.body["Message"], "Colour")
	}
	r := f.request("DescribeInstances")
	r.URL.Path = "/elsewhere" // a ROA path, as of products that are not simulated
	r.Header.Del("Authorization")
	r.Header.Set("x-acs-action", "GetCluster")
	alibabasign.Sign(alibabasign.ROA, r, nil, f.key, time.Now())
	out, err := f.send(r)
	require.NoError(t, err)
	require.Equal(t, 501, out.status)
	require.Contains(t, out.raw, "GetCluster")
}

func TestTheSignedActionCounts(t *testing.T) {
	f := startAlibaba(t)
	r := f.request("DescribeInstances")
	r.Header.Set("x-acs-action", "StopInstance") // RPC does not sign headers
	r.Header.Set("x-acs-version", "2014-05-26")
	_, err := f.send(r)
	require.NoError(t, err)
	require.Equal(t, "DescribeInstances", f.last().Action)
}

func TestStrangersAreRefused(t *testing.T) {
	f := startAlibaba(t)
	for _, c := range []struct{ access, secret, code string }{
		{"AK", "wrong", "SignatureDoesNotMatch"},
		{"nobody", "SK", "InvalidAccessKeyId.NotFound"},
		{"HW", "HW", "InvalidAccessKeyId.NotFound"},
	} {
		f.key = alibabasign.Key{Access: c.access, Secret: c.secret}
		out := f.call("StopInstance", "InstanceId", "i-on")
		require.Equal(t, c.code, out.code)
		require.Equal(t, out.body["RequestId"], strings.ToUpper(out.body["RequestId"].(string)))
		v, _ := f.Instance("i-on")
		require.Equal(t, "Running", v.Status)
	}
}

func TestAnAccountWithoutProjectIsNoneOfHuaweis(t *testing.T) {
	f := startAlibaba(t)
	out := f.fixture.do("GET", "/v1//cloudservers/detail", "")
	require.Equal(t, "Ecs.0023", out.code)
}

func TestDefaultPage(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) {
		a.Generate = []world.GenerateResources{{Name: "web-%03d", Count: 150, SecurityGroups: []string{"one"}}}
	})
	var ids []string
	for n := 1; n <= 101; n++ {
		ids = append(ids, fmt.Sprintf("%q", world.AlibabaID(7, "instance", fmt.Sprintf("web-%03d", n))))
	}
	list := func(nameValues ...string) []map[string]any {
		return f.rows("Instances", "Instance", "DescribeInstances", nameValues...)
	}
	hundred := "[" + strings.Join(ids[:100], ",") + "]"
	require.Len(t, list("InstanceIds", hundred), 10, "without PageSize it is 10, however many ids")
	require.Len(t, list("InstanceIds", hundred, "PageSize", "100"), 100)
	require.Equal(t, "InvalidParameter", f.call("DescribeInstances", "InstanceIds", "["+strings.Join(ids, ",")+"]").code)
	require.Equal(t, "InvalidParameter", f.call("DescribeInstances", "InstanceIds", "i-on").code)
	require.Equal(t, "InvalidParameter", f.call("DescribeInstances", "PageSize", "101").code)
	require.Equal(t, "MissingParameter", f.call("DescribeInstances", "RegionId", "").code)
	require.Empty(t, list("InstanceIds", "[]"))
	require.Len(t, list("InstanceIds", `["i-none","i-on"]`), 1)

	seen := map[string]bool{}
	for token, pages := "", 0; ; pages++ {
		require.Less(t, pages, 10)
		body := f.ok("DescribeInstances", "MaxResults", "50", "NextToken", token, "SecurityGroupId", "sg-1")
		for _, row := range body["Instances"].(map[string]any)["Instance"].([]any) {
			seen[row.(map[string]any)["InstanceId"].(string)] = true
		}
		if token = body["NextToken"].(string); token == "" {
			break
		}
	}
	group, _ := f.SecurityGroup("sg-1")
	require.Len(t, seen, 150+5)
	require.Len(t, group.Members, 150+5+3, "with secondary network interfaces")
	body := f.ok("DescribeInstances", "PageNumber", "17")
	require.Len(t, body["Instances"].(map[string]any)["Instance"], 3)
	require.EqualValues(t, 163, body["TotalCount"])
	require.Equal(t, "InvalidParameter.NextToken", f.call("DescribeInstances", "NextToken", "20").code)
	require.Equal(t, "InvalidParameter", f.call("DescribeInstanceStatus", "PageSize", "51").code)
	require.Len(t, f.rows("InstanceStatuses", "InstanceStatus", "DescribeInstanceStatus", "InstanceId.1", "i-on"), 1)
}

// What the documents call a limit of filters by tags and by resource group is one.
func TestFiltersThatEndEarly(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) {
		a.Generate = []world.GenerateResources{{Name: "web-%04d", Count: 1005, ResourceGroup: "rg-web", VPC: "vpc-9",
			Tags: map[string]string{"fleet": "big"}}}
	})
	total := func(nameValues ...string) any { return f.ok("DescribeInstances", nameValues...)["TotalCount"] }
	require.EqualValues(t, 1005, total("VpcId", "vpc-9"))
	require.EqualValues(t, 1000, total("Tag.1.Key", "fleet"))
	require.EqualValues(t, 1000, total("ResourceGroupId", "rg-web"))
	require.EqualValues(t, 1, total("Tag.1.Key", "fleet", "InstanceName", "web-1000"))
	require.EqualValues(t, 0, total("Tag.1.Key", "fleet", "InstanceName", "web-1001"), "cut before it is looked for")
	require.EqualValues(t, 1, total("InstanceName", "web-1001"))
	require.Len(t, f.rows("Instances", "Instance", "DescribeInstances", "Tag.1.Key", "fleet", "PageSize", "100", "PageNumber", "11"), 0)
}

func TestFilters(t *testing.T) {
	f := startAlibaba(t)
	ids := func(outer, inner, action, field string, nameValues ...string) []string {
		var ids []string
		for _, row := range f.rows(outer, inner, action, append(nameValues, "PageSize", "50")...) {
			ids = append(ids, row[field].(string))
		}
		return ids
	}
	instances := func(nameValues ...string) []string {
		return ids("Instances", "Instance", "DescribeInstances", "InstanceId", nameValues...)
	}
	require.Equal(t, []string{"i-on"}, instances("Tag.1.Key", "team", "Tag.1.Value", "web", "Tag.2.Key", "tier"))
	require.Empty(t, instances("Tag.1.Key", "team", "Tag.1.Value", "db"))
	require.Equal(t, []string{"i-classic"}, instances("InstanceNetworkType", "classic"))
	require.Equal(t, []string{"i-off", "i-locked", "i-dead"}, instances("Status", "Stopped"))
	require.Equal(t, []string{"i-locked", "i-locked-on"}, instances("InstanceName", "i-lock*"))
	require.Empty(t, instances("ResourceGroupId", "rg-default"), "nobody can ask for the default group")
	require.Equal(t, []string{"i-beijing"}, instances("RegionId", "cn-beijing"))
	require.Equal(t, []string{"d-free"}, ids("Disks", "Disk", "DescribeDisks", "DiskId", "ResourceGroupId", "rg-web"))
	v, _ := f.Instance("i-on")
	require.Equal(t, []string{v.SystemDisk}, ids("Disks", "Disk", "DescribeDisks", "DiskId", "InstanceId", "i-on",
		"DiskType", "system"))
	require.Equal(t, []string{"eni-1", v.PrimaryInterface}, ids("NetworkInterfaceSets", "NetworkInterfaceSet",
		"DescribeNetworkInterfaces", "NetworkInterfaceId", "InstanceId", "i-on"))
	require.Equal(t, []string{"s-1"}, ids("Snapshots", "Snapshot", "DescribeSnapshots", "SnapshotId", "InstanceId", "i-on"))
	require.Equal(t, []string{"m-1"}, ids("Images", "Image", "DescribeImages", "ImageId"), "available ones only")
	require.Equal(t, []string{"dh-1"}, ids("DedicatedHosts", "DedicatedHost", "DescribeDedicatedHosts", "DedicatedHostId"),
		"available ones only")
	require.Equal(t, []string{"dh-2"}, ids("DedicatedHosts", "DedicatedHost", "DescribeDedicatedHosts", "DedicatedHostId",
		"Status", "UnderAssessment"))
	require.Equal(t, []string{"m-1", "m-2"}, ids("Images", "Image", "DescribeImages", "ImageId",
		"Status", "Creating,Available"))
	groups := f.rows("SecurityGroups", "SecurityGroup", "DescribeSecurityGroups", "SecurityGroupType", "enterprise",
		"IsQueryEcsCount", "true")
	require.Len(t, groups, 2)
	require.EqualValues(t, 1, groups[1]["EcsCount"])
	require.EqualValues(t, 0, groups[1]["AvailableInstanceAmount"])
	rules := f.ok("DescribeSecurityGroupAttribute", "SecurityGroupId", "sg-rules")
	require.Len(t, rules["Permissions"].(map[string]any)["Permission"], 101)
	require.Equal(t, "InvalidSecurityGroupId.NotFound",
		f.call("DescribeSecurityGroupAttribute", "SecurityGroupId", "sg-foreign").code)
}

func TestOtherShapes(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) {
		a.Knobs.WrappedLists, a.Knobs.DefaultGroup = true, world.Shown
	})
	rows := f.rows("ActivationList", "Activation", "DescribeActivations")
	require.Equal(t, "rg-default", rows[0]["ResourceGroupId"])
}

func TestAlibabaThrottling(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) {
		a.Throttle = world.Throttle{RetryAfter: "int", Actions: map[string]world.Rate{"DescribeInstances": {PerSecond: 1}}}
	})
	f.described("i-on")
	out := f.call("DescribeInstances")
	require.Equal(t, 400, out.status)
	require.Equal(t, "Throttling.User", out.code)
	require.Equal(t, "1", out.header.Get("x-acs-retry-after"))
	f.ok("DescribeDisks")
	f.Clock().Advance(time.Second)
	f.described("i-on")
	for _, c := range []struct {
		rule   sim.Fault
		status int
		code   string
	}{
		{sim.Fault{Effect: fault.Throttle}, 400, "Throttling.User"},
		{sim.Fault{Effect: fault.Throttle, Status: 429, Code: "Throttling.Api"}, 429, "Throttling.Api"},
		{sim.Fault{Effect: fault.Status, Status: 500, Code: "InternalError"}, 500, "InternalError"},
	} {
		c.rule.Count = 1
		f.inject(c.rule)
		out := f.call("StopInstance", "InstanceId", "i-on")
		require.Equal(t, c.status, out.status)
		require.Equal(t, c.code, out.code)
	}
}

func TestAlibabaLostReply(t *testing.T) {
	f := startAlibaba(t)
	f.inject(sim.Fault{Effect: fault.DropAfter, Match: sim.Match{Action: "Join*", Server: "i-on", Group: "sg-2"}})
	_, err := f.try("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-2")
	require.Error(t, err)
	require.Equal(t, []string{"sg-1", "sg-2"}, f.inGroups("i-on"))
	require.True(t, f.last().Lost)
}

func TestAlibabaRestart(t *testing.T) {
	edit := func(a *world.Alibaba) {
		a.ReadLag = clock.Duration(5 * time.Second)
		a.Transfer.Enabled, a.Timings.Transfer = true, clock.Fixed(time.Minute)
		a.Generate = []world.GenerateResources{{Name: "web-%d", Count: 3, Interfaces: 1}}
	}
	for name, end := range map[string]func(*cloud) error{
		"closed": func(f *cloud) error { return f.Close() },
		"killed": func(*cloud) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			f, dir := alibabaDir(t, edit)
			f.ok("StopInstance", "InstanceId", "i-on", "StoppedMode", "KeepCharging")
			f.ok("JoinSecurityGroup", "NetworkInterfaceId", "eni-1", "SecurityGroupId", "sg-2")
			require.Equal(t, 200, f.move("instance", "i-on", "rg-web").status)
			f.Clock().Advance(2 * time.Second)
			require.Equal(t, "Running", f.described("i-on")["Status"])
			instances, world := f.Instances(), f.World()
			require.NoError(t, end(f))

			f = openAlibaba(t, sim.Options{StateDir: dir})
			require.Equal(t, instances, f.Instances())
			require.Equal(t, world, f.World())
			require.Equal(t, "Running", f.described("i-on")["Status"], "the lag goes on")
			f.Clock().Advance(18 * time.Second)
			v, _ := f.Instance("i-on")
			require.Equal(t, "Stopped", v.Status)
			group, _ := f.SecurityGroup("sg-2")
			require.Contains(t, group.Members, "eni-1")
			require.Equal(t, "rg-default", f.groupOf("disk", "d-data"))
			f.Clock().Advance(time.Minute)
			require.Equal(t, "rg-web", f.groupOf("disk", "d-data"))
			require.Equal(t, "SecurityGroupInstanceLimitExceeded",
				f.call("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-full").code)
		})
	}
}

func TestAlibabaWorldIsAWorld(t *testing.T) {
	f := startAlibaba(t)
	f.ok("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-2")
	require.Equal(t, 200, f.move("disk", "d-data", "rg-web").status)
	instances := f.Instances()
	require.NoError(t, f.Load(f.World()))
	require.Equal(t, instances, f.Instances())
	require.Equal(t, "rg-web", f.groupOf("disk", "d-data"))
	group, _ := f.SecurityGroup("sg-2")
	require.Contains(t, group.Members, "i-on")
}

func TestOverRealHTTP(t *testing.T) {
	f := startAlibaba(t)
	f.overHTTP()
	f.described("i-on")
	require.Equal(t, http.MethodPost, f.last().Method)
}
