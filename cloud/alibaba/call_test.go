package alibaba

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire/wiretest"
)

func TestGoodAnswers(t *testing.T) {
	for name, c := range calls {
		assert.NoError(t, c.do(t.Context(), serve(t, answer(200, inBody(c.good)))), name)
	}
}

func TestOnTheWire(t *testing.T) {
	throttled := answer(400, body("Throttling.User"))
	wiretest.Test(t, wiretest.Client{
		Dial: func(t testing.TB, endpoint string, o wiretest.Options) wiretest.Caller {
			client := dial(t, endpoint, func(c *Config) {
				c.Transport, c.CallTimeout, c.Limits, c.Pace = o.Transport, o.Timeout, o.Limits, cmp.Or(o.Pace, unlimited)
			})
			return func(ctx context.Context, action string) error { return calls[action].do(ctx, client) }
		},
		Actions: slices.Collect(maps.Keys(calls)),
		Writes:  isWrite,
		Read:    plainRead,
		Write:   plainWrite,
		Good:    func(action string) http.HandlerFunc { return answer(200, inBody(calls[action].good)) },
		Tempting: []http.HandlerFunc{
			answer(503, body("Throttling.User")), answer(503, body("ServiceUnavailable")), answer(503, body(expiredToken)),
		},
		Throttling: map[string]wiretest.Throttling{
			"read":  {Action: plainRead, Answer: throttled, Verdict: verdict.Throttled},
			"write": {Action: plainWrite, Answer: throttled, Verdict: verdict.Throttled},
		},
		Region: "cn-sim",
	})
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

func TestSuccessLiftsTheRate(t *testing.T) {
	set := &limit.Set{}
	client := serve(t, answer(200, inBody("")), func(c *Config) { c.Limits, c.Pace = set, limit.Seed{} })
	require.NoError(t, calls[plainWrite].do(t.Context(), client))
	assert.Greater(t, set.State()[0].Rate, guess.Start)
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
