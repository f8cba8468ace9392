package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// person is what somebody said: a vote or a control.
type person struct {
	N       int
	At      time.Time
	What    string
	By      string
	Note    string // why, in their words
	Detail  string // what exactly
	Refused string // why it did not count
	Digest  string // what a vote was for
	Signed  bool
}

func (p person) String() string {
	text := fmt.Sprintf("%s %s, %s", p.By, p.What, clock(p.At))
	if p.Note != "" {
		text += ": " + p.Note
	}
	if p.Refused != "" {
		text += " (did not count: " + p.Refused + ")"
	}
	return text
}

// people lists what was said in the order in which it was.
func people(r fleet.Report) (all []person) {
	for _, v := range r.Votes {
		what := "approved"
		if !v.Approves {
			what = "rejected"
		}
		all = append(all, person{At: v.At, What: what, By: v.By, Note: v.Reason, Refused: v.Refused, Digest: v.Digest,
			Signed: v.Signature != ""})
	}
	for _, s := range r.Controls {
		if s.What != membership.ControlApprove && s.What != membership.ControlReject { // those are votes
			all = append(all, person{At: s.At, What: past(s.What), By: s.Control.By, Note: s.Control.Reason, Detail: Detail(r, s.Control),
				Refused: s.Refused})
		}
	}
	slices.SortStableFunc(all, func(a, b person) int { return a.At.Compare(b.At) })
	for i := range all {
		all[i].N, all[i].By = i+1, cmp.Or(all[i].By, "somebody")
	}
	return all
}

// past puts a control into the past.
func past(what string) string {
	switch what {
	case membership.ControlPause, membership.ControlResume, fleet.ControlChange:
		return strings.TrimSuffix(what, "e") + "ed"
	case membership.ControlAbort:
		return "aborted"
	case membership.ControlRetry:
		return "had members tried again"
	case membership.ControlSkip:
		return "took members out"
	case membership.ControlMarkDone:
		return "vouched for members"
	}
	return what
}

// Detail is what exactly a control said to a fleet, but for why.
func Detail(r fleet.Report, c fleet.Control) string {
	var parts []string
	if c.Wave > 0 {
		parts = append(parts, waveNumbered(r, c.Wave))
	}
	if c.Then != "" {
		parts = append(parts, "then "+words(c.Then))
	}
	if c.Cohorts > 0 {
		parts = append(parts, count(c.Cohorts, "cohort")+" at once")
	}
	if c.Budget != nil {
		parts = append(parts, allowance(c.Budget))
	}
	switch n := len(c.Members); {
	case n == 1:
		parts = append(parts, c.Members[0])
	case n > 1:
		parts = append(parts, count(n, "member"))
	}
	return strings.Join(parts, "; ")
}

// waveNumbered names a wave by its number in its step. A control does not say at which step it came; where they call their
// waves differently, the number is all there is.
func waveNumbered(r fleet.Report, n int) (name string) {
	for _, s := range r.Steps {
		switch {
		case n > len(s.Waves):
		case name == "" || name == s.Waves[n-1].Name:
			name = s.Waves[n-1].Name
		default:
			return fmt.Sprintf("wave number %d", n)
		}
	}
	return cmp.Or(name, fmt.Sprintf("wave number %d", n))
}
