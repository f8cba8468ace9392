package alibaba

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
		assert.NoError(t, c.do(t.Context(), serve(t, answer(200, inBody(c.good)))), name)
	}
}

func TestLostAnswers(t *testing.T) {
	for what, handler := range map[string]http.HandlerFunc{
		"dropped before the answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"dropped inside the answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"RequestId":"r"`)
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
		e := failure(t, client, name)
		assert.Equal(t, unclear(name), e.Verdict, name)
		assert.Contains(t, e.Message, "deadline")
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
	server := httptest.NewUnstartedServer(answer(200, inBody(calls[plainRead].good)))
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
	for _, says := range []string{"", body("Throttling.User"), body("ServiceUnavailable"), body(expiredToken)} {
		var hits atomic.Int32
		client := serve(t, func(w http.ResponseWriter, r *http.Request) {
			hits.Add(1)
			answer(503, says)(w, r)
		})
		for name := range calls {
			before := hits.Load()
			failure(t, client, name)
			assert.Equal(t, before+1, hits.Load(), name)
		}
	}
}

func TestWhatGoesOverTheWire(t *testing.T) {
	var got *http.Request
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := verify(r, "the-access-key", "the-secret-key")
		assert.NoError(t, err)
		got = r
		answer(200, inBody(calls[plainRead].good))(w, r)
	}, func(c *Config) { c.UserAgent = "test/1" })
	require.NoError(t, calls[plainRead].do(t.Context(), client))
	assert.Equal(t, http.MethodPost, got.Method)
	assert.Equal(t, "/", got.URL.Path)
	assert.Equal(t, "cn-sim", got.URL.Query().Get("RegionId"))
	assert.Equal(t, "2014-05-26", got.Header.Get("X-Acs-Version"))
	assert.Equal(t, plainRead, got.Header.Get("X-Acs-Action"))
	assert.True(t, strings.HasSuffix(got.UserAgent(), " test/1"), got.UserAgent())
	assert.Empty(t, got.Header.Get("X-Acs-Security-Token"))
}

// Resource-oriented actions are for EDAS and the container service; the core carries them as it carries the others.
func TestResourceOrientedActions(t *testing.T) {
	attach := op{service: ecs, name: "AttachInstancesToNodePool", write: true}
	remove := op{service: ecs, name: "RemoveNodePoolNodes", method: http.MethodDelete, write: true}
	const password = `P@ss w"rd+&=1\`
	status, says := 202, `{"task_id":"T-1"}`
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		content, err := verify(r, "the-access-key", "the-secret-key")
		assert.NoError(t, err)
		switch r.Header.Get("X-Acs-Action") {
		case attach.name:
			assert.Equal(t, "/clusters/c1/nodepools/np1/attach", r.URL.Path)
			assert.JSONEq(t, `{"instances":["i-1"],"keep_instance_name":true,"password":"P@ss w\"rd+&=1\\"}`, content)
		case remove.name:
			assert.Equal(t, http.MethodDelete, r.Method)
			assert.Equal(t, `["i-1","i-2"]`, r.URL.Query().Get("instance_ids"))
			assert.Empty(t, content)
		}
		answer(status, says)(w, r)
	})
	type task struct {
		TaskID string `json:"task_id"`
	}
	send := func() (task, error) {
		return call[task](t.Context(), client, attach, request{
			path:   "/clusters/c1/nodepools/np1/attach",
			body:   map[string]any{"instances": []string{"i-1"}, "keep_instance_name": true, "password": password},
			secret: password,
		}, nil)
	}
	got, err := send()
	require.NoError(t, err)
	assert.Equal(t, "T-1", got.TaskID)
	got, err = call[task](t.Context(), client, remove, request{
		path: "/clusters/c1/nodepools/np1/nodes", query: map[string]string{"instance_ids": `["i-1","i-2"]`},
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, "T-1", got.TaskID)

	status, says = 400, `{"code":"X","message":"weak: P@ss w\"rd+&=1\\ or P%40ss+w%22rd%2B%26%3D1%5C","requestId":"r-1"}`
	_, err = send()
	e := verdict.As(err)
	assert.Equal(t, "weak: … or …", e.Message)
	assert.Equal(t, "r-1", e.RequestID)
}

func TestWhatTheSDKDoesNotSendIsRejected(t *testing.T) {
	_, err := call[struct{}](t.Context(), dial(t, "http://127.0.0.1:1"), op{service: ecs, name: "X", write: true},
		request{path: "/hunter2%zz"}, nil)
	e := verdict.As(err)
	assert.Equal(t, verdict.Rejected, e.Verdict)
	assert.Contains(t, e.Message, "not sent")
	assert.NotContains(t, e.Message, "hunter2")
}

// The SDK would look at the environment on its own; the password of a proxy is no business of the cloud.
func TestTheEnvironmentIsTheTransportsBusiness(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_USER_AGENT", "surprise")
	for _, proxy := range []string{"http://user:hunter2@proxy.example.com:3128", "::no-url"} {
		for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
			t.Setenv(name, proxy)
		}
		client := serve(t, func(w http.ResponseWriter, r *http.Request) {
			assert.Empty(t, r.Header.Get("Proxy-Authorization"))
			assert.NotContains(t, r.UserAgent(), "surprise")
			answer(200, inBody(""))(w, r)
		})
		assert.NoError(t, calls[plainWrite].do(t.Context(), client), proxy)
	}
}

