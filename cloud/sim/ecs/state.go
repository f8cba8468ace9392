package ecs

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// server is one machine: what the world file says about it, and how it changed since. There is no goroutine or
// timer per server; what it looks like at a moment is computed from its versions when somebody asks.
type server struct {
	world.Server           // Status, Group, Placed and OSGeneration are those of its birth
	Ops          int       `json:"ops,omitempty"` // operations accepted so far; varies the random draws
	Versions     []version `json:"versions"`      // oldest first; never empty; older ones only as the read lag needs them
}

// version is a server's state from a moment on, until the next version.
type version struct {
	Since        time.Time  `json:"since,omitzero"`
	Status       string     `json:"status"`
	Group        string     `json:"group,omitempty"`
	Placed       bool       `json:"placed,omitempty"` // an add chose the host
	OSGeneration int        `json:"osGeneration"`
	Image        string     `json:"image,omitempty"`  // id
	Tags         []string   `json:"tags,omitempty"`   // "key=value"
	Member       int64      `json:"member,omitempty"` // orders the members of a group
	Op           *operation `json:"op,omitempty"`
}

// The kinds of operation.
const (
	opStop   = "stop"
	opStart  = "start"
	opReboot = "reboot"
	opAdd    = "add"
	opRemove = "remove"

	opReinstall = "reinstall" // another service installs the system anew
)

// operation is a transition in progress, or one whose end nobody has looked at yet.
type operation struct {
	Kind    string    `json:"kind"`
	Group   string    `json:"group,omitempty"` // of add
	Member  int64     `json:"member,omitempty"`
	Until   time.Time `json:"until,omitzero"`  // zero: it never ends
	Shown   string    `json:"shown,omitempty"` // of reboot: the status meanwhile
	Code    string    `json:"code,omitempty"`  // how it fails; empty: it does not
	Message string    `json:"message,omitempty"`
}

func (o *operation) over(t time.Time) bool { return !o.Until.IsZero() && !t.Before(o.Until) }

// at returns the server's state at t: a version without an Op is at rest.
func (s *server) at(t time.Time) version {
	i := len(s.Versions) - 1
	for i > 0 && s.Versions[i].Since.After(t) {
		i--
	}
	v := s.Versions[i]
	op := v.Op
	if op == nil || !op.over(t) {
		return v
	}
	v.Op = nil
	if op.Kind == opReboot {
		v.Status = "ACTIVE" // one that failed, too: it was not rebooted
	}
	if op.Code != "" {
		return v
	}
	switch op.Kind {
	case opStop:
		v.Status = "SHUTOFF"
	case opStart:
		v.Status = "ACTIVE"
	case opAdd:
		v.Group, v.Placed, v.Member = op.Group, true, op.Member
	case opRemove:
		v.Group, v.Placed = "", false
	case opReinstall:
		v.Status = "ACTIVE"
	}
	return v
}

// set makes v the state from now on and forgets versions that no read can see any more.
func (s *server) set(v version, now, oldestRead time.Time) {
	v.Since = now
	s.Versions = append(s.Versions, v)
	i := len(s.Versions) - 1
	for i > 0 && s.Versions[i].Since.After(oldestRead) {
		i--
	}
	s.Versions = slices.Delete(s.Versions, 0, i)
}

func (v version) taskState() string {
	if v.Op != nil {
		switch v.Op.Kind {
		case opStop:
			return "powering-off"
		case opStart:
			return "powering-on"
		case opReboot:
			return strings.ToLower(v.Status) + "ing" // of REBOOT and HARD_REBOOT
		case opReinstall:
			return "rebuilding"
		}
	}
	return "" // joining and leaving a group show no task (H3)
}

// group is a server group. Who is a member is the servers' own knowledge.
type group struct {
	world.Group
	Created time.Time `json:"created,omitzero"` // zero: it was always there
	Deleted time.Time `json:"deleted,omitzero"` // zero: it still is

	servers map[string]*server // every member, now or within the read lag, and perhaps some that left
}

func (g *group) existsAt(t time.Time) bool {
	return !t.Before(g.Created) && (g.Deleted.IsZero() || t.Before(g.Deleted))
}

// membersAt returns the ids of the members at t in the order in which they joined.
func (g *group) membersAt(t time.Time) []string {
	type member struct {
		id    string
		order int64
	}
	members := make([]member, 0, len(g.servers))
	for id, s := range g.servers {
		if v := s.at(t); v.Group == g.ID {
			members = append(members, member{id, v.Member})
		}
	}
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.order, b.order) })
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.id
	}
	return ids
}

// taken counts the members at now, those who are joining included, and drops servers that left long ago.
func (g *group) taken(now, oldestRead time.Time) int {
	taken := 0
	for id, s := range g.servers {
		v := s.at(now)
		switch {
		case v.Group == g.ID, v.Op != nil && v.Op.Group == g.ID:
			taken++
		case s.at(oldestRead).Group != g.ID:
			delete(g.servers, id)
		}
	}
	return taken
}
