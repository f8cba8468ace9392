// Package alibabasecuritygroup is the kind alibaba.securitygroup: instances, by their primary interface, or secondary
// network interfaces join a security group, whose rules then hold for their traffic. Nothing is stopped and nothing is
// lost, but what the rules let through changes at once.
package alibabasecuritygroup

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
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
	p, problems := parseParams(t.Params, t.Group)
	if err := membership.Bad(problems); err != nil {
		return nil, err
	}
	client, err := k.dial(ctx, t.Account)
	if err != nil {
		return nil, err
	}
	return &session{client: client, target: t, params: p}, nil
}

// params are the request's parameters, read.
type params struct {
	legacy    bool
	swapFrom  string // the group that a join leaves and a leave goes back into; "" for none
	maxGroups int    // of one member
	capacity  int    // members of the group; 0: what is documented for its type
}

const (
	defaultMaxGroups = 5
	mostGroups       = 100     // no quota is anywhere near
	mostMembers      = 1000000 // likewise
)

func parseParams(given membership.Params, group string) (params, []membership.Problem) {
	p := params{maxGroups: defaultMaxGroups}
	var problems []membership.Problem
	bad := func(name string, v any, want string) {
		problems = append(problems, membership.Problem{Field: "params." + name, Value: membership.Quote(fmt.Sprint(v)), Want: want})
	}
	if v, ok := given["legacy"]; ok {
		if p.legacy, ok = v.(bool); !ok {
			bad("legacy", v, "want true or false")
		}
	}
	whole := func(name string, most int, into *int) {
		v, ok := given[name]
		if !ok {
			return
		}
		n, isNumber := v.(float64) // as in all JSON
		if !isNumber || n != math.Trunc(n) || n < 1 || n > float64(most) {
			bad(name, v, fmt.Sprintf("want a whole number from 1 to %d", most))
			return
		}
		*into = int(n)
	}
	whole("maxGroups", mostGroups, &p.maxGroups)
	whole("capacity", mostMembers, &p.capacity)
	if v, ok := given["swap"]; ok {
		swap, _ := v.(map[string]any)
		from, isText := swap["from"].(string)
		switch {
		case !isText || len(swap) != 1:
			bad("swap", v, "want an object with nothing but from, the id of the group to leave")
		case !groupID.MatchString(from):
			bad("swap.from", from, wantGroup)
		case from == group:
			bad("swap.from", from, "is the group itself; want another one")
		case p.legacy:
			bad("swap", v, "makes no sense with legacy: true, which cannot change two groups in one write")
		}
		p.swapFrom = from
	}
	return p, problems
}

var (
	groupID     = regexp.MustCompile(`^sg-[A-Za-z0-9-]+$`)
	instanceID  = regexp.MustCompile(`^i-[A-Za-z0-9-]+$`)
	interfaceID = regexp.MustCompile(`^eni-[A-Za-z0-9-]+$`)
	otherCloud  = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

const (
	wantGroup  = "want the id of a security group, such as sg-bp67acfmxazb4p"
	wantMember = "want the id of an instance, such as i-bp67acfmxazb4p, or of a network interface, such as eni-bp13kd656hxambfe"
)

func isInterface(id string) bool { return strings.HasPrefix(id, "eni-") }

// Validate checks what is particular to the kind: ids of security groups, and of instances or else network interfaces,
// and the parameters.
func (Kind) Validate(r membership.Request) []membership.Problem {
	var problems []membership.Problem
	check := func(field, id, want string, patterns ...*regexp.Regexp) {
		switch {
		case id == "" || slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(id) }):
			return
		case otherCloud.MatchString(id):
			want = "is an id of Huawei Cloud; " + want
		}
		problems = append(problems, membership.Problem{Field: field, Value: membership.Quote(id), Want: want})
	}
	check("group", r.Group, wantGroup, groupID)
	for i, id := range r.Members {
		check(fmt.Sprintf("members[%d]", i), id, wantMember, instanceID, interfaceID)
	}
	instances, interfaces := 0, 0
	for _, id := range r.Members {
		switch {
		case instanceID.MatchString(id):
			instances++
		case interfaceID.MatchString(id):
			interfaces++
		}
	}
	if instances > 0 && interfaces > 0 {
		problems = append(problems, membership.Problem{Field: "members",
			Value: fmt.Sprintf("%d instances and %d network interfaces", instances, interfaces),
			Want:  "want one or the other; ask for them in two requests"})
	}
	_, more := parseParams(r.Params, r.Group)
	return append(problems, more...)
}
