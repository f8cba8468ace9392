package activities

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// strict is a town that takes members that begin with "m" and wants to be asked by the account "demo".
type strict struct {
	*town
	pageLimit int
}

func (s *strict) Spec() membership.Spec {
	return membership.Spec{ID: "toy.town", PageLimit: s.pageLimit, Params: []membership.ParamSpec{{Name: "slots"}}}
}

func (s *strict) Validate(r membership.Request) []membership.Problem {
	problems := s.town.Validate(r)
	for i, id := range r.Members {
		if !strings.HasPrefix(id, "m") {
			problems = append(problems, membership.Problem{Field: fmt.Sprintf("members[%d]", i), Value: membership.Quote(id), Want: "want an m"})
		}
	}
	return problems
}

func (s *strict) Open(ctx context.Context, t membership.Target) (membership.Session, error) {
	switch t.Account {
	case "demo":
		return s.town.Open(ctx, t)
	case "away":
		return nil, errors.New("no answer")
	default:
		return nil, bad("account", membership.Quote(t.Account), "is not in the worker's accounts file; it has demo")
	}
}

// heap keeps blobs in memory, where a million members are no thousands of files.
type heap map[store.Key][]byte

func (h heap) Put(_ context.Context, data []byte) (store.Key, error) {
	key := store.KeyOf(data)
	h[key] = data
	return key, nil
}

func (h heap) Get(_ context.Context, key store.Key) ([]byte, error) { return h[key], nil }

// surveyPlan finds the members of a plan with a folder of target files.
func surveyPlan(t *testing.T, kind membership.Kind, folder string, p fleet.Plan) (*Activities, fleet.Survey, error) {
	t.Helper()
	a := New(Options{Kinds: []membership.Kind{kind}, Store: heap{}, Targets: folder})
	env := quiet()
	env.RegisterActivity(a.Survey)
	value, err := env.ExecuteActivity(a.Survey, p)
	var s fleet.Survey
	if err == nil {
		require.NoError(t, value.Get(&s))
	}
	return a, s, err
}

// wrongs are the problems of a plan that cannot begin, one by one.
func wrongs(t *testing.T, folder string, p fleet.Plan) (words []string) {
	t.Helper()
	_, _, err := surveyPlan(t, &strict{town: populated(), pageLimit: 2}, folder, p)
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, workflows.ErrBadInput, app.Type(), "%v", err)
	require.True(t, app.NonRetryable())
	var problems []membership.Problem
	require.NoError(t, app.Details(&problems))
	for _, p := range problems {
		words = append(words, p.String())
	}
	return words
}

// lists writes target files.
func lists(t *testing.T, files map[string]string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	return folder
}

func stepOf(change func(s *fleet.Step)) fleet.Step {
	s := fleet.Step{Kind: "toy.town", Account: "demo"}
	change(&s)
	return s
}

func named(file string) func(s *fleet.Step) {
	return func(s *fleet.Step) { s.Targets = &fleet.Targets{File: file} }
}

