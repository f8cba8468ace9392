package alibabaedas_test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabaedas"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// A page at the pace that the client begins with: were it looked at one by one, each look would be too old to act on.
func TestAPageOfEDAS(t *testing.T) {
	const n = membership.MaxMembers
	for name, params := range map[string]membership.Params{"by agent": byAgent, "by import": withBackup} {
		t.Run(name, func(t *testing.T) {
			s := edas(t, params)
			s.Kind = func(transport http.RoundTripper) membership.Kind {
				return alibabaedas.New(kindtest.AlibabaAt(transport, limit.Seed{}))
			}
			kindtest.Bubble(t, s, n, func(r *kindtest.Rig) {
				req := s.Request(r.Sim)
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				require.Equal(r, n, report.Counts[membership.Joined], "%+v", report)
				require.Equal(r, params["route"] == "reimage", len(r.Votes) == 1, "only what destroys has to be approved")
				report, err = r.Run(membership.Leave, req)
				require.NoError(r, err)
				require.Equal(r, n, report.Counts[membership.Left], "%+v", report)
				require.Empty(r, r.Needless())
			})
		})
	}
}

// An import that was accepted is never sent again by itself, whatever becomes of it: people are asked, and what they say
// is done.
func TestWhatEDASDoesWithAnImport(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault    sim.Fault
		say      string // by a person, after more than an hour
		outcome  membership.Outcome
		code     string
		imports  int // that were sent
		duration time.Duration
	}{
		"it works":                      {sim.Fault{Effect: fault.Delay, For: clock.Duration(time.Second)}, "", membership.Joined, "", 1, time.Hour},
		"its answer is lost":            {sim.Fault{Effect: fault.DropAfter, Count: 1}, "", membership.Joined, "", 1, time.Hour},
		"it never arrives, once":        {sim.Fault{Effect: fault.DropBefore, Count: 1}, "", membership.Joined, "", 2, time.Hour},
		"it never arrives":              {sim.Fault{Effect: fault.DropBefore}, membership.ControlSkip, membership.Skipped, membership.CodeNoEffect, 2, 2 * time.Hour},
		"EDAS refuses it in words":      {sim.Fault{Effect: fault.Status, Status: 200, Code: "500"}, membership.ControlSkip, membership.Skipped, membership.CodeNoEffect, 2, 2 * time.Hour},
		"nothing comes of it":           {sim.Fault{Effect: fault.JobFail, Code: "absent"}, membership.ControlSkip, membership.Skipped, "import-lost", 1, 2 * time.Hour},
		"nothing comes of it; again":    {sim.Fault{Effect: fault.JobFail, Code: "absent", Count: 1}, membership.ControlRetry, membership.Joined, "", 2, 2 * time.Hour},
		"it does not end":               {sim.Fault{Effect: fault.Stuck}, membership.ControlSkip, membership.Skipped, "member-stuck", 1, 2 * time.Hour},
		"it ends late":                  {sim.Fault{Effect: fault.Stuck, For: clock.Duration(30 * time.Minute)}, "", membership.Joined, "", 1, time.Hour},
		"it ends offline":               {sim.Fault{Effect: fault.JobFail, Code: "offline"}, membership.ControlSkip, membership.Skipped, "member-offline", 1, 2 * time.Hour},
		"it ends offline, for a while":  {sim.Fault{Effect: fault.JobFail, Code: "offline", For: clock.Duration(15 * time.Minute)}, "", membership.Joined, "", 1, time.Hour},
		"it fails":                      {sim.Fault{Effect: fault.JobFail, Code: "ImportFailed"}, "", membership.RolledBack, "conversion-failed", 1, time.Hour},
		"it fails, and its answer lost": {sim.Fault{Effect: fault.Status, Status: 500, Code: "InternalError", After: true, Count: 1}, "", membership.Joined, "", 1, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s := edas(t, withBackup)
			kindtest.Bubble(t, s, 2, func(r *kindtest.Rig) {
				req := s.Request(r.Sim)
				id := req.Members[1]
				r.Trouble("InsertClusterMember", id, c.fault)
				if c.say != "" {
					r.Later(70*time.Minute, c.say, membership.Control{By: "bob", Reason: "seen"})
				}
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				m := report.Members[1]
				require.Equal(r, []any{c.outcome, c.code}, []any{m.Outcome, m.Code}, "%+v", m)
				require.Equal(r, membership.Joined, report.Members[0].Outcome)
				sent := 0
				for _, w := range r.Writes() {
					if w == "InsertClusterMember "+id {
						sent++
					}
				}
				require.Equal(r, c.imports, sent)
				require.LessOrEqual(r, report.Ended.Sub(report.Started), c.duration)
				i, _ := r.Sim.Instance(id)
				require.LessOrEqual(r, imports(r, id), 1+map[bool]int{true: 1}[c.say == membership.ControlRetry])
				require.Equal(r, c.outcome == membership.RolledBack, i.OSGeneration == 3 && kindtest.HasItsSystem(r.Sim, i))
			})
		})
	}
}

