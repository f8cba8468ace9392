// Cloudsim serves simulated clouds on a port: the world that a file describes, for any client of the real ones.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
)

// The exit codes besides 0.
const (
	exitFailed = 1 // could not listen, or could not save the state
	exitUsage  = 2 // wrong flags or a wrong world
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run serves until ctx ends and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("cloudsim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	world := flags.String("world", "", "world `file`; needed unless --state holds a state")
	listen := flags.String("listen", "127.0.0.1:8774", "`address` to listen on; port 0 picks one")
	state := flags.String("state", "", "`directory` that keeps the state over restarts; empty: memory only")
	useTLS := flags.Bool("tls", false, "serve HTTPS with a certificate made at the start")
	caFile := flags.String("tls-ca", "", "`file` to write the certificate authority to, for clients to trust")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return exitUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "cloudsim: unexpected argument %q\n", flags.Arg(0))
		return exitUsage
	}
	if *useTLS && *caFile == "" {
		fmt.Fprintln(stderr, "cloudsim: --tls needs --tls-ca FILE, or no client could trust it")
		return exitUsage
	}
	s, err := open(*world, *state, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "cloudsim:", err)
		return exitUsage
	}
	err = serve(ctx, s, *listen, *useTLS, *caFile, stdout)
	if err := errors.Join(err, s.Close()); err != nil {
		fmt.Fprintln(stderr, "cloudsim:", err)
		return exitFailed
	}
	return 0
}

// open makes the simulator from the state directory if there is a state in it, else from the world file.
func open(world, state string, stderr io.Writer) (*sim.Sim, error) {
	if state != "" && sim.HasState(state) {
		if world != "" {
			fmt.Fprintf(stderr, "cloudsim: going on with the state in %s; %s is not read\n", state, world)
		}
		return sim.New(sim.Options{StateDir: state})
	}
	if world == "" {
		return nil, errors.New("--world FILE is missing")
	}
	w, err := sim.LoadWorld(world)
	if err != nil {
		return nil, err
	}
	return sim.New(sim.Options{World: w, StateDir: state})
}

// serve listens, says so in one line on stdout, and serves until ctx ends.
func serve(ctx context.Context, s *sim.Sim, address string, useTLS bool, caFile string, stdout io.Writer) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	scheme := "http"
	if useTLS {
		config, err := selfSigned(caFile, time.Now())
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		listener, scheme = tls.NewListener(listener, config), "https"
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(stdout, "cloudsim listening on %s://%s\n", scheme, listener.Addr())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	// Calls that a fault keeps hanging would never end by themselves.
	soon, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if server.Shutdown(soon) != nil {
		return server.Close()
	}
	return nil
}
