// Package huaweisecuritygroup is the kind huawei.securitygroup: servers join a VPC security group, with all their network
// interfaces, or leave one for another. Nothing is stopped and nothing is lost, but what the rules let through changes at once.
package huaweisecuritygroup

import (
	"context"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ID names the kind in plans.
const ID = "huawei.securitygroup"

// Stages, of either operation.
const (
	stageAdd    = "add"
	stageRemove = "remove"
	stageVerify = "verify"
)

// Actions.
const (
	actAdd     = "add"
	actRemove  = "remove"
	actTakeOut = "take-out" // undoes add
	actPutBack = "put-back" // undoes remove
)

// Kind implements membership.Kind.
type Kind struct {
	dial func(ctx context.Context, account string) (*huawei.Client, error)
}

// New makes the kind; dial finds the client of an account.
func New(dial func(ctx context.Context, account string) (*huawei.Client, error)) Kind {
	return Kind{dial: dial}
}

// Open prepares the I/O for a target.
func (k Kind) Open(ctx context.Context, t membership.Target) (membership.Session, error) {
	return membership.Open(ctx, t, k.dial, read, newSession)
}

// params are a plan's parameters, read.
type params struct {
	swapFrom string // the group that a join leaves and a leave goes back into; "" for none
}

func (p *params) declared() []membership.Param {
	return []membership.Param{
		membership.Object("swap", "none", "{from: ID}: leaves that group once the server is in the other, so that no moment is "+
			"without rules; leaving then goes back into it first", func(given any) string {
			swap, _ := given.(map[string]any)
			from, isText := swap["from"].(string)
			if p.swapFrom = from; !isText || len(swap) != 1 {
				return "want an object with nothing but from, the id of the group to leave"
			}
			return ""
		}),
	}
}

func read(t membership.Target) (p params, problems []membership.Problem) {
	problems = t.Params.Read(p.declared())
	from := func(want string) {
		problems = append(problems, membership.Problem{Field: "params.swap.from", Value: membership.Quote(p.swapFrom), Want: want})
	}
	switch {
	case p.swapFrom == "":
	case !huawei.IsUUID(p.swapFrom):
		from(huawei.WantUUID)
	case p.swapFrom == t.Group:
		from("is the group itself; want another one")
	}
	return p, problems
}

// Validate checks what is particular to the kind: ids are UUIDs, and the parameters. Groups have names, too, but those need not
// be unique.
func (Kind) Validate(r membership.Request) []membership.Problem {
	_, problems := read(membership.Target{Group: r.Group, Params: r.Params})
	return append(huawei.CheckIDs(r), problems...)
}
