package membership

import (
	"fmt"
	"strings"
	"time"
)

// Outcome is how a member's story ended.
type Outcome string

const (
	Joined             Outcome = "joined"              // a member now, as it ran before
	Left               Outcome = "left"                // of a Leave: no member any more
	Already            Outcome = "already"             // was so before; nothing was done
	Refused            Outcome = "refused"             // a precondition does not hold; nothing was done
	RolledBack         Outcome = "rolled-back"         // failed, and everything is as it was
	RollbackIncomplete Outcome = "rollback-incomplete" // failed, and not everything could be put back
	Unknown            Outcome = "unknown"             // the evidence does not tell; a person must look
	Skipped            Outcome = "skipped"             // a person took it out; it is left as it stands
	NotStarted         Outcome = "not-started"         // the run ended before its turn; nothing was done
)

// Outcomes lists every outcome in the order in which reports show them.
func Outcomes() []Outcome {
	return []Outcome{Joined, Left, Already, Refused, RolledBack, RollbackIncomplete, Unknown, Skipped, NotStarted}
}

// Report is the truth about a cohort that has ended.
type Report struct {
	Kind      string          `json:"kind"`
	Operation Operation       `json:"operation"`
	Account   string          `json:"account"`
	Group     string          `json:"group"`
	Outcome   RunOutcome      `json:"outcome"`
	Counts    map[Outcome]int `json:"counts"`
	Members   []MemberReport  `json:"members"`
	Warnings  []string        `json:"warnings,omitempty"`
	Digest    string          `json:"digest"`
	Started   time.Time       `json:"started"`
	Ended     time.Time       `json:"ended"`
}

// MemberReport is one member's truth.
type MemberReport struct {
	ID        string            `json:"id"`
	Name      string            `json:"name,omitempty"`
	Outcome   Outcome           `json:"outcome"`
	Stage     string            `json:"stage,omitempty"` // where it failed or waits
	Code      string            `json:"code,omitempty"`
	Reason    string            `json:"reason,omitempty"`
	Also      []Objection       `json:"also,omitempty"` // further objections, or what failed in the rollback
	RequestID string            `json:"requestId,omitempty"`
	Before    map[string]string `json:"before,omitempty"`
	Host      string            `json:"host,omitempty"` // on which it was seen in the end, where the cloud tells
}

// RunOutcome is how a run as a whole ended.
type RunOutcome string

const (
	RunSucceeded  RunOutcome = "succeeded"           // all members joined, left or already were so
	RunPartial    RunOutcome = "partial"             // some joined, left or were skipped; others were refused, not started or rolled back
	RunRefused    RunOutcome = "refused"             // nothing was done: members were refused or not started
	RunCancelled  RunOutcome = "cancelled"           // stopped by a person; no member is half-way
	RunRolledBack RunOutcome = "rolled-back"         // some failed, and nothing that the run did is left: all is as it was
	RunIncomplete RunOutcome = "rollback-incomplete" // some are neither here nor there: a person must look
)

// Judge finds the outcome of a run from its members' outcomes.
func Judge(counts map[Outcome]int, cancelled bool) RunOutcome {
	switch {
	case counts[RollbackIncomplete] > 0 || counts[Unknown] > 0:
		return RunIncomplete
	case cancelled:
		return RunCancelled
	case counts[RolledBack]+counts[Refused]+counts[Skipped]+counts[NotStarted] == 0:
		return RunSucceeded
	case counts[Joined]+counts[Left]+counts[Skipped] > 0: // what a person skipped may be half-way
		return RunPartial
	case counts[RolledBack] > 0:
		return RunRolledBack
	default:
		return RunRefused
	}
}

// Tally renders the counts in the order of Outcomes, such as "12 joined, 3 refused".
func (r Report) Tally() string {
	var parts []string
	for _, o := range Outcomes() {
		if n := r.Counts[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return strings.Join(parts, ", ")
}

// Status is a cohort's answer to the `status` query: where each of its members is now.
type Status struct {
	Kind      string         `json:"kind"`
	Operation Operation      `json:"operation"`
	Account   string         `json:"account"`
	Group     string         `json:"group"`
	Phase     Phase          `json:"phase"`
	Digest    string         `json:"digest,omitempty"`
	Counts    map[string]int `json:"counts"` // by stage ("stop", "undo-add"), outcome or "parked"
	Members   []MemberStatus `json:"members"`
	Trouble   string         `json:"trouble,omitempty"` // why nothing moves, when the cloud cannot be read
}

// MemberStatus is where one member is.
type MemberStatus struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	At     string `json:"at"` // a stage, "undo-" and a stage, "parked" or an outcome
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// AtParked is where a member is that waits for a person.
const AtParked = "parked"

// Phase is what a run is doing: the value of its search attribute.
type Phase string

const (
	Planning Phase = "planning"
	Awaiting Phase = "awaiting-approval"
	Running  Phase = "running"
	Paused   Phase = "paused"
	Undoing  Phase = "undoing"        // stopped by a person, putting back what is under way
	Waiting  Phase = "needs-a-person" // all is done but for members that only a person can decide about
	Stopped  Phase = "stopped"        // a fleet: its failure budget is spent, and a person decides
	Resting  Phase = "resting"        // a fleet: it soaks between two waves, or no window is open
	Ended    Phase = "ended"
)
