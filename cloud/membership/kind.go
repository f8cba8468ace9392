// Package membership is the domain: what it means to move members into a group, told without any cloud and without
// Temporal. A kind turns what it observes into a Program, which is data; the engine walks members through the
// program's stages; the kind decides, from fresh observations alone, what each member needs next.
package membership

import (
	"context"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// Kind is one way to be a member. Its methods are pure, except Open and what Open returns.
type Kind interface {
	// Spec describes the kind: what operators read and what the engine must respect.
	Spec() Spec
	// Validate returns everything that is wrong with a request of this kind, before any cloud is asked. What holds for
	// all kinds has been checked already (Request.Problems).
	Validate(Request) []Problem
	// Cost says what the way forward of a member of a target costs when all goes well. Of one that is not due only Plan counts.
	// Nothing of it is in a Program: an estimate is not what people approve, and it may become better while runs are
	// under way.
	Cost(Target, *Member) Cost
	// Open prepares the I/O for one target. It reaches no network. The session belongs to one activity attempt and is
	// used by one goroutine at a time, except that Do may be called concurrently.
	Open(context.Context, Target) (Session, error)
}

// Target is what a session acts on: a request without its members.
type Target struct {
	Operation Operation
	Account   string
	Group     string
	From      string // see Request
	Params    Params
	// Program is the one under way; nil while it is being planned. A session may look there for what was before and for
	// the digest, which names what a run makes, such as backups.
	Program *Program
}

// Session is the I/O of a kind for one target.
type Session interface {
	// Observe reads, now, the group and the members (and the jobs, by id) it is asked for. It changes nothing. An error
	// means that nothing can be said about any of them; a member that does not exist is an observation, not an error.
	Observe(context.Context, Look) (Observation, error)
	// Do sends one write for some members, at most Action.Batch of them. It is only called with an action that the
	// kind's own Decide asked for, on an observation a moment old. Its error is a *verdict.Error and holds for all of
	// them; what the cloud refused for single ones is in Sent.Refused.
	Do(ctx context.Context, action string, members []*Member) (Sent, error)
	// Find yields every member that the query matches, each once and in no particular order, while it reads page after
	// page: its memory does not grow with their number. An error of yield ends the reading and comes back as it is. A
	// group of the query that does not exist is a *BadInput; that nobody matches is none.
	Find(ctx context.Context, q Query, yield func(Found) error) error
	// Room reads how many more members the groups take: whom they have no room for is refused by the engine, over a whole
	// plan, and not by Compile; NoRoomTold where the cloud has no limit, or tells none. A group
	// that does not exist is a *BadInput that names it.
	Room(ctx context.Context, groups []string) (Room, error)
}

// Look says what to observe. Thorough asks for what only planning needs, such as the groups the member is not to be in.
type Look struct {
	Members  []string
	Jobs     map[string][]string // by job id, the members whose last write started it
	Thorough bool
}

// Sent is what the cloud answered to an accepted write.
type Sent struct {
	Job     string                    // the asynchronous job that was started, "" when the API has none
	Refused map[string]*verdict.Error // by member id: those the cloud refused although it accepted the call
}

// Observation is what the cloud said at one moment. Its methods are pure: same observation, same answers.
type Observation interface {
	// Compile makes the program of a request: who is refused and why (every objection at once), who already is what
	// they should be, what was before, and the stages. It fills in everything but what Program.Seal does.
	Compile(Request, Operation) Program
	// Decide says what one member needs at one stage. It decides from the observation alone: a stage's own past
	// (Moment.Sends) may make it more careful, never bolder.
	Decide(Moment) Decision
}

// Moment is where a member stands when a decision is due.
type Moment struct {
	Program *Program
	Member  *Member
	Stage   *Stage
	Undo    bool          // the stage is being undone
	In      time.Duration // how long the member has been at this stage, or at its undo
	Sends   int           // how many writes of this stage may have reached the cloud for this member
	Job     string        // the job that the last accepted write started, "" when there is none or it was lost
}

// Spec describes a kind.
type Spec struct {
	ID          string                `json:"kind"` // such as "huawei.servergroup"
	Title       string                `json:"title"`
	Provider    string                `json:"provider"`              // huawei or alibaba
	Revision    int                   `json:"revision"`              // raised whenever the same observation compiles to another program
	Destructive string                `json:"destructive,omitempty"` // when data of members is lost: "" never, else "always" or the params with which
	PageLimit   int                   `json:"pageLimit"`             // most members in one cohort, 1 to MaxMembers
	Finds       string                `json:"finds"`                 // who can be found, and who is in a group
	Moves       string                `json:"moves,omitempty"`       // how members move from one group to another; "": they do not
	Room        string                `json:"room"`                  // how many more members a group takes
	Params      []ParamSpec           `json:"params"`                // of what its parameters declare, see Params.Read
	Stages      map[Operation][]Stage `json:"stages"`
	Actions     map[string]Action     `json:"actions"`
	Objections  []Objection           `json:"objections"` // every code that Compile can refuse with, and what it means
	Failures    []Objection           `json:"failures"`   // every code that Decide can fail or park with
	Permissions []string              `json:"permissions"`
	Source      []string              `json:"source"` // the API pages that it rests on
}

// Action is one write of a kind.
type Action struct {
	Call  string `json:"call"`  // the API action behind it
	Batch int    `json:"batch"` // most members in one call, at least 1
	// Prompt: the effect shows when the call returns, so looking again at once is worth it.
	Prompt bool `json:"prompt"`
}
