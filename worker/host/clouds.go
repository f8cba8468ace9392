package host

import (
	"context"
	"sync"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/huawei"
)

// clouds keeps one client per account, so that all activities of the process share its connections and its limits.
type clouds struct {
	accounts *account.Accounts
	mu       sync.Mutex
	huawei   map[string]*huawei.Client
}

// Huawei returns the client of an account. Dialling reaches no network, so holding the lock meanwhile costs nothing.
func (c *clouds) Huawei(ctx context.Context, name string) (*huawei.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.huawei[name]; ok {
		return client, nil
	}
	acct, err := c.accounts.Get(name)
	if err != nil {
		return nil, err
	}
	client, err := huawei.Dial(ctx, huawei.Config{Account: acct})
	if err != nil {
		return nil, err
	}
	if c.huawei == nil {
		c.huawei = map[string]*huawei.Client{}
	}
	c.huawei[name] = client
	return client, nil
}