// Whatever only a worker can tell of a plan is told at once, for all its steps, in the words of the plan: not where it is
// in a page.
func TestWhatIsWrongIsNamedWhereItStandsInThePlan(t *testing.T) {
	folder := lists(t, map[string]string{
		"names.csv": "member,group\nm1,g1\nm2,g1\nm3,g1\nx4,g1\nm5,h2\n", "empty.csv": "", "header.csv": "member,group\n",
		"spaces.csv": "member\nm1\nm 2\n", "grouped.csv": "member,group\nm1,\nm2,g1\nm3,\n", "one.json": `["m8"]`,
	})
	plan := fleet.Plan{Canary: 1, Steps: []fleet.Step{
		stepOf(func(s *fleet.Step) { s.Group, s.Members = "g1", []string{"m1", "m2", "m3", "x4", "m5", "x6"} }),
		stepOf(func(s *fleet.Step) {
			s.Groups = []fleet.Assignment{{Group: "g1", Members: []string{"m11"}}, {Group: "h2", Members: []string{"m12", "x13"}}}
		}),
		stepOf(func(s *fleet.Step) { named("names.csv")(s); s.Operation = membership.Leave }),
		stepOf(named("empty.csv")), stepOf(named("header.csv")), stepOf(named("spaces.csv")), stepOf(named("grouped.csv")),
		stepOf(named("none.csv")), stepOf(named("../accounts.yaml")), stepOf(named("names.doc")),
		stepOf(func(s *fleet.Step) { named("one.json")(s); s.Group = "g1" }),
		stepOf(func(s *fleet.Step) { s.Account, s.Group, s.Members = "prod", "g1", []string{"m21", "m22"} }),
		stepOf(func(s *fleet.Step) { s.Kind = "toy.village" }),
		stepOf(func(s *fleet.Step) {
			s.Account, s.Group, s.Members, s.Params = "prod", "g1", []string{"m31", "m32", "m33"}, membership.Params{"slot": 1}
		}),
		stepOf(func(s *fleet.Step) { s.Group, s.Targets = "g1", cloudTargets(membership.Query{In: "g9"}) }),
		stepOf(func(s *fleet.Step) { s.Group, s.Targets = "g1", cloudTargets(membership.Query{Name: "db-*"}) }),
		stepOf(func(s *fleet.Step) {
			s.Members, s.Spread = []string{"m41", "m42"}, &fleet.Spread{Groups: []string{"g1", "g9"}}
		}),
		stepOf(func(s *fleet.Step) { s.Group, s.Members = "g2", []string{"m1", "m51"} }),
	}}
	require.Equal(t, []string{
		`steps[0].members[3]: "x4": want an m`,
		`steps[0].members[5]: "x6": want an m`,
		`steps[1].groups[1].group: "h2": want a g`,
		`steps[1].groups[1].members[1]: "x13": want an m`,
		`steps[2].targets.file names.csv line 5: "x4": want an m`,
		`steps[2].targets.file names.csv line 6, group: "h2": want a g`,
		"steps[3].targets.file empty.csv: the list names no member; want at least one",
		"steps[4].targets.file header.csv: the list names no member; want at least one",
		`steps[5].targets.file spaces.csv line 3, column member: "m 2": want an id of 1 to 128 letters, digits, '.', '_', ':' or '-', beginning with a letter or digit`,
		`steps[6].targets.file grouped.csv line 2: "m1": has no group; give the line one, or the step`,
		`steps[6].targets.file grouped.csv line 4: "m3": has no group; give the line one, or the step`,
		`steps[7].targets.file: "none.csv": is not in the worker's folder of target files, ` + folder,
		`steps[8].targets.file: "../accounts.yaml": want the name of a file in the worker's folder of target files, such as "web.csv"`,
		`steps[9].targets.file: "names.doc": want a name that ends in .csv, .tsv, .txt, .json, .jsonl, .ndjson, .tfstate, .yaml or .yml`,
		`steps[11].account: "prod": is not in the worker's accounts file; it has demo`,
		`steps[12].kind: "toy.village": is not a kind; the kinds are toy.town`,
		`steps[13].account: "prod": is not in the worker's accounts file; it has demo`,
		"steps[13].params.slot: is not a parameter of toy.town; it has slots",
		`steps[14].targets.cloud.in: "g9": does not exist in town; want a group that does`,
		`steps[15].targets.cloud: {"name":"db-*"}: finds nobody; want a query that matches at least one member`,
		`steps[16].spread.groups[1]: "g9": does not exist in town; want a group that does`,
		`steps[17].members[0]: "m1": is named for group g1 in steps[0] already; name each member once`,
	}, wrongs(t, folder, plan))
}

// A cloud that does not answer is asked again, but not when the run cannot begin whatever it says.
func TestACloudThatDoesNotAnswer(t *testing.T) {
	step := stepOf(func(s *fleet.Step) { s.Account, s.Group, s.Members = "away", "g1", []string{"m1"} })
	kind := &strict{town: populated(), pageLimit: 2}
	_, _, err := surveyPlan(t, kind, "", fleet.Plan{Steps: []fleet.Step{step}})
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.False(t, app.NonRetryable())
	wrong := stepOf(func(s *fleet.Step) { s.Group, s.Members = "g1", []string{"x1"} })
	require.Equal(t, []string{`steps[0].members[0]: "x1": want an m`}, wrongs(t, "", fleet.Plan{Steps: []fleet.Step{wrong, step}}))
}

// The fields of a single step stand beside the plan's, and so do those of what is wrong.
func TestASingleStepHasNoNumber(t *testing.T) {
	plan := fleet.Plan{Step: stepOf(func(s *fleet.Step) { s.Group, s.Members = "g1", []string{"m1", "m2", "x3"} })}
	require.Equal(t, []string{`members[2]: "x3": want an m`}, wrongs(t, "", plan))
	plan.Members, plan.Account = []string{"m1"}, "prod"
	require.Equal(t, []string{`account: "prod": is not in the worker's accounts file; it has demo`}, wrongs(t, "", plan))
}

func TestManyMembersThatAreWrongStayReadable(t *testing.T) {
	var members []string
	for i := range 1000 {
		members = append(members, fmt.Sprintf("x%d", i))
	}
	step := stepOf(func(s *fleet.Step) { s.Group, s.Members = "g1", members })
	words := wrongs(t, "", fleet.Plan{Steps: []fleet.Step{step, step}})
	require.Len(t, words, fleet.MaxProblems)
	require.Equal(t, `steps[0].members[23]: "x23": want an m`, words[23], "of pages of 2")
	require.Equal(t, "plan: has more problems; the rest was not looked at", words[24])
}

