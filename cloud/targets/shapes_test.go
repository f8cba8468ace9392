package targets_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/targets"
)

// take reads a whole list, and what it was taken for.
func take(text string, o targets.Options) (found []targets.Target, taken targets.Taken, err error) {
	taken, err = targets.Read(strings.NewReader(text), o, func(t targets.Target) error {
		t.Line = 0
		found = append(found, t)
		return nil
	})
	return found, taken, err
}

// encodings are those that spreadsheets write.
var encodings = map[string]encoding.Encoding{
	"UTF-8":    unicode.UTF8,
	"GB18030":  simplifiedchinese.GB18030,
	"UTF-16LE": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	"UTF-16BE": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
}

func encoded(t require.TestingT, name, text string) string {
	out, err := encodings[name].NewEncoder().String(text)
	require.NoError(t, err)
	return out
}

// A list in any encoding says the same, with a byte order mark and without one, however far the first Chinese word is.
func TestListsInAnyEncoding(t *testing.T) {
	marks := map[string]string{"UTF-8": "\ufeff", "UTF-16LE": "\ufeff", "UTF-16BE": "\ufeff"}
	long := "实例ID,分组,可用区,备注\r\n" + strings.Repeat("\r\n", 100_000) + "i-1,g-1,a,前端，左\r\ni-2,,b,\"第二\r\n行\"\r\n"
	late := "id,note\n" + strings.Repeat("\n", 200_000) + "i-1,前端\n"
	for name := range encodings {
		for _, mark := range []string{"", marks[name]} {
			found, taken, err := take(encoded(t, name, mark+long), targets.Options{Format: fleet.CSV})
			require.NoError(t, err, "%s %q", name, mark)
			require.Equal(t, []targets.Target{
				{Member: "i-1", Group: "g-1", Traits: traits{"zone": "a", "备注": "前端，左"}},
				{Member: "i-2", Traits: traits{"zone": "b", "备注": "第二\n行"}},
			}, found, "%s %q", name, mark)
			require.Equal(t, "2 members, "+name+", columns separated by commas; ids from 实例ID, groups from 分组, zones from 可用区",
				taken.String())
			found, taken, err = take(encoded(t, name, mark+late), targets.Options{Format: fleet.CSV})
			require.NoError(t, err, "%s %q", name, mark)
			require.Equal(t, traits{"note": "前端"}, found[0].Traits)
			require.Equal(t, name, taken.Encoding)
		}
		found, taken, err := take(encoded(t, name, `[{"实例ID": "i-1", "备注": "前端"}]`), targets.Options{Format: fleet.JSON})
		require.NoError(t, err, name)
		require.Equal(t, []targets.Target{{Member: "i-1", Traits: traits{"备注": "前端"}}}, found, name)
		require.Equal(t, name, taken.Encoding)
		_, taken, err = take(encoded(t, name, "组一:\n- i-1\n"), targets.Options{Format: fleet.YAML})
		require.ErrorContains(t, err, `line 1, group: "组一"`, name)
		require.Equal(t, name, taken.Encoding)
	}
	_, taken, err := take("i-1\n", targets.Options{Format: fleet.CSV})
	require.NoError(t, err)
	require.Equal(t, "1 member, ASCII, ids without a header", taken.String())
}

// What people name by mistake is told by its name; what has zeros and is no text is told, too.
func TestWhatIsNoText(t *testing.T) {
	for content, want := range map[string]string{
		"PK\x03\x04\x14\x00\x06\x00":              "targets: the file is a spreadsheet or another ZIP archive; save the sheet as CSV",
		"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":        "save the sheet as CSV",
		"\x1f\x8b\x08\x00\x00":                    "is packed by gzip; unpack it",
		"%PDF-1.7\n":                              "is a PDF",
		"\x7fELF\x02\x01\x01\x00\x00\x00\x00":     "is no text: it has zero bytes",
		"id\ni-1\n" + strings.Repeat("\x00", 100): "is no text: it has zero bytes",
		"id\ni-1\x00\n":                           "is no text: it has zero bytes",
		strings.Repeat("\x00", 4096):              "is no text: it has zero bytes",
	} {
		for _, format := range []fleet.Format{fleet.CSV, fleet.JSON, fleet.YAML} {
			_, _, err := take(content, targets.Options{Format: format})
			var bad *membership.BadInput
			require.ErrorAs(t, err, &bad, "%q", content)
			require.ErrorContains(t, err, want, "%q", content)
			require.Len(t, bad.Problems, 1)
		}
	}
}