// An import that fails without a backup is taken back as far as that goes, and nobody is told that all were as before.
func TestAnImportThatFailsWithoutABackup(t *testing.T) {
	s := edas(t, byImport)
	kindtest.Bubble(t, s, 2, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		r.Trouble("InsertClusterMember", req.Members[1], sim.Fault{Effect: fault.JobFail, Code: "ImportFailed"})
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		require.Equal(r, membership.RunIncomplete, report.Outcome)
		m := report.Members[1]
		require.Equal(r, []any{membership.RollbackIncomplete, "conversion-failed"}, []any{m.Outcome, m.Code}, "%+v", m)
		require.True(r, slices.ContainsFunc(m.Also, func(o membership.Objection) bool { return o.Code == "system-lost" }), "%+v", m)
		_, in := r.Sim.EDASMember(m.ID)
		require.False(r, in)
	})
}

// What a restore needs is made once, is named and tagged, and stays; data disks are saved, and not touched.
func TestBackupsOfEDAS(t *testing.T) {
	t.Parallel()
	s := kindtest.InAlibaba(edas(t, withBackup), func(a *world.Alibaba) {
		a.Generate = nil
		a.Instances = []world.Instance{{ID: "i-1", KeyPair: "ops"}, {ID: "i-2"}}
		a.Resources = []world.Resource{{Type: "disk", ID: "d-data", Instance: "i-1"}, {Type: "keypair", ID: "ops", Name: "ops"}}
	})
	kindtest.Bubble(t, s, 0, func(r *kindtest.Rig) {
		req := s.Request(r.Sim)
		r.Trouble("InsertClusterMember", "i-1", sim.Fault{Effect: fault.JobFail, Code: "ImportFailed"})
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		m := report.Members[0]
		require.Equal(r, membership.RolledBack, m.Outcome, "%+v", m)
		require.Equal(r, map[string]string{"power": "on", "image": "m-standard", "systemDisk": m.Before["systemDisk"], "dataDisks": "d-data",
			"keyPair": "ops"}, m.Before)
		tag := strings.TrimPrefix(report.Digest, "sha256:")[:12]
		var names []string
		for _, made := range r.Sim.World().Alibaba.Resources {
			if made.Type == "snapshot" || made.Type == "image" {
				names = append(names, made.Type+" "+made.Name)
				digest, part, _ := strings.Cut(made.Tags["fleetjoin"], "-")
				require.Equal(r, []any{tag, made.Type == "snapshot"}, []any{digest, part != ""}, "images have no parts")
			}
		}
		name := "fleetjoin-" + tag + "-"
		require.ElementsMatch(r, []string{"snapshot " + name + m.Before["systemDisk"], "snapshot " + name + "d-data",
			"snapshot " + name + report.Members[1].Before["systemDisk"], "image " + name + m.Before["systemDisk"]}, names)
		var restore []string
		for _, w := range r.Effects() {
			if action, of, _ := strings.Cut(w, " "); of == "i-1" && action != "CreateSnapshot" {
				restore = append(restore, action)
			}
		}
		require.Equal(r, []string{"InsertClusterMember", "DeleteClusterMember", "StopInstances", "ReplaceSystemDisk", "StartInstances"}, restore)
		at := slices.IndexFunc(r.Sim.World().Alibaba.Instances, func(i world.Instance) bool { return i.ID == "i-1" })
		require.Equal(r, "ops", r.Sim.World().Alibaba.Instances[at].KeyPair, "the restored system has its logon")
	})
}

