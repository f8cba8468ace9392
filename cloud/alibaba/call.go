package alibaba

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// Longest answer that is read: a page of 100 instances has less than 1 MB.
const maxAnswer = 32 << 20

// service is one product of the cloud: its name among the account's endpoints, and the version of its API.
type service struct{ name, version string }

var (
	ecs             = service{"ecs", "2014-05-26"}
	edas            = service{"edas", "2017-08-01"}
	containers      = service{"cs", "2015-12-15"}
	resourceManager = service{"resourcemanager", "2020-03-31"}
	sts             = service{"sts", "2015-04-01"}
)

// op is one API action.
type op struct {
	service service
	name    string // as in the API's reference
	method  string // "": POST
	write   bool   // it changes something, so that a lost answer leaves its effect unknown
}

// request is what one call of an action says.
type request struct {
	path   string            // of a resource-oriented (ROA) action, such as "/clusters/c1/nodes"; "": an RPC action
	query  map[string]string // the parameters
	body   any               // an object, sent as a form by RPC actions and as JSON by ROA actions; nil: none
	secret string            // a password among the parameters, which no error may repeat; "": none

	// as gives the keys that sign; no access key leaves the call unsigned. nil: the client's own keys.
	as func(context.Context) (account.Credentials, error)
}

// call sends one request and decodes its answer into a T. An answer counts as a success only when it arrived whole, has
// a status of success, says of itself that it is one, and is complete; complete nil asks for nothing more.
func call[T any](ctx context.Context, c *Client, o op, r request, complete func(*T) bool) (T, error) {
	var answer, none T
	pace := c.limits.For(limit.Key{Account: c.account.Name, Region: c.account.Region, API: o.name}, c.seed)
	if err := c.wait(ctx, pace); err != nil {
		return none, err
	}
	keys, err := c.sign(ctx, o, r)
	if err != nil {
		return none, err
	}
	// The time in the queue is not the call's: a write that is sent must have time for its answer.
	ctx, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	w := &wire{next: c.transport}
	err = c.send(ctx, o, r, keys, w)
	if err == nil && w.success(o, r) {
		if err = json.Unmarshal(w.body, &answer); err == nil && (complete == nil || complete(&answer)) {
			pace.Succeeded()
			return answer, nil
		}
	}
	failure := w.failure(o, err)
	failure.Message = verdict.Redact(hide(r.secret, keys.Hide(failure.Message)))
	failure.Code, failure.RequestID = hide(r.secret, failure.Code), hide(r.secret, failure.RequestID)
	// An answer that is flow control is that for a write too, even where it leaves open whether the write happened.
	if verdict.Classify(o.name, false, failure.Status, failure.Code, rules) == verdict.Throttled {
		pace.Throttled(failure.RetryAfter)
	}
	if failure.Code == expiredToken && r.as == nil {
		c.keys.forget(ctx, keys)
	}
	return none, failure
}

// wait takes the call's turn. A queue that is longer than a call may take is an answer too: come back later.
func (c *Client) wait(ctx context.Context, pace *limit.Limiter) error {
	ctx, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	return pace.Wait(ctx)
}

// sign gets the keys for a call. Whatever goes wrong here, the call itself was not sent.
func (c *Client) sign(ctx context.Context, o op, r request) (account.Credentials, error) {
	get := c.keys.get
	if r.as != nil {
		get = r.as
	}
	ctx, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	keys, err := get(ctx)
	var cloud *verdict.Error
	switch {
	case err == nil:
		return keys, nil
	case errors.As(err, &cloud):
		known := *cloud
		if known.Verdict == verdict.Unknown { // of an exchange of keys, which leaves nothing behind
			known.Verdict = verdict.Transient
		}
		return account.Credentials{}, &known
	default:
		// They were there at Dial, so this is a rotation at work.
		return account.Credentials{}, &verdict.Error{Verdict: verdict.Transient, Op: o.name,
			Message: verdict.Redact("not sent: " + err.Error())}
	}
}

