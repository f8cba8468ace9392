package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/starter/report"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// reportFleet tells about a fleet that has ended. Its short report is Temporal's; what became of each member is read from
// the workers' store.
func reportFleet(ctx context.Context, o *ReportOptions, conn *connect.Connection) error {
	r, err := reportOf(ctx, conn.GetWorkflow(ctx, o.Run, o.RunID))
	if err != nil {
		return err
	}
	get, err := o.blobs(conn)
	if err != nil {
		return err
	}
	return attend(ctx, o.Factory, conn, nil, func(ctx context.Context) error {
		fl := archive.Of(r)
		if r.Archive != "" {
			if fl, err = archive.Open(ctx, get, r.Archive); err != nil {
				if o.table(o.JSON) {
					printReport(&o.Streams, o.Run, r)
				}
				return fmt.Errorf("what is kept of run %s cannot be read: %w", o.Run, err)
			}
		}
		fl.ID = o.Run
		return tellFleet(ctx, o, fl)
	})
}

// reportKept tells about a fleet whose archive is named: Temporal need not know of it any more.
func reportKept(ctx context.Context, o *ReportOptions) error {
	show := func(ctx context.Context, get archive.Get) error {
		fl, err := archive.Open(ctx, get, o.Run)
		if err != nil {
			return err
		}
		return tellFleet(ctx, o, fl)
	}
	if o.Store != "" {
		get, err := o.blobs(nil)
		if err != nil {
			return err
		}
		return show(ctx, get)
	}
	conn, err := o.Connect(ctx, o.Profile)
	if err != nil {
		return err
	}
	defer conn.Close()
	return attend(ctx, o.Factory, conn, nil, func(ctx context.Context) error { return show(ctx, fromWorkers(conn)) })
}

// blobs returns where the records are read from.
func (o *ReportOptions) blobs(conn *connect.Connection) (archive.Get, error) {
	if o.Store == "" {
		return fromWorkers(conn), nil
	}
	kept, err := store.Open(o.Store)
	if err != nil {
		return nil, badValue("--store", o.Store, err.Error())
	}
	return func(ctx context.Context, key string) ([]byte, error) { return kept.Get(ctx, store.Key(key)) }, nil
}

// fromWorkers reads blobs through workflows, since the store is the workers'. Who asks for the same at the same time
// shares one.
func fromWorkers(conn *connect.Connection) archive.Get {
	return func(ctx context.Context, key string) ([]byte, error) {
		run, err := conn.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
			ID:                       "read-" + key,
			TaskQueue:                workflows.TaskQueue,
			WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
			WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			WorkflowExecutionTimeout: planTimeout,
			StaticSummary:            "read what is kept of a fleet",
		}, workflows.TypeRead, key)
		if err != nil {
			return nil, fmt.Errorf("read blob %s: %w", key, err)
		}
		var packed converter.RawValue
		err = answered(ctx, func() error { return run.Get(ctx, &packed) })
		var app *temporal.ApplicationError
		var problems []membership.Problem
		if errors.As(err, &app) && app.Type() == workflows.ErrBadInput && app.HasDetails() && app.Details(&problems) == nil && len(problems) > 0 {
			err = errors.New(problems[0].Want)
		}
		if err != nil {
			return nil, fmt.Errorf("blob %s: %w", key, err)
		}
		var data json.RawMessage
		if err := workflows.Unpack(packed, &data); err != nil {
			return nil, fmt.Errorf("blob %s: %w", key, err)
		}
		return data, nil
	}
}

// progressEvery is how often progress is told where it cannot be drawn over.
const progressEvery = 10 * time.Second

// attend does work that waits for workers, and says when there are none. progress says how far it is, "" for nothing; nil: nothing
// does.
func attend(ctx context.Context, f *Factory, conn *connect.Connection, progress func(context.Context) string,
	work func(context.Context) error) error {
	over := make(chan error, 1)
	go func() { over <- work(ctx) }()
	watchdog := newWatchdog(f, conn)
	var told time.Time
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-over:
			f.erase()
			if ctx.Err() != nil {
				return &exitError{ExitInterrupted, "stopped; nothing was changed"}
			}
			return err
		case <-tick.C:
			words := askedFor(ctx, progress)
			switch {
			case words == "":
				watchdog.silent(ctx, nil)
				continue
			case f.Terminal && !f.JSON:
				f.draw([]line{{text(words)}})
			case time.Since(told) >= progressEvery:
				told = time.Now()
				f.notef("%s\n", clean(words))
			}
			watchdog.heard()
		}
	}
}

