package targets_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/targets"
)

// readTargets reads a whole list.
func readTargets(text string, format fleet.Format) (found []targets.Target, err error) {
	_, err = targets.Read(strings.NewReader(text), targets.Options{Format: format}, func(t targets.Target) error {
		found = append(found, t)
		return nil
	})
	return found, err
}

type traits = map[string]string

func TestReadTargetFiles(t *testing.T) {
	for name, want := range map[string][]targets.Target{
		"web.csv": {
			{Member: "i-1", Group: "g-1", Traits: traits{"zone": "a", "note": "front, left"}, Line: 3},
			{Member: "i-2", Group: "g-1", Traits: traits{"zone": "b"}, Line: 5},
		},
		"spreadsheet.csv": {
			{Member: "i-1", Group: "g-1", Traits: traits{"Rack": "7"}, Line: 2},
			{Member: "i-2", Traits: traits{"Rack": "8"}, Line: 3},
		},
		"tabs.tsv": {
			{Member: "i-1", Group: "g-1", Line: 2},
			{Member: "i-2", Traits: traits{"zone": "b"}, Line: 3},
		},
		"web.json": {
			{Member: "i-1", Line: 2},
			{Member: "i-2", Group: "g-1", Traits: traits{"zone": "b", "rack": "7", "spare": "true"}, Line: 3},
		},
		"web.jsonl": {
			{Member: "i-1", Traits: traits{"zone": "a"}, Line: 1},
			{Member: "i-2", Line: 2},
		},
		"web.yaml": {
			{Member: "i-1", Line: 1},
			{Member: "i-2", Group: "g-1", Traits: traits{"rack": "007"}, Line: 2},
		},
		"groups.yaml": {
			{Member: "i-1", Group: "g-1", Line: 1},
			{Member: "i-2", Group: "g-1", Line: 1},
			{Member: "i-3", Group: "g-2", Traits: traits{"zone": "a"}, Line: 3},
		},
	} {
		format, err := fleet.FormatOf(name)
		require.NoError(t, err, name)
		f, err := targets.Open("testdata/targets", name)
		require.NoError(t, err, name)
		var got []targets.Target
		_, err = targets.Read(f, targets.Options{Format: format}, func(t targets.Target) error { got = append(got, t); return nil })
		require.NoError(t, err, name)
		require.NoError(t, f.Close())
		require.Equal(t, want, got, name)
	}
	files, err := os.ReadDir("testdata/targets")
	require.NoError(t, err)
	require.Len(t, files, 7, "each file is looked at")
}

func TestReadTargetsTakesManyShapes(t *testing.T) {
	one := []string{"i-1"}
	two := []string{"i-1", "i-2"}
	for _, c := range []struct {
		format fleet.Format
		text   string
		want   []string
	}{
		{fleet.CSV, "member\ni-1", one},
		{fleet.CSV, "\n  \n# list\r\n ID \r\ni-1\r\n", one},
		{fleet.CSV, `"member" ` + "\n", nil}, // not a header
		{fleet.CSV, "\"member\";\"zone, room\"\n\"i-1\";\"a\"\n", one},
		{fleet.CSV, "member,\ni-1,\n", one},             // a column without a name and without values
		{fleet.CSV, "member,zone\ni-1\ni-2,a,,\n", two}, // cells too few; empty cells too many
		{fleet.CSV, "note,member\n\"two\nlines\",i-1\n,i-2\n", two},
		{fleet.CSV, "member, note\ni-1, \"said \"\"no\"\"\"\n", one},
		{fleet.CSV, "member,zone\n\u00a0i-1\u00a0,a\n", one},
		{fleet.JSON, `["i-1"]`, one},
		{fleet.JSON, "\ufeff\n{\"member\":\"i-1\"}{\"member\":\"i-2\"}", two},
		{fleet.JSON, `"i-1" "i-2"`, two},
		{fleet.JSON, `[{"ID":"i-1","Group":"g"},"i-2"]`, two},
		{fleet.YAML, "\ufeff- i-1\n", one},
		{fleet.YAML, "--- [i-1, 'i-2']\n", two},
		{fleet.YAML, "- 0123\n- 1e9\n- no\n", []string{"0123", "1e9", "no"}},
		{fleet.YAML, "\"g-1\": []\ng-2: [i-1, {id: i-2}]\n", two},
	} {
		found, err := readTargets(c.text, c.format)
		var ids []string
		for _, target := range found {
			ids = append(ids, target.Member)
		}
		require.Equal(t, c.want, ids, "%s %q: %v", c.format, c.text, err)
		require.Equal(t, c.want == nil, err != nil, "%s %q: %v", c.format, c.text, err)
	}
}

