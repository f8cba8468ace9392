package fleet

import (
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Manifest is everybody that a plan is about, in the order in which they are started: by step, wave and page. It is kept
// in the store of the workers and never changes; runs carry its key.
type Manifest struct {
	// Plan is what people wrote, but for the steps: what holds for all of them, such as the budget.
	Plan  Plan        `json:"plan"`
	Steps []PagedStep `json:"steps"`
}

// PagedStep is a step without its members, and where they are.
type PagedStep struct {
	Step
	Waves [][]PageRef `json:"waves"`
}

// PageRef is where a page is.
type PageRef struct {
	Key   string `json:"key"` // of a Page
	Group string `json:"group"`
	Count int    `json:"count"`
}

// Page is some members for one group: as many as one cohort takes, or fewer.
type Page struct {
	Group   string   `json:"group"`
	Members []string `json:"members"`
}

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
	Waves     []SurveyedWave       `json:"waves"`
}

// SurveyedWave is one wave of a Survey.
type SurveyedWave struct {
	Name    string `json:"name"`
	Members int    `json:"members"`
	Pages   []int  `json:"pages"` // how many members each has
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

// Sight is what a preview saw of a page: what people decide on.
type Sight struct {
	Destructive bool                `json:"destructive,omitempty"`
	Warnings    []string            `json:"warnings,omitempty"`
	Members     []membership.Member `json:"members"`
	Stages      []membership.Stage  `json:"stages,omitempty"` // that those to be moved go through
}

// Seen is the short of a Sight: what a run must know of it.
type Seen struct {
	Key         string `json:"key"` // of the Sight
	Destructive bool   `json:"destructive,omitempty"`
	Due         int    `json:"due"`
	Already     int    `json:"already"`
	Refused     int    `json:"refused"`
}

// Record is what is kept of a cohort when it has ended: the truth about it, and what is needed to undo it.
type Record struct {
	Input   PageInput          `json:"input"`
	Report  membership.Report  `json:"report"`
	Program membership.Program `json:"program"`
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

// Report is the truth about a fleet that has ended: the result of the Fleet workflow, or the details of the error with
// which it failed or was cancelled. What became of every single member is in the parts' records.
type Report struct {
	Name     string                     `json:"name,omitempty"`
	Outcome  membership.RunOutcome      `json:"outcome"`
	Counts   map[membership.Outcome]int `json:"counts"`
	Steps    []StepReport               `json:"steps"`
	Votes    []membership.Vote          `json:"votes,omitempty"`
	Controls []Said                     `json:"controls,omitempty"`
	Why      string                     `json:"why,omitempty"`     // why it ended early
	Archive  string                     `json:"archive,omitempty"` // the key of the run's Archive in the store
	Started  time.Time                  `json:"started"`
	Ended    time.Time                  `json:"ended"`
	// Members is what became of each, in the order of the manifest, when there are at most MostReported; of more the
	// records tell, which the Archive leads to.
	Members []membership.MemberReport `json:"members,omitempty"`
}

// MostReported is how many members a Report tells of one by one.
const MostReported = membership.MaxMembers

// StepReport is how one step ended.
type StepReport struct {
	SurveyedStep
	Counts map[membership.Outcome]int `json:"counts"`
}

// Said is what somebody told a run to do.
type Said struct {
	At      time.Time `json:"at"`
	What    string    `json:"what"`
	Control Control   `json:"control"`
	Refused string    `json:"refused,omitempty"` // why it was not done
}

// Control is the payload of every control of a fleet: what it says to cohorts, and more.
type Control struct {
	membership.Control
	// Then says what becomes of what an abort finds: "finish": cohorts in flight end as they would; "put-back" (also ""):
	// members that are half-way are put back; or a Then: those that joined are, too.
	Then Then `json:"then,omitempty"`
	// Wave is the number, from 1, of a wave of the present step: of its failed members retry, skip and mark-done take those
	// named, or all. 0: of all waves.
	Wave int `json:"wave,omitempty"`
	// Cohorts and Budget change the pace and the failure budget.
	Cohorts int     `json:"cohorts,omitempty"`
	Budget  *Budget `json:"budget,omitempty"`
}

// ControlChange is the control that changes a run's pace and budget. The others are those of package membership.
const ControlChange = "change"

// More values of Then, for an abort.
const (
	ThenFinish  Then = "finish"
	ThenPutBack Then = "put-back"
)

// Archive is all that is known of a fleet that has ended, by keys: it outlives Temporal's retention, and since every
// key is a hash of what it leads to, the key of an Archive vouches for the whole.
type Archive struct {
	Plan     Plan     `json:"plan"`
	Manifest string   `json:"manifest"`
	Report   Report   `json:"report"`
	Seen     [][]Seen `json:"seen,omitempty"` // by step
	Parts    []Part   `json:"parts"`          // in the order in which they ended
	Release  string   `json:"release"`        // of the worker that kept it
}

// Status answers the status query of a fleet. It stays small however many members there are.
type Status struct {
	Name     string                     `json:"name,omitempty"`
	Phase    membership.Phase           `json:"phase"`
	Why      string                     `json:"why,omitempty"` // why it is in that phase, for people
	Step     int                        `json:"step"`          // from 1, as people count
	Steps    int                        `json:"steps"`
	Wave     string                     `json:"wave,omitempty"`
	Members  int                        `json:"members"`            // of all steps
	Manifest string                     `json:"manifest,omitempty"` // its key, once the members are found
	InFlight int                        `json:"inFlight"`           // members of cohorts under way
	Cohorts  []string                   `json:"cohorts"`            // their workflow ids
	Counts   map[membership.Outcome]int `json:"counts"`             // of those that have ended
	Waves    []WaveStatus               `json:"waves"`              // of the present step
	Budget   string                     `json:"budget,omitempty"`
	Pace     int                        `json:"pace"`          // most cohorts at once
	Next     time.Time                  `json:"next,omitzero"` // when it goes on: a soak ends, a window opens
	Gate     *membership.Gate           `json:"gate,omitempty"`
	Digest   string                     `json:"digest,omitempty"` // what the gate's votes must name
	Votes    []membership.Vote          `json:"votes,omitempty"`
	Failed   []FailedMember             `json:"failed,omitempty"`   // the latest, at most MostFailed
	Warnings []string                   `json:"warnings,omitempty"` // those of the Survey
}

// WaveStatus is how far a wave is.
type WaveStatus struct {
	Name    string `json:"name"`
	Members int    `json:"members"`
	Ended   int    `json:"ended"`
	Failed  int    `json:"failed"`
}

// FailedMember is a member that failed, in short.
type FailedMember struct {
	ID      string             `json:"id"`
	Outcome membership.Outcome `json:"outcome"`
	Code    string             `json:"code"`
	Reason  string             `json:"reason"`
}

// MostFailed is how many failed members a Status names.
const MostFailed = 10
