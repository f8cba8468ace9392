package cli

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func samplePlan() membership.Program {
	return membership.Program{
		Kind: "huawei.servergroup", Operation: membership.Join, Account: "demo", Group: group, Digest: "sha256:abc",
		Stages: []membership.Stage{
			{Name: "stop", Undo: "starts it again", Help: "stops the server", Timeout: membership.Duration(10 * time.Minute), Risk: membership.Disruptive},
			{Name: "add", Undo: "removes it", Help: "adds the server", Timeout: membership.Duration(90 * time.Second), Risk: membership.Harmless},
		},
		Members: []membership.Member{
			{ID: web1, Name: "web-1", Before: map[string]string{"status": "ACTIVE", "host": "h1"}},
			{ID: web2, Name: web2, Already: true},
			{ID: "x", Name: "evil\x1b[2J", Refused: []membership.Objection{
				{Code: "not-kvm", Reason: "flavor s3 is FusionCompute"}, {Code: "server-locked", Reason: "it is locked"}}},
		},
		Warnings: []string{"the group has 1 place left"},
	}
}

func sampleReport() membership.Report {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return membership.Report{
		Kind: "huawei.servergroup", Operation: membership.Join, Account: "demo", Group: group,
		Outcome: membership.RunRolledBack, Started: start, Ended: start.Add(83 * time.Second),
		Counts: map[membership.Outcome]int{membership.Joined: 1, membership.Refused: 1, membership.RolledBack: 1},
		Members: []membership.MemberReport{
			{ID: web1, Name: "web-1", Outcome: membership.Joined},
			{ID: web2, Name: "web-2", Outcome: membership.RolledBack, Stage: "start", Code: "start-failed",
				Reason: "no host is left", RequestID: "req-7"},
			{ID: "x", Outcome: membership.Refused, Code: "not-kvm", Reason: "Xen",
				Also: []membership.Objection{{Code: "server-locked", Reason: "it is locked"}}},
		},
		Warnings: []string{"the group is full now"},
	}
}

func sampleStatus() membership.Status {
	return membership.Status{
		Kind: "huawei.servergroup", Operation: membership.Join, Account: "demo", Group: group, Phase: membership.Running,
		Counts: map[string]int{"undo-add": 1, "joined": 1, "add": 1, "parked": 1, "newer": 1},
		Members: []membership.MemberStatus{
			{ID: web1, Name: "web-1", At: "joined"},
			{ID: web2, Name: "web-2", At: "add"},
			{ID: "p", At: membership.AtParked, Code: "unknown", Reason: "no answer"},
			{ID: "u", At: "undo-add", Code: "start-failed", Reason: "no host is left"},
			{ID: "n", At: "newer"},
		},
	}
}

func TestRendering(t *testing.T) {
	t.Parallel()
	for name, print := range map[string]func(*Factory){
		"plan":       func(f *Factory) { f.printPlan(samplePlan()) },
		"report":     func(f *Factory) { f.printReport("run-1", sampleReport(), false) },
		"report-all": func(f *Factory) { f.printReport("run-1", sampleReport(), true) },
		"report-folded": func(f *Factory) {
			r := sampleReport()
			for i := range 7 {
				r.Members = append(r.Members, membership.MemberReport{ID: fmt.Sprintf("full-%d", i), Outcome: membership.Refused,
					Code: "group-full", Reason: "no room"})
			}
			f.printReport("run-1", r, false)
		},
		"status": func(f *Factory) { f.printStatus(sampleStatus()) },
		"kinds":  func(f *Factory) { require.NoError(t, f.listKinds()) },
		"kind": func(f *Factory) {
			k, err := membership.Find(f.Kinds, "huawei.nodepool")
			require.NoError(t, err)
			require.NoError(t, f.printKind(k.Spec()))
		},
		"doctor": func(f *Factory) {
			f.printDiagnosis(diagnosis{Checks: []finding{
				{Name: "Temporal", OK: true, Detail: "answers"}, {Name: "workers", Detail: "none", Fix: "start\none"}}})
		},
		"lines": func(f *Factory) {
			v := &lineView{f: f, now: func() time.Time { return time.Date(2026, 1, 1, 1, 2, 3, 0, time.UTC) }}
			s := sampleStatus()
			v.show(s, pulse{})
			v.show(s, pulse{}) // nothing has changed, nothing is said
			s.Trouble = "503"
			v.show(s, pulse{})
			v.show(s, pulse{now: "add 1", trouble: "huawei.servergroup.add: no such account"})
			v.show(s, pulse{now: "add 1", trouble: "huawei.servergroup.add: no such account"})
			v.close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, out, _ := testFactory(t)
			print(f)
			require.NotContains(t, out.String(), "\x1b", "neither colours nor what a cloud may smuggle in")
			golden(t, name+".golden", out.String())
		})
		t.Run(name+" in colour", func(t *testing.T) {
			t.Parallel()
			f, out, _ := testFactory(t)
			f.Color = true
			print(f)
			require.NotContains(t, out.String(), "\x1b[2J")
		})
	}
}

func TestBarsEndWithTheirLastState(t *testing.T) {
	t.Parallel()
	f, out, _ := testFactory(t)
	v := f.view(ranTo{})
	require.IsType(t, &lineView{}, v)
	f.Terminal = true
	v = f.view(ranTo{})
	v.show(membership.Status{Phase: membership.Planning}, pulse{})
	require.Empty(t, out.String(), "nothing to draw yet")
	v.show(sampleStatus(), pulse{})
	done := sampleStatus()
	done.Counts = map[string]int{"joined": 5}
	v.show(done, pulse{})
	v.close()
	require.Contains(t, out.String(), "joined")
	require.Contains(t, out.String(), "5/5")
	f.JSON = true
	require.IsType(t, &jsonView{}, f.view(ranTo{}))
}

func TestJSONLinesOnlyOnChange(t *testing.T) {
	t.Parallel()
	f, out, _ := testFactory(t)
	v := &jsonView{f: f, run: started{}}
	v.show(sampleStatus(), pulse{})
	first := out.String()
	require.Contains(t, first, `{"id":"run-1","runId":"r-1","status":{"kind":"huawei.servergroup"`)
	v.show(sampleStatus(), pulse{})
	require.Equal(t, first, out.String())
}

// started is a run with ids.
type started struct{ ranTo }

func (started) GetRunID() string { return "r-1" }

func TestShortDurations(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		10 * time.Minute: "10m", 90 * time.Second: "1m30s", 30 * time.Second: "30s", 2 * time.Hour: "2h", time.Hour + 30*time.Minute: "1h30m",
	} {
		require.Equal(t, want, short(d))
	}
}
