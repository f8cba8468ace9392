package fleet

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Preview is what a plan would do if it began now: the result of the Preview workflow, and a documented JSON contract.
// It stays small however many members there are; what was seen of each is in the sights.
type Preview struct {
	Name     string        `json:"name,omitempty"`
	Made     time.Time     `json:"made"`
	Steps    []PreviewStep `json:"steps"`
	Warnings []string      `json:"warnings,omitempty"` // those of the Survey
	Openings []Opening     `json:"openings,omitempty"` // the next ones of the plan's windows; none: it has no windows
	Manifest string        `json:"manifest"`           // its key
	// DurationSeconds is that of all steps; 0: some kind does not say what it costs. See Expected.
	DurationSeconds int `json:"durationSeconds,omitempty"`
}

// Foreseen is what would become of some members.
type Foreseen struct {
	Members int `json:"members"`
	Due     int `json:"due"` // with whom something would be done
	Already int `json:"already"`
	Refused int `json:"refused"`
}

// PreviewStep is one step of a Preview.
type PreviewStep struct {
	Operation membership.Operation `json:"operation"`
	Kind      string               `json:"kind"`
	Account   string               `json:"account"`
	Read      string               `json:"read,omitempty"` // what its list was taken for, for people; "": it has no list
	Foreseen
	Groups      []PreviewGroup `json:"groups"` // who goes where, in the order in which they are begun; the first MostGroups
	AllGroups   int            `json:"allGroups"`
	Waves       []PreviewWave  `json:"waves"`
	Refusals    []Refusal      `json:"refusals,omitempty"`    // the most frequent first
	Destructive bool           `json:"destructive,omitempty"` // what it does to members cannot be given back
	// Stages are those that each member to be moved goes through, by the first that was seen.
	Stages   []membership.Stage `json:"stages,omitempty"`
	Warnings []string           `json:"warnings,omitempty"` // each once, at most MostWarnings
	Budget   string             `json:"budget,omitempty"`   // in words; "": any number may fail
	// Gate is what people would have to decide before the first wave, or before each with EachWave; nil: nothing.
	Gate     *membership.Gate `json:"gate,omitempty"`
	EachWave bool             `json:"eachWave,omitempty"`
	Expected *Expected        `json:"expected,omitempty"` // nil: the kind does not say what it costs
}

// PreviewGroup is a group of a PreviewStep.
type PreviewGroup struct {
	Group string `json:"group"`
	Foreseen
}

// PreviewWave is a wave of a PreviewStep.
type PreviewWave struct {
	Name string `json:"name"`
	Foreseen
	DurationSeconds int           `json:"durationSeconds,omitempty"` // of Expected, without the soak after it
	Pages           []PreviewPage `json:"pages"`
}

// PreviewPage is where to find what was seen of a page.
type PreviewPage struct {
	Group string `json:"group"`
	Sight string `json:"sight"` // the key of a Sight
}

// Refusal is a reason for which members are refused. Who is refused for several reasons counts for each.
type Refusal struct {
	Code     string    `json:"code"`
	Members  int       `json:"members"`
	Examples []Example `json:"examples"` // the first MostExamples
}

// Example is a member that is refused.
type Example struct {
	Member string `json:"member"`
	Reason string `json:"reason"`
}

// What a Preview names of a step at most.
const (
	MostGroups   = 1000
	MostWarnings = 20
	MostExamples = 10
)

// Foresee tells what was seen of some members.
func Foresee(members []membership.Member) (f Foreseen) {
	f.Members = len(members)
	for i := range members {
		switch m := &members[i]; {
		case len(m.Refused) > 0:
			f.Refused++
		case m.Already:
			f.Already++
		default:
			f.Due++
		}
	}
	return f
}

// Add adds other members to some.
func (f *Foreseen) Add(other Foreseen) {
	f.Members += other.Members
	f.Due += other.Due
	f.Already += other.Already
	f.Refused += other.Refused
}
