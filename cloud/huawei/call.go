package huawei

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire"
)

// service is one of the cloud's services: how the SDK's client of it is made, and what its answers mean.
type service[S any] struct {
	name    string // of its endpoint
	builder func() *core.HcHttpClientBuilder
	client  func(*core.HcHttpClient) S
	rules   verdict.Table
	writes  *shared // what limits all its writes together; nil: each action has a limit of its own
}

// shared is a limit of several actions.
type shared struct {
	name string
	seed limit.Seed
}

// op is one API action of a service.
type op[S any] struct {
	service *service[S]
	name    string // as in the API's reference
	write   bool   // it changes something, so that a lost answer leaves its effect unknown
	// empty are the statuses with which an answer without a body means success; none: the answer has a body.
	empty []int
}

func (s *service[S]) read(name string) op[S] { return op[S]{service: s, name: name} }

func (s *service[S]) write(name string, empty ...int) op[S] {
	return op[S]{service: s, name: name, write: true, empty: empty}
}

// call sends one request: send makes it with the SDK's client and reports whether the answer holds all that it must. An
// answer counts as a success only when it arrived whole, has a status of success, was understood by the SDK, and is
// complete.
func call[S, T any](ctx context.Context, c *Client, o op[S], send func(S) (T, bool, error)) (T, error) {
	var none T
	pace := o.pace(c)
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
	client, err := o.service.dial(c, keys, w)
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
func (o op[S]) action() wire.Action {
	return wire.Action{Name: o.name, Write: o.write, Rules: o.service.rules}
}

// succeeded tells whether the raw answer can mean that it worked. Where nothing but the status tells it, the status must
// be one that the action has for success, for ECS sends 202 for "too busy" too, and the body must not hold an error.
func (o op[S]) succeeded(w *wire.Call) bool {
	return w.Arrived() && (o.empty == nil || slices.Contains(o.empty, w.Status) && blank(w.Body))
}

// answered is what an answer says; the request's id may stand in a header, too.
func answered(w *wire.Call) wire.Said {
	s := parse(w.Body)
	s.RequestID = cmp.Or(wire.Token(w.Header.Get("X-Request-Id")), s.RequestID)
	s.RetryAfter = wire.Duration(w.Header.Get("Retry-After"), time.Second)
	return s
}

// pace is what the action's calls are slowed down to.
func (o op[S]) pace(c *Client) *limit.Limiter {
	key, seed := limit.Key{Account: c.account.Name, Region: c.account.Region, API: o.name}, gateway
	if together := o.service.writes; together != nil && o.write {
		key.API, seed = together.name, together.seed
	}
	return c.limits.For(key, cmp.Or(c.seed, seed))
}

// The SDK puts ids into paths as they are: a slash would address something else.
var safeID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// check refuses ids that must not go into a path or a list.
func (o op[S]) check(ids ...string) error {
	for _, id := range ids {
		if !safeID.MatchString(id) {
			return o.notSent(fmt.Sprintf("%q is no id; ids have letters, digits, '.', '_' and '-'", id))
		}
	}
	return nil
}

// notSent is the error of a call that makes no sense.
func (o op[S]) notSent(why string) error {
	return &verdict.Error{Verdict: verdict.Rejected, Op: o.name, Message: verdict.Redact("not sent: " + why)}
}
