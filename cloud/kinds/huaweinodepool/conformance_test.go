package huaweinodepool_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/huaweinodepool"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// nodePoolWorld has a cluster that takes a server again and wipes it again, however often it is asked: nothing but the
// kind's own care keeps a system from being installed twice.
const nodePoolWorld = `
seed: 2
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, projectId: 0123456789abcdef0123456789abcdef, region: sim-1}
huawei:
  readLag: 4s
  latency: 20ms
  flavors: [{id: c7.large.2}]
  groups: [{name: spread}]
  cce: {manage: 5s-10s, remove: 4s-8s, appear: 0s-6s, repeatManage: ok}
  clusters:
  - name: prod
    nodePools:
    - {name: workers, flavor: c7.large.2, group: spread}
  - {name: other}
  generate:
  - {name: node-%%03d, count: %d, flavor: c7.large.2, group: spread}
`

func huaweiNodePool(t testing.TB) kindtest.Subject {
	return kindtest.Subject{
		Kind: func(transport http.RoundTripper) membership.Kind {
			return huaweinodepool.New(kindtest.Huawei(transport))
		},
		World: kindtest.World(nodePoolWorld),
		Request: func(s *sim.Sim) membership.Request {
			c := s.World().Huawei.Clusters[0]
			r := membership.Request{Kind: huaweinodepool.ID, Account: "demo", Group: c.NodePools[0].ID,
				Params: membership.Params{"cluster": c.ID}}
			for _, server := range s.Servers() {
				r.Members = append(r.Members, server.ID)
			}
			return r
		},
		// The system is left out: it is what joining and leaving change.
		Member: func(s *sim.Sim, id string) (in bool, state string) {
			server, _ := s.Server(id)
			_, in = s.Node(id)
			return in, fmt.Sprintf("%s %s, ECS group %s", server.Status, server.TaskState, server.Group)
		},
		Failures: []kindtest.Failure{
			{Name: "the add is refused", Code: "CCE.01400001", Fault: sim.Fault{Match: sim.Match{Action: "AddNodesToNodePool"},
				Effect: fault.Status, Status: http.StatusBadRequest, Code: "CCE.01400001"}},
			{Name: "the node cannot be installed", Code: "node-error", Fault: sim.Fault{
				Match: sim.Match{Action: "AddNodesToNodePool"}, Effect: fault.JobFail, Code: "CCE.Install", Message: "no data disk"}},
		},
	}
}

func TestMain(m *testing.M) { kindtest.Main(m) }

func TestConformance(t *testing.T) { kindtest.Run(t, huaweiNodePool(t)) }

func TestCosts(t *testing.T) {
	kindtest.Costs(t, map[string]kindtest.Subject{
		"plain": huaweiNodePool(t),
	})
}
