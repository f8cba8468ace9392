package alibabanodepool_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// A page is as many calls as it has fifties, there and back. The instances stay, keep their names, and are wiped once.
func TestAPageOfContainerNodes(t *testing.T) {
	s := containerNodePool(t, false)
	kindtest.Bubble(t, s, membership.MaxMembers, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		before := r.Sim.Instances()
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Equal(r, membership.MaxMembers, report.Counts[membership.Joined])
		require.Len(r, r.Votes, 1, "somebody had to approve it")
		report, err = r.Run(membership.Leave, req)
		require.NoError(r, err)
		require.Equal(r, membership.MaxMembers, report.Counts[membership.Left])
		require.Equal(r, append(slices.Repeat([]string{"AttachInstances"}, 4), slices.Repeat([]string{"RemoveNodePoolNodes"}, 4)...),
			r.WriteCalls())
		for i, now := range r.Sim.Instances() {
			require.Equal(r, []any{"Running", 2, before[i].Name}, []any{now.Status, now.OSGeneration, now.Name})
		}
	})
}

// A look is a few calls, however many members and however large the cluster: else it would be too old to act on.
func TestALookAtContainersIsAFewCalls(t *testing.T) {
	s := containerNodePool(t, false)
	kindtest.Bubble(t, s, membership.MaxMembers, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		open := func(p *membership.Program) membership.Session {
			session, err := s.Kind(r.Sim.RoundTripper()).Open(r.Context(), membership.Target{Operation: membership.Join,
				Account: "demo", Group: req.Group, Params: req.Params, Program: p})
			require.NoError(r, err)
			return session
		}
		seen, err := open(nil).Observe(r.Context(), membership.Look{Members: req.Members, Thorough: true})
		require.NoError(r, err)
		program := seen.Compile(req, membership.Join)
		require.NoError(r, r.Sim.ResetJournal())
		jobs := map[string][]string{}
		for i := range 50 { // as after a page that was sent one by one
			jobs[fmt.Sprintf("T-%d", i)] = req.Members[i : i+1]
		}
		session, before := open(&program), time.Now()
		_, err = session.Observe(r.Context(), membership.Look{Members: req.Members, Jobs: jobs})
		require.NoError(r, err)
		require.Less(r, time.Since(before), time.Second)
		for action, most := range map[string]int{"DescribeInstances": 2, "DescribeDisks": 2, "DescribeClusterNodes": 2,
			"DescribeClusterDetail": 1, "DescribeClusterNodePoolDetail": 1, "DescribeTaskInfo": 5} {
			require.Equal(r, most, r.Looks(action), action)
		}
		require.Len(r, r.Sim.Journal().Entries(), 13)
		_, err = session.Observe(r.Context(), membership.Look{Members: req.Members, Jobs: jobs})
		require.NoError(r, err)
		tasks := map[string]bool{}
		for _, e := range r.Sim.Journal().Entries() {
			if e.Action == "DescribeTaskInfo" {
				tasks[e.Path] = true
			}
		}
		require.Len(r, tasks, 10, "tasks take turns")
	})
}

// A node that is never installed, or never becomes ready, is nobody's but a person's: it is neither sent again nor undone.
func TestAContainerNodeThatIsStuckWaitsForAPerson(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]sim.Fault{
		"initial":          {Effect: fault.Stuck},
		"not ready":        {Effect: fault.Stuck, Code: "NotReady"},
		"failed not ready": {Effect: fault.JobFail, Code: "NotReady", Message: "the kubelet does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			s := containerNodePool(t, false)
			kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
				req := s.Request(r.Sim)
				f.Match = sim.Match{Action: "AttachInstances", Server: req.Members[1]}
				_, err := r.Sim.Faults().Add(f)
				require.NoError(r, err)
				r.Later(2*time.Hour, membership.ControlSkip, membership.Control{By: "bob", Reason: "a ticket is open"})
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				require.Equal(r, 2, report.Counts[membership.Joined])
				m := report.Members[1]
				require.Equal(r, []string{string(membership.Skipped), "attach", "node-stuck"}, []string{string(m.Outcome), m.Stage, m.Code}, "%+v", m)
				require.Equal(r, []string{"AttachInstances"}, r.WriteCalls())
			})
		})
	}
}

