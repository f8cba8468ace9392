package huawei

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

func TestGoodAnswers(t *testing.T) {
	for name, c := range calls {
		assert.NoError(t, c.do(t.Context(), serve(t, answer(200, c.good))), name)
	}
	assert.NoError(t, calls["AddServerGroupMember"].do(t.Context(), serve(t, answer(204, ""))))
	assert.NoError(t, calls["AddServerGroupMember"].do(t.Context(), serve(t, answer(200, "{}\n"))))
	assert.NoError(t, calls["BatchStopServers"].do(t.Context(), serve(t, answer(202, `{"job_id":"j1"}`))))
}

func TestLostAnswers(t *testing.T) {
	for what, handler := range map[string]http.HandlerFunc{
		"dropped before the answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"dropped inside the answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"job_id":"j1"`)
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
			client := serve(t, handler)
			for name := range calls {
				assert.Equal(t, unclear(name), failure(t, client, name).Verdict, name)
			}
		})
	}
}

func TestAConnectionThatWasNeverMadeCarriedNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	endpoint := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	for name := range calls {
		e := failure(t, dial(t, endpoint), name)
		assert.Equal(t, verdict.Transient, e.Verdict, name)
		assert.Zero(t, e.Status)
	}
}

func TestACertificateThatNobodyKnowsIsRejected(t *testing.T) {
	server := httptest.NewUnstartedServer(answer(200, ""))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	assert.Equal(t, verdict.Rejected, failure(t, dial(t, server.URL), plainWrite).Verdict)
}

// A cancelled call must not only return: the server must see that nobody waits any more.
func TestCancellationReachesTheWire(t *testing.T) {
	for _, name := range []string{plainRead, plainWrite} {
		arrived, gone := make(chan struct{}), make(chan struct{})
		client := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			close(arrived)
			<-r.Context().Done()
			close(gone)
		})
		ctx, cancel := context.WithCancel(t.Context())
		returned := make(chan error)
		go func() { returned <- calls[name].do(ctx, client) }()
		<-arrived
		cancel()
		assert.Equal(t, unclear(name), verdict.Of(<-returned), name)
		<-gone
	}
}

func TestEveryCallHasADeadline(t *testing.T) {
	for _, name := range []string{plainRead, plainWrite} {
		client := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, func(c *Config) { c.CallTimeout = 50 * time.Millisecond })
		assert.Equal(t, unclear(name), failure(t, client, name).Verdict, name)
	}
}

func TestACancelledCallSendsNothing(t *testing.T) {
	var hits atomic.Int32
	client := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range calls {
		assert.Equal(t, verdict.Transient, verdict.Of(c.do(ctx, client)), name)
	}
	assert.Zero(t, hits.Load())
}

func TestWhatTheSDKDoesNotSendIsRejected(t *testing.T) {
	e := failure(t, dial(t, "http://[::1"), plainWrite)
	assert.Equal(t, verdict.Rejected, e.Verdict)
	assert.Contains(t, e.Message, "not sent")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestPanicsBelowAreErrors(t *testing.T) {
	client := dial(t, "http://127.0.0.1:1", func(c *Config) {
		c.Transport = roundTripper(func(*http.Request) (*http.Response, error) { panic("below") })
	})
	for name := range calls {
		assert.Equal(t, unclear(name), failure(t, client, name).Verdict, name)
	}
}

func TestAnAnswerWithoutEndIsCut(t *testing.T) {
	client := dial(t, "http://127.0.0.1:1", func(c *Config) {
		c.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(endless{})}, nil
		})
	})
	e := failure(t, client, plainRead)
	assert.Equal(t, verdict.Transient, e.Verdict)
	assert.Contains(t, e.Message, "longer than")
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestConnectionsArePooled(t *testing.T) {
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(answer(200, calls[plainRead].good))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := dial(t, server.URL)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 20 {
				assert.NoError(t, calls[plainRead].do(t.Context(), client))
			}
		})
	}
	all.Wait()
	assert.Less(t, opened.Load(), int32(64))
}

func TestNothingIsRetried(t *testing.T) {
	var hits atomic.Int32
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		w.WriteHeader(503)
	})
	for name := range calls {
		before := hits.Load()
		failure(t, client, name)
		assert.Equal(t, before+1, hits.Load(), name)
	}
}

func TestWhatGoesOverTheWire(t *testing.T) {
	var got *http.Request
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		answer(200, calls[plainRead].good)(w, r)
	}, func(c *Config) { c.UserAgent = "test/1" })
	require.NoError(t, calls[plainRead].do(t.Context(), client))
	assert.Equal(t, "/v1/p1/cloudservers/limits", got.URL.Path)
	assert.Equal(t, "p1", got.Header.Get("X-Project-Id"))
	assert.Equal(t, "huaweicloud-usdk-go/3.0; test/1", got.UserAgent())
	assert.Contains(t, got.Header.Get("Authorization"), "SDK-HMAC-SHA256 Access=the-access-key, ")
	assert.Empty(t, got.Header.Get("X-Security-Token"))
}

func TestRotatedCredentialsAreUsedAtOnce(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	var got string
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("X-Security-Token")
		answer(200, calls[plainRead].good)(w, r)
	}, func(c *Config) {
		require.NoError(t, os.WriteFile(token, []byte("first\n"), 0o600))
		c.Account.Credentials.SecurityToken = account.Source{File: token}
	})
	for _, want := range []string{"first", "second"} {
		require.NoError(t, os.WriteFile(token, []byte(want+"\n"), 0o600))
		require.NoError(t, calls[plainRead].do(t.Context(), client))
		assert.Equal(t, want, got)
	}

	require.NoError(t, os.Remove(token))
	e := failure(t, client, plainWrite)
	assert.Equal(t, verdict.Transient, e.Verdict, "nothing was sent, and a rotation ends")
	assert.Contains(t, e.Message, token)
}

func TestIDsThatWouldAddressSomethingElse(t *testing.T) {
	var hits atomic.Int32
	client := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	for _, id := range []string{"", "a/b", "../x", ".", "a b", "a?b", "a#b", "a,b", "a%2Fb", "{project_id}", "é",
		"a\n", strings.Repeat("a", 129)} {
		ctx := t.Context()
		for name, try := range map[string]func() error{
			"ListServersDetails":       func() error { _, err := client.Servers(ctx, []string{"s1", id}); return err },
			"ShowServerGroup":          func() error { _, err := client.Group(ctx, id); return err },
			"NovaShowFlavorExtraSpecs": func() error { _, err := client.Flavor(ctx, id); return err },
			"ShowJob":                  func() error { _, err := client.Job(ctx, id); return err },
			"BatchStopServers":         func() error { _, err := client.StopServers(ctx, []string{id}, true); return err },
			"BatchStartServers":        func() error { _, err := client.StartServers(ctx, []string{id}); return err },
			"AddServerGroupMember":     func() error { return client.AddMember(ctx, "g1", id) },
			"DeleteServerGroupMember":  func() error { return client.RemoveMember(ctx, id, "s1") },
		} {
			e := verdict.As(try())
			assert.Equal(t, verdict.Rejected, e.Verdict, "%s %q", name, id)
			assert.Equal(t, name, e.Op)
		}
		assert.Equal(t, verdict.Rejected, verdict.Of(client.AddMember(ctx, id, "s1")))
	}
	_, err := client.StopServers(t.Context(), nil, false)
	assert.Equal(t, verdict.Rejected, verdict.Of(err))
	assert.Zero(t, hits.Load())
}

func TestThrottlingSlowsTheClientDown(t *testing.T) {
	for what, c := range map[string]struct {
		name    string
		answer  http.HandlerFunc
		verdict verdict.Verdict
	}{
		"read":                           {plainRead, answer(429, body("APIGW.0308")), verdict.Throttled},
		"write":                          {plainWrite, answer(429, body("APIGW.0308")), verdict.Throttled},
		"write that may have gone ahead": {plainWrite, answer(202, body("Common.0024")), verdict.Unknown},
	} {
		t.Run(what, func(t *testing.T) {
			set := &limit.Set{}
			var hits atomic.Int32
			client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				hits.Add(1)
				w.Header().Set("Retry-After", "60.5")
				c.answer(w, r)
			}, func(config *Config) {
				config.Limits, config.Pace = set, limit.Seed{Start: 10, Min: 1, Max: 100, Burst: 5}
			})
			assert.Equal(t, c.verdict, failure(t, client, c.name).Verdict)
			state := set.State()
			require.Len(t, state, 1)
			assert.Equal(t, limit.Key{Account: "demo", Region: "sim-1", API: c.name}, state[0].Key)
			assert.Equal(t, 5.0, state[0].Rate)
			assert.Greater(t, state[0].Paused, time.Minute)

			e := failure(t, client, c.name)
			assert.Equal(t, verdict.Throttled, e.Verdict, "the pause is longer than a call may take")
			assert.Greater(t, e.RetryAfter, time.Minute)
			assert.Equal(t, int32(1), hits.Load(), "nothing was sent")
			assert.Equal(t, 1, set.State()[0].Throttled, "its own refusal is no message of the cloud")
		})
	}
}

func TestSuccessLiftsTheRate(t *testing.T) {
	set := &limit.Set{}
	client := serve(t, answer(200, calls[plainRead].good), func(c *Config) { c.Limits, c.Pace = set, limit.Seed{} })
	require.NoError(t, calls[plainRead].do(t.Context(), client))
	assert.Greater(t, set.State()[0].Rate, gateway.Start)
}

func TestDialSendsAndWritesNothing(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	var hits atomic.Int32
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		answer(200, calls[plainRead].good)(w, r)
	})
	assert.Zero(t, hits.Load())
	require.NoError(t, calls[plainRead].do(t.Context(), client))
	files, err := os.ReadDir(home)
	require.NoError(t, err)
	assert.Empty(t, files)
}

func TestDialRefuses(t *testing.T) {
	t.Setenv("FLEETJOIN_TEST_AK", "ak")
	good := account.Account{Name: "demo", Provider: account.Huawei, Region: "r", ProjectID: "p",
		Credentials: account.Sources{
			AccessKey: account.Source{Env: "FLEETJOIN_TEST_AK"}, SecretKey: account.Source{Env: "FLEETJOIN_TEST_AK"}}}
	_, err := Dial(t.Context(), Config{Account: good})
	require.NoError(t, err)
	for want, spoil := range map[string]func(*account.Account){
		`account "demo": provider is "alibaba", not "huawei"`:      func(a *account.Account) { a.Provider = account.Alibaba },
		`account "demo": region is missing`:                        func(a *account.Account) { a.Region = "" },
		`account "demo": project id "" is missing or malformed`:    func(a *account.Account) { a.ProjectID = "" },
		`account "demo": project id "a/b" is missing or malformed`: func(a *account.Account) { a.ProjectID = "a/b" },
		`the secretKey cannot be read: environment variable "FLEETJOIN_TEST_UNSET" is not set`: func(a *account.Account) {
			a.Credentials.SecretKey.Env = "FLEETJOIN_TEST_UNSET"
		},
	} {
		bad := good
		spoil(&bad)
		_, err := Dial(t.Context(), Config{Account: bad})
		e := verdict.As(err)
		assert.Equal(t, verdict.Rejected, e.Verdict)
		assert.Contains(t, e.Message, want)
	}
}
