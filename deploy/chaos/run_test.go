package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
	"github.com/fleetjoin/fleetjoin/workflows"
)

const (
	actionStop   = "BatchStopServers"
	actionAdd    = "AddServerGroupMember"
	actionStart  = "BatchStartServers"
	actionRemove = "DeleteServerGroupMember"
)

// Stages in whose middle something happens. The middle of the undo is where the unlucky members are taken out again.
const (
	stop  = "stop"
	add   = "add"
	start = "start"
	undo  = "undo"
	// remove is the taking out of all members.
	remove = "remove"
)

// moment is when a share of a stage's writes have been sent.
type moment struct {
	stage string
	share float64
}

// recovery is the longest that a run may take to end after the last blow, all work that was left included.
const recovery = 45 * time.Second

// run is one fleet under test, with a worker of its own. What apply starts is what is killed here.
type run struct {
	cohort
	t      *testing.T
	s      *stack
	id     string // of the workflow; also its task queue
	runID  string
	worker *process
	killed int // workers

	since  int64                   // the journal's number before the run
	before map[string]world.Server // by id
	blow   time.Time               // when something was last killed, or else when the run began
}

// join starts a run of one cohort.
func (s *stack) join(t *testing.T, c cohort) *run { return s.start(t, c, nil) }

// start starts a run of a plan with the cohort's members.
func (s *stack) start(t *testing.T, c cohort, change func(*fleet.Plan)) *run {
	t.Helper()
	r := &run{cohort: c, t: t, s: s, id: "join-" + c.group, before: s.cloud.servers(t), blow: time.Now()}
	plan := fleet.Plan{Requester: "chaos", Step: fleet.Step{Kind: "huawei.servergroup", Account: "chaos", Group: c.group, Members: c.members}}
	if change != nil {
		change(&plan)
	}
	var err error
	r.since, err = s.cloud.seq(t.Context())
	require.NoError(t, err)
	r.worker = s.startWorker(t, r.id)
	started, err := s.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: r.id, TaskQueue: r.id},
		workflows.TypeFleet, plan)
	require.NoError(t, err)
	r.runID = started.GetRunID()
	return r
}

// failingAdds lets 5 % of the adds of a group fail; in any case those of its last member, and never those of its first,
// which is unlucky later.
func (s *stack) failingAdds(t *testing.T, c cohort) {
	t.Helper()
	s.cloud.fault(t, fault.Rule{Match: fault.Match{Action: actionAdd, Server: c.members[0]}, Effect: fault.Delay,
		For: clock.Duration(time.Millisecond)}) // the first rule that fires decides
	full := fault.Rule{Match: fault.Match{Action: actionAdd, Group: c.group}, Effect: fault.Status,
		Status: http.StatusBadRequest, Code: "Ecs.0022", Message: "Insufficient ECS group quota."}
	one := full
	one.ID, one.Match.Server = "one-"+c.group, c.members[len(c.members)-1]
	s.cloud.fault(t, one)
	full.ID, full.Percent = "some-"+c.group, 5
	s.cloud.fault(t, full)
}

// await waits until the run is in the middle of a stage, as the journal shows it.
func (r *run) await(m moment) {
	r.t.Helper()
	eventually(r.t, patience, fmt.Sprintf("%.0f %% of %s", 100*m.share, m.stage), func() error {
		writes, err := r.writes()
		if err != nil {
			return err
		}
		if share := r.share(m.stage, writes); share < m.share {
			return fmt.Errorf("it is %.0f %%", 100*share)
		}
		return nil
	})
}

// share tells how much of a stage was sent.
func (r *run) share(stage string, writes []write) float64 {
	actions := map[string]string{stop: actionStop, add: actionAdd, start: actionStart, undo: actionRemove, remove: actionRemove}
	sent := make(map[string]bool)
	for _, w := range writes {
		if w.Action == actions[stage] {
			sent[w.member] = true
		}
	}
	due := len(r.members)
	switch stage {
	case stop, start:
		due = 0
		for _, id := range r.members {
			if r.ran(id) {
				due++
			}
		}
	case undo:
		due = len(r.unlucky)
	}
	return float64(len(sent)) / float64(due)
}

func (r *run) ran(member string) bool { return r.before[member].Status == "ACTIVE" }

// write is what one write in the journal means for one member.
type write struct {
	journal.Entry
	member string
}

// writes returns what was sent for the members since the run began, in order.
func (r *run) writes() ([]write, error) {
	entries, err := r.s.cloud.journal(r.t.Context(), r.since, true)
	if err != nil {
		return nil, err
	}
	var writes []write
	for _, e := range entries {
		for _, id := range e.Servers {
			if slices.Contains(r.members, id) {
				writes = append(writes, write{e, id})
			}
		}
	}
	return writes, nil
}

// killWorker kills the worker while the first cohort runs, and starts another.
func (r *run) killWorker() {
	r.t.Helper()
	r.killed++
	r.replaceWorker()
}

// replaceWorker kills the worker and starts another.
func (r *run) replaceWorker() {
	r.t.Helper()
	r.worker.kill()
	r.blow = time.Now()
	r.worker = r.s.startWorker(r.t, r.id)
}

// cli runs a workflow command of the temporal CLI on the run.
func (r *run) cli(args ...string) []byte {
	r.t.Helper()
	return r.s.run(r.t, append(args, "--workflow-id", r.id)...)
}

func (r *run) signal(name string) {
	r.t.Helper()
	r.cli("workflow", "signal", "--name", name, "--input", `{"by":"chaos"}`)
}

// first is the workflow id of the run's first cohort.
func (r *run) first() string { return r.id + ".1" }

