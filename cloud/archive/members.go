package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Member is what became of one member in the end, and before.
type Member struct {
	Step  int    `json:"step"` // from 1
	Wave  string `json:"wave"`
	Group string `json:"group"`
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Try
	Before  map[string]string `json:"before,omitempty"` // how it was before it was touched
	Earlier []Try             `json:"earlier,omitempty"`
}

// Try is what came of one time that a member was taken on.
type Try struct {
	Outcome   membership.Outcome     `json:"outcome"`
	Stage     string                 `json:"stage,omitempty"`
	Code      string                 `json:"code,omitempty"`
	Reason    string                 `json:"reason,omitempty"`
	Also      []membership.Objection `json:"also,omitempty"`
	RequestID string                 `json:"requestId,omitempty"`
	Host      string                 `json:"host,omitempty"`   // as in membership.MemberReport
	Cohort    string                 `json:"cohort,omitempty"` // its workflow id; "" for who was never started, and for a decision
	Act       Act                    `json:"act,omitempty"`
}

// MemberReport is the member as the report of a small run tells it.
func (m *Member) MemberReport() membership.MemberReport {
	r := membership.MemberReport{ID: m.ID, Name: m.Name, Outcome: m.Outcome, Stage: m.Stage, Code: m.Code, Reason: m.Reason,
		Also: m.Also, RequestID: m.RequestID, Before: m.Before, Host: m.Host}
	if m.Outcome == membership.RolledBack && m.Act == ActPutBack && r.Reason == "" {
		r.Reason = "put back after it had gone well"
	}
	return r
}

// Members returns every member in the order of the plan. It ends with the first blob that is missing, damaged or not
// what it should be.
func (f *Run) Members(ctx context.Context) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		for page, err := range f.Pages(ctx) {
			if err != nil {
				yield(Member{}, err)
				return
			}
			for _, m := range page.Members {
				if !yield(m, nil) {
					return
				}
			}
		}
	}
}

// Page is all that is kept of the members of a page.
type Page struct {
	Step    int // from 0
	Members []Member
	Stages  []membership.Stage // of one of their programs; none when they never had one

	records int // how many were read
}

// Pages returns the pages of the run in the order of the plan. It ends as Members does.
func (f *Run) Pages(ctx context.Context) iter.Seq2[Page, error] { return f.read(ctx, false) }

func (f *Run) read(ctx context.Context, sights bool) iter.Seq2[Page, error] {
	return inOrder(ctx, len(f.pages), func(ctx context.Context, i int) (Page, error) {
		p := f.pages[i]
		if sights && p.seen != "" {
			if err := f.checkSight(ctx, p); err != nil {
				return Page{}, err
			}
		}
		return f.readPage(ctx, p)
	})
}

// readPage reads a page and all that was recorded of it. What a later part says of a member goes before.
func (f *Run) readPage(ctx context.Context, p page) (l Page, err error) {
	what := fmt.Sprintf("step %d, %s", p.step+1, f.waveName(p.step, p.wave))
	content, err := get[fleet.Page](ctx, f.from, what+": a page of the manifest", p.ref.Key)
	if err != nil {
		return l, err
	}
	if len(content.Members) != p.ref.Count {
		return l, fmt.Errorf("%s: page %s has %d members, and the manifest says %d", what, p.ref.Key, len(content.Members), p.ref.Count)
	}
	l.Step = p.step
	index := make(map[string]int)
	for i, id := range content.Members {
		index[id] = i
		l.Members = append(l.Members, Member{Step: p.step + 1, Wave: f.waveName(p.step, p.wave), Group: content.Group, ID: id,
			Try: Try{Outcome: membership.NotStarted}})
	}
	told := make([]bool, len(l.Members))
	records := make(map[string]membership.Report)
	for _, part := range p.parts {
		ids, err := idsOf(part, content, records)
		if err != nil {
			return l, fmt.Errorf("%s: %w", named(part), err)
		}
		var reports []membership.MemberReport
		if part.Record == "" {
			now := func(id string) membership.Outcome { return l.Members[index[id]].Outcome }
			reports, err = f.unrecorded(part, ids, now)
		} else {
			var record fleet.Record
			record, err = f.record(ctx, p, part, ids)
			records[part.Record], reports, l.Stages = record.Report, record.Report.Members, record.Program.Stages
			l.records++
		}
		if err != nil {
			return l, err
		}
		for _, r := range reports {
			i := index[r.ID]
			l.Members[i].tell(r, part, told[i])
			told[i] = true
		}
	}
	return l, nil
}

// tell takes in what a part says of the member.
func (m *Member) tell(r membership.MemberReport, part fleet.Part, again bool) {
	if again {
		m.Earlier = append(m.Earlier, m.Try)
	}
	if actOf(part) == ActDecision { // about what stands there: it is no news of the member
		m.Also = append(slices.Clone(m.Also), membership.Objection{Code: decided(r.Outcome), Reason: r.Reason})
		m.Outcome, m.Cohort, m.Act = r.Outcome, "", ActDecision
		return
	}
	m.Try = Try{Outcome: outcome(r, part), Stage: r.Stage, Code: r.Code, Reason: r.Reason, Also: r.Also, RequestID: r.RequestID,
		Host: r.Host, Cohort: part.Cohort, Act: actOf(part)}
	if r.Name != "" {
		m.Name = r.Name
	}
	if len(r.Before) > 0 {
		m.Before = r.Before
	}
}

