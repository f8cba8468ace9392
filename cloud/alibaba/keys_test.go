package alibaba

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// A cloud is an STS and an ECS on one server. The ECS takes only the keys that the STS gave out last.
type cloud struct {
	t        *testing.T
	url      string
	lasts    time.Duration // of the keys of a role
	sts      http.HandlerFunc
	exchange atomic.Int32 // how often the STS gave out keys
	served   atomic.Int32 // how often the ECS was called
	form     url.Values   // what the STS was told last
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{t: t, lasts: time.Hour}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch action := r.Header.Get("X-Acs-Action"); action {
		case "AssumeRole", "AssumeRoleWithOIDC":
			c.give(w, r, action)
		default:
			c.serve(w, r)
		}
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *cloud) give(w http.ResponseWriter, r *http.Request, action string) {
	assert.Equal(c.t, "2015-04-01", r.Header.Get("X-Acs-Version"))
	assert.NotContains(c.t, r.URL.RawQuery, "Token", "what is in a URL ends up in logs")
	if action == "AssumeRole" {
		content, err := verify(r, "the-access-key", "the-secret-key")
		assert.NoError(c.t, err)
		c.form, err = url.ParseQuery(content)
		assert.NoError(c.t, err)
	} else {
		assert.Empty(c.t, r.Header.Get("Authorization"))
		assert.NoError(c.t, r.ParseForm())
		c.form = r.PostForm
	}
	if c.sts != nil {
		c.sts(w, r)
		return
	}
	answer(200, c.keys(int(c.exchange.Add(1))))(w, r)
}

func (c *cloud) keys(n int) string {
	return inBody(fmt.Sprintf(`"AssumedRoleUser":{"Arn":"acs:ram::1:role/r/s"},"Credentials":{"AccessKeyId":"STS.%d",
		"AccessKeySecret":"role-secret-%d","SecurityToken":"role-token-%d","Expiration":%q}`,
		n, n, n, time.Now().Add(c.lasts).UTC().Format(time.RFC3339)))
}

func (c *cloud) serve(w http.ResponseWriter, r *http.Request) {
	c.served.Add(1)
	n := c.exchange.Load()
	if got := r.Header.Get("X-Acs-Security-Token"); got != fmt.Sprintf("role-token-%d", n) {
		answer(400, body(expiredToken))(w, r)
		return
	}
	_, err := verify(r, fmt.Sprintf("STS.%d", n), fmt.Sprintf("role-secret-%d", n))
	assert.NoError(c.t, err)
	answer(200, inBody(""))(w, r)
}

// client is one with the keys of a role.
func (c *cloud) client(edit ...func(*Config)) *Client {
	role := func(config *Config) {
		config.Account.Credentials.Chain = account.Chain{Type: account.AssumeRole, RoleARN: "acs:ram::1:role/r",
			ExternalID: "ext", STSEndpoint: c.url}
	}
	return dial(c.t, c.url, append([]func(*Config){role}, edit...)...)
}

func write(ctx context.Context, client *Client) error { return calls[plainWrite].do(ctx, client) }

func TestAssumeRole(t *testing.T) {
	c := newCloud(t)
	client := c.client()
	assert.Zero(t, c.exchange.Load(), "Dial sends nothing")
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() { assert.NoError(t, write(t.Context(), client)) })
	}
	all.Wait()
	assert.Equal(t, int32(1), c.exchange.Load(), "one exchange serves all")
	assert.Equal(t, url.Values{"RoleArn": {"acs:ram::1:role/r"}, "RoleSessionName": {"fleetjoin"}, "ExternalId": {"ext"}},
		c.form)
}

func TestKeysOfARoleAreRenewedInTime(t *testing.T) {
	c := newCloud(t)
	c.lasts = renewBefore - time.Minute
	client := c.client(func(config *Config) { config.Account.Credentials.Chain.SessionName = "night-shift" })
	require.NoError(t, write(t.Context(), client))
	require.NoError(t, write(t.Context(), client))
	assert.Equal(t, int32(2), c.exchange.Load())
	assert.Equal(t, "night-shift", c.form.Get("RoleSessionName"))

	c.sts = answer(503, body("ServiceUnavailable"))
	require.NoError(t, write(t.Context(), client), "the last ones are still good")
	assert.Equal(t, int32(3), c.served.Load())
}

func TestKeysThatTheCloudDoesNotTakeAnyMore(t *testing.T) {
	c := newCloud(t)
	client := c.client()
	require.NoError(t, write(t.Context(), client))
	c.exchange.Add(1) // somebody revoked the session
	e := failure(t, client, plainWrite)
	assert.Equal(t, verdict.Transient, e.Verdict)
	assert.Equal(t, expiredToken, e.Code)
	require.NoError(t, write(t.Context(), client), "the next call has new keys")
}