// status asks the run how far it is.
func (r *run) status() (fleet.Status, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 5*time.Second)
	defer cancel()
	var status fleet.Status
	answer, err := r.s.client.QueryWorkflow(ctx, r.id, r.runID, membership.QueryStatus)
	if err == nil {
		err = answer.Get(&status)
	}
	return status, err
}

func (r *run) awaitPhase(phase membership.Phase) {
	r.t.Helper()
	eventually(r.t, patience, string(phase), func() error {
		status, err := r.status()
		if err == nil && status.Phase != phase {
			err = fmt.Errorf("it is %s: %v", status.Phase, status.Counts)
		}
		return err
	})
}

// end waits for the end of the run and returns the one truth and how long after the last blow it came.
func (r *run) end() (fleet.Report, ending) {
	r.t.Helper()
	ctx, cancel := context.WithDeadline(r.t.Context(), r.blow.Add(recovery))
	defer cancel()
	var report fleet.Report
	err := r.s.client.GetWorkflow(ctx, r.id, r.runID).Get(ctx, &report)
	took := time.Since(r.blow)
	var app *temporal.ApplicationError
	var cancelled *temporal.CanceledError
	how := completed
	switch {
	case err == nil:
	case errors.As(err, &cancelled) && cancelled.HasDetails():
		how = canceled
		require.NoError(r.t, cancelled.Details(&report))
	case errors.As(err, &app) && app.Type() == workflows.ErrRolledBack:
		how = rolledBack
		require.NoError(r.t, app.Details(&report))
	default:
		status, statusErr := r.status()
		r.t.Fatalf("the run did not end well within %v: %v\nstatus: %+v (%v)", recovery, err, status, statusErr)
	}
	r.verify(report, took)
	return report, how
}

// ending is how a workflow closed.
type ending string

const (
	completed  ending = "completed"
	rolledBack ending = "failed with " + workflows.ErrRolledBack
	canceled   ending = "canceled"
)

// verify wants everybody joined or as before, in truth and not only in the report, and nothing in the journal that need
// not have been. It tells the run in a line.
func (r *run) verify(report fleet.Report, took time.Duration) {
	r.t.Helper()
	now := r.s.cloud.servers(r.t)
	require.Len(r.t, report.Members, len(r.members), "%+v", report)
	outcomes := make(map[string]membership.Outcome)
	for _, m := range report.Members {
		outcomes[m.ID] = m.Outcome
		in := m.Outcome == membership.Joined || m.Outcome == membership.Already
		if !in && m.Outcome != membership.RolledBack && m.Outcome != membership.NotStarted {
			r.t.Errorf("%s is %s: %s: %s", m.ID, m.Outcome, m.Code, m.Reason)
		}
		if in != (now[m.ID].Group == r.group) {
			r.t.Errorf("%s is %s, and its group is %q", m.ID, m.Outcome, now[m.ID].Group)
		}
		if was, is := r.before[m.ID].Status, now[m.ID].Status; was != is {
			r.t.Errorf("%s is %s, was %s, and is left %s", m.ID, m.Outcome, was, is)
		}
	}
	writes, err := r.writes()
	require.NoError(r.t, err)
	needless := r.needless(writes, outcomes)
	for _, n := range needless {
		r.t.Error(n)
	}
	calls, sent, err := r.calls()
	require.NoError(r.t, err)
	h := r.history()
	if r.killed > 0 {
		// That worker did not make the program: it has read it back from the history.
		require.NotEmpty(r.t, h.others, "no other worker took part")
	}
	r.t.Logf("%s: %d members (%s), %d events, ended %.1f s after the last blow, %d calls, %d of them writes, needless %d",
		strings.TrimPrefix(r.t.Name(), "TestChaos/"), len(r.members), tally(report), h.events, took.Seconds(), calls,
		sent, len(needless))
}

// needless finds the writes that the cloud took although there was nothing to do, those that it refused of itself, and
// effects that were had twice. Only a server that could not be started may be started again, to put it back.
func (r *run) needless(writes []write, outcomes map[string]membership.Outcome) (all []string) {
	had := make(map[string]int)
	for _, w := range writes {
		what := w.Action + " " + w.member
		switch {
		case w.Status == 0: // whoever sent it was killed, and nothing was done
		case w.Effect == journal.None, w.Effect == journal.Refused && w.Fault == "":
			all = append(all, fmt.Sprintf("needless: %s: %s %s, request %s", what, w.Effect, w.Code, w.RequestID))
		case w.Effect == journal.Changed:
			had[what]++
			if w.Action == actionRemove && outcomes[w.member] == membership.Joined {
				all = append(all, "needless: "+what+", which joined in the end")
			}
		}
	}
	for what, times := range had {
		action, member, _ := strings.Cut(what, " ")
		most := 1
		if action == actionStart && slices.Contains(r.unlucky, member) {
			most += 1 + r.killed // a start that failed unseen is tried once more
		}
		if times > most {
			all = append(all, fmt.Sprintf("needless: %s had its effect %d times; %s", what, times, outcomes[member]))
		}
	}
	return all
}

func tally(r fleet.Report) string { return membership.Report{Counts: r.Counts}.Tally() }

// calls counts the calls that the run has cost, and the writes among them.
func (r *run) calls() (all, writes int, err error) {
	entries, err := r.s.cloud.journal(r.t.Context(), r.since, false)
	for _, e := range entries {
		if e.Group == r.group || slices.ContainsFunc(e.Servers, func(id string) bool { return slices.Contains(r.members, id) }) {
			all++
			if e.Write {
				writes++
			}
		}
	}
	return all, writes, err
}
