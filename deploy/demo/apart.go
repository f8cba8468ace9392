package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// apart is a stack whose parts are processes of their own, so that one can die without the others. It keeps everything in
// the places that `fleetjoin dev --state` knows.
type apart struct {
	*stack
	worker *process
	health string // where the worker answers when it works
}

func startApart(ctx context.Context, state, worldFile string) (*apart, error) {
	a := &apart{stack: &stack{state: state}}
	for _, start := range []func(context.Context) error{
		func(ctx context.Context) error { return a.startClouds(ctx, worldFile) }, a.startTemporal, a.startWorker,
	} {
		if err := start(ctx); err != nil {
			a.stop()
			return nil, err
		}
	}
	return a, nil
}

// accountsFor is the worker's accounts file for clouds at an address.
func accountsFor(clouds string) string { return fmt.Sprintf(string(fleetFile("accounts")), clouds) }

// background starts a program in front of everybody.
func (a *apart) background(ctx context.Context, program string, args ...string) (*process, error) {
	path, err := locate(program)
	if err != nil {
		return nil, err
	}
	fmt.Println("\n$", commandLine(program, args), "&")
	return a.spawn(ctx, path, args...)
}

func (a *apart) startClouds(ctx context.Context, worldFile string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	p, err := a.background(ctx, "cloudsim", "--world", worldFile, "--listen", address, "--state", filepath.Join(a.state, "sim"))
	if err != nil {
		return err
	}
	a.where.Sim = "http://" + address
	if err := p.ready(ctx, func(ctx context.Context) error { return a.plane().Do(ctx, http.MethodGet, "health", nil, nil) }); err != nil {
		return err
	}
	return a.writeAccounts(ctx)
}

// writeAccounts gives the worker the keys of the world's accounts.
func (a *apart) writeAccounts(ctx context.Context) error {
	w, err := a.plane().World(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(a.state, "secrets"), 0o700); err != nil {
		return err
	}
	files := map[string]string{"accounts.yaml": accountsFor(a.where.Sim)}
	for _, account := range w.Accounts {
		files["secrets/"+account.Name+".accessKey"] = account.AccessKey
		files["secrets/"+account.Name+".secretKey"] = account.SecretKey
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(a.state, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (a *apart) startTemporal(ctx context.Context) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	args := []string{"server", "start-dev", "--headless", "--ip", host, "--port", port, "--log-level", "warn",
		"--db-filename", filepath.Join(a.state, "temporal.db"), "--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=NORMAL"}
	for _, attribute := range workflows.SearchAttributes() {
		args = append(args, "--search-attribute", fmt.Sprintf("%s=%s", attribute.Name, attribute.Type))
	}
	p, err := a.background(ctx, "temporal", args...)
	if err != nil {
		return err
	}
	a.where.Temporal = address
	return p.ready(ctx, func(ctx context.Context) error {
		conn, err := connect.Dial(ctx, connect.Options{Address: address, Name: "fleetjoin-demo"})
		if err != nil {
			return err
		}
		defer conn.Close()
		return conn.CheckSearchAttributes(ctx)
	})
}

// startWorker starts a worker, at first or in the place of one that is dead.
func (a *apart) startWorker(ctx context.Context) (err error) {
	store := filepath.Join(a.state, "store")
	if err := os.MkdirAll(store, 0o700); err != nil {
		return err
	}
	if a.health, err = freeAddress(); err != nil {
		return err
	}
	a.worker, err = a.background(ctx, "fleetjoin-worker", "--accounts", filepath.Join(a.state, "accounts.yaml"), "--store", store,
		"--health", a.health, "--poll", "200ms", "--log-level", "warn")
	if err != nil {
		return err
	}
	return a.worker.ready(ctx, a.healthy)
}

func (a *apart) healthy(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.health+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// freeAddress finds a port of this machine that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
