package rollout

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ControlSpec describes a control.
type ControlSpec struct {
	Name   string
	Help   string
	Fields []string // of fleet.Control, that it takes beside by and reason
}

// Controls are what people can do to a run, in the order of the docs.
func Controls() []ControlSpec {
	chosen, vote := []string{"members", "wave"}, []string{"digest", "signature"}
	return []ControlSpec{
		{membership.ControlPause, "start no more members and hold those under way; what the cloud is doing goes on", nil},
		{membership.ControlResume, "go on after a pause", nil},
		{membership.ControlAbort, "end: let what is under way finish, or put it back (then)", []string{"then"}},
		{membership.ControlRetry, "try failed members again", chosen},
		{membership.ControlSkip, "leave failed members as they are", chosen},
		{membership.ControlMarkDone, "vouch that failed members are as they should be", chosen},
		{membership.ControlApprove, "vote for what has that digest", vote},
		{membership.ControlReject, "vote against what has that digest; one is enough", vote},
		{fleet.ControlChange, "change the failure budget, or how many cohorts run at once", []string{"cohorts", "budget"}},
	}
}

// Check returns why a control makes no sense now, nil when it does.
func (r *Rollout) Check(name string, in fleet.Control) error {
	if why := r.objection(name, in); why != "" {
		return errors.New(name + ": " + why)
	}
	return nil
}

// Control does what a person asks for, or returns why not. A vote at a gate that wants signatures must have been checked.
func (r *Rollout) Control(now time.Time, name string, in fleet.Control) (done membership.Controlled, err error) {
	r.now, done = now, membership.Controlled{Members: []string{}}
	if err := r.Check(name, in); err != nil {
		return done, err
	}
	r.log(fleet.Said{What: name, Control: in})
	switch name {
	case membership.ControlPause:
		by := somebody(in.By)
		if in.Reason != "" {
			by += ": " + membership.Short(in.Reason)
		}
		r.Pause = &Pause{By: by}
		r.tell(membership.ControlPause)
	case membership.ControlResume:
		r.resume()
	case membership.ControlAbort:
		r.end(cmp.Or(in.Then, fleet.ThenPutBack), fmt.Sprintf("aborted by %s: %s", somebody(in.By), membership.Short(in.Reason)), true)
	case fleet.ControlChange:
		r.change(in)
	case membership.ControlApprove, membership.ControlReject:
		v := r.VoteOf(name, in)
		if !r.gate.Signed {
			v.Signature = "" // nobody has looked at it
		}
		r.keepVote(v)
	case membership.ControlRetry:
		done.Members = append(done.Members, r.retry(in)...)
	case membership.ControlSkip:
		done.Members = append(done.Members, r.vouch(in, membership.Skipped)...)
		if len(in.Members) == 0 && in.Wave == 0 && len(r.Unplannable) > 0 {
			r.closeUnplannable(membership.Skipped)
			r.unblock(PlansRefused)
		}
	case membership.ControlMarkDone:
		as := membership.Joined
		if r.step().Operation == membership.Leave {
			as = membership.Left
		}
		done.Members = append(done.Members, r.vouch(in, as)...)
	}
	return done, nil
}

// Cancelled says that the run was cancelled, which is an abort.
func (r *Rollout) Cancelled(now time.Time) {
	r.now = now
	if !r.endingStage() || r.Stage == RollingBack {
		r.end(fleet.ThenPutBack, "cancelled", true)
	}
}

// Refused records a control that came as a signal and was refused: nobody was told, so the report tells.
func (r *Rollout) Refused(now time.Time, name string, in fleet.Control, why error) {
	r.now = now
	words := membership.Short(strings.TrimPrefix(why.Error(), name+": "))
	r.log(fleet.Said{What: name, Control: in, Refused: words})
	if name == membership.ControlApprove || name == membership.ControlReject {
		v := r.VoteOf(name, in)
		v.Refused = words
		r.keepVote(v)
	}
}

func (r *Rollout) resume() {
	r.Pause = nil
	r.unblock(PlansRefused)
	r.unblock(MembersLost)
	for i := len(r.Unplannable) - 1; i >= 0; i-- {
		r.Queue = slices.Insert(r.Queue, 0, Queued{Input: r.Unplannable[i]})
	}
	r.Unplannable = nil
	r.tell(membership.ControlResume)
}

func (r *Rollout) unblock(c Cause) {
	if r.Block != nil && r.Block.Cause == c {
		r.Block = nil
	}
}

func (r *Rollout) change(in fleet.Control) {
	if in.Cohorts > 0 {
		r.Pace.Cohorts = in.Cohorts
	}
	if in.Budget != nil {
		r.Budget = r.changedBudget(in.Budget)
		if r.Ledger != nil { // else the step begins with it
			r.Ledger.Change(r.Budget)
		}
	}
}

