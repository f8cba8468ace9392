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

// TestJoinSecurityGroupCodes reaches each error code of the API page that state can reach.
func TestJoinSecurityGroupCodes(t *testing.T) {
	for name, c := range map[string]struct {
		instance, eni, group, region string
		status                       int
		code                         string
	}{
		"joins":               {instance: "i-on", group: "sg-2", status: 200},
		"stopped":             {instance: "i-off", group: "sg-3", status: 200},
		"interface":           {eni: "eni-1", group: "sg-2", status: 200},
		"free interface":      {eni: "eni-free", group: "sg-3", status: 200},
		"first group":         {instance: "i-small", group: "sg-1", status: 200},
		"enterprise":          {instance: "i-dead", group: "sg-big", status: 200},
		"too many groups":     {instance: "i-three", group: "sg-4", status: 400, code: "InstanceSecurityGroupLimitExceeded"},
		"too many, interface": {eni: "eni-three", group: "sg-4", status: 403, code: "InstanceSecurityGroupLimitExceeded"},
		"other vpc":           {instance: "i-on", group: "sg-vpc2", status: 400, code: "InvalidInstanceId.Mismatch"},
		"classic group":       {instance: "i-on", group: "sg-classic", status: 400, code: "InvalidInstanceId.Mismatch"},
		"classic instance":    {instance: "i-classic", group: "sg-1", status: 400, code: "InvalidInstanceId.Mismatch"},
		"interface, vpc":      {eni: "eni-1", group: "sg-vpc2", status: 403, code: "InvalidOperation.VpcMismatch"},
		"malformed":           {instance: "x", group: "sg-2", status: 400, code: "InvalidInstanceId.Malformed"},
		"malformed interface": {eni: "x", group: "sg-2", status: 403, code: "InvalidParam.Malformed"},
		"no enterprise":       {instance: "i-small", group: "sg-big", status: 400, code: "InvalidOperation.NotSupportEnterpriseGroup"},
		"mixed":               {instance: "i-on", group: "sg-big", status: 400, code: "InvalidOperation.MultiGroupType"},
		"mixed otherwise":     {instance: "i-big", group: "sg-1", status: 400, code: "InvalidOperation.MultiGroupType"},
		"attaching":           {eni: "eni-attaching", group: "sg-2", status: 400, code: "InvalidOperation.InvalidEniState"},
		"foreign group":       {eni: "eni-1", group: "sg-foreign", status: 400, code: "InvalidOperation.EniAndGroupNotBelongSameUser"},
		"foreign interface":   {eni: "eni-foreign", group: "sg-1", status: 400, code: "NotBelongUser"},
		"no region":           {instance: "i-on", group: "sg-2", region: "none", status: 400, code: "MissingParameter.RegionId"},
		"creating interface":  {eni: "eni-creating", group: "sg-2", status: 400, code: "InvalidStatus.EniOrInstanceIsBeingCreated"},
		"locked":              {instance: "i-locked", group: "sg-2", status: 403, code: "InstanceLockedForSecurity"},
		"locked, interface":   {eni: "eni-locked", group: "sg-2", status: 403, code: "InstanceLockedForSecurity"},
		"full":                {instance: "i-on", group: "sg-full", status: 403, code: "SecurityGroupInstanceLimitExceeded"},
		"already":             {instance: "i-on", group: "sg-1", status: 403, code: "InvalidInstanceId.AlreadyExists"},
		"rules":               {instance: "i-on", group: "sg-rules", status: 403, code: "AclLimitExceed"},
		"enterprise full":     {instance: "i-big", group: "sg-big2", status: 403, code: "InvalidOperation.NetworkInterfaceCountExceeded"},
		"managed group":       {instance: "i-on", group: "sg-managed", status: 403, code: "InvalidOperation.ResourceManagedByCloudProduct"},
		"trunk":               {eni: "eni-trunk", group: "sg-1", status: 403, code: "InvalidOperation.InvalidEniType"},
		"managed interface":   {eni: "eni-managed", group: "sg-1", status: 403, code: "InvalidOperation.EniServiceManaged"},
		"both":                {instance: "i-on", eni: "eni-1", group: "sg-2", status: 403, code: "InvalidParam.EniIdAndInstanceId.Conflict"},
		"neither":             {group: "sg-2", status: 400, code: "MissingParameter"},
		"no group":            {instance: "i-on", status: 400, code: "MissingParameter"},
		"being created":       {instance: "i-new", group: "sg-1", status: 403, code: "Forbidden.InstanceIsBeingCreated"},
		"unknown group":       {instance: "i-on", group: "sg-none", status: 404, code: "InvalidSecurityGroupId.NotFound"},
		"foreign, instance":   {instance: "i-on", group: "sg-foreign", status: 404, code: "InvalidSecurityGroupId.NotFound"},
		"other region":        {instance: "i-on", group: "sg-beijing", status: 404, code: "InvalidSecurityGroupId.NotFound"},
		"unknown instance":    {instance: "i-none", group: "sg-1", status: 404, code: "InvalidInstanceId.NotFound"},
		"instance elsewhere":  {instance: "i-beijing", group: "sg-1", status: 404, code: "InvalidInstanceId.NotFound"},
		"foreign instance":    {instance: "i-foreign", group: "sg-1", status: 404, code: "InvalidInstanceId.NotFound"},
		"unknown interface":   {eni: "eni-none", group: "sg-1", status: 404, code: "InvalidEniId.NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			f := startAlibaba(t)
			region := map[bool]string{true: "", false: "cn-hangzhou"}[c.region == "none"]
			out := f.call("JoinSecurityGroup", "InstanceId", c.instance, "NetworkInterfaceId", c.eni,
				"SecurityGroupId", c.group, "RegionId", region)
			require.Equal(t, c.status, out.status, out.raw)
			require.Equal(t, c.code, out.code)
			entry := f.last()
			require.Equal(t, "JoinSecurityGroup", entry.Action)
			require.Equal(t, c.group, entry.Group)
			require.Equal(t, c.code, entry.Code)
			if c.status != 200 {
				require.Equal(t, journal.Refused, entry.Effect)
				require.Equal(t, f.url[len("http://"):], out.body["HostId"])
				return
			}
			require.Equal(t, journal.Changed, entry.Effect)
			group, _ := f.SecurityGroup(c.group)
			require.Contains(t, group.Members, c.instance+c.eni)
		})
	}
}

