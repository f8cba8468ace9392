package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

const root = "../../.."

func TestThePageIsFresh(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, render(&b, root))
	committed, err := os.ReadFile(filepath.Join(root, page))
	require.NoError(t, err)
	require.Equal(t, b.String(), string(committed), "renew it with: make docs")
}

func TestEveryCodeOfTheEngineSaysWhatToDo(t *testing.T) {
	for _, o := range membership.EngineFailures() {
		require.NotEmpty(t, engine[o.Code], o.Code)
	}
	require.Len(t, engine, len(membership.EngineFailures()))
}

// Every code that stands in a client's table is read, also from the table of a client that no kind uses yet.
func TestTablesAreReadWhole(t *testing.T) {
	require.NotEmpty(t, providers())
	for provider, title := range clouds {
		path := rulesOf(root, provider)
		source, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			require.NotContains(t, providers(), provider, title)
			continue
		}
		require.NoError(t, err)
		groups, err := readRules(path)
		require.NoError(t, err)
		var read []string
		for _, g := range groups {
			for _, r := range g.rules {
				requireVerdict(t, r.Read)
				requireVerdict(t, r.Write)
				read = append(read, r.Code)
			}
		}
		inSource := regexp.MustCompile(`"([A-Z][A-Za-z]+\.[\dA-Z][\w.]*)"`).FindAllStringSubmatch(string(source), -1)
		require.NotEmpty(t, inSource)
		for _, m := range inSource {
			require.Contains(t, read, m[1])
		}
	}
}

func requireVerdict(t *testing.T, v verdict.Verdict) {
	t.Helper()
	known := v == "" || slices.ContainsFunc(verdicts, func(m meaning) bool { return m.verdict == v })
	require.True(t, known, "no verdict: %q", v)
}

func TestATableThatIsNotUnderstoodIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.go")
	for source, want := range map[string]string{
		"package p\nvar other = 1\n":                                           "has no rules",
		"package p\nvar rules = slices.Concat(\n\tmagic(1),\n)\n":              "rules.go:3:2: not understood",
		"package p\nvar rules = slices.Concat(answers(x, a, b, \"c\", \"d\"))": "rules.go:2:35: not understood",
	} {
		require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
		_, err := readRules(file)
		require.ErrorContains(t, err, want)
	}
}
