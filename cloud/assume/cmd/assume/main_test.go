package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
)

func call(t *testing.T, args ...string) (code int, out, complaints string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestTheSimulatorIsAsAssumed(t *testing.T) {
	code, out, _ := call(t)
	require.Equal(t, 0, code, out)
	require.Contains(t, out, "H1   holds ")
	require.Contains(t, out, " hold, 0 do not, 0 could not be checked, 0 were not\n")
}

// TestAnAccountIsOnlyRead points the command at an account, whose cloud is a simulator with a world of its own.
func TestAnAccountIsOnlyRead(t *testing.T) {
	w, err := sim.ParseWorld([]byte(`
accounts: [{name: main, accessKey: AK, secretKey: SK, projectId: p1}]
huawei:
  knobs: {missingGroup: itemNotFound}
  flavors: [{id: f}]
  servers: [{name: first, flavor: f}]
`))
	require.NoError(t, err)
	s, err := sim.New(sim.Options{World: w})
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	for name, text := range map[string]string{"ak": "AK", "sk": "SK", "accounts.yaml": "accounts:\n  main: {provider: huawei, region: sim-1, projectId: p1," +
		" endpoints: {ecs: '" + server.URL + "', cce: '" + server.URL + "', vpc: '" + server.URL + "'}," +
		" credentials: {accessKey: {file: ak}, secretKey: {file: sk}}}\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	code, out, complaints := call(t, "--accounts", filepath.Join(dir, "accounts.yaml"), "--account", "main")
	require.Equal(t, exitBroken, code, complaints)
	require.Contains(t, out, "H4   does not hold")
	require.Contains(t, out, "is {404 itemNotFound}, not {404 Ecs.0114}")
	require.Contains(t, out, "H9   holds")
	require.Contains(t, out, "H1   not checked")
	require.Empty(t, s.Journal().Select(sim.Filter{Writes: true}))
	require.NotEmpty(t, s.Journal().Entries())
}

func TestUsage(t *testing.T) {
	for says, args := range map[string][]string{
		"flag provided but not defined": {"--nonsense"},
		`"H99" is no assumption`:        {"--only", "H99"},
		"go together":                   {"--account", "main"},
		"accounts file":                 {"--accounts", "/none", "--account", "main"},
	} {
		code, _, complaints := call(t, args...)
		require.Equal(t, exitUsage, code)
		require.Contains(t, complaints, says)
	}
}