func askedFor(ctx context.Context, progress func(context.Context) string) string {
	if progress == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	return progress(ctx)
}

// table reports whether the fleet is to be told in words on standard output.
func (o *ReportOptions) table(asJSON bool) bool {
	return !asJSON && !o.CSV && o.HTML == "" && !o.Verify
}

func tellFleet(ctx context.Context, o *ReportOptions, fl *archive.Run) error {
	var err error
	as := func(format func(context.Context, *archive.Run, io.Writer) error) func(io.Writer) error {
		return func(to io.Writer) error { return format(ctx, fl, to) }
	}
	switch {
	case o.Verify:
		return verifyFleet(ctx, o.Factory, fl)
	case o.CSV:
		err = writeWhole(o.Out, as(report.WriteCSV))
	case o.HTML == "-":
		err = writeWhole(o.Out, as(report.WriteHTML))
	case o.HTML != "":
		err = writeFile(o.HTML, as(report.WriteHTML))
	case o.JSON:
		err = writeWhole(o.Out, as(report.WriteJSON))
	default:
		printReport(&o.Streams, cmp.Or(fl.ID, fl.Key), fl.Report)
		err = printKept(ctx, &o.Streams, fl, o.All)
	}
	if err != nil {
		return err
	}
	return exitWith(exitOf(fl.Report.Outcome, fl.Report.Counts))
}

func verifyFleet(ctx context.Context, f *Factory, fl *archive.Run) error {
	checked, err := fl.Verify(ctx)
	if err != nil {
		return err
	}
	if f.JSON {
		return f.pretty(checked)
	}
	f.printf("%s: %s\n", checked.Archive, checked)
	return nil
}

// writeWhole writes all or nothing: what is written waits in a file of its own until it is known to be whole.
func writeWhole(to io.Writer, write func(io.Writer) error) error {
	kept, err := os.CreateTemp("", "fleetjoin-*")
	if err != nil {
		return err
	}
	defer func() {
		_ = kept.Close() // it has been read
		_ = os.Remove(kept.Name())
	}()
	if err := write(kept); err != nil {
		return err
	}
	if _, err := kept.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(to, kept)
	return err
}

// writeFile puts a file in place at once, so that nobody reads half of it and what was there stays when it fails. Into what
// is no file, such as a pipe, it writes.
func writeFile(path string, write func(io.Writer) error) error {
	if behind, err := filepath.EvalSymlinks(path); err == nil {
		path = behind // a link stays one
	}
	mode := os.FileMode(0o666)
	if there, err := os.Stat(path); err == nil {
		if mode = there.Mode(); !mode.IsRegular() {
			return writeInto(path, write)
		}
	}
	name := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"-"+strings.ToLower(rand.Text()[:8]))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode.Perm())
	if err != nil {
		return err
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(name, path)
	}
	if err != nil {
		_ = os.Remove(name) // what is left of it
	}
	return err
}

func writeInto(path string, write func(io.Writer) error) error {
	to, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = writeWhole(to, write)
	if closed := to.Close(); err == nil {
		err = closed
	}
	return err
}

// printKept prints what only the store knows: when the waves were, and what became of the members.
func printKept(ctx context.Context, out *Streams, fl *archive.Run, all bool) error {
	if len(fl.Parts) > 0 {
		out.printf("\n")
		printWaves(out, fl.Waves(), len(fl.Report.Steps) > 1)
	}
	s, hosts := stories{all: all}, archive.Hosts{}
	for m, err := range fl.Members(ctx) {
		if err != nil {
			return err
		}
		s.add(m.MemberReport())
		hosts.Add(&m)
	}
	s.print(out)
	if told := hosts.String(); told != "" {
		out.printf("\nhosts: %s\n", clean(told))
	}
	return nil
}

func printWaves(out *Streams, waves []archive.Wave, steps bool) {
	var t table
	t.head("WAVE", "MEMBERS", "FAILED", "PUT BACK", "BEGAN", "ENDED", "TOOK")
	for _, w := range waves {
		name := w.Name
		if steps {
			name = fmt.Sprintf("step %d, %s", w.Step, name)
		}
		row := []cell{text(name), text(fmt.Sprint(w.Members)), text(fmt.Sprint(w.Failed)), text(fmt.Sprint(w.PutBack))}
		if !w.Started.IsZero() {
			row = append(row, text(w.Started.UTC().Format(time.RFC3339)), text(w.Ended.UTC().Format(time.RFC3339)),
				text(w.Ended.Sub(w.Started).Round(time.Second).String()))
		}
		t.add(row...)
	}
	t.print(out, "")
}
