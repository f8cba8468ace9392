package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// maxBody is the gateway's limit for signed requests.
const maxBody = 12 << 20

// ServeHTTP answers cloud calls by their paths, and the control plane under /_sim/.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.serveControl(w, r)
		return
	}
	if err := s.store.err(); err != nil {
		unsaved(w, err)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		tooLarge := new(http.MaxBytesError)
		if errors.As(err, &tooLarge) {
			http.Error(w, "the body is larger than 12 MiB", http.StatusRequestEntityTooLarge)
		}
		return // otherwise the caller went away in the middle of the body
	}
	s.mu.RLock()
	x := &exchange{sim: s, state: s.state, w: w}
	s.mu.RUnlock()
	n := s.requests.Add(1)
	x.call = &wire.Call{HTTP: r, Body: body, RequestID: fmt.Sprintf("%016x%016x", s.start, n), Number: n}
	x.serve()
}

// callOf is the number of the call with this request id.
func callOf(requestID string) int64 {
	n, err := strconv.ParseInt(requestID[len(requestID)/2:], 16, 64)
	if err != nil {
		return 0 // of a simulator that wrote it otherwise
	}
	return n
}

func unsaved(w http.ResponseWriter, err error) {
	http.Error(w, "the simulator cannot save its state: "+err.Error(), http.StatusInternalServerError)
}

// exchange is one cloud call on its way through the simulator.
type exchange struct {
	sim     *Sim
	state   *state // the world that it came to
	w       http.ResponseWriter
	call    *wire.Call
	service wire.Service
	rule    *fault.Rule
}

func (x *exchange) serve() {
	refusal := x.admit()
	if refusal != nil {
		x.record(*refusal, false)
		x.send(*refusal)
		return
	}
	x.rule = x.sim.faults.Pick(x.call.Call)
	if err := x.travel(); err != nil {
		x.record(wire.Answer{Effect: journal.Refused}, true)
		drop()
	}
	switch {
	case !x.disturbed():
		x.send(x.apply())
	case x.after():
		x.apply()
		x.disturb()
	case x.silent():
		x.record(wire.Answer{Effect: journal.Refused}, true)
		x.disturb()
	default:
		answer := x.replacement()
		x.record(answer, false)
		x.send(answer)
	}
}

// admit finds the service, and returns its refusal of a caller it does not know or a call it cannot read.
func (x *exchange) admit() *wire.Answer {
	for _, service := range x.state.services() {
		mine, unreadable := service.Route(x.call)
		if !mine {
			continue
		}
		x.service = service
		if refusal := service.Admit(x.call, x.sim.clock.Now()); refusal != nil {
			return refusal
		}
		return unreadable
	}
	x.call.Action = x.call.HTTP.Method + " " + x.call.HTTP.URL.Path
	x.call.Write = x.call.HTTP.Method != http.MethodGet
	return &wire.Answer{Status: http.StatusNotImplemented, Code: "SIM.0501", Effect: journal.Refused, Body: map[string]string{
		"error_code": "SIM.0501", "error_msg": "The simulator does not implement " + x.call.Action + ".",
		"request_id": x.call.RequestID}}
}

// travel lets the latency pass, and a delay if that is the fault. It fails if the caller gives up.
func (x *exchange) travel() error {
	takes := x.service.Latency(x.call)
	if x.rule != nil && x.rule.Effect == fault.Delay {
		takes += time.Duration(x.rule.For)
	}
	if takes == 0 {
		return nil
	}
	return x.sim.clock.Sleep(x.call.HTTP.Context(), takes)
}

// disturbed reports whether a fault takes the place of the service's answer.
func (x *exchange) disturbed() bool {
	return x.rule != nil && !x.rule.Transition() && x.rule.Effect != fault.Delay
}

// after reports whether the fault that disturbs comes after the effect.
func (x *exchange) after() bool {
	return x.rule.Effect == fault.DropAfter || x.rule.After && x.rule.Effect != fault.DropBefore
}

// apply lets the call take effect and journals it in one step.
func (x *exchange) apply() wire.Answer {
	s := x.sim
	if x.rule != nil && x.rule.Transition() {
		x.call.Rule = x.rule
	}
	if x.call.Write {
		s.mu.Lock()
		defer s.mu.Unlock()
	} else {
		s.mu.RLock()
		defer s.mu.RUnlock()
	}
	if s.state != x.state {
		answer := x.service.Refuse(x.call, http.StatusServiceUnavailable, "SIM.0503", "The world was replaced meanwhile.")
		x.record(answer, false)
		return answer
	}
	x.call.Now = s.clock.Now()
	answer := x.service.Serve(x.call)
	x.record(answer, x.disturbed())
	return answer
}

// record journals the call with the answer that it got, or would have got were it not lost.
func (x *exchange) record(answer wire.Answer, lost bool) {
	c := x.call
	e := Entry{At: x.sim.clock.Now(), Wall: time.Now(), Account: c.Account, Action: c.Action, Method: c.HTTP.Method,
		Path: shown(c.HTTP.URL), RequestID: c.RequestID, Servers: c.Servers, Group: c.Group, Write: c.Write,
		Status: answer.Status, Code: answer.Code, Lost: lost}
	name := ""
	if x.service != nil {
		name = x.service.Name()
	}
	if c.Write {
		e.Effect = answer.Effect
	}
	if x.rule != nil {
		e.Fault = x.rule.Effect
	}
	// The store remembers a failure to save, and send does not answer then.
	_ = x.sim.journal.Append(e, x.sim.saveEntry(name, answer.Change))
}

