// Package alibaba is a thin, typed client of Alibaba Cloud: of ECS, EDAS, the container service (ACK) and resource groups.
// It adds to the vendor's SDK, which signs and sends, what that lacks: deadlines, one connection pool, paced calls,
// credentials that renew themselves, and errors that say what happened. Every failed call returns a *verdict.Error;
// nothing is retried here.
package alibaba

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire"
)

const (
	defaultTimeout   = 30 * time.Second
	defaultUserAgent = "fleetjoin"
	publicSTS        = "https://sts.aliyuncs.com"
)

// Config says which account a Client works for and how.
type Config struct {
	Account     account.Account
	Transport   http.RoundTripper // nil: an own pool of connections, proxies from the environment, TLS 1.2 or newer
	CallTimeout time.Duration     // longest time of one call, and of the queue before it; 0: 30 s
	UserAgent   string            // "": "fleetjoin"
	Limits      *limit.Set        // shared by all clients of a process; nil: the client's own
	Pace        limit.Seed        // for each API; zero: a careful guess, since the cloud publishes no figures
}

// Client calls the APIs of one account. It is safe for concurrent use.
type Client struct {
	account   account.Account
	endpoints map[string]*url.URL // by service
	keys      keyring
	transport http.RoundTripper
	timeout   time.Duration
	userAgent string
	limits    *limit.Set
	seed      limit.Seed
}

// How much an API takes is not published (facts §7). What is known: it is counted per account, region and API, and a
// throttled one takes calls again in the next minute, at first one a second.
var guess = limit.Seed{Start: 5, Min: 0.1, Max: 50, Burst: 10}

// Dial checks the configuration and that the credentials are in place. It sends nothing. The error is a *verdict.Error,
// Rejected.
func Dial(ctx context.Context, c Config) (*Client, error) {
	refuse := func(format string, args ...any) error {
		why := fmt.Sprintf("account %q: %s", c.Account.Name, fmt.Sprintf(format, args...))
		return &verdict.Error{Verdict: verdict.Rejected, Op: "Dial", Message: verdict.Redact(why)}
	}
	client := &Client{
		account:   c.Account,
		transport: c.Transport,
		timeout:   c.CallTimeout,
		userAgent: cmp.Or(c.UserAgent, defaultUserAgent),
		limits:    c.Limits,
		seed:      c.Pace,
	}
	switch {
	case c.Account.Provider != account.Alibaba:
		return nil, refuse("provider is %q, not %q", c.Account.Provider, account.Alibaba)
	case c.Account.Region == "":
		return nil, refuse("region is missing")
	}
	var err error
	if client.endpoints, err = endpoints(c.Account); err != nil {
		return nil, refuse("%v", err)
	}
	if client.keys, err = client.newKeyring(ctx); err != nil {
		return nil, refuse("%v", err)
	}
	if client.transport == nil {
		client.transport = wire.Transport()
	}
	if client.timeout <= 0 {
		client.timeout = defaultTimeout
	}
	if client.limits == nil {
		client.limits = &limit.Set{}
	}
	if client.seed == (limit.Seed{}) {
		client.seed = guess
	}
	return client, nil
}

// Region is where the account's resources are.
func (c *Client) Region() string { return c.account.Region }

// endpoints takes the URLs apart that the SDK wants as scheme and host.
func endpoints(a account.Account) (map[string]*url.URL, error) {
	byService := map[string]*url.URL{}
	for _, s := range []service{ecs, edas, containers, resourceManager, sts} {
		raw := a.Endpoint(s.name)
		if s == sts {
			raw = cmp.Or(a.Credentials.Chain.STSEndpoint, publicSTS)
		}
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("the endpoint of %s is no URL such as https://host", s.name) // it may hold a password
		}
		byService[s.name] = u
	}
	return byService, nil
}
