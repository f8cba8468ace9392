// Package huawei is a thin, typed client of Huawei Cloud's elastic cloud servers, their groups and security groups, and
// the clusters that they can be nodes of. It adds to the vendor's SDK what that lacks: contexts and deadlines that reach the wire, one
// connection pool, paced calls, and errors that say what happened. Every failed call returns a *verdict.Error; nothing is
// retried here.
package huawei

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire"
)

const (
	defaultTimeout   = 30 * time.Second
	defaultUserAgent = "fleetjoin"
)

// Config says which account a Client works for and how.
type Config struct {
	Account     account.Account
	Transport   http.RoundTripper // nil: an own pool of connections, proxies from the environment, TLS 1.2 or newer
	CallTimeout time.Duration     // longest time of one call, and of the queue before it; 0: 30 s
	UserAgent   string            // "": "fleetjoin"
	Limits      *limit.Set        // shared by all clients of a process; nil: the client's own
	Pace        limit.Seed        // for each API; zero: what is known of the real gateway
}

// Client calls the ECS, CCE and VPC APIs of one account. It is safe for concurrent use.
type Client struct {
	account   account.Account
	transport http.RoundTripper
	timeout   time.Duration
	userAgent string
	limits    *limit.Set
	seed      limit.Seed // zero: what is known of the real gateway
	groups    groupReads // see EachGroup
}

// The gateway's default is 200 calls per second and API (facts §9); what was seen throttled began at 70. Start below.
var gateway = limit.Seed{Start: 50, Min: 0.1, Max: 200, Burst: 20}

// A project id becomes part of every path and of a signed header.
var safeProject = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Dial checks the configuration and that the credentials can be read. It sends nothing. The error is a *verdict.Error,
// Rejected.
func Dial(ctx context.Context, c Config) (*Client, error) {
	refuse := func(format string, args ...any) error {
		why := fmt.Sprintf("account %q: %s", c.Account.Name, fmt.Sprintf(format, args...))
		return &verdict.Error{Verdict: verdict.Rejected, Op: "Dial", Message: why}
	}
	client := &Client{
		account:   c.Account,
		transport: c.Transport,
		timeout:   c.CallTimeout,
		userAgent: c.UserAgent,
		limits:    c.Limits,
		seed:      c.Pace,
	}
	switch {
	case c.Account.Provider != account.Huawei:
		return nil, refuse("provider is %q, not %q", c.Account.Provider, account.Huawei)
	case c.Account.Region == "":
		return nil, refuse("region is missing")
	case !safeProject.MatchString(c.Account.ProjectID):
		// Without it the SDK sends the literal text {project_id}.
		return nil, refuse("project id %q is missing or malformed", c.Account.ProjectID)
	}
	if _, err := c.Account.Secrets(ctx); err != nil {
		return nil, refuse("%v", err)
	}
	if client.transport == nil {
		client.transport = wire.Transport()
	}
	if client.timeout <= 0 {
		client.timeout = defaultTimeout
	}
	if client.userAgent == "" {
		client.userAgent = defaultUserAgent
	}
	if client.limits == nil {
		client.limits = &limit.Set{}
	}
	return client, nil
}

// dial builds the SDK's client of a service for one call. That is cheap, and the only way to give a call its own context:
// the SDK has no room for one. What is worth keeping, the connections, lives in c.transport.
func (s *service[S]) dial(c *Client, keys account.Credentials, wire http.RoundTripper) (none S, err error) {
	credentials, err := basic.NewCredentialsBuilder().
		WithAk(keys.AccessKey).
		WithSk(keys.SecretKey).
		WithSecurityToken(keys.SecurityToken).
		WithProjectId(c.account.ProjectID).
		SafeBuild()
	if err != nil {
		return none, err
	}
	built, err := s.builder().WithEndpoint(c.account.Endpoint(s.name)).
		WithCredential(credentials).
		WithHttpConfig(config.DefaultHttpConfig().
			WithTimeout(0). // the context has the deadline
			WithHttpRoundTripper(wire).
			WithUserAgent(c.userAgent)). // without one the SDK writes a file into the home folder
		SafeBuild()
	if err != nil {
		return none, err
	}
	return s.client(built), nil
}
