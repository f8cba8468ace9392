// Package wiretest holds what every client of a cloud must do on the wire, whichever SDK makes its calls: nothing is sent
// twice, nothing waits for ever, and whatever goes wrong is an error that says whether a write may have happened.
package wiretest

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// Client is a client of a cloud.
type Client struct {
	Dial    func(t testing.TB, endpoint string, o Options) Caller
	Actions []string          // all that it can call
	Writes  func(string) bool // those that change something; the client's own list must not be asked
	// Read and Write are two for which no rule is special.
	Read, Write string
	Good        func(action string) http.HandlerFunc
	Tempting    []http.HandlerFunc    // failures of any action on which SDKs like to try again
	Throttling  map[string]Throttling // by what it is
	Region      string                // of the account "demo" that Dial works for
}

// Throttling is flow control as an answer to an action, and what that must mean for the caller.
type Throttling struct {
	Action  string
	Answer  http.HandlerFunc
	Verdict verdict.Verdict
}

// Options are those of the client's configuration that the tests set. Zero ones are for Dial to choose, with a pace that
// holds nothing up.
type Options struct {
	Transport http.RoundTripper
	Timeout   time.Duration
	Limits    *limit.Set
	Pace      limit.Seed
}

// Caller calls an action.
type Caller func(ctx context.Context, action string) error

// Test runs all tests.
func Test(t *testing.T, c Client) {
	for name, test := range map[string]func(Client, *testing.T){
		"lost answers":             Client.lostAnswers,
		"no connection":            Client.noConnection,
		"unknown certificate":      Client.unknownCertificate,
		"cancelled on the way":     Client.cancelled,
		"deadline":                 Client.deadline,
		"cancelled before":         Client.cancelledBefore,
		"panics below":             Client.panics,
		"answer without end":       Client.withoutEnd,
		"pooled connections":       Client.pooled,
		"throttling":               Client.throttled,
		"nothing sent by dialling": Client.dialSendsNothing,
		"nothing written to $HOME": Client.writesNothing,
		"nothing retried":          Client.retriesNothing,
	} {
		t.Run(name, func(t *testing.T) { test(c, t) })
	}
}

// unclear is what an answer means that leaves everything open.
func (c Client) unclear(action string) verdict.Verdict {
	if c.Writes(action) {
		return verdict.Unknown
	}
	return verdict.Transient
}

// serve returns a client of a server with one handler.
func (c Client) serve(t testing.TB, handler http.HandlerFunc, o Options) Caller {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return c.Dial(t, server.URL, o)
}

// failure makes a call that must fail, with a classified error of its own name.
func failure(t testing.TB, call Caller, action string) *verdict.Error {
	t.Helper()
	var e *verdict.Error
	require.ErrorAs(t, call(t.Context(), action), &e, action)
	require.Equal(t, action, e.Op)
	require.NotEmpty(t, e.Message, "an error must say something")
	return e
}

