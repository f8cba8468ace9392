package activities

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// want is one member and the write it needs.
type want struct {
	action string
	walker *walker
}

// call is one write for the members it is sent for, and its answer.
type call struct {
	action  string
	members []*walker
	skipped bool // not sent: the observation behind it had grown old, or the walk was stopped
	sent    membership.Sent
	err     error
}

// act sends what is wanted, in batches, and takes in the answers. It reports whether looking again at once is worth it.
func (w *walk) act(ctx context.Context, wanted []want, seen time.Time) (again bool) {
	calls := w.batch(wanted)
	var group errgroup.Group
	group.SetLimit(w.program.Pace.Parallel)
	for _, c := range calls {
		group.Go(func() error {
			if c.skipped = w.stopped(ctx) || time.Since(seen) > fresh; c.skipped {
				return nil
			}
			members := make([]*membership.Member, len(c.members))
			for i, m := range c.members {
				members[i] = m.member
			}
			// Once it is on its way a write is not cut off: that would only make its outcome unknown.
			c.sent, c.err = w.session.Do(context.WithoutCancel(ctx), c.action, members)
			return nil
		})
	}
	_ = group.Wait() // the calls carry their own errors
	for _, c := range calls {
		if w.answered(c) {
			again = true
		}
	}
	return again
}

// batch groups what is wanted into calls no larger than the API takes.
func (w *walk) batch(wanted []want) []*call {
	var calls []*call
	open := make(map[string]*call)
	for _, x := range wanted {
		size := max(w.actions[x.action].Batch, 1)
		if c := open[x.action]; c != nil && len(c.members) < size && !x.walker.alone {
			c.members = append(c.members, x.walker)
			continue
		}
		c := &call{action: x.action, members: []*walker{x.walker}}
		calls = append(calls, c)
		if !x.walker.alone {
			open[x.action] = c
		}
	}
	return calls
}

// answered takes in what a call's answer means for each of its members. What has an effect is only ever believed when
// the next observation shows it.
func (w *walk) answered(c *call) (again bool) {
	if c.skipped {
		return true
	}
	now := time.Now()
	poll := w.program.Pace.Poll.Std()
	for _, m := range c.members {
		stage, undo, _ := membership.StageOf(m.mark)
		settle := w.program.Stages[stage].Settle.Std()
		if undo { // an undo is tried until its timeout, ever more slowly
			settle <<= min(m.sends, 5)
		}
		e := w.errorFor(c, m)
		m.refused, m.doubt = nil, nil
		switch verdict.Of(e) {
		case "", verdict.Done:
			m.sends, m.hold, m.job = m.sends+1, now.Add(settle), c.sent.Job
			again = again || w.actions[c.action].Prompt
		case verdict.Throttled, verdict.Transient:
			m.hold = now.Add(max(poll, verdict.As(e).RetryAfter))
		case verdict.Busy:
			m.hold = now.Add(max(2*poll, verdict.As(e).RetryAfter))
			m.doubt = verdict.As(e)
		case verdict.Rejected:
			if len(c.members) > 1 { // one of them is to blame, and only sending them alone tells which
				m.alone, again = true, true
				continue
			}
			m.refused = verdict.As(e)
			switch {
			case undo: // nor given up for a refusal: capacity comes back, locks are released
				m.sends++
				m.hold = now.Add(max(settle, 2*poll))
			case m.sends > 0: // the refusal may be of a repeat, and the first may still come to show
				m.hold = now.Add(settle)
			default:
				again = true
			}
		default:
			m.sends, m.hold, m.doubt = m.sends+1, now.Add(settle), verdict.As(e)
		}
		if e != nil {
			w.log.Info("a write did not go through", "action", c.action, "member", m.member.ID, "error", e)
		}
	}
	return again
}

// errorFor returns what went wrong for one member of a call, nil when nothing did.
func (w *walk) errorFor(c *call, m *walker) error {
	if c.err != nil {
		return c.err
	}
	if e := c.sent.Refused[m.member.ID]; e != nil {
		return e
	}
	return nil
}

// result hands back where everyone stands.
func (w *walk) result() membership.Slice {
	marks := []byte(w.in.Marks)
	sends := slices.Repeat([]byte{'0'}, len(marks))
	out := membership.Slice{Notes: w.notes, Hosts: w.hosts, Retried: w.again, Trouble: w.trouble}
	if w.quiet.After(time.Now()) {
		out.Quiet = int(w.quiet.Sub(w.program.Made)/time.Second) + 1
	}
	for _, m := range w.members {
		marks[m.index], sends[m.index] = m.mark, byte('0'+min(m.sends, 9))
		out.Since = append(out.Since, int(m.since.Sub(w.program.Made)/time.Second))
		if m.job != "" {
			out.AddJob(m.job, m.index)
		}
	}
	out.Marks, out.Sends = string(marks), string(sends)
	return out
}

// say renders where everyone stands for the heartbeat.
func (w *walk) say() {
	marks := make([]byte, len(w.members))
	for i, m := range w.members {
		marks[i] = m.mark
	}
	words := w.program.Summary(string(marks))
	if w.trouble != "" {
		words += "; trouble: " + w.trouble
	}
	w.summary.Store(&words)
}

func (w *walk) words() string { return *w.summary.Load() }
