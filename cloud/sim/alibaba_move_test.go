package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func (f *cloud) move(resourceType, id, group string) reply {
	f.Helper()
	return f.call("JoinResourceGroup", "ResourceType", resourceType, "ResourceId", id, "ResourceGroupId", group)
}

// groupOf returns the resource group that a resource is truly in.
func (f *cloud) groupOf(resourceType, id string) string {
	f.Helper()
	r, ok := f.Resource(resourceType, id)
	require.True(f, ok)
	return r.ResourceGroup
}

// reads are the calls that tell the current resource group, by resource type: the id's parameter and where the answer
// has the row.
var reads = map[string]struct{ id, action, parameter, outer, inner string }{
	"instance":        {"i-on", "DescribeInstances", "InstanceIds", "Instances", "Instance"},
	"disk":            {"d-data", "DescribeDisks", "DiskIds", "Disks", "Disk"},
	"snapshot":        {"s-1", "DescribeSnapshots", "SnapshotIds", "Snapshots", "Snapshot"},
	"image":           {"m-1", "DescribeImages", "ImageId", "Images", "Image"},
	"securitygroup":   {"sg-1", "DescribeSecurityGroups", "SecurityGroupIds", "SecurityGroups", "SecurityGroup"},
	"ddh":             {"dh-1", "DescribeDedicatedHosts", "DedicatedHostIds", "DedicatedHosts", "DedicatedHost"},
	"ddhcluster":      {"dc-1", "DescribeDedicatedHostClusters", "DedicatedHostClusterIds", "DedicatedHostClusters", "DedicatedHostCluster"},
	"eni":             {"eni-1", "DescribeNetworkInterfaces", "NetworkInterfaceId.1", "NetworkInterfaceSets", "NetworkInterfaceSet"},
	"keypair":         {"key-1", "DescribeKeyPairs", "KeyPairName", "KeyPairs", "KeyPair"},
	"launchtemplate":  {"lt-1", "DescribeLaunchTemplates", "LaunchTemplateId.1", "LaunchTemplateSets", "LaunchTemplateSet"},
	"command":         {"c-1", "DescribeCommands", "CommandId", "Commands", "Command"},
	"activation":      {"activation-1", "DescribeActivations", "ActivationId", "ActivationList", ""},
	"managedinstance": {"mi-1", "DescribeManagedInstances", "InstanceId.1", "Instances", ""},
}

func TestEveryTypeMoves(t *testing.T) {
	require.Len(t, reads, len(world.ResourceTypes()))
	f := startAlibaba(t)
	for resourceType, read := range reads {
		id := read.id
		if last := len(read.parameter) - 3; read.parameter[last:] == "Ids" {
			id = `["` + id + `"]`
		}
		shown := func() any {
			rows := f.rows(read.outer, read.inner, read.action, read.parameter, id)
			require.Len(t, rows, 1, resourceType)
			return rows[0]["ResourceGroupId"]
		}
		listed := func() any {
			rows := f.rows("Resources", "Resource", "ListResources", "Service", "ecs", "ResourceType", resourceType,
				"ResourceIds", read.id)
			require.Len(t, rows, 1, resourceType)
			return rows[0]["ResourceGroupId"]
		}
		require.Equal(t, "", shown(), resourceType)
		require.Equal(t, "rg-default", listed())
		require.Equal(t, 200, f.move(resourceType, read.id, "rg-web").status, resourceType)
		require.Equal(t, []string{read.id}, f.last().Servers)
		require.Equal(t, "rg-web", f.last().Group)
		require.Equal(t, "rg-web", shown(), resourceType)
		require.Equal(t, "rg-web", listed())
		require.Equal(t, 200, f.move(resourceType, read.id, "rg-default").status)
		require.Equal(t, "rg-default", f.groupOf(resourceType, read.id))
	}
}

