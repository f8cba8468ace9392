package alibaba

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

func TestResourceGroup(t *testing.T) {
	client, asked := recorded(t, `"ResourceGroup":{"Id":"rg-1","Name":"n","DisplayName":"d","AccountId":"1","Status":"OK",
		"CreateDate":"2026-01-01T00:00:00+08:00","RegionStatuses":{"RegionStatus":[{"RegionId":"cn-sim","Status":"OK"},
		{"RegionId":"cn-other","Status":"Deleting"}]}}`)
	got, err := client.ResourceGroup(t.Context(), "rg-1")
	require.NoError(t, err)
	assert.Equal(t, ResourceGroup{ID: "rg-1", Name: "n", DisplayName: "d", Status: "OK",
		Regions: map[string]string{"cn-sim": "OK", "cn-other": "Deleting"}}, got)
	assert.Equal(t, []url.Values{{"Action": {"GetResourceGroup"}, "ResourceGroupId": {"rg-1"}}}, *asked)
}

func TestAssociatedTransfer(t *testing.T) {
	for status, want := range map[string]bool{"Enable": true, "Disable": false, "": false} {
		client, _ := recorded(t, `"AssociatedTransferSetting":{"Status":"`+status+`","RuleSettings":[]}`)
		got, err := client.AssociatedTransferEnabled(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, got, status)
	}
}

// typesOfResources says how the group of each type is read: the action, the parameters for two resources, and the list
// and the id in the answer.
var typesOfResources = map[string]struct {
	action string
	params []url.Values
	list   string
	id     string
}{
	"instance": {"DescribeInstances", []url.Values{{"InstanceIds": {`["x-1","x-2"]`}, "MaxResults": {"100"}}},
		`"Instances":{"Instance":[%]}`, "InstanceId"},
	"disk": {"DescribeDisks", []url.Values{{"DiskIds": {`["x-1","x-2"]`}, "MaxResults": {"100"}}},
		`"Disks":{"Disk":[%]}`, "DiskId"},
	"snapshot": {"DescribeSnapshots", []url.Values{{"SnapshotIds": {`["x-1","x-2"]`}, "MaxResults": {"100"}}},
		`"Snapshots":{"Snapshot":[%]}`, "SnapshotId"},
	"image": {"DescribeImages", []url.Values{{"ImageId": {`x-1,x-2`}, "PageSize": {"100"},
		"Status": {"Creating,Waiting,Available,UnAvailable,CreateFailed,Deprecated"}}},
		`"Images":{"Image":[%]}`, "ImageId"},
	"securitygroup": {"DescribeSecurityGroups", []url.Values{{"SecurityGroupIds": {`["x-1","x-2"]`}, "MaxResults": {"100"}}},
		`"SecurityGroups":{"SecurityGroup":[%]}`, "SecurityGroupId"},
	"ddh": {"DescribeDedicatedHosts", []url.Values{{"DedicatedHostIds": {`["x-1","x-2"]`}, "MaxResults": {"100"}},
		{"DedicatedHostIds": {`["x-2"]`}, "MaxResults": {"100"}, "Status": {"UnderAssessment"}},
		{"DedicatedHostIds": {`["x-2"]`}, "MaxResults": {"100"}, "Status": {"PermanentFailure"}},
		{"DedicatedHostIds": {`["x-2"]`}, "MaxResults": {"100"}, "Status": {"TempUnavailable"}},
		{"DedicatedHostIds": {`["x-2"]`}, "MaxResults": {"100"}, "Status": {"Redeploying"}}},
		`"DedicatedHosts":{"DedicatedHost":[%]}`, "DedicatedHostId"},
	"ddhcluster": {"DescribeDedicatedHostClusters",
		[]url.Values{{"DedicatedHostClusterIds": {`["x-1","x-2"]`}, "PageSize": {"100"}}},
		`"DedicatedHostClusters":{"DedicatedHostCluster":[%]}`, "DedicatedHostClusterId"},
	"eni": {"DescribeNetworkInterfaces",
		[]url.Values{{"NetworkInterfaceId.1": {"x-1"}, "NetworkInterfaceId.2": {"x-2"}, "MaxResults": {"100"}}},
		`"NetworkInterfaceSets":{"NetworkInterfaceSet":[%]}`, "NetworkInterfaceId"},
	"keypair": {"DescribeKeyPairs",
		[]url.Values{{"KeyPairName": {"x-1"}, "PageSize": {"50"}}, {"KeyPairName": {"x-2"}, "PageSize": {"50"}}},
		`"KeyPairs":{"KeyPair":[%]}`, "KeyPairName"},
	"launchtemplate": {"DescribeLaunchTemplates",
		[]url.Values{{"LaunchTemplateId.1": {"x-1"}, "LaunchTemplateId.2": {"x-2"}, "PageSize": {"50"}}},
		`"LaunchTemplateSets":{"LaunchTemplateSet":[%]}`, "LaunchTemplateId"},
	"command": {"DescribeCommands",
		[]url.Values{{"CommandId": {"x-1"}, "PageSize": {"50"}}, {"CommandId": {"x-2"}, "PageSize": {"50"}}},
		`"Commands":{"Command":[%]}`, "CommandId"},
	"activation": {"DescribeActivations",
		[]url.Values{{"ActivationId": {"x-1"}, "PageSize": {"50"}}, {"ActivationId": {"x-2"}, "PageSize": {"50"}}},
		`"ActivationList":[%]`, "ActivationId"},
	"managedinstance": {"DescribeManagedInstances",
		[]url.Values{{"InstanceId.1": {"x-1"}, "InstanceId.2": {"x-2"}, "PageSize": {"50"}}},
		`"Instances":[%]`, "InstanceId"},
}

