package cli

import (
	"fmt"
	"strconv"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const (
	// fold is how many members with the same story are listed before the rest is only counted.
	fold = 3
	// mostStories is how many different stories are told: more than a run of one cohort can have.
	mostStories = membership.MaxMembers
)

// stories are what became of members, those with the same story together. However many members there are, it keeps few
// of them, unless all are to be listed.
type stories struct {
	all   bool
	told  []*story
	alike map[string]*story
	quiet int // went well
	rest  int // have a story that is not told
}

type story struct {
	shown []membership.MemberReport
	count int
}

func (s *stories) add(m membership.MemberReport) {
	if !s.all && wentWell(m) {
		s.quiet++
		return
	}
	key := strconv.Itoa(len(s.told))
	if !s.all {
		key = fmt.Sprint(m.Outcome, m.Stage, m.Code, m.Reason, m.Also)
	}
	same := s.alike[key]
	switch {
	case same != nil:
	case !s.all && len(s.told) == mostStories:
		s.rest++
		return
	default:
		if s.alike == nil {
			s.alike = make(map[string]*story)
		}
		same = &story{}
		s.alike[key] = same
		s.told = append(s.told, same)
	}
	if same.count++; len(same.shown) <= fold {
		same.shown = append(same.shown, m)
	}
}

func (s *stories) print(out *Streams) {
	if len(s.told) == 0 {
		return
	}
	var t table
	t.head("MEMBER", "NAME", "OUTCOME", "AT", "WHY")
	folded := false
	for _, same := range s.told {
		shown := same.shown
		if same.count > fold+1 {
			shown, folded = shown[:fold], true
		}
		for _, m := range shown {
			t.member(m)
		}
		if rest := same.count - len(shown); rest > 0 {
			t.add(cell{fmt.Sprintf("… and %d more", rest), faint}, cell{}, cell{string(shown[0].Outcome), faint}, cell{},
				cell{"for the same reason", faint})
		}
	}
	out.printf("\n")
	t.print(out, "")
	if s.rest > 0 {
		out.printf("and %d with reasons of their own\n", s.rest)
	}
	switch {
	case s.quiet > 0:
		out.printf("and %d that went well (fleetjoin report --all lists them)\n", s.quiet)
	case folded || s.rest > 0:
		out.printf("fleetjoin report --all lists them all\n")
	}
}

func (t *table) member(m membership.MemberReport) {
	reason := withCode(m.Code, m.Reason)
	if m.RequestID != "" {
		reason += " (request " + m.RequestID + ")"
	}
	t.add(text(m.ID), text(unlessSame(m.Name, m.ID)), cell{string(m.Outcome), colourOf(string(m.Outcome))}, text(m.Stage), text(reason))
	for _, o := range m.Also {
		t.add(cell{}, cell{}, cell{}, cell{}, text(o.String()))
	}
}

func wentWell(m membership.MemberReport) bool {
	return m.Code == "" && (m.Outcome == membership.Joined || m.Outcome == membership.Left ||
		m.Outcome == membership.Already)
}

// colourOf says how a place looks.
func colourOf(place string) paint {
	switch membership.Outcome(place) {
	case membership.Joined, membership.Left, membership.Already:
		return green
	case membership.Refused, membership.RolledBack, membership.Skipped, membership.AtParked:
		return yellow
	case membership.RollbackIncomplete, membership.Unknown:
		return red
	case membership.NotStarted:
		return faint
	}
	return plain
}
