package world_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// TestTheDocumentedPartsAreParts puts the smaller examples of the page into worlds that have what they refer to.
func TestTheDocumentedPartsAreParts(t *testing.T) {
	text, err := os.ReadFile("../../../deploy/docs/world.md")
	require.NoError(t, err)
	around := map[string]string{
		"huawei": "huawei:\n  flavors: [{id: c7.large.2}]\n  groups: [{name: web}]\n" +
			"  servers: [{name: node-1, flavor: c7.large.2}]\n",
		"alibaba": "alibaba:\n  generate: [{name: ali-%04d, count: 5}]\n",
	}
	parts := strings.Split(string(text), "```yaml\n# part of: ")[1:]
	require.NotEmpty(t, parts)
	for _, part := range parts {
		part, _, _ = strings.Cut(part, "```")
		of, lines, _ := strings.Cut(strings.TrimSpace(part), "\n")
		require.Contains(t, around, of)
		w, err := world.Parse([]byte(around[of] + "  " + strings.ReplaceAll(lines, "\n", "\n  ")))
		require.NoError(t, err, part)
		require.NoError(t, w.Complete().Validate(), part)
	}
}
