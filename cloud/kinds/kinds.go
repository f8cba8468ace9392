// Package kinds is the one list of the kinds there are. Adding a kind is a folder here and a line in All.
package kinds

import (
	"context"
	"errors"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabadeploymentset"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabaedas"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabanodepool"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabaresourcegroup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabasecuritygroup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/huaweinodepool"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/huaweisecuritygroup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/huaweiservergroup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Clouds connects to accounts by name. The zero value connects to none: kinds then describe and validate, which is all
// that the operator's side needs.
type Clouds struct {
	Huawei  func(ctx context.Context, account string) (*huawei.Client, error)
	Alibaba func(ctx context.Context, account string) (*alibaba.Client, error)
}

// All returns every kind.
func All(c Clouds) []membership.Kind {
	if c.Huawei == nil {
		c.Huawei = func(context.Context, string) (*huawei.Client, error) { return nil, errNoAccounts }
	}
	if c.Alibaba == nil {
		c.Alibaba = func(context.Context, string) (*alibaba.Client, error) { return nil, errNoAccounts }
	}
	return []membership.Kind{
		alibabadeploymentset.New(c.Alibaba), // deployment sets (anti-affinity): instances that are stopped for it
		alibabaedas.New(c.Alibaba),          // EDAS: instances in its ECS clusters, by its agent or by a new system
		alibabanodepool.New(c.Alibaba),      // ACK node pools: instances that run, and are wiped
		alibabaresourcegroup.New(c.Alibaba), // resource groups: ECS resources of any type
		alibabasecuritygroup.New(c.Alibaba), // security groups of instances and network interfaces
		huaweinodepool.New(c.Huawei),        // CCE node pools: servers that run, and are wiped
		huaweisecuritygroup.New(c.Huawei),   // VPC security groups of servers
		huaweiservergroup.New(c.Huawei),     // ECS (anti-affinity) groups: stopped servers, KVM only
	}
}

var errNoAccounts = errors.New("no accounts are known here; kinds do their work in a worker")
