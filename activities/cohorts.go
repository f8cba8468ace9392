package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/release"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// manifests remembers the manifest that was read last: the pages of one fleet are planned after each other.
type manifests struct {
	mu   sync.Mutex
	key  store.Key
	last *fleet.Manifest
}

func (m *manifests) get(ctx context.Context, blobs store.Blobs, key store.Key) (*fleet.Manifest, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last != nil && m.key == key {
		return m.last, nil
	}
	read, err := store.GetJSON[fleet.Manifest](ctx, blobs, key)
	if err != nil {
		return nil, err
	}
	m.key, m.last = key, &read
	return m.last, nil
}

// Preview looks at a page for the people who decide on it, and keeps what it saw.
func (a *Activities) Preview(ctx context.Context, in fleet.PageInput) (fleet.Seen, error) {
	return look(ctx, a, "", "observing", func() (fleet.Seen, error) { return a.preview(ctx, in) })
}

func (a *Activities) preview(ctx context.Context, in fleet.PageInput) (seen fleet.Seen, err error) {
	step, page, err := a.page(ctx, in)
	if err != nil {
		return seen, err
	}
	p, err := a.compile(ctx, operation(step), request(step, page), lookOnly)
	if err != nil {
		return seen, err
	}
	return a.keep(ctx, fleet.Sight{Destructive: p.Destructive, Warnings: p.Warnings, Members: p.Members, Stages: p.Stages})
}

// planCohort makes the program of a fleet's cohort.
func (a *Activities) planCohort(ctx context.Context, in workflows.PlanInput) (membership.Program, error) {
	step, page, err := a.page(ctx, in.Page)
	if err != nil {
		return membership.Program{}, err
	}
	page.Members = page.Members[in.Page.From:in.Page.To]
	again := in.Page.Again
	var before fleet.Record
	if again != nil {
		if before, err = a.before(ctx, *again, page.Members); err != nil {
			return membership.Program{}, err
		}
		page.Members = again.Of(before.Report)
	}
	req := request(step, page)
	if again != nil && again.Undo {
		return a.reverse(ctx, req, holdOf(in.WhenHeld), before, again.Still)
	}
	p, err := a.compile(ctx, in.Operation, req, holdOf(in.WhenHeld))
	if err != nil {
		return p, err
	}
	if p.Destructive && (!in.Approved || in.Page.Seen == "") {
		return p, membership.Bad([]membership.Problem{{Field: "approval", Want: "is missing: the run destroys data, and nobody has seen what it would do"}})
	}
	if again != nil {
		recall(&p, before, *again)
	}
	if in.Page.Seen != "" {
		sight, err := store.GetJSON[fleet.Sight](ctx, a.store, store.Key(in.Page.Seen))
		if err != nil {
			return p, err
		}
		if p.Destructive && !sight.Destructive {
			return p, bad("approval", "", "was given for what destroys nothing, and now it would destroy data; apply the plan again")
		}
		if again == nil {
			refuseUnplaced(&p, sight)
		}
		if again == nil && in.Approved {
			refuseDrifted(&p, sight)
		}
	}
	return p, nil
}

// before returns what is known of a cohort that is taken up: its record or, when it ended without one, its program, which is
// in its history unless that is gone. Then all its members are unknown.
func (a *Activities) before(ctx context.Context, again fleet.Again, members []string) (r fleet.Record, err error) {
	if again.Record != "" {
		return store.GetJSON[fleet.Record](ctx, a.store, store.Key(again.Record))
	}
	for _, id := range members {
		r.Report.Members = append(r.Report.Members, membership.MemberReport{ID: id, Outcome: membership.Unknown})
	}
	p, err := a.programs.last(ctx, again.Cohort)
	if err != nil || p == nil {
		return r, err
	}
	r.Program = *p
	return r, nil
}