func TestExchangesThatFail(t *testing.T) {
	for what, f := range map[string]struct {
		sts  http.HandlerFunc
		want verdict.Verdict
		code string
	}{
		"no permission":   {answer(403, body("NoPermission")), verdict.Rejected, "NoPermission"},
		"throttled":       {answer(400, body("Throttling.User")), verdict.Throttled, "Throttling.User"},
		"unavailable":     {answer(503, ""), verdict.Transient, ""},
		"who knows":       {answer(400, body("InvalidParameter.RoleArn")), verdict.Transient, "InvalidParameter.RoleArn"},
		"nothing":         {answer(200, inBody("")), verdict.Transient, ""},
		"half a key":      {answer(200, inBody(`"Credentials":{"AccessKeyId":"a"}`)), verdict.Transient, ""},
		"own token ended": {answer(400, body(expiredToken)), verdict.Transient, expiredToken},
		"never":           {answer(200, inBody(`"Credentials":{"Expiration":"soon"}`)), verdict.Transient, ""},
	} {
		t.Run(what, func(t *testing.T) {
			c := newCloud(t)
			c.sts = f.sts
			e := verdict.As(write(t.Context(), c.client()))
			assert.Equal(t, f.want, e.Verdict, "nothing was sent, so that nothing is unknown")
			assert.Equal(t, "AssumeRole", e.Op)
			assert.Equal(t, f.code, e.Code)
			assert.Zero(t, c.served.Load())
		})
	}
}

// A caller that gives up leaves the exchange of another alone, and hears at once.
func TestWaitingForKeysEndsWithTheContext(t *testing.T) {
	c := newCloud(t)
	asked, release := make(chan struct{}), make(chan struct{})
	c.sts = func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-release
		answer(200, c.keys(int(c.exchange.Add(1))))(w, r)
	}
	client := c.client()
	first := make(chan error)
	go func() { first <- write(t.Context(), client) }()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	e := verdict.As(write(ctx, client))
	assert.Equal(t, verdict.Transient, e.Verdict)
	assert.Contains(t, e.Message, "waiting for the keys of the role")
	close(release)
	assert.NoError(t, <-first)
}

// Keys that still last are used while they cannot be renewed, and nobody waits for long.
func TestKeysThatLastWhileTheirRenewalHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := role{account.Credentials{AccessKey: "old"}, time.Now().Add(time.Hour)}
		hangs, exchanges := false, 0
		ring := renewed(func(ctx context.Context) (role, error) {
			if exchanges++; hangs {
				<-ctx.Done()
				return role{}, ctx.Err()
			}
			return now, nil
		})
		get := func() (string, error) {
			ctx, stop := context.WithTimeout(t.Context(), defaultTimeout)
			defer stop()
			keys, err := ring.get(ctx)
			return keys.AccessKey, err
		}
		atOnce := func() {
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() {
					key, err := get()
					assert.NoError(t, err)
					assert.Equal(t, "old", key)
				})
			}
			all.Wait()
		}
		atOnce()
		assert.Equal(t, 1, exchanges)
		time.Sleep(time.Until(now.until) - 4*time.Minute)
		hangs = true
		atOnce()
		assert.Equal(t, 2, exchanges, "one has tried for all")
		time.Sleep(renewAgain)
		atOnce()
		assert.Equal(t, 3, exchanges, "and another some time later")

		gone, stop := context.WithCancel(t.Context())
		time.Sleep(renewAgain)
		time.AfterFunc(time.Second, stop)
		_, err := ring.get(gone)
		assert.NoError(t, err)
		hangs, now = false, role{account.Credentials{AccessKey: "new"}, time.Now().Add(time.Hour)}
		key, err := get()
		assert.NoError(t, err)
		assert.Equal(t, "new", key, "that somebody has given up says nothing of the renewal")

		time.Sleep(time.Until(now.until))
		hangs = true
		_, err = get()
		assert.ErrorIs(t, err, context.DeadlineExceeded, "keys that have ended are none")
	})
}

