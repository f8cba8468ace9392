package huawei

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
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
		assert.NoError(t, c.do(t.Context(), serve(t, answer(200, c.good))), name)
	}
	assert.NoError(t, calls["AddServerGroupMember"].do(t.Context(), serve(t, answer(204, ""))))
	assert.NoError(t, calls["AddServerGroupMember"].do(t.Context(), serve(t, answer(200, "{}\n"))))
	assert.NoError(t, calls["BatchStopServers"].do(t.Context(), serve(t, answer(202, `{"job_id":"j1"}`))))
}

func TestOnTheWire(t *testing.T) {
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
		Good:    func(action string) http.HandlerFunc { return answer(200, calls[action].good) },
		Throttling: map[string]wiretest.Throttling{
			"read":                           {Action: plainRead, Answer: answer(429, body("APIGW.0308")), Verdict: verdict.Throttled},
			"write":                          {Action: plainWrite, Answer: answer(429, body("APIGW.0308")), Verdict: verdict.Throttled},
			"write that may have gone ahead": {Action: plainWrite, Answer: answer(202, body("Common.0024")), Verdict: verdict.Unknown},
		},
		Region: "sim-1",
	})
}

func TestWhatTheSDKDoesNotSendIsRejected(t *testing.T) {
	e := failure(t, dial(t, "http://[::1"), plainWrite)
	assert.Equal(t, verdict.Rejected, e.Verdict)
	assert.Contains(t, e.Message, "not sent")
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

func TestSuccessLiftsTheRate(t *testing.T) {
	set := &limit.Set{}
	client := serve(t, answer(200, calls[plainRead].good), func(c *Config) { c.Limits, c.Pace = set, limit.Seed{} })
	require.NoError(t, calls[plainRead].do(t.Context(), client))
	assert.Greater(t, set.State()[0].Rate, gateway.Start)
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
