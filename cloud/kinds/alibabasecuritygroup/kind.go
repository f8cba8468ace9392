// Package alibabasecuritygroup is the kind alibaba.securitygroup: instances, by their primary interface, or secondary
// network interfaces join a security group, whose rules then hold for their traffic. Nothing is stopped and nothing is
// lost, but what the rules let through changes at once.
package alibabasecuritygroup

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ID names the kind in requests.
const ID = "alibaba.securitygroup"

// Stages.
const (
	stageJoin   = "join"
	stageLeave  = "leave"
	stageVerify = "verify"
)

// Actions.
const (
	actJoin    = "join"
	actLeave   = "leave"
	actRestore = "restore" // undoes either
)

// Kind implements membership.Kind.
type Kind struct {
	dial func(ctx context.Context, account string) (*alibaba.Client, error)
}

// New makes the kind; dial finds the client of an account.
func New(dial func(ctx context.Context, account string) (*alibaba.Client, error)) Kind {
	return Kind{dial: dial}
}

// Open prepares the I/O for a target.
func (k Kind) Open(ctx context.Context, t membership.Target) (membership.Session, error) {
	return membership.Open(ctx, t, k.dial, read, newSession)
}

// params are the request's parameters, read.
type params struct {
	legacy    bool
	maxGroups int // of one member
	maxRules  int // of all groups of one member
	capacity  int // of the group; 0: what is documented for its type
}

const (
	defaultMaxGroups = 5
	mostGroups       = 100     // no quota is anywhere near
	defaultMaxRules  = 1000    // documented as the limit of one network interface
	mostRules        = 100000  // no quota is anywhere near
	mostCapacity     = 1000000 // likewise
)

func (p *params) declared() []membership.Param {
	p.maxGroups, p.maxRules = defaultMaxGroups, defaultMaxRules
	return []membership.Param{
		membership.Flag(&p.legacy, "legacy", false, "uses JoinSecurityGroup and LeaveSecurityGroup, which are deprecated, but change "+
			"one group only: others may change the member's other groups at the same moment, and instances in the classic network "+
			"have no other way"),
		membership.Whole(&p.maxGroups, "maxGroups", "5", mostGroups,
			"how many groups an instance or network interface may be in, 1 to 100: the account's quota"),
		membership.Whole(&p.maxRules, "maxRules", "1000", mostRules,
			"how many rules the groups of an instance or network interface may have together, 1 to 100000: the account's quota"),
		membership.Whole(&p.capacity, "capacity", "6000 for a basic group, 65536 for an enterprise one", mostCapacity,
			"how much the group has room for, a basic one in private addresses and an enterprise one in interfaces: the account's quota"),
	}
}

func read(t membership.Target) (p params, problems []membership.Problem) {
	problems = t.Params.Read(p.declared())
	from := func(want string) {
		problems = append(problems, membership.Problem{Field: "from", Value: membership.Quote(t.From), Want: want})
	}
	switch {
	case t.From == "":
	case !groupID.MatchString(t.From):
		from(wantGroup)
	case p.legacy:
		from("makes no sense with legacy: true, which cannot change two groups in one write")
	}
	return p, problems
}

var (
	groupID  = regexp.MustCompile(`^sg-[A-Za-z0-9-]+$`)
	memberID = regexp.MustCompile(`^(i|eni)-[A-Za-z0-9-]+$`)
)

const (
	wantGroup  = "want the id of a security group, such as sg-bp67acfmxazb4p"
	wantMember = "want the id of an instance, such as i-bp67acfmxazb4p, or of a network interface, such as eni-bp13kd656hxambfe"
)

func isInterface(id string) bool { return strings.HasPrefix(id, "eni-") }

// Validate checks what is particular to the kind: ids of security groups, and of instances or else network interfaces,
// and the parameters.
func (Kind) Validate(r membership.Request) []membership.Problem {
	problems := alibaba.CheckIDs(r, groupID, wantGroup, memberID, wantMember)
	instances, interfaces := 0, 0
	for _, id := range r.Members {
		switch {
		case !memberID.MatchString(id):
		case isInterface(id):
			interfaces++
		default:
			instances++
		}
	}
	if instances > 0 && interfaces > 0 {
		problems = append(problems, membership.Problem{Field: "members",
			Value: fmt.Sprintf("%d instances and %d network interfaces", instances, interfaces),
			Want:  "want one or the other; ask for them in two requests"})
	}
	_, more := read(membership.Target{Group: r.Group, From: r.From, Params: r.Params})
	return append(problems, more...)
}
