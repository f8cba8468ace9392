package huaweiservergroup_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/huaweiservergroup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	simworld "github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

const huaweiWorld = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, projectId: 0123456789abcdef0123456789abcdef, region: sim-1}
huawei:
  readLag: 4s
  latency: 20ms
  timings: {stop: 10s-30s, start: 10s-30s}
  quotas: {serverGroupMembers: 500}
  flavors: [{id: s6.large.2}]
  groups: [{name: target, id: 71e947d0-91d2-4b20-a1f3-34eee6346b01}]
  generate:
  - {name: web-%%03d, count: %d, flavor: s6.large.2, stoppedPercent: 30}
`

func huaweiServerGroup(t *testing.T) kindtest.Subject {
	return kindtest.Subject{
		Kind: func(transport http.RoundTripper) membership.Kind {
			return huaweiservergroup.New(kindtest.Huawei(transport))
		},
		World: kindtest.World(huaweiWorld),
		Request: func(s *sim.Sim) membership.Request {
			r := membership.Request{Kind: huaweiservergroup.ID, Account: "demo", Group: s.Groups()[0].ID}
			for _, server := range s.Servers() {
				r.Members = append(r.Members, server.ID)
			}
			return r
		},
		Member: func(s *sim.Sim, id string) (in bool, state string) {
			server, _ := s.Server(id)
			return server.Group != "", fmt.Sprintf("%s %s, OS %d", server.Status, server.TaskState, server.OSGeneration)
		},
		Failures: []kindtest.Failure{
			{Name: "the add is refused", Code: "Ecs.0022", Fault: sim.Fault{Match: sim.Match{Action: "AddServerGroupMember"},
				Effect: fault.Status, Status: http.StatusBadRequest, Code: "Ecs.0022"}},
			{Name: "no host is left to start on", Code: "start-failed", Fault: sim.Fault{Match: sim.Match{Action: "BatchStartServers"},
				Effect: fault.JobFail, Code: "Ecs.0319", Count: 2}},
			{Name: "the guest does not stop", Code: "stop-failed", Fault: sim.Fault{Match: sim.Match{Action: "BatchStopServers"},
				Effect: fault.JobFail, Code: "Ecs.0100", Count: 2}},
		},
	}
}

const (
	target = "71e947d0-91d2-4b20-a1f3-34eee6346b01"
	old    = "71e947d0-91d2-4b20-a1f3-34eee6346b02"
)

// moved has the servers leave another group for it.
func moved(s kindtest.Subject) kindtest.Subject {
	world, request := s.World, s.Request
	s.World = func(n int) sim.World {
		w := world(n)
		w.Huawei.Groups = append(w.Huawei.Groups, simworld.Group{Name: "old", ID: old})
		for i := range w.Huawei.Generate {
			w.Huawei.Generate[i].Group = "old"
		}
		return w
	}
	s.Request = func(in *sim.Sim) membership.Request {
		r := request(in)
		r.Group, r.From = target, old
		return r
	}
	s.Member = func(in *sim.Sim, id string) (bool, string) {
		server, _ := in.Server(id)
		state := fmt.Sprintf("%s %s, OS %d", server.Status, server.TaskState, server.OSGeneration)
		if server.Group != target && server.Group != old {
			state += ", in no group"
		}
		return server.Group == target, state
	}
	s.Failures[0].Fault.Match.Group = target
	s.Failures = append(s.Failures, kindtest.Failure{Name: "the old group does not let go", Code: "Ecs.0022", Fault: sim.Fault{
		Match: sim.Match{Action: "DeleteServerGroupMember", Group: old}, Effect: fault.Status, Status: http.StatusBadRequest, Code: "Ecs.0022"}})
	return s
}

// Of who runs the cloud tells the host, and the report passes it on.
func TestTheReportTellsTheHosts(t *testing.T) {
	s := huaweiServerGroup(t)
	kindtest.Bubble(t, s, 6, func(r *kindtest.Rig) {
		report, err := r.Run(membership.Join, s.Request(r.Sim))
		require.NoError(r, err)
		hosts := make(map[string]bool)
		running := 0
		for _, m := range report.Members {
			require.Equal(r, m.Before[membership.FactPower] == membership.PowerOn, m.Host != "", "%+v", m)
			if m.Host != "" {
				running++
				hosts[m.Host] = true
			}
		}
		require.Positive(r, running)
		require.Len(r, hosts, running, "an anti-affinity group keeps its members apart")
	})
}

// A leave that fails for one is rolled back for those before it, wherever the worker dies, and whoever ran runs again.
func TestALeaveIsRolledBack(t *testing.T) {
	for _, dies := range [][]int{nil, {3, 15, 27}, {6, 18, 30}, {9, 21, 33}, {12, 24, 36}} {
		t.Run(fmt.Sprintf("dies at calls %d", dies), func(t *testing.T) {
			s := huaweiServerGroup(t)
			kindtest.Bubble(t, s, 4, func(r *kindtest.Rig) {
				req := s.Request(r.Sim)
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				require.Equal(r, membership.RunSucceeded, report.Outcome)
				before := r.States(req.Members)
				r.Trouble("DeleteServerGroupMember", req.Members[2],
					sim.Fault{Effect: fault.Status, Status: http.StatusBadRequest, Code: "Ecs.0022"})
				r.DieIn(dies...)
				report, err = r.RunPlan(membership.Leave, req, func(p *fleet.Plan) {
					p.Budget = &fleet.Budget{Failures: fleet.Share{Count: 1}, Then: fleet.ThenRollBackFleet}
				})
				require.NoError(r, err)
				require.Equal(r, membership.RunRolledBack, report.Outcome, "%+v", report)
				require.Equal(r, 3, report.Counts[membership.RolledBack], "%+v", report)
				require.Equal(r, 1, report.Counts[membership.NotStarted], "%+v", report)
				require.Equal(r, before, r.States(req.Members))
			})
		})
	}
}

// Members that somebody has touched since the run ended are told, and left alone; the others are put back.
func TestARollBackLeavesWhatHasDrifted(t *testing.T) {
	s := huaweiServerGroup(t)
	kindtest.Bubble(t, s, 5, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		before := r.States(req.Members)
		_, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		somebody, err := kindtest.Huawei(r.Sim.RoundTripper())(r.Context(), "demo")
		require.NoError(r, err)
		running := slices.IndexFunc(req.Members, func(id string) bool { server, _ := r.Sim.Server(id); return server.Status == "ACTIVE" })
		gone := (running + 1) % 5
		_, err = somebody.StopServers(r.Context(), req.Members[running:running+1], false)
		require.NoError(r, err)
		require.NoError(r, somebody.RemoveMember(r.Context(), target, req.Members[gone]))
		time.Sleep(time.Minute) // virtual time
		touched := r.States(req.Members)
		report, err := r.RollBack()
		require.NoError(r, err)
		require.Equal(r, map[membership.Outcome]int{membership.RolledBack: 3, membership.RollbackIncomplete: 2}, report.Counts, "%+v", report)
		for i, m := range report.Members {
			if i == running || i == gone {
				require.Equal(r, membership.CodeDrifted, m.Code, "%+v", m)
				require.Equal(r, touched[m.ID], r.States([]string{m.ID})[m.ID])
			} else {
				require.Equal(r, before[m.ID], r.States([]string{m.ID})[m.ID])
			}
		}
	})
}

// The room of a group is counted over the whole run, however many cohorts are under way: whoever finds none is never stopped.
func TestWhoFindsNoPlaceIsNotTouched(t *testing.T) {
	s := huaweiServerGroup(t)
	world := s.World
	s.World = func(n int) sim.World {
		w := world(n)
		w.Huawei.Quotas.ServerGroupMembers = 7
		return w
	}
	kindtest.Bubble(t, s, 12, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		before := r.States(req.Members)
		report, err := r.RunPlan(membership.Join, req, func(p *fleet.Plan) { p.Pace = fleet.Pace{Cohorts: 6, Members: 2} })
		require.NoError(r, err)
		require.Equal(r, 7, report.Counts[membership.Joined], "%+v", report.Counts)
		for i, m := range report.Members {
			if i < 7 {
				require.Equal(r, membership.Joined, m.Outcome, "%+v", m)
				continue
			}
			require.Equal(r, membership.CodeNoRoom, m.Code, "%+v", m)
			require.Equal(r, before[m.ID], r.States([]string{m.ID})[m.ID])
			for _, write := range r.Writes() {
				require.NotContains(r, write, m.ID)
			}
		}
	})
}

func TestMain(m *testing.M) { kindtest.Main(m) }

func TestConformance(t *testing.T) { kindtest.Run(t, huaweiServerGroup(t)) }

func TestConformanceOfAMove(t *testing.T) { kindtest.RunVariant(t, moved(huaweiServerGroup(t))) }

func TestCosts(t *testing.T) {
	kindtest.Costs(t, map[string]kindtest.Subject{
		"stopped first":  huaweiServerGroup(t),
		"while they run": running(huaweiServerGroup(t)),
		"moved":          moved(huaweiServerGroup(t)),
	})
}

// running has servers added as they are.
func running(s kindtest.Subject) kindtest.Subject {
	world, request := s.World, s.Request
	s.World = func(n int) sim.World {
		w, as := world(n), false
		w.Huawei.Knobs.RequireStopped = &as
		return w
	}
	s.Request = func(in *sim.Sim) membership.Request {
		r := request(in)
		r.Params = membership.Params{"stop": false}
		return r
	}
	return s
}
