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

// read checks a target. The kind has no parameters.
func read(t membership.Target) (none struct{}, problems []membership.Problem) {
	problems = t.Params.Read(nil)
	if t.From != "" && !huawei.IsUUID(t.From) {
		problems = append(problems, membership.Problem{Field: "from", Value: membership.Quote(t.From), Want: huawei.WantUUID})
	}
	return none, problems
}

// Validate checks what is particular to the kind: ids are UUIDs, and the parameters. Groups have names, too, but those need not
// be unique.
func (Kind) Validate(r membership.Request) []membership.Problem {
	_, problems := read(membership.Target{From: r.From, Params: r.Params})
	return append(huawei.CheckIDs(r), problems...)
}