// What can go wrong with a backup: before anything is destroyed, that is the end of it; after that, people are told.
func TestBackupsThatFail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action  string
		of      func(system string) string
		fault   sim.Fault
		outcome membership.Outcome
		code    string
	}{
		"the snapshot":              {"CreateSnapshot", itself, sim.Fault{Effect: fault.JobFail, Code: "X"}, membership.RolledBack, "snapshot-failed"},
		"the snapshot is refused":   {"CreateSnapshot", itself, sim.Fault{Effect: fault.Status, Status: 403, Code: "QuotaExceed.Snapshot"}, membership.RolledBack, "QuotaExceed.Snapshot"},
		"the answer of a snapshot":  {"CreateSnapshot", itself, sim.Fault{Effect: fault.DropAfter, Count: 1}, membership.RolledBack, "conversion-failed"},
		"the answer of an image":    {"CreateImage", any1, sim.Fault{Effect: fault.DropAfter, Count: 1}, membership.RolledBack, "conversion-failed"},
		"the answer of the restore": {"ReplaceSystemDisk", any1, sim.Fault{Effect: fault.DropAfter, Count: 1}, membership.RolledBack, "conversion-failed"},
		"a restore that came not":   {"ReplaceSystemDisk", any1, sim.Fault{Effect: fault.DropBefore, Count: 3}, membership.RolledBack, "conversion-failed"},
		"the image":                 {"CreateImage", any1, sim.Fault{Effect: fault.JobFail, Code: "X"}, membership.RollbackIncomplete, "image-failed"},
		"a restore that takes long": {"ReplaceSystemDisk", any1, sim.Fault{Effect: fault.Stuck, For: clock.Duration(20 * time.Minute)}, membership.RolledBack, "conversion-failed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := edas(t, withBackup)
			kindtest.Bubble(t, s, 2, func(r *kindtest.Rig) {
				req := s.Request(r.Sim)
				id := req.Members[1]
				i, _ := r.Sim.Instance(id)
				r.Trouble("InsertClusterMember", id, sim.Fault{Effect: fault.JobFail, Code: "ImportFailed"})
				r.Trouble(c.action, c.of(i.SystemDisk), c.fault)
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				m := report.Members[1]
				code := m.Code
				if c.outcome == membership.RollbackIncomplete { // then the second thing that failed is told
					code = m.Also[0].Code
				}
				require.Equal(r, []any{c.outcome, c.code}, []any{m.Outcome, code}, "%+v", m)
				i, _ = r.Sim.Instance(id)
				require.Equal(r, c.outcome == membership.RolledBack, i.Status == "Running" && kindtest.HasItsSystem(r.Sim, i))
				require.LessOrEqual(r, i.OSGeneration, 3)
			})
		})
	}
}

func itself(disk string) string { return disk }
func any1(string) string        { return "" }

