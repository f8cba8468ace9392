package activities

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// Advance walks the members of a slice through its lane for a while and hands back where they stand: it observes, asks
// the kind what each member needs, sends that, and looks again. It ends early when a member failed, so that the failure
// is in history before anything is undone, and when it is cancelled or the worker stops; then what was already sent is
// awaited, but nothing new is sent. All of that is a normal result. It fails only when it could do nothing at all.
func (a *Activities) Advance(ctx context.Context, in membership.SliceInput) (membership.Slice, error) {
	kind, err := membership.Find(a.kinds, in.Kind)
	if err != nil {
		return membership.Slice{}, err
	}
	info := activity.GetInfo(ctx)
	program, err := a.programs.find(ctx, info.WorkflowExecution, in.Digest)
	if err != nil {
		return membership.Slice{}, err
	}
	if len(in.Marks) != len(program.Members) || len(in.Sends) != len(in.Marks) {
		return membership.Slice{}, temporal.NewNonRetryableApplicationError(
			fmt.Sprintf("a slice of %d marks for a program of %d members", len(in.Marks), len(program.Members)),
			workflows.ErrBadInput, nil)
	}
	session, err := kind.Open(ctx, membership.Target{Operation: program.Operation, Account: program.Account,
		Group: program.Group, From: program.From, Params: program.Params, Program: program})
	if err != nil {
		return membership.Slice{}, fmt.Errorf("%s", verdict.Redact(err.Error()))
	}
	w := newWalk(in, program, session, kind.Spec().Actions, time.Now(), info.Attempt > 1)
	w.stopping = activity.GetWorkerStopChannel(ctx)
	w.log = a.log.With("run", info.WorkflowExecution.RunID, "lane", info.ActivityType.Name)
	stop := a.beatAt(ctx, program.Account, w.words)
	defer stop()
	w.run(ctx)
	return w.result(), nil
}

// fresh is how old an observation may be when a write that it asked for is sent.
const fresh = 2 * time.Second

// walk is one activity's way with its members.
type walk struct {
	in       membership.SliceInput
	program  *membership.Program
	session  membership.Session
	actions  map[string]membership.Action
	log      *slog.Logger
	stopping <-chan struct{}

	start time.Time
	again bool // an attempt before this one died
	// quiet is when the first write may be sent, see membership.Slice. It outlives the slice: a slice that ends before
	// hands it on.
	quiet    time.Time
	members  []*walker // those in the slice, in the program's order
	notes    []membership.Note
	hosts    map[int]string // see membership.Slice
	failures int            // observations that failed in a row
	trouble  string         // why the last one failed
	summary  atomic.Pointer[string]
}

// walker is one member on the walk.
type walker struct {
	index  int
	member *membership.Member
	mark   byte
	since  time.Time // when it came to its stage
	sends  int
	job    string

	hold    time.Time      // nothing is sent before
	alone   bool           // a call for many was refused: send its own
	refused *verdict.Error // what the last write was refused with; it counts if the next reading does not contradict
	doubt   *verdict.Error // what the last write ended with when nobody knows whether it happened
}

func newWalk(in membership.SliceInput, p *membership.Program, s membership.Session, actions map[string]membership.Action,
	now time.Time, again bool) *walk {
	w := &walk{in: in, program: p, session: s, actions: actions, start: now, again: again,
		hosts: make(map[int]string), log: slog.New(slog.DiscardHandler)}
	w.quiet = p.Made.Add(time.Duration(in.Quiet) * time.Second)
	if again {
		w.quiet = later(w.quiet, now.Add(time.Duration(p.Settle())*time.Second))
	}
	jobs := make(map[int]string)
	for _, j := range in.Jobs {
		for _, i := range j.Members {
			jobs[i] = j.ID
		}
	}
	for i := range p.Members {
		if in.Marks[i] == membership.MarkAbsent {
			continue
		}
		m := &walker{index: i, member: &p.Members[i], mark: in.Marks[i], sends: int(in.Sends[i] - '0'), job: jobs[i], since: p.Made}
		if n := len(w.members); n < len(in.Since) {
			m.since = p.Made.Add(time.Duration(in.Since[n]) * time.Second)
		}
		if stage, _, ok := membership.StageOf(m.mark); ok && m.sends > 0 {
			m.hold = now.Add(p.Stages[stage].Settle.Std()) // when exactly it was sent, the slice before knew
		}
		w.members = append(w.members, m)
	}
	w.say()
	return w
}

// due returns those who are still in the lane.
func (w *walk) due() []*walker {
	var due []*walker
	for _, m := range w.members {
		if stage, undo, ok := membership.StageOf(m.mark); ok && undo == w.in.Undo &&
			w.in.Lane.First <= stage && stage <= w.in.Lane.Last {
			due = append(due, m)
		}
	}
	return due
}

func (w *walk) run(ctx context.Context) {
	end := w.start.Add(w.in.For.Std())
	for due := w.due(); len(due) > 0; {
		pause, over := w.pass(ctx, due)
		w.say()
		// When all are through nobody waits for one more look.
		if due = w.due(); over || len(due) == 0 || w.stopped(ctx) || !time.Now().Before(end) {
			return
		}
		if pause > 0 && !w.sleep(ctx, min(pause, time.Until(end))) {
			return
		}
	}
}

