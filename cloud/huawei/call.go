package huawei

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"time"

	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire"
)

// op is one API action.
type op struct {
	name  string // as in the API's reference
	write bool   // it changes something, so that a lost answer leaves its effect unknown
	bare  bool   // its answer has a status and no body
	cce   bool   // of the cluster service; otherwise of ECS
}

var (
	listServersDetails       = op{name: "ListServersDetails"}
	showServerGroup          = op{name: "ShowServerGroup"}
	listServerGroups         = op{name: "ListServerGroups"}
	novaShowFlavorExtraSpecs = op{name: "NovaShowFlavorExtraSpecs"}
	showServerLimits         = op{name: "ShowServerLimits"}
	showJob                  = op{name: "ShowJob"}
	batchStopServers         = op{name: "BatchStopServers", write: true}
	batchStartServers        = op{name: "BatchStartServers", write: true}
	addServerGroupMember     = op{name: "AddServerGroupMember", write: true, bare: true}
	deleteServerGroupMember  = op{name: "DeleteServerGroupMember", write: true, bare: true}
)

// call sends one request to ECS, see exchange.
func call[T any](ctx context.Context, c *Client, o op, send func(*ecs.EcsClient) (T, bool, error)) (T, error) {
	return exchange(ctx, c, o, c.ecs, send)
}

// exchange sends one request: open makes the SDK's client for it, send makes the call and reports whether the answer
// holds all that it must. An answer counts as a success only when it arrived whole, has a status of success, was
// understood by the SDK, and is complete.
func exchange[S, T any](ctx context.Context, c *Client, o op,
	open func(account.Credentials, http.RoundTripper) (S, error), send func(S) (T, bool, error),
) (T, error) {
	var none T
	pace := c.pace(o)
	if err := wire.Turn(ctx, pace, c.timeout); err != nil {
		return none, err
	}
	// The time in the queue is not the call's: a write that is sent must have time for its answer.
	ctx, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	keys, err := c.account.Secrets(ctx)
	if err != nil {
		// They were there at Dial, so this is a rotation at work, and nothing was sent.
		return none, &verdict.Error{Verdict: verdict.Transient, Op: o.name, Message: err.Error()}
	}
	w := wire.New(ctx, o.action(), c.transport)
	client, err := open(keys, w)
	if err != nil {
		return none, &verdict.Error{Verdict: verdict.Rejected, Op: o.name, Message: verdict.Redact(keys.Hide(err.Error()))}
	}
	var value T
	var complete bool
	err = wire.Guard(func() (err error) {
		value, complete, err = send(client)
		return err
	})
	if err == nil && complete && o.succeeded(w) {
		pace.Succeeded()
		return value, nil
	}
	failure := w.Failure(answered(w), err)
	failure.Message = verdict.Redact(keys.Hide(failure.Message))
	if w.Throttled(failure) {
		pace.Throttled(failure.RetryAfter)
	}
	return none, failure
}

// action is what the wire must know of it.
func (o op) action() wire.Action { return wire.Action{Name: o.name, Write: o.write, Rules: o.rules()} }

// succeeded tells whether the raw answer can mean that it worked. Where nothing but the status tells it, the status must
// not be 202, which ECS sends for "too busy" too, nor the body hold an error.
func (o op) succeeded(w *wire.Call) bool {
	return w.Arrived() && (!o.bare || w.Status != http.StatusAccepted && blank(w.Body))
}

// answered is what an answer says; the request's id may stand in a header, too.
func answered(w *wire.Call) wire.Said {
	s := parse(w.Body)
	s.RequestID = cmp.Or(wire.Token(w.Header.Get("X-Request-Id")), s.RequestID)
	s.RetryAfter = wire.Duration(w.Header.Get("Retry-After"), time.Second)
	return s
}

// rules are those of the action's service.
func (o op) rules() verdict.Table {
	if o.cce {
		return cceRules
	}
	return rules
}

// pace is what the action's calls are slowed down to. The writes of the cluster service are counted together.
func (c *Client) pace(o op) *limit.Limiter {
	key, seed := limit.Key{Account: c.account.Name, Region: c.account.Region, API: o.name}, c.seed
	if o.cce && o.write {
		key.API, seed = clusterLimit, c.writes
	}
	return c.limits.For(key, seed)
}

// The SDK puts ids into paths as they are: a slash would address something else.
var safeID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// checkIDs refuses ids that must not go into a path or a list.
func checkIDs(o op, ids ...string) error {
	for _, id := range ids {
		if !safeID.MatchString(id) {
			return &verdict.Error{Verdict: verdict.Rejected, Op: o.name,
				Message: verdict.Redact(fmt.Sprintf("not sent: %q is no id; ids have letters, digits, '.', '_' and '-'", id))}
		}
	}
	return nil
}