// An instance that EDAS does not know is looked at by it, once. One that stays unknown is not sent.
func TestInstancesThatEDASDoesNotKnow(t *testing.T) {
	unknown := func(a *world.Alibaba) {
		a.Generate = nil
		a.Instances = []world.Instance{{ID: "i-new", UnknownToEDAS: true}, {ID: "i-known"}}
	}
	for name, params := range map[string]membership.Params{"by agent": byAgent, "by import": byImport} {
		t.Run(name, func(t *testing.T) {
			s := kindtest.InAlibaba(edas(t, params), unknown)
			kindtest.Bubble(t, s, 0, func(r *kindtest.Rig) {
				report, err := r.Run(membership.Join, s.Request(r.Sim))
				require.NoError(r, err)
				require.Equal(r, 2, report.Counts[membership.Joined], "%+v", report)
				require.Contains(r, strings.Join(report.Warnings, "\n"), "does not offer 1 of the instances")
				require.Equal(r, []string{"SynchronizeResource"}, r.WriteCalls()[:1])
			})
		})
	}
	for name, c := range map[string]struct {
		fault sim.Fault
		code  string
	}{
		"EDAS may not be asked": {sim.Fault{Effect: fault.Status, Status: 200, Code: "403"}, "403"},
		"EDAS does not see it": {sim.Fault{Effect: fault.Status, Status: 200,
			Body: `{"Code": 200, "Success": true, "RequestId": "R-1"}`}, "not-offered"},
	} {
		t.Run(name, func(t *testing.T) {
			s := kindtest.InAlibaba(edas(t, byAgent), unknown)
			kindtest.Bubble(t, s, 0, func(r *kindtest.Rig) {
				r.Trouble("SynchronizeResource", "", c.fault)
				report, err := r.Run(membership.Join, s.Request(r.Sim))
				require.NoError(r, err)
				require.Equal(r, 1, report.Counts[membership.Joined], "%+v", report)
				require.Equal(r, []any{membership.RolledBack, c.code}, []any{report.Members[0].Outcome, report.Members[0].Code}, "%+v", report)
			})
		})
	}
}

// Applications keep a member in the cluster for as long as they are on it.
func TestAMemberWithApplications(t *testing.T) {
	s := kindtest.InAlibaba(edas(t, byAgent), func(a *world.Alibaba) {
		a.Generate = nil
		a.Instances = []world.Instance{{ID: "i-app"}, {ID: "i-idle"}}
		a.EDASClusters[0].Members, a.EDASClusters[0].Applications = []string{"i-app", "i-idle"}, []string{"i-app"}
	})
	kindtest.Bubble(t, s, 0, func(r *kindtest.Rig) {
		report, err := r.Run(membership.Leave, s.Request(r.Sim))
		require.NoError(r, err)
		require.Equal(r, []membership.Outcome{membership.RolledBack, membership.Left}, kindtest.Outcomes(report))
		require.Equal(r, membership.CodeTimeout, report.Members[0].Code)
		require.Contains(r, report.Members[0].Reason, "applications deployed")
	})
}

const secretOfEDAS = "Secret-of-edas-12"

// The password is asked for before people are, and shows nowhere.
func TestThePasswordOfEDAS(t *testing.T) {
	s := edas(t, byImport)
	kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
		r.Trouble("InsertClusterMember", "", sim.Fault{Effect: fault.DropBefore, Count: 1})
		r.Trouble("InsertClusterMember", "", sim.Fault{Effect: fault.Status, Status: 403, Code: "Forbidden.RAM",
			Message: "no permission for password=" + secretOfEDAS + " (" + secretOfEDAS + ")"})
		report, err := r.Run(membership.Join, s.Request(r.Sim))
		require.NoError(r, err)
		text, err := json.Marshal(report)
		require.NoError(r, err)
		require.Contains(r, string(text), "no permission")
		require.NotContains(r, string(text), secretOfEDAS)
	})
	for name, password := range map[string]string{"none": "", "a weak one": "hunter22"} {
		t.Run(name, func(t *testing.T) {
			s := edas(t, byImport)
			t.Setenv("FLEETJOIN_PASSWORD_EDAS", password)
			kindtest.Bubble(t, s, 1, func(r *kindtest.Rig) {
				report, err := r.Run(membership.Join, s.Request(r.Sim))
				require.NoError(r, err)
				require.Equal(r, []any{membership.Refused, "password"}, []any{report.Members[0].Outcome, report.Members[0].Code}, "%+v", report)
				require.NotContains(r, report.Members[0].Reason, "hunter22")
				require.Empty(r, r.Writes())
			})
		})
	}
}