// A list as a spreadsheet saves it has all of these at once.
func TestASpreadsheetsWays(t *testing.T) {
	const list = "\ufeff\"member\";group;;\"a \"\"note\"\"\";zone\r\n" +
		"\"i-1\";g-1;;\"left; front\r\nrow\";\r\n" +
		" i-2 ;;\"\";\"said \"\"no\"\"\";b\r\n" +
		";;;;\r\n\r\n" +
		"i-3\r\n"
	found, err := readTargets(list, fleet.CSV)
	require.NoError(t, err)
	require.Equal(t, []targets.Target{
		{Member: "i-1", Group: "g-1", Traits: traits{`a "note"`: "left; front\nrow"}, Line: 2},
		{Member: "i-2", Traits: traits{`a "note"`: `said "no"`, "zone": "b"}, Line: 4},
		{Member: "i-3", Line: 7},
	}, found)
}

const wantID = "want an id of 1 to 128 letters"

func TestReadTargetsSaysWhatIsWrong(t *testing.T) {
	long := strings.Repeat("x", 2<<20)
	for _, c := range []struct {
		format fleet.Format
		text   string
		want   []string // how each problem begins
	}{
		{fleet.CSV, "", []string{"targets: the list names no member; want at least one"}},
		{fleet.CSV, "# nothing\n\n", []string{"targets: the list names no member"}},
		{fleet.CSV, "member\n", []string{"targets: the list names no member"}},
		{fleet.CSV, "web-1\nweb-2\n", []string{`line 1: "web-1": has no column that names members; want a header such as member,group,zone above`}},
		{fleet.CSV, "i-1;g-1\n", []string{`line 1: "i-1;g-1": begins with an id, so it is no header, and has more than the id`}},
		{fleet.CSV, "i-1\ni 2\ni-3,a\ni-1\n", []string{`line 2, member: "i 2": ` + wantID, `line 3, 2: "a": stands under no name`,
			`line 4, member: "i-1": is the same as in line 1; name each member once`}},
		{fleet.CSV, "member,zone,ID,zone\ni-1,a,b,c\n", []string{
			"line 1, column ID: is there twice (member and id are the same)", "line 1, column zone: is there twice"}},
		{fleet.CSV, "member,group\ni 1,g-1\ni-2,g/1\n,g-2\n", []string{
			`line 2, column member: "i 1": ` + wantID, `line 3, column group: "g/1": ` + wantID, "line 4, column member: is missing; want the member's id"}},
		{fleet.CSV, "id\ni-1\n\ni-2\ni-1\n", []string{`line 5, column id: "i-1": is the same as in line 2; name each member once`}},
		{fleet.CSV, "member,,zone\ni-1,x,a,b\n", []string{
			`line 2, column 2: "x": stands under no name of the header`, `line 2, column 4: "b": stands under no name of the header`}},
		{fleet.CSV, "# c\nmember,note\ni-1,a\"b\ni/2,\"a\" b\ni-3,\"open\n\ni-4\n", []string{
			"line 3: has a quote out of place (line 3, character 6); want quotes around the whole value",
			"line 4: has a quote out of place (line 4, character", "line 5: has a quote out of place (line 7, "}},
		{fleet.CSV, "member,note\ni-1,\"" + long, []string{"line 2: does not end within 1048576 bytes; is a quote or bracket not closed?"}},
		{fleet.CSV, long, []string{"line 1: does not end within"}},
		{fleet.CSV, "member,note\ni-1,caf\xe9\n", []string{`line 2, column note: "caf\xe9": is not UTF-8; save the file as UTF-8`}},
		{fleet.CSV, "member,Instance ID,实例ID,instance_id\ni-1,i-2,i-3,i-4\n\n,i-5\n", []string{"line 4, column member: is missing"}},
		{fleet.CSV, "Instance ID,实例ID\ni-1,i-2\n", []string{
			"line 1, column 实例ID: may be the member, and so may column Instance ID; call the right one member"}},
		{fleet.CSV, "id,group,分组\ni-1,g-1,g-2\n", []string{
			"line 1, column 分组: may be the group, and so may column group; call the right one group"}},
		{fleet.CSV, "member,\xe9\x1b[2J\ni-1,a\n", []string{`line 1, column "\xe9\x1b[2J": is not UTF-8; save the file as UTF-8`}},
		{fleet.CSV, "\xff\xfei\x00d\x00\n\x00i\x00/\x00", []string{`line 2, column id: "i/": ` + wantID}},

		{fleet.JSON, "", []string{"targets: the list names no member"}},
		{fleet.JSON, "[]", []string{"targets: the list names no member"}},
		{fleet.JSON, "[\n\"i 1\", {},\n7, null, [[1], 2], true, \"i-2\",\n \"i-2\", \"\"]", []string{
			`line 2, item 1, member: "i 1": ` + wantID, "line 2, item 2, member: is missing",
			"line 3, item 3: the JSON value 7: want an id in quotes or an object", "line 3, item 4: the JSON value null: want an id",
			"line 3, item 5: a JSON array: want an id", "line 3, item 6: the JSON value true: want an id",
			`line 4, item 8, member: "i-2": is the same as in line 3, item 7`, "line 4, item 9, member: is missing"}},
		{fleet.JSON, "{\"member\":\n\"i/1\",\"id\":\"i-2\",\"group\":{\"a\":[]},\n\"zone\":\"a\",\"zone\":\"b\",\"\":\"c\",\"tags\":[]}", []string{
			`line 2, item 1, member: "i/1": ` + wantID, `line 2, item 1, id: "i-2": is a second name of the member; want one`,
			"line 2, item 1, group: a JSON object: want a string", `line 3, item 1, zone: "b": is the second value of zone; want one`,
			`line 3, item 1: "c": stands under no name`}},
		{fleet.JSON, `{"member":1,"group":2,"rack":3}`, []string{
			"line 1, item 1, member: the JSON value 1: want a string", "line 1, item 1, group: the JSON value 2: want a string"}},
		{fleet.JSON, "[\"i-1\",\n\n}", []string{"line 3: is not JSON near byte 9: invalid character '}'"}},
		{fleet.JSON, "[\"i-1\",\n\"i-2\"", []string{"line 2: is not JSON near byte 13: unexpected EOF"}},
		{fleet.JSON, "[\"i-1\"]\n7", []string{"line 2: has more behind the end of the list; want one list"}},
		{fleet.JSON, "[\"i-1\"] }", []string{"line 1: is not JSON near byte 8: invalid character '}'"}},
		{fleet.JSON, "[\"i-1\",\n\"" + long, []string{"line 2: does not end within"}},
		{fleet.JSON, `["i-1", {"member":"i-2","a":[` + long, []string{"line 1: is not JSON near byte 29: invalid character 'x'"}},
		{fleet.JSON, "\xfe\xff\x00[", []string{"line 1: is not JSON near byte 1: unexpected EOF"}},
		{fleet.JSON, `[{"member":"i-1","note":"caf` + "\xe9" + `"}]`, []string{`line 1, item 1, note: "caf�": is not UTF-8`}},
		{fleet.JSON, `[{"InstanceId":"i-1","DiskId":"d-1"}]`, []string{
			`line 1, item 1, DiskId: "d-1": may name the member, and so may InstanceId; call the right one member`}},

		{fleet.YAML, "", []string{"targets: the list names no member"}},
		{fleet.YAML, "# later\n", []string{"targets: the list names no member"}},
		{fleet.YAML, "~", []string{"targets: the list names no member"}},
		{fleet.YAML, "i-1", []string{`line 1: "i-1": want a list of ids or objects, or such lists by group`}},
		{fleet.YAML, "- &a i-1\n- *a\n-\n- [i-2]\n- id: [i-3]\n  [a]: b\n- id: i-1\n  zone:\n    a: b\n- {}\n- i 4\n", []string{
			"line 2, item 2: the YAML alias *a: want an id or an object", "line 3, item 3: a YAML null: want an id",
			"line 4, item 4: a YAML list: want an id or an object", "line 5, item 5, id: a YAML list: want one value",
			"line 6, item 5: a YAML list: want the name of a field", "line 9, item 6, zone: a YAML object: want one value",
			`line 7, item 6, id: "i-1": is the same as in line 1, item 1`, "line 10, item 7, member: is missing",
			`line 11, item 8, member: "i 4": ` + wantID}},
		{fleet.YAML, "g/1: [i-1]\ng-2: i-2\ng-3: [i-3]\ng-3: [i-4]\n[g]: []\ng-4: [{id: i-5, group: g-5}]\n", []string{
			`line 1, group: "g/1": ` + wantID, `line 2, group g-2: "i-2": want a list of the members under each group`,
			`line 4, group: "g-3": is the same as in line 3; name each group once`, "line 5, group: a YAML list: want the id of a group",
			`line 6, item 3, group: "g-5": is a second group of the member; want one`}},
		{fleet.YAML, "- i-1\n- a: b: c\n", []string{"targets: the list is not YAML: line 2: mapping values"}},
		{fleet.YAML, "- i-1\n- id: i-2\n\tgroup: g-1\n", []string{
			"targets: the list is not YAML: line 3 is indented with a tab; want spaces"}},
		{fleet.YAML, "- i-1\n \t\n\t- i-2\n", []string{"targets: the list is not YAML: line 3 is indented with a tab"}},
		{fleet.YAML, "-\ti-1\n", []string{"targets: the list is not YAML: line 1 is indented with a tab"}},
		{fleet.YAML, "- [\n", []string{"targets: the list is not YAML: line 1: did not find expected node content"}},
		{fleet.YAML, "- i-1\n---\n- i-2\n", []string{"targets: the list has a second document at line 2; want one"}},
		{fleet.YAML, "- i-1\n...\n- ][\n", []string{"targets: the list is not YAML: line 2"}},
		{fleet.YAML, strings.Repeat("#", 16<<20) + "\n", []string{"targets: more than 16 MB of YAML: want CSV or JSON, which are read bit by bit"}},
	} {
		name := fmt.Sprintf("%s %.200q", c.format, c.text)
		_, err := readTargets(c.text, c.format)
		var bad *membership.BadInput
		require.ErrorAs(t, err, &bad, name)
		require.Len(t, bad.Problems, len(c.want), "%s: %v", name, err)
		for i, p := range bad.Problems {
			require.True(t, strings.HasPrefix(p.String(), c.want[i]), "%s:\nwant %s\ngot  %s", name, c.want[i], p)
		}
	}
}

