package alibaba

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire"
)

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
	if err := wire.Turn(ctx, pace, c.timeout); err != nil {
		return none, err
	}
	keys, err := c.sign(ctx, o, r)
	if err != nil {
		return none, err
	}
	// The time in the queue is not the call's: a write that is sent must have time for its answer.
	ctx, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	w := wire.New(ctx, wire.Action{Name: o.name, Write: o.write, Rules: rules}, c.transport)
	err = wire.Guard(func() error { return c.send(ctx, o, r, keys, w) })
	if err == nil && succeeded(w, o, r) {
		if err = json.Unmarshal(w.Body, &answer); err == nil && (complete == nil || complete(&answer)) {
			pace.Succeeded()
			return answer, nil
		}
	}
	failure := w.Failure(answered(w), err)
	failure.Message = verdict.Redact(hide(r.secret, keys.Hide(failure.Message)))
	failure.Code, failure.RequestID = hide(r.secret, failure.Code), hide(r.secret, failure.RequestID)
	if w.Throttled(failure) {
		pace.Throttled(failure.RetryAfter)
	}
	if failure.Code == expiredToken && r.as == nil {
		c.keys.forget(ctx, keys)
	}
	return none, failure
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
func (c *Client) send(ctx context.Context, o op, r request, keys account.Credentials, w *wire.Call) error {
	endpoint := c.endpoints[o.service.name]
	client, err := openapi.NewClient(&openapi.Config{
		AccessKeyId:     &keys.AccessKey,
		AccessKeySecret: &keys.SecretKey,
		SecurityToken:   &keys.SecurityToken,
		Endpoint:        &endpoint.Host,
		Protocol:        &endpoint.Scheme,
		UserAgent:       &c.userAgent, // without one the SDK looks into the environment
		HttpClient:      transport{w},
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

// transport is the SDK's HttpClient of one call. The SDK's own transport is not used.
type transport struct{ call *wire.Call }

// Call implements the SDK's HttpClient. Redirects are not followed.
func (t transport) Call(r *http.Request, _ *http.Transport) (*http.Response, error) {
	return t.call.RoundTrip(r)
}

// succeeded tells whether the raw answer says that it worked. The gateway of the RPC products puts a request id into every
// answer: one without did not come from it. EDAS says 200 in every answer, and says no with a status of success.
func succeeded(w *wire.Call, o op, r request) bool {
	if !w.Arrived() {
		return false
	}
	s := parse(w.Body)
	if !s.object || s.Code != "" {
		return false
	}
	if o.service == edas {
		return s.fine
	}
	return s.RequestID != "" || r.path != ""
}

// answered is what an answer says; the request's id may stand in a header, too.
func answered(w *wire.Call) wire.Said {
	s := parse(w.Body).Said
	s.RequestID = cmp.Or(s.RequestID, wire.Token(w.Header.Get("X-Acs-Request-Id")))
	s.RetryAfter = retryAfter(w.Header)
	return s
}
