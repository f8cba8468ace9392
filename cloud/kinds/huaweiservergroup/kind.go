// Package huaweiservergroup is the kind huawei.servergroup: servers join an ECS group, whose anti-affinity policy keeps
// its members on different hosts. A server is added while it is stopped; only KVM servers can be.
package huaweiservergroup

import (
	"context"
	"fmt"
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
	stageRemove    = "remove"
)

// Actions.
const (
	actStop     = "stop"
	actStopHard = "stop-hard"
	actStart    = "start"
	actAdd      = "add"
	actRemove   = "remove"
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
	return newSession(client, t, p), nil
}

// params are the request's parameters, read.
type params struct {
	stop          bool          // stop what runs before it is added
	hardStopAfter time.Duration // 0: never by force
	assumeKVM     bool          // take a server whose hypervisor the cloud does not tell
}

func parseParams(given membership.Params) (params, []membership.Problem) {
	p := params{stop: true}
	var problems []membership.Problem
	bad := func(name string, v any, want string) {
		problems = append(problems, membership.Problem{Field: "params." + name, Value: membership.Quote(fmt.Sprint(v)), Want: want})
	}
	boolean := func(name string, into *bool) {
		if v, ok := given[name]; ok {
			if b, isBool := v.(bool); isBool {
				*into = b
			} else {
				bad(name, v, "want true or false")
			}
		}
	}
	boolean("stop", &p.stop)
	boolean("assumeKVM", &p.assumeKVM)
	if v, ok := given["hardStopAfter"]; ok {
		text, _ := v.(string)
		d, err := time.ParseDuration(text)
		if err != nil || d < 10*time.Second || d > stopTimeout-time.Minute {
			bad("hardStopAfter", v, fmt.Sprintf("want a duration of 10s to %s, such as 3m", stopTimeout-time.Minute))
		}
		p.hardStopAfter = d
	}
	if _, ok := given["hardStopAfter"]; ok && !p.stop {
		bad("hardStopAfter", given["hardStopAfter"], "makes no sense with stop: false")
	}
	return p, problems
}

// Validate checks what is particular to the kind: ids are UUIDs, and the parameters.
func (Kind) Validate(r membership.Request) []membership.Problem {
	_, problems := parseParams(r.Params)
	return append(huawei.CheckIDs(r), problems...)
}
