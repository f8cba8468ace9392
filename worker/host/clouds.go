package host

import (
	"context"
	"strings"
	"sync"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// connectTo returns the way of a worker's kinds into the clouds. All clients share the process's limits: a cloud counts
// the calls of an account, whoever makes them.
func connectTo(accounts *account.Accounts, limits *limit.Set) kinds.Clouds {
	return kinds.Clouds{
		Huawei: newClients(accounts, account.Huawei, func(ctx context.Context, a account.Account) (*huawei.Client, error) {
			return huawei.Dial(ctx, huawei.Config{Account: a, Limits: limits})
		}).of,
		Alibaba: newClients(accounts, account.Alibaba, func(ctx context.Context, a account.Account) (*alibaba.Client, error) {
			return alibaba.Dial(ctx, alibaba.Config{Account: a, Limits: limits})
		}).of,
	}
}

// clients keeps one client per account of a provider, so that all activities of the process share its connections.
type clients[C any] struct {
	accounts *account.Accounts
	provider string
	dial     func(context.Context, account.Account) (C, error)

	mu     sync.Mutex
	byName map[string]C
}

func newClients[C any](accounts *account.Accounts, provider string, dial func(context.Context, account.Account) (C, error)) *clients[C] {
	return &clients[C]{accounts: accounts, provider: provider, dial: dial, byName: make(map[string]C)}
}

// of returns the client of an account. A name that is not in the accounts file, or is an account at another cloud, is
// bad input, which no retry cures. Dialling reaches no network, so holding the lock meanwhile costs nothing.
func (c *clients[C]) of(ctx context.Context, name string) (C, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.byName[name]; ok {
		return client, nil
	}
	var none C
	bad := func(want string) (C, error) {
		return none, membership.Bad([]membership.Problem{{Field: "account", Value: membership.Quote(name), Want: want}})
	}
	acct, err := c.accounts.Get(name)
	if err != nil {
		return bad("is not in the worker's accounts file; it has " + strings.Join(c.accounts.Names(), ", "))
	}
	if acct.Provider != c.provider {
		return bad("is an account at " + acct.Provider + "; the kind wants one at " + c.provider)
	}
	client, err := c.dial(ctx, acct)
	if err != nil {
		return none, err
	}
	c.byName[name] = client
	return client, nil
}