// Cut anywhere, and in pieces of any size.
func TestEncodingsAreToldByAnyReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"UTF-8", "GB18030", "UTF-16LE", "UTF-16BE"}).Draw(t, "encoding")
		note := rapid.StringMatching(`[实例前端左右a-z]{1,9}例ID`).Draw(t, "note")
		text := encoded(t, name, "id,note\n"+strings.Repeat("\n", rapid.IntRange(0, 3).Draw(t, "lines"))+"i-1,"+note+"\n")
		var r io.Reader = strings.NewReader(text)
		if rapid.Bool().Draw(t, "slowly") {
			r = iotest.OneByteReader(r)
		}
		var got string
		_, err := targets.Read(r, targets.Options{Format: fleet.CSV}, func(t targets.Target) error { got = t.Traits["note"]; return nil })
		require.NoError(t, err)
		require.Equal(t, note, got)
	})
}

// Chinese comes when most of the file has been read, and is wrong at last.
func TestBrokenTextIsNamedByItsLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"GB18030": {encoded(t, "GB18030", "id,备注\ni-1,前\ni-2,") + strings.Repeat("x", 70_000) + "\xff\xff\n",
			`line 3, column 备注`},
		"UTF-8": {"id,备注\ni-1,前\ni-2," + strings.Repeat("x", 70_000) + "\xff\xff\n", `line 3, column 备注`},
	} {
		_, _, err := take(c.text, targets.Options{Format: fleet.CSV})
		require.ErrorContains(t, err, c.want, name)
		require.ErrorContains(t, err, "is not "+name+"; save the file as UTF-8", name)
	}
}

