// Package alibabanodepool is the kind alibaba.nodepool: ECS instances that run become nodes of a node pool of a container
// cluster (ACK). The cluster replaces their system disks; when they leave, they keep the system that they had as nodes,
// unless a backup gives the former one back.
package alibabanodepool

import (
	"context"
	"regexp"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ID names the kind in requests.
const ID = "alibaba.nodepool"

// Stages.
const (
	stageCheck    = "check"
	stageSnapshot = backup.StageName // only with backup: true
	stageAttach   = "attach"
	stageVerify   = "verify"
	stageRemove   = "remove"
)

// Actions.
const (
	actAttach = "attach"
	actRemove = "remove"
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
	cluster    string          // id of the cluster that the pool is in
	password   *account.Source // of the new system; nil leaves the logon to the pool
	formatDisk bool
	drain      bool
	backup     bool
}

func (p *params) declared() []membership.Param {
	return []membership.Param{
		membership.Text(&p.cluster, membership.ParamSpec{Name: "cluster", Type: "id", Default: "none; needed",
			Help: "the cluster that the pool is in; the request's group is the pool"}, func(text string) string {
			if !clusterID.MatchString(text) || alibaba.OfHuawei(text) {
				return wantCluster
			}
			return ""
		}).Needed(wantCluster),
		account.PasswordParam(func(from account.Source) { p.password = &from }, "none: the pool's own logon", "the logon of the new systems"),
		membership.Flag(&p.formatDisk, "formatDisk", false,
			"gives the last data disk that has no file system to the containers, and WIPES it"),
		membership.Flag(&p.drain, "drain", true,
			"moves the pods of a node elsewhere before it is removed, in a leave and in an undo"),
		backup.Param(&p.backup, ""),
	}
}

func read(t membership.Target) (p params, problems []membership.Problem) {
	problems = t.Params.Read(p.declared())
	return p, problems
}

var (
	clusterID = regexp.MustCompile(`^c[A-Za-z0-9-]{0,63}$`)
	poolID    = regexp.MustCompile(`^np[A-Za-z0-9-]{0,63}$`)
)

const (
	wantCluster = "want the id of the cluster that the pool is in, such as c82e6987e2961451182edacd74faf7c6"
	wantPool    = "want the id of a node pool, such as np737c3ac1ac684703b9e10673aa2c2ec1"
)

// Validate checks what is particular to the kind: ids, and the parameters.
func (Kind) Validate(r membership.Request) []membership.Problem {
	_, problems := read(membership.Target{Params: r.Params})
	return append(alibaba.CheckIDs(r, poolID, wantPool, alibaba.InstanceID, alibaba.WantInstance), problems...)
}
