package fleet_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const whole = `
name: all of web
requester: ann
whenHeld: wait
steps:
- operation: leave
  kind: toy.group
  account: demo
  group: g-0
  members: [i-1, i-2, i-3, i-4]
- kind: toy.group
  account: demo
  params: {slots: 3}
  groups:
  - group: g-1
    members: [i-1, i-2]
  - group: g-2
    members: [i-3, i-4]
- kind: toy.pool
  account: demo
  group: g-3
  targets: {file: web/all.csv, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}
canary: 1
waves: [2, 75%, 100%]
soak: 10m
budget: {failures: 2.5%, perWave: 3, then: roll-back-wave}
windows:
- {days: [mon-thu, sun], from: 22:00, to: 04:00, zone: Europe/Berlin}
pace: {cohorts: 4, members: 100}
approval: {quorum: 2, voters: [bob, cid], timeout: 2h, eachWave: true}
`

func TestParsePlan(t *testing.T) {
	data, err := yaml.YAMLToJSON([]byte(whole))
	require.NoError(t, err)
	p, err := fleet.ParsePlan(data)
	require.NoError(t, err)
	require.Equal(t, fleet.Plan{
		Name: "all of web", Requester: "ann", WhenHeld: fleet.WhenHeldWait,
		Steps: []fleet.Step{
			{Operation: membership.Leave, Kind: "toy.group", Account: "demo", Group: "g-0",
				Members: []string{"i-1", "i-2", "i-3", "i-4"}},
			{Kind: "toy.group", Account: "demo", Params: membership.Params{"slots": 3.0}, Groups: []fleet.Assignment{
				{Group: "g-1", Members: []string{"i-1", "i-2"}}, {Group: "g-2", Members: []string{"i-3", "i-4"}}}},
			{Kind: "toy.pool", Account: "demo", Group: "g-3", Targets: &fleet.Targets{File: "web/all.csv",
				SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}},
		},
		Canary: 1, Waves: shares(count(2), percent(75), percent(100)), Soak: fleet.Duration(10 * time.Minute),
		Budget:  &fleet.Budget{Failures: percent(2.5), PerWave: count(3), Then: fleet.ThenRollBackWave},
		Windows: []fleet.Window{{Days: []string{"mon-thu", "sun"}, From: "22:00", To: "04:00", Zone: berlin}},
		Pace:    fleet.Pace{Cohorts: 4, Members: 100},
		Approval: &fleet.Approval{EachWave: true, Approval: membership.Approval{
			Quorum: 2, Voters: []string{"bob", "cid"}, Timeout: membership.Duration(2 * time.Hour)}},
	}, p)
	require.Equal(t, p.Steps, p.StepList())

	again, err := json.Marshal(p)
	require.NoError(t, err)
	require.JSONEq(t, strings.NewReplacer(`"10m"`, `"10m0s"`, `"2h"`, `"2h0m0s"`).Replace(string(data)), string(again))
}

// What Join and Leave take is a plan whose step stands in the plan itself.
func TestAPlanOfOneStep(t *testing.T) {
	const data = `{"kind":"toy.group","account":"demo","group":"g-1","members":["i-1","i-2"],"params":{"slots":3},"requester":"ann",
		"whenHeld":"wait","approval":{"quorum":1,"voters":["bob"],"timeout":"1h0m0s"}}`
	p, err := fleet.ParsePlan([]byte(data))
	require.NoError(t, err)
	step := fleet.Step{Kind: "toy.group", Account: "demo", Group: "g-1", Members: []string{"i-1", "i-2"}, Params: membership.Params{"slots": 3.0}}
	approval := membership.Approval{Quorum: 1, Voters: []string{"bob"}, Timeout: membership.Duration(time.Hour)}
	require.Equal(t, fleet.Plan{Requester: "ann", WhenHeld: fleet.WhenHeldWait, Step: step, Approval: &fleet.Approval{Approval: approval}}, p)
	require.Equal(t, []fleet.Step{step}, p.StepList())
	again, err := json.Marshal(p)
	require.NoError(t, err)
	require.JSONEq(t, data, string(again))
}