func TestRotatedCredentialsAreUsedAtOnce(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	var got string
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("X-Acs-Security-Token")
		_, err := verify(r, "the-access-key", "the-secret-key")
		assert.NoError(t, err)
		answer(200, inBody(""))(w, r)
	}, func(c *Config) {
		require.NoError(t, os.WriteFile(token, []byte("first\n"), 0o600))
		c.Account.Credentials.SecurityToken = account.Source{File: token}
	})
	for _, want := range []string{"first", "second"} {
		require.NoError(t, os.WriteFile(token, []byte(want+"\n"), 0o600))
		require.NoError(t, calls[plainWrite].do(t.Context(), client))
		assert.Equal(t, want, got)
	}

	require.NoError(t, os.Remove(token))
	e := failure(t, client, plainWrite)
	assert.Equal(t, verdict.Transient, e.Verdict, "nothing was sent, and a rotation ends")
	assert.Contains(t, e.Message, token)
}

func TestThrottlingSlowsTheClientDown(t *testing.T) {
	for _, name := range []string{plainRead, plainWrite} {
		set := &limit.Set{}
		var hits atomic.Int32
		client := serve(t, func(w http.ResponseWriter, r *http.Request) {
			hits.Add(1)
			w.Header().Set("Retry-After", "60.5")
			answer(400, body("Throttling.User"))(w, r)
		}, func(config *Config) {
			config.Limits, config.Pace = set, limit.Seed{Start: 10, Min: 1, Max: 100, Burst: 5}
		})
		assert.Equal(t, verdict.Throttled, failure(t, client, name).Verdict)
		state := set.State()
		require.Len(t, state, 1)
		assert.Equal(t, limit.Key{Account: "demo", Region: "cn-sim", API: name}, state[0].Key)
		assert.Equal(t, 5.0, state[0].Rate)
		assert.Greater(t, state[0].Paused, time.Minute)

		e := failure(t, client, name)
		assert.Equal(t, verdict.Throttled, e.Verdict, "the pause is longer than a call may take")
		assert.Greater(t, e.RetryAfter, time.Minute)
		assert.Equal(t, int32(1), hits.Load(), "nothing was sent")
	}
}

func TestSuccessLiftsTheRate(t *testing.T) {
	set := &limit.Set{}
	client := serve(t, answer(200, inBody("")), func(c *Config) { c.Limits, c.Pace = set, limit.Seed{} })
	require.NoError(t, calls[plainWrite].do(t.Context(), client))
	assert.Greater(t, set.State()[0].Rate, guess.Start)
}

func TestDialSendsAndWritesNothing(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	var hits atomic.Int32
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		answer(200, inBody(""))(w, r)
	})
	assert.Zero(t, hits.Load())
	require.NoError(t, calls[plainWrite].do(t.Context(), client))
	files, err := os.ReadDir(home)
	require.NoError(t, err)
	assert.Empty(t, files)
}

func TestDialRefuses(t *testing.T) {
	t.Setenv("FLEETJOIN_TEST_AK", "ak")
	good := account.Account{Name: "demo", Provider: account.Alibaba, Region: "r",
		Credentials: account.Sources{
			AccessKey: account.Source{Env: "FLEETJOIN_TEST_AK"}, SecretKey: account.Source{Env: "FLEETJOIN_TEST_AK"}}}
	client, err := Dial(t.Context(), Config{Account: good})
	require.NoError(t, err)
	assert.Equal(t, "https://ecs.r.aliyuncs.com", client.endpoints["ecs"].String())
	assert.Equal(t, "https://resourcemanager.aliyuncs.com", client.endpoints["resourcemanager"].String())
	assert.Equal(t, "https://sts.aliyuncs.com", client.endpoints["sts"].String())
	for want, spoil := range map[string]func(*account.Account){
		`account "demo": provider is "huawei", not "alibaba"`: func(a *account.Account) { a.Provider = account.Huawei },
		`account "demo": region is missing`:                   func(a *account.Account) { a.Region = "" },
		`account "demo": the endpoint of ecs is no URL such as https://host`: func(a *account.Account) {
			a.Endpoints = map[string]string{"ecs": "http://[::1"}
		},
		`account "demo": the endpoint of sts is no URL such as https://host`: func(a *account.Account) {
			a.Credentials.Chain.STSEndpoint = "ftp://x"
		},
		`the secretKey cannot be read: environment variable "FLEETJOIN_TEST_UNSET" is not set`: func(a *account.Account) {
			a.Credentials.SecretKey.Env = "FLEETJOIN_TEST_UNSET"
		},
		`credentials of type "sso" are unknown`: func(a *account.Account) { a.Credentials.Chain.Type = "sso" },
		`the token of the identity provider cannot be read: open /nowhere`: func(a *account.Account) {
			a.Credentials.Chain = account.Chain{Type: account.OIDC, OIDCTokenFile: "/nowhere"}
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