func (c Client) lostAnswers(t *testing.T) {
	for what, handler := range map[string]http.HandlerFunc{
		"dropped before the answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"dropped inside the answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"RequestId":"r","job_id":"j1"`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"no HTTP at all": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "SSH-2.0\r\n")
				_ = conn.Close()
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			call := c.serve(t, handler, Options{})
			for _, action := range c.Actions {
				assert.Equal(t, c.unclear(action), failure(t, call, action).Verdict, action)
			}
		})
	}
}

// A connection that was never made carried nothing.
func (c Client) noConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	endpoint := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	for _, action := range c.Actions {
		e := failure(t, c.Dial(t, endpoint, Options{}), action)
		assert.Equal(t, verdict.Transient, e.Verdict, action)
		assert.Zero(t, e.Status)
	}
}

func (c Client) unknownCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(c.Good(c.Write))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	assert.Equal(t, verdict.Rejected, failure(t, c.Dial(t, server.URL, Options{}), c.Write).Verdict)
}

// A cancelled call must not only return: the server must see that nobody waits any more.
func (c Client) cancelled(t *testing.T) {
	for _, action := range []string{c.Read, c.Write} {
		arrived, gone := make(chan struct{}), make(chan struct{})
		call := c.serve(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			close(arrived)
			<-r.Context().Done()
			close(gone)
		}, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		returned := make(chan error)
		go func() { returned <- call(ctx, action) }()
		<-arrived
		cancel()
		assert.Equal(t, c.unclear(action), verdict.Of(<-returned), action)
		<-gone
	}
}

func (c Client) deadline(t *testing.T) {
	for _, action := range []string{c.Read, c.Write} {
		call := c.serve(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, Options{Timeout: 50 * time.Millisecond})
		e := failure(t, call, action)
		assert.Equal(t, c.unclear(action), e.Verdict, action)
		assert.Contains(t, e.Message, "deadline")
	}
}

func (c Client) cancelledBefore(t *testing.T) {
	var hits atomic.Int32
	call := c.serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) }, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, action := range c.Actions {
		assert.Equal(t, verdict.Transient, verdict.Of(call(ctx, action)), action)
	}
	assert.Zero(t, hits.Load())
}

// RoundTripper is a function as a transport.
type RoundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f RoundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (c Client) panics(t *testing.T) {
	call := c.Dial(t, "http://127.0.0.1:1", Options{
		Transport: RoundTripper(func(*http.Request) (*http.Response, error) { panic("below") })})
	for _, action := range c.Actions {
		assert.Equal(t, c.unclear(action), failure(t, call, action).Verdict, action)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func (c Client) withoutEnd(t *testing.T) {
	call := c.Dial(t, "http://127.0.0.1:1", Options{Transport: RoundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(endless{})}, nil
	})})
	e := failure(t, call, c.Read)
	assert.Equal(t, verdict.Transient, e.Verdict)
	assert.Contains(t, e.Message, "longer than")
}

func (c Client) pooled(t *testing.T) {
	const callers, each = 32, 20
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(c.Good(c.Read))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	call := c.Dial(t, server.URL, Options{})
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				assert.NoError(t, call(t.Context(), c.Read))
			}
		})
	}
	all.Wait()
	assert.Less(t, opened.Load(), int32(4*callers), "without a pool, every third call opens one")
}

func (c Client) retriesNothing(t *testing.T) {
	bare := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }
	for _, answer := range append(c.Tempting, bare) {
		var hits atomic.Int32
		call := c.serve(t, func(w http.ResponseWriter, r *http.Request) {
			hits.Add(1)
			answer(w, r)
		}, Options{})
		for _, action := range c.Actions {
			before := hits.Load()
			failure(t, call, action)
			assert.Equal(t, before+1, hits.Load(), action)
		}
	}
}

func (c Client) throttled(t *testing.T) {
	require.NotEmpty(t, c.Throttling)
	for what, throttling := range c.Throttling {
		t.Run(what, func(t *testing.T) {
			set := &limit.Set{}
			var hits atomic.Int32
			call := c.serve(t, func(w http.ResponseWriter, r *http.Request) {
				hits.Add(1)
				w.Header().Set("Retry-After", "60.5")
				throttling.Answer(w, r)
			}, Options{Limits: set, Pace: limit.Seed{Start: 10, Min: 1, Max: 100, Burst: 5}})
			assert.Equal(t, throttling.Verdict, failure(t, call, throttling.Action).Verdict)
			state := set.State()
			require.Len(t, state, 1)
			assert.Equal(t, limit.Key{Account: "demo", Region: c.Region, API: throttling.Action}, state[0].Key)
			assert.Equal(t, 5.0, state[0].Rate)
			assert.Greater(t, state[0].Paused, time.Minute)

			e := failure(t, call, throttling.Action)
			assert.Equal(t, verdict.Throttled, e.Verdict, "the pause is longer than a call may take")
			assert.Greater(t, e.RetryAfter, time.Minute)
			assert.Equal(t, int32(1), hits.Load(), "nothing was sent")
			assert.Equal(t, 1, set.State()[0].Throttled, "its own refusal is no message of the cloud")
		})
	}
}

func (c Client) dialSendsNothing(t *testing.T) {
	var hits atomic.Int32
	call := c.serve(t, func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		c.Good(c.Read)(w, r)
	}, Options{})
	assert.Zero(t, hits.Load())
	assert.NoError(t, call(t.Context(), c.Read))
	assert.Equal(t, int32(1), hits.Load())
}

func (c Client) writesNothing(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	assert.NoError(t, c.serve(t, c.Good(c.Read), Options{})(t.Context(), c.Read))
	files, err := os.ReadDir(home)
	require.NoError(t, err)
	assert.Empty(t, files)
}