func TestReadTargetsWithAnotherFormat(t *testing.T) {
	_, err := readTargets("", "xml")
	require.EqualError(t, err, `"xml" is not a format of target lists; the formats are csv, json, yaml`)
}

func TestReadTargetsEndsWhenAllIsWrong(t *testing.T) {
	for format, list := range map[fleet.Format]string{
		fleet.CSV:  "member\n" + strings.Repeat(strings.Repeat("/", 1000)+"\n", 30),
		fleet.JSON: strings.Repeat("7 ", 30),
		fleet.YAML: strings.Repeat("- []\n", 30),
	} {
		_, err := readTargets(list, format)
		var bad *membership.BadInput
		require.ErrorAs(t, err, &bad)
		require.Len(t, bad.Problems, 25)
		require.Equal(t, "targets: the list has more problems; the rest was not looked at", bad.Problems[24].String())
		require.Less(t, len(err.Error()), 10_000)
	}
	_, err := readTargets("member\n"+strings.Repeat("/1\n", 12)+strings.Repeat("i\n", 14), fleet.CSV)
	require.Len(t, strings.Split(err.Error(), "\n"), 25)
	_, err = readTargets(strings.Repeat("7 ", 25), fleet.JSON)
	require.NotContains(t, err.Error(), "the rest")
}