func TestOIDC(t *testing.T) {
	c := newCloud(t)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("ey.first\n"), 0o600))
	client := c.client(func(config *Config) {
		config.Account.Credentials = account.Sources{Chain: account.Chain{Type: account.OIDC, RoleARN: "acs:ram::1:role/r",
			OIDCProviderARN: "acs:ram::1:oidc-provider/k8s", OIDCTokenFile: file, STSEndpoint: c.url}}
	})
	require.NoError(t, write(t.Context(), client))
	assert.Equal(t, url.Values{"RoleArn": {"acs:ram::1:role/r"}, "RoleSessionName": {"fleetjoin"},
		"OIDCProviderArn": {"acs:ram::1:oidc-provider/k8s"}, "OIDCToken": {"ey.first"}}, c.form)

	require.NoError(t, os.WriteFile(file, []byte("ey.second\n"), 0o600))
	c.exchange.Add(1)
	assert.Equal(t, verdict.Transient, verdict.Of(write(t.Context(), client)))
	require.NoError(t, write(t.Context(), client))
	assert.Equal(t, "ey.second", c.form.Get("OIDCToken"), "the token is read at every exchange")

	c.exchange.Add(1)
	assert.Equal(t, verdict.Transient, verdict.Of(write(t.Context(), client)))
	c.sts = answer(400, `{"Code":"AuthenticationFail.X","Message":"the token ey.second is bad","RequestId":"r"}`)
	e := verdict.As(write(t.Context(), client))
	assert.Equal(t, "AssumeRoleWithOIDC", e.Op)
	assert.Equal(t, "the token … is bad", e.Message)

	require.NoError(t, os.Remove(file))
	e = verdict.As(write(t.Context(), client))
	assert.Equal(t, verdict.Transient, e.Verdict)
	assert.Contains(t, e.Message, file)
}

// ofMachine is a client with the keys that the vendor's library finds.
func ofMachine(t *testing.T, chain string, handler http.HandlerFunc) *Client {
	return serve(t, handler, func(c *Config) {
		c.Account.Credentials = account.Sources{Chain: account.Chain{Type: chain}}
	})
}

func TestDefaultChain(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	for _, name := range []string{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"} {
		t.Setenv(name, "")
	}
	var refuse atomic.Bool
	client := ofMachine(t, account.DefaultChain, func(w http.ResponseWriter, r *http.Request) {
		_, err := verify(r, "env-key", "env-secret")
		assert.NoError(t, err)
		if refuse.Load() {
			answer(400, body(expiredToken))(w, r)
			return
		}
		answer(200, inBody(""))(w, r)
	})
	e := failure(t, client, plainWrite)
	assert.Equal(t, verdict.Transient, e.Verdict)
	assert.Contains(t, e.Message, "not sent")

	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "env-key")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "env-secret")
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() { assert.NoError(t, write(t.Context(), client), "what was not there may come") })
	}
	all.Wait()

	refuse.Store(true)
	assert.Equal(t, verdict.Transient, failure(t, client, plainWrite).Verdict)
	refuse.Store(false)
	assert.NoError(t, write(t.Context(), client), "they are looked for anew")
}

func TestMetadataRoleSwitchedOff(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	_, err := Dial(t.Context(), Config{Account: account.Account{Name: "demo", Provider: account.Alibaba, Region: "r",
		Credentials: account.Sources{Chain: account.Chain{Type: account.MetadataRole}}}})
	assert.ErrorContains(t, err, "IMDS credentials is disabled")
}

const asChild = "FLEETJOIN_TEST_METADATA"

// The address of the metadata is fixed, and proxies are looked up once a process: so a child asks for it through a proxy.
func TestMetadataRole(t *testing.T) {
	if os.Getenv(asChild) != "" {
		metadataChild(t)
		return
	}
	var broken atomic.Bool
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "100.100.100.200", r.Host)
		says := `{"Code":"Success","AccessKeyId":"STS.1","AccessKeySecret":"s","SecurityToken":"t",` +
			`"Expiration":"2199-01-01T00:00:00Z"}`
		switch {
		case r.Method == http.MethodPut:
			says = "metadata-token"
		case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
			says = "the-role"
		case broken.CompareAndSwap(false, true): // the library dies of an answer without a code
			says = `{"AccessKeyId":"a","AccessKeySecret":"b","SecurityToken":"c"}`
		}
		_, _ = w.Write([]byte(says))
	}))
	defer metadata.Close()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMetadataRole$", "-test.v")
	child.Env = append(os.Environ(), asChild+"=1", "ALIBABA_CLOUD_ECS_METADATA_DISABLED=", "ALIBABA_CLOUD_ECS_METADATA=",
		"HTTP_PROXY="+metadata.URL, "http_proxy="+metadata.URL, "NO_PROXY=", "no_proxy=")
	out, err := child.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "--- PASS: TestMetadataRole")
	assert.True(t, broken.Load())
}

func metadataChild(t *testing.T) {
	client := ofMachine(t, account.MetadataRole, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "t", r.Header.Get("X-Acs-Security-Token"))
		_, err := verify(r, "STS.1", "s")
		assert.NoError(t, err)
		answer(200, inBody(""))(w, r)
	})
	e := failure(t, client, plainWrite)
	assert.Equal(t, verdict.Transient, e.Verdict)
	assert.Contains(t, e.Message, "panicked")
	require.NoError(t, write(t.Context(), client))
}
