// Package connect reaches Temporal the ecosystem's way: the TEMPORAL_* variables and the temporal.toml profiles that the
// temporal CLI reads, so that the worker, the operator's CLI and the temporal CLI share one configuration.
package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/release"
)

// Options say which Temporal to reach, and as whom.
type Options struct {
	Profile string                // of temporal.toml; "" means TEMPORAL_PROFILE, else "default"
	Address string                // host:port of a plain server of our own: profile and environment are ignored; "" uses them
	Name    string                // of the program; the part of its identity that comes before host and process
	Logger  *slog.Logger          // nil discards what the SDK has to say
	Metrics client.MetricsHandler // nil discards what the SDK counts
}

// Connection is a client and what was used to make it.
type Connection struct {
	client.Client
	Address       string
	Namespace     string
	Identity      string // what this process is called in histories and in lists of pollers
	DataConverter converter.DataConverter
}

// Dial connects, and asks the server for its capabilities to prove it. The error says what to set.
func Dial(ctx context.Context, o Options) (*Connection, error) {
	opts := client.Options{HostPort: o.Address}
	if o.Address == "" {
		var err error
		opts, err = envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{ConfigFileProfile: o.Profile})
		if err != nil {
			return nil, fmt.Errorf("temporal configuration: %w; look at --profile, the TEMPORAL_* variables and %s",
				err, configFile())
		}
	}
	if opts.HostPort == "" {
		opts.HostPort = client.DefaultHostPort
	}
	if opts.Namespace == "" {
		opts.Namespace = client.DefaultNamespace
	}
	if notPrintable(opts.Namespace) { // it goes into the headers of every call
		return nil, fmt.Errorf("temporal configuration: namespace %s has characters that are not printable ASCII; "+
			"look at TEMPORAL_NAMESPACE and %s", membership.Quote(opts.Namespace), configFile())
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	opts.Logger = log.NewStructuredLogger(o.Logger)
	opts.MetricsHandler = o.Metrics
	opts.Identity = identity(o.Name)
	opts.DataConverter = converter.GetDefaultDataConverter()
	opts.ConnectionOptions.DialOptions = append(opts.ConnectionOptions.DialOptions, validText()...)
	c, err := client.DialContext(ctx, opts)
	if err != nil {
		return nil, &UnreachableError{Address: opts.HostPort, Err: err}
	}
	return &Connection{Client: c, Address: opts.HostPort, Namespace: opts.Namespace, Identity: opts.Identity,
		DataConverter: opts.DataConverter}, nil
}

// UnreachableError says that no Temporal server answered.
type UnreachableError struct {
	Address string
	Err     error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("Temporal does not answer at %s: %v\n"+
		"Set TEMPORAL_ADDRESS, or --profile to a profile in %s, or start one here with: fleetjoin dev",
		e.Address, reason(e.Err), configFile())
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// reason leaves out what the SDK wraps around the cause.
func reason(err error) error {
	var unavailable *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	switch {
	case errors.As(err, &unavailable):
		return unavailable
	case errors.As(err, &late), errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	}
	return err
}

func configFile() string {
	if f := os.Getenv("TEMPORAL_CONFIG_FILE"); f != "" {
		return f
	}
	return envconfig.DefaultConfigFilePath()
}

func identity(name string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	return fmt.Sprintf("%s/%s@%s:%d", name, release.Version, host, os.Getpid())
}
