package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const (
	group = "71e947d0-91d2-4b20-a1f3-34eee6346bca"
	web1  = "5b368e08-27c5-4ff7-b211-40577f2020ad"
	web2  = "0121a35e-610c-4127-889d-38d125ad6181"
)

// head is a request up to its members.
const head = "kind: huawei.servergroup\naccount: demo\ngroup: " + group + "\n"

func TestBadRequestsNameFieldAndValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string // each in the error
	}{
		"empty":              {"", []string{"is empty", "want a mapping"}},
		"only comments":      {"# nothing\n---\n# at all\n", []string{"is empty"}},
		"null":               {"~\n", []string{"is not a mapping but nothing"}},
		"a list":             {"- a\n- b\n", []string{"is not a mapping but a list", "want a mapping with kind"}},
		"a text":             {"hello\n", []string{`is not a mapping but the text "hello"`}},
		"a number":           {"42\n", []string{"is not a mapping but the value 42"}},
		"broken YAML":        {"kind: [huawei\n", []string{"is neither YAML nor JSON", "line"}},
		"broken JSON":        {`{"kind": "huawei.servergroup",,}`, []string{"is neither YAML nor JSON"}},
		"control characters": {"kind: \x01\x02\n", []string{"is neither YAML nor JSON", "control characters"}},
		"not UTF-8":          {"kind: \xff\xfe\xfd\n", []string{"is neither YAML nor JSON"}},
		"two documents":      {head + "members: [" + web1 + "]\n---\nkind: x\n", []string{"more than one YAML document"}},
		"a key twice":        {head + "kind: huawei.servergroup\nmembers: [" + web1 + "]\n", []string{`key "kind" already set`}},
		"a JSON key twice":   {`{"kind": "a", "kind": "b"}`, []string{`"kind" already`}},
		"too long":           {head + "members:\n" + strings.Repeat("- "+web1+"\n", maxRequest/len(web1)), []string{"is longer than 1048576 bytes"}},
		"unknown field":      {head + "member: [" + web1 + "]\n", []string{"member: is not a field of a plan"}},
		"wrong type":         {head + "members: " + web1 + "\n", []string{"members: a JSON string"}},
		"a number as id":     {head + "members: [12]\n", []string{"members", "a JSON number"}},
		"unknown kind":       {strings.Replace(head, "huawei.servergroup", "huawei.sever", 1) + "members: [" + web1 + "]\n", []string{`kind: "huawei.sever": is not a kind; the kinds are alibaba.`}},
		"no kind":            {"account: demo\ngroup: " + group + "\nmembers: [" + web1 + "]\n", []string{"kind: is missing"}},
		"no account":         {"kind: huawei.servergroup\ngroup: " + group + "\nmembers: [" + web1 + "]\n", []string{"account: is missing"}},
		"no group":           {"kind: huawei.servergroup\naccount: demo\nmembers: [" + web1 + "]\n", []string{"group: is missing"}},
		"no members":         {head, []string{"members: is empty; want members with their group"}},
		"a member twice":     {head + "members: [" + web1 + ", " + web2 + ", " + web1 + "]\n", []string{"members[2]", web1, "is the same as members[0]"}},
		"id with slash":      {head + "members: [\"a/../b\"]\n", []string{`members[0]: "a/../b"`}},
		"id with blank":      {head + "members: [\"a b\"]\n", []string{`members[0]: "a b"`}},
		"id with control":    {head + `members: ["a\u0007b\n"]` + "\n", []string{`members[0]: "a\ab\n"`}},
		"id of 100 kB":       {head + "members: [\"" + strings.Repeat("x", 100_000) + "\"]\n", []string{"members[0]", "… (100000 bytes)"}},
		"unknown parameter":  {head + "members: [" + web1 + "]\nparams: {stopp: true}\n", []string{"params.stopp: is not a parameter of huawei.servergroup", "stop"}},
		"several at once":    {"kind: nope\naccount: a b\ngroup: \"\"\nmembers: []\n", []string{`kind: "nope"`, `account: "a b"`, "members: is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := reading(c.text, Source{File: "-"})
			var bad *membership.BadInput
			require.ErrorAs(t, err, &bad)
			for _, want := range c.want {
				require.Contains(t, err.Error(), want)
			}
			require.Less(t, len(err.Error()), 10_000, "an error must stay readable")
		})
	}
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		source Source
		want   string
	}{
		"not there":      {Source{File: filepath.Join(dir, "none.yaml")}, "none.yaml\": does not exist"},
		"a folder":       {Source{File: dir}, "is a folder"},
		"below a file":   {Source{File: "request_test.go/x"}, "cannot be read"},
		"nothing":        {Source{}, "request: is missing; name a file"},
		"file and flags": {Source{File: "x", Step: fleet.Step{Kind: "k"}}, "comes from a file and from flags"},
		"param":          {Source{ParamFlags: []string{"stop"}}, `--param: "stop": want name=value`},
		"param twice":    {Source{ParamFlags: []string{"a=1", "a=2"}}, "a second time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := reading("", c.source)
			var bad *membership.BadInput
			require.ErrorAs(t, err, &bad)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestGoodRequests(t *testing.T) {
	t.Parallel()
	want := fleet.Plan{Step: fleet.Step{Kind: "huawei.servergroup", Account: "demo", Group: group,
		Members: []string{web1, web2}, Params: membership.Params{"assumeKVM": false, "hardStopAfter": "2m"}}}
	asJSON, err := json.Marshal(want)
	require.NoError(t, err)
	tabbed, err := json.MarshalIndent(want, "", "\t")
	require.NoError(t, err)
	members := "members: [" + web1 + ", " + web2 + "]\nparams: {assumeKVM: false, hardStopAfter: 2m}\n"
	for name, text := range map[string]string{
		"YAML":                   head + members,
		"YAML with a marker":     "# a comment\n---\n" + head + members,
		"YAML behind the marker": "--- {kind: huawei.servergroup, account: demo, group: " + group + ", " + strings.ReplaceAll(strings.TrimSpace(members), "\n", ", ") + "}\n",
		"JSON":                   string(asJSON),
		"JSON with tabs":         string(tabbed),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := reading(text, Source{File: "-"})
			require.NoError(t, err)
			got.Requester = ""
			require.Equal(t, want, got)
		})
	}
	t.Run("flags", func(t *testing.T) {
		t.Parallel()
		flags := Source{Step: want.Step, ParamFlags: []string{"assumeKVM=false", "hardStopAfter=2m"}}
		flags.Step.Params = nil
		got, err := reading("", flags)
		require.NoError(t, err)
		require.Equal(t, me(), got.Requester)
		got.Requester = ""
		require.Equal(t, want, got)
	})
}

// The examples that people copy from must be good themselves.
func TestExamplePlans(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../cloud/kinds/*/plan*.*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file))+" "+filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			_, err := reading("", Source{File: file})
			require.NoError(t, err)
		})
	}
}

// reading reads a plan, of standard input when the source says so.
func reading(stdin string, s Source) (fleet.Plan, error) {
	f := NewFactory(Streams{In: strings.NewReader(stdin)})
	return readPlan(f, &s, membership.Join)
}

func FuzzToJSON(f *testing.F) {
	f.Add([]byte(head))
	f.Add([]byte("--- {a: b}\n---\n"))
	f.Add([]byte("%YAML 1.2\n---\n\"a\\/b\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := toJSON(data, "fuzz")
		if err == nil && !json.Valid(out) {
			t.Fatalf("not JSON: %q", out)
		}
	})
}
