package devstack

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestExampleWorldIsValidAndHasSomethingToTry(t *testing.T) {
	t.Parallel()
	w, err := ExampleWorld()
	require.NoError(t, err)
	require.Contains(t, requestFor(w), "# web-1\n")
	require.NotContains(t, requestFor(w), "# web-4\n", "it is in a group already")
	require.Empty(t, requestFor(world.World{}))
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	w, err := ExampleWorld()
	require.NoError(t, err)
	before := len(w.Complete().Huawei.Servers)
	bigger, err := Generate(w, 500)
	require.NoError(t, err)
	require.Len(t, bigger.Complete().Huawei.Servers, before+500)
	require.Equal(t, membership.MaxMembers, strings.Count(requestFor(bigger), "\n  - "), "a request holds a page")
	for _, n := range []int{-1, mostGenerated + 1} {
		_, err := Generate(w, n)
		require.ErrorContains(t, err, fmt.Sprint(n))
	}
	_, err = Generate(world.World{}, 1)
	require.ErrorContains(t, err, "no flavor")
}

func TestFilesLetAWorkerIn(t *testing.T) {
	t.Parallel()
	w, err := ExampleWorld()
	require.NoError(t, err)
	s := &stack{Options: Options{World: w}, where: Ready{
		Sim: "http://127.0.0.1:1", Accounts: filepath.Join(t.TempDir(), accountsFile)}}
	require.NoError(t, s.writeFiles())
	accounts, err := account.Load(s.where.Accounts)
	require.NoError(t, err)
	require.Empty(t, accounts.Warnings(), "nobody else can read the secrets")
	a, err := accounts.Get("demo")
	require.NoError(t, err)
	require.Equal(t, "http://127.0.0.1:1", a.Endpoint("ecs"))
	secrets, err := a.Secrets(t.Context())
	require.NoError(t, err)
	require.Equal(t, w.Accounts[0].SecretKey, secrets.SecretKey)
	a, err = accounts.Get("alibaba")
	require.NoError(t, err)
	require.Equal(t, "http://127.0.0.1:1", a.Endpoint("edas"))
	password, err := a.Password(account.Source{File: examplePassword})
	require.NoError(t, err)
	require.NotEmpty(t, password)
	require.FileExists(t, s.where.Request)
}

func TestPorts(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	_, err = reserve(taken, "--ui-port")
	require.ErrorContains(t, err, fmt.Sprintf("port %d cannot be used", taken))
	require.ErrorContains(t, err, "--ui-port")
	_, err = reserve(70000, "--ui-port")
	require.ErrorContains(t, err, "--ui-port: 70000")
	free, err := reserve(0, "--ui-port")
	require.NoError(t, err)
	require.NotZero(t, free)
}

func TestStateFolderServesOneStack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := &stack{Options: Options{StateDir: dir}}
	require.NoError(t, first.openState())
	second := &stack{Options: Options{StateDir: dir}}
	require.ErrorContains(t, second.openState(), "in use by another fleetjoin dev")
	require.NoError(t, first.stop())
	require.NoError(t, second.openState())
	require.NoError(t, second.stop())

	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, (&stack{Options: Options{StateDir: filepath.Join(file, "x")}}).openState(), "--state")
}

func TestTemporaryFolderGoesAway(t *testing.T) {
	t.Parallel()
	s := &stack{}
	require.NoError(t, s.openState())
	require.DirExists(t, filepath.Dir(s.where.Accounts))
	require.NoError(t, s.stop())
	require.NoDirExists(t, filepath.Dir(s.where.Accounts))
}

// script writes an executable that stands in for a server.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700))
	return path
}

func TestProcessThatEndsByItself(t *testing.T) {
	t.Parallel()
	p, err := spawn(script(t, "for i in $(seq 100); do echo line $i; done; echo trouble >&2; exit 3\n"), nil, os.Environ())
	require.NoError(t, err)
	<-p.done
	require.ErrorContains(t, p.err, "exit status 3")
	require.Contains(t, p.said(), "trouble")
	require.Contains(t, p.said(), "line 100")
	require.NotContains(t, p.said(), "line 50\n")
	require.NoError(t, p.stop(time.Minute))
}

func TestProcessIsAskedThenKilled(t *testing.T) {
	t.Parallel()
	polite, err := spawn(script(t, "trap 'exit 0' INT; echo up; while :; do sleep 0.05; done\n"), nil, os.Environ())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return polite.said() != "" }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, polite.stop(10*time.Second))

	deaf, err := spawn(script(t, "trap '' INT; echo up; while :; do sleep 0.05; done\n"), nil, os.Environ())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return deaf.said() != "" }, 10*time.Second, 5*time.Millisecond)
	require.ErrorContains(t, deaf.stop(50*time.Millisecond), "was killed")
	<-deaf.done
}

func TestSpawnOfNothing(t *testing.T) {
	t.Parallel()
	_, err := spawn(filepath.Join(t.TempDir(), "none"), nil, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestFindTemporal(t *testing.T) {
	bin := filepath.Dir(script(t, ""))
	require.NoError(t, os.Rename(filepath.Join(bin, "server"), filepath.Join(bin, "temporal")))
	t.Chdir(t.TempDir())
	t.Setenv("PATH", "")
	_, err := FindTemporal("")
	require.ErrorContains(t, err, "make tools")
	_, err = FindTemporal(filepath.Join(bin, "none"))
	require.ErrorContains(t, err, "--temporal")

	require.NoError(t, os.Symlink(bin, "bin"))
	found, err := FindTemporal("")
	require.NoError(t, err)
	here, err := os.Getwd()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(here, "bin", "temporal"), found)

	t.Setenv("PATH", bin)
	found, err = FindTemporal("")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(bin, "temporal"), found)
}

func TestServerKnowsNothingOfOtherServers(t *testing.T) {
	t.Parallel()
	env := withoutTemporal([]string{"PATH=/bin", "TEMPORAL_ADDRESS=elsewhere:7233", "TEMPORAL_TLS=true"})
	require.Equal(t, []string{"PATH=/bin"}, env)
	require.NotContains(t, temporalArgs(1, 2, ""), "--db-filename")
	args := strings.Join(temporalArgs(1, 2, "/state"), " ")
	require.Contains(t, args, "--search-attribute FleetjoinKind=Keyword")
	require.Contains(t, args, "--db-filename /state/temporal.db --sqlite-pragma journal_mode=wal")
}
