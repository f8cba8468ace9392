// Package huaweinodepool is the kind huawei.nodepool: servers that run become nodes of a CCE node pool. The cluster
// wipes their disks and installs their systems anew, and does so once more when they leave.
package huaweinodepool

import (
	"context"
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ID names the kind in requests.
const ID = "huawei.nodepool"

// Stages.
const (
	stageCheck  = "check"
	stageAdd    = "add"
	stageVerify = "verify"
	stageRemove = "remove"
)

// Actions.
const (
	actAdd    = "add"
	actRemove = "remove"
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
	p, problems := parseParams(t.Params)
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
	cluster      string // id of the cluster that the pool is in
	assumeSubnet bool   // take a server whose subnet the cloud does not tell
}

func parseParams(given membership.Params) (p params, problems []membership.Problem) {
	bad := func(name string, v any, want string) {
		problem := membership.Problem{Field: "params." + name, Want: want}
		if v != nil {
			problem.Value = membership.Quote(fmt.Sprint(v))
		}
		problems = append(problems, problem)
	}
	switch v := given["cluster"].(type) {
	case nil:
		bad("cluster", nil, "is missing; want the id of the cluster that the pool is in")
	case string:
		if p.cluster = v; !huawei.IsUUID(v) {
			bad("cluster", v, huawei.WantUUID)
		}
	default:
		bad("cluster", v, huawei.WantUUID)
	}
	if v, ok := given["assumeSubnet"]; ok {
		if p.assumeSubnet, ok = v.(bool); !ok {
			bad("assumeSubnet", v, "want true or false")
		}
	}
	return p, problems
}

// Validate checks what is particular to the kind: ids are UUIDs, and the parameters.
func (Kind) Validate(r membership.Request) []membership.Problem {
	_, problems := parseParams(r.Params)
	return append(huawei.CheckIDs(r), problems...)
}
