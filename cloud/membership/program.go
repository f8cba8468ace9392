package membership

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Program says what will be done, as data. It is made once a run, by the plan activity, and lives in the run's history:
// the interpreter reads stages, limits and timeouts from here and never from the code of a kind, so that a kind may
// change while runs are under way.
type Program struct {
	Kind        string    `json:"kind"`
	Revision    int       `json:"revision"`
	Operation   Operation `json:"operation"`
	Account     string    `json:"account"`
	Group       string    `json:"group"`
	From        string    `json:"from,omitempty"` // see Request
	Params      Params    `json:"params,omitempty"`
	Destructive bool      `json:"destructive,omitempty"` // what it does to members cannot be given back
	Made        time.Time `json:"made"`
	Quiet       int       `json:"quiet,omitempty"` // the second after Made before which nothing is sent, see Slice.Quiet
	Pace        Pace      `json:"pace"`
	Stages      []Stage   `json:"stages"`
	Lanes       []Lane    `json:"lanes"`
	UndoLanes   []Lane    `json:"undoLanes"`
	Members     []Member  `json:"members"`
	Warnings    []string  `json:"warnings,omitempty"` // what holds for the group, such as a policy that will apply late
	Digest      string    `json:"digest"`             // of everything above and the run, see Seal
}

// Pace says how fast an engine walks.
type Pace struct {
	Slice    Duration `json:"slice"`    // how long one activity runs
	Poll     Duration `json:"poll"`     // how often it looks while it waits
	Parallel int      `json:"parallel"` // most writes under way at once in one activity
}

// Stage is one step that every member takes.
type Stage struct {
	Name string `json:"name"` // such as "stop"
	Undo string `json:"undo,omitempty"`
	// Help says what happens here, in an operator's words.
	Help string `json:"help"`
	// Timeout is how long a member may be at the stage before it fails; UndoTimeout the same for its undo.
	Timeout     Duration `json:"timeout"`
	UndoTimeout Duration `json:"undoTimeout,omitempty"`
	// Settle covers the cloud's read lag: for so long after a write, its effect not showing proves nothing, and the
	// write is not sent again.
	Settle Duration `json:"settle"`
	// MaxSends bounds how often a write of this stage may reach the cloud for one member.
	MaxSends int  `json:"maxSends"`
	Risk     Risk `json:"risk"`
}

// Risk says what a stage can cost.
type Risk string

const (
	Harmless    Risk = "harmless"    // reads, or changes nothing that runs
	Disruptive  Risk = "disruptive"  // the member is off, or its traffic changes
	Destructive Risk = "destructive" // data is lost
)

// Lane is a run of consecutive stages that one activity walks.
type Lane struct {
	Name  string `json:"name"` // the activity type is "<kind>.<name>"
	First int    `json:"first"`
	Last  int    `json:"last"`
	// Early: the activity returns as soon as a member has left the lane, so that the member goes on at once.
	Early bool `json:"early,omitempty"`
}

// Member is one member in a program.
type Member struct {
	ID     string            `json:"id"`
	Name   string            `json:"name,omitempty"`
	Before map[string]string `json:"before,omitempty"` // the facts that undo restores and reports show
	// Origin is the digest of the program under which its story began, "" when that is this one: what was made then, such
	// as backups, has its name.
	Origin  string `json:"origin,omitempty"`
	Already bool   `json:"already,omitempty"`
	// Placed: it has its place in the group already, although there is still something to do, and takes no more room in it.
	Placed bool `json:"placed,omitempty"`
	// Places is how much room it takes in the group, where a group is full by something that a member may have several of,
	// such as private addresses. 0: one.
	Places int `json:"places,omitempty"`
	// Was is what it had come to before, when it is tried again: if nothing touches it, that is what it still is.
	Was     Outcome     `json:"was,omitempty"`
	Refused []Objection `json:"refused,omitempty"`
}

// Due reports whether the program does anything with the member.
func (m *Member) Due() bool { return !m.Already && len(m.Refused) == 0 }

// Takes is how many places the member takes in the group.
func (m *Member) Takes() int { return max(m.Places, 1) }

// Objection is one reason not to touch a member.
type Objection struct {
	Code   string `json:"code"`   // stable, such as "not-kvm"
	Reason string `json:"reason"` // with the values that were seen
	// Group is the one that the member is in and should not be, when that is all that speaks against it; "": it is not.
	Group string `json:"group,omitempty"`
}

func (o Objection) String() string { return o.Code + ": " + o.Reason }

// ByName is the most members that are walked stage by stage, each stage an activity with the stage's own name. More
// than that and one activity walks them all: a tenth of the events, and nobody waits for another member's slice.
const ByName = 20

const (
	laneAdvance = "advance"
	laneUndo    = "undo"
	undoPrefix  = "undo-"
)

