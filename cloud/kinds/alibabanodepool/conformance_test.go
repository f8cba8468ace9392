package alibabanodepool_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabanodepool"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// containerWorld has a cluster that takes an instance again and wipes it again, however often it is asked: nothing but the
// kind's own care keeps a system from being installed twice.
const containerWorld = `
seed: 3
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  readLag: 4s
  latency: 20ms
  timings: {stop: 1s-3s, start: 1s-3s, snapshot: 3s-6s, image: 3s-6s, replaceDisk: 3s-6s}
  containers: {appear: 0s-6s, attach: 5s-10s, remove: 2s-4s, drain: 1s-3s, repeatAttach: ok, nodeQuota: 500}
  clusters:
  - {id: c-prod, nodePools: [{id: np-workers}, {id: np-others}]}
  - {id: c-other, nodePools: [{id: np-theirs}]}
  generate:
  - {name: node-%%03d, count: %d}
`

// containerNodePool asks for a password, as most people do, and for a backup or none.
func containerNodePool(t testing.TB, backup bool) kindtest.Subject {
	return kindtest.Subject{
		Kind: func(transport http.RoundTripper) membership.Kind {
			return alibabanodepool.New(kindtest.Alibaba(transport))
		},
		World: kindtest.World(containerWorld),
		Request: func(s *sim.Sim) membership.Request {
			r := membership.Request{Kind: alibabanodepool.ID, Account: "demo", Group: "np-workers",
				Params: membership.Params{"cluster": "c-prod", "passwordFrom": map[string]any{"env": "FLEETJOIN_PASSWORD_NODES"}}}
			if backup {
				r.Params["backup"] = true
			}
			for _, i := range s.Instances() {
				r.Members = append(r.Members, i.ID)
			}
			return r
		},
		// The system is left out: it is what joining changes, and what leaving does not give back.
		Member: func(s *sim.Sim, id string) (in bool, state string) {
			i, _ := s.Instance(id)
			n, in := s.ContainerNode(id)
			return in && n.Pool == "np-workers", fmt.Sprintf("%s %s, busy: %v", i.Name, i.Status, i.Busy)
		},
		// A refusal, of which nothing is left to undo, is among the codes in TestEveryCodeOfContainers.
		Failures: []kindtest.Failure{
			{Name: "the node cannot be installed", Code: "node-failed", Fault: sim.Fault{Match: sim.Match{Action: "AttachInstances"},
				Effect: fault.JobFail, Code: "InstallFailed", Message: "no route to the API server"}},
		},
	}
}

// The way that makes more writes than the one in TestConformance.
func TestContainerNodePoolWithBackup(t *testing.T) {
	t.Parallel()
	kindtest.RunVariant(t, containerNodePool(t, true))
}

func TestMain(m *testing.M) { kindtest.Main(m) }

func TestConformance(t *testing.T) { kindtest.Run(t, containerNodePool(t, false)) }

func TestCosts(t *testing.T) {
	kindtest.Costs(t, map[string]kindtest.Subject{
		"plain":       containerNodePool(t, false),
		"with backup": containerNodePool(t, true),
	})
}