func TestJoiningWhileStatusChanges(t *testing.T) {
	f := startAlibaba(t)
	f.ok("StopInstance", "InstanceId", "i-on")
	out := f.call("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-2")
	require.Equal(t, "IncorrectInstanceStatus", out.code)
	f.Clock().Advance(20 * time.Second)
	f.ok("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-2")
}

func TestJoiningTakesTime(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) { a.Timings.SecurityGroups = clock.Fixed(5 * time.Second) })
	f.ok("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-2")
	require.Equal(t, []string{"sg-1"}, f.inGroups("i-on"))
	out := f.call("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-3")
	require.Equal(t, 409, out.status)
	require.Equal(t, "InvalidOperation.Conflict", out.code)
	f.Clock().Advance(5 * time.Second)
	require.Equal(t, []string{"sg-1", "sg-2"}, f.inGroups("i-on"))

	f.inject(sim.Fault{Effect: fault.JobFail, Code: "x", Count: 1, Match: sim.Match{Group: "sg-3"}})
	f.ok("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-3")
	f.Clock().Advance(5 * time.Second)
	require.Equal(t, []string{"sg-1", "sg-2"}, f.inGroups("i-on"), "accepted, but it never came to be")
	f.inject(sim.Fault{Effect: fault.Stuck})
	f.ok("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-3")
	f.Clock().Advance(time.Hour)
	v, _ := f.Instance("i-on")
	require.True(t, v.Busy)
}

func TestLeaveSecurityGroup(t *testing.T) {
	f := startAlibaba(t)
	leave := func(instance, group string) reply {
		return f.call("LeaveSecurityGroup", "InstanceId", instance, "SecurityGroupId", group)
	}
	require.Equal(t, 200, leave("i-off", "sg-1").status)
	require.Equal(t, []string{"sg-2"}, f.inGroups("i-off"))
	for _, c := range []struct {
		instance, group, code string
		status                int
	}{
		{"i-off", "sg-1", "InvalidSecurityGroupAssociation.NotFound", 404},
		{"i-off", "sg-2", "InstanceLastSecurityGroup", 403},
		{"i-locked-on", "sg-1", "InstanceLockedForSecurity", 403},
		{"i-off", "sg-none", "InvalidSecurityGroupId.NotFound", 404},
		{"i-none", "sg-1", "InvalidInstanceId.NotFound", 404},
	} {
		out := leave(c.instance, c.group)
		require.Equal(t, c.code, out.code)
		require.Equal(t, c.status, out.status)
	}
	f.ok("LeaveSecurityGroup", "NetworkInterfaceId", "eni-free", "SecurityGroupId", "sg-1")
	n, _ := f.NetworkInterface("eni-free")
	require.Equal(t, []string{"sg-2"}, n.SecurityGroups)
	require.Equal(t, 200, leave("i-classic", "sg-classic").status)
}

func TestSecurityGroupKnobs(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) {
		no := false
		a.Knobs = world.AlibabaKnobs{RepeatJoin: world.OK, LeaveNotMember: world.OK, PrimaryInterface: world.OK,
			RegionRequired: &no}
	})
	f.ok("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-1", "RegionId", "")
	require.Equal(t, journal.None, f.last().Effect)
	f.ok("LeaveSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-2")
	require.Equal(t, journal.None, f.last().Effect)
	v, _ := f.Instance("i-on")
	f.ok("JoinSecurityGroup", "NetworkInterfaceId", v.PrimaryInterface, "SecurityGroupId", "sg-2")
	require.Equal(t, []string{"sg-1", "sg-2"}, f.inGroups("i-on"), "a primary interface's groups are its instance's")
	f = startAlibaba(t, func(a *world.Alibaba) { a.Knobs.LeaveNotMember = "InstanceNotInSecurityGroup" })
	require.Equal(t, "InstanceNotInSecurityGroup",
		f.call("LeaveSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-2").code)
	require.Equal(t, "InvalidOperation.InvalidEniType",
		f.call("JoinSecurityGroup", "NetworkInterfaceId", v.PrimaryInterface, "SecurityGroupId", "sg-2").code)
}

