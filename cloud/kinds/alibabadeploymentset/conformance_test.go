package alibabadeploymentset_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabadeploymentset"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

const deploymentSetWorld = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  readLag: 4s
  latency: 20ms
  timings: {stop: 10s-30s, start: 10s-30s}
  deployment: {change: 1s-10s, perZone: 500}
  deploymentSets: [{id: ds-target}, {id: ds-old}]
  generate:
  - {name: web-%%03d, count: %d, stoppedPercent: 30}
`

// deploymentSet is the subject; those who join come out of the set from, which may be none.
func deploymentSet(t *testing.T, from string) kindtest.Subject {
	world := kindtest.World(deploymentSetWorld)
	return kindtest.Subject{
		Kind: func(transport http.RoundTripper) membership.Kind {
			return alibabadeploymentset.New(kindtest.Alibaba(transport))
		},
		World: func(n int) sim.World {
			w := world(n)
			for i := range w.Alibaba.Generate {
				w.Alibaba.Generate[i].DeploymentSet = from
			}
			return w
		},
		Request: func(s *sim.Sim) membership.Request {
			r := membership.Request{Kind: alibabadeploymentset.ID, Account: "demo", Group: "ds-target", From: from}
			for _, i := range s.Instances() {
				r.Members = append(r.Members, i.ID)
			}
			return r
		},
		Member: func(s *sim.Sim, id string) (in bool, state string) {
			i, _ := s.Instance(id)
			in = i.DeploymentSet == "ds-target"
			if !in && i.DeploymentSet != from {
				state = "in " + i.DeploymentSet + " "
			}
			return in, state + fmt.Sprintf("%s %s, OS %d", i.Status, i.StoppedMode, i.OSGeneration)
		},
		Failures: []kindtest.Failure{
			{Name: "the set does not take it", Code: "DeploymentSet.ModificationFailed",
				Fault: sim.Fault{Match: sim.Match{Action: "ModifyInstanceDeployment"}, Effect: fault.Status,
					Status: http.StatusForbidden, Code: "DeploymentSet.ModificationFailed"}},
			{Name: "no host is left to start on", Code: "OperationDenied.NoStock",
				Fault: sim.Fault{Match: sim.Match{Action: "StartInstances"}, Effect: fault.Status,
					Status: http.StatusForbidden, Code: "OperationDenied.NoStock", Count: 5}},
		},
	}
}

func TestMain(m *testing.M) { kindtest.Main(m) }

func TestConformance(t *testing.T) { kindtest.Run(t, deploymentSet(t, "")) }

// Who is in another set is moved, and put back there.
func TestMoving(t *testing.T) { kindtest.RunVariant(t, deploymentSet(t, "ds-old")) }

func TestCosts(t *testing.T) {
	kindtest.Costs(t, map[string]kindtest.Subject{
		"out of no set":      deploymentSet(t, ""),
		"out of another set": deploymentSet(t, "ds-old"),
	})
}
