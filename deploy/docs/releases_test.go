package docs_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/release"
)

// A release that nobody can read about is none: the present one, and each whose histories are kept.
func TestReleases(t *testing.T) {
	text := read(t, "releases.md")
	require.Contains(t, text, "\n### "+release.Version+"\n", "releases.md says nothing of this release")
	corpora, err := os.ReadDir("../../workflows/testdata/histories")
	require.NoError(t, err)
	require.NotEmpty(t, corpora)
	for _, c := range corpora {
		require.Contains(t, text, "\n### "+c.Name()+"\n", "releases.md says nothing of the release whose histories are kept")
	}
}