// reverse makes the program that puts members back: the one that took them forward, from its end. still: but for those that
// are not as that left them.
func (a *Activities) reverse(ctx context.Context, req membership.Request, hold hold, before fleet.Record, still bool) (
	membership.Program, error) {
	p := before.Program
	if p.Digest == "" {
		return p, bad("again.cohort", "", "has left no program behind, so nothing tells how its members were before")
	}
	p.Members = slices.DeleteFunc(slices.Clone(p.Members), func(m membership.Member) bool { return !slices.Contains(req.Members, m.ID) })
	for i := range p.Members {
		m := &p.Members[i]
		m.Origin = origin(*m, before.Program)
		m.Refused, m.Already = nil, false // by the plan of a try that never began: an earlier one left something behind
	}
	if still {
		if err := a.refuseMoved(ctx, &p, req); err != nil {
			return p, err
		}
	}
	kind, err := membership.Find(a.kinds, req.Kind)
	if err != nil {
		return p, err
	}
	claim, err := a.claim(ctx, kind.Spec().Provider, req, hold)
	if err != nil {
		return p, err
	}
	p.Quiet = 0
	claim.apply(&p, time.Now())
	return p, nil
}

// recall lets members that are tried again remember what they had come to and, when their story broke off in the middle,
// how they were before it began: a server that the first try has stopped is to run again after the second. For that they
// go through all stages, each of which finds out what is left to do, even when they are members by now.
func recall(p *membership.Program, before fleet.Record, again fleet.Again) {
	was := make(map[string]membership.Outcome)
	for _, m := range before.Report.Members {
		if was[m.ID] = m.Outcome; again.Was[m.Outcome] == 0 && again.Was[membership.Unknown] > 0 {
			was[m.ID] = membership.Unknown // in a try after this record, which left none
		}
	}
	old := make(map[string]*membership.Member)
	for i := range before.Program.Members {
		old[before.Program.Members[i].ID] = &before.Program.Members[i]
	}
	for i := range p.Members {
		m := &p.Members[i]
		m.Was = was[m.ID]
		broken := m.Was == membership.Unknown || m.Was == membership.RollbackIncomplete
		if o := old[m.ID]; broken && o != nil {
			m.Before, m.Origin, m.Already = o.Before, origin(*o, before.Program), false
			m.Refused = slices.DeleteFunc(m.Refused, func(o membership.Objection) bool { return o.Code == membership.CodeNotInFrom })
		}
	}
}

// origin is the digest of the program under which a member's story began.
func origin(m membership.Member, p membership.Program) string { return cmp.Or(m.Origin, p.Digest) }

// refuseUnplaced refuses the members that found no place when the step was looked at as a whole.
func refuseUnplaced(p *membership.Program, sight fleet.Sight) {
	unplaced := make(map[string][]membership.Objection)
	for i := range sight.Members {
		if m := &sight.Members[i]; m.NoRoom() {
			unplaced[m.ID] = m.Refused
		}
	}
	for i := range p.Members {
		if m := &p.Members[i]; m.Due() && unplaced[m.ID] != nil {
			m.Refused = unplaced[m.ID]
		}
	}
}

// refuseDrifted refuses the members that are not what they were when people said yes.
func refuseDrifted(p *membership.Program, sight fleet.Sight) {
	then := make(map[string]*membership.Member, len(sight.Members))
	for i := range sight.Members {
		then[sight.Members[i].ID] = &sight.Members[i]
	}
	for i := range p.Members {
		m := &p.Members[i]
		old := then[m.ID]
		if !m.Due() {
			continue
		}
		why := ""
		switch {
		case old == nil || !old.Due():
			why = "nobody has approved it: it was refused or a member when people looked"
		case !maps.Equal(m.Before, old.Before):
			why = "it was " + facts(old.Before) + " when people said yes, and is " + facts(m.Before)
		default:
			continue
		}
		m.Refused = []membership.Objection{{Code: membership.CodeDrifted, Reason: why}}
	}
}

func facts(before map[string]string) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(before)) {
		text += fmt.Sprintf("%s=%s ", name, before[name])
	}
	return text
}

// File keeps the record of a cohort that has ended, and lets go of its members.
func (a *Activities) File(ctx context.Context, in workflows.FileInput) (fleet.Part, error) {
	stop := beat(ctx, "keeping the record")
	defer stop()
	run := activity.GetInfo(ctx).WorkflowExecution
	record := fleet.Record{Input: in.Page, Report: in.Report}
	program, err := a.programs.find(ctx, run, in.Digest)
	if err != nil {
		return fleet.Part{}, err
	}
	record.Program = *program
	key, err := store.PutJSON(ctx, a.store, record)
	if err != nil {
		return fleet.Part{}, err
	}
	part := fleet.Part{Record: string(key), Counts: in.Report.Counts, Started: in.Report.Started, Ended: in.Report.Ended}
	for _, m := range in.Report.Members {
		switch m.Outcome {
		case membership.RolledBack, membership.RollbackIncomplete, membership.Unknown:
			part.Worst = append(part.Worst, fleet.FailedMember{ID: m.ID, Outcome: m.Outcome, Code: m.Code, Reason: membership.Short(m.Reason)})
		}
	}
	if err := a.release(ctx, workflows.LeaseRun{Workflow: run.ID, Run: run.RunID}); err != nil {
		return fleet.Part{}, err
	}
	return part, nil
}

