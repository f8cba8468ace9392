// Package wire carries single calls to a cloud, whichever SDK makes them, and says what came of each by what was on the
// wire. The SDKs lose statuses and headers, take redirects for success, panic over what servers send, and know only some
// shapes of errors.
package wire

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

const (
	// Longest answer that is read: a page of 1000 servers of Huawei Cloud has about 5 MB.
	maxAnswer = 32 << 20
	// Longest wait that an answer can ask for. The longest that was ever seen is a minute; a broken one must not stop us.
	maxRetryAfter = time.Hour
	// The SDKs' own transports keep 2 idle connections per host: 32 callers then open one for nearly every call.
	idlePerHost = 64
)

// Transport returns a pool of connections: proxies from the environment, TLS 1.2 or newer.
func Transport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone() // sane dial timeouts
	t.MaxIdleConns = 0
	t.MaxIdleConnsPerHost = idlePerHost
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	t.ForceAttemptHTTP2 = false // one stuck HTTP/2 connection would hold up every call
	return t
}

// Turn waits until a call may be sent. A queue that is longer than a call may take is an answer too: come back later.
func Turn(ctx context.Context, pace *limit.Limiter, timeout time.Duration) error {
	ctx, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	return pace.Wait(ctx)
}

// Action is one API action.
type Action struct {
	Name  string // as in the API's reference
	Write bool   // it changes something, so that a lost answer leaves its effect unknown
	Rules verdict.Table
}

// Call is one call of an action: the transport that its SDK gets, and what has come back.
type Call struct {
	Status int // 0: nothing came back
	Header http.Header
	Body   []byte

	action Action
	ctx    context.Context
	next   http.RoundTripper
	sent   bool  // the request was given to the transport
	err    error // no whole answer came back
}

// New returns a call that has not been sent. Its requests end with ctx, whatever context the SDK gives them.
func New(ctx context.Context, a Action, next http.RoundTripper) *Call {
	return &Call{action: a, ctx: ctx, next: next}
}

// RoundTrip implements http.RoundTripper.
func (c *Call) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sent = true
	answer, err := c.next.RoundTrip(r.WithContext(c.ctx))
	if err != nil {
		c.err = err
		return nil, err
	}
	defer answer.Body.Close()
	c.Status, c.Header = answer.StatusCode, answer.Header
	c.Body, c.err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if c.err == nil && len(c.Body) > maxAnswer {
		c.err = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	if c.err != nil {
		return nil, c.err
	}
	answer.Body = io.NopCloser(bytes.NewReader(c.Body))
	return answer, nil
}

// Arrived reports whether an answer came back whole, with a status of success. A redirect is none: it is not followed.
func (c *Call) Arrived() bool { return c.err == nil && c.Status >= 200 && c.Status <= 299 }

// Guard turns a panic of send, which is the SDK's, into an error.
func Guard(send func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the SDK panicked: %v", p)
		}
	}()
	return send()
}

// Said is what an answer says of the call.
type Said struct {
	Code, Message string // Code is "" for success
	RequestID     string
	RetryAfter    time.Duration
}

// Failure says what it means that the call failed. err is what the SDK or the decoder made of it; the raw answer goes
// before. The message can hold whatever the cloud sent.
func (c *Call) Failure(said Said, err error) *verdict.Error {
	e := &verdict.Error{Op: c.action.Name, Status: c.Status, RequestID: said.RequestID, RetryAfter: said.RetryAfter}
	switch {
	case !c.sent: // the SDK failed over the request itself: the next try would go the same way
		e.Verdict, e.Message = verdict.Rejected, fmt.Sprintf("not sent: %v", err)
		return e
	case c.err != nil:
		e.Verdict, e.Message = c.lost(c.err), c.err.Error()
		return e
	case c.Status == 0: // the transport panicked
		e.Verdict, e.Message = c.lost(err), fmt.Sprint(err)
		return e
	}
	e.Code, e.Message = said.Code, said.Message
	e.Verdict = verdict.Classify(c.action.Name, c.action.Write, c.Status, e.Code, c.action.Rules)
	switch location := c.Header.Get("Location"); {
	case e.Message != "" && e.Code != "":
	case c.Status >= 300 && c.Status < 400 && location != "":
		e.Message = "redirects are not followed: " + location
	case c.Status >= 300:
		e.Message = cmp.Or(e.Message, string(c.Body), http.StatusText(c.Status), "no text")
	case err != nil:
		e.Message = "the answer makes no sense: " + err.Error()
	default:
		e.Message = "the answer is not what was expected"
	}
	return e
}

// lost says what it means that no whole answer came. A connection that was never made carried nothing.
func (c *Call) lost(err error) verdict.Verdict {
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return verdict.Rejected
	case !c.action.Write, errors.As(err, &dial) && dial.Op == "dial":
		return verdict.Transient
	default:
		return verdict.Unknown
	}
}

// Throttled reports whether a failure of the call is flow control: for a write, too, whose verdict may be another, since
// it leaves open whether it happened.
func (c *Call) Throttled(e *verdict.Error) bool {
	return verdict.Classify(c.action.Name, false, e.Status, e.Code, c.action.Rules) == verdict.Throttled
}

var token = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)

// Token lets through what looks like a code or an id; anything else could be a text with who knows what inside, and is "".
func Token(s string) string {
	if !token.MatchString(s) {
		return ""
	}
	return s
}

// Duration reads a header that asks to wait, as a number of units, which is sometimes a fraction. It is an hour at the
// most; whatever else the header holds counts as absent.
func Duration(text string, unit time.Duration) time.Duration {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(n) || n <= 0 {
		return 0
	}
	return time.Duration(min(n, float64(maxRetryAfter/unit)) * float64(unit))
}