// A list is frozen when a run begins: whoever edits the file under it, or takes it away, changes nothing.
func TestAListThatChangesUnderTheRun(t *testing.T) {
	folder := lists(t, map[string]string{"web.csv": "member\nm1\nm2\nm3\n"})
	plan := fleet.Plan{Step: stepOf(func(s *fleet.Step) { s.Group, s.Targets = "g1", &fleet.Targets{File: "web.csv"} })}
	a, survey, err := surveyPlan(t, &strict{town: populated(), pageLimit: 2}, folder, plan)
	require.NoError(t, err)
	members := func() (all []string) {
		for page, n := range survey.Steps[0].Waves[0].Pages {
			_, p, err := a.page(t.Context(), fleet.PageInput{Manifest: survey.Manifest, Page: page, To: n})
			require.NoError(t, err)
			all = append(all, p.Members...)
		}
		return all
	}
	require.Equal(t, []string{"m1", "m2", "m3"}, members())
	require.NoError(t, os.WriteFile(filepath.Join(folder, "web.csv"), []byte("member\nm7\nm8\n"), 0o600))
	require.Equal(t, []string{"m1", "m2", "m3"}, members())
	require.NoError(t, os.Remove(filepath.Join(folder, "web.csv")))
	require.Equal(t, []string{"m1", "m2", "m3"}, members())
}

// People see what a list was taken for: an encoding or a column that was not meant shows before anything moves.
func TestASurveySaysWhatItRead(t *testing.T) {
	folder := lists(t, map[string]string{"web.csv": "\xca\xb5\xc0\xfdID;\xb1\xb8\xd7\xa2\r\nm1;a\r\nm2;\r\n", "state.json": `{"version":4,"resources":[
		{"mode":"managed","type":"town_house","name":"h","instances":[{"index_key":0,"attributes":{"id":"m1"}}]}]}`})
	for file, c := range map[string]struct{ address, read string }{
		"web.csv":    {"", "web.csv: 2 members, GB18030, columns separated by semicolons; ids from 实例ID"},
		"state.json": {"town_house.*", "state.json: 1 member, ASCII, a state of Terraform"},
	} {
		step := stepOf(func(s *fleet.Step) { s.Group, s.Targets = "g1", &fleet.Targets{File: file, Address: c.address} })
		_, survey, err := surveyPlan(t, &strict{town: populated(), pageLimit: 2}, folder, fleet.Plan{Step: step})
		require.NoError(t, err)
		require.Equal(t, c.read, survey.Steps[0].Read)
		require.Equal(t, c.read, newSum(survey.Steps[0]).Read)
	}
	none := fleet.Plan{Step: stepOf(func(s *fleet.Step) { s.Group, s.Targets = "g1", &fleet.Targets{File: "state.json", Address: "a.*"} })}
	require.Equal(t, []string{`targets.address: "a.*": names no instance of the step's cloud, and no resource by its type; it has town_house.h[0]; ` +
		"* stands for anything"}, wrongs(t, folder, none))
}

// What was pinned and has changed does not begin, whatever has changed: also what no list says, such as a comment.
func TestAPinnedListThatHasChanged(t *testing.T) {
	folder := lists(t, map[string]string{"web.csv": "member\nm1\n"})
	const sum = "f7be64c98a9d6ae69d5bdb1e2c8b4ab8d7de0bc69a1d1a1c3a0b3a4d6dd1a0b7"
	plan := fleet.Plan{Step: stepOf(func(s *fleet.Step) { s.Group, s.Targets = "g1", &fleet.Targets{File: "web.csv", SHA256: sum} })}
	words := wrongs(t, folder, plan)
	require.Len(t, words, 1)
	require.Regexp(t, `^targets.sha256: `+sum+`: is not the file's: web.csv has changed, it is [0-9a-f]{64} now; look at it again and pin it anew$`,
		words[0])
	_, now, _ := strings.Cut(words[0], "it is ")
	plan.Targets.SHA256 = now[:64]
	kind := &strict{town: populated(), pageLimit: 2}
	_, _, err := surveyPlan(t, kind, folder, plan)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "web.csv"), []byte("member\nm1\n# m2\n"), 0o600))
	require.Contains(t, wrongs(t, folder, plan)[0], "web.csv has changed")
}

// A million lines are a run like any other: its pages are kept, and what the run carries of them are numbers.
func TestAMillionLinesAreSurveyed(t *testing.T) {
	const lines = 1_000_000
	folder := t.TempDir()
	file, err := os.Create(filepath.Join(folder, "million.csv"))
	require.NoError(t, err)
	w := bufio.NewWriter(file)
	_, _ = w.WriteString("\ufeffmember,group,note\r\n") // as a spreadsheet writes it; errors are kept for Flush
	for i := range lines {
		_, _ = fmt.Fprintf(w, "m%07d,g1,\"front, left\"\r\n", i)
	}
	require.NoError(t, errors.Join(w.Flush(), file.Close()))
	plan := fleet.Plan{Canary: 1, Step: stepOf(func(s *fleet.Step) { s.Targets = &fleet.Targets{File: "million.csv"} })}
	a, survey, err := surveyPlan(t, &strict{town: populated(), pageLimit: membership.MaxMembers}, folder, plan)
	require.NoError(t, err)
	waves := survey.Steps[0].Waves
	require.Equal(t, lines, survey.Steps[0].Members)
	require.Len(t, waves[1].Pages, 5000)
	_, last, err := a.page(t.Context(), fleet.PageInput{Manifest: survey.Manifest, Wave: 1, Page: 4999, To: 199})
	require.NoError(t, err)
	require.Equal(t, "m0999999", last.Members[198])
}