const head = `{"kind":"k","account":"a","group":"g","members":["i"]`

func TestParsePlanNamesWhatIsWrong(t *testing.T) {
	const share = `want a count of at least 1, such as 12, or a percentage above 0 with at most 3 decimals, such as "5%"`
	for input, words := range map[string]string{
		``:                                      "plan: cannot be read (EOF); want an object with kind, account, group and members, or",
		`{`:                                     "plan: cannot be read (unexpected EOF); want an object",
		`nonsense`:                              "plan: is not JSON: invalid character",
		`[]`:                                    "plan: a JSON array: want an object",
		head + `}` + head + `}`:                 "plan: has more than one JSON value; want one object",
		head + `,"colour":"red"}`:               "colour: is not a field of a plan; it has name, requester, whenHeld, operation, kind, account, params, ",
		head + `,"budget":{"failure":1}}`:       "budget.failure: is not a field of a plan; budget has failures, perWave, then and strict",
		`{"kind":7}`:                            "kind: a JSON number 7: want a string; put it in quotes",
		`{"steps":{}}`:                          "steps: a JSON object: want a list",
		`{"steps":[{"members":["i",{}]}]}`:      "steps[0].members[1]: a JSON object: want a string",
		head + `,"canary":1.5}`:                 "canary: a JSON number 1.5: want a whole number",
		head + `,"canary":"5%"}`:                `canary: a JSON string "5%": want a whole number`,
		head + `,"waves":"5%"}`:                 `waves: a JSON string "5%": want a list`,
		head + `,"waves":[5, "half"]}`:          `waves[1]: a JSON string "half": ` + share,
		head + `,"waves":["5 %"]}`:              `waves[0]: a JSON string "5 %": ` + share,
		head + `,"waves":["-5%"]}`:              `waves[0]: a JSON string "-5%": ` + share,
		head + `,"waves":[""]}`:                 `waves[0]: a JSON string "": ` + share,
		head + `,"waves":["0.0001%"]}`:          `waves[0]: a JSON string "0.0001%": ` + share,
		head + `,"waves":[0.5]}`:                `waves[0]: a JSON number 0.5: ` + share,
		head + `,"waves":[{}]}`:                 `waves[0]: a JSON object: ` + share,
		head + `,"waves":[[]]}`:                 `waves[0]: a JSON array: ` + share,
		head + `,"waves":[true]}`:               `waves[0]: a JSON value true: ` + share,
		head + `,"waves":[null]}`:               `waves[0]: 0: ` + share,
		head + `,"waves":[12345678901]}`:        `waves[0]: a JSON number 12345678901: ` + share,
		head + `,"budget":{"failures":0}}`:      `budget.failures: a JSON number 0: ` + share,
		head + `,"budget":{"perWave":"0%"}}`:    `budget.perWave: a JSON string "0%": ` + share,
		head + `,"soak":"10 minutes"}`:          `soak: a JSON string "10 minutes": want a duration such as "90s" or "10m"`,
		head + `,"soak":600}`:                   `soak: a JSON number 600: want a duration such as "90s" or "10m"`,
		head + `,"approval":{"timeout":"day"}}`: `approval.timeout: a JSON string "day": want a duration such as`,
		head + `,"approval":{"eachWave":"no"}}`: `approval.eachWave: a JSON string "no": want true or false`,
		head + `,"windows":[{"days":"mon"}]}`:   `windows[0].days: a JSON string "mon": want a list`,
	} {
		_, err := fleet.ParsePlan([]byte(input))
		require.ErrorContains(t, err, words, input)
		require.True(t, strings.HasPrefix(err.Error(), words), "%s: %v", input, err)
		var bad *membership.BadInput
		require.ErrorAs(t, err, &bad)
	}
}

func in(group string, members ...string) fleet.Assignment {
	return fleet.Assignment{Group: group, Members: members}
}