func TestEncodedListsInFlatMemory(t *testing.T) {
	const lines = 50_000
	g := generate(fleet.CSV, lines)
	g.head = "member,group,zone,备注\n"
	before, most, count := heapAlive(), int64(0), 0
	r := transform.NewReader(g, simplifiedchinese.GB18030.NewEncoder())
	taken, err := targets.Read(r, targets.Options{Format: fleet.CSV}, func(targets.Target) error {
		if count++; count%(lines/10) == 0 {
			most = max(most, heapAlive()-before)
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, lines, taken.Members)
	require.Equal(t, "GB18030", taken.Encoding)
	require.Less(t, most, int64(lines)*64+1<<20, "bytes alive")
}

func TestHeadersAsPeopleWriteThem(t *testing.T) {
	for header, o := range map[string]targets.Options{
		"Instance ID,Group": {}, "InstanceId,GROUP ID": {}, "实例ID,分组": {}, "server_id,group-id": {}, "id,target group": {},
		" ECS_ID ;组": {}, "服务器ID\t目标组ID": {}, "云服务器ID,分组ID": {}, "ＩＤ,Ｇroup": {}, "sep=;\nVM-ID;Group": {},
		"sep=\t\r\nnetworkInterfaceId\tGroup": {},
		"Instance ID,Security Group ID":       {Groups: true, Kind: "alibaba.securitygroup"},
		"实例 ID,安全组ID":                         {Groups: true, Kind: "alibaba.securitygroup"},
		"云服务器 ID,云服务器组":                       {Groups: true, Kind: "huawei.servergroup"},
		"ID,资源组ID":                            {Groups: true, Kind: "alibaba.resourcegroup"},
		"instance_id,node_pool_id":            {Groups: true, Kind: "huawei.nodepool"},
	} {
		o.Format = fleet.CSV
		separator := ","
		for _, s := range []string{";", "\t"} {
			if strings.Contains(strings.TrimPrefix(header, "sep=;"), s) {
				separator = s
			}
		}
		found, _, err := take(header+"\r\ni-1"+separator+"g-1\r\n", o)
		require.NoError(t, err, header)
		require.Equal(t, []targets.Target{{Member: "i-1", Group: "g-1"}}, found, header)
	}
	// Where the step says where members go, a column with the groups that they are in now says nothing.
	found, taken, err := take("Instance ID,安全组ID,组\ni-1,sg-1,\n", targets.Options{Format: fleet.CSV, Kind: "alibaba.securitygroup"})
	require.NoError(t, err)
	require.Equal(t, []targets.Target{{Member: "i-1", Traits: traits{"安全组ID": "sg-1"}}}, found)
	require.Equal(t, []string{"Instance ID"}, taken.IDs)
}

// What says it plainly goes before what only clouds call it so, in whatever order.
func TestPlainNamesGoFirst(t *testing.T) {
	want := []targets.Target{{Member: "i-1", Traits: traits{"InstanceId": "i-2", "zone": "a", "az": "b"}}}
	for _, list := range []string{`{"id":"i-1","InstanceId":"i-2","zone":"a","az":"b"}`, `{"az":"b","InstanceId":"i-2","zone":"a","id":"i-1"}`} {
		found, _, err := take(list, targets.Options{Format: fleet.JSON})
		require.NoError(t, err)
		require.Equal(t, want, found)
	}
	found, _, err := take("az,InstanceId,zone,id\nb,i-2,a,i-1\n", targets.Options{Format: fleet.CSV})
	require.NoError(t, err)
	require.Equal(t, want, found)
}

func TestIDsWithoutAHeader(t *testing.T) {
	uuid := "5b368e08-27c5-4ff7-b211-40577f2020ad"
	for text, want := range map[string][]string{
		"i-bp1a\r\ni-bp1b":                    {"i-bp1a", "i-bp1b"},
		"# ids\n\n" + uuid + "\nanything\n":   {uuid, "anything"},
		"\ufeffeni-2;;\neni-3;;\n":            {"eni-2", "eni-3"},
		"\"d-1\"\n\"d-2\"\n":                  {"d-1", "d-2"},
		encoded(t, "UTF-16LE", "i-1\ti-2\n"):  nil,
		"id\ni-1\n":                           {"i-1"},
		encoded(t, "UTF-16LE", "i-1\r\ni-2"):  {"i-1", "i-2"},
		encoded(t, "UTF-16BE", "\ufeffi-1\n"): {"i-1"},
	} {
		found, _, err := take(text, targets.Options{Format: fleet.CSV})
		var ids []string
		for _, f := range found {
			ids = append(ids, f.Member)
		}
		require.Equal(t, want, ids, "%q: %v", text, err)
		require.Equal(t, want == nil, err != nil, "%q", text)
	}
}

func TestWhatCommandLinesPrint(t *testing.T) {
	a, b := targets.Target{Member: "i-1"}, targets.Target{Member: "i-2"}
	tagged := targets.Target{Member: "i-1", Traits: traits{"zone": "cn-a", "tag:app": "web"}}
	for text, want := range map[string]struct {
		found []targets.Target
		taken string
	}{
		`{"PageNumber":1,"TotalCount":2,"Instances":{"Instance":[
			{"InstanceId":"i-1","ZoneId":"cn-a","Tags":{"Tag":[{"TagKey":"app","TagValue":"web"}]},"SecurityGroupIds":{"SecurityGroupId":["sg-1"]}},
			{"InstanceId":"i-2","Tags":{"Tag":[]}}]},"RequestId":"R"}`: {[]targets.Target{tagged, b},
			"2 members, ASCII, what aliyun ecs DescribeInstances prints; ids from InstanceId, zones from ZoneId"},
		`{"Instances":{"Instance":[{"InstanceId":"i-1"}]},"TotalCount":500}`: {[]targets.Target{a},
			"1 member, ASCII, what aliyun ecs DescribeInstances prints; ids from InstanceId; ONLY A PART: where it comes from there are 500"},
		`{"TotalCount":2,"Instances":{"Instance":[{"InstanceId":"i-1"}]}} {"TotalCount":2,"Instances":{"Instance":[{"InstanceId":"i-2"}]}}`: {
			[]targets.Target{a, b}, "2 members, ASCII, what aliyun ecs DescribeInstances prints; ids from InstanceId"},
		`{"count":2,"servers":[{"id":"i-1","OS-EXT-AZ:availability_zone":"cn-a","tags":["app=web"],"flavor":{"id":"f"}},{"id":"i-2"}]}`: {
			[]targets.Target{tagged, b},
			"2 members, ASCII, what hcloud ECS ListServersDetails prints; ids from id, zones from OS-EXT-AZ:availability_zone"},
		`{"kind":"List","apiVersion":"v3","items":[{"kind":"Node","metadata":{"uid":"n-1"},"spec":{"az":"cn-a"},"status":{"serverId":"i-1"}}]}`: {
			[]targets.Target{{Member: "i-1", Traits: traits{"zone": "cn-a"}}},
			"1 member, ASCII, what hcloud CCE ListNodes prints; ids from status.serverId, zones from spec.az"},
		`{"nodes":[{"instance_id":"i-1","node_name":"n"}],"page":{"total_count":1}}`: {[]targets.Target{a},
			"1 member, ASCII, what aliyun cs DescribeClusterNodes prints; ids from instance_id"},
		`{"Code":200,"ClusterMemberPage":{"PageSize":50,"ClusterMemberList":{"ClusterMember":[{"EcsId":"i-1"},{"EcsId":"i-2"}]}}}`: {
			[]targets.Target{a, b}, "2 members, ASCII, what aliyun edas ListClusterMembers prints; ids from EcsId"},
		`{"NetworkInterfaceSets":{"NetworkInterfaceSet":[{"InstanceId":"i-9","NetworkInterfaceId":"i-1"}]}}`: {[]targets.Target{a},
			"1 member, ASCII, what aliyun ecs DescribeNetworkInterfaces prints; ids from NetworkInterfaceId"},
		`{"Disks":{"Disk":[{"DiskId":"i-1","InstanceId":"i-9"}]}}`: {[]targets.Target{a},
			"1 member, ASCII, what aliyun ecs DescribeDisks prints; ids from DiskId"},
		`{"Resources":{"Resource":[{"ResourceId":"i-1","ResourceGroupId":"rg-1"}]}}`: {[]targets.Target{a},
			"1 member, ASCII, what aliyun resourcemanager ListResources prints; ids from ResourceId"},
		`{"server_group":{"id":"g","members":["i-1","i-2"],"metadata":{}}}`: {[]targets.Target{a, b},
			"2 members, ASCII, what hcloud ECS ShowServerGroup prints; ids from member"},
		`[{"ID":"i-1","Networks":{"net":["10.0.0.1"]}},{"ID":"i-2"}]`: {[]targets.Target{a, b}, "2 members, ASCII; ids from ID"},
	} {
		found, taken, err := take(text, targets.Options{Format: fleet.JSON})
		require.NoError(t, err, text)
		require.Equal(t, want.found, found, text)
		require.Equal(t, want.taken, taken.String(), text)
	}
	for text, want := range map[string]string{
		"{\"Instances\":\n{\"Instance\":[{\"InstanceId\":\"i-1\"},\n{\"InstanceId\":\"i 2\"},\n{\"Name\":\"x\"},7,[1],{\"InstanceId\":\"i-1\"}]}}": `line 3, item 2, InstanceId: "i 2": ` + wantID +
			", digits, '.', '_', ':' or '-', beginning with a letter or digit\n" +
			"line 4, item 3, InstanceId: is missing; want the member's id there\n" +
			"line 4, item 4: the JSON value 7: want an object with InstanceId\n" +
			"line 4, item 5: a JSON array: want an object with InstanceId\n" +
			`line 4, item 6, InstanceId: "i-1": is the same as in line 2, item 1; name each member once`,
		`{"Instances":{"Instance":[]}}`:                 "targets: the list names no member; want at least one",
		`{"Instances":{"Instance":[{"InstanceId":"i-1"`: "line 1: is not JSON near byte 45: unexpected EOF",
		`{"Instances":{"Instance":[{"InstanceId":,`:     "line 1: is not JSON near byte 40: invalid character ',' looking for beginning of value",
		`{"Vpcs":{"Vpc":[{"VpcId":"i-1"}]}}`:            "line 1, item 1, member: is missing; want the member's id as member or as id",
	} {
		_, _, err := take(text, targets.Options{Format: fleet.JSON})
		require.EqualError(t, err, want, text)
	}
}

const stateFile = `{
  "version": 4, "terraform_version": "1.9.5", "serial": 7, "lineage": "l", "outputs": {"password": {"value": "secret"}},
  "resources": [
    {"mode": "data", "type": "alicloud_instance", "name": "seen", "instances": [{"attributes": {"id": "i-0"}}]},
    {"module": "module.web[\"a\"]", "mode": "managed", "type": "alicloud_instance", "name": "web", "instances": [
      {"index_key": 0, "attributes": {"id": "i-1", "availability_zone": "cn-a", "tags": {"app": "web"}, "password": "secret"}},
      {"index_key": 1, "attributes": {"id": "i-2", "tags": null}},
      {"index_key": 1, "deposed": "0a", "attributes": {"id": "i-9"}}]},
    {"mode": "managed", "type": "alicloud_instance", "name": "db", "instances": [{"attributes": {"id": "i-3"}}]},
    {"mode": "managed", "type": "alicloud_ecs_network_interface", "name": "n", "instances": [{"index_key": "k", "attributes": {"id": "eni-1"}}]},
    {"mode": "managed", "type": "huaweicloud_compute_instance", "name": "h", "instances": [{"attributes": {"id": "h-1"}}]}
  ], "check_results": null}`

const shownState = `{"format_version":"1.0","terraform_version":"1.9.5","values":{"root_module":{
  "resources":[{"address":"alicloud_instance.db","mode":"managed","type":"alicloud_instance","name":"db","values":{"id":"i-3"}},
    {"address":"huaweicloud_compute_instance.h","mode":"managed","type":"huaweicloud_compute_instance","values":{"id":"h-1"}},
    {"address":"alicloud_ecs_network_interface.n[\"k\"]","mode":"managed","type":"alicloud_ecs_network_interface","values":{"id":"eni-1"}}],
  "child_modules":[{"address":"module.web[\"a\"]","resources":[
    {"address":"module.web[\"a\"].alicloud_instance.web[0]","mode":"managed","type":"alicloud_instance","index":0,
     "values":{"id":"i-1","availability_zone":"cn-a","tags":{"app":"web"}}},
    {"address":"module.web[\"a\"].alicloud_instance.web[1]","mode":"managed","type":"alicloud_instance","index":1,"values":{"id":"i-2","tags":{}}}]}]}}}`

func TestTerraformStates(t *testing.T) {
	for _, text := range []string{stateFile, shownState} {
		for _, c := range []struct {
			kind, address string
			want          []string
		}{
			{"alibaba.securitygroup", "", []string{"i-1", "i-2", "i-3"}},
			{"huawei.servergroup", "", []string{"h-1"}},
			{"", "", []string{"h-1", "i-1", "i-2", "i-3"}},
			{"alibaba.securitygroup", `module.web["a"].alicloud_instance.web[*]`, []string{"i-1", "i-2"}},
			{"alibaba.securitygroup", `module.*.web[1]`, []string{"i-2"}},
			{"alibaba.securitygroup", `module.web`, []string{"i-1", "i-2"}},
			{"alibaba.securitygroup", `alicloud_instance.db`, []string{"i-3"}},
			{"alibaba.securitygroup", `*alicloud_instance.*`, []string{"i-1", "i-2", "i-3"}},
			{"alibaba.securitygroup", `alicloud_ecs_network_interface.n["k"]`, []string{"eni-1"}},
		} {
			found, taken, err := take(text, targets.Options{Format: fleet.JSON, Kind: c.kind, Address: c.address})
			require.NoError(t, err, "%s %s", c.kind, c.address)
			var ids []string
			for _, f := range found {
				ids = append(ids, f.Member)
				if f.Member == "i-1" {
					require.Equal(t, traits{"zone": "cn-a", "tag:app": "web"}, f.Traits)
				}
			}
			require.ElementsMatch(t, c.want, ids, "%s %s", c.kind, c.address)
			require.Contains(t, taken.String(), "a state ")
		}
		_, _, err := take(text, targets.Options{Format: fleet.JSON, Address: "alicloud_instance.d"})
		require.ErrorContains(t, err, `targets.address: "alicloud_instance.d": names no instance of the step's cloud, and no resource by its type; `+
			`it has alicloud_ecs_network_interface.n["k"], alicloud_instance.db, huaweicloud_compute_instance.h`)
	}
	for text, want := range map[string]string{
		`{"version":3,"modules":[],"resources":[]}`:            `version "3": is of a state of Terraform that is too old or too new; want 4`,
		`{"format_version":"1.2","planned_values":{}}`:         "planned_values: is of a plan of Terraform; want a state",
		`{"version":4,"resources":[]}`:                         "it has no resource at all",
		`{"version":4,"resources":{}}`:                         "line 1: is not JSON",
		strings.ReplaceAll(stateFile, `"id": "i-2"`, `"x": 1`): `line 3, item 2, module.web["a"].alicloud_instance.web[1]: has no id`,
		strings.ReplaceAll(stateFile, `"i-3"`, `"i 3"`):        `line 3, item 3, alicloud_instance.db: "i 3": want an id`,
		strings.ReplaceAll(stateFile, `"i-3"`, `"i-1"`):        `alicloud_instance.db: "i-1": is the same as in line 3, item 1`,
		strings.ReplaceAll(stateFile, `{"id": "i-3"}`, `[]`):   "alicloud_instance.db: has no values",
	} {
		_, _, err := take(text, targets.Options{Format: fleet.JSON, Kind: "alibaba.edas"})
		var bad *membership.BadInput
		require.ErrorAs(t, err, &bad, text)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
	}
	for _, format := range []fleet.Format{fleet.CSV, fleet.JSON, fleet.YAML} {
		_, _, err := take("", targets.Options{Format: format, Address: "module.web"})
		require.ErrorContains(t, err, `targets.address: "module.web": is for a state of Terraform, which the file is not; leave it out`)
	}
	_, _, err := take("id\ni-1\n", targets.Options{Format: fleet.CSV, Address: "module.web"})
	require.ErrorContains(t, err, "is for a state of Terraform", "else all of the list would be taken")
}