// TestJoinResourceGroupCodes reaches each error code of the API page that state can reach.
func TestJoinResourceGroupCodes(t *testing.T) {
	f := startAlibaba(t)
	for _, c := range []struct {
		resourceType, id, group, code string
		status                        int
	}{
		{"", "i-on", "rg-web", "MissingParameter", 403},
		{"instance", "", "rg-web", "MissingParameter", 403},
		{"instance", "i-on", "", "MissingParameter", 403},
		{"disk", "d-free", "rg-web", "InvalidResourceGroup.Duplicate", 403},
		{"instance", "i-on", "rg-new", "InvalidStatus.ResourceGroup", 403},
		{"Instance", "i-on", "rg-web", "InvalidResourceType.NotFound", 404},
		{"instance", "i-on", "rg-none", "InvalidResourceGroup.NotFound", 404},
		{"instance", "i-on", "rg-foreign", "InvalidResourceGroup.NotFound", 404},
		{"disk", "i-on", "rg-web", "InvalidResourceId.NotFound", 404},
		{"instance", "i-foreign", "rg-web", "InvalidResourceId.NotFound", 404},
		{"instance", "i-beijing", "rg-web", "InvalidResourceId.NotFound", 404},
	} {
		out := f.move(c.resourceType, c.id, c.group)
		require.Equal(t, c.code, out.code, "%v", c)
		require.Equal(t, c.status, out.status)
	}
	in := func(region, id, group string) reply {
		return f.call("JoinResourceGroup", "ResourceType", "instance", "ResourceId", id, "ResourceGroupId", group,
			"RegionId", region)
	}
	require.Equal(t, "InvalidRegionId.ResourceGroup", in("cn-old", "i-old", "rg-web").code)
	require.Equal(t, "InvalidStatus.ResourceGroup", in("cn-beijing", "i-beijing", "rg-part").code)
	require.Equal(t, 200, in("cn-hangzhou", "i-on", "rg-part").status)
	require.Equal(t, 200, in("", "i-beijing", "rg-web").status)
	f = startAlibaba(t, func(a *world.Alibaba) { a.Knobs.RepeatMove = world.OK })
	require.Equal(t, 200, f.move("disk", "d-free", "rg-web").status)
	require.Equal(t, journal.None, f.last().Effect)
}

func TestAssociatedTransfer(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) {
		a.Transfer = world.Transfer{Enabled: true, Rules: []world.TransferRule{{From: "instance", To: "disk"},
			{From: "disk", To: "snapshot"}}}
		a.Timings.Transfer = clock.Fixed(time.Minute)
	})
	setting := f.ok("ListAssociatedTransferSetting")["AssociatedTransferSetting"].(map[string]any)
	require.Len(t, setting["RuleSettings"], 2)
	require.Equal(t, "Enable", setting["Status"])
	require.Equal(t, 200, f.move("instance", "i-on", "rg-web").status)
	require.Equal(t, "rg-web", f.groupOf("instance", "i-on"))
	require.Equal(t, "rg-default", f.groupOf("disk", "d-data"))
	for resourceType, id := range map[string]string{"instance": "i-on", "disk": "d-data", "snapshot": "s-1"} {
		out := f.move(resourceType, id, "rg-part")
		require.Equal(t, 400, out.status)
		require.Equal(t, "EntityExists.AssociatedTransferTasks", out.code)
	}
	f.Clock().Advance(time.Minute)
	v, _ := f.Instance("i-on")
	for _, id := range []string{"d-data", v.SystemDisk} {
		require.Equal(t, "rg-web", f.groupOf("disk", id))
	}
	require.Equal(t, "rg-web", f.groupOf("snapshot", "s-1"))
	require.Equal(t, "rg-default", f.groupOf("eni", "eni-1"), "no rule says so")

	f.inject(sim.Fault{Effect: fault.Stuck, Match: sim.Match{Server: "i-on"}})
	require.Equal(t, 200, f.move("instance", "i-on", "rg-part").status)
	f.Clock().Advance(time.Hour)
	r, _ := f.Resource("disk", "d-data")
	require.True(t, r.Transferring)
	require.Equal(t, "rg-web", r.ResourceGroup)
	require.Equal(t, "EntityExists.AssociatedTransferTasks", f.move("instance", "i-on", "rg-web").code)
}