// one is a plan without problems, for spoiling.
func one() fleet.Plan {
	return fleet.Plan{Requester: "ann", Step: fleet.Step{Kind: "k", Account: "a", Group: "g", Members: []string{"i-1", "i-2"}}}
}

func several(steps ...fleet.Step) fleet.Plan { return fleet.Plan{Requester: "ann", Steps: steps} }

func TestPlanProblems(t *testing.T) {
	const (
		id   = "want an id of 1 to 128 letters, digits, '.', '_', ':' or '-', beginning with a letter or digit"
		name = "want a name of 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit"
		who  = "want members with their group, or groups, or targets"
		file = `want the name of a file in the worker's folder of target files, such as "web.csv"`
		sum  = "want the SHA-256 of the file as 64 hex digits in lower case"
	)
	listed := one().Step
	other := func(change func(s *fleet.Step)) fleet.Step {
		s := fleet.Step{Kind: "k", Account: "a", Group: "h", Members: []string{"i-3"}}
		change(&s)
		return s
	}
	grouped := func(groups ...fleet.Assignment) fleet.Step {
		return fleet.Step{Kind: "k", Account: "a", Groups: groups}
	}
	targeted := func(t fleet.Targets) fleet.Step { return fleet.Step{Kind: "k", Account: "a", Targets: &t} }
	cloudy := func(t fleet.Targets) fleet.Step {
		s := targeted(t)
		s.Group = "g"
		return s
	}
	spread := func(by string, groups ...string) *fleet.Spread { return &fleet.Spread{Groups: groups, By: by} }
	with := func(change func(p *fleet.Plan)) fleet.Plan {
		p := one()
		change(&p)
		return p
	}
	type plan = fleet.Plan
	for about, c := range map[string]struct {
		plan plan
		want []string
	}{
		"nothing wrong":          {one(), nil},
		"nothing wrong in steps": {several(listed, other(func(s *fleet.Step) {})), nil},
		"nothing at all": {plan{},
			[]string{"kind: is missing; " + name, "account: is missing; " + name, "members: is empty; " + who}},
		"both forms": {with(func(p *plan) { p.Steps = []fleet.Step{other(func(s *fleet.Step) {})} }),
			[]string{"steps: beside kind, account, group, members: want either steps or the fields of a single one, not both"}},
		"the other fields beside steps": {with(func(p *plan) {
			p.Steps = []fleet.Step{listed}
			p.Step = fleet.Step{Operation: membership.Join, Params: membership.Params{"a": 1}, Groups: []fleet.Assignment{in("h")}}
			p.Targets = &fleet.Targets{File: "web.csv"}
		}), []string{"steps: beside operation, params, groups, targets: want either"}},

		"operation": {with(func(p *plan) { p.Operation = "move" }),
			[]string{`operation: "move": want "join" (also "") or "leave"`}},
		"kind and account": {several(other(func(s *fleet.Step) { s.Kind, s.Account = "k/l", "" })),
			[]string{`steps[0].kind: "k/l": ` + name, "steps[0].account: is missing; " + name}},
		"nobody": {several(listed, other(func(s *fleet.Step) { s.Members = nil })),
			[]string{"steps[1].members: is empty; " + who}},
		"members and groups": {with(func(p *plan) { p.Groups = []fleet.Assignment{in("h", "i-3")} }),
			[]string{"members: stands beside other targets; " + who}},
		"members and targets": {with(func(p *plan) { p.Targets = &fleet.Targets{File: "web.csv"} }),
			[]string{"members: stands beside other targets; " + who}},
		"groups and targets": {with(func(p *plan) {
			p.Step = grouped(in("h", "i-3"))
			p.Targets = &fleet.Targets{File: "web.csv"}
		}), []string{"groups: stands beside targets; " + who}},
		"no group": {with(func(p *plan) { p.Group = "" }), []string{"group: is missing; " + id}},
		"bad ids": {with(func(p *plan) { p.Group, p.Members = "../g", []string{"i-1", "", "i 2"} }),
			[]string{`group: "../g": ` + id, "members[1]: is missing; " + id, `members[2]: "i 2": ` + id}},
		"a member twice": {with(func(p *plan) { p.Members = []string{"i-1", "i-2", "i-1"} }),
			[]string{`members[2]: "i-1": is the same as members[0]; name each member once`}},

		"groups": {several(grouped(in("g", "i-1"), in("h", "i-2"))), nil},
		"a group beside groups": {several(func() fleet.Step {
			s := grouped(in("g", "i-1"))
			s.Group = "h"
			return s
		}()), []string{`steps[0].group: "h": stands beside groups, each of which has its own; leave it out`}},
		"bad groups": {several(grouped(fleet.Assignment{}, in("g?", "i?"))), []string{
			"steps[0].groups[0].group: is missing; " + id, "steps[0].groups[0].members: is empty; want 1 id or more",
			`steps[0].groups[1].group: "g?": ` + id, `steps[0].groups[1].members[0]: "i?": ` + id}},
		"a group twice": {several(grouped(in("g", "i-1"), in("g", "i-2"))),
			[]string{`steps[0].groups[1].group: "g": is the same as steps[0].groups[0].group; name each group once`}},
		"a member in two groups": {several(grouped(in("g", "i-1"), in("h", "i-2", "i-1"))),
			[]string{`steps[0].groups[1].members[1]: "i-1": is the same as steps[0].groups[0].members[0]; name each member once`}},
		"a member in two steps": {several(listed, other(func(s *fleet.Step) { s.Operation, s.Members = membership.Join, []string{"i-2"} })),
			[]string{`steps[1].members[0]: "i-2": is the same as steps[0].members[1]; name each member once`}},
		"leaving and joining are two":      {several(other(func(s *fleet.Step) { s.Operation = membership.Leave }), other(func(s *fleet.Step) {})), nil},
		"two kinds may have the same":      {several(other(func(s *fleet.Step) {}), other(func(s *fleet.Step) { s.Kind = "l" })), nil},
		"two accounts may have like-named": {several(other(func(s *fleet.Step) {}), other(func(s *fleet.Step) { s.Account = "b" })), nil},
		"targets":                          {several(targeted(fleet.Targets{File: "2026/web.csv"})), nil},
		"targets without a file": {several(targeted(fleet.Targets{})),
			[]string{"steps[0].targets.file: is missing; " + file}},
		"targets outside the folder": {several(targeted(fleet.Targets{File: "../web.csv"})),
			[]string{`steps[0].targets.file: "../web.csv": ` + file}},
		"targets from the root": {several(targeted(fleet.Targets{File: "/web.csv"})),
			[]string{`steps[0].targets.file: "/web.csv": ` + file}},
		"targets that are the folder": {several(targeted(fleet.Targets{File: "."})),
			[]string{`steps[0].targets.file: ".": ` + file}},
		"targets in no list": {several(targeted(fleet.Targets{File: "web.xlsx"})),
			[]string{`steps[0].targets.file: "web.xlsx": want a name that ends in .csv`}},
		"an address in no state": {several(targeted(fleet.Targets{File: "web.csv", Address: "module.web"})),
			[]string{`steps[0].targets.address: "module.web": is for a state of Terraform, a .tfstate or .json; leave it out`}},
		"targets pinned to no hash": {several(targeted(fleet.Targets{File: "web.csv", SHA256: "abc"})),
			[]string{`steps[0].targets.sha256: "abc": ` + sum}},
		"targets pinned in capitals": {several(targeted(fleet.Targets{File: "web.csv", SHA256: strings.Repeat("AB", 32)})),
			[]string{`steps[0].targets.sha256: "` + strings.Repeat("AB", 30) + `"… (64 bytes): ` + sum}},
		"targets pinned to another's hash": {several(targeted(fleet.Targets{File: "web.csv", SHA256: strings.Repeat("ab", 64)})),
			[]string{`steps[0].targets.sha256: "`}},
		"targets with a group that is none": {with(func(p *plan) { p.Members, p.Group, p.Targets = nil, "g/h", &fleet.Targets{File: "web.csv"} }),
			[]string{`group: "g/h": ` + id}},

		"targets without anything": {several(targeted(fleet.Targets{SHA256: strings.Repeat("ab", 32)})),
			[]string{"steps[0].targets.file: is missing; " + file + ", or cloud"}},
		"targets from the cloud": {with(func(p *plan) {
			p.Members, p.Targets = nil, &fleet.Targets{Cloud: &membership.Query{Tags: map[string]string{"env": "prod"}}}
		}), nil},
		"targets from the cloud, to nowhere": {several(targeted(fleet.Targets{Cloud: &membership.Query{Name: "web-*"}})),
			[]string{"steps[0].group: is missing; " + id}},
		"targets from the cloud and a file": {several(cloudy(fleet.Targets{File: "web.csv", Cloud: &membership.Query{}})),
			[]string{"steps[0].targets.cloud: stands beside a file; want one of them"}},
		"all that the cloud has": {several(cloudy(fleet.Targets{Cloud: &membership.Query{NotIn: "g"}})),
			[]string{"steps[0].targets.cloud: says too little; want at least one of tags, name, vpc and in"}},
		"a bad query": {several(cloudy(fleet.Targets{Cloud: &membership.Query{In: "../g"}})),
			[]string{`steps[0].targets.cloud.in: "../g": ` + id}},

		"members, spread": {with(func(p *plan) { p.Group, p.Spread = "", spread("", "g-1", "g-2") }), nil},
		"targets, spread": {with(func(p *plan) {
			p.Group, p.Members, p.Spread = "", nil, spread("tag:rack", "g-1")
			p.Targets = &fleet.Targets{Cloud: &membership.Query{Name: "*"}}
		}), nil},
		"spread over nothing": {with(func(p *plan) { p.Group, p.Spread = "", spread("even") }),
			[]string{"spread.groups: is empty; want 1 id or more"}},
		"spread over a group twice": {with(func(p *plan) { p.Group, p.Spread = "", spread("zone", "g-1", "g 2", "g-1") }),
			[]string{`spread.groups[1]: "g 2": ` + id, `spread.groups[2]: "g-1": is the same as spread.groups[0]; name each group once`}},
		"spread by what": {with(func(p *plan) { p.Group, p.Spread = "", spread("rack", "g-1") }),
			[]string{`spread.by: "rack": want "fill" (also ""), "even", "zone" or "tag:" and a key, such as "tag:rack"`}},
		"spread by a tag without a key": {with(func(p *plan) { p.Group, p.Spread = "", spread("tag:", "g-1") }), []string{`spread.by: "tag:": want`}},
		"spread beside a group": {with(func(p *plan) { p.Spread = spread("", "g-1") }),
			[]string{`group: "g": stands beside spread, which has groups; leave one of them out`}},
		"spread beside groups": {with(func(p *plan) {
			p.Step = grouped(in("h", "i-3"))
			p.Spread = spread("fill", "g-1")
		}), []string{"groups: have members of their own beside spread, which divides members; leave one of them out"}},
		"spread of who leaves": {with(func(p *plan) { p.Group, p.Operation, p.Spread = "", membership.Leave, spread("", "g-1") }),
			[]string{"spread: is for members that join"}},
		"spread beside steps": {with(func(p *plan) {
			p.Steps = []fleet.Step{listed}
			p.Step = fleet.Step{Spread: spread("", "g-1")}
		}), []string{"steps: beside spread: want either"}},

		"waves, by step": {func() plan {
			p := several(listed, grouped(in("h", "i-3")))
			p.Waves = shares(count(2))
			return p
		}(),
			[]string{`waves[0]: 2: want at most the 1 members of steps[1]; a last wave of "100%" is right for any number`}},
		"soak": {with(func(p *plan) { p.Soak = -fleet.Duration(time.Minute) }),
			[]string{"soak: -1m0s: want 0s or more"}},

		"a budget that says nothing": {with(func(p *plan) { p.Budget = &fleet.Budget{Then: fleet.ThenStop} }),
			[]string{"budget: allows any number of failures; want failures, perWave or both, or no budget"}},
		"a budget of more than all": {with(func(p *plan) { p.Budget = &fleet.Budget{Failures: percent(101), PerWave: percent(100.5)} }),
			[]string{"budget.failures: 101%: want at most 100%", "budget.perWave: 100.5%: want at most 100%"}},
		"a budget of less than nothing": {with(func(p *plan) { p.Budget = &fleet.Budget{Failures: count(-1)} }),
			[]string{"budget.failures: -1: want a count of at least 1"}},
		"a budget of more than there are": {with(func(p *plan) { p.Budget = &fleet.Budget{Failures: count(100)} }), nil},
		"what then": {with(func(p *plan) { p.Budget = &fleet.Budget{Failures: count(1), Then: "go on"} }),
			[]string{`budget.then: "go on": want "stop" (also ""), "roll-back-wave" or "roll-back"`}},

		"windows": {with(func(p *plan) { p.Windows = []fleet.Window{{From: "1", To: "04:00", Zone: berlin}} }),
			[]string{`windows[0].from: "1": want a time such as`}},
		"too many": {with(func(p *plan) { p.Pace = fleet.Pace{Cohorts: 1001, Members: 201} }),
			[]string{"pace.cohorts: 1001: want 1 to 1000; it is 10 when left out",
				"pace.members: 201: want 1 to 200; it is as many as the kind takes when left out"}},
		"fewer than none": {with(func(p *plan) { p.Pace = fleet.Pace{Cohorts: -1, Members: -1} }),
			[]string{"pace.cohorts: -1: want 1", "pace.members: -1: want 1"}},
		"the most": {with(func(p *plan) { p.Pace = fleet.Pace{Cohorts: 1000, Members: 200} }), nil},
		"nobody asks": {with(func(p *plan) { p.Requester, p.Approval = "", &fleet.Approval{} }),
			[]string{"requester: is missing; say who asks, since they may not approve it themselves"}},
		"too few voters": {with(func(p *plan) {
			p.Approval = &fleet.Approval{Approval: membership.Approval{Quorum: 2, Voters: []string{"ann", "bob"}}}
		}), []string{"approval.quorum: 2: want at most 1, the voters without the requester"}},
		"when held": {with(func(p *plan) { p.WhenHeld = "push" }),
			[]string{`whenHeld: "push": want "refuse" or "wait"`}},
	} {
		t.Run(about, func(t *testing.T) { requireProblems(t, c.want, c.plan.Problems()) })
	}
	for about, c := range wrongWaves {
		t.Run("waves, "+about, func(t *testing.T) {
			c.plan.Step = targeted(fleet.Targets{File: "web.csv"})
			requireProblems(t, c.want, c.plan.Problems())
		})
	}
}

