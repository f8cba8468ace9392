package huawei

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"

	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// Longest answer that is read: a page of 1000 servers has about 5 MB.
const maxAnswer = 32 << 20

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
	if err := c.wait(ctx, pace); err != nil {
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
	w := &wire{ctx: ctx, next: c.transport}
	client, err := open(keys, w)
	if err != nil {
		return none, &verdict.Error{Verdict: verdict.Rejected, Op: o.name, Message: verdict.Redact(keys.Hide(err.Error()))}
	}
	value, complete, err := guarded(client, send)
	if err == nil && complete && w.success(o) {
		pace.Succeeded()
		return value, nil
	}
	failure := w.failure(o, err)
	failure.Message = verdict.Redact(keys.Hide(failure.Message))
	// An answer that is flow control is that for a write too, even where it leaves open whether the write happened.
	if verdict.Classify(o.name, false, failure.Status, failure.Code, o.rules()) == verdict.Throttled {
		pace.Throttled(failure.RetryAfter)
	}
	return none, failure
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

// wait takes the call's turn. A queue that is longer than a call may take is an answer too: come back later.
func (c *Client) wait(ctx context.Context, pace *limit.Limiter) error {
	ctx, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	return pace.Wait(ctx)
}

// guarded turns a panic of the SDK into an error: it has reflection and type assertions on what servers send.
func guarded[S, T any](client S, send func(S) (T, bool, error)) (value T, complete bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			complete, err = false, fmt.Errorf("the SDK panicked: %v", p)
		}
	}()
	return send(client)
}

// wire is the transport of one call. It puts the call's context into the request and keeps the raw answer, since the SDK
// loses headers, takes redirects and 202 for success, and knows only some shapes of errors.
type wire struct {
	ctx  context.Context
	next http.RoundTripper

	sent   bool // the request was given to the transport
	err    error
	status int
	header http.Header
	body   []byte
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.sent = true
	answer, err := w.next.RoundTrip(r.WithContext(w.ctx))
	if err != nil {
		w.err = err
		return nil, err
	}
	defer answer.Body.Close()
	w.status, w.header = answer.StatusCode, answer.Header
	w.body, w.err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if w.err == nil && len(w.body) > maxAnswer {
		w.err = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	if w.err != nil {
		return nil, w.err
	}
	answer.Body = io.NopCloser(bytes.NewReader(w.body))
	return answer, nil
}

// success tells whether the raw answer can mean that it worked. A redirect cannot: it is not followed. Where nothing but
// the status tells it, the status must not be 202, which ECS sends for "too busy" too, nor the body hold an error.
func (w *wire) success(o op) bool {
	if w.err != nil || w.status < 200 || w.status > 299 {
		return false
	}
	return !o.bare || w.status != http.StatusAccepted && blank(w.body)
}

// failure says what a failed call means. err is what the SDK made of it; the raw answer goes before.
func (w *wire) failure(o op, err error) *verdict.Error {
	e := &verdict.Error{
		Op:         o.name,
		Status:     w.status,
		RequestID:  safeToken(w.header.Get("X-Request-Id")),
		RetryAfter: retryAfter(w.header.Get("Retry-After")),
	}
	switch {
	case !w.sent: // the SDK failed over the request itself: the next try would go the same way
		e.Verdict, e.Message = verdict.Rejected, fmt.Sprintf("not sent: %v", err)
		return e
	case w.err != nil:
		e.Verdict, e.Message = lost(o, w.err), w.err.Error()
		return e
	}
	said := parse(w.body)
	e.Code, e.Message = said.code, said.message
	e.RequestID = cmp.Or(e.RequestID, said.requestID)
	e.Verdict = verdict.Classify(o.name, o.write, w.status, e.Code, o.rules())
	switch location := w.header.Get("Location"); {
	case e.Message != "":
	case w.status >= 300 && w.status < 400 && location != "":
		e.Message = "redirects are not followed: " + location
	case w.status >= 300:
		e.Message = cmp.Or(string(w.body), http.StatusText(w.status))
	case err != nil:
		e.Message = "the answer makes no sense: " + err.Error()
	default:
		e.Message = "the answer is not what was expected"
	}
	return e
}

// lost says what it means that no whole answer came. A connection that was never made carried nothing.
func lost(o op, err error) verdict.Verdict {
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return verdict.Rejected
	case !o.write, errors.As(err, &dial) && dial.Op == "dial":
		return verdict.Transient
	default:
		return verdict.Unknown
	}
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
