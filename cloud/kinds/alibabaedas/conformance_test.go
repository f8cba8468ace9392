package alibabaedas_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabaedas"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// edasWorld has a cluster that imports an instance again and installs its system again, however often it is asked: nothing
// but the kind's own care keeps that from happening twice.
const edasWorld = `
seed: 5
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  readLag: 4s
  latency: 20ms
  timings: {stop: 5s-10s, start: 5s-10s, snapshot: 5s-10s, image: 5s-10s, replaceDisk: 5s-10s}
  edas: {appear: 0s-6s, import: 8s-16s, install: 5s-10s, remove: 4s-8s}
  edasClusters:
  - {name: prod}
  - {name: other}
  generate:
  - {name: web-%%03d, count: %d}
`

// The routes into a cluster of EDAS.
var (
	byAgent    = membership.Params{"route": "install-agent"}
	byImport   = membership.Params{"route": "reimage", "passwordFrom": map[string]any{"env": "FLEETJOIN_PASSWORD_EDAS"}}
	withBackup = membership.Params{"route": "reimage", "passwordFrom": byImport["passwordFrom"], "backup": true}
)

func edas(t testing.TB, params membership.Params) kindtest.Subject {
	s := kindtest.Subject{
		Kind:  func(transport http.RoundTripper) membership.Kind { return alibabaedas.New(kindtest.Alibaba(transport)) },
		World: kindtest.World(edasWorld),
		Request: func(s *sim.Sim) membership.Request {
			r := membership.Request{Kind: alibabaedas.ID, Account: "demo", Group: s.World().Alibaba.EDASClusters[0].ID,
				Params: params}
			for _, i := range s.Instances() {
				r.Members = append(r.Members, i.ID)
			}
			return r
		},
		Member: func(s *sim.Sim, id string) (in bool, state string) {
			i, _ := s.Instance(id)
			m, listed := s.EDASMember(id)
			in = listed && m.Status == 1
			state = fmt.Sprintf("%s, busy: %v", i.Status, i.Busy)
			// An import changes the system; but whoever installs the agent must not, and what was given back must be the old one.
			if (params["route"] == "install-agent" || i.OSGeneration > 2) && !kindtest.HasItsSystem(s, i) {
				state += ", with another system"
			}
			return in, state
		},
	}
	if params["route"] == "install-agent" {
		s.Failures = []kindtest.Failure{
			{Name: "the agent is refused", Code: "Forbidden.RAM", Fault: sim.Fault{Match: sim.Match{Action: "InstallAgent"},
				Effect: fault.Status, Status: http.StatusForbidden, Code: "Forbidden.RAM"}},
			{Name: "the agent cannot be installed", Code: membership.CodeRejected, Fault: sim.Fault{
				Match: sim.Match{Action: "InstallAgent"}, Effect: fault.JobFail, Code: "CommandFailed", Message: "no disk space"}},
		}
		return s
	}
	s.Failures = []kindtest.Failure{
		{Name: "the import is refused", Code: "Forbidden.RAM", Fault: sim.Fault{Match: sim.Match{Action: "InsertClusterMember"},
			Effect: fault.Status, Status: http.StatusForbidden, Code: "Forbidden.RAM"}},
	}
	if params["backup"] == true {
		s.Failures = append(s.Failures, kindtest.Failure{Name: "the import fails", Code: "conversion-failed", Fault: sim.Fault{
			Match: sim.Match{Action: "InsertClusterMember"}, Effect: fault.JobFail, Code: "ImportFailed"}})
	}
	return s
}

// The route that destroys, and gives back; the other is in TestConformance.
func TestEDASByImportWithBackup(t *testing.T) {
	t.Parallel()
	kindtest.RunVariant(t, edas(t, withBackup))
}

func TestMain(m *testing.M) { kindtest.Main(m) }

func TestConformance(t *testing.T) { kindtest.Run(t, edas(t, byAgent)) }

func TestCosts(t *testing.T) {
	kindtest.Costs(t, map[string]kindtest.Subject{
		"by agent":              edas(t, byAgent),
		"by import":             edas(t, byImport),
		"by import with backup": edas(t, withBackup),
	})
}