// release tells the book of leases that a run is done.
func (a *Activities) release(ctx context.Context, holder workflows.LeaseRun) error {
	if a.client == nil {
		return nil
	}
	err := a.client.SignalWorkflow(ctx, leases(ctx), "", workflows.SignalRelease, holder)
	var none *serviceerror.NotFound
	if errors.As(err, &none) {
		return nil
	}
	return err
}

// CheckStill tells who of those that a cohort made members is none any more, or does not run as before, with the reason.
func (a *Activities) CheckStill(ctx context.Context, part fleet.Part) ([]string, error) {
	return look(ctx, a, "", "observing", func() ([]string, error) { return a.check(ctx, part) })
}

func (a *Activities) check(ctx context.Context, part fleet.Part) (lost []string, err error) {
	record, err := store.GetJSON[fleet.Record](ctx, a.store, store.Key(part.Record))
	if err != nil {
		return nil, err
	}
	page := fleet.Page{Group: record.Report.Group}
	power := make(map[string]string)
	for _, m := range record.Report.Members {
		if m.Outcome == membership.Joined || m.Outcome == membership.Left {
			page.Members = append(page.Members, m.ID)
			power[m.ID] = m.Before["power"]
		}
	}
	step := fleet.Step{Kind: record.Program.Kind, Account: record.Program.Account, From: record.Program.From, Params: record.Program.Params}
	p, err := a.compile(ctx, record.Program.Operation, request(step, page), lookOnly)
	if err != nil {
		return nil, err
	}
	for _, m := range p.Members {
		held := slices.ContainsFunc(m.Refused, func(o membership.Objection) bool { return o.Code == membership.CodeHeld })
		switch {
		case held: // another run acts on it: nothing can be said
		case !m.Already:
			lost = append(lost, m.ID+" is not what it was made a moment ago")
		case m.Power() != power[m.ID]:
			lost = append(lost, fmt.Sprintf("%s: power is %s, and was %s before", m.ID, m.Power(), power[m.ID]))
		}
	}
	return lost, nil
}

// Close keeps the archive of a run that has ended, and tells what became of each of its members when there are few.
func (a *Activities) Close(ctx context.Context, packed converter.RawValue) (closed workflows.CloseResult, err error) {
	stop := beat(ctx, "keeping the archive")
	defer stop()
	var kept fleet.Archive
	if err := workflows.Unpack(packed, &kept); err != nil {
		return closed, err
	}
	kept.Release = release.Version
	key, err := store.PutJSON(ctx, a.store, kept)
	if err != nil {
		return closed, err
	}
	closed.Archive = string(key)
	total := 0
	for _, s := range kept.Report.Steps {
		total += s.Members
	}
	if total > fleet.MostReported {
		return closed, nil
	}
	run, err := archive.Open(ctx, func(ctx context.Context, key string) ([]byte, error) { return a.store.Get(ctx, store.Key(key)) }, closed.Archive)
	if err != nil {
		return closed, err
	}
	for m, err := range run.Members(ctx) {
		if err != nil {
			return closed, err
		}
		closed.Members = append(closed.Members, m.MemberReport())
	}
	return closed, nil
}

// Read returns what the store has under a key, packed when it is large. What is not there, or damaged, will not get better
// while somebody waits.
func (a *Activities) Read(ctx context.Context, key string) (any, error) {
	stop := beat(ctx, "reading")
	defer stop()
	data, err := a.store.Get(ctx, store.Key(key))
	bad := func(want string) error {
		return planError(membership.Bad([]membership.Problem{{Field: "key", Value: membership.Quote(key), Want: want}}))
	}
	switch {
	case errors.Is(err, store.ErrMissing):
		return nil, bad("leads to nothing in the workers' store")
	case errors.Is(err, store.ErrDamaged):
		return nil, bad("leads to something in the workers' store that is damaged; bring it back from a copy of the store")
	case err != nil:
		return nil, err
	}
	return workflows.Pack(json.RawMessage(data)), nil
}
