package fleet

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// What a run says of itself: now and in the end.

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
