package host

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// parse makes a config as the program does.
func parse(t *testing.T, args []string, env map[string]string) (Config, error) {
	t.Helper()
	cfg := Defaults()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	cfg.Flags(fs)
	require.NoError(t, fs.Parse(args))
	err := FromEnv(fs, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	return cfg, err
}

func TestConfigFromFlagsAndEnvironment(t *testing.T) {
	t.Parallel()
	cfg, err := parse(t, []string{"--poll", "1s", "--accounts", "mine.yaml", "--store", "kept"}, map[string]string{
		"FLEETJOIN_POLL": "3s", "FLEETJOIN_SLICE": "20s", "FLEETJOIN_LOG_FORMAT": "console",
		"FLEETJOIN_MAX_SLICES": "7", "FLEETJOIN_PROFILE": "ignored", "FLEETJOIN_HEALTH": ""})
	require.NoError(t, err)
	want := Defaults()
	want.Accounts, want.Store = "mine.yaml", "kept"
	want.Poll, want.Slice, want.LogFormat, want.MaxSlices = time.Second, 20*time.Second, "console", 7
	require.Equal(t, want, cfg)
	require.NoError(t, cfg.Check())
}

func TestWrongVariablesAreNamed(t *testing.T) {
	t.Parallel()
	_, err := parse(t, nil, map[string]string{"FLEETJOIN_POLL": "soon", "FLEETJOIN_PARALLEL": "many"})
	require.ErrorContains(t, err, `FLEETJOIN_POLL: "soon": want a duration`)
	require.ErrorContains(t, err, `FLEETJOIN_PARALLEL: "many": want a whole number`)
}

func TestConfigCheckNamesFieldAndValue(t *testing.T) {
	t.Parallel()
	good := Defaults()
	good.Accounts, good.Store = "a.yaml", "store"
	require.NoError(t, good.Check())
	for want, change := range map[string]func(*Config){
		"--accounts is missing":         func(c *Config) { c.Accounts = "" },
		"--store is missing":            func(c *Config) { c.Store = "" },
		"--task-queue is empty":         func(c *Config) { c.TaskQueue = "" },
		"--poll: 1ms":                   func(c *Config) { c.Poll = time.Millisecond },
		"--poll: 12s: want no more":     func(c *Config) { c.Poll = 12 * time.Second },
		"--slice: 1h0m0s":               func(c *Config) { c.Slice = time.Hour },
		"--parallel: 0":                 func(c *Config) { c.Parallel = 0 },
		"--max-slices: -1":              func(c *Config) { c.MaxSlices = -1 },
		`--health: "9090": want`:        func(c *Config) { c.Health = "9090" },
		`--health: "localhost:": want`:  func(c *Config) { c.Health = "localhost:" },
		`--metrics: "9091": want`:       func(c *Config) { c.Metrics = "9091" },
		"--poll: 2s: want no more than": func(c *Config) { c.Slice = time.Second },
	} {
		c := good
		change(&c)
		require.ErrorContains(t, c.Check(), want)
	}
}

func TestLogger(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := NewLogger(&out, "json", "warn")
	require.NoError(t, err)
	log.Info("quiet")
	log.Warn("loud", "wait", 90*time.Second)
	require.NotContains(t, out.String(), "quiet")
	require.Contains(t, out.String(), `"wait":"1m30s"`)
	_, err = NewLogger(&out, "xml", "info")
	require.ErrorContains(t, err, `--log-format: "xml"`)
	_, err = NewLogger(&out, "json", "loud")
	require.ErrorContains(t, err, `--log-level: "loud"`)
}

// A mistake in the file of allowed signers is told before anything is dialled, not at somebody's vote.
func TestAllowedSignersAreReadAtTheStart(t *testing.T) {
	t.Setenv("DEBUG", "")
	o := Options{Config: Defaults(), Logger: slog.New(slog.DiscardHandler)}
	o.Store = t.TempDir()
	o.Accounts, o.Signers = filepath.Join(t.TempDir(), "accounts.yaml"), filepath.Join(t.TempDir(), "signers")
	require.NoError(t, os.WriteFile(o.Accounts, []byte(demoAccounts), 0o600))
	require.NoError(t, os.WriteFile(o.Signers, []byte("bob rubbish"), 0o600))
	require.ErrorContains(t, Run(t.Context(), o), "signers line 1: bob: no key can be read")
}

func TestDebugThatPrintsCredentialsIsRefused(t *testing.T) {
	for _, value := range []string{"", "1", "http2", "daredevil"} {
		require.NoError(t, checkDebug(value), value)
	}
	for _, value := range []string{"dara", "x,tea", "credential,http"} {
		require.ErrorContains(t, checkDebug(value), "DEBUG", value)
	}
}

const demoAccounts = `accounts:
  demo:
    provider: huawei
    region: sim-1
    projectId: p1
    endpoints: {ecs: "http://127.0.0.1:1"}
    credentials: {accessKey: {env: AK}, secretKey: {env: SK}}
`

func TestOneClientPerAccount(t *testing.T) {
	t.Setenv("AK", "key")
	t.Setenv("SK", "secret")
	accounts, err := account.Parse([]byte(demoAccounts), "accounts.yaml")
	require.NoError(t, err)
	c := connectTo(accounts, new(limit.Set))
	first, err := c.Huawei(t.Context(), "demo")
	require.NoError(t, err)
	second, err := c.Huawei(t.Context(), "demo")
	require.NoError(t, err)
	require.Same(t, first, second)
	_, err = c.Huawei(t.Context(), "nope")
	var bad *membership.BadInput
	require.ErrorAs(t, err, &bad, "it must not be tried for ever")
	require.ErrorContains(t, err, `account: "nope": is not in the worker's accounts file; it has demo`)
	_, err = c.Alibaba(t.Context(), "demo")
	require.ErrorContains(t, err, `account: "demo": is an account at huawei; the kind wants one at alibaba`)
}

// syncBuffer is written by a server and read by its test.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