// idsOf returns whom a part is about. records are those of the same page that ended before.
func idsOf(part fleet.Part, content fleet.Page, records map[string]membership.Report) ([]string, error) {
	in := part.Input
	if in.Again == nil {
		if in.From < 0 || in.From > in.To || in.To > len(content.Members) {
			return nil, fmt.Errorf("is about members %d to %d of a page that has %d", in.From, in.To, len(content.Members))
		}
		return content.Members[in.From:in.To], nil
	}
	if in.Again.Record == "" { // of a cohort that left none
		return content.Members[in.From:in.To], nil
	}
	before, ok := records[in.Again.Record]
	if !ok {
		return nil, fmt.Errorf("takes up record %s, which is none of the same members", in.Again.Record)
	}
	return in.Again.Of(before), nil
}

// outcome is what a record's word means for the member: one that was to be put back, and is not, was not put back.
func outcome(r membership.MemberReport, part fleet.Part) membership.Outcome {
	if actOf(part) != ActPutBack {
		return r.Outcome
	}
	switch r.Outcome {
	case membership.RolledBack, membership.Unknown:
		return r.Outcome
	}
	return membership.RollbackIncomplete
}

// record reads the record of a part and compares the two.
func (f *Run) record(ctx context.Context, p page, part fleet.Part, ids []string) (fleet.Record, error) {
	r, err := get[fleet.Record](ctx, f.from, "the record of "+named(part), part.Record)
	if err != nil {
		return r, err
	}
	in := part.Input
	in.Manifest, in.Seen = f.Manifest, p.seen
	var has []string
	counts := make(map[membership.Outcome]int)
	for _, m := range r.Report.Members {
		has = append(has, m.ID)
		counts[outcome(m, part)]++
	}
	switch {
	case !reflect.DeepEqual(r.Input, in):
		err = errors.New("it is that of another cohort")
	case !slices.Equal(slices.Sorted(slices.Values(has)), slices.Sorted(slices.Values(ids))):
		err = errors.New("it has other members than the cohort")
	case !maps.Equal(counts, part.Counts):
		err = fmt.Errorf("its members are %s, and the archive counts %s", tally(counts), tally(part.Counts))
	default:
		return r, nil
	}
	return r, fmt.Errorf("the record of %s, %s: %w", named(part), part.Record, err)
}

// unrecorded tells what is known of the members of a part without a record. They have all come to the same; or to what
// they had come to before, when they were to be tried again and could not be.
func (f *Run) unrecorded(part fleet.Part, ids []string, now func(id string) membership.Outcome) ([]membership.MemberReport, error) {
	kept := actOf(part) == ActRetry && maps.Equal(part.Counts, part.Input.Again.Was)
	if !kept && (len(part.Counts) != 1 || part.Members() != len(ids)) {
		return nil, fmt.Errorf("%s has no record, %d members, and counts %s", named(part), len(ids), tally(part.Counts))
	}
	var all []membership.MemberReport
	for _, id := range ids {
		m := membership.MemberReport{ID: id, Code: part.Code, Reason: part.Error, Outcome: now(id)}
		if !kept {
			m.Outcome = slices.Collect(maps.Keys(part.Counts))[0]
		}
		if actOf(part) == ActDecision {
			m.Reason = f.decision(m.Outcome, part.Input.Wave, id)
		}
		if i := slices.IndexFunc(part.Worst, func(w fleet.FailedMember) bool { return w.ID == id }); i >= 0 {
			m.Code, m.Reason = part.Worst[i].Code, part.Worst[i].Reason
		}
		all = append(all, m)
	}
	return all, nil
}

// decided is the code with which a decision is told.
func decided(o membership.Outcome) string {
	if o == membership.Skipped {
		return membership.CodeSkipped
	}
	return membership.CodeMarkedDone
}

// decision tells who decided about a member of a wave, when there is no doubt who it was.
func (f *Run) decision(outcome membership.Outcome, wave int, id string) string {
	what := membership.ControlMarkDone
	if outcome == membership.Skipped {
		what = membership.ControlSkip
	}
	var words []string
	for _, s := range f.Report.Controls {
		about := (len(s.Control.Members) == 0 || slices.Contains(s.Control.Members, id)) &&
			(s.Control.Wave == 0 || s.Control.Wave == wave+1)
		if s.What == what && s.Refused == "" && about {
			words = append(words, fmt.Sprintf("by %s: %s", s.Control.By, s.Control.Reason))
		}
	}
	if len(words) != 1 {
		return "see the controls"
	}
	return words[0]
}

func tally(counts map[membership.Outcome]int) string {
	return membership.Report{Counts: counts}.Tally()
}
