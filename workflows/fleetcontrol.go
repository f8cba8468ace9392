package workflows

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// fleetControls are the names of what people can do to a fleet, in the order of the docs.
var fleetControls = []string{membership.ControlPause, membership.ControlResume, membership.ControlAbort, membership.ControlRetry,
	membership.ControlSkip, membership.ControlMarkDone, membership.ControlApprove, membership.ControlReject, fleet.ControlChange}

// mostVotes bounds what strangers can make a run remember.
const mostVotes = 100

// belongs names the fields of a fleet.Control that each control takes, beside by and reason.
var belongs = map[string][]string{
	membership.ControlAbort:    {"then"},
	membership.ControlRetry:    {"members", "wave"},
	membership.ControlSkip:     {"members", "wave"},
	membership.ControlMarkDone: {"members", "wave"},
	membership.ControlApprove:  {"digest", "signature"},
	membership.ControlReject:   {"digest", "signature"},
	fleet.ControlChange:        {"cohorts", "budget"},
}

var fleetHelp = map[string]string{
	membership.ControlPause:    "start no more members and hold those under way; what the cloud is doing goes on",
	membership.ControlResume:   "go on after a pause",
	membership.ControlAbort:    "end: let what is under way finish, or put it back (then)",
	membership.ControlRetry:    "try failed members again",
	membership.ControlSkip:     "leave failed members as they are",
	membership.ControlMarkDone: "vouch that failed members are as they should be",
	membership.ControlApprove:  "vote for what has that digest",
	membership.ControlReject:   "vote against what has that digest; one is enough",
	fleet.ControlChange:        "change the failure budget, or how many cohorts run at once",
}

// listen makes the run answer people from its first moment, as a cohort does.
func (f *fleetRun) listen(ctx workflow.Context) error {
	if err := workflow.SetQueryHandlerWithOptions(ctx, membership.QueryStatus, func() (fleet.Status, error) {
		return f.status(), nil
	}, workflow.QueryHandlerOptions{Description: "how far it is"}); err != nil {
		return err
	}
	f.steer = steering{names: lastWords(fleetControls), help: fleetHelp, do: f.control, refused: f.refuse,
		check: func(name string, raw converter.RawValue) error {
			_, err := f.checkControl(name, raw)
			return err
		},
		abort: func(ctx workflow.Context) { f.endEarly(ctx, fleet.ThenPutBack, "cancelled") }}
	return f.steer.listen(ctx)
}

// refuse records a signal that was refused: nobody was told, so the report tells.
func (f *fleetRun) refuse(ctx workflow.Context, name string, raw converter.RawValue, err error) {
	var in fleet.Control
	_ = json.Unmarshal(payload(raw), &in) // as much of it as can be read
	why := strings.TrimPrefix(err.Error(), name+": ")
	f.say(ctx, fleet.Said{What: name, Control: in, Refused: membership.Short(why)})
	if v := f.vote(ctx, name, in); name == membership.ControlApprove || name == membership.ControlReject {
		v.Refused = membership.Short(why)
		f.keepVote(v)
	}
}

// mostSaid bounds what a run remembers of what it was told. What it did is kept longer than what it refused.
const mostSaid = 3 * mostVotes

// say remembers what somebody said, within reason.
func (f *fleetRun) say(ctx workflow.Context, s fleet.Said) {
	if len(f.Said) >= mostSaid || s.Refused != "" && len(f.Said) >= mostVotes {
		return
	}
	s.At = workflow.Now(ctx)
	in, members := s.Control, s.Control.Members
	if s.Refused != "" { // anybody may have sent it
		s.Control, members = fleet.Control{}, membership.Few(members)
	}
	c := &s.Control
	c.Signature = "" // it is with the vote
	c.By, c.Reason, c.Digest = membership.Short(in.By), membership.Short(in.Reason), membership.Short(in.Digest)
	c.Members = slices.Clone(members[:min(len(members), mostVotes)])
	for i := range c.Members {
		c.Members[i] = membership.Short(c.Members[i])
	}
	f.Said = append(f.Said, s)
}

