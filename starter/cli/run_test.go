package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// Whoever asks for one thing, and from wherever, asks for one run.
func TestOnePlanIsOneRun(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a request":       head + "members: [" + web1 + "]\n",
		"a name":          "name: web\n" + head + "members: [" + web1 + "]\n",
		"neither":         head + "targets: {file: web.csv}\n",
		"several steps":   "steps: [{kind: huawei.servergroup, account: demo, group: " + group + ", members: [" + web1 + "]}]\n",
		"a gate, no name": head + "targets: {file: web.csv}\napproval: {}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ids []string
			for _, who := range []string{"ann@here", "bob@there"} {
				p, err := reading(text+"requester: "+who+"\n", Source{File: "-"})
				require.NoError(t, err)
				require.Equal(t, who, p.Requester)
				ids = append(ids, runID(p))
			}
			require.Equal(t, ids[0], ids[1])
		})
	}
	other := fleet.Plan{Step: fleet.Step{Kind: "k", Targets: &fleet.Targets{File: "other.csv"}}}
	require.NotEqual(t, runID(fleet.Plan{Step: fleet.Step{Kind: "k", Targets: &fleet.Targets{File: "web.csv"}}}), runID(other))
}

func TestSummariesOfFleets(t *testing.T) {
	t.Parallel()
	p := fleet.Plan{Step: fleet.Step{Kind: "k", Targets: &fleet.Targets{File: "web.csv"}}}
	require.Equal(t, "fleet: 1 step, k", summary(p))
	p.Name = "web"
	require.Equal(t, "fleet web: 1 step, k", summary(p))
}

func TestTheOneWhoAsksIsFilledIn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        me(),
		"requester: ann\n":        "ann",
		"approval: {quorum: 1}\n": me(),
		"requester: ''\n":         me(),
	} {
		p, err := reading(head+"members: ["+web1+"]\n"+text, Source{File: "-"})
		require.NoError(t, err)
		require.Equal(t, want, p.Requester, text)
	}
	_, err := reading(head+"members: ["+web1+"]\napproval: {signed: true}\n", Source{File: "-"})
	require.ErrorContains(t, err, "requester: is missing", "it is the name of a key, and only a person can say which")
}

// A plan with a gate need not say who asks: who applies it does.
func TestApplyAsksInTheNameOfWhoAppliesIt(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "plan.yaml")
	require.NoError(t, os.WriteFile(file, []byte(head+"members: ["+web1+"]\napproval: {quorum: 2}\n"), 0o600))
	for verb, kind := range map[string]string{"apply": workflows.TypeFleet, "leave": workflows.TypeFleet, "plan": workflows.TypePreview} {
		server := mocks.NewClient(t)
		server.On("Close").Return()
		var requester string
		server.On("ExecuteWorkflow", mock.Anything, mock.Anything, kind, mock.Anything).Run(func(args mock.Arguments) {
			requester = args.Get(3).(fleet.Plan).Requester
		}).Return(client.WorkflowRun(nil), errors.New("no server"))
		f, _, errs := testFactory(t)
		f.Connect = func(context.Context, string) (*connect.Connection, error) {
			return &connect.Connection{Client: server}, nil
		}
		require.Equal(t, ExitCouldNotRun, run(t.Context(), f, []string{verb, file}), errs.String())
		require.Equal(t, me(), requester, verb)
	}
}

// What a Fleet takes, the command line takes, too.
func TestPlansThatAFleetTakesAreTaken(t *testing.T) {
	t.Parallel()
	members := head + "members: [" + web1 + "]\n"
	for name, text := range map[string]string{
		"a request":          members,
		"who asks":           members + "requester: ann\napproval: {voters: [bob]}\nwhenHeld: wait\n",
		"a gate a wave":      members + "requester: ann\napproval: {eachWave: true}\n",
		"no gate a wave":     members + "requester: ann\napproval: {eachWave: false}\n",
		"parameters":         members + "params: {assumeKVM: true}\n",
		"a name":             members + "name: web\n",
		"a leave":            members + "operation: leave\n",
		"a canary, all":      members + "canary: 0\nwaves: [100%]\nsoak: 5s\n",
		"a budget":           members + "budget: {failures: 1}\n",
		"a window":           members + "windows: [{days: [mon], from: \"08:00\", to: \"09:00\", zone: UTC}]\n",
		"a pace":             members + "pace: {cohorts: 2, members: 10}\n",
		"other cases":        members + "Canary: 0\nWaves: [100%]\n",
		"groups":             "kind: huawei.servergroup\naccount: demo\ngroups: [{group: " + group + ", members: [" + web1 + "]}]\n",
		"a list":             head + "targets: {file: web.csv}\n",
		"found in the cloud": head + "targets: {cloud: {tags: {app: web}}}\n",
		"spread":             "kind: huawei.servergroup\naccount: demo\nmembers: [" + web1 + "]\nspread: {groups: [" + group + "]}\n",
		"steps":              "steps: [{kind: huawei.servergroup, account: demo, group: " + group + ", members: [" + web1 + "]}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := toJSON([]byte(text), "test")
			require.NoError(t, err)
			want, err := fleet.ParsePlan(data)
			require.NoError(t, err)
			got, err := reading(text, Source{File: "-"})
			require.NoError(t, err)
			want.Requester = got.Requester
			require.Equal(t, want, got)
		})
	}
}

// The mistakes in what is neither are those of what it looks like.
func TestMistakesOfPlansAndRequests(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		head + "approval: {eachWave: true}\n":                                             "members: is empty; want members with their group",
		head + "canary: 1\nmember: [a]\n":                                                 "member: is not a field of a plan",
		head + "approval: {quorum: 2}\nmember: [a]\n":                                     "member: is not a field of a plan; it has ",
		head + "members: [" + web1 + "]\nparams: {x: y}\n":                                "params.x: is not a parameter of huawei.servergroup",
		strings.Replace(head, "huawei", "hua", 1) + "canary: 1\ntargets: {file: a.csv}\n": `kind: "hua.servergroup": is not a kind`,
	} {
		_, err := reading(text, Source{File: "-"})
		var bad *membership.BadInput
		require.ErrorAs(t, err, &bad)
		require.ErrorContains(t, err, want)
	}
}

func TestWavesAreNamedAsStatusNamesThem(t *testing.T) {
	waves := []fleet.WaveStatus{{Name: "canary"}, {Name: "wave 1"}, {Name: "wave 2"}}
	for name, number := range map[string]int{"canary": 1, "wave 1": 2, "1": 2, "2": 3} {
		got, err := waveNumber(waves, name)
		require.NoError(t, err)
		require.Equal(t, number, got, name)
	}
	_, err := waveNumber(waves, "3")
	require.ErrorContains(t, err, `--wave: "3": is no wave of the present step; want canary, wave 1, wave 2`)
}
