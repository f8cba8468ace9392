package alibaba

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// counting serves one instance on each of two pages, and says that there are so many in all to who asks by number. It
// records what was asked for.
func counting(t *testing.T, total int) (*Client, *[]url.Values) {
	var asked []url.Values
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		q.Del("RegionId")
		asked = append(asked, q)
		content := `"Instances":{"Instance":[{"InstanceId":"i-1","Tags":{"Tag":[{"TagKey":"team","TagValue":"web"}]}}]},"NextToken":"more"`
		switch {
		case q.Has("PageNumber"):
			content = fmt.Sprintf(`"TotalCount":%d,"Instances":{"Instance":[]}`, total)
		case q.Get("NextToken") != "":
			content = `"Instances":{"Instance":[{"InstanceId":"i-2"}]},"NextToken":""`
		}
		answer(200, inBody(content))(w, r)
	}), &asked
}

func instanceIDs(into *[]string) func(Instance) error {
	return func(i Instance) error {
		*into = append(*into, i.ID)
		return nil
	}
}

func TestFindInstances(t *testing.T) {
	client, asked := counting(t, 999)
	var got []Instance
	require.NoError(t, client.FindInstances(t.Context(), InstanceFilter{Name: "web-*", VPC: "vpc-1", SecurityGroup: "sg-1",
		Tags: map[string]string{"team": "web", "spare": ""}}, func(i Instance) error {
		got = append(got, i)
		return nil
	}))
	assert.Equal(t, []Instance{{ID: "i-1", Tags: map[string]string{"team": "web"}}, {ID: "i-2"}}, got)
	filter := func(more ...string) url.Values {
		q := url.Values{"InstanceName": {"web-*"}, "VpcId": {"vpc-1"}, "SecurityGroupId": {"sg-1"},
			"Tag.1.Key": {"spare"}, "Tag.2.Key": {"team"}, "Tag.2.Value": {"web"}}
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return q
	}
	assert.Equal(t, []url.Values{
		{"Tag.1.Key": {"spare"}, "Tag.2.Key": {"team"}, "Tag.2.Value": {"web"}, "PageSize": {"100"}, "PageNumber": {"1"}},
		filter("MaxResults", "100"),
		filter("MaxResults", "100", "NextToken", "more"),
	}, *asked)
}

// Beyond a thousand the cloud promises nothing of a filter by tags: everybody is read, and the caller compares.
func TestTooManyForTheCloudsFilter(t *testing.T) {
	client, asked := counting(t, 1000)
	var got []string
	require.NoError(t, client.FindInstances(t.Context(), InstanceFilter{VPC: "vpc-1", Tags: map[string]string{"team": ""}},
		instanceIDs(&got)))
	assert.Equal(t, []string{"i-1", "i-2"}, got)
	assert.Equal(t, []url.Values{
		{"Tag.1.Key": {"team"}, "PageSize": {"100"}, "PageNumber": {"1"}},
		{"VpcId": {"vpc-1"}, "MaxResults": {"100"}},
		{"VpcId": {"vpc-1"}, "MaxResults": {"100"}, "NextToken": {"more"}},
	}, *asked)
}

// The cloud may as well refuse such a filter.
func TestAFilterByTagsThatIsRefused(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("Tag.1.Key") {
			answer(400, body("InvalidParameter"))(w, r)
			return
		}
		answer(200, inBody(`"Instances":{"Instance":[{"InstanceId":"i-1"}]}`))(w, r)
	})
	var got []string
	require.NoError(t, client.FindInstances(t.Context(), InstanceFilter{Tags: map[string]string{"team": ""}}, instanceIDs(&got)))
	assert.Equal(t, []string{"i-1"}, got)
}

// Of a pattern with an asterisk elsewhere nobody says that the cloud takes it.
func TestPatternsThatTheCloudTakes(t *testing.T) {
	for pattern, sent := range map[string]bool{"web": true, "web*": true, "*web*": true, "*web": false, "w*b": false, "*w*b*": false,
		"*": false, "**": false, "": false} {
		client, asked := counting(t, 0)
		require.NoError(t, client.FindInstances(t.Context(), InstanceFilter{Name: pattern}, instanceIDs(new([]string))))
		assert.Equal(t, sent, (*asked)[0].Has("InstanceName"), "%q", pattern)
	}
}

func TestFindInstancesFails(t *testing.T) {
	enough := errors.New("enough")
	client, asked := counting(t, 0)
	require.ErrorIs(t, client.FindInstances(t.Context(), InstanceFilter{}, func(Instance) error { return enough }), enough)
	require.Len(t, *asked, 1)
	require.ErrorIs(t, client.EachInstance(t.Context(), []string{"i-1"}, func(Instance) error { return enough }), enough)
	*asked = nil
	for _, f := range []InstanceFilter{{VPC: "a b"}, {SecurityGroup: "*"}} {
		require.ErrorContains(t, client.FindInstances(t.Context(), f, instanceIDs(new([]string))), "not sent")
	}
	require.Empty(t, *asked)
	client = serve(t, answer(503, body("ServiceUnavailable")))
	tagged := InstanceFilter{Tags: map[string]string{"team": ""}}
	require.Equal(t, verdict.Transient, verdict.Of(client.FindInstances(t.Context(), tagged, instanceIDs(new([]string)))))
	require.Equal(t, verdict.Transient, verdict.Of(client.EachInstance(t.Context(), []string{"i-1"}, instanceIDs(new([]string)))))
}

