// Package docs_test holds the documents against the code: examples are what the code writes, and every name that the
// code exports to the outside is in the documents.
package docs_test

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

var update = flag.Bool("update", false, "write the examples into the contract")

const contract = "temporal-contract.md"

// block is an example in a document: a marker with its name, and the fenced JSON after it.
var block = regexp.MustCompile("(?s)<!-- example: ([a-z-]+) -->\n```json\n(.*?)```")

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(data)
}

func TestExamplesAreWhatTheCodeWrites(t *testing.T) {
	want := examples(t)
	seen := map[string]bool{}
	text := block.ReplaceAllStringFunc(read(t, contract), func(found string) string {
		name := block.FindStringSubmatch(found)[1]
		require.Contains(t, want, name, "an example that the test does not know")
		seen[name] = true
		return "<!-- example: " + name + " -->\n```json\n" + want[name] + "\n```"
	})
	for name := range want {
		require.True(t, seen[name], "%s has no example %q", contract, name)
	}
	if *update {
		require.NoError(t, os.WriteFile(contract, []byte(text), 0o644))
	}
	require.Equal(t, text, read(t, contract), "renew it with: make golden")
}

// What a person copies out of the contract must be taken by the code.
func TestPlansInTheContractAreTaken(t *testing.T) {
	for _, name := range []string{"plan-step", "plan"} {
		p, err := fleet.ParsePlan([]byte(examples(t)[name]))
		require.NoError(t, err, name)
		for _, s := range p.StepList() {
			_, err := membership.Find(kinds.All(kinds.Clouds{}), s.Kind)
			require.NoError(t, err, name)
		}
	}
}

// examples returns the JSON of a value of every type in the contract, by the name of its marker. The values are those of
// runs on the example world of `fleetjoin dev`.
func examples(t *testing.T) map[string]string {
	t.Helper()
	const group, web2, unlucky, xen = "71e947d0-91d2-4b20-a1f3-34eee6346bca", "0121a35e-610c-4127-889d-38d125ad6181",
		"9744b701-a211-48b6-abdf-62dc0f508f37", "19ce0608-03b8-450c-9091-8913fe7843b1"
	made := time.Date(2026, 11, 21, 19, 37, 53, 0, time.UTC)
	before := map[string]string{"flavor": "s6.large.2", "power": "on", "zone": "az1"}
	notKVM := membership.Objection{Code: "not-kvm", Reason: "flavor s3.large.2 is virtualized by Xen (FusionCompute)"}
	noHost := "Ecs.0319: No host with enough resources was found."

	const kind = "huawei.servergroup"
	program := membership.Program{Kind: kind, Revision: spec(t, kind).Revision, Operation: membership.Leave,
		Account: "demo", Group: group, Stages: spec(t, kind).Stages[membership.Leave], Members: []membership.Member{
			{ID: web2, Name: "web-2", Before: before},
			{ID: xen, Name: "web-old", Already: true},
			{ID: unlucky, Refused: []membership.Objection{{Code: "server-missing", Reason: "there is no such server in the project"}}},
		}}
	require.NoError(t, program.Seal("run", made, membership.Pace{Slice: membership.Duration(10 * time.Second),
		Poll: membership.Duration(2 * time.Second), Parallel: 20}))
	join := membership.Program{Stages: spec(t, kind).Stages[membership.Join], Members: make([]membership.Member, 3)}
	require.NoError(t, join.Seal("run", made, membership.Pace{}))
	slice := membership.Slice{Marks: "a.d", Sends: "101", Since: []int{4, 6},
		Jobs: []membership.JobRef{{ID: "27061925d30b1297153115ad1ab46133", Members: []int{0, 2}}}}
	landed := slice
	landed.Marks, landed.Notes = "a.!", []membership.Note{{Member: 2, Stage: 3, Code: "start-failed", Reason: noHost}}

	values := map[string]any{
		"plan-step": fleet.Plan{Requester: "ann", Step: fleet.Step{Kind: kind, Account: "demo", Group: group, Members: []string{web2},
			Params: membership.Params{"stop": true, "hardStopAfter": "2m", "assumeKVM": true}}},
		"plan-input": workflows.PlanInput{Operation: membership.Join, Page: fleet.PageInput{Manifest: "m", To: 1}},
		"program":    program,
		"problems": []membership.Problem{
			{Field: "group", Value: `"../x"`, Want: "want an id of 1 to 128 letters, digits, '.', '_', ':' or '-', beginning with a letter or digit"},
			{Field: "members", Want: "is empty; want 1 to 200 ids"}},
		"cohort-report": membership.Report{Kind: kind, Operation: membership.Join, Account: "demo", Group: group,
			Outcome: membership.RunPartial, Counts: map[membership.Outcome]int{membership.Joined: 1, membership.Refused: 1, membership.RolledBack: 1},
			Members: []membership.MemberReport{
				{ID: web2, Name: "web-2", Outcome: membership.Joined, Before: before},
				{ID: xen, Name: "web-old", Outcome: membership.Refused, Code: notKVM.Code, Reason: notKVM.Reason,
					Also:   []membership.Objection{{Code: "server-locked", Reason: "the server is locked"}},
					Before: map[string]string{"flavor": "s3.large.2", "power": "on", "zone": "az1"}},
				{ID: unlucky, Name: "web-unlucky", Outcome: membership.RolledBack, Stage: "add", Code: "Ecs.0022",
					Reason:    "AddServerGroupMember: rejected: Ecs.0022 (HTTP 400): Insufficient ECS group quota. [request 370]",
					RequestID: "370", Before: before},
			},
			Digest: program.Digest, Started: made, Ended: made.Add(14 * time.Second)},
		"cohort-status": membership.Status{Kind: kind, Operation: membership.Join, Account: "demo", Group: group,
			Phase: membership.Running, Digest: program.Digest, Counts: map[string]int{"parked": 1, "refused": 1},
			Members: []membership.MemberStatus{
				{ID: web2, Name: "web-2", At: membership.AtParked, Code: membership.CodeNoEffect, Reason: "sent 3 times: the server is not in the group"},
				{ID: xen, Name: "web-old", At: string(membership.Refused), Code: notKVM.Code, Reason: notKVM.Reason}},
			Trouble: "ListServersDetails: transient (HTTP 503): Service Unavailable"},
		"control":    membership.Control{By: "ann", Reason: "seen in the console: it is in the group", Members: []string{web2}},
		"controlled": membership.Controlled{Members: []string{web2}},
		"slice-input": membership.SliceInput{Kind: kind, Digest: program.Digest, Lane: membership.Lane{Name: "advance", Last: len(join.Stages) - 1},
			For: membership.Duration(10 * time.Second), Slice: slice},
		"slice": landed,
	}
	maps.Copy(values, fleetExamples(made))
	texts := make(map[string]string)
	for name, v := range values {
		data, err := json.MarshalIndent(v, "", "  ")
		require.NoError(t, err)
		texts[name] = string(data)
	}
	return texts
}

