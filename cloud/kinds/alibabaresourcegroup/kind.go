// Package alibabaresourcegroup is the kind alibaba.resourcegroup: ECS resources of any type move into a resource group.
// A resource is always in exactly one, so that joining takes it out of another, and leaving needs one to go to.
package alibabaresourcegroup

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ID names the kind in requests.
const ID = "alibaba.resourcegroup"

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
	actPutBack = "put-back"
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
	resourceType string // one of alibaba.ResourceTypes
	to           string // where who leaves goes
}

func (p *params) declared() []membership.Param {
	all := strings.Join(alibaba.ResourceTypes(), ", ")
	needsType := "want the type of the resources: " + all
	return []membership.Param{
		membership.Text(&p.resourceType, membership.ParamSpec{Name: "type", Type: "text", Default: "none: it must be given",
			Help: "the type of all members, in this case: " + all + "; members are ids, key pairs names"}, func(text string) string {
			right := inItsCase(text)
			switch {
			case right == "":
				return needsType
			case right != text:
				return fmt.Sprintf("case matters: want %q", right)
			}
			return ""
		}).Needed(needsType),
		membership.Text(&p.to, membership.ParamSpec{Name: "to", Type: "group id", Default: "none: leave needs it",
			Help: "the resource group that members go to when they leave; a join does not use it"}, func(text string) string {
			if !groupID.MatchString(text) {
				return wantGroup
			}
			return ""
		}),
	}
}

func read(t membership.Target) (p params, problems []membership.Problem) {
	problems = t.Params.Read(p.declared())
	switch {
	case t.Operation == membership.Leave && p.to == "" && len(problems) == 0:
		problems = append(problems, membership.Problem{Field: "params.to",
			Want: "is missing; a resource is always in a resource group, so name the one to leave for, " + wantGroup})
	case p.to != "" && p.to == t.Group:
		problems = append(problems, t.Params.Bad("to", "want another resource group than the one to leave"))
	}
	return p, problems
}

// inItsCase returns the type that is meant by a text in the wrong case, "" when none is.
func inItsCase(text string) string {
	for _, t := range alibaba.ResourceTypes() {
		if strings.EqualFold(t, text) {
			return t
		}
	}
	return ""
}

var groupID = regexp.MustCompile(`^rg-[A-Za-z0-9-]+$`)

const wantGroup = "want the id of a resource group such as rg-bp67acfmxazb4p"

// idPattern is what the ids of one type look like.
type idPattern struct {
	ids     *regexp.Regexp
	example string
}

// idPatterns has every type. A resource of one type is not found as one of another, and the cloud's answer would not say
// why.
var idPatterns = map[string]idPattern{
	"activation":      {regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`), "4ECEEE12-56F1-4FBC-9AB1-890F1234A5B6"},
	"command":         beginningWith("c-"),
	"ddh":             beginningWith("dh-"),
	"ddhcluster":      beginningWith("dc-"),
	"disk":            beginningWith("d-"),
	"eni":             beginningWith("eni-"),
	"image":           beginningWith("m-"),
	"instance":        beginningWith("i-"),
	"keypair":         {regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._:-]{1,127}$`), "my-key (its name)"},
	"launchtemplate":  beginningWith("lt-"),
	"managedinstance": beginningWith("mi-"),
	"securitygroup":   beginningWith("sg-"),
	"snapshot":        beginningWith("s-"),
}

func beginningWith(prefix string) idPattern {
	return idPattern{regexp.MustCompile(`^` + prefix + `[A-Za-z0-9-]+$`), prefix + "bp67acfmxazb4p"}
}

// Validate checks what is particular to the kind: the group's id, the parameters, and that every member's id is one of
// the type.
func (Kind) Validate(r membership.Request) []membership.Problem {
	p, problems := read(membership.Target{Group: r.Group, Params: r.Params})
	members := idPatterns[p.resourceType] // one that is none takes all
	return append(alibaba.CheckIDs(r, groupID, wantGroup, members.ids,
		fmt.Sprintf("want the id of a resource of type %s, such as %s", p.resourceType, members.example)), problems...)
}
