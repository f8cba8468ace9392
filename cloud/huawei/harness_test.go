package huawei

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// unlimited is for tests that are not about pacing.
var unlimited = limit.Seed{Start: 1e6, Min: 1e6, Max: 1e6, Burst: 1e6}

// dial returns a client of an endpoint, after edit had its way with the configuration.
func dial(t testing.TB, endpoint string, edit ...func(*Config)) *Client {
	t.Helper()
	t.Setenv("FLEETJOIN_TEST_AK", "the-access-key")
	t.Setenv("FLEETJOIN_TEST_SK", "the-secret-key")
	config := Config{
		Account: account.Account{
			Name:      "demo",
			Provider:  account.Huawei,
			Region:    "sim-1",
			ProjectID: "p1",
			Endpoints: map[string]string{"ecs": endpoint, "cce": endpoint, "vpc": endpoint},
			Credentials: account.Sources{
				AccessKey: account.Source{Env: "FLEETJOIN_TEST_AK"},
				SecretKey: account.Source{Env: "FLEETJOIN_TEST_SK"},
			},
		},
		Pace: unlimited,
	}
	for _, e := range edit {
		e(&config)
	}
	client, err := Dial(t.Context(), config)
	require.NoError(t, err)
	return client
}

// serve returns a client of a server with one handler.
func serve(t testing.TB, handler http.HandlerFunc, edit ...func(*Config)) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return dial(t, server.URL, edit...)
}

// answer is a handler that always says the same.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "req-1")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// calls has every action of the client, with what a good answer to it is.
var calls = map[string]struct {
	good string
	do   func(context.Context, *Client) error
}{
	"ListServersDetails": {`{"count":0,"servers":[]}`, func(ctx context.Context, c *Client) error {
		_, err := c.Servers(ctx, []string{"s1"})
		return err
	}},
	"ShowServerGroup": {`{"server_group":{"id":"g1","members":[]}}`, func(ctx context.Context, c *Client) error {
		_, err := c.Group(ctx, "g1")
		return err
	}},
	"ListServerGroups": {`{"server_groups":[]}`, func(ctx context.Context, c *Client) error {
		return c.EachGroup(ctx, func(Group) error { return nil })
	}},
	"NovaShowFlavorExtraSpecs": {`{"extra_specs":{}}`, func(ctx context.Context, c *Client) error {
		_, err := c.Flavor(ctx, "s6.large.2")
		return err
	}},
	"ShowServerLimits": {`{"absolute":{"maxServerGroups":10}}`, func(ctx context.Context, c *Client) error {
		_, err := c.Limits(ctx)
		return err
	}},
	"ShowJob": {`{"job_id":"j1","status":"RUNNING"}`, func(ctx context.Context, c *Client) error {
		_, err := c.Job(ctx, "j1")
		return err
	}},
	"BatchStopServers": {`{"job_id":"j1"}`, func(ctx context.Context, c *Client) error {
		_, err := c.StopServers(ctx, []string{"s1"}, false)
		return err
	}},
	"BatchStartServers": {`{"job_id":"j1"}`, func(ctx context.Context, c *Client) error {
		_, err := c.StartServers(ctx, []string{"s1"})
		return err
	}},
	"AddServerGroupMember": {``, func(ctx context.Context, c *Client) error {
		return c.AddMember(ctx, "g1", "s1")
	}},
	"DeleteServerGroupMember": {``, func(ctx context.Context, c *Client) error {
		return c.RemoveMember(ctx, "g1", "s1")
	}},
	"NovaListServerSecurityGroups": {`{"security_groups":[]}`, func(ctx context.Context, c *Client) error {
		_, err := c.SecurityGroupsOf(ctx, "s1")
		return err
	}},
	"NovaAssociateSecurityGroup": {``, func(ctx context.Context, c *Client) error {
		return c.AddToSecurityGroup(ctx, "g1", "s1")
	}},
	"NovaDisassociateSecurityGroup": {``, func(ctx context.Context, c *Client) error {
		return c.RemoveFromSecurityGroup(ctx, "g1", "s1")
	}},
}

// One read and one write for which no rule is special.
const plainRead, plainWrite = "ShowServerLimits", "BatchStopServers"

// isWrite says which actions change something; the client's own list is not asked.
func isWrite(name string) bool {
	switch name {
	case "BatchStopServers", "BatchStartServers", "AddServerGroupMember", "DeleteServerGroupMember":
		return true
	}
	return ofNova(name)
}

// ofNova are the writes that answer 202 and nothing else for success.
func ofNova(name string) bool {
	return name == "NovaAssociateSecurityGroup" || name == "NovaDisassociateSecurityGroup"
}

// unclear is what an answer means that leaves everything open.
func unclear(name string) verdict.Verdict {
	if isWrite(name) {
		return verdict.Unknown
	}
	return verdict.Transient
}

// failure makes a call that must fail, with a classified error of its own name.
func failure(t testing.TB, c *Client, name string) *verdict.Error {
	t.Helper()
	err := calls[name].do(t.Context(), c)
	var e *verdict.Error
	require.ErrorAs(t, err, &e, name)
	require.Equal(t, name, e.Op)
	require.NotEmpty(t, e.Message, "an error must say something")
	return e
}

// body is an error in the shape that its code comes in.
func body(code string) string {
	switch {
	case code == "":
		return "<html>nothing here</html>"
	case !strings.Contains(code, "."):
		return fmt.Sprintf(`{%q:{"message":"gone","code":404}}`, code)
	case strings.HasPrefix(code, "VPC."):
		return fmt.Sprintf(`{"code":%q,"message":"no"}`, code)
	case len(code) > 5 && code[:5] == "APIGW":
		return fmt.Sprintf(`{"error_msg":"no","error_code":%q,"request_id":"req-1"}`, code)
	default:
		return fmt.Sprintf(`{"error":{"code":%q,"message":"no","details":[{"code":"x","message":"y"}]}}`, code)
	}
}