// pass looks once and acts on what it sees. It returns how long to wait before the next look, and whether the slice is
// over because somebody failed or is free to go on in another lane.
func (w *walk) pass(ctx context.Context, due []*walker) (pause time.Duration, over bool) {
	at := time.Now()
	seen, err := w.session.Observe(ctx, w.look(due))
	if w.stopped(ctx) {
		return 0, true
	}
	if err != nil {
		return w.blind(due, verdict.As(err))
	}
	w.failures, w.trouble = 0, ""
	var wanted []want
	for _, m := range due {
		if action := w.decide(m, seen, at); action != "" {
			wanted = append(wanted, want{action: action, walker: m})
		}
	}
	again := w.act(ctx, wanted, at)
	for _, m := range due {
		over = over || m.mark == membership.MarkFailed || m.mark == membership.MarkParked
	}
	if w.in.Lane.Early && len(w.due()) < len(due) {
		over = true
	}
	if again {
		return 0, over
	}
	return w.program.Pace.Poll.Std(), over
}

func (w *walk) look(due []*walker) membership.Look {
	look := membership.Look{Jobs: make(map[string][]string)}
	for _, m := range due {
		look.Members = append(look.Members, m.member.ID)
		if m.job != "" {
			look.Jobs[m.job] = append(look.Jobs[m.job], m.member.ID)
		}
	}
	return look
}

// blind takes in that nothing could be observed. Where the cloud will never answer, everyone waits for a person.
func (w *walk) blind(due []*walker, e *verdict.Error) (pause time.Duration, over bool) {
	w.trouble = e.Error()
	if e.Verdict == verdict.Rejected {
		for _, m := range due {
			w.stop(m, membership.MarkParked, membership.CodeUnobservable, e.Error(), e.RequestID)
		}
		return 0, true
	}
	w.failures++
	const longest = 30 * time.Second
	pause = w.program.Pace.Poll.Std() << min(w.failures-1, 4)
	return max(min(pause, longest), e.RetryAfter), false
}

// decide walks one member as far as the observation carries it and returns the action it then needs, "" for none.
func (w *walk) decide(m *walker, seen membership.Observation, at time.Time) string {
	for {
		stage, undo, ok := membership.StageOf(m.mark)
		if !ok || undo != w.in.Undo || stage < w.in.Lane.First || stage > w.in.Lane.Last {
			return ""
		}
		s := &w.program.Stages[stage]
		moment := membership.Moment{Program: w.program, Member: m.member, Stage: s, Undo: undo, In: at.Sub(m.since),
			Sends: m.sends, Job: m.job}
		d := seen.Decide(moment)
		timeout := s.Timeout.Std()
		if undo {
			timeout = s.UndoTimeout.Std()
		}
		late := timeout > 0 && moment.In > timeout
		switch d.Verb {
		case membership.DoNext:
			// That there is nothing to undo is only believed once a write of the way forward had time to show.
			if undo && m.sends == 0 && moment.In < s.Settle.Std() {
				return ""
			}
			if d.Host != "" {
				w.hosts[m.index] = d.Host
			}
			w.next(m, stage, undo)
			continue
		case membership.DoFail:
			w.stop(m, membership.MarkFailed, d.Code, d.Reason, m.request())
		case membership.DoPark:
			w.stop(m, membership.MarkParked, d.Code, d.Reason, m.request())
		case membership.DoWait:
			if late {
				w.stop(m, membership.MarkFailed, membership.CodeTimeout,
					fmt.Sprintf("still %q after %s", d.Reason, moment.In.Round(time.Second)), m.request())
			}
		case membership.DoAct:
			switch hold := later(m.hold, w.quiet); {
			case at.Before(hold): // an earlier write may still come to show
			case m.refused != nil && !undo:
				code := m.refused.Code
				if code == "" {
					code = membership.CodeRejected
				}
				w.stop(m, membership.MarkFailed, code, m.refused.Error(), m.refused.RequestID)
			case late:
				w.stop(m, membership.MarkFailed, membership.CodeTimeout,
					fmt.Sprintf("still to do after %s: %s%s", moment.In.Round(time.Second), d.Reason, m.lastWords()), m.request())
			case m.sends >= s.MaxSends && !undo:
				w.stop(m, membership.MarkParked, membership.CodeNoEffect,
					fmt.Sprintf("sent %d times: %s%s", m.sends, d.Reason, m.lastWords()), m.request())
			default:
				return d.Action
			}
		}
		return ""
	}
}

// next takes a member beyond a stage or an undo, out of the lane if need be.
func (w *walk) next(m *walker, stage int, undo bool) {
	mark := membership.Forward(stage + 1)
	if undo {
		mark = membership.MarkUndone
		if at, ok := w.program.UndoFrom(stage - 1); ok {
			mark = membership.Backward(at)
		}
	}
	*m = walker{index: m.index, member: m.member, mark: mark, since: time.Now()}
}

// stop takes a member out of the slice with a note that says why.
func (w *walk) stop(m *walker, mark byte, code, reason, request string) {
	stage, undo, _ := membership.StageOf(m.mark)
	m.mark = mark
	w.notes = append(w.notes, membership.Note{Member: m.index, Stage: stage, Undo: undo, Code: code,
		Reason: verdict.Redact(reason), RequestID: request})
}

// request is the id of the last request that went wrong for the member: what the cloud's support asks for.
func (m *walker) request() string {
	switch {
	case m.refused != nil:
		return m.refused.RequestID
	case m.doubt != nil:
		return m.doubt.RequestID
	}
	return ""
}

func (m *walker) lastWords() string {
	switch {
	case m.refused != nil:
		return "; last answer: " + m.refused.Error()
	case m.doubt != nil:
		return "; last answer: " + m.doubt.Error()
	}
	return ""
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (w *walk) stopped(ctx context.Context) bool {
	select {
	case <-w.stopping:
		return true
	default:
		return ctx.Err() != nil
	}
}

func (w *walk) sleep(ctx context.Context, d time.Duration) (slept bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-w.stopping:
	}
	return false
}