func TestResourceGroupOfEveryType(t *testing.T) {
	assert.Len(t, ResourceTypes(), 13)
	for _, name := range ResourceTypes() {
		t.Run(name, func(t *testing.T) {
			want, ok := typesOfResources[name]
			require.True(t, ok, "a type that nobody expects")
			row := `{"` + want.id + `":"x-1","ResourceGroupId":"rg-1","LaunchTemplateData":{"ResourceGroupId":"rg-2"}}`
			client, asked := recorded(t, replace(want.list, row))
			got, err := client.ResourceGroupOf(t.Context(), name, []string{"x-1", "x-2"})
			require.NoError(t, err)
			assert.Equal(t, map[string]string{"x-1": "rg-1"}, got)
			for i := range want.params {
				want.params[i].Set("Action", want.action)
			}
			assert.Equal(t, want.params, *asked)
			assert.Equal(t, len(want.params) == 2, OneByOne(name))

			client, asked = recorded(t, "")
			require.NoError(t, client.JoinResourceGroup(t.Context(), name, "x-1", "rg-1"))
			assert.Equal(t, []url.Values{{"Action": {"JoinResourceGroup"}, "ResourceType": {name}, "ResourceId": {"x-1"},
				"ResourceGroupId": {"rg-1"}}}, *asked)
		})
	}
}

func replace(list, row string) string {
	for i := range list {
		if list[i] == '%' {
			return list[:i] + row + list[i+1:]
		}
	}
	return list
}

// ECS may leave the default group out.
func TestAGroupThatECSLeavesOut(t *testing.T) {
	for what, c := range map[string]struct{ listed, want string }{
		"listed": {`{"Service":"ecs","ResourceType":"disk","ResourceId":"d-1","ResourceGroupId":"rg-default"}`, "rg-default"},
		"another type": {`{"Service":"ecs","ResourceType":"eni","ResourceId":"d-1","ResourceGroupId":"rg-9"},
			{"Service":"vpc","ResourceType":"disk","ResourceId":"d-1","ResourceGroupId":"rg-9"},
			{"Service":"ecs","ResourceType":"disk","ResourceId":"d-2","ResourceGroupId":"rg-9"}`, ""},
		"not listed": {``, ""},
	} {
		t.Run(what, func(t *testing.T) {
			var listed []url.Values
			client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Acs-Action") == "DescribeDisks" {
					answer(200, inBody(`"Disks":{"Disk":[{"DiskId":"d-1","ResourceGroupId":""},
						{"DiskId":"d-3","ResourceGroupId":"rg-3"}]}`))(w, r)
					return
				}
				assert.Equal(t, "ListResources", r.Header.Get("X-Acs-Action"))
				assert.Equal(t, "2020-03-31", r.Header.Get("X-Acs-Version"))
				listed = append(listed, r.URL.Query())
				answer(200, inBody(`"Resources":{"Resource":[`+c.listed+`]}`))(w, r)
			})
			got, err := client.ResourceGroupOf(t.Context(), "disk", []string{"d-1", "d-2", "d-3"})
			require.NoError(t, err)
			assert.Equal(t, map[string]string{"d-1": c.want, "d-3": "rg-3"}, got)
			assert.Equal(t, []url.Values{{"Service": {"ecs"}, "ResourceType": {"disk"}, "ResourceId": {"d-1"},
				"Region": {"cn-sim"}, "PageSize": {"100"}}}, listed)
		})
	}
}

func TestAGroupThatCannotBeLookedUpIsAnError(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Acs-Action") == "DescribeDisks" {
			answer(200, inBody(`"Disks":{"Disk":[{"DiskId":"d-1"}]}`))(w, r)
			return
		}
		answer(403, body("NoPermission"))(w, r)
	})
	_, err := client.ResourceGroupOf(t.Context(), "disk", []string{"d-1"})
	e := verdict.As(err)
	assert.Equal(t, verdict.Rejected, e.Verdict)
	assert.Equal(t, "ListResources", e.Op)
}

func TestTypesThatAreNone(t *testing.T) {
	client, asked := recorded(t, "")
	for _, name := range []string{"", "Instance", "vpc", "DISK"} {
		e := verdict.As(client.JoinResourceGroup(t.Context(), name, "i-1", "rg-1"))
		assert.Equal(t, verdict.Rejected, e.Verdict)
		assert.Contains(t, e.Message, `is no resource type; use activation, command, ddh, ddhcluster, disk, eni, image, `+
			`instance, keypair, launchtemplate, managedinstance, securitygroup, snapshot`)
		_, err := client.ResourceGroupOf(t.Context(), name, []string{"i-1"})
		assert.Equal(t, verdict.Rejected, verdict.Of(err))
	}
	assert.Empty(t, *asked)
}

// Key pairs have names, and an asterisk in one would be a pattern.
func TestNamesOfKeyPairs(t *testing.T) {
	client, asked := recorded(t, `"KeyPairs":{"KeyPair":[{"KeyPairName":"钥:1","ResourceGroupId":"rg-1"}]}`)
	got, err := client.ResourceGroupOf(t.Context(), "keypair", []string{"钥:1"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"钥:1": "rg-1"}, got)
	for _, name := range []string{"*", "a*", "a b", "", "a,b"} {
		_, err := client.ResourceGroupOf(t.Context(), "keypair", []string{name})
		assert.Equal(t, verdict.Rejected, verdict.Of(err), name)
	}
	assert.Len(t, *asked, 1)
}