func spec(t *testing.T, kind string) membership.Spec {
	t.Helper()
	k, err := membership.Find(kinds.All(kinds.Clouds{}), kind)
	require.NoError(t, err)
	return k.Spec()
}

func TestEveryNameIsInTheContract(t *testing.T) {
	names := []string{workflows.TaskQueue, workflows.SignalControl, membership.PlanActivity}
	for _, prefix := range []string{"Type", "Err"} {
		names = append(names, constants(t, "../../workflows", prefix)...)
	}
	for _, prefix := range []string{"Control", "Query"} {
		names = append(names, constants(t, "../../cloud/membership", prefix)...)
	}
	for _, a := range workflows.SearchAttributes() {
		names = append(names, a.Name)
	}
	for _, kind := range []string{"Phase", "Outcome", "RunOutcome", "Operation"} {
		names = append(names, constants(t, "../../cloud/membership", kind)...)
	}
	require.Greater(t, len(names), 40)
	text := read(t, contract)
	for _, name := range names {
		require.True(t, strings.Contains(text, "`"+name+"`"), "%s does not name %s", contract, name)
	}
}

// Whoever is called looks up what the status says.
func TestEveryPhaseIsInTheRunbook(t *testing.T) {
	text := read(t, "runbook.md")
	for _, phase := range constants(t, "../../cloud/membership", "Phase") {
		if !strings.Contains(text, "phase `"+phase+"`") {
			require.Contains(t, text, "\n## "+phase+"\n", "runbook.md does not say what to do in the phase %s", phase)
		}
	}
	for _, waits := range []membership.Phase{membership.Waiting, membership.Stopped} {
		for _, page := range []string{"runbook.md", contract, "../../README.md"} {
			require.Regexp(t, `--query 'FleetjoinPhase IN \([^)]*"`+string(waits)+`"`, read(t, page), "where one looks for runs that need a person")
		}
	}
}

func TestEveryActivityTypeIsListed(t *testing.T) {
	text := read(t, "error-codes.md")
	for _, k := range kinds.All(kinds.Clouds{}) {
		for _, name := range membership.LaneActivities(k.Spec()) {
			require.True(t, strings.Contains(text, "`"+name+"`"), "error-codes.md does not name %s: make docs", name)
		}
	}
}