// send makes the request with the SDK. What came back is in w; the error is what the SDK thinks of it. A client for each
// call is cheap; what is worth keeping, the connections, lives in c.transport.
func (c *Client) send(ctx context.Context, o op, r request, keys account.Credentials, w *wire) (err error) {
	defer func() { // the SDK asserts types of what servers send
		if p := recover(); p != nil {
			err = fmt.Errorf("the SDK panicked: %v", p)
		}
	}()
	endpoint := c.endpoints[o.service.name]
	client, err := openapi.NewClient(&openapi.Config{
		AccessKeyId:     &keys.AccessKey,
		AccessKeySecret: &keys.SecretKey,
		SecurityToken:   &keys.SecurityToken,
		Endpoint:        &endpoint.Host,
		Protocol:        &endpoint.Scheme,
		UserAgent:       &c.userAgent, // without one the SDK looks into the environment
		HttpClient:      w,
		// The transport knows the proxies. The SDK would look for them too, only to fail over an odd one, or to send its
		// password to the endpoint.
		NoProxy: &endpoint.Host,
	})
	if err != nil {
		return err
	}
	params := &openapi.Params{
		Action:      &o.name,
		Version:     &o.service.version,
		Protocol:    &endpoint.Scheme,
		Method:      dara.String(cmp.Or(o.method, http.MethodPost)),
		AuthType:    dara.String("AK"),
		Style:       dara.String("RPC"),
		Pathname:    dara.String("/"),
		ReqBodyType: dara.String("formData"),
		BodyType:    dara.String("string"), // decoding is our own: the SDK's loses what it does not expect
	}
	if r.path != "" {
		params.Style, params.Pathname, params.ReqBodyType = dara.String("ROA"), &r.path, dara.String("json")
	}
	if keys.AccessKey == "" {
		params.AuthType = dara.String("Anonymous")
	}
	query := make(map[string]*string, len(r.query)+1)
	if o.service == ecs {
		query["RegionId"] = &c.account.Region
	}
	for name, value := range r.query {
		query[name] = &value
	}
	_, err = client.CallApiWithCtx(ctx, params, &openapi.OpenApiRequest{Query: query, Body: r.body}, &dara.RuntimeOptions{})
	return err
}

// wire is the HTTP client of one call. It keeps the raw answer, since the SDK loses the status of what it cannot decode,
// takes redirects for success, and knows only some shapes of errors.
type wire struct {
	next http.RoundTripper

	sent   bool // the request was given to the transport
	err    error
	status int
	header http.Header
	body   []byte
}

// Call implements the SDK's HttpClient. Redirects are not followed, and the SDK's own transport is not used.
func (w *wire) Call(r *http.Request, _ *http.Transport) (*http.Response, error) {
	w.sent = true
	answer, err := w.next.RoundTrip(r)
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

// success tells whether the raw answer says that it worked. The gateway of the RPC products puts a request id into every
// answer: one without did not come from it. EDAS says 200 in every answer, and says no with a status of success.
func (w *wire) success(o op, r request) bool {
	if w.err != nil || w.status < 200 || w.status > 299 {
		return false
	}
	s := parse(w.body)
	if !s.object || s.code != "" {
		return false
	}
	if o.service == edas {
		return s.fine
	}
	return s.requestID != "" || r.path != ""
}

// failure says what a failed call means. err is what the SDK or the decoder made of it; the raw answer goes before.
func (w *wire) failure(o op, err error) *verdict.Error {
	s := parse(w.body)
	e := &verdict.Error{
		Op:         o.name,
		Status:     w.status,
		RequestID:  cmp.Or(s.requestID, safeToken(w.header.Get("X-Acs-Request-Id"))),
		RetryAfter: retryAfter(w.header),
	}
	switch {
	case !w.sent: // the SDK failed over the request itself: the next try would go the same way
		e.Verdict, e.Message = verdict.Rejected, fmt.Sprintf("not sent: %v", err)
		return e
	case w.status == 0 && w.err == nil: // the transport panicked
		e.Verdict, e.Message = lost(o, err), fmt.Sprint(err)
		return e
	case w.err != nil:
		e.Verdict, e.Message = lost(o, w.err), w.err.Error()
		return e
	}
	e.Code, e.Message = s.code, s.message
	e.Verdict = verdict.Classify(o.name, o.write, w.status, e.Code, rules)
	switch location := w.header.Get("Location"); {
	case e.Message != "" && e.Code != "":
	case w.status >= 300 && w.status < 400 && location != "":
		e.Message = "redirects are not followed: " + location
	case w.status >= 300:
		e.Message = cmp.Or(e.Message, string(w.body), http.StatusText(w.status), "no text")
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
