// Package fleet is the domain of runs over many cohorts, told without any cloud and without Temporal: what a plan file
// says, how its members fall into waves and cohorts, how many failures it may have, and when it may run.
package fleet

import (
	"cmp"
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Plan is what a person asks for: the input of the Fleet workflow, and a documented JSON contract. A plan with one step
// may have the step's fields beside its own, without steps: so every membership.Request is a plan.
type Plan struct {
	Name      string `json:"name,omitempty"`      // for people
	Requester string `json:"requester,omitempty"` // who asks: gates do not let them vote. Required where there is one
	// WhenHeld says what to do about members that another run acts on: refuse them (also ""), or wait until it is done
	// with all of them.
	WhenHeld string `json:"whenHeld,omitempty"`
	Step
	Steps []Step `json:"steps,omitempty"` // in order; a step begins when the one before has ended well
	// Rollback has the place of the steps: it puts back what a run did that has ended.
	Rollback string `json:"rollback,omitempty"` // the key of the run's Archive in the store

	Canary   int       `json:"canary,omitempty"`  // so many members of each step go first, as a wave of their own; 0: none
	Waves    []Share   `json:"waves,omitempty"`   // how much of a step is done when each wave is, rising; none: everything at once
	Soak     Duration  `json:"soak,omitzero"`     // the rest between two waves of a step
	Budget   *Budget   `json:"budget,omitempty"`  // nil: failures stop nothing
	Windows  []Window  `json:"windows,omitempty"` // when members may be started on; none: always
	Pace     Pace      `json:"pace,omitzero"`
	Approval *Approval `json:"approval,omitempty"` // nil: only destructive steps have one
}

// The values of Plan.WhenHeld.
const (
	WhenHeldRefuse = "refuse"
	WhenHeldWait   = "wait"
)

// Step is one kind of membership for one set of members.
type Step struct {
	Operation membership.Operation `json:"operation,omitempty"` // join (also "") or leave
	Kind      string               `json:"kind,omitempty"`
	Account   string               `json:"account,omitempty"`
	Params    membership.Params    `json:"params,omitempty"`
	// Group and Members, or Groups, or Targets say who goes where. Spread takes the place of Group.
	Group   string       `json:"group,omitempty"`
	Members []string     `json:"members,omitempty"`
	Groups  []Assignment `json:"groups,omitempty"`
	Targets *Targets     `json:"targets,omitempty"`
	Spread  *Spread      `json:"spread,omitempty"`
	// From is the group that the members leave as they join another: they are moved. "": they leave none.
	From string `json:"from,omitempty"`
}

// Assignment is a group and who is to be in it.
type Assignment struct {
	Group   string   `json:"group"`
	Members []string `json:"members"`
}

// Targets name members by where to find them: in a file or in the cloud.
type Targets struct {
	// File is a list in the worker's folder of target files: CSV, YAML, JSON or a state of Terraform, by its ending. Lines without a group of
	// their own go to the step's Group.
	File   string `json:"file,omitempty"`
	SHA256 string `json:"sha256,omitempty"` // pins the file's content, in hex; "": as it is when the run begins
	// Address says which resources of a file with a state of Terraform are the members; "": all instances of the step's
	// cloud. It may name one of several, a resource with all its instances or a module, and * stands for anything.
	Address string `json:"address,omitempty"`
	// Cloud finds them in the step's account, by what they have in common. They are found once, when the run begins, and
	// kept in its manifest: who comes to match later is not in the run, and who matches no more still is.
	Cloud *membership.Query `json:"cloud,omitempty"`
}

// Pace says how much happens at once.
type Pace struct {
	Cohorts int `json:"cohorts,omitempty"` // cohorts in flight; 0: DefaultCohorts
	Members int `json:"members,omitempty"` // most members of a cohort; 0: as many as the kind takes
}

// MostAtOnce is how many cohorts may be in flight.
func (p Pace) MostAtOnce() int { return cmp.Or(p.Cohorts, DefaultCohorts) }

// Admit returns how many of the members that are left of a page go into the next cohort, 0 while none may: as many as the
// budget has room for, when fewer cohorts are in flight than the pace allows.
func (p Pace) Admit(l *Ledger, inFlight, left int) int {
	if inFlight >= p.MostAtOnce() {
		return 0
	}
	if p.Members > 0 {
		left = min(left, p.Members)
	}
	return min(l.Room(), left) // a page is no longer than the kind takes
}

// Overshoot is how many members may fail beyond a budget that is not strict, in a wave of so many whose cohorts have at most
// as many as the kind takes: all that may be in flight with the one that spends it.
func (p Pace) Overshoot(b *Budget, members, limit int) int {
	if !b.Loose() {
		return 0
	}
	if p.Members > 0 {
		limit = min(limit, p.Members)
	}
	return max(min(members, p.MostAtOnce()*limit)-1, 0)
}

// DefaultCohorts are as many as one worker of two cores serves well.
const DefaultCohorts = 10

// Approval is what a plan says about its gates.
type Approval struct {
	membership.Approval
	// EachWave asks before every wave; else only before the first of each step.
	EachWave bool `json:"eachWave,omitempty"`
}

// Duration is written as in Go, such as "10m".
type Duration = membership.Duration

// SetOperation makes a plan of one step that of an operation, and returns what stands in the way.
func (p *Plan) SetOperation(op membership.Operation) []membership.Problem {
	switch {
	case len(p.Steps) > 0:
		return []membership.Problem{{Field: "steps", Value: fmt.Sprintf("%d steps", len(p.Steps)),
			Want: fmt.Sprintf("want the fields of a single step, whose members %s; start Fleet for a plan with steps", op)}}
	case p.Operation != "" && p.Operation != op:
		return []membership.Problem{{Field: "operation", Value: membership.Quote(string(p.Operation)),
			Want: fmt.Sprintf("want %q, or leave it out", op)}}
	}
	p.Operation = op
	return nil
}
