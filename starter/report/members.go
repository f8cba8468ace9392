package report

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
	Cohort    string                 `json:"cohort,omitempty"` // its workflow id; "" for who was never started, and for a decision
	Act       Act                    `json:"act,omitempty"`
}

// MemberReport is the member as a run of its own would tell it.
func (m *Member) MemberReport() membership.MemberReport {
	return membership.MemberReport{ID: m.ID, Name: m.Name, Outcome: m.Outcome, Stage: m.Stage, Code: m.Code, Reason: m.Reason,
		Also: m.Also, RequestID: m.RequestID, Before: m.Before}
}

// Members returns every member in the order of the plan. It ends with the first blob that is missing, damaged or not
// what it should be.
func (f *Fleet) Members(ctx context.Context) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		for leaf, err := range f.leaves(ctx, false) {
			if err != nil {
				yield(Member{}, err)
				return
			}
			for _, m := range leaf.members {
				if !yield(m, nil) {
					return
				}
			}
		}
	}
}

// leaf is all that was read of a page.
type leaf struct {
	step    int // from 0
	members []Member
	records int                // how many were read
	stages  []membership.Stage // of one of their programs
}

func (f *Fleet) leaves(ctx context.Context, sights bool) iter.Seq2[leaf, error] {
	return inOrder(ctx, len(f.pages), func(ctx context.Context, i int) (leaf, error) {
		p := f.pages[i]
		if sights && p.seen != "" {
			if err := f.checkSight(ctx, p); err != nil {
				return leaf{}, err
			}
		}
		return f.leaf(ctx, p)
	})
}

// leaf reads a page and all that was recorded of it. What a later part says of a member goes before.
func (f *Fleet) leaf(ctx context.Context, p page) (l leaf, err error) {
	what := fmt.Sprintf("step %d, %s", p.step+1, f.waveName(p.step, p.wave))
	content, err := read[fleet.Page](ctx, f.get, what+": a page of the manifest", p.ref.Key)
	if err != nil {
		return l, err
	}
	if len(content.Members) != p.ref.Count {
		return l, fmt.Errorf("%s: page %s has %d members, and the manifest says %d", what, p.ref.Key, len(content.Members), p.ref.Count)
	}
	l.step = p.step
	index := make(map[string]int)
	for i, id := range content.Members {
		index[id] = i
		l.members = append(l.members, Member{Step: p.step + 1, Wave: f.waveName(p.step, p.wave), Group: content.Group, ID: id,
			Try: Try{Outcome: membership.NotStarted}})
	}
	told := make([]bool, len(l.members))
	records := make(map[string]membership.Report)
	for _, part := range p.parts {
		ids, err := idsOf(part, content, records)
		if err != nil {
			return l, fmt.Errorf("%s: %w", named(part), err)
		}
		var reports []membership.MemberReport
		if part.Record == "" {
			now := func(id string) membership.Outcome { return l.members[index[id]].Outcome }
			reports, err = f.unrecorded(part, ids, now)
		} else {
			var record fleet.Record
			record, err = f.record(ctx, p, part, ids)
			records[part.Record], reports, l.stages = record.Report, record.Report.Members, record.Program.Stages
			l.records++
		}
		if err != nil {
			return l, err
		}
		for _, r := range reports {
			i := index[r.ID]
			l.members[i].tell(r, part, told[i])
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
	m.Try = Try{Outcome: outcome(r, part), Stage: r.Stage, Code: r.Code, Reason: r.Reason, Also: r.Also, RequestID: r.RequestID,
		Cohort: part.Cohort, Act: actOf(part)}
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
	before, ok := records[in.Again.Record]
	if !ok {
		return nil, fmt.Errorf("takes up record %s, which is none of the same members", in.Again.Record)
	}
	return in.Again.Of(before), nil
}

// outcome is what a record's word means for the member: who was to be put back and was not even touched, was not put
// back.
func outcome(r membership.MemberReport, part fleet.Part) membership.Outcome {
	untouched := r.Outcome == membership.Refused || r.Outcome == membership.NotStarted
	if untouched && actOf(part) == ActPutBack {
		return membership.RollbackIncomplete
	}
	return r.Outcome
}

// record reads the record of a part and compares the two.
func (f *Fleet) record(ctx context.Context, p page, part fleet.Part, ids []string) (fleet.Record, error) {
	r, err := read[fleet.Record](ctx, f.get, "the record of "+named(part), part.Record)
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
		err = fmt.Errorf("its members are %s, and the account counts %s", tally(counts), tally(part.Counts))
	default:
		return r, nil
	}
	return r, fmt.Errorf("the record of %s, %s: %w", named(part), part.Record, err)
}

// unrecorded tells what is known of the members of a part without a record. They have all come to the same; or to what
// they had come to before, when they were to be tried again and could not be.
func (f *Fleet) unrecorded(part fleet.Part, ids []string, now func(id string) membership.Outcome) ([]membership.MemberReport, error) {
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

// decision tells who decided about a member of a wave, when there is no doubt who it was.
func (f *Fleet) decision(outcome membership.Outcome, wave int, id string) string {
	what := membership.ControlMarkDone
	if outcome == membership.Skipped {
		what = membership.ControlSkip
	}
	var words []string
	for _, s := range f.Report.Said {
		about := (len(s.Control.Members) == 0 || slices.Contains(s.Control.Members, id)) &&
			(s.Control.Wave == 0 || s.Control.Wave == wave+1)
		if s.What == what && s.Refused == "" && about {
			words = append(words, fmt.Sprintf("%s by %s: %s", s.What, s.Control.By, s.Control.Reason))
		}
	}
	if len(words) != 1 {
		return what + ", see the controls"
	}
	return words[0]
}
