package huaweisecuritygroup_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/huaweisecuritygroup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

const theWorld = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, projectId: 0123456789abcdef0123456789abcdef, region: sim-1}
huawei:
  readLag: 4s
  latency: 20ms
  timings: {securityGroups: 1s-3s}
  flavors: [{id: s6.large.2}]
  securityGroups: [{name: target}, {name: base}, {name: old}]
  generate:
  - {name: web-%%03d, count: %d, flavor: s6.large.2, stoppedPercent: 30, securityGroups: [base, old]}
`

// group is the id of a group of the world.
func group(name string) string {
	return world.ID(1, "security-group", "0123456789abcdef0123456789abcdef/"+name)
}

func added(*testing.T) kindtest.Subject { return subject("") }

// moved leaves the group old for the other.
func moved(*testing.T) kindtest.Subject {
	s := subject(group("old"))
	s.Failures = append(s.Failures, kindtest.Failure{Name: "the old group does not let go", Code: "badRequest", Fault: sim.Fault{
		Match: sim.Match{Action: "NovaDisassociateSecurityGroup", Group: group("old")}, Effect: fault.Status, Status: http.StatusBadRequest, Code: "badRequest"}})
	return s
}

func subject(from string) kindtest.Subject {
	return kindtest.Subject{
		Kind: func(transport http.RoundTripper) membership.Kind {
			return huaweisecuritygroup.New(kindtest.Huawei(transport))
		},
		World: kindtest.World(theWorld),
		Request: func(s *sim.Sim) membership.Request {
			r := membership.Request{Kind: huaweisecuritygroup.ID, Account: "demo", Group: group("target"), From: from}
			for _, server := range s.Servers() {
				r.Members = append(r.Members, server.ID)
			}
			return r
		},
		Member: func(s *sim.Sim, id string) (in bool, state string) {
			server, _ := s.Server(id)
			groups := slices.Sorted(slices.Values(server.SecurityGroups))
			if in = slices.Contains(groups, group("target")); in {
				groups = slices.DeleteFunc(groups, func(g string) bool { return g == group("target") })
				if from != "" { // who has come in from another is to be out of the other
					groups = append(groups, group("old"))
				}
			}
			return in, server.Status + " in " + strings.Join(slices.Sorted(slices.Values(groups)), ",")
		},
		Failures: []kindtest.Failure{{Name: "the add is refused", Code: "forbidden", Fault: sim.Fault{
			Match: sim.Match{Action: "NovaAssociateSecurityGroup"}, Effect: fault.Status, Status: http.StatusForbidden, Code: "forbidden"}}},
	}
}

func TestMain(m *testing.M) { kindtest.Main(m) }

func TestConformance(t *testing.T) { kindtest.Run(t, added(t)) }

func TestConformanceOfAMove(t *testing.T) { kindtest.RunVariant(t, moved(t)) }

func TestCosts(t *testing.T) {
	kindtest.Costs(t, map[string]kindtest.Subject{"added": added(t), "moved": moved(t)})
}