func TestModifyInstanceAttribute(t *testing.T) {
	f := startAlibaba(t)
	set := func(instance string, groups ...string) reply {
		in := []string{"InstanceId", instance}
		for i, g := range groups {
			in = append(in, "SecurityGroupIds."+string(rune('1'+i)), g)
		}
		return f.call("ModifyInstanceAttribute", in...)
	}
	require.Equal(t, 200, set("i-on", "sg-3", "sg-2").status)
	require.Equal(t, []string{"sg-3", "sg-2"}, f.inGroups("i-on"))
	require.Equal(t, "sg-3,sg-2", f.last().Group)
	require.Len(t, f.Journal().Select(sim.Filter{Group: "sg-2"}), 1)
	require.Equal(t, 200, set("i-on", "sg-2", "sg-3").status)
	require.Equal(t, journal.None, f.last().Effect, "the order does not matter")
	require.Equal(t, 200, set("i-on", "sg-big").status, "the type may change with the whole set")
	for _, c := range []struct {
		instance string
		groups   []string
		code     string
	}{
		{"i-on", nil, "MissingParameter"},
		{"i-on", []string{"sg-1", "sg-1"}, "InvalidParameter"},
		{"i-on", []string{"sg-1", "sg-big"}, "InvalidOperation.MultiGroupType"},
		{"i-on", []string{"sg-1", "sg-2", "sg-3", "sg-4"}, "InstanceSecurityGroupLimitExceeded"},
		{"i-on", []string{"sg-full"}, "SecurityGroupInstanceLimitExceeded"},
		{"i-on", []string{"sg-vpc2"}, "InvalidInstanceId.Mismatch"},
		{"i-on", []string{"sg-none"}, "InvalidSecurityGroupId.NotFound"},
		{"i-on", []string{"sg-managed"}, "InvalidOperation.ResourceManagedByCloudProduct"},
		{"i-classic", []string{"sg-classic"}, "InvalidInstanceId.Mismatch"},
		{"i-locked", []string{"sg-2"}, "InstanceLockedForSecurity"},
		{"i-new", []string{"sg-2"}, "Forbidden.InstanceIsBeingCreated"},
		{"i-none", []string{"sg-2"}, "InvalidInstanceId.NotFound"},
	} {
		require.Equal(t, c.code, set(c.instance, c.groups...).code, "%v", c)
	}
	require.Equal(t, 200, set("i-filler", "sg-full", "sg-1").status, "who is in takes no new place")
}

func TestModifyNetworkInterfaceAttribute(t *testing.T) {
	f := startAlibaba(t)
	f.ok("ModifyNetworkInterfaceAttribute", "NetworkInterfaceId", "eni-1", "SecurityGroupId.1", "sg-2",
		"SecurityGroupId.2", "sg-3")
	n, _ := f.NetworkInterface("eni-1")
	require.Equal(t, []string{"sg-2", "sg-3"}, n.SecurityGroups)
	require.Equal(t, []string{"sg-1"}, f.inGroups("i-on"))
	for eni, code := range map[string]string{"eni-managed": "InvalidOperation.EniServiceManaged",
		"eni-trunk": "InvalidOperation.InvalidEniType", "eni-none": "InvalidEniId.NotFound", "": "MissingParameter"} {
		require.Equal(t, code, f.call("ModifyNetworkInterfaceAttribute", "NetworkInterfaceId", eni,
			"SecurityGroupId.1", "sg-2").code)
	}
}

func TestReadsLagBehindJoins(t *testing.T) {
	f := startAlibaba(t, func(a *world.Alibaba) { a.ReadLag = clock.Duration(3 * time.Second) })
	shown := func() any { return f.described("i-on")["SecurityGroupIds"].(map[string]any)["SecurityGroupId"] }
	members := func() int {
		return len(f.rows("Instances", "Instance", "DescribeInstances", "SecurityGroupId", "sg-2"))
	}
	f.ok("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-2")
	require.Equal(t, []any{"sg-1"}, shown())
	before := members()
	require.Equal(t, "InvalidInstanceId.AlreadyExists",
		f.call("JoinSecurityGroup", "InstanceId", "i-on", "SecurityGroupId", "sg-2").code, "writes see the truth")
	f.Clock().Advance(3 * time.Second)
	require.Equal(t, []any{"sg-1", "sg-2"}, shown())
	require.Equal(t, before+1, members())
}
