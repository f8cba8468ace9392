package host

import (
	"context"
	"strings"
	"sync"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// clouds keeps one client per account, so that all activities of the process share its connections and its limits.
type clouds struct {
	accounts *account.Accounts
	limits   limit.Set
	mu       sync.Mutex
	huawei   map[string]*huawei.Client
}

// Huawei returns the client of an account; a name that is not in the accounts file is bad input, which no retry cures.
// Dialling reaches no network, so holding the lock meanwhile costs nothing.
func (c *clouds) Huawei(ctx context.Context, name string) (*huawei.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.huawei[name]; ok {
		return client, nil
	}
	acct, err := c.accounts.Get(name)
	if err != nil {
		return nil, membership.Bad([]membership.Problem{{Field: "account", Value: membership.Quote(name),
			Want: "is not in the worker's accounts file; it has " + strings.Join(c.accounts.Names(), ", ")}})
	}
	client, err := huawei.Dial(ctx, huawei.Config{Account: acct, Limits: &c.limits})
	if err != nil {
		return nil, err
	}
	if c.huawei == nil {
		c.huawei = map[string]*huawei.Client{}
	}
	c.huawei[name] = client
	return client, nil
}