// changedBudget is the budget in force with what somebody says of it.
func (r *Rollout) changedBudget(said *fleet.Budget) *fleet.Budget {
	if said == nil || r.Budget == nil {
		return said
	}
	return &fleet.Budget{
		Failures: cmp.Or(said.Failures, r.Budget.Failures),
		PerWave:  cmp.Or(said.PerWave, r.Budget.PerWave),
		Then:     cmp.Or(said.Then, r.Budget.Then),
		Strict:   cmp.Or(said.Strict, r.Budget.Strict),
	}
}

// mostSaid bounds what a run remembers of what it was told. What it did is kept longer than what it refused.
const mostSaid = 3 * mostVotes

// log remembers what somebody said, within reason.
func (r *Rollout) log(s fleet.Said) {
	if len(r.Controls) >= mostSaid || s.Refused != "" && len(r.Controls) >= mostVotes {
		return
	}
	s.At = r.now
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
	r.Controls = append(r.Controls, s)
}

// strayField says which field of a control does not belong to it. Who sends one has meant something else: to abort a member
// is not to abort the run.
func strayField(name string, in fleet.Control) string {
	at := slices.IndexFunc(Controls(), func(c ControlSpec) bool { return c.Name == name })
	takes := Controls()[at].Fields
	for _, s := range []struct {
		field string
		is    bool
	}{
		{"members", len(in.Members) > 0}, {"wave", in.Wave != 0}, {"then", in.Then != ""}, {"digest", in.Digest != ""},
		{"signature", in.Signature != ""}, {"cohorts", in.Cohorts != 0}, {"budget", in.Budget != nil},
	} {
		if s.is && !slices.Contains(takes, s.field) {
			return fmt.Sprintf("%s: does not belong to it; it takes %s", s.field,
				strings.Join(append(slices.Clone(takes), "by", "reason"), ", "))
		}
	}
	return ""
}

func (r *Rollout) objection(name string, in fleet.Control) string {
	stray := strayField(name, in)
	blocked := r.Block != nil && r.Block.Cause == BudgetSpent // resume does not help
	switch {
	case (r.Stage == Closing || r.Stage == Closed) && r.End != nil:
		return "the run has ended: " + r.End.Why
	case r.Stage == Closing || r.Stage == Closed:
		return "the run has ended"
	case stray != "":
		return stray
	case name == membership.ControlPause && r.End != nil && !r.finishing():
		return "the run is ending; putting back is never paused"
	case name == membership.ControlPause && r.Pause != nil:
		return "the run is paused already"
	case name == membership.ControlResume && r.Pause == nil && blocked:
		return "the run is not paused, it has stopped: " + r.Block.Why + "; change the budget, retry or abort"
	case name == membership.ControlResume && r.Pause == nil && r.Block == nil:
		return "the run is not paused"
	case name == membership.ControlAbort && reach(in.Then) < 0:
		return fmt.Sprintf("then: %s: want %q, %q, %q or %q, or none for %q", membership.Quote(string(in.Then)), fleet.ThenFinish,
			fleet.ThenPutBack, fleet.ThenRollBackWave, fleet.ThenRollBackFleet, fleet.ThenPutBack)
	case name == membership.ControlAbort && r.End != nil && reach(cmp.Or(in.Then, fleet.ThenPutBack)) <= reach(r.End.Mode):
		return "the run is ending already: " + r.End.Why
	case name == fleet.ControlChange:
		return r.objectionToChange(in)
	case name == membership.ControlApprove, name == membership.ControlReject:
		return r.ObjectionToVote(r.VoteOf(name, in))
	case name == membership.ControlRetry, name == membership.ControlSkip, name == membership.ControlMarkDone:
		return r.objectionToChoice(name, in)
	}
	return ""
}

// finishing reports whether the run ends, and what is under way goes forward still.
func (r *Rollout) finishing() bool {
	return r.End != nil && r.End.Mode == fleet.ThenFinish && len(r.inFlight) > 0
}

func (r *Rollout) objectionToChange(in fleet.Control) string {
	switch {
	case in.Cohorts == 0 && in.Budget == nil:
		return "says nothing to change; want cohorts, budget or both"
	case in.Cohorts < 0 || in.Cohorts > fleet.MostCohorts:
		return fmt.Sprintf("cohorts: %d: want 1 to %d", in.Cohorts, fleet.MostCohorts)
	case in.Budget != nil && r.End != nil:
		return "budget: comes too late, the run is ending: " + r.End.Why
	}
	budget := r.changedBudget(in.Budget)
	if in.Budget != nil && *in.Budget == (fleet.Budget{}) {
		budget = in.Budget // which says nothing
	}
	if ps := budget.Problems("budget"); len(ps) > 0 {
		return membership.Bad(ps).Error()
	}
	return ""
}
