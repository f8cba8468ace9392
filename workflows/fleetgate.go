package workflows

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// seen returns the key of what was seen of a page in the preview, "" when there was none.
func (f *fleetRun) seen(step, wave, page int) string {
	if step >= len(f.Seen) {
		return ""
	}
	page += f.firstPage(step, wave)
	if page >= len(f.Seen[step]) {
		return ""
	}
	return f.Seen[step][page].Key
}

// firstPage is the number of a wave's first page among those of its step.
func (f *fleetRun) firstPage(step, wave int) (n int) {
	for _, w := range f.Survey.Steps[step].Waves[:wave] {
		n += len(w.Pages)
	}
	return n
}

// asksNobody reports whether no wave of the present step has a gate, whatever becomes due: the plan asks for none, and as
// it turned out nothing is destroyed.
func (f *fleetRun) asksNobody() bool {
	return f.plan.Gate == nil && !slices.ContainsFunc(f.Seen[f.Step], func(s fleet.Seen) bool { return s.Destructive })
}

// needsGate says whether people decide before the wave begins, and about how many: those of the wave when there is a
// gate before each, else those of the step.
func (f *fleetRun) needsGate() (due int, destroys, needed bool) {
	if f.Step >= len(f.Seen) {
		return 0, false, false
	}
	seen, each := f.Seen[f.Step], f.plan.Gate != nil && f.plan.Gate.Each
	if each {
		first := f.firstPage(f.Step, f.Wave)
		seen = seen[first : first+len(f.Survey.Steps[f.Step].Waves[f.Wave].Pages)]
	}
	for _, s := range seen {
		due += s.Due
		destroys = destroys || s.Destructive
	}
	return due, destroys, due > 0 && (f.plan.Gate != nil || destroys) && (f.Wave == 0 || each)
}

// waitAtGate waits for the people that the wave needs before it may begin. Who does not get them ends the run.
func (f *fleetRun) waitAtGate(ctx workflow.Context, w fleet.SurveyedWave) error {
	due, destroys, needed := f.needsGate()
	if !needed {
		return nil
	}
	if f.plan.Requester == "" {
		return f.impossible(ctx, badInput(membership.Bad([]membership.Problem{membership.NeedsRequester()})))
	}
	step := f.Survey.Steps[f.Step]
	var a membership.Approval
	if f.plan.Gate != nil {
		a = f.plan.Gate.Approval
	}
	why := fmt.Sprintf("%s: %s %s (%s)", f.waveName(), step.Operation, membership.Count(due, "member"), step.Kind)
	g := membership.NewGate(f.plan.Requester, a, why, destroys)
	f.gate, f.digest = &g, f.digestOf()
	f.ballots.open(ctx)
	until := workflow.Now(ctx).Add(g.Timeout.Std())
	for {
		votes := f.votesFor(f.digest)
		decided, open := g.Count(votes)
		late := !workflow.Now(ctx).Before(until)
		switch {
		case f.Ending != "":
		case decided && open:
		case decided:
			no := votes[slices.IndexFunc(votes, func(v membership.Vote) bool { return v.Refused == "" && !v.Approves })]
			f.ending(ctx, fleet.ThenFinish, fmt.Sprintf("%s: rejected by %s: %s", w.Name, no.By, no.Reason))
		case late:
			f.ending(ctx, fleet.ThenFinish, fmt.Sprintf("%s: not approved within %s", w.Name, g.Timeout.Std()))
		default:
			if err := f.wait(ctx, until); err != nil {
				return err
			}
			continue
		}
		f.gate, f.digest = nil, ""
		return f.ballots.close(ctx)
	}
}

// digestOf names what people decide on: who, what was seen of them, the wave, and the run, so that a vote given to
// another run counts for nothing here.
func (f *fleetRun) digestOf() string {
	body, _ := json.Marshal(struct {
		Plan     fleet.Plan
		Manifest string
		Seen     []fleet.Seen
		Step     int
		Wave     int
		Run      string
	}{f.plan, f.Survey.Manifest, f.Seen[f.Step], f.Step, f.Wave, f.Survey.Run})
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// objectionTo says why a vote would not count now, "" when it would.
func (f *fleetRun) objectionTo(v membership.Vote) string {
	if f.gate == nil {
		return "no gate is open now"
	}
	return f.gate.Objection(v, f.digest, f.votesFor(f.digest))
}

func (f *fleetRun) votesFor(digest string) (votes []membership.Vote) {
	for _, v := range f.Votes {
		if v.Digest == digest {
			votes = append(votes, v)
		}
	}
	return votes
}