// What the cloud says of clusters and instances is found when planning, and nothing is touched.
func TestEDASIsLookedAtBeforeAnythingHappens(t *testing.T) {
	container := 5
	fill := func(a *world.Alibaba) {
		a.Generate = nil
		a.EDASClusters = append(a.EDASClusters, world.EDASCluster{Name: "docker", Type: &container},
			world.EDASCluster{Name: "classic", NetworkMode: world.ClassicMode}, world.EDASCluster{Name: "full", Members: []string{"i-taken"}})
		a.Instances = []world.Instance{{ID: "i-fine"}, {ID: "i-off", Status: "Stopped"}, {ID: "i-new", Status: "Pending"},
			{ID: "i-windows", OSType: "windows"}, {ID: "i-unpaid", Locks: []string{"financial"}}, {ID: "i-vpc2", VPC: "vpc-2"}, {ID: "i-taken"}}
	}
	for name, c := range map[string]struct {
		cluster, member string // "": the good one
		want            []string
	}{
		"a cluster of containers":       {"docker", "", []string{"cluster-type"}},
		"a classic cluster":             {"classic", "", []string{"network-type"}},
		"no cluster":                    {"none", "", []string{"cluster-missing"}},
		"no instance":                   {"", "i-none", []string{"instance-missing"}},
		"one that is off":               {"", "i-off", []string{"instance-status"}},
		"one that is made":              {"", "i-new", []string{"instance-busy"}},
		"one that is not Linux":         {"", "i-windows", []string{"os-type"}},
		"one that is not paid":          {"", "i-unpaid", []string{"instance-locked", "expired"}},
		"one in another VPC":            {"", "i-vpc2", []string{"vpc"}},
		"a member of another cluster":   {"", "i-taken", []string{"other-cluster"}},
		"in another, asked for by both": {"classic", "i-taken", []string{"other-cluster", "network-type"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := kindtest.InAlibaba(edas(t, byAgent), fill)
			kindtest.Bubble(t, s, 0, func(r *kindtest.Rig) {
				req := s.Request(r.Sim)
				if c.cluster != "" {
					req.Group = "b3e3f77b-462e-4f5a-9d0e-bec8727a4dc8"
				}
				for _, k := range r.Sim.World().Alibaba.EDASClusters {
					if k.Name == c.cluster {
						req.Group = k.ID
					}
				}
				if req.Members = []string{"i-fine"}; c.member != "" {
					req.Members = []string{c.member}
				}
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				m := report.Members[0]
				codes := []string{m.Code}
				for _, o := range m.Also {
					codes = append(codes, o.Code)
				}
				require.Equal(r, c.want, codes, "%+v", m)
				require.Empty(r, r.Writes())
			})
		})
	}
}

// The examples that people begin with end as they say.
func TestTheExamplesOfEDAS(t *testing.T) {
	for file, c := range map[string]struct {
		fill func(*world.Alibaba, []string)
		want []membership.Outcome
	}{
		"plan.yaml": {func(a *world.Alibaba, ids []string) {
			a.Instances = []world.Instance{{ID: ids[0]}, {ID: ids[1], UnknownToEDAS: true}, {ID: ids[2]}, {ID: ids[3], OSType: "windows"}}
			a.EDASClusters[0].Members = ids[2:3]
		}, []membership.Outcome{membership.Joined, membership.Joined, membership.Already, membership.Refused}},
		"plan-reimage.yaml": {func(a *world.Alibaba, ids []string) {
			a.Instances = []world.Instance{{ID: ids[0], AgentOffline: true}}
		}, []membership.Outcome{membership.Joined}},
	} {
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var plan fleet.Plan
			require.NoError(t, yaml.UnmarshalStrict(data, &plan))
			req := membership.Request{Kind: plan.Kind, Account: plan.Account, Group: plan.Group, Members: plan.Members, Params: plan.Params}
			s := kindtest.InAlibaba(edas(t, byAgent), func(a *world.Alibaba) {
				a.Generate, a.EDASClusters[0].ID = nil, req.Group
				c.fill(a, req.Members)
			})
			if from := req.Params["passwordFrom"]; from != nil { // in a folder that only the example world's account has
				req.Params["passwordFrom"] = byImport["passwordFrom"]
			}
			kindtest.Bubble(t, s, 0, func(r *kindtest.Rig) {
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				require.Equal(r, c.want, kindtest.Outcomes(report), "%+v", report)
			})
		})
	}
}
