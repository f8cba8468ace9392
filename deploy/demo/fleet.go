package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
	"github.com/fleetjoin/fleetjoin/starter/cli"
)

// fleetFiles are the world, the accounts and the plans. The commands name them where they are in the repository.
//
//go:embed fleet/*.yaml
var fleetFiles embed.FS

// What the acts refer to.
const (
	shop       = "shop"   // the run that goes on in spite of everything, and its plan
	ledger     = "ledger" // the run that is put back, and its plan
	quotaFault = "quota"  // of the world
	patience   = 2 * time.Minute
)

// story is two fleets on one stack, told in acts. Each act fails when it does not come as it must.
type story struct {
	*apart
	act      int
	before   world.World
	findings []string
}

// fleets moves two fleets over both clouds, and returns what the simulator knows better than their reports.
func fleets(ctx context.Context) ([]string, error) {
	t := &story{}
	t.title("A stack", "The clouds are a simulator; all else is what it would be: a Temporal server, a worker, command lines.")
	a, err := startApart(ctx, state, path("world"))
	if err != nil {
		return nil, err
	}
	defer a.stop()
	t.apart = a
	if t.before, err = a.plane().World(ctx); err != nil {
		return nil, err
	}
	for _, act := range []func(context.Context) error{t.plan, t.spend, t.heal, t.approve, t.kill, t.abort, t.report, t.judge} {
		if err := act(ctx); err != nil {
			return nil, fmt.Errorf("act %d: %w", t.act, err)
		}
	}
	return t.findings, nil
}

func (t *story) title(name, say string) {
	t.act++
	fmt.Printf("\n━━━ %d. %s\n    %s\n", t.act, name, say)
}

func (t *story) plan(ctx context.Context) error {
	t.title("A plan", "Three kinds of membership over two clouds: one member first, then waves, and no more than four failures.")
	fmt.Printf("\n$ cat %s\n%s", path(shop), fleetFile(shop))
	return t.run(ctx, cli.ExitRefused, "fleetjoin", "plan", path(shop)) // it changes nothing, and one server is Xen
}

func (t *story) spend(ctx context.Context) error {
	t.title("The budget", "From the eighth server on the cloud takes no more into the group. Four find out; nobody else is touched.")
	if err := t.run(ctx, cli.ExitNeedsPerson, "fleetjoin", "apply", path(shop), "--id", shop); err != nil {
		return err
	}
	after, entries, err := t.evidence(ctx)
	if err != nil {
		return err
	}
	p, err := readPlan(shop)
	if err != nil {
		return err
	}
	members := chosen(t.before, p.StepList()[0])
	t.verdict(contained(os.Stdout, t.before, after, entries, members, p.Budget.Failures.Of(len(members))))
	return nil
}

func (t *story) heal(ctx context.Context) error {
	t.title("The retry", "Somebody raises the quota. The four are tried again, the rest goes on, and the next step begins: the other cloud.")
	fault := "faults/" + quotaFault
	fmt.Println("\n$", commandLine("curl", []string{"-X", http.MethodDelete, t.plane().URL(fault)}))
	if err := t.plane().Do(ctx, http.MethodDelete, fault, nil, nil); err != nil {
		return err
	}
	if err := t.run(ctx, cli.ExitOK, "fleetjoin", "retry", shop, "--by", "ann@example.com", "--reason", "the quota is raised"); err != nil {
		return err
	}
	if err := t.run(ctx, cli.ExitOK, "fleetjoin", "change", shop, "--failures", "8", "--by", "ann@example.com",
		"--reason", "more at once, now that it works"); err != nil {
		return err
	}
	return t.run(ctx, cli.ExitAwaitsApproval, "fleetjoin", "watch", shop)
}

func (t *story) approve(ctx context.Context) error {
	t.title("The gate", "The third step wipes disks, so it waits for somebody; who asked for it does not count. It takes no CLI of ours.")
	if err := t.run(ctx, cli.ExitAwaitsApproval, "fleetjoin", "status", shop); err != nil {
		return err
	}
	var s fleet.Status
	if err := t.ask(ctx, &s, "status", shop, "--json"); err != nil {
		return err
	}
	const refused = 1 // of the temporal CLI, for an update that was rejected
	if err := t.vote(ctx, refused, "ann@example.com", s.Digest); err != nil {
		return err
	}
	return t.vote(ctx, cli.ExitOK, "bob@example.com", s.Digest)
}