func TestEveryFieldIsInTheContract(t *testing.T) {
	text := read(t, contract)
	for _, v := range []any{membership.Approval{}, workflows.PlanInput{}, membership.Program{}, membership.Pace{},
		membership.Gate{}, membership.Stage{}, membership.Lane{}, membership.Member{}, membership.Objection{}, membership.Problem{},
		membership.Report{}, membership.MemberReport{}, membership.Vote{}, membership.Status{}, membership.MemberStatus{},
		membership.Control{}, membership.Controlled{}, membership.SliceInput{}, membership.Slice{}, membership.JobRef{}, membership.Note{},
		fleet.Plan{}, fleet.Step{}, fleet.Assignment{}, fleet.Targets{}, membership.Query{}, fleet.Spread{}, fleet.Budget{}, fleet.Window{},
		fleet.Pace{}, fleet.Approval{}, fleet.Preview{}, fleet.Opening{}, fleet.Foreseen{}, fleet.PreviewStep{}, fleet.PreviewGroup{},
		fleet.PreviewWave{}, fleet.PreviewPage{}, fleet.Refusal{}, fleet.Example{}, fleet.Expected{}, fleet.Downtime{}, fleet.APICalls{},
		fleet.Status{}, fleet.WaveStatus{}, fleet.FailedMember{}, fleet.Control{}, fleet.Report{}, fleet.StepReport{},
		fleet.SurveyedStep{}, fleet.Wave{}, fleet.Said{}} {
		for _, f := range fields(reflect.TypeOf(v)) {
			if !strings.Contains(text, "`"+f+"`") && !strings.Contains(text, strconv.Quote(f)+":") {
				t.Errorf("%s lacks the field %s of %T", contract, f, v)
			}
		}
	}
}

// What a plan may say is in the page about plans.
func TestEveryFieldOfAPlanIsExplained(t *testing.T) {
	text := read(t, "fleets.md")
	for at, v := range map[string]any{"": fleet.Plan{}, " ": fleet.Step{}, "targets.": fleet.Targets{}, "targets.cloud.": membership.Query{},
		"spread.": fleet.Spread{}, "budget.": fleet.Budget{}, "windows.": fleet.Window{}, "pace.": fleet.Pace{}, "approval.": fleet.Approval{},
		"approval. ": membership.Approval{}} {
		for _, f := range fields(reflect.TypeOf(v)) {
			field := strings.ReplaceAll(at, " ", "") + f
			require.True(t, strings.Contains(text, "\n| `"+field+"`"), "fleets.md does not explain %s of a plan", field)
		}
	}
}

func TestEveryCodeIsInTheListOfCodes(t *testing.T) {
	codes := constants(t, "../../cloud/membership", "Code")
	verdicts := constants(t, "../../cloud/verdict", "Verdict")
	require.Greater(t, len(codes), 8)
	require.Len(t, verdicts, 6)
	text := read(t, "error-codes.md")
	for _, c := range append(codes, verdicts...) {
		require.Contains(t, text, "| `"+c+"` |")
	}
}

// Links between the documents, and from the README, lead somewhere.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	pages, err := filepath.Glob("*.md")
	require.NoError(t, err)
	found := 0
	for _, page := range append(pages, "../../README.md", "../policies/README.md") {
		for _, l := range link.FindAllStringSubmatch(read(t, page), -1) {
			found++
			require.FileExists(t, filepath.Join(filepath.Dir(page), l[1]), "a link of %s", page)
		}
	}
	require.Greater(t, found, 10)
}

// fields returns the JSON names of a struct's fields.
func fields(s reflect.Type) (names []string) {
	for i := range s.NumField() {
		f := s.Field(i)
		if f.Anonymous {
			continue // listed by itself
		}
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// constants returns the values of a package's string constants whose name begins with a prefix, or whose type is it.
func constants(t *testing.T, dir, which string) (values []string) {
	t.Helper()
	inspect(t, dir, func(n ast.Node) {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) == 0 {
			return
		}
		kind, _ := v.Type.(*ast.Ident)
		name := v.Names[0]
		if name.IsExported() && name.Name != which && (kind == nil && strings.HasPrefix(name.Name, which) || kind != nil && kind.Name == which) {
			values = append(values, texts(t, v.Values)...)
		}
	})
	require.NotEmpty(t, values, "%s has no constants %s", dir, which)
	return values
}

func texts(t *testing.T, values []ast.Expr) (all []string) {
	t.Helper()
	for _, v := range values {
		lit, ok := v.(*ast.BasicLit)
		require.True(t, ok, "not a literal")
		text, err := strconv.Unquote(lit.Value)
		require.NoError(t, err)
		all = append(all, text)
	}
	return all
}

// inspect visits every node of a package's files but its tests.
func inspect(t *testing.T, dir string, visit func(ast.Node)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			visit(n)
			return true
		})
	}
}