// The cloud has two words for a task that failed. Either is believed, be there a node or none.
func TestFailedTasksOfContainers(t *testing.T) {
	said := func(word string) kindtest.Subject {
		s := containerNodePool(t, false)
		calm := s.World
		s.World = func(n int) sim.World {
			w := calm(n)
			w.Alibaba.Containers.TaskFailed = word
			return w
		}
		return s
	}
	for _, word := range []string{"fail", "failed"} {
		t.Run("a failed node, "+word, func(t *testing.T) {
			s := said(word)
			kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
				req := s.Request(r.Sim)
				_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "AttachInstances", Server: req.Members[1]},
					Effect: fault.JobFail, Code: "InstallFailed", Message: "no route to the API server"})
				require.NoError(r, err)
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				m := report.Members[1]
				require.Equal(r, []any{membership.RolledBack, "node-failed"}, []any{m.Outcome, m.Code}, "%+v", m)
				require.Contains(r, m.Reason, "no route to the API server")
				require.Equal(r, []string{"AttachInstances", "RemoveNodePoolNodes"}, r.WriteCalls())
			})
		})
		t.Run("no node, "+word, func(t *testing.T) {
			s := said(word)
			kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
				req := s.Request(r.Sim)
				_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "AttachInstances"}, Effect: fault.JobFail, Code: "absent",
					Message: "NoStock"})
				require.NoError(r, err)
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				m := report.Members[0]
				require.Equal(r, []any{membership.RolledBack, "attach-failed"}, []any{m.Outcome, m.Code}, "%+v", m)
				require.Contains(r, m.Reason, "NoStock")
				require.Len(r, r.Writes(), 1)
			})
		})
	}
}

// Tasks are hints: a cloud that has forgotten all of them tells enough.
func TestContainerNodesWithoutTasks(t *testing.T) {
	s := containerNodePool(t, false)
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "DescribeTaskInfo"}, Effect: fault.Status, Status: 404, Code: "NotFound"})
		require.NoError(r, err)
		report, err := r.Run(membership.Join, s.Request(r.Sim))
		require.NoError(r, err)
		require.Equal(r, 3, report.Counts[membership.Joined])
		require.Equal(r, []string{"AttachInstances"}, r.WriteCalls())
	})
}

// That nobody is a node does not rest on a list that is not there.
func TestAContainerClusterWithoutItsList(t *testing.T) {
	s := containerNodePool(t, false)
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "DescribeClusterNodes"}, Effect: fault.Status, Status: 404,
			Code: "NotFound", Nth: 6, Count: 300})
		require.NoError(r, err)
		report, err := r.Run(membership.Join, s.Request(r.Sim))
		require.NoError(r, err)
		require.Equal(r, 3, report.Counts[membership.Joined], "%+v", report)
		require.Equal(r, []string{"AttachInstances"}, r.WriteCalls())
		require.Greater(r, r.Looks("DescribeClusterNodes"), 305)
	})
}

// The answer of an attach that is taken has a code for each instance. Those that are refused are sent alone, once more,
// and if that does not help they fail with the code; nobody else is any the worse for it.
func TestInstancesThatAnAcceptedAttachRefuses(t *testing.T) {
	row := func(id, code, message string) string {
		return fmt.Sprintf(`{"code":%q,"instanceId":%q,"message":%q}`, code, id, message)
	}
	t.Run("once", func(t *testing.T) {
		s := containerNodePool(t, false)
		kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
			var rows []string
			for _, id := range s.Request(r.Sim).Members {
				rows = append(rows, row(id, "400", "ErrorInstanceState: come again"))
			}
			r.Says("AttachInstances", http.StatusAccepted, `{"list":[`+strings.Join(rows, ",")+`]}`, 1)
			report, err := r.Run(membership.Join, s.Request(r.Sim))
			require.NoError(r, err)
			require.Equal(r, 3, report.Counts[membership.Joined], "%+v", report)
			require.Len(r, r.WriteCalls(), 1+3)
		})
	})
	t.Run("always", func(t *testing.T) {
		s := containerNodePool(t, false)
		kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
			req := s.Request(r.Sim)
			r.Says("AttachInstances", http.StatusAccepted, `{"list":[`+row(req.Members[0], "403", "ErrorInstanceSpec: too small")+`]}`, 0)
			report, err := r.Run(membership.Join, req)
			require.NoError(r, err)
			m := report.Members[0]
			require.Equal(r, []any{membership.RolledBack, "403"}, []any{m.Outcome, m.Code}, "%+v", m)
			require.Contains(r, m.Reason, "ErrorInstanceSpec: too small")
			require.Len(r, r.Writes(), 1)
		})
	})
	t.Run("a code that nobody knows", func(t *testing.T) {
		s := containerNodePool(t, false)
		kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
			req := s.Request(r.Sim)
			r.Says("AttachInstances", http.StatusAccepted, `{"list":[`+row(req.Members[0], "777", "?")+`]}`, 1)
			report, err := r.Run(membership.Join, req)
			require.NoError(r, err)
			require.Equal(r, 1, report.Counts[membership.Joined], "%+v", report)
			require.Len(r, r.Writes(), 2, "once its silence has proved that nothing happened")
		})
	})
}