func TestEachInstanceKeepsTheOrder(t *testing.T) {
	client := serve(t, answer(200, inBody(`"Instances":{"Instance":[{"InstanceId":"i-1"},{"InstanceId":"i-3"}]}`)))
	var got []string
	require.NoError(t, client.EachInstance(t.Context(), []string{"i-3", "i-2", "i-1"}, instanceIDs(&got)))
	assert.Equal(t, []string{"i-3", "i-1"}, got)
}

func TestResourcesIn(t *testing.T) {
	var asked []url.Values
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked = append(asked, q)
		rows := []string{`{"ResourceId":"d-1","ResourceGroupId":"rg-1"},{"ResourceId":"d-2","ResourceGroupId":"rg-2"}`,
			`{"ResourceId":"d-2","ResourceGroupId":"rg-2"},{"ResourceId":"d-3","ResourceGroupId":"rg-1"}`}
		n := strings.Index("12", q.Get("PageNumber"))
		answer(200, inBody(`"TotalCount":3,"Resources":{"Resource":[`+rows[n]+`]}`))(w, r)
	})
	got, err := client.ResourcesIn(t.Context(), "disk", "rg-1")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"d-1": "rg-1", "d-2": "rg-2", "d-3": "rg-1"}, got)
	assert.Equal(t, url.Values{"Service": {"ecs"}, "ResourceType": {"disk"}, "ResourceGroupId": {"rg-1"}, "Region": {"cn-sim"},
		"PageSize": {"100"}, "PageNumber": {"1"}}, asked[0])
	assert.Len(t, asked, 3, "the first page twice")
	_, err = client.ResourcesIn(t.Context(), "disk", "")
	require.NoError(t, err)
	assert.Equal(t, url.Values{"Service": {"ecs"}, "ResourceType": {"disk"}, "Region": {"cn-sim"}, "PageSize": {"100"},
		"PageNumber": {"1"}}, asked[3], "of any group")
	asked = nil
	_, err = client.ResourcesIn(t.Context(), "disk", "*")
	require.ErrorContains(t, err, "not sent")
	_, err = client.ResourcesIn(t.Context(), "Disk", "")
	require.ErrorContains(t, err, `"Disk" is no resource type`)
	require.Empty(t, asked)
	_, err = serve(t, answer(200, inBody(`"Resources":{"Resource":[]}`))).ResourcesIn(t.Context(), "instance", "rg-1")
	require.ErrorContains(t, err, "not what was expected", "an answer without a count is none")
}

// namesOfResources has the field that is the name of each type's resources.
var namesOfResources = map[string]string{"activation": "", "command": "Name", "ddh": "DedicatedHostName",
	"ddhcluster": "DedicatedHostClusterName", "disk": "DiskName", "eni": "NetworkInterfaceName", "image": "ImageName",
	"instance": "InstanceName", "keypair": "KeyPairName", "launchtemplate": "LaunchTemplateName",
	"managedinstance": "InstanceName", "securitygroup": "SecurityGroupName", "snapshot": "SnapshotName"}

func TestEachResourceOfEveryType(t *testing.T) {
	for _, resourceType := range ResourceTypes() {
		what, name := typesOfResources[resourceType], namesOfResources[resourceType]
		row := `{"` + what.id + `":"x-2","ZoneId":"z","ResourceGroupId":"rg-1","InstanceName":"other"`
		want := Resource{ID: "x-2", Zone: "z", Group: "rg-1", Tags: map[string]string{"team": "web"}}
		if name != "" && name != what.id {
			row = strings.Replace(row, `"InstanceName":"other"`, `"`+name+`":"n"`, 1)
			want.Name = "n"
		} else if name != "" {
			want.Name = "x-2"
		}
		switch {
		case resourceType == "instance":
			row += `,"VpcAttributes":{"VpcId":"vpc-1","VSwitchId":"v"}`
			want.VPC = "vpc-1"
		case InVPC(resourceType):
			row += `,"VpcId":"vpc-1"`
			want.VPC = "vpc-1"
		}
		row += `,"Tags":{"Tag":[{"TagKey":"team","TagValue":"web"}]}}`
		client := serve(t, answer(200, inBody(strings.Replace(what.list, "%", row, 1))))
		var got []Resource
		require.NoError(t, client.EachResource(t.Context(), resourceType, []string{"x-1", "x-2"}, func(r Resource) error {
			got = append(got, r)
			return nil
		}), resourceType)
		assert.Equal(t, []Resource{want}, got, resourceType)
		assert.Equal(t, want.Name != "", Named(resourceType), resourceType)
		assert.Equal(t, want.VPC != "", InVPC(resourceType), resourceType)
	}
}

func TestEachResourceFails(t *testing.T) {
	enough := errors.New("enough")
	client, asked := counting(t, 0)
	stop := func(Resource) error { return enough }
	require.ErrorIs(t, client.EachResource(t.Context(), "instance", []string{"i-1"}, stop), enough)
	*asked = nil
	require.ErrorContains(t, client.EachResource(t.Context(), "Disk", []string{"d-1"}, stop), `"Disk" is no resource type`)
	require.ErrorContains(t, client.EachResource(t.Context(), "disk", []string{"a b"}, stop), "not sent")
	require.Empty(t, *asked)
	client = serve(t, answer(503, body("ServiceUnavailable")))
	require.Equal(t, verdict.Transient, verdict.Of(client.EachResource(t.Context(), "disk", []string{"d-1"}, stop)))
}
