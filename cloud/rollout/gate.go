package rollout

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// previewOf returns the key of what was seen of a page, "" when nobody decided on it.
func (r *Rollout) previewOf(step, wave, page int) string {
	if step >= len(r.Previews) {
		return ""
	}
	page += r.firstPage(step, wave)
	if page >= len(r.Previews[step]) {
		return ""
	}
	return r.Previews[step][page].Key
}

// firstPage is the number of a wave's first page among those of its step.
func (r *Rollout) firstPage(step, wave int) (n int) {
	for _, w := range r.Survey.Steps[step].Waves[:wave] {
		n += len(w.Pages)
	}
	return n
}

// asksNobody reports whether no wave of a step has a gate, whatever becomes due: the plan asks for none, and as
// it turned out nothing is destroyed.
func (r *Rollout) asksNobody(step int) bool {
	return r.plan.Approval == nil && (step >= len(r.Previews) ||
		!slices.ContainsFunc(r.Previews[step], func(s fleet.Seen) bool { return s.Destructive }))
}

// question is what people may have to decide on.
type question struct {
	before   string // what waits for it, for people
	why      string
	due      int // members
	destroys bool
	asked    bool // else it goes on by itself
}

// question is about the roll-back, or about the wave that is to begin: its members when there is a gate before each, else those
// of the step, before the first.
func (r *Rollout) question() (q question) {
	if r.plan.Rollback != "" {
		q = question{before: "the roll-back", due: r.toPutBack(), destroys: r.Survey.Destructive}
		q.why = "puts back " + membership.Count(q.due, "member")
		q.asked = r.plan.Approval != nil || q.destroys
		return q
	}
	q.before = r.wave().Name
	if r.Step >= len(r.Previews) {
		return q
	}
	seen, each := r.Previews[r.Step], r.plan.Approval != nil && r.plan.Approval.EachWave
	if each {
		first := r.firstPage(r.Step, r.Wave)
		seen = seen[first : first+len(r.wave().Pages)]
	}
	for _, s := range seen {
		q.due += s.Due
		q.destroys = q.destroys || s.Destructive
	}
	q.why = fmt.Sprintf("%s: %s %s (%s)", r.waveName(), r.step().Operation, membership.Count(q.due, "member"), r.step().Kind)
	q.asked = q.due > 0 && (r.plan.Approval != nil || q.destroys) && (r.Wave == 0 || each)
	return q
}

// awaitVotes opens the gate of a wave, if it has one, and the wave when enough people have said yes. Without them the run
// ends.
func (r *Rollout) awaitVotes() bool {
	if r.Block != nil {
		return false
	}
	if len(r.waves()) == 0 && r.plan.Rollback == "" { // nothing was found that is to be moved
		return r.endStep()
	}
	q := r.question()
	if r.gate == nil {
		if !q.asked {
			return r.proceed()
		}
		if r.plan.Requester == "" {
			r.impossible(membership.Bad([]membership.Problem{membership.NeedsRequester()}), membership.NeedsRequester().String())
			return true
		}
		r.openGate(q)
	}
	votes := r.votesFor(r.digest)
	switch decided, open := r.gate.Count(votes); {
	case decided && open:
		r.closeGate()
		return r.proceed()
	case decided:
		no := r.gate.Rejection(votes)
		r.end(fleet.ThenFinish, fmt.Sprintf("%s: rejected by %s: %s", q.before, no.By, no.Reason), false)
		return true
	case !r.now.Before(r.deadline):
		r.end(fleet.ThenFinish, fmt.Sprintf("%s: not approved within %s", q.before, r.gate.Timeout.Std()), false)
		return true
	}
	return false
}

// proceed goes on when people have let it, or need not.
func (r *Rollout) proceed() bool {
	if r.plan.Rollback == "" {
		return r.beginWave()
	}
	r.end(fleet.ThenRollBackFleet, "rolled back, as asked by "+somebody(r.plan.Requester), true)
	return true
}

func (r *Rollout) openGate(q question) {
	var a membership.Approval
	if r.plan.Approval != nil {
		a = r.plan.Approval.Approval
	}
	g := membership.NewGate(r.plan.Requester, a, q.why, q.destroys)
	r.gate, r.digest, r.deadline = &g, r.digestOf(), r.now.Add(g.Timeout.Std())
}

// closeGate takes no more votes.
func (r *Rollout) closeGate() {
	if r.gate != nil {
		r.gate, r.digest = nil, ""
		r.do(CloseGate{})
	}
}

// digestVersion is that of what the digest of a gate is made of. A field more is another version.
const digestVersion = "fleetjoin approval v1"

// digestOf names what people decide on: the run, so that a vote given to another counts for nothing here; the manifest,
// which holds the plan and its members; the wave; and what was seen of every page of the step. All of them are hashes or
// numbers that are in the run's history. No Go value is marshalled for it: it stays the same when types grow.
func (r *Rollout) digestOf() string {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%s: %s\n", name, value) }
	fmt.Fprintln(&b, digestVersion)
	line("run", r.Survey.Run)
	line("manifest", r.Survey.Manifest)
	line("step", fmt.Sprint(r.Step+1))
	line("wave", fmt.Sprint(r.Wave+1))
	if r.plan.Rollback != "" {
		line("rollback", r.plan.Rollback)
	} else {
		for _, seen := range r.Previews[r.Step] {
			line("preview", seen.Key)
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Gate is the one that is open, nil when none is, with the digest that its votes must name.
func (r *Rollout) Gate() (g *membership.Gate, digest string) { return r.gate, r.digest }

// ObjectionToVote says why a vote would not count now, "" when it would as far as a run can tell.
func (r *Rollout) ObjectionToVote(v membership.Vote) string {
	if r.gate == nil {
		return "no gate is open now"
	}
	return r.gate.Objection(v, r.digest, r.votesFor(r.digest))
}

func (r *Rollout) votesFor(digest string) (votes []membership.Vote) {
	for _, v := range r.Votes {
		if v.Digest == digest {
			votes = append(votes, v)
		}
	}
	return votes
}

// VoteOf makes a vote of a control.
func (r *Rollout) VoteOf(name string, in fleet.Control) membership.Vote {
	return membership.Vote{By: in.By, Approves: name == membership.ControlApprove, Digest: in.Digest, Reason: in.Reason,
		At: r.now, Signature: in.Signature}
}

// keepVote keeps a vote. Those that count are as few as the people who may cast them, and kept whole: nobody votes twice
// under a long name, and a signature is of every word.
func (r *Rollout) keepVote(v membership.Vote) {
	switch {
	case v.Refused == "":
		r.Votes = append(r.Votes, v)
	case len(r.Votes) < mostVotes:
		v.By, v.Reason, v.Digest, v.Signature = membership.Short(v.By), membership.Short(v.Reason), membership.Short(v.Digest), ""
		r.Votes = append(r.Votes, v)
	}
}

// mostVotes bounds what strangers can make a run remember.
const mostVotes = 100

func somebody(by string) string { return cmp.Or(membership.Short(by), "somebody") }
