package report

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
)

const (
	group1 = "71e947d0-91d2-4b20-a1f3-34eee6346bca"
	group2 = "8c5f1b1e-0f0e-4c57-9c5b-2f6f8f6ad0b2"
	// hostile is what somebody may call a server to harm who reads of it.
	hostile = `=cmd|'</script><script>alert(1)</script><img src=x onerror=alert(2)>"` + "\x1b[2J"
)

// folder is a store in memory.
type folder struct {
	blobs map[string][]byte
	reads atomic.Int64
}

func (s *folder) get(_ context.Context, key string) ([]byte, error) {
	s.reads.Add(1)
	data, ok := s.blobs[key]
	if !ok {
		return nil, fmt.Errorf("blob %s: %w", key, store.ErrMissing)
	}
	return data, nil
}

// yard builds fleets that have ended, as the workers would keep them.
type yard struct {
	t *testing.T
	*folder
	manifest fleet.Manifest
	account  fleet.Archive
	pages    map[fleet.PageInput]fleet.Page
	now      time.Time
}

func newYard(t *testing.T, plan fleet.Plan) *yard {
	y := &yard{t: t, folder: &folder{blobs: make(map[string][]byte)}, pages: make(map[fleet.PageInput]fleet.Page),
		now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	y.account = fleet.Archive{Plan: plan, Report: fleet.Report{Name: plan.Name, Started: y.now}}
	return y
}

func (y *yard) put(v any) string {
	data, err := json.Marshal(v)
	require.NoError(y.t, err)
	key := string(store.KeyOf(data))
	y.blobs[key] = data
	return key
}

func (y *yard) step(operation membership.Operation, kind string) {
	y.manifest.Steps = append(y.manifest.Steps, fleet.PagedStep{Step: fleet.Step{Operation: operation, Kind: kind, Account: "prod"}})
	y.account.Report.Steps = append(y.account.Report.Steps, fleet.StepReport{
		SurveyedStep: fleet.SurveyedStep{Operation: operation, Kind: kind, Account: "prod"}})
}

func (y *yard) wave(name string, pages ...fleet.Page) {
	s := len(y.manifest.Steps) - 1
	paged, surveyed := &y.manifest.Steps[s], &y.account.Report.Steps[s].SurveyedStep
	var refs []fleet.PageRef
	w := fleet.Wave{Name: name}
	for i, p := range pages {
		refs = append(refs, fleet.PageRef{Key: y.put(p), Count: len(p.Members)})
		y.pages[fleet.PageInput{Step: s, Wave: len(paged.Waves), Page: i}] = p
		w.Members += len(p.Members)
		w.Pages = append(w.Pages, len(p.Members))
		if surveyed.Group == "" {
			surveyed.Group = p.Group
		}
	}
	surveyed.Members += w.Members
	paged.Waves = append(paged.Waves, refs)
	surveyed.Waves = append(surveyed.Waves, w)
}

// file keeps the record of a cohort that takes so long. again is nil for a first one.
func (y *yard) file(in fleet.PageInput, took time.Duration, tell func(m *membership.MemberReport)) fleet.Part {
	page := y.pages[fleet.PageInput{Step: in.Step, Wave: in.Wave, Page: in.Page}]
	ids := page.Members
	if in.Again != nil {
		var before fleet.Record
		require.NoError(y.t, json.Unmarshal(y.blobs[in.Again.Record], &before))
		ids = in.Again.Of(before.Report)
		in.Again.Was = make(map[membership.Outcome]int)
		for _, m := range before.Report.Members {
			if slices.Contains(ids, m.ID) {
				in.Again.Was[m.Outcome]++
			}
		}
		in.To = in.From + len(ids)
	} else if in.To == 0 {
		in.To = len(ids)
	}
	if in.Again == nil {
		ids = ids[in.From:in.To]
	}
	full := in
	full.Manifest = y.account.Manifest
	if in.Step < len(y.account.Seen) {
		nth := in.Page
		for w := range in.Wave {
			nth += len(y.manifest.Steps[in.Step].Waves[w])
		}
		full.Seen = y.account.Seen[in.Step][nth].Key
	}
	step := y.manifest.Steps[in.Step]
	r := fleet.Record{Input: full, Report: membership.Report{Kind: step.Kind, Operation: step.Operation, Account: step.Account,
		Group: page.Group, Counts: make(map[membership.Outcome]int), Started: y.now, Ended: y.now.Add(took)},
		Program: membership.Program{Kind: step.Kind, Operation: step.Operation, Stages: []membership.Stage{
			{Name: "stop", Undo: "starts it again, if it ran", Help: "stops the server, if it runs, softly", Risk: membership.Disruptive},
			{Name: "verify-kvm", Help: "proves once more that the server is KVM and stopped", Risk: membership.Harmless},
			{Name: "add", Undo: "removes it from the group", Help: "adds the server to the group", Risk: membership.Disruptive},
			{Name: "start", Help: "starts the server, if it ran before", Risk: membership.Harmless},
		}}}
	for i, id := range ids {
		m := membership.MemberReport{ID: id, Name: "web-" + id[len(id)-5:], Outcome: membership.Joined,
			Before: map[string]string{"power": []string{"on", "on", "off"}[i%3], "flavor": "s6.large.2", "zone": "az" + string('1'+id[len(id)-1]%3)}}
		tell(&m)
		if m.Outcome == membership.Joined {
			m.Host = fmt.Sprintf("%012x", id[len(id)-1]) // some share one
		}
		r.Report.Members = append(r.Report.Members, m)
		r.Report.Counts[m.Outcome]++
	}
	p := fleet.Part{Record: y.put(r), Cohort: fmt.Sprintf("web.%d", len(y.account.Parts)+1), Input: in, Counts: r.Report.Counts,
		Started: r.Report.Started, Ended: r.Report.Ended}
	if in.Again != nil && in.Again.Undo { // as a fleet counts them
		p.Counts = maps.Clone(p.Counts)
		if n := p.Counts[membership.Refused]; n > 0 {
			delete(p.Counts, membership.Refused)
			p.Counts[membership.RollbackIncomplete] += n
		}
	}
	y.account.Parts = append(y.account.Parts, p)
	return p
}

// close ends the fleet and returns the key of its account.
func (y *yard) close() string {
	r := &y.account.Report
	r.Ended = y.now
	r.Counts = make(map[membership.Outcome]int)
	for i := range r.Steps {
		s := &r.Steps[i]
		s.Counts = fleet.Tally(slices.DeleteFunc(slices.Clone(y.account.Parts), func(p fleet.Part) bool { return p.Input.Step != i }))
		if left := s.Members - (fleet.Part{Counts: s.Counts}).Members(); left > 0 {
			s.Counts[membership.NotStarted] += left
		}
		for o, n := range s.Counts {
			r.Counts[o] += n
		}
	}
	r.Outcome = membership.Judge(r.Counts, false)
	return y.put(y.account)
}

func well(*membership.MemberReport) {}

func ids(from, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("0b5d2c7e-4f1a-4b6e-9d3c-%012x", 0xabc000+from+i))
	}
	return all
}