func (t *story) vote(ctx context.Context, exit int, by, digest string) error {
	ballot, err := json.Marshal(membership.Control{By: by, Digest: digest, Reason: "they are empty"})
	if err != nil {
		return err
	}
	return t.run(ctx, exit, "temporal", "workflow", "update", "execute", "--workflow-id", shop,
		"--name", membership.ControlApprove, "--input", string(ballot))
}

func (t *story) kill(ctx context.Context) error {
	t.title("kill -9", "The cloud begins to wipe instances. Before its answer is there, the worker dies, and another takes its place.")
	if err := t.follow(ctx, func() (bool, error) {
		entries, _, err := t.plane().Journal(ctx, "")
		return slices.ContainsFunc(entries, func(e journal.Entry) bool { return e.Lost }), err
	}, "watch", shop); err != nil {
		return err
	}
	fmt.Println("\n$", commandLine("kill", []string{"-9", fmt.Sprint(t.worker.cmd.Process.Pid)}))
	t.worker.kill()
	if err := t.startWorker(ctx); err != nil {
		return err
	}
	return t.run(ctx, cli.ExitRefused, "fleetjoin", "watch", shop) // the Xen server's; all others have joined
}

func (t *story) abort(ctx context.Context) error {
	t.title("The way back", "Another fleet is aborted in the middle of its second step: all that it moved goes back to where it was, in both clouds.")
	if err := t.run(ctx, cli.ExitOK, "fleetjoin", "apply", path(ledger), "--id", ledger, "--detach"); err != nil {
		return err
	}
	if err := t.follow(ctx, func() (bool, error) {
		var s fleet.Status
		err := t.ask(ctx, &s, "status", ledger, "--json")
		if err == nil && s.Phase == membership.Ended {
			err = errors.New("the fleet ended before it could be aborted")
		}
		return s.Step == 2 && len(s.Waves) > 0 && s.Waves[0].Ended > 0 && s.InFlight > 0, err
	}, "watch", ledger); err != nil {
		return err
	}
	if err := t.run(ctx, cli.ExitOK, "fleetjoin", "abort", ledger, "--then", string(fleet.ThenRollBackFleet),
		"--by", "ann@example.com", "--reason", "the auditors are here"); err != nil {
		return err
	}
	return t.run(ctx, cli.ExitRolledBack, "fleetjoin", "watch", ledger)
}

func (t *story) report(ctx context.Context) error {
	t.title("The record", "What is kept of a fleet outlives Temporal's memory: every record is named by its hash.")
	if err := t.run(ctx, cli.ExitOK, "fleetjoin", "report", shop, "--verify"); err != nil {
		return err
	}
	if err := t.run(ctx, cli.ExitOK, "fleetjoin", "report", ledger, "--verify"); err != nil {
		return err
	}
	if err := t.run(ctx, cli.ExitRefused, "fleetjoin", "report", shop, "--html", page(shop)); err != nil {
		return err
	}
	return t.run(ctx, cli.ExitRolledBack, "fleetjoin", "report", ledger, "--html", page(ledger))
}

// follow runs a verb of fleetjoin that follows a run, until a condition holds. Then it is stopped, as by Ctrl-C.
func (t *story) follow(ctx context.Context, holds func() (bool, error), args ...string) error {
	following, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- t.run(following, cli.ExitInterrupted, "fleetjoin", args...) }()
	err := until(ctx, holds)
	stop()
	return errors.Join(err, <-ended)
}

// until waits until a condition holds.
func until(ctx context.Context, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if done, err := holds(); done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// path is where a file of the fleets is, from the root of the repository.
func path(name string) string { return "deploy/demo/fleet/" + name + ".yaml" }

func fleetFile(name string) []byte {
	text, err := fleetFiles.ReadFile("fleet/" + name + ".yaml")
	if err != nil {
		panic(err) // a test opens every one
	}
	return text
}

// readPlan reads the plan of a run.
func readPlan(run string) (p fleet.Plan, err error) {
	data, err := yaml.YAMLToJSONStrict(fleetFile(run))
	if err != nil {
		return p, err
	}
	return fleet.ParsePlan(data)
}

// page is where the report of a run is written to.
func page(run string) string { return filepath.Join(state, run+".html") }