// keepVote keeps a vote. Those that count are as few as the people who may cast them, and kept whole: nobody votes twice
// under a long name, and a signature is of every word.
func (f *fleetRun) keepVote(v membership.Vote) {
	switch {
	case v.Refused == "":
		f.Votes = append(f.Votes, v)
	case len(f.Votes) < mostVotes:
		v.By, v.Reason, v.Digest, v.Signature = membership.Short(v.By), membership.Short(v.Reason), membership.Short(v.Digest), ""
		f.Votes = append(f.Votes, v)
	}
}

func (f *fleetRun) vote(ctx workflow.Context, name string, in fleet.Control) membership.Vote {
	return membership.Vote{By: in.By, Approves: name == membership.ControlApprove, Digest: in.Digest, Reason: in.Reason,
		At: workflow.Now(ctx), Signature: in.Signature}
}

// control does what a person asked for, or says why not.
func (f *fleetRun) control(ctx workflow.Context, name string, raw converter.RawValue) (membership.Controlled, error) {
	done := membership.Controlled{Members: []string{}}
	in, err := f.checkControl(name, raw)
	if err != nil {
		return done, err
	}
	var v membership.Vote
	if name == membership.ControlApprove || name == membership.ControlReject {
		if v, err = f.ballots.admit(ctx, f.gate, f.vote(ctx, name, in), f.objectionTo); err != nil {
			return done, fmt.Errorf("%s: %w", name, err)
		}
	}
	f.say(ctx, fleet.Said{What: name, Control: in})
	switch name {
	case membership.ControlPause:
		f.Paused, f.PausedBy = true, membership.Short(somebody(in.By))
		if in.Reason != "" {
			f.PausedBy += ": " + membership.Short(in.Reason)
		}
		f.hand(ctx, membership.ControlPause)
	case membership.ControlResume:
		f.Paused, f.Doubt = false, ""
		f.Queue, f.Barred = append(f.Barred, f.Queue...), nil
		f.hand(ctx, membership.ControlResume)
	case membership.ControlAbort:
		f.endEarly(ctx, cmp.Or(in.Then, fleet.ThenPutBack), fmt.Sprintf("aborted by %s: %s", membership.Short(somebody(in.By)), membership.Short(in.Reason)))
	case fleet.ControlChange:
		if in.Cohorts > 0 {
			f.Change.Cohorts = in.Cohorts
		}
		if in.Budget != nil {
			f.Budget = f.changedBudget(in.Budget)
			if f.Ledger != nil { // else the step begins with it
				f.Ledger.Change(f.Budget)
			}
		}
	case membership.ControlApprove, membership.ControlReject:
		f.keepVote(v)
	case membership.ControlRetry:
		done.Members = f.retry(in)
	case membership.ControlSkip:
		done.Members = f.vouch(in, membership.Skipped)
		if len(in.Members) == 0 && in.Wave == 0 && len(f.Barred) > 0 {
			f.closeBarred(membership.Skipped)
			f.Doubt = ""
		}
	case membership.ControlMarkDone:
		as := membership.Joined
		if f.Survey.Steps[f.Step].Operation == membership.Leave {
			as = membership.Left
		}
		done.Members = f.vouch(in, as)
	}
	f.changed = true
	return done, nil
}

// endEarly ends the run before its time, because somebody says so.
func (f *fleetRun) endEarly(ctx workflow.Context, then fleet.Then, why string) {
	f.Aborted = true
	f.ending(ctx, then, why)
}

func somebody(by string) string {
	if by == "" {
		return "somebody"
	}
	return by
}

// checkControl decides whether a control makes sense now.
func (f *fleetRun) checkControl(name string, raw converter.RawValue) (in fleet.Control, err error) {
	if data := payload(raw); len(data) > 0 {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return in, fmt.Errorf("%s: the payload cannot be read (%v); want {\"by\": …, \"reason\": …}", name, err)
		}
	}
	if why := f.objection(name, in); why != "" {
		return in, errors.New(name + ": " + why)
	}
	return in, nil
}