func TestReadTargetsYieldsNothingAfterAProblem(t *testing.T) {
	found, err := readTargets("member\ni-1\n/\ni-2\n", fleet.CSV)
	require.Error(t, err)
	require.Equal(t, []targets.Target{{Member: "i-1", Line: 2}}, found)
}

func TestReadTargetsEndsWithItsReaderAndItsYield(t *testing.T) {
	lists := map[fleet.Format]string{
		fleet.CSV: "member\ni-1\n\"i-2\"\n", fleet.JSON: `["i-1",{"id":"i-2"}]`, fleet.YAML: "[i-1, \"i-2\"]"}
	for format, list := range lists {
		full := errors.New("full")
		calls := 0
		_, err := targets.Read(strings.NewReader(list), targets.Options{Format: format}, func(targets.Target) error { calls++; return full })
		require.Equal(t, full, err)
		require.Equal(t, 1, calls)
		for cut := range list {
			for _, broken := range []error{errors.New("connection lost"), io.ErrUnexpectedEOF} {
				r := io.MultiReader(strings.NewReader(list[:cut]), iotest.ErrReader(broken))
				_, err := targets.Read(r, targets.Options{Format: format}, func(targets.Target) error { return nil })
				require.ErrorIs(t, err, broken, "%s cut at %d", format, cut)
				require.ErrorContains(t, err, "reading the target list: ", "%s cut at %d", format, cut)
			}
		}
	}
}