// Seal lays the stages into lanes, sets the pace and the digest. run identifies the run that the program is for: what
// people approve in one run is not approved in another.
func (p *Program) Seal(run string, made time.Time, pace Pace) error {
	p.Made, p.Pace = made.UTC().Truncate(time.Second), pace
	due := 0
	for i := range p.Members {
		if p.Members[i].Due() {
			due++
		}
	}
	p.Lanes, p.UndoLanes = lanes(p.Stages, due <= ByName)
	p.Digest = ""
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("program of %s: %w", p.Kind, err)
	}
	sum := sha256.Sum256(append(body, run...))
	p.Digest = "sha256:" + hex.EncodeToString(sum[:])
	return nil
}

func lanes(stages []Stage, byName bool) (forward, undo []Lane) {
	forward, undo = []Lane{}, []Lane{} // none is an empty list, also in JSON
	if !byName {
		all := Lane{First: 0, Last: len(stages) - 1}
		forward = append(forward, all)
		forward[0].Name = laneAdvance
		if slices.ContainsFunc(stages, func(s Stage) bool { return s.Undo != "" }) {
			undo = append(undo, all)
			undo[0].Name = laneUndo
		}
		return forward, undo
	}
	for i, s := range stages {
		forward = append(forward, Lane{Name: s.Name, First: i, Last: i, Early: true})
		if s.Undo != "" {
			undo = append(undo, Lane{Name: undoPrefix + s.Name, First: i, Last: i, Early: true})
		}
	}
	return forward, undo
}

// UndoFrom returns the stage to undo first for a member that got as far as the given stage: that stage, which counts as
// attempted, or the nearest before it that has an undo. ok is false when there is nothing to undo.
func (p *Program) UndoFrom(stage int) (at int, ok bool) {
	for at = min(stage, len(p.Stages)-1); at >= 0; at-- {
		if p.Stages[at].Undo != "" {
			return at, true
		}
	}
	return 0, false
}

// Settle is the longest that any stage's writes take to show, in whole seconds.
func (p *Program) Settle() int {
	var longest Duration
	for i := range p.Stages {
		longest = max(longest, p.Stages[i].Settle)
	}
	return int((longest.Std() + time.Second - 1) / time.Second)
}

// StageName names a stage, or its undo, for people.
func (p *Program) StageName(stage int, undo bool) string {
	name := p.Stages[stage].Name
	if undo {
		name = undoPrefix + name
	}
	return name
}

// Place names where a mark stands: a stage or its undo; "" for a mark that is neither.
func (p *Program) Place(mark byte) string {
	stage, undo, ok := StageOf(mark)
	if !ok || stage >= len(p.Stages) {
		return ""
	}
	return p.StageName(stage, undo)
}

// Places returns every place in the order of the story: the stages, then their undos, last first.
func (p *Program) Places() []string {
	var places []string
	for i := range p.Stages {
		places = append(places, p.StageName(i, false))
	}
	for i := len(p.Stages) - 1; i >= 0; i-- {
		if p.Stages[i].Undo != "" {
			places = append(places, p.StageName(i, true))
		}
	}
	return places
}

// Summary counts the marks by place, such as "stop 12, add 140".
func (p *Program) Summary(marks string) string {
	counts := make(map[string]int)
	for i := range len(marks) {
		counts[p.Place(marks[i])]++
	}
	var parts []string
	for _, place := range p.Places() {
		if n := counts[place]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", place, n))
		}
	}
	return strings.Join(parts, ", ")
}

// LaneActivities returns every activity type that runs of a kind may schedule once they are planned.
func LaneActivities(s Spec) []string {
	var names []string
	seen := map[string]bool{}
	for _, op := range []Operation{Join, Leave} {
		for _, byName := range []bool{true, false} {
			f, u := lanes(s.Stages[op], byName)
			for _, l := range append(f, u...) {
				if name := LaneActivity(s.ID, l); !seen[name] {
					seen[name] = true
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// PlanActivity is the type of the activity that makes programs. It is one for all kinds, so that a kind nobody knows is
// answered with the kinds there are, and not with an activity that no worker will ever take.
const PlanActivity = "fleetjoin.plan"

// LaneActivity is the type of the activity that walks a lane of a kind's program.
func LaneActivity(kind string, l Lane) string { return kind + "." + l.Name }

// Duration is a time.Duration that reads and writes as "10s".
type Duration time.Duration

// MarshalText renders the duration in Go's notation.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText accepts Go's notation, such as "1m30s".
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		// Of this type because encoding/json adds the field's name to it, and to no other.
		return &json.UnmarshalTypeError{Value: "string " + Quote(string(text)), Type: reflect.TypeFor[Duration]()}
	}
	*d = Duration(v)
	return nil
}

// Std returns the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }
