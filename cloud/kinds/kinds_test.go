package kinds_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// wanted are the suites that every kind plays in the tests of its folder, and the files that it has there.
var wanted = struct{ suites, files []string }{
	suites: []string{"Main", "RunTables", "Run", "Costs", "Find"},
	files:  []string{"plan.yaml", "try.txtar", "world.yaml", "demo.yaml", "policy.json"},
}

func TestEveryKindIsWhole(t *testing.T) {
	folders, err := filepath.Glob("*/kind.go")
	require.NoError(t, err)
	require.Len(t, kinds.All(kinds.Clouds{}), len(folders), "every folder with a kind is in the list")
	for _, k := range kinds.All(kinds.Clouds{}) {
		id := k.Spec().ID
		require.NotEmpty(t, k.Spec().Finds, id)
		require.NotEmpty(t, k.Spec().Room, id)
		dir := filepath.Join("../..", kinds.Dir(id))
		tests, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		require.NoError(t, err)
		var code []byte
		for _, file := range tests {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			code = append(code, text...)
		}
		for _, suite := range wanted.suites {
			require.Regexp(t, regexp.MustCompile(`\bkindtest\.`+suite+`\(`), string(code), "%s: its tests do not play it", id)
		}
		for _, file := range wanted.files {
			require.FileExists(t, filepath.Join(dir, file))
		}
	}
}

func TestEveryPlanIsTaken(t *testing.T) {
	for _, k := range kinds.All(kinds.Clouds{}) {
		plans, err := filepath.Glob(filepath.Join("../..", kinds.Dir(k.Spec().ID), "plan*.*"))
		require.NoError(t, err)
		require.NotEmpty(t, plans)
		for _, file := range plans {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			data, err := yaml.YAMLToJSONStrict(text)
			require.NoError(t, err, file)
			p, err := fleet.ParsePlan(data)
			require.NoError(t, err, file)
			require.Equal(t, k.Spec().ID, p.Kind, file)
			require.Empty(t, membership.Validate(k, membership.Request{Kind: p.Kind, Account: p.Account, Group: p.Group,
				Members: p.Members, Params: p.Params}), file)
		}
	}
}

// Every slice begins by giving what the one before has sent its time to show. Where that took as long as a slice, nothing would
// ever be sent again.
func TestWritesSettleWellWithinASlice(t *testing.T) {
	const longestSlice = 5 * time.Minute // of package workflows
	stages := 0
	for _, k := range kinds.All(kinds.Clouds{}) {
		for op, all := range k.Spec().Stages {
			for _, s := range all {
				stages++
				require.LessOrEqual(t, s.Settle.Std(), longestSlice/2, "%s, %s, %s", k.Spec().ID, op, s.Name)
			}
		}
	}
	require.NotZero(t, stages)
}
