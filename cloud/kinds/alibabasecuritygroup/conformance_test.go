package alibabasecuritygroup_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabasecuritygroup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

const securityGroupWorld = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  readLag: 4s
  latency: 20ms
  timings: {securityGroups: 1s-3s}
  securityGroups:
  - {id: sg-target}
  - {id: sg-base}
  - {id: sg-old}
  generate:
  - {name: web-%%03d, count: %d, securityGroups: [sg-base, sg-old], stoppedPercent: 30, interfaces: 1}
`

// membershipWay is a way to come into a security group: who, and with which parameters.
type membershipWay struct {
	interfaces bool
	from       string
	params     membership.Params
}

var (
	ofInstances  = membershipWay{}
	ofInterfaces = membershipWay{interfaces: true}
	legacy       = membershipWay{params: membership.Params{"legacy": true}}
	legacyENI    = membershipWay{interfaces: true, params: membership.Params{"legacy": true}}
	swapping     = membershipWay{from: "sg-old"}
	swappingENI  = membershipWay{interfaces: true, from: "sg-old"}
)

// writes names the API action that joins in this way.
func (w membershipWay) writes() string {
	switch {
	case w.params["legacy"] != nil:
		return "JoinSecurityGroup"
	case w.interfaces:
		return "ModifyNetworkInterfaceAttribute"
	default:
		return "ModifyInstanceAttribute"
	}
}

func securityGroup(t *testing.T, way membershipWay) kindtest.Subject {
	return kindtest.Subject{
		Kind: func(transport http.RoundTripper) membership.Kind {
			return alibabasecuritygroup.New(kindtest.Alibaba(transport))
		},
		World: kindtest.World(securityGroupWorld),
		Request: func(s *sim.Sim) membership.Request {
			r := membership.Request{Kind: alibabasecuritygroup.ID, Account: "demo", Group: "sg-target", From: way.from, Params: way.params}
			for _, i := range s.Instances() {
				r.Members = append(r.Members, i.ID)
			}
			if way.interfaces {
				r.Members = secondaryInterfaces(s)
			}
			return r
		},
		Member: func(s *sim.Sim, id string) (in bool, state string) {
			groups, status := groupsOf(s, id)
			in = slices.Contains(groups, "sg-target")
			if way.from != "" { // then sg-target stands where sg-old stood
				groups = append(slices.DeleteFunc(groups, func(g string) bool { return g == "sg-target" }), map[bool]string{true: "sg-old"}[in])
			}
			groups = slices.DeleteFunc(groups, func(g string) bool { return g == "sg-target" || g == "" })
			slices.Sort(groups)
			return in, fmt.Sprintf("%s in %s", status, strings.Join(groups, ","))
		},
		Failures: []kindtest.Failure{
			{Name: "the join is refused", Code: "AclLimitExceed", Fault: sim.Fault{Match: sim.Match{Action: way.writes()},
				Effect: fault.Status, Status: http.StatusForbidden, Code: "AclLimitExceed"}},
		},
	}
}

// secondaryInterfaces returns the ids of the network interfaces that were made with the instances.
func secondaryInterfaces(s *sim.Sim) (ids []string) {
	for _, n := range s.World().Alibaba.Interfaces {
		if n.Type == "Secondary" {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// groupsOf returns the groups of an instance or network interface as they truly are, and an instance's status.
func groupsOf(s *sim.Sim, id string) (groups []string, status string) {
	if n, ok := s.NetworkInterface(id); ok {
		return n.SecurityGroups, n.Type
	}
	i, _ := s.Instance(id)
	return i.SecurityGroups, fmt.Sprintf("%s, OS %d,", i.Status, i.OSGeneration)
}

// The way that writes otherwise than the one in TestConformance.
func TestLegacySecurityGroup(t *testing.T) {
	kindtest.RunVariant(t, securityGroup(t, legacyENI))
}

// A swap writes as any other join does. What is its own is that it is one write, there and back.
func TestSwappedSecurityGroup(t *testing.T) {
	for name, way := range map[string]membershipWay{"instances": swapping, "interfaces": swappingENI} {
		for mishap, effect := range map[string]string{"nothing": "", "reply lost": fault.DropAfter, "never came": fault.DropBefore} {
			t.Run(name+"/"+mishap, func(t *testing.T) {
				subject := securityGroup(t, way)
				kindtest.Bubble(t, subject, 3, func(r *kindtest.Rig) {
					req := subject.Request(r.Sim)
					before := r.States(req.Members)
					back := req
					back.Group, back.From = req.From, req.Group
					for _, move := range []membership.Request{req, back} {
						if effect != "" {
							_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: way.writes()}, Effect: effect, Count: 3})
							require.NoError(r, err)
						}
						report, err := r.Run(membership.Join, move)
						require.NoError(r, err)
						require.Equal(r, membership.RunSucceeded, report.Outcome, "%+v", report)
						for _, id := range req.Members {
							groups, _ := groupsOf(r.Sim, id)
							require.ElementsMatch(r, []string{"sg-base", move.Group}, groups)
						}
					}
					require.Equal(r, before, r.States(req.Members))
					require.Len(r, r.Effects(), 6)
					require.Empty(r, r.Needless())
				})
			})
		}
	}
}

func TestMain(m *testing.M) { kindtest.Main(m) }

func TestConformance(t *testing.T) { kindtest.Run(t, securityGroup(t, ofInstances)) }

func TestCosts(t *testing.T) {
	kindtest.Costs(t, map[string]kindtest.Subject{
		"instances":  securityGroup(t, ofInstances),
		"interfaces": securityGroup(t, ofInterfaces),
		"legacy":     securityGroup(t, legacy),
		"swapping":   securityGroup(t, swapping),
	})
}
