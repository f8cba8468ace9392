package cli

import (
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const root = "../.."

func TestAKindIsToldWhole(t *testing.T) {
	t.Parallel()
	f, out, _ := testFactory(t)
	for _, k := range f.Kinds {
		s := k.Spec()
		out.Reset()
		require.NoError(t, printKind(f, s))
		told := out.String()
		want := []string{s.Title, s.Finds, s.Room, s.Destructive, "permissions"}
		for _, p := range s.Params {
			want = append(want, p.Name, p.Help)
		}
		for _, stages := range s.Stages {
			for _, st := range stages {
				want = append(want, st.Name, st.Help, st.Undo, string(st.Risk))
			}
		}
		for _, o := range slices.Concat(s.Objections, s.Failures, membership.EngineObjections(), membership.EngineFailures()) {
			want = append(want, o.Code, o.Reason)
		}
		for _, w := range append(append(want, s.Permissions...), s.Source...) {
			require.Contains(t, strings.ToLower(told), strings.ToLower(w), s.ID)
		}
		files := regexp.MustCompile(`(?:deploy|cloud)/[\w/.-]+\.(md|json|yaml)`).FindAllString(told, -1)
		require.Contains(t, files, kinds.Dir(s.ID)+"/policy.json")
		require.Contains(t, files, "deploy/docs/error-codes.md")
		require.Contains(t, told, "\nExample: "+kinds.Dir(s.ID)+"/plan.yaml")
		for _, file := range files {
			require.FileExists(t, filepath.Join(root, file), s.ID)
		}
	}
}

// Who reads what a kind needs writes a plan of it.
func TestFieldsOfAPlanThatAreExplainedExist(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	var walk func(of reflect.Type, under string)
	walk = func(of reflect.Type, under string) {
		for field := range of.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			switch {
			case field.Anonymous:
				walk(field.Type, under)
			case field.Type == reflect.TypeFor[*fleet.Approval]():
				walk(field.Type.Elem(), under+name+".")
			default:
				known[under+name] = true
			}
		}
	}
	walk(reflect.TypeFor[fleet.Plan](), "")
	rows := planTable(membership.Spec{}, fleet.Plan{}).rows
	require.Greater(t, len(rows), 8)
	for _, row := range rows {
		require.True(t, known[row[0].text], row[0].text)
	}
}
