package fleet

import (
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// What the Fleet workflow, its cohorts and their activities say to each other.

// Survey is what a run must know of its manifest: how many there are, and not who.
type Survey struct {
	Manifest string         `json:"manifest"` // its key
	Run      string         `json:"run"`      // in which the survey was made; what people approve in one run is not approved in another
	Steps    []SurveyedStep `json:"steps"`
	// Warnings are for people, who may want to know before anything starts: whom other runs hold now.
	Warnings []string `json:"warnings,omitempty"`
	// Done are the parts of the run that is to be rolled back, Seen what was seen before it, and Destructive says that it
	// destroyed data, which is not put back without people who decide on it.
	Done        []Part   `json:"done,omitempty"`
	Seen        [][]Seen `json:"seen,omitempty"`
	Destructive bool     `json:"destructive,omitempty"`
}

// SurveyedStep is one step of a Survey.
type SurveyedStep struct {
	Operation membership.Operation `json:"operation"`
	Kind      string               `json:"kind"`
	Account   string               `json:"account"`
	Groups    int                  `json:"groups"`            // how many
	Group     string               `json:"group"`             // the first
	Members   int                  `json:"members"`           // how many
	Preview   bool                 `json:"preview,omitempty"` // people decide on it, or may have to: it is looked at before
	Scarce    bool                 `json:"scarce,omitempty"`  // its groups may have no room for all: it is looked at before, too
	Read      string               `json:"read,omitempty"`    // what its list was taken for, for people; "": it has no list
	Waves     []Wave               `json:"waves"`
}

// PageInput names members of a manifest: those of a page from From on, before To.
type PageInput struct {
	Manifest string `json:"manifest"`
	Step     int    `json:"step"`
	Wave     int    `json:"wave"`
	Page     int    `json:"page"`
	From     int    `json:"from"`
	To       int    `json:"to"`
	// Seen is the key of what people saw before they said yes, "" when nobody had to; see Sight. Who has changed since is
	// not touched.
	Seen string `json:"seen,omitempty"`
	// Again says that this is not the first time; nil when it is.
	Again *Again `json:"again,omitempty"`
}

// Again takes up members of a cohort that has ended.
type Again struct {
	// Record is the key of its Record. When it ended without one, Cohort is its workflow id, and the members are all that
	// it had.
	Record string `json:"record,omitempty"`
	Cohort string `json:"cohort,omitempty"`
	Undo   bool   `json:"undo,omitempty"` // put them back; else try them again
	// Still: only those that are as the record left them are put back. What a run did that has ended may be done with since.
	Still bool `json:"still,omitempty"`
	// Members are those that are meant; none: all that have one of the Outcomes in the record, or one of those in Was.
	Members  []string             `json:"members,omitempty"`
	Outcomes []membership.Outcome `json:"outcomes,omitempty"`
	// Was counts them by what they had come to.
	Was map[membership.Outcome]int `json:"was,omitempty"`
}

// Chosen are the outcomes by which members are meant that are not named.
func (a Again) Chosen() (outcomes []membership.Outcome) {
	if len(a.Outcomes) > 0 {
		return a.Outcomes
	}
	for _, o := range membership.Outcomes() {
		if a.Was[o] > 0 {
			outcomes = append(outcomes, o)
		}
	}
	return outcomes
}

// Of returns the ids of those that are meant, of a report that is the record's.
func (a Again) Of(r membership.Report) (ids []string) {
	chosen := a.Chosen()
	for _, m := range r.Members {
		if len(a.Members) == 0 && slices.Contains(chosen, m.Outcome) || slices.Contains(a.Members, m.ID) {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// Seen is the short of a Sight: what a run must know of it.
type Seen struct {
	Key         string `json:"key"` // of the Sight
	Destructive bool   `json:"destructive,omitempty"`
	Due         int    `json:"due"`
	Already     int    `json:"already"`
	Refused     int    `json:"refused"`
}

// Part is the short of a Record: what a run remembers of a cohort.
type Part struct {
	Record string                     `json:"record,omitempty"` // its key; "" when the cohort ended without one
	Cohort string                     `json:"cohort"`           // its workflow id
	Input  PageInput                  `json:"input"`
	Counts map[membership.Outcome]int `json:"counts"`
	Worst  []FailedMember             `json:"worst,omitempty"` // those that failed
	Error  string                     `json:"error,omitempty"` // why it ended without a record
	Code   string                     `json:"code,omitempty"`  // and its code, that of all its members
	// Started and Ended are those of the record; zero when there is none.
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
}

// Tally counts the members of parts by what became of them in the end.
func Tally(parts []Part) map[membership.Outcome]int {
	counts := make(map[membership.Outcome]int)
	for _, p := range parts {
		p.Score(counts)
	}
	return counts
}

// Score adds what became of the part's members to counts. It goes before what was counted of them in an earlier part.
func (p Part) Score(counts map[membership.Outcome]int) {
	for _, o := range membership.Outcomes() {
		counts[o] += p.Counts[o]
		if p.Input.Again != nil {
			counts[o] -= p.Input.Again.Was[o]
		}
		if counts[o] == 0 {
			delete(counts, o)
		}
	}
}

// Members is how many members the cohort had.
func (p Part) Members() (n int) {
	for _, o := range membership.Outcomes() {
		n += p.Counts[o]
	}
	return n
}

// Failed is how many of them count against the budget.
func (p Part) Failed() int {
	return p.Counts[membership.RolledBack] + p.Counts[membership.RollbackIncomplete] + p.Counts[membership.Unknown]
}
