package main

import (
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

func TestWhatIsGeneratedIsFresh(t *testing.T) {
	files, err := generate(root)
	require.NoError(t, err)
	require.Greater(t, len(files), 1)
	for path, text := range files {
		committed, err := os.ReadFile(filepath.Join(root, path))
		require.NoError(t, err, "make it with: make docs")
		require.Equal(t, string(text), string(committed), "%s is not fresh, renew it with: make docs", path)
	}
}

func TestEveryCodeOfTheEngineSaysWhatToDo(t *testing.T) {
	for _, o := range membership.EngineFailures() {
		require.NotEmpty(t, engine[o.Code], o.Code)
	}
	require.Len(t, engine, len(membership.EngineFailures()))
}

// Every code that stands in a client's tables is read, also from the tables of a client that no kind uses yet.
func TestTablesAreReadWhole(t *testing.T) {
	require.NotEmpty(t, providers())
	for provider := range clouds {
		tables, err := readTables(clientOf(root, provider))
		require.NoError(t, err)
		var read []string
		for _, tab := range tables {
			for _, g := range tab.groups {
				for _, r := range g.rules {
					requireVerdict(t, r.Read)
					requireVerdict(t, r.Write)
					read = append(read, r.Code)
				}
			}
		}
		files, err := ruleFiles(clientOf(root, provider))
		require.NoError(t, err)
		require.Len(t, tables, len(files))
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			inSource := regexp.MustCompile(`"([A-Z][A-Za-z]+\.[\dA-Z][\w.]*)"`).FindAllStringSubmatch(string(source), -1)
			require.NotEmpty(t, inSource, file)
			for _, m := range inSource {
				require.Contains(t, read, m[1], file)
			}
		}
	}
}

func requireVerdict(t *testing.T, v verdict.Verdict) {
	t.Helper()
	known := v == "" || slices.ContainsFunc(verdicts, func(m meaning) bool { return m.verdict == v })
	require.True(t, known, "no verdict: %q", v)
}

func TestATableThatIsNotUnderstoodIsAnError(t *testing.T) {
	const about = "package p\n// rules says what the answers of X mean.\n"
	dir := t.TempDir()
	for source, want := range map[string]string{
		"package p\nvar other = 1\n":                                        "rules.go has no table",
		"package p\nvar rules = slices.Concat()":                            "rules.go:2:13: the comment of rules",
		about + "var rules = slices.Concat(\n\tmagic(1),\n)\n":              "rules.go:4:2: not understood",
		about + "var rules = slices.Concat(answers(x, a, b, \"c\", \"d\"))": "rules.go:3:35: not understood",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.go"), []byte(source), 0o600))
		_, err := readTables(dir)
		require.ErrorContains(t, err, want)
	}
	_, err := readTables(t.TempDir())
	require.ErrorContains(t, err, "has no *rules.go")
}
