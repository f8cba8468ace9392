// Package huaweinodepool is the kind huawei.nodepool: servers that run become nodes of a CCE node pool. The cluster
// wipes their disks and installs their systems anew, and does so once more when they leave.
package huaweinodepool

import (
	"context"

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
	return membership.Open(ctx, t, k.dial, read, newSession)
}

// params are the request's parameters, read.
type params struct {
	cluster      string // id of the cluster that the pool is in
	assumeSubnet bool   // take a server whose subnet the cloud does not tell
}

func (p *params) declared() []membership.Param {
	isUUID := func(text string) string {
		if !huawei.IsUUID(text) {
			return huawei.WantUUID
		}
		return ""
	}
	return []membership.Param{
		membership.Text(&p.cluster, membership.ParamSpec{Name: "cluster", Type: "id", Default: "none; needed",
			Help: "the cluster that the pool is in; the request's group is the pool"}, isUUID).
			Needed("want the id of the cluster that the pool is in"),
		membership.Flag(&p.assumeSubnet, "assumeSubnet", false,
			"take servers whose subnet the cloud does not tell; never those known to be in another"),
	}
}

func read(t membership.Target) (p params, problems []membership.Problem) {
	problems = t.Params.Read(p.declared())
	return p, problems
}

// Validate checks what is particular to the kind: ids are UUIDs, and the parameters.
func (Kind) Validate(r membership.Request) []membership.Problem {
	_, problems := read(membership.Target{Params: r.Params})
	return append(huawei.CheckIDs(r), problems...)
}
