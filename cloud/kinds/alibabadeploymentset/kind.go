// Package alibabadeploymentset is the kind alibaba.deploymentset: instances join a deployment set, whose strategy keeps its
// instances on different hosts. An instance is stopped before it is put into the set, may move to another host, and is
// started again.
package alibabadeploymentset

import (
	"context"
	"regexp"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ID names the kind in requests.
const ID = "alibaba.deploymentset"

// Stages.
const (
	stageStop   = "stop"
	stagePlace  = "place"
	stageStart  = "start"
	stageVerify = "verify"
	stageRemove = "remove"
)

// Actions.
const (
	actStop    = "stop"
	actStart   = "start"
	actPlace   = "place"
	actRemove  = "remove"
	actRestore = "restore" // puts it back into the set that it was in
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
	force bool // let the cloud move the instance to another host
}

func (p *params) declared() []membership.Param {
	return []membership.Param{
		membership.Flag(&p.force, "force", true, "lets the cloud move the instance to another host; false puts it into the set only if "+
			"the host that it is on allows it, and leaves instances with local disks where their data is"),
	}
}

func read(t membership.Target) (p params, problems []membership.Problem) {
	problems = t.Params.Read(p.declared())
	if t.From != "" && !groupID.MatchString(t.From) {
		problems = append(problems, membership.Problem{Field: "from", Value: membership.Quote(t.From), Want: wantGroup})
	}
	return p, problems
}

var groupID = regexp.MustCompile(`^ds-[A-Za-z0-9-]+$`)

const wantGroup = "want the id of a deployment set, such as ds-bp67acfmxazb4p"

// Validate checks what is particular to the kind: the ids of sets and of instances, and the parameters.
func (Kind) Validate(r membership.Request) []membership.Problem {
	_, problems := read(membership.Target{From: r.From, Params: r.Params})
	return append(alibaba.CheckIDs(r, groupID, wantGroup, alibaba.InstanceID, alibaba.WantInstance), problems...)
}
