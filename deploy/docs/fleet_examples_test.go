package docs_test

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
)

// fleetExamples are a fleet's plan, and what it says of itself before, while and after it runs.
func fleetExamples(made time.Time) map[string]any {
	const group, web1, web2, unlucky = "71e947d0-91d2-4b20-a1f3-34eee6346bca", "5b368e08-27c5-4ff7-b211-40577f2020ad",
		"0121a35e-610c-4127-889d-38d125ad6181", "9744b701-a211-48b6-abdf-62dc0f508f37"
	key := func(of string) string { return string(store.KeyOf([]byte(of))) }
	const kind = "huawei.servergroup"
	strict := true
	budget := &fleet.Budget{Failures: fleet.Share{Percent: 2}, PerWave: fleet.Share{Count: 3}, Then: fleet.ThenStop, Strict: &strict}
	gate := &membership.Gate{Quorum: 2, Voters: []string{"bob", "cid", "dora"}, Requester: "ann", Timeout: membership.Duration(8 * time.Hour),
		Why: "canary: join 1 member of 1 group (" + kind + ")"}
	counts := map[membership.Outcome]int{membership.Joined: 12, membership.RolledBack: 3}
	noHost := "Ecs.0319: No host with enough resources was found."
	vote := membership.Vote{By: "bob", Approves: true, Digest: key("gate"), At: made.Add(time.Minute)}
	waves := []fleet.Wave{{Name: "canary", Members: 1, Pages: []int{1}}, {Name: "wave 1", Members: 79, Pages: []int{79}},
		{Name: "wave 2", Members: 80, Pages: []int{80}}}
	seen := fleet.Foreseen{Members: 160, Due: 157, Already: 2, Refused: 1}
	one := fleet.Foreseen{Members: 1, Due: 1}
	change := fleet.Control{Control: membership.Control{By: "ann", Reason: "the hosts are back"}, Cohorts: 5,
		Budget: &fleet.Budget{Failures: fleet.Share{Count: 20}}}

	return map[string]any{
		"plan": fleet.Plan{Name: "web tier", Requester: "ann", WhenHeld: fleet.WhenHeldWait,
			Steps: []fleet.Step{
				{Operation: membership.Leave, Kind: kind, Account: "demo", Group: group, Members: []string{web1, web2}},
				{Kind: kind, Account: "demo", Params: membership.Params{"hardStopAfter": "2m"},
					Groups: []fleet.Assignment{{Group: group, Members: []string{web2, unlucky}}}},
				{Kind: kind, Account: "demo", Group: group,
					Targets: &fleet.Targets{File: "web.csv", SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}},
				{Kind: kind, Account: "demo", Spread: &fleet.Spread{Groups: []string{group}, By: "zone"},
					Targets: &fleet.Targets{Cloud: &membership.Query{Tags: map[string]string{"app": "web"}, Name: "web-*",
						VPC: "vpc-web", In: "servers-old", NotIn: group}}}},
			Canary: 1, Waves: []fleet.Share{{Percent: 50}, {Percent: 100}}, Soak: fleet.Duration(10 * time.Minute), Budget: budget,
			Windows: []fleet.Window{{Days: []string{"mon-thu"}, From: "22:00", To: "04:00", Zone: "Europe/Berlin"}},
			Pace:    fleet.Pace{Cohorts: 10, Members: 100},
			Approval: &fleet.Approval{EachWave: true, Approval: membership.Approval{Quorum: 2, Voters: gate.Voters, Timeout: gate.Timeout,
				Signed: true}}},
		"preview": fleet.Preview{Name: "web tier", Made: made, Manifest: key("manifest"), DurationSeconds: 843,
			Openings: []fleet.Opening{{Opens: made.Add(2 * time.Hour), Closes: made.Add(8 * time.Hour)}},
			Steps: []fleet.PreviewStep{{Operation: membership.Join, Kind: kind, Account: "demo", Foreseen: seen, AllGroups: 1,
				Groups: []fleet.PreviewGroup{{Group: group, Foreseen: seen}},
				Waves: []fleet.PreviewWave{{Name: "canary", Foreseen: one, DurationSeconds: 81,
					Pages: []fleet.PreviewPage{{Group: group, Sight: key("sight")}}}},
				Refusals: []fleet.Refusal{{Code: "not-kvm", Members: 1, Examples: []fleet.Example{
					{Member: unlucky, Reason: "flavor s3.large.2 is virtualized by Xen (FusionCompute)"}}}},
				Destructive: true, Warnings: []string{"the group has room for 163 more"},
				Budget: "0 of 3 failures allowed (2% of 160 members)", Gate: gate, EachWave: true,
				Expected: &fleet.Expected{DurationSeconds: 843, SoakSeconds: 600, Downtime: &fleet.Downtime{Members: 120, SecondsEach: 81},
					Calls: []fleet.APICalls{{API: "BatchStopServers", Writes: 2, WritesAtMost: 120, Limit: "BatchStopServers",
						LimitPerSecond: 200, LimitShare: 0.003}}}}}},
		"status": fleet.Status{Name: "web tier", Phase: membership.Stopped, Step: 1, Steps: 2, Wave: "wave 1", Members: 160,
			Why:      "the budget is spent (failures): 3 of 3 failures allowed (2% of 160 members)",
			InFlight: 0, Cohorts: []string{}, Counts: counts, Budget: "3 of 3 failures allowed (2% of 160 members)", Pace: 10,
			Waves: []fleet.WaveStatus{{Name: "canary", Members: 1, Ended: 1}, {Name: "wave 1", Members: 79, Ended: 14, Failed: 3},
				{Name: "wave 2", Members: 80}},
			Failed:   []fleet.FailedMember{{ID: unlucky, Outcome: membership.RolledBack, Code: "start-failed", Reason: noHost}},
			Warnings: []string{web1 + " is held by run web-other"}},
		"status-gate": fleet.Status{Name: "web tier", Phase: membership.Awaiting, Step: 1, Steps: 2, Wave: "canary", Members: 160,
			Cohorts: []string{}, Counts: map[membership.Outcome]int{}, Waves: []fleet.WaveStatus{{Name: "canary", Members: 1}}, Pace: 10,
			Next: made.Add(8 * time.Hour), Gate: gate, Digest: vote.Digest, Votes: []membership.Vote{vote}},
		"control-vote":   membership.Control{By: "bob", Reason: "looks good", Digest: vote.Digest},
		"control-change": change,
		"control-wave":   fleet.Control{Control: membership.Control{By: "ann", Reason: "the owner takes care of them"}, Wave: 2},
		"control-abort":  fleet.Control{Control: membership.Control{By: "ann", Reason: "wrong group"}, Then: fleet.ThenRollBackWave},
		"report": fleet.Report{Name: "web tier", Outcome: membership.RunCancelled, Counts: counts, Archive: key("account"),
			Why: "aborted by ann: wrong group", Votes: []membership.Vote{vote}, Started: made, Ended: made.Add(14 * time.Minute),
			Controls: []fleet.Said{
				{At: made.Add(5 * time.Minute), What: fleet.ControlChange, Control: change},
				{At: made.Add(6 * time.Minute), What: membership.ControlResume, Control: fleet.Control{Control: membership.Control{By: "bob"}},
					Refused: "the run is not paused"}},
			Steps: []fleet.StepReport{{Counts: counts, SurveyedStep: fleet.SurveyedStep{Operation: membership.Join, Kind: kind,
				Account: "demo", Groups: 1, Group: group, Members: 160, Preview: true, Waves: waves}}}},
	}
}