// Somebody makes one of the instances a node of another pool in the very moment: the others go on.
func TestAnInstanceThatSomebodyElseTakes(t *testing.T) {
	s := containerNodePool(t, false)
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		target := membership.Target{Operation: membership.Join, Account: "demo", Group: req.Group, Params: req.Params}
		session, err := s.Kind(r.Sim.RoundTripper()).Open(r.Context(), target)
		require.NoError(r, err)
		seen, err := session.Observe(r.Context(), membership.Look{Members: req.Members, Thorough: true})
		require.NoError(r, err)
		program := seen.Compile(req, membership.Join)
		other, err := kindtest.Alibaba(r.Sim.RoundTripper())(r.Context(), "demo")
		require.NoError(r, err)
		_, _, err = other.AttachInstances(r.Context(), alibaba.Attach{Cluster: "c-prod", Pool: "np-others", Instances: req.Members[1:2]})
		require.NoError(r, err)
		sent, err := session.Do(r.Context(), "attach", []*membership.Member{&program.Members[0], &program.Members[1], &program.Members[2]})
		require.NoError(r, err)
		require.NotEmpty(r, sent.Job)
		require.Len(r, sent.Refused, 1)
		require.Equal(r, verdict.Rejected, sent.Refused[req.Members[1]].Verdict)
		for _, id := range []string{req.Members[0], req.Members[2]} {
			n, _ := r.Sim.ContainerNode(id)
			require.Equal(r, "np-workers", n.Pool)
		}
	})
}

// Two runs go into one pool, one after the other: the second waits a while, and is not refused.
func TestAPoolThatIsTakingOthers(t *testing.T) {
	s := containerNodePool(t, false)
	calm := s.World
	s.World = func(n int) sim.World {
		w := calm(n)
		w.Alibaba.Containers.Attach.Min, w.Alibaba.Containers.Attach.Max = 5*time.Minute, 5*time.Minute
		return w
	}
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		other, err := kindtest.Alibaba(r.Sim.RoundTripper())(r.Context(), "demo")
		require.NoError(r, err)
		_, _, err = other.AttachInstances(r.Context(), alibaba.Attach{Cluster: "c-prod", Pool: "np-workers", Instances: req.Members[:1]})
		require.NoError(r, err)
		time.Sleep(time.Minute) // virtual time
		began := time.Now()
		req.Members = req.Members[1:]
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Equal(r, 2, report.Counts[membership.Joined], "%+v", report)
		require.Greater(r, time.Since(began), 8*time.Minute, "four minutes for the other, five for these")
	})
}

// A removal of many that the cloud takes for done, since the pool is said to be gone, is sent for each alone.
func TestARemovalOfContainerNodesThatSomeHaveMissed(t *testing.T) {
	s := containerNodePool(t, false)
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		_, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		_, err = r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "RemoveNodePoolNodes"}, Effect: fault.Status, Status: 404,
			Code: "NotFound", Count: 1})
		require.NoError(r, err)
		report, err := r.Run(membership.Leave, req)
		require.NoError(r, err)
		require.Equal(r, 3, report.Counts[membership.Left])
		require.Len(r, r.WriteCalls(), 1+1+3)
	})
}

// A removal that comes to nothing, as when pods cannot be moved, is told and not repeated.
func TestARemovalOfAContainerNodeThatFails(t *testing.T) {
	s := containerNodePool(t, false)
	kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		_, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		_, err = r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "RemoveNodePoolNodes"}, Effect: fault.JobFail, Code: "DrainFailed",
			Message: "the disruption budget of shop/db"})
		require.NoError(r, err)
		report, err := r.Run(membership.Leave, req)
		require.NoError(r, err)
		m := report.Members[0]
		require.Equal(r, "remove-failed", m.Code, "%+v", m)
		require.Contains(r, m.Reason, "shop/db")
		require.Len(r, r.WriteCalls(), 2)
	})
}

// A pool that is kept at a size has that size again when all have left.
func TestAPoolThatIsKeptAtASize(t *testing.T) {
	s := containerNodePool(t, false)
	calm, size := s.World, 7
	s.World = func(n int) sim.World {
		w := calm(n)
		w.Alibaba.Clusters[0].NodePools[0].Desired = &size
		return w
	}
	desired := func(r *kindtest.Rig) int { return *r.Sim.World().Alibaba.Clusters[0].NodePools[0].Desired }
	kindtest.Bubble(t, s, 3, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Contains(r, strings.Join(report.Warnings, "\n"), "kept at a size, which is 7")
		require.Equal(r, 10, desired(r))
		_, err = r.Run(membership.Leave, req)
		require.NoError(r, err)
		require.Equal(r, 7, desired(r))
		require.Len(r, r.Sim.Instances(), 3, "nothing was released, and nothing made")
	})
}