// The three formats say the same, however the bytes trickle in.
func TestFormatsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zA-Z][a-z0-9_. -]{0,5}[a-z0-9]x`), 0, 3, rapid.ID).Draw(t, "columns")
		members := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._:-]{0,9}`), 1, 8, rapid.ID).Draw(t, "members")
		separator := rapid.SampledFrom([]rune(",;\t")).Draw(t, "separator")
		value := rapid.StringMatching(`|[A-Za-z0-9é]([a-z0-9 ,;"'#:é]{0,6}[a-z0-9])?`)
		var want []targets.Target
		var table bytes.Buffer
		w := csv.NewWriter(&table)
		w.Comma = separator
		require.NoError(t, w.Write(append([]string{"member", "group"}, columns...)))
		var objects []map[string]string
		for _, member := range members {
			target := targets.Target{Member: member, Group: rapid.SampledFrom([]string{"", "g-1", "g-2"}).Draw(t, "group")}
			row := []string{member, target.Group}
			object := map[string]string{"member": member, "group": target.Group}
			for _, c := range columns {
				v := value.Draw(t, "value")
				row, object[c] = append(row, v), v
				if v == "" {
					continue
				}
				if target.Traits == nil {
					target.Traits = traits{}
				}
				target.Traits[c] = v
			}
			require.NoError(t, w.Write(row))
			objects = append(objects, object)
			want = append(want, target)
		}
		w.Flush()
		asJSON, err := json.MarshalIndent(objects, "", " ")
		require.NoError(t, err)
		asYAML, err := yaml.JSONToYAML(asJSON)
		require.NoError(t, err)
		for format, list := range map[fleet.Format][]byte{fleet.CSV: table.Bytes(), fleet.JSON: asJSON, fleet.YAML: asYAML} {
			var got []targets.Target
			_, err := targets.Read(iotest.OneByteReader(bytes.NewReader(list)), targets.Options{Format: format}, func(target targets.Target) error {
				require.Contains(t, strings.Split(string(list), "\n")[target.Line-1:][0], lineSays(format, target), "line %d", target.Line)
				target.Line = 0
				got = append(got, target)
				return nil
			})
			require.NoError(t, err, "%s", list)
			require.Equal(t, want, got, "%s", list)
		}
	})
}

// lineSays is what stands where a target begins.
func lineSays(format fleet.Format, target targets.Target) string {
	switch format {
	case fleet.CSV:
		return target.Member
	case fleet.JSON:
		return "{"
	default:
		return "- "
	}
}

func FuzzReadTargets(f *testing.F) {
	files, err := filepath.Glob("testdata/targets/*")
	require.NoError(f, err)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		format, err := fleet.FormatOf(name)
		require.NoError(f, err)
		f.Add(string(data), string(format))
	}
	f.Fuzz(func(t *testing.T, text, format string) {
		found, err := readTargets(text, fleet.Format(format))
		var bad *membership.BadInput
		switch {
		case !slices.Contains([]fleet.Format{fleet.CSV, fleet.JSON, fleet.YAML}, fleet.Format(format)):
			require.Error(t, err)
			return
		case err != nil:
			require.ErrorAs(t, err, &bad)
			require.NotEmpty(t, bad.Problems)
			require.LessOrEqual(t, len(bad.Problems), 25)
			require.Less(t, len(err.Error()), 25*600)
			for _, p := range bad.Problems {
				require.NotEmpty(t, p.Field)
				require.NotEmpty(t, p.Want)
			}
		default:
			require.NotEmpty(t, found)
		}
		lines, last := strings.Count(text, "\n")+strings.Count(text, "\r")+1, 1
		seen := make(map[string]bool)
		for _, target := range found {
			require.Empty(t, membership.CheckID("member", target.Member))
			require.False(t, seen[target.Member])
			seen[target.Member] = true
			if target.Group != "" {
				require.Empty(t, membership.CheckID("group", target.Group))
			}
			require.NotContains(t, target.Traits, "")
			require.GreaterOrEqual(t, target.Line, last)
			require.LessOrEqual(t, target.Line, lines)
			last = target.Line
		}
	})
}