// strayField says which field of a control does not belong to it. Who sends one has meant something else: to abort a member
// is not to abort the run.
func strayField(name string, in fleet.Control) string {
	said := []struct {
		field string
		is    bool
	}{
		{"members", len(in.Members) > 0}, {"wave", in.Wave != 0}, {"then", in.Then != ""}, {"digest", in.Digest != ""},
		{"signature", in.Signature != ""}, {"cohorts", in.Cohorts != 0}, {"budget", in.Budget != nil},
	}
	for _, s := range said {
		if s.is && !slices.Contains(belongs[name], s.field) {
			return fmt.Sprintf("%s: does not belong to it; it takes %s", s.field,
				strings.Join(append(slices.Clone(belongs[name]), "by", "reason"), ", "))
		}
	}
	return ""
}

func (f *fleetRun) objection(name string, in fleet.Control) string {
	switch {
	case f.phase == membership.Ended:
		return "the run has ended"
	case strayField(name, in) != "":
		return strayField(name, in)
	case name == membership.ControlPause && f.Ending != "" && !f.finishing():
		return "the run is ending; putting back is never paused"
	case name == membership.ControlPause && f.Paused:
		return "the run is paused already"
	case name == membership.ControlResume && !f.Paused && f.Stopped != "" && f.Doubt == "":
		return "the run is not paused, it has stopped: " + f.Stopped + "; change the budget, retry or abort"
	case name == membership.ControlResume && !f.Paused && f.Doubt == "":
		return "the run is not paused"
	case name == membership.ControlAbort && !known(in.Then):
		return fmt.Sprintf("then: %s: want %q, %q, %q or %q, or none for %q", membership.Quote(string(in.Then)), fleet.ThenFinish,
			fleet.ThenPutBack, fleet.ThenRollBackWave, fleet.ThenRollBackFleet, fleet.ThenPutBack)
	case name == membership.ControlAbort && f.Ending != "" && reach(cmp.Or(in.Then, fleet.ThenPutBack)) <= reach(f.Ending):
		return "the run is ending already: " + f.Why
	case name == fleet.ControlChange:
		return f.objectionToChange(in)
	case name == membership.ControlApprove, name == membership.ControlReject:
		return f.objectionTo(membership.Vote{By: in.By, Approves: name == membership.ControlApprove, Digest: in.Digest, Reason: in.Reason,
			Signature: in.Signature})
	case name == membership.ControlRetry, name == membership.ControlSkip, name == membership.ControlMarkDone:
		return f.objectionToChoice(name, in)
	}
	return ""
}

// finishing reports whether the run ends, and what is under way goes forward still.
func (f *fleetRun) finishing() bool {
	return f.Ending == fleet.ThenFinish && len(f.flights) > 0
}

func known(then fleet.Then) bool { return then == "" || reach(then) > 0 }

func (f *fleetRun) objectionToChange(in fleet.Control) string {
	switch {
	case in.Cohorts == 0 && in.Budget == nil:
		return "says nothing to change; want cohorts, budget or both"
	case in.Cohorts < 0 || in.Cohorts > fleet.MostCohorts:
		return fmt.Sprintf("cohorts: %d: want 1 to %d", in.Cohorts, fleet.MostCohorts)
	}
	if in.Budget != nil && f.Ending != "" {
		return "budget: comes too late, the run is ending: " + f.Why
	}
	budget := f.changedBudget(in.Budget)
	if in.Budget != nil && *in.Budget == (fleet.Budget{}) {
		budget = in.Budget // which says nothing
	}
	if ps := budget.Problems("budget"); len(ps) > 0 {
		return membership.Bad(ps).Error()
	}
	return ""
}

// changedBudget is the budget in force with what somebody says of it.
func (f *fleetRun) changedBudget(said *fleet.Budget) *fleet.Budget {
	now := f.budget()
	if said == nil || now == nil {
		return said
	}
	return &fleet.Budget{
		Failures: cmp.Or(said.Failures, now.Failures),
		PerWave:  cmp.Or(said.PerWave, now.PerWave),
		Then:     cmp.Or(said.Then, now.Then),
	}
}
