package host

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// Config is what an operator can set on a worker. How to reach Temporal is not in it: see package connect.
type Config struct {
	Profile   string        // of temporal.toml
	Accounts  string        // the accounts file
	Store     string        // folder of what runs keep, one for all workers
	Targets   string        // folder of the target files that plans may name; "": none
	Signers   string        // file of those who may sign votes; "": gates cannot want signatures
	TaskQueue string        //
	LogFormat string        // json or console
	LogLevel  string        // debug, info, warn or error
	Health    string        // where /healthz is served, "" for nowhere; a bare ":port" is on loopback
	Metrics   string        // where /metrics is served, likewise; it may be the address of Health
	Poll      time.Duration // how often an activity looks while it waits
	Slice     time.Duration // how long one activity runs
	Parallel  int           // most writes under way at once in one activity
	MaxSlices int           // most activities at once in this process
}

// Defaults are what a worker uses unless told otherwise.
func Defaults() Config {
	return Config{TaskQueue: workflows.TaskQueue, LogFormat: "json", LogLevel: "info",
		Poll: 2 * time.Second, Slice: 10 * time.Second, Parallel: 20, MaxSlices: 200}
}

// Flags declares a flag for every field. What the config holds when it is called are the defaults.
func (c *Config) Flags(fs *pflag.FlagSet) {
	fs.StringVar(&c.Profile, "profile", c.Profile, "profile of temporal.toml (TEMPORAL_PROFILE)")
	fs.StringVar(&c.Accounts, "accounts", c.Accounts, "accounts `file`: the credentials that runs may name")
	fs.StringVar(&c.Store, "store", c.Store, "`folder` of what runs keep: manifests and records; one that all workers share")
	fs.StringVar(&c.Targets, "targets", c.Targets, "`folder` of the target files that plans may name")
	fs.StringVar(&c.Signers, "allowed-signers", c.Signers, "`file` of the keys that may sign votes, as OpenSSH's allowed_signers")
	fs.StringVar(&c.TaskQueue, "task-queue", c.TaskQueue, "task queue to poll")
	fs.StringVar(&c.LogFormat, "log-format", c.LogFormat, "json or console")
	fs.StringVar(&c.LogLevel, "log-level", c.LogLevel, "debug, info, warn or error")
	fs.StringVar(&c.Health, "health", c.Health,
		"serve /healthz at this `address`; a bare :port is on loopback, empty serves nothing")
	fs.StringVar(&c.Metrics, "metrics", c.Metrics,
		"serve /metrics, for Prometheus, at this `address`; likewise, and it may be that of --health")
	fs.DurationVar(&c.Poll, "poll", c.Poll, "how often to look while waiting for the cloud")
	fs.DurationVar(&c.Slice, "slice", c.Slice, "how long one activity runs before its state is recorded")
	fs.IntVar(&c.Parallel, "parallel", c.Parallel, "most writes under way at once in one activity")
	fs.IntVar(&c.MaxSlices, "max-slices", c.MaxSlices, "most activities at once in this process")
}

// FromEnv gives every flag that was not set on the command line the value of its FLEETJOIN_ variable, such as
// FLEETJOIN_LOG_LEVEL for --log-level. The profile has TEMPORAL_PROFILE, which package connect reads.
func FromEnv(fs *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var errs []error
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" || f.Name == "profile" {
			return
		}
		name := "FLEETJOIN_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := lookup(name)
		if !ok || value == "" {
			return
		}
		if err := fs.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %q: want %s, as for --%s", name, value, wanted(f.Value.Type()), f.Name))
		}
	})
	return errors.Join(errs...)
}

// wanted puts pflag's name of a type into words.
func wanted(valueType string) string {
	switch valueType {
	case "duration":
		return "a duration such as 2s"
	case "int":
		return "a whole number"
	case "bool":
		return "true or false"
	}
	return "a " + valueType
}

// Check returns everything that is wrong with the config.
func (c *Config) Check() error {
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(c.Accounts == "", "--accounts is missing; name the accounts file, or set FLEETJOIN_ACCOUNTS")
	wrong(c.Store == "", "--store is missing; name a folder that all workers share, or set FLEETJOIN_STORE: runs keep their manifests and records there")
	wrong(c.TaskQueue == "", "--task-queue is empty; the usual one is %s", workflows.TaskQueue)
	wrong(c.Poll < 10*time.Millisecond || c.Poll > time.Minute, "--poll: %v: want 10ms to 1m", c.Poll)
	wrong(c.Slice < time.Second || c.Slice > 10*time.Minute, "--slice: %v: want 1s to 10m", c.Slice)
	wrong(c.Poll > c.Slice, "--poll: %v: want no more than --slice, which is %v", c.Poll, c.Slice)
	wrong(c.Parallel < 1 || c.Parallel > 1000, "--parallel: %d: want 1 to 1000", c.Parallel)
	wrong(c.MaxSlices < 1 || c.MaxSlices > 10000, "--max-slices: %d: want 1 to 10000", c.MaxSlices)
	_, health := listenAddress("--health", c.Health)
	_, metrics := listenAddress("--metrics", c.Metrics)
	return errors.Join(append(errs, health, metrics)...)
}

func (c *Config) pace() membership.Pace {
	return membership.Pace{Slice: membership.Duration(c.Slice), Poll: membership.Duration(c.Poll), Parallel: c.Parallel}
}