func TestMoveResources(t *testing.T) {
	f := startAlibaba(t)
	in := []string{"ResourceGroupId", "rg-web"}
	for i, r := range [][2]string{{"instance", "i-on"}, {"disk", "d-free"}, {"disk", "d-none"}} {
		at := "Resources." + string(rune('1'+i)) + "."
		in = append(in, at+"ResourceType", r[0], at+"ResourceId", r[1], at+"Service", "ecs", at+"RegionId", "cn-hangzhou")
	}
	rows := f.rows("Responses", "", "MoveResources", in...)
	require.Equal(t, []string{"i-on", "d-free", "d-none"}, f.last().Servers)
	require.Equal(t, journal.Changed, f.last().Effect)
	require.Equal(t, "SUCCESS", rows[0]["Status"])
	require.Equal(t, "InvalidResourceGroup.Duplicate", rows[1]["ErrorCode"])
	require.Equal(t, "InvalidResourceId.NotFound", rows[2]["ErrorCode"])
	require.Equal(t, "rg-web", f.groupOf("instance", "i-on"))
	require.Equal(t, "EntityNotExists.ResourceGroup", f.call("MoveResources", "ResourceGroupId", "rg-none",
		"Resources.1.ResourceId", "i-on").code)
	require.Equal(t, "MissingParameter", f.call("MoveResources", "ResourceGroupId", "rg-web").code)
}

func TestResourceGroups(t *testing.T) {
	f := startAlibaba(t)
	get := func(id string) map[string]any {
		return f.ok("GetResourceGroup", "ResourceGroupId", id)["ResourceGroup"].(map[string]any)
	}
	require.Equal(t, "OK", get("rg-web")["Status"])
	require.Equal(t, "Creating", get("rg-new")["Status"])
	require.Equal(t, []any{
		map[string]any{"RegionId": "cn-beijing", "Status": "Creating"},
		map[string]any{"RegionId": "cn-hangzhou", "Status": "OK"},
		map[string]any{"RegionId": "cn-old", "Status": "OK"},
	}, get("rg-part")["RegionStatuses"].(map[string]any)["RegionStatus"])
	out := f.call("GetResourceGroup", "ResourceGroupId", "rg-foreign")
	require.Equal(t, 404, out.status)
	require.Equal(t, "EntityNotExists.ResourceGroup", out.code)
	list := func(nameValues ...string) []map[string]any {
		return f.rows("ResourceGroups", "ResourceGroup", "ListResourceGroups", nameValues...)
	}
	require.Len(t, list(), 4)
	require.Len(t, list("Status", "Creating"), 1)
	require.Len(t, list("ResourceGroupIds.1", "rg-web"), 1)
	require.Len(t, list("PageSize", "3", "PageNumber", "2"), 1)
}

func TestListResources(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) { a.ListLag = clock.Duration(10 * time.Second) })
	list := func(nameValues ...string) []map[string]any {
		return f.rows("Resources", "Resource", "ListResources", append(nameValues, "PageSize", "100")...)
	}
	require.Len(t, list("ResourceIds", "i-on,d-data"), 2)
	require.Len(t, list("ResourceIds", `["i-on","s-1"]`), 2)
	require.Len(t, list("ResourceGroupId", "rg-web"), 1)
	require.Len(t, list("ResourceType", "instance", "Region", "cn-beijing"), 1)
	require.Len(t, list("ResourceTypes.1.Service", "ecs", "ResourceTypes.1.ResourceType", "image"), 2)
	require.Empty(t, list("Service", "vpc"))
	require.Equal(t, 200, f.move("instance", "i-on", "rg-web").status)
	require.Equal(t, "rg-web", f.described("i-on")["ResourceGroupId"])
	require.Len(t, list("ResourceGroupId", "rg-web"), 1, "the list is not up to date")
	f.Clock().Advance(10 * time.Second)
	require.Len(t, list("ResourceGroupId", "rg-web"), 2)
}