func TestPlanProblemsStayReadable(t *testing.T) {
	var ids []string
	for i := range 100_000 {
		ids = append(ids, fmt.Sprintf("/%d%s", i, strings.Repeat("x", 100)))
	}
	many := fleet.Step{Kind: "k", Account: "a", Group: "g", Members: ids}
	for name, p := range map[string]fleet.Plan{
		"members": {Step: many},
		"groups":  {Step: fleet.Step{Kind: "k", Account: "a", Groups: slices.Repeat([]fleet.Assignment{{}}, 1000)}},
		"steps":   {Steps: slices.Repeat([]fleet.Step{many}, 100)},
		"waves":   {Step: fleet.Step{Kind: "k", Account: "a", Group: "g", Members: []string{"i"}}, Waves: make([]fleet.Share, 1000)},
	} {
		ps := p.Problems()
		require.Len(t, ps, 25, name)
		require.Equal(t, "plan: has more problems; the rest was not looked at", ps[24].String())
		require.Less(t, len(membership.Bad(ps).Error()), 10_000)
	}
}

func FuzzParsePlan(f *testing.F) {
	data, err := yaml.YAMLToJSON([]byte(whole))
	require.NoError(f, err)
	f.Add(data)
	for _, seed := range []string{
		head + `}`, head + `,"canary":0,"waves":["5%",null,"100%"],"budget":{"failures":"0.5%"}}`,
		`{"kind":"k","account":"a","groups":[{"group":"g","members":["i"]}],"windows":[` +
			`{"days":["sat-mon"],"from":"23:00","to":"24:00","zone":"UTC"}]}`,
		`{"steps":[{"kind":"k","account":"a","targets":{"file":"a.csv"}}],"soak":"-0s","pace":{"cohorts":1000}}`,
		`{"requester":"ann","approval":{"quorum":1,"voters":["bob"],"eachWave":true}}`, `null`, `[]`, `{"waves":[0]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := fleet.ParsePlan(data)
		if err != nil {
			var bad *membership.BadInput
			require.ErrorAs(t, err, &bad)
			require.NotEmpty(t, bad.Problems)
			require.LessOrEqual(t, len(bad.Problems), 25)
			return
		}
		written, err := json.Marshal(p)
		require.NoError(t, err)
		again, err := fleet.ParsePlan(written)
		require.NoError(t, err, "%s", written)
		rewritten, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(written), string(rewritten))
		for _, total := range []int{1, 7, 1000} {
			waves, ps := p.Layout(0, total)
			laidOut := 0
			for _, w := range waves {
				laidOut += w.Members
			}
			require.True(t, len(ps) > 0 || laidOut == total)
		}
		require.LessOrEqual(t, len(fleet.Windows(p.Windows).Openings(time.Unix(1<<30, 0).UTC(), 3)), 3)
		require.GreaterOrEqual(t, fleet.NewLedger(p.Budget, 1000).Room(), 1)
	})
}

func TestAnEmptyListOfStepsIsToldAsSuch(t *testing.T) {
	_, err := fleet.ParsePlan([]byte(`{"steps": []}`))
	require.EqualError(t, err, "steps: is an empty list; want at least one step")
	_, err = fleet.ParsePlan([]byte(`{"steps": [], "kind": "k", "account": "a", "group": "g", "members": ["m"]}`))
	require.EqualError(t, err, "steps: is an empty list; want at least one step")
	_, err = fleet.ParsePlan([]byte(`{"steps": null, "kind": "k", "account": "a", "group": "g", "members": ["m"]}`))
	require.NoError(t, err)
}

func TestNamesThatNobodyCanReadAreBadInput(t *testing.T) {
	plan := fleet.Plan{Name: strings.Repeat("n", 3000), Requester: "ann\x1b[2J", Step: fleet.Step{Kind: "k", Account: "a", Group: "g", Members: []string{"m"}}}
	err := membership.Bad(plan.Problems())
	require.ErrorContains(t, err, "… (3000 bytes): want at most 200 bytes of UTF-8 without control characters")
	require.ErrorContains(t, err, `requester: "ann\x1b[2J": want at most 200 bytes`)
	plan.Name, plan.Requester = "网站 tier 2", "安娜"
	require.NoError(t, membership.Bad(plan.Problems()))
}

func TestWhatARollBackMayNotSay(t *testing.T) {
	key := "sha256:" + strings.Repeat("ab", 32)
	for text, want := range map[string]string{
		`{"rollback": "` + key + `"}`:                                             "",
		`{"rollback": "` + key + `", "approval": {}, "requester": "ann"}`:         "",
		`{"rollback": "sha256:12"}`:                                               `rollback: "sha256:12": want the key of a run's archive`,
		`{"rollback": "` + key + `", "kind": "k", "canary": 1, "waves": ["50%"]}`: "rollback: beside kind, canary, waves: puts back what another run did",
	} {
		_, err := fleet.ParsePlan([]byte(text))
		if want == "" {
			require.NoError(t, err, text)
		} else {
			require.ErrorContains(t, err, want, text)
		}
	}
}