// shown is the path and query of a call without the passwords that some calls carry there.
func shown(u *url.URL) string {
	query, secret := u.Query(), false
	for name := range query {
		if strings.EqualFold(name, "password") {
			query.Set(name, "***")
			secret = true
		}
	}
	if !secret {
		return u.RequestURI()
	}
	return (&url.URL{Path: u.Path, RawQuery: query.Encode()}).RequestURI()
}

// silent reports whether the caller gets no answer at all.
func (x *exchange) silent() bool {
	return x.rule.Effect == fault.DropBefore || x.rule.Effect == fault.DropAfter || x.rule.Effect == fault.Timeout
}

// disturb gives the caller what the fault puts in the place of the service's answer.
func (x *exchange) disturb() {
	if !x.silent() {
		x.send(x.replacement())
		return
	}
	if x.rule.Effect == fault.Timeout {
		x.hang(time.Duration(x.rule.For))
	}
	drop()
}

// replacement is the answer that the fault gives.
func (x *exchange) replacement() wire.Answer {
	r, c := x.rule, x.call
	var answer wire.Answer
	switch {
	case r.Effect == fault.HTML502:
		answer = wire.Answer{Status: http.StatusBadGateway, Body: wire.Raw{ContentType: "text/html",
			Text: "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"}}
	case r.Effect == fault.Garbage200:
		answer = wire.Answer{Status: http.StatusOK, Body: wire.Raw{ContentType: "application/json",
			Text: `{"server_group": {"members": ["`}}
	case r.Effect == fault.Empty200:
		answer = wire.Answer{Status: http.StatusOK}
	case r.Effect == fault.Redirect307:
		answer = wire.Answer{Status: http.StatusTemporaryRedirect,
			Header: http.Header{"Location": {c.HTTP.URL.RequestURI()}}}
	case r.Effect == fault.Throttle:
		answer = x.throttle()
	case r.Body != "":
		answer = wire.Answer{Status: r.Status, Body: wire.Raw{ContentType: "application/json", Text: r.Body}}
	case r.Code != "":
		answer = x.service.Refuse(c, r.Status, r.Code, r.Message)
	default:
		answer = wire.Answer{Status: r.Status}
	}
	answer.Code, answer.Effect = cmp.Or(answer.Code, r.Code), journal.Refused
	answer.Header = merged(answer.Header, r.Headers)
	return answer
}

// throttle refuses a call as the service does under the status that the rule names, with the rule's own code if it
// has one.
func (x *exchange) throttle() wire.Answer {
	r := x.rule
	answer := x.service.Throttled(x.call, r.Status, r.RetryAfter)
	if r.Code == "" {
		return answer
	}
	own := x.service.Refuse(x.call, answer.Status, r.Code, cmp.Or(r.Message, "The system is busy. Try again later."))
	own.Header = answer.Header
	return own
}

// hang waits until the caller gives up, or for d if that is not 0.
func (x *exchange) hang(d time.Duration) {
	ctx := x.call.HTTP.Context()
	if d == 0 {
		<-ctx.Done()
		return
	}
	_ = x.sim.clock.Sleep(ctx, d) // either way there is no answer
}

// drop closes the connection without an answer.
func drop() { panic(http.ErrAbortHandler) }

func (x *exchange) send(a wire.Answer) {
	if err := x.sim.store.err(); err != nil {
		unsaved(x.w, err) // never confirm what would be forgotten
		return
	}
	header := x.w.Header()
	maps.Copy(header, a.Header)
	header.Set("X-Request-Id", x.call.RequestID)
	var body []byte
	switch b := a.Body.(type) {
	case nil:
	case wire.Raw:
		header.Set("Content-Type", b.ContentType)
		body = []byte(b.Text)
	default:
		header.Set("Content-Type", "application/json")
		body = encode(b)
	}
	if a.Status != http.StatusNoContent {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.w.WriteHeader(a.Status)
	_, _ = x.w.Write(body) // a caller who went away is no error of ours
}

// encode renders a body. Bodies are plain structs, so a failure is a bug in a service.
func encode(body any) []byte {
	data, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("sim: body %T: %v", body, err))
	}
	return data
}

func merged(header http.Header, more map[string]string) http.Header {
	if len(more) == 0 {
		return header
	}
	all := header.Clone()
	if all == nil {
		all = http.Header{}
	}
	for name, value := range more {
		all.Set(name, value)
	}
	return all
}

// inProcess marks the context of a request that came through the RoundTripper.
type inProcess struct{}

// RoundTripper returns a transport that brings every request to the simulator, whatever its host, without a network.
// It honours the request's context.
func (s *Sim) RoundTripper() http.RoundTripper { return transport{s} }

type transport struct{ sim *Sim }

func (t transport) RoundTrip(r *http.Request) (response *http.Response, err error) {
	ctx := r.Context()
	in := r.Clone(context.WithValue(ctx, inProcess{}, true))
	in.RequestURI = r.URL.RequestURI()
	in.Header = received(r.Header)
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rec := &recorder{header: http.Header{}}
	defer func() {
		switch p := recover(); {
		case p == nil:
		case p == http.ErrAbortHandler && ctx.Err() != nil:
			response, err = nil, ctx.Err()
		case p == http.ErrAbortHandler:
			response, err = nil, io.EOF // as from a closed connection
		default:
			panic(p)
		}
	}()
	t.sim.ServeHTTP(rec, in)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return rec.response(r), nil
}

// received is the header as a server finds it: some clients write names in their own way, which no network shows.
func received(sent http.Header) http.Header {
	header := make(http.Header, len(sent))
	for name, values := range sent {
		for _, value := range values {
			header.Add(name, value)
		}
	}
	return header
}
