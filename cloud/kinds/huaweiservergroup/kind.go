// Package huaweiservergroup is the kind huawei.servergroup: servers join an ECS group, whose anti-affinity policy keeps
// its members on different hosts. A server is added while it is stopped; only KVM servers can be.
package huaweiservergroup

import (
	"context"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ID names the kind in requests.
const ID = "huawei.servergroup"

// Stages.
const (
	stageStop      = "stop"
	stageVerifyKVM = "verify-kvm"
	stageAdd       = "add"
	stageStart     = "start"
	stageVerify    = "verify"
	stageRemove    = "remove" // of a leave, and of a move
)

// Actions.
const (
	actStop     = "stop"
	actStopHard = "stop-hard"
	actStart    = "start"
	actAdd      = "add"
	actRemove   = "remove"
	actPullOut  = "pull-out" // takes it out of the group that a move is from
	actPutBack  = "put-back" // undoes that
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
	stop          bool          // stop what runs before it is added
	hardStopAfter time.Duration // 0: never by force
	assumeKVM     bool          // take a server whose hypervisor the cloud does not tell
}

func (p *params) declared() []membership.Param {
	return []membership.Param{
		membership.Flag(&p.stop, "stop", true, "stop running servers before they are added, and start them again; "+
			"false adds them as they are, where the region allows it"),
		membership.Between(&p.hardStopAfter, "hardStopAfter", "never", 10*time.Second, stopTimeout-time.Minute,
			"stop by force a server that has not heeded the soft stop for so long, 10s to 9m"),
		membership.Flag(&p.assumeKVM, "assumeKVM", false,
			"take servers whose flavor does not tell its hypervisor; never those known to be Xen"),
	}
}

func read(t membership.Target) (p params, problems []membership.Problem) {
	problems = t.Params.Read(p.declared())
	if t.Params.Has("hardStopAfter") && !p.stop {
		problems = append(problems, t.Params.Bad("hardStopAfter", "makes no sense with stop: false"))
	}
	return p, problems
}

// Validate checks what is particular to the kind: ids are UUIDs, and the parameters.
func (Kind) Validate(r membership.Request) []membership.Problem {
	_, problems := read(membership.Target{Params: r.Params})
	return append(huawei.CheckIDs(r), problems...)
}