// small is a fleet that has seen a bit of everything.
func small(t *testing.T) (y *yard, key string) {
	y = newYard(t, fleet.Plan{Name: "web tier", Requester: "ann", Canary: 1, Waves: []fleet.Share{{Percent: 50}, {Percent: 100}},
		Soak: fleet.Duration(20 * time.Minute), Budget: &fleet.Budget{Failures: fleet.Share{Count: 4}}})
	y.step(membership.Join, "huawei.servergroup")
	m := ids(1, 12)
	y.wave("canary", fleet.Page{Group: group1, Members: m[:1]})
	y.wave("wave 1", fleet.Page{Group: group1, Members: m[1:5]})
	y.wave("wave 2", fleet.Page{Group: group2, Members: m[5:8]}, fleet.Page{Group: group2, Members: m[8:10]}, fleet.Page{Group: group2, Members: m[10:]})
	y.account.Report.Steps[0].Groups = 2
	y.account.Manifest = y.put(y.manifest)
	var seen []fleet.Seen
	for _, n := range []int{1, 4, 3, 2, 2} {
		seen = append(seen, fleet.Seen{Due: n, Key: y.put(fleet.Sight{Members: make([]membership.Member, n), Warnings: []string{fmt.Sprint(len(seen))}})})
	}
	y.account.Seen = [][]fleet.Seen{seen}
	digest := string(store.KeyOf([]byte("what was approved")))
	y.account.Report.Votes = []membership.Vote{
		{By: "ann", Approves: true, Digest: digest, At: y.now.Add(9 * time.Minute), Refused: "ann has asked for this run and may not vote on it"},
		{By: "bob", Approves: true, Digest: digest, At: y.now.Add(26 * time.Hour), Reason: "looks good <3", Signature: "armored"}}

	y.now = y.now.Add(26*time.Hour + time.Second)
	y.file(fleet.PageInput{}, 84*time.Second, well)

	y.now = y.now.Add(21 * time.Minute)
	first := y.file(fleet.PageInput{Wave: 1}, 3*time.Minute, func(r *membership.MemberReport) {
		switch r.ID {
		case m[2]:
			r.Outcome, r.Stage, r.Code, r.RequestID = membership.RolledBack, "start", "start-failed", "req-7f3a"
			r.Reason = "BatchStartServers: rejected: Ecs.0319: no host is left that the policy allows"
		case m[3]:
			r.Outcome = membership.Already
		case m[4]:
			r.Outcome, r.Stage, r.Code, r.Name = membership.Unknown, "add", "no-effect", hostile
			r.Reason = "sent 3 times: the server is not in the group"
		}
	})
	y.now = y.now.Add(4 * time.Minute)
	y.said(membership.ControlRetry, fleet.Control{Control: membership.Control{By: "bob", Members: m[2:3], Reason: "room was made"}}, "")
	was := map[membership.Outcome]int{membership.RolledBack: 1}
	y.account.Parts = append(y.account.Parts, fleet.Part{Cohort: "web.3", Counts: was, Error: "account prod: no credentials",
		Input: fleet.PageInput{Wave: 1, To: 1, Again: &fleet.Again{Record: first.Record, Members: m[2:3], Was: was}},
		Worst: []fleet.FailedMember{{ID: m[2], Outcome: membership.RolledBack, Code: "engine", Reason: "it was not tried again: account prod: no credentials"}}})
	y.file(fleet.PageInput{Wave: 1, Again: &fleet.Again{Record: first.Record, Members: m[2:3]}}, 70*time.Second, well)
	y.now = y.now.Add(2 * time.Minute)
	y.said(membership.ControlSkip, fleet.Control{Control: membership.Control{By: "cid", Members: m[4:5], Reason: "goes away next week"}}, "")
	y.account.Parts = append(y.account.Parts, fleet.Part{Counts: map[membership.Outcome]int{membership.Skipped: 1},
		Input: fleet.PageInput{Wave: 1, To: 4, Again: &fleet.Again{Record: first.Record, Members: m[4:5], Was: map[membership.Outcome]int{membership.Unknown: 1}}}})

	y.now = y.now.Add(21 * time.Minute)
	joined := y.file(fleet.PageInput{Wave: 2}, 2*time.Minute, well)
	y.file(fleet.PageInput{Wave: 2, Page: 1}, 170*time.Second, func(r *membership.MemberReport) {
		if r.ID == m[8] {
			r.Outcome, r.Code, r.Reason, r.Before["flavor"] = membership.Refused, "not-kvm", "flavor s3.large.2 is FusionCompute, want KVM", "s3.large.2"
			r.Also = []membership.Objection{{Code: "server-locked", Reason: "the server is locked"}}
			return
		}
		r.Outcome, r.Stage, r.Code, r.RequestID = membership.RollbackIncomplete, "start", "start-failed", "req-81c0"
		r.Reason = "BatchStartServers: rejected: Ecs.0319: no host is left that the policy allows"
		r.Also = []membership.Objection{{Code: "timeout", Reason: "undo-stop: not started within 30m"}}
	})
	y.now = y.now.Add(130 * time.Second)
	y.said(fleet.ControlChange, fleet.Control{Control: membership.Control{By: "dee"}, Budget: &fleet.Budget{Failures: fleet.Share{Count: 0}}}, "a budget of none")
	y.said(membership.ControlAbort, fleet.Control{Control: membership.Control{By: "bob", Reason: "too risky before the weekend"}, Then: fleet.ThenRollBackWave}, "")
	y.account.Report.Why = "aborted by bob: too risky before the weekend"
	y.now = y.now.Add(50 * time.Second)
	y.file(fleet.PageInput{Wave: 2, Again: &fleet.Again{Record: joined.Record, Undo: true, Was: joined.Counts}}, 100*time.Second, func(r *membership.MemberReport) {
		if r.Outcome = membership.RolledBack; r.ID == m[7] {
			r.Outcome, r.Code, r.Reason = membership.Refused, "held", "run other acts on it"
		}
	})
	y.now = y.now.Add(101 * time.Second)
	return y, y.close()
}

