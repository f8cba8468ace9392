package cli

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func sampleReport() fleet.Report {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	counts := map[membership.Outcome]int{membership.Joined: 1, membership.Refused: 1, membership.RolledBack: 1}
	return fleet.Report{
		Steps: []fleet.StepReport{{SurveyedStep: fleet.SurveyedStep{Kind: "huawei.servergroup", Operation: membership.Join, Account: "demo",
			Group: group, Groups: 1, Members: 3}, Counts: counts}},
		Outcome: membership.RunPartial, Started: start, Ended: start.Add(83 * time.Second), Counts: counts, Archive: "sha256:abc",
		Members: []membership.MemberReport{
			{ID: web1, Name: "web-1", Outcome: membership.Joined},
			{ID: web2, Name: "web-2", Outcome: membership.RolledBack, Stage: "start", Code: "start-failed",
				Reason: "no host is left", RequestID: "req-7"},
			{ID: "x", Outcome: membership.Refused, Code: "not-kvm", Reason: "Xen",
				Also: []membership.Objection{{Code: "server-locked", Reason: "it is locked"}}},
		},
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
		"report":     func(f *Factory) { told(f, sampleReport(), false) },
		"report-all": func(f *Factory) { told(f, sampleReport(), true) },
		"report-folded": func(f *Factory) {
			r := sampleReport()
			for i := range 7 {
				r.Members = append(r.Members, membership.MemberReport{ID: fmt.Sprintf("full-%d", i), Outcome: membership.Refused,
					Code: "group-full", Reason: "no room"})
			}
			told(f, r, false)
		},
		"cohort": func(f *Factory) { printCohort(f, sampleStatus()) },
		"kinds":  func(f *Factory) { require.NoError(t, printKinds(f)) },
		"kind": func(f *Factory) {
			k, err := membership.Find(f.Kinds, "huawei.nodepool")
			require.NoError(t, err)
			require.NoError(t, printKind(f, k.Spec()))
		},
		"doctor": func(f *Factory) {
			printDiagnosis(&f.Streams, diagnosis{Checks: []finding{
				{Name: "Temporal", OK: true, Detail: "answers"}, {Name: "workers", Detail: "none", Fix: "start\none"}}})
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

// told prints a report as conclude does.
func told(f *Factory, r fleet.Report, all bool) {
	printReport(&f.Streams, "run-1", r)
	printMembers(&f.Streams, r.Members, all)
}

func TestShortDurations(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		10 * time.Minute: "10m", 90 * time.Second: "1m30s", 30 * time.Second: "30s", 2 * time.Hour: "2h", time.Hour + 30*time.Minute: "1h30m",
	} {
		require.Equal(t, want, shortly(d))
	}
}
