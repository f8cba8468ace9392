package plans

import (
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func TestEveryKindHasAPlan(t *testing.T) {
	for _, k := range kinds.All(kinds.Clouds{}) {
		all, err := Of(k.Spec().ID)
		require.NoError(t, err)
		require.NotEmpty(t, all, "no join-*.yaml is for %s", k.Spec().ID)
		for _, p := range all {
			require.Contains(t, p.Text, k.Spec().ID)
		}
	}
}

func TestEveryPlanIsTakenAndListed(t *testing.T) {
	names, err := fs.Glob(Files, "*")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, name := range names {
		require.Contains(t, string(readme), "| `"+name+"` |")
		text, err := fs.ReadFile(Files, name)
		require.NoError(t, err)
		data, err := yaml.YAMLToJSONStrict(text)
		require.NoError(t, err, name)
		if strings.HasPrefix(name, "plan-") { // the input of the workflow Plan has the request inside
			var in struct{ Request json.RawMessage }
			require.NoError(t, json.Unmarshal(data, &in), name)
			data = in.Request
		}
		r, err := membership.ParseRequest(data)
		require.NoError(t, err, name)
		k, err := membership.Find(kinds.All(kinds.Clouds{}), r.Kind)
		require.NoError(t, err, name)
		require.Empty(t, membership.Validate(k, r), name)
	}
}