func (y *yard) said(what string, c fleet.Control, refused string) {
	y.account.Report.Controls = append(y.account.Report.Controls, fleet.Said{At: y.now, What: what, Control: c, Refused: refused})
}

// large is a fleet of so many members, of whom a few in a thousand fail.
func large(t *testing.T, members int) (y *yard, key string) {
	const size = 200
	random := rand.New(rand.NewPCG(1, 2))
	y = newYard(t, fleet.Plan{Name: "all web servers", Requester: "ann", Canary: 20, Soak: fleet.Duration(10 * time.Minute),
		Waves:  []fleet.Share{{Percent: 10}, {Percent: 40}, {Percent: 100}},
		Budget: &fleet.Budget{Failures: fleet.Share{Percent: 2}}})
	y.step(membership.Join, "huawei.servergroup")
	layout, problems := y.account.Plan.Layout(0, members)
	require.Empty(t, problems)
	names := ids(0, members)
	first := 0 // of the wave
	for _, w := range layout {
		var pages []fleet.Page
		for page := range slices.Chunk(names[first:first+w.Members], size) {
			group := fmt.Sprintf("%08x-91d2-4b20-a1f3-34eee6346bca", (first+len(pages)*size)/1000)
			pages = append(pages, fleet.Page{Group: group, Members: page})
		}
		first += w.Members
		y.wave(w.Name, pages...)
	}
	y.account.Report.Steps[0].Groups = max(members/1000, 1)
	y.account.Manifest = y.put(y.manifest)
	for w, refs := range y.manifest.Steps[0].Waves {
		begin := y.now
		free := make([]time.Time, fleet.DefaultCohorts) // by line
		for i := range free {
			free[i] = begin
		}
		for p := range refs {
			line := slices.IndexFunc(free, func(at time.Time) bool { return !slices.ContainsFunc(free, at.After) })
			y.now = free[line]
			took := time.Duration(100+random.IntN(80)) * time.Second
			part := y.file(fleet.PageInput{Wave: w, Page: p}, took, func(m *membership.MemberReport) {
				switch n := random.IntN(2000); {
				case n < 6:
					m.Outcome, m.Stage, m.Code, m.RequestID = membership.RolledBack, "start", "start-failed", fmt.Sprintf("req-%06x", random.IntN(1<<24))
					m.Reason = "BatchStartServers: rejected: Ecs.0319: no host is left that the policy allows"
				case n < 7:
					m.Outcome, m.Stage, m.Code = membership.Unknown, "add", "no-effect"
					m.Reason = "sent 3 times: the server is not in the group"
				case n < 17:
					m.Outcome, m.Code, m.Reason = membership.Refused, "not-kvm", "flavor s3.large.2 is FusionCompute, want KVM"
				case n < 60:
					m.Outcome = membership.Already
				}
			})
			free[line] = part.Ended
		}
		for _, at := range free {
			y.now = later(y.now, at)
		}
		for _, part := range slices.Clone(y.account.Parts) {
			if part.Input.Wave == w && part.Counts[membership.RolledBack] > 0 && random.IntN(3) == 0 {
				y.said(membership.ControlRetry, fleet.Control{Control: membership.Control{By: "ann", Reason: "hosts were added"}}, "")
				y.file(fleet.PageInput{Wave: w, Page: part.Input.Page, Again: &fleet.Again{Record: part.Record, Outcomes: []membership.Outcome{membership.RolledBack,
					membership.RollbackIncomplete, membership.Unknown}}}, 40*time.Second, well)
				y.now = y.now.Add(time.Minute)
				break
			}
		}
		y.now = y.now.Add(10 * time.Minute)
	}
	return y, y.close()
}

func open(t *testing.T, y *yard, key string) *archive.Run {
	t.Helper()
	f, err := archive.Open(t.Context(), y.get, key)
	require.NoError(t, err)
	f.ID = "web"
	return f
}

func keysOf(s *folder) []string { return slices.Sorted(maps.Keys(s.blobs)) }
