package alibabaresourcegroup_test

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabaresourcegroup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

const resourceGroupWorld = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  readLag: 4s
  listLag: 6s
  latency: 20ms
  resourceGroups: [{id: rg-default, default: true}, {id: rg-home}, {id: rg-target}]
`

// resourceGroup is about resources of a type that are at home in a group.
func resourceGroup(t *testing.T, resourceType, home string) kindtest.Subject {
	return kindtest.Subject{
		Kind: func(transport http.RoundTripper) membership.Kind {
			return alibabaresourcegroup.New(kindtest.Alibaba(transport))
		},
		World: func(n int) sim.World {
			text := resourceGroupWorld
			if resourceType == "securitygroup" {
				text += "  securityGroups:\n"
				for i := range n {
					text += fmt.Sprintf("  - {id: sg-%d, resourceGroup: %s}\n", i, home)
				}
			} else {
				text += fmt.Sprintf("  generate: [{name: it-%%d, type: %s, count: %d, resourceGroup: %s}]\n", resourceType, n, home)
			}
			w, err := sim.ParseWorld([]byte(text))
			if err != nil {
				panic(err)
			}
			return w
		},
		Request: func(s *sim.Sim) membership.Request {
			return membership.Request{Kind: alibabaresourcegroup.ID, Account: "demo", Group: "rg-target",
				Members: ofType(s, resourceType), Params: membership.Params{"type": resourceType, "to": home}}
		},
		Member: func(s *sim.Sim, id string) (in bool, state string) {
			r, _ := s.Resource(resourceType, id)
			if r.ResourceGroup == "rg-target" {
				return true, "of " + home
			}
			return false, "of " + r.ResourceGroup
		},
		Failures: []kindtest.Failure{
			{Name: "the move is refused", Code: "InvalidResourceId.NotFound", Fault: sim.Fault{
				Match:  sim.Match{Action: "JoinResourceGroup", Group: "rg-target"},
				Effect: fault.Status, Status: http.StatusNotFound, Code: "InvalidResourceId.NotFound"}},
		},
	}
}

// ofType lists the resources of a type that a world was made of.
func ofType(s *sim.Sim, resourceType string) (ids []string) {
	a := s.World().Alibaba
	switch resourceType {
	case "instance":
		for _, i := range a.Instances {
			ids = append(ids, i.ID)
		}
	case "eni":
		for _, n := range a.Interfaces {
			ids = append(ids, n.ID)
		}
	case "securitygroup":
		for _, g := range a.SecurityGroups {
			ids = append(ids, g.ID)
		}
	default:
		for _, r := range a.Resources {
			if r.Type == resourceType {
				ids = append(ids, r.ID)
			}
		}
	}
	return ids
}

// Every type joins, leaves and is put back, be its home a group that ECS shows or the default one, which it hides.
func TestResourceGroupsOfEveryType(t *testing.T) {
	const n = 7 // more than are looked up at once
	require.Len(t, alibaba.ResourceTypes(), 13)
	for _, resourceType := range alibaba.ResourceTypes() {
		for _, home := range []string{"rg-home", "rg-default"} {
			t.Run(resourceType+" of "+home, func(t *testing.T) {
				s := resourceGroup(t, resourceType, home)
				kindtest.Bubble(t, s, n, func(r *kindtest.Rig) {
					req := s.Request(r.Sim)
					require.Len(r, req.Members, n)
					report, err := r.Run(membership.Join, req)
					require.NoError(r, err)
					require.Equal(r, n, report.Counts[membership.Joined], "%+v", report)
					require.Equal(r, home, report.Members[0].Before["group"])
					requireAllIn(r, resourceType, req.Members, "rg-target")

					report, err = r.Run(membership.Leave, req)
					require.NoError(r, err)
					require.Equal(r, n, report.Counts[membership.Left], "%+v", report)
					requireAllIn(r, resourceType, req.Members, home)
					require.Len(r, r.Effects(), 2*n)
					require.Empty(r, r.Needless())

					unlucky := refuseAfter(r, req)
					r.Poll = kindtest.PollInLife // who looks later sees that it is there after all
					report, err = r.Run(membership.Join, req)
					require.NoError(r, err)
					require.Equal(r, membership.RolledBack, report.Members[unlucky].Outcome, "%+v", report)
					require.Equal(r, n-1, report.Counts[membership.Joined])
					requireAllIn(r, resourceType, req.Members[unlucky:unlucky+1], home)
				})
			})
		}
	}
}

func requireAllIn(r *kindtest.Rig, resourceType string, ids []string, group string) {
	r.Helper()
	for _, id := range ids {
		resource, ok := r.Sim.Resource(resourceType, id)
		require.True(r, ok, id)
		require.Equal(r, group, resource.ResourceGroup, id)
	}
}

// refuseAfter lets the move of one member happen and be answered with a refusal, so that it must be put back.
func refuseAfter(r *kindtest.Rig, req membership.Request) (unlucky int) {
	r.Helper()
	const last = 2
	_, err := r.Sim.Faults().Add(sim.Fault{
		Match:  sim.Match{Action: "JoinResourceGroup", Server: req.Members[last], Group: req.Group},
		Effect: fault.Status, Status: http.StatusNotFound, Code: "InvalidResourceId.NotFound", After: true, Count: 1})
	require.NoError(r, err)
	return last
}

// The cloud lists hosts in other statuses only to who asks for these.
func TestADedicatedHostThatIsNotAvailable(t *testing.T) {
	for _, status := range []string{"Available", "UnderAssessment", "PermanentFailure", "TempUnavailable", "Redeploying"} {
		s := kindtest.InAlibaba(resourceGroup(t, "ddh", "rg-home"), func(a *world.Alibaba) { a.Generate[0].Status = status })
		kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
			report, err := r.Run(membership.Join, s.Request(r.Sim))
			require.NoError(r, err)
			require.Equal(r, 3, report.Counts[membership.Joined], "%s: %+v", status, report)
		})
	}
}

// A leave that fails half-way puts the resource back into the group that it was to leave.
func TestALeaveOfAResourceGroupIsUndone(t *testing.T) {
	s := resourceGroup(t, "disk", "rg-home")
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		_, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		to := req
		to.Group = "rg-home"
		unlucky := refuseAfter(r, to)
		report, err := r.Run(membership.Leave, req)
		require.NoError(r, err)
		require.Equal(r, membership.RolledBack, report.Members[unlucky].Outcome, "%+v", report)
		requireAllIn(r, "disk", req.Members[:2], "rg-home")
		requireAllIn(r, "disk", req.Members[2:], "rg-target")
	})
}

// Leaving has nowhere to go unless it is said, and that is bad input, found before anything is touched.
func TestAResourceGroupIsLeftForAnother(t *testing.T) {
	s := resourceGroup(t, "instance", "rg-home")
	kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		delete(req.Params, "to")
		_, err := r.Run(membership.Leave, req)
		require.ErrorContains(r, err, "params.to: is missing")
		require.Empty(r, r.Sim.Journal().Entries())
	})
}

// A page whose members can only be looked up one by one, at the pace that the client begins with: were they all looked up
// at once, each look would be too old to act on when it is over.
func TestAPageThatIsLookedUpOneByOne(t *testing.T) {
	for resourceType, home := range map[string]string{
		"instance": "rg-default", // ECS hides it
		"keypair":  "rg-home",
	} {
		t.Run(resourceType, func(t *testing.T) {
			s := resourceGroup(t, resourceType, home)
			s.Kind = func(transport http.RoundTripper) membership.Kind {
				return alibabaresourcegroup.New(kindtest.AlibabaAt(transport, limit.Seed{}))
			}
			const n = membership.MaxMembers
			kindtest.Bubble(t, s, n, func(r *kindtest.Rig) {
				req := s.Request(r.Sim)
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				require.Equal(r, n, report.Counts[membership.Joined], "%+v", report)
				report, err = r.Run(membership.Leave, req)
				require.NoError(r, err)
				require.Equal(r, n, report.Counts[membership.Left], "%+v", report)
				requireAllIn(r, resourceType, req.Members, home)
				require.Empty(r, r.Needless())
			})
		})
	}
}

// What the cloud says of a group or a resource is found when planning, and nothing is moved.
func TestResourceGroupsAreLookedAtBeforeAnythingMoves(t *testing.T) {
	for name, c := range map[string]struct {
		group, member string // "": the good one
		want          string
	}{
		"no group":                       {group: "rg-none", want: "group-missing"},
		"a group in the making":          {group: "rg-new", want: "group-status"},
		"a group that goes":              {group: "rg-old", want: "group-status"},
		"a group that is not ready here": {group: "rg-elsewhere", want: "group-region"},
		"no such instance":               {member: "i-none", want: "resource-missing"},
		"an instance in another region":  {member: "i-beijing", want: "resource-missing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := resourceGroup(t, "instance", "rg-home")
			plain := s.World
			s.World = func(n int) sim.World {
				w := plain(n)
				w.Alibaba.ResourceGroups = append(w.Alibaba.ResourceGroups, world.ResourceGroup{ID: "rg-new", Status: "Creating"},
					world.ResourceGroup{ID: "rg-old", Status: "PendingDelete"},
					world.ResourceGroup{ID: "rg-elsewhere", Regions: map[string]string{"cn-hangzhou": "Deleting"}})
				w.Alibaba.Instances = append(w.Alibaba.Instances, world.Instance{ID: "i-here"},
					world.Instance{ID: "i-beijing", Region: "cn-beijing"})
				return w
			}
			kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
				req := s.Request(r.Sim)
				req.Members = []string{cmp.Or(c.member, "i-here")}
				req.Group = cmp.Or(c.group, req.Group)
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				require.Equal(r, membership.Refused, report.Members[0].Outcome, "%+v", report)
				require.Equal(r, c.want, report.Members[0].Code, report.Members[0].Reason)
				require.Empty(r, r.Writes())
			})
		})
	}
}

// A group that may not be read is not one that is missing, and a setting that may not be read holds nobody up.
func TestWhatMayNotBeReadOfResourceGroups(t *testing.T) {
	s := resourceGroup(t, "instance", "rg-home")
	forbid := func(r *kindtest.Rig, action string) {
		_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: action}, Effect: fault.Status,
			Status: http.StatusForbidden, Code: "NoPermission"})
		require.NoError(r, err)
	}
	kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
		forbid(r, "ListAssociatedTransferSetting")
		report, err := r.Run(membership.Join, s.Request(r.Sim))
		require.NoError(r, err)
		require.Equal(r, 1, report.Counts[membership.Joined])
		require.Contains(r, strings.Join(report.Warnings, "\n"), "may not read whether associated transfer is on")
	})
	kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
		forbid(r, "GetResourceGroup")
		report, err := r.Run(membership.Join, s.Request(r.Sim))
		require.NoError(r, err)
		require.Equal(r, membership.RunRefused, report.Outcome)
		require.Equal(r, membership.CodeUnobservable, report.Members[0].Code)
		require.Contains(r, report.Members[0].Reason, "NoPermission")
		require.Empty(r, r.Writes())
	})
}

// What follows an instance into a group holds up its next move, which waits.
func TestAssociatedTransferIsWaitedFor(t *testing.T) {
	s := resourceGroup(t, "instance", "rg-home")
	plain := s.World
	s.World = func(n int) sim.World {
		text := strings.Replace(resourceGroupWorld, "alibaba:\n", "alibaba:\n  associatedTransfer: {enabled: true}\n"+
			"  timings: {transfer: 2m}\n", 1)
		w, err := sim.ParseWorld([]byte(text))
		require.NoError(t, err)
		w.Alibaba.Generate = plain(n).Alibaba.Generate
		return w
	}
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Equal(r, 3, report.Counts[membership.Joined])
		require.Contains(r, strings.Join(report.Warnings, "\n"), "associated transfer is on")
		report, err = r.Run(membership.Leave, req)
		require.NoError(r, err)
		require.Equal(r, 3, report.Counts[membership.Left], "%+v", report)
		requireAllIn(r, "instance", req.Members, "rg-home")
		require.True(r, slices.ContainsFunc(r.Sim.Journal().Entries(), func(e sim.Entry) bool {
			return e.Code == "EntityExists.AssociatedTransferTasks"
		}), "the tasks were to be in the way")
	})
}

// The example that people begin with ends as it says.
func TestTheExampleOfResourceGroups(t *testing.T) {
	data, err := os.ReadFile("plan.yaml")
	require.NoError(t, err)
	var req membership.Request
	require.NoError(t, yaml.UnmarshalStrict(data, &req))
	s := resourceGroup(t, "disk", "rg-office")
	s.World = func(int) sim.World {
		w, err := sim.ParseWorld([]byte(resourceGroupWorld))
		require.NoError(t, err)
		w.Alibaba.ResourceGroups = append(w.Alibaba.ResourceGroups, world.ResourceGroup{ID: "rg-shop"}, world.ResourceGroup{ID: "rg-office"})
		w.Alibaba.Resources = []world.Resource{{Type: "disk", ID: "d-orders"},
			{Type: "disk", ID: "d-invoices", ResourceGroup: "rg-office"}, {Type: "disk", ID: "d-catalogue", ResourceGroup: "rg-shop"}}
		return w
	}
	kindtest.Bubble(t, s, 0, func(r *kindtest.Rig) {
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Equal(r, []membership.Outcome{membership.Joined, membership.Joined, membership.Already, membership.Refused},
			kindtest.Outcomes(report))
		report, err = r.Run(membership.Leave, req)
		require.NoError(r, err)
		require.Equal(r, []membership.Outcome{membership.Left, membership.Left, membership.Left, membership.Refused}, kindtest.Outcomes(report))
		requireAllIn(r, "disk", req.Members[:3], "rg-office")
	})
}

func TestMain(m *testing.M) { kindtest.Main(m) }

func TestConformance(t *testing.T) { kindtest.Run(t, resourceGroup(t, "instance", "rg-home")) }

func TestCosts(t *testing.T) {
	kindtest.Costs(t, map[string]kindtest.Subject{
		"page by page": resourceGroup(t, "instance", "rg-home"),
		"one by one":   resourceGroup(t, "keypair", "rg-home"),
	})
}
