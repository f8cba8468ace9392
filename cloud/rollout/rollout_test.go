package rollout_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/rollout"
)

func shares(percents ...float64) (all []fleet.Share) {
	for _, p := range percents {
		all = append(all, fleet.Share{Percent: p})
	}
	return all
}

func failures(n int, then fleet.Then) *fleet.Budget {
	return &fleet.Budget{Failures: fleet.Share{Count: n}, Then: then}
}

// steps makes a plan of a leave and a join of the same members.
func steps(p *fleet.Plan) {
	members := p.Members
	p.Step = fleet.Step{}
	p.Steps = []fleet.Step{
		{Operation: membership.Leave, Kind: "toy.group", Account: "demo", Group: "g-1", Members: members},
		{Kind: "toy.group", Account: "demo", Group: "g-2", Members: members},
	}
}

// lost is a cohort that was terminated.
var lost = &rollout.Failure{Why: "terminated"}

func TestRuns(t *testing.T) {
	for name, c := range map[string]struct {
		members int
		plan    func(p *fleet.Plan)
		game    func(g *game)
		log     []string
		ends    string
	}{
		"one wave": {members: 4, log: []string{"start m0 m1 m2", "start m3"}, ends: "succeeded: 4 joined"},
		"a canary and waves": {members: 8, plan: func(p *fleet.Plan) { p.Canary, p.Waves = 1, shares(50, 100) },
			log: []string{"start m0", "check c1", "start m1 m2 m3", "check c2", "start m4 m5 m6", "start m7"}, ends: "succeeded: 8 joined"},
		"a soak rests": {members: 4, plan: func(p *fleet.Plan) { p.Canary, p.Soak = 1, fleet.Duration(time.Hour) },
			game: func(g *game) {
				g.at(30*time.Minute, func() {
					g.say("%s until %s", g.Status().Phase, g.Status().Next.Sub(monday))
				})
			},
			log: []string{"start m0", "resting until 1h1m0s", "check c1", "start m1 m2 m3"}, ends: "succeeded: 4 joined"},
		"a step follows the other": {members: 2, plan: steps, log: []string{"start m0 m1", "start m0 m1"}, ends: "succeeded: 2 joined, 2 left"},
		"a step that failed is the last": {members: 2, plan: steps,
			game: func(g *game) { g.fails(membership.RolledBack, "m1") },
			log:  []string{"start m0 m1"}, ends: "partial: 1 left, 1 rolled-back, 2 not-started"},
		"the pace": {members: 9, plan: func(p *fleet.Plan) { p.Pace = fleet.Pace{Cohorts: 1, Members: 2} },
			log: []string{"start m0 m1", "start m2", "start m3 m4", "start m5", "start m6 m7", "start m8"}, ends: "succeeded: 9 joined"},

		"places are counted before anybody is started": {members: 4, plan: steps, game: func(g *game) { g.scarce = true },
			log:  []string{"reserve in 2 looks", "start m0 m1 m2", "start m3", "reserve in 2 looks", "start m0 m1 m2", "start m3"},
			ends: "succeeded: 4 joined, 4 left"},
		"and before people decide": {members: 4, plan: func(p *fleet.Plan) { p.Approval = &fleet.Approval{} },
			game: func(g *game) {
				g.scarce = true
				g.at(time.Minute, func() {
					_, digest := g.Gate()
					_, err := g.Control(g.now, membership.ControlApprove, fleet.Control{Control: membership.Control{By: "bob", Digest: digest}})
					require.NoError(g.t, err)
				})
			},
			log: []string{"reserve in 2 looks", "close gate", "start m0 m1 m2, approved", "start m3, approved"}, ends: "succeeded: 4 joined"},

		"a spent budget stops": {members: 9, plan: func(p *fleet.Plan) { p.Budget = failures(2, "") },
			game: func(g *game) { g.fails(membership.RolledBack, "m0", "m1", "m4") },
			log:  []string{"start m0 m1"}, ends: "stopped: the budget is spent (failures): 2 of 2 failures allowed"},
		"one that is not strict stops, but late": {members: 9, plan: func(p *fleet.Plan) {
			p.Budget, p.Pace.Cohorts = failures(2, ""), 2
			p.Budget.Strict = new(bool)
		},
			game: func(g *game) { g.fails(membership.RolledBack, "m0", "m1", "m3") },
			log:  []string{"start m0 m1 m2", "start m3 m4 m5"}, ends: "stopped: the budget is spent (failures): 3 of 2 failures allowed"},
		"a larger one goes on": {members: 4, plan: func(p *fleet.Plan) { p.Budget = failures(2, "") },
			game: func(g *game) {
				g.fails(membership.RolledBack, "m0", "m1")
				g.at(time.Hour, func() { g.control(fleet.ControlChange, fleet.Control{Budget: failures(4, "")}) })
			},
			log: []string{"start m0 m1", "start m2", "start m3"}, ends: "partial: 2 joined, 2 rolled-back"},
		"a spent budget rolls the wave back": {members: 6, plan: func(p *fleet.Plan) {
			p.Waves, p.Budget = shares(50, 100), &fleet.Budget{PerWave: fleet.Share{Count: 1}, Then: fleet.ThenRollBackWave}
		},
			game: func(g *game) { g.fails(membership.RolledBack, "m4") },
			log:  []string{"start m0", "start m1", "start m2", "check c1", "check c2", "check c3", "start m3", "start m4", "undo m3"},
			ends: "partial: 3 joined, 2 rolled-back, 1 not-started"},
		"a spent budget rolls all back": {members: 3, plan: func(p *fleet.Plan) { p.Budget = failures(1, fleet.ThenRollBackFleet) },
			game: func(g *game) { g.fails(membership.RolledBack, "m1") },
			log:  []string{"start m0", "start m1", "undo m0"}, ends: "rolled-back: 2 rolled-back, 1 not-started"},

		"what left is put back, the last step first": {members: 1, plan: func(p *fleet.Plan) {
			steps(p)
			p.Budget = failures(1, fleet.ThenRollBackFleet)
		},
			game: func(g *game) {
				g.fate = func(_ string, try int) membership.Outcome {
					return map[int]membership.Outcome{2: membership.RolledBack}[try] // in the second step
				}
			},
			log: []string{"start m0", "start m0", "undo m0"}, ends: "rolled-back: 2 rolled-back"},
		"what cannot be put back is never told as put back": {members: 1, plan: func(p *fleet.Plan) {
			steps(p)
			p.Budget = failures(1, fleet.ThenRollBackFleet)
		},
			game: func(g *game) {
				g.fate = func(_ string, try int) membership.Outcome {
					return map[int]membership.Outcome{2: membership.RolledBack}[try]
				}
				g.undo = func(string) membership.Outcome { return membership.Left }
			},
			log: []string{"start m0", "start m0", "undo m0"}, ends: "rollback-incomplete: 1 rolled-back, 1 rollback-incomplete"},
		"nor is what another run has taken": {members: 2, plan: func(p *fleet.Plan) { p.Budget = failures(1, fleet.ThenRollBackFleet) },
			game: func(g *game) {
				g.fails(membership.RolledBack, "m1")
				g.undo = func(string) membership.Outcome { return membership.Refused }
			},
			log: []string{"start m0", "start m1", "undo m0"}, ends: "rollback-incomplete: 1 rolled-back, 1 rollback-incomplete"},

		"a pause holds": {members: 4, plan: func(p *fleet.Plan) { p.Pace.Cohorts = 1 },
			game: func(g *game) {
				g.at(30*time.Second, func() { g.control(membership.ControlPause, fleet.Control{}) })
				g.at(time.Hour, func() { g.say("%s", g.tally()); g.control(membership.ControlResume, fleet.Control{}) })
			},
			log: []string{"start m0 m1 m2", "tell c1 pause", "paused: paused by somebody", "start m3"}, ends: "succeeded: 4 joined"},
		"an abort puts back what is half-way": {members: 4, plan: func(p *fleet.Plan) { p.Pace.Cohorts = 1 },
			game: func(g *game) {
				g.at(90*time.Second, func() { g.control(membership.ControlAbort, fleet.Control{}) })
			},
			log: []string{"start m0 m1 m2", "start m3", "tell c2 abort"}, ends: "cancelled: 3 joined, 1 rolled-back"},
		"an abort may reach further": {members: 4, plan: func(p *fleet.Plan) { p.Pace.Cohorts = 1 },
			game: func(g *game) {
				g.at(90*time.Second, func() { g.control(membership.ControlAbort, fleet.Control{Then: fleet.ThenRollBackFleet}) })
			},
			log: []string{"start m0 m1 m2", "start m3", "tell c2 abort", "undo m0 m1 m2"}, ends: "cancelled: 4 rolled-back"},
		"an abort undoes what nobody knows": {members: 3,
			game: func(g *game) {
				g.fails(membership.Unknown, "m1")
				g.at(time.Hour, func() { g.say("%s", g.tally()); g.control(membership.ControlAbort, fleet.Control{}) })
			},
			log: []string{"start m0 m1 m2", "needs-a-person", "undo m1"}, ends: "cancelled: 2 joined, 1 rolled-back"},

		"a retry": {members: 3,
			game: func(g *game) {
				g.fate = func(id string, try int) membership.Outcome {
					return map[bool]membership.Outcome{true: membership.Unknown}[id == "m1" && try == 1]
				}
				g.at(time.Hour, func() { g.control(membership.ControlRetry, fleet.Control{}) })
			},
			log: []string{"start m0 m1 m2", "retry m1"}, ends: "succeeded: 3 joined"},
		"of a cohort that left no record, all": {members: 3,
			game: func(g *game) {
				g.dies = func(in fleet.PageInput) *rollout.Failure {
					return map[bool]*rollout.Failure{true: lost}[in.Again == nil]
				}
				g.at(time.Hour, func() { g.say("%s", g.tally()); g.control(membership.ControlRetry, fleet.Control{}) })
			},
			log: []string{"start m0 m1 m2", "lose m0 m1 m2", "needs-a-person", "retry m0 m1 m2"}, ends: "succeeded: 3 joined"},
		"a retry that is lost is unknown, and can be tried again": {members: 3,
			game: func(g *game) {
				dead := false
				g.fate = func(id string, try int) membership.Outcome {
					return map[bool]membership.Outcome{true: membership.RollbackIncomplete}[id == "m1" && try == 1]
				}
				g.dies = func(in fleet.PageInput) *rollout.Failure {
					was := dead
					dead = in.Again != nil
					return map[bool]*rollout.Failure{true: lost}[dead && !was]
				}
				for h := range 2 {
					g.at(time.Duration(h+1)*time.Hour, func() { g.control(membership.ControlRetry, fleet.Control{}) })
				}
			},
			log: []string{"start m0 m1 m2", "retry m1", "lose m1", "retry m1"}, ends: "succeeded: 3 joined"},
		"a word for what failed": {members: 3,
			game: func(g *game) {
				g.fails(membership.Unknown, "m1", "m2")
				vouch := func(ids ...string) fleet.Control {
					return fleet.Control{Control: membership.Control{By: "bob", Reason: "seen", Members: ids}}
				}
				g.at(time.Hour, func() { g.control(membership.ControlMarkDone, vouch("m1")) })
				g.at(2*time.Hour, func() { g.control(membership.ControlSkip, vouch()) })
			},
			log: []string{"start m0 m1 m2"}, ends: "partial: 2 joined, 1 skipped"},

		"a cloud that cannot be planned with": {members: 9, plan: func(p *fleet.Plan) { p.Pace.Cohorts = 1 },
			game: func(g *game) {
				g.dies = func(in fleet.PageInput) *rollout.Failure {
					return map[bool]*rollout.Failure{true: {Why: "the key has expired", Cloud: true}}[in.Page > 0 && g.now.Before(monday.Add(time.Hour))]
				}
				g.at(time.Hour, func() { g.say("%s", g.tally()); g.control(membership.ControlResume, fleet.Control{}) })
			},
			log: []string{"start m0 m1 m2", "start m3 m4 m5", "lose m3 m4 m5", "start m6 m7 m8", "lose m6 m7 m8",
				"stopped: 2 cohorts could not be planned: the key has expired; resume when that is mended, skip them, or abort",
				"start m3 m4 m5", "start m6 m7 m8"}, ends: "succeeded: 9 joined"},
		"members that are lost after a wave": {members: 2, plan: func(p *fleet.Plan) { p.Canary = 1 },
			game: func(g *game) {
				g.lost = func(fleet.Part) []string { return []string{"m0 is gone"} }
				g.at(time.Hour, func() { g.say("%s", g.tally()); g.control(membership.ControlResume, fleet.Control{}) })
			},
			log:  []string{"start m0", "check c1", "stopped: after canary, not as they were left (1): m0 is gone", "start m1"},
			ends: "succeeded: 2 joined"},

		"a gate": {members: 4, plan: func(p *fleet.Plan) { p.Canary, p.Approval = 1, &fleet.Approval{} },
			game: func(g *game) {
				g.at(time.Hour, func() {
					g.say("%s", g.Status().Phase)
					g.control(membership.ControlApprove, fleet.Control{Control: membership.Control{By: "bob", Digest: g.Status().Digest}})
				})
			},
			log: []string{"awaiting-approval", "close gate", "start m0", "check c1", "start m1 m2 m3"}, ends: "succeeded: 4 joined"},
		"a gate that nobody opens": {members: 4, plan: func(p *fleet.Plan) { p.Approval = &fleet.Approval{} },
			log: []string{"close gate"}, ends: "refused: 4 not-started"},
		"what destroys has a gate": {members: 1,
			game: func(g *game) {
				g.seen = func(in fleet.PageInput) fleet.Seen { return fleet.Seen{Key: "k", Due: 1, Destructive: true} }
				g.at(time.Hour, func() {
					g.control(membership.ControlReject, fleet.Control{Control: membership.Control{By: "bob", Digest: g.Status().Digest, Reason: "no"}})
				})
			},
			log: []string{"close gate"}, ends: "refused: 1 not-started"},

		"a window": {members: 4, plan: func(p *fleet.Plan) {
			p.Pace.Cohorts = 1
			p.Windows = []fleet.Window{{From: "10:00", To: "10:01", Zone: "UTC"}}
		},
			game: func(g *game) {
				for _, h := range []time.Duration{30, 90} {
					g.at(h*time.Minute, func() { g.say("%s until %s", g.Status().Phase, g.Status().Next.Sub(monday)) })
				}
			},
			log: []string{"resting until 1h0m0s", "start m0 m1 m2", "resting until 25h0m0s", "start m3"}, ends: "succeeded: 4 joined"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGame(t, c.members, c.plan)
			if c.game != nil {
				c.game(g)
			}
			g.play()
			require.Equal(t, c.ends, g.tally())
			require.Equal(t, c.log, g.log)
		})
	}
}

// More members may have failed than a run knows by name. They are tried again all the same.
// What a run did that has ended is put back by another, step by step from the last, and once.
func TestARunThatHasEndedIsRolledBack(t *testing.T) {
	first := newGame(t, 4, steps)
	first.fails(membership.Refused, "m3")
	first.play()
	require.Equal(t, "partial: 3 joined, 3 left, 2 refused", first.tally())
	back := func(before *game, change func(p *fleet.Plan), prepare func(g *game)) *game {
		g := newGame(t, 1, func(p *fleet.Plan) {
			p.Step, p.Steps, p.Rollback = fleet.Step{}, nil, "sha256:"+strings.Repeat("0", 64)
			if change != nil {
				change(p)
			}
		})
		g.before, g.records = before, before.records
		if prepare != nil {
			prepare(g)
		}
		return g.play()
	}
	second := back(first, nil, func(g *game) {
		g.undo = func(id string) membership.Outcome {
			return map[bool]membership.Outcome{true: membership.Refused, false: membership.RolledBack}[id == "m1" && g.Rollback == 0]
		}
	})
	require.Equal(t, []string{"undo m0 m1 m2", "undo m0 m1 m2"}, second.log)
	require.Equal(t, "rollback-incomplete: 2 refused, 5 rolled-back, 1 rollback-incomplete", second.tally())
	require.Empty(t, back(second, nil, nil).log, "nothing is put back twice")

	asked := func(p *fleet.Plan) { p.Approval = &fleet.Approval{} }
	says := func(word, reason string) func(g *game) {
		return func(g *game) {
			g.at(time.Minute, func() {
				gate, digest := g.Gate()
				require.Equal(t, "puts back 6 members", gate.Why)
				g.control(word, fleet.Control{Control: membership.Control{By: "bob", Digest: digest, Reason: reason}})
			})
		}
	}
	yes := back(first, asked, says(membership.ControlApprove, ""))
	require.Equal(t, []string{"close gate", "undo m0 m1 m2", "undo m0 m1 m2"}, yes.log)
	require.Equal(t, "rolled-back: 2 refused, 6 rolled-back", yes.tally())
	no := back(first, asked, says(membership.ControlReject, "not today"))
	require.Equal(t, []string{"close gate"}, no.log)
	require.Equal(t, "the roll-back: rejected by bob: not today", no.Report().Why)
	require.Equal(t, first.Report().Counts, no.Report().Counts)
}

// That a run has put back members of whom nobody knew says nothing of those that joined beside them.
func TestWhoJoinedBesideTheUnknownIsRolledBack(t *testing.T) {
	first := newGame(t, 3, nil)
	first.fails(membership.Unknown, "m1")
	first.at(time.Hour, func() { first.control(membership.ControlAbort, fleet.Control{Then: fleet.ThenPutBack}) })
	first.play()
	require.Equal(t, []string{"start m0 m1 m2", "undo m1"}, first.log)
	second := newGame(t, 1, func(p *fleet.Plan) { p.Step, p.Rollback = fleet.Step{}, "sha256:"+strings.Repeat("0", 64) })
	second.before, second.records = first, first.records
	second.play()
	require.Equal(t, []string{"undo m0 m2"}, second.log)
	require.Equal(t, "rolled-back: 3 rolled-back", second.tally())
}

func TestMoreFailedMembersThanAreKnownByName(t *testing.T) {
	const members = 5001
	g := newGame(t, members, nil)
	g.fate = func(_ string, try int) membership.Outcome {
		return map[bool]membership.Outcome{true: membership.Unknown}[try == 1]
	}
	g.at(10*time.Hour, func() {
		_, err := g.Control(g.now, membership.ControlRetry, fleet.Control{Control: membership.Control{Members: []string{"m5000"}}})
		require.ErrorContains(t, err, "m5000 is not among the failed members that the run knows by name; choose all of them")
		g.control(membership.ControlRetry, fleet.Control{})
	})
	g.play()
	require.Equal(t, "succeeded: 5001 joined", g.tally())
}

// The digest is what people vote on: it changes with all that they decide about, and it is the same in every release.
func TestTheDigestIsOfWhatPeopleDecideAbout(t *testing.T) {
	gate := func(plan func(p *fleet.Plan), change func(s *fleet.Survey), key string) string {
		g := newGame(t, 4, func(p *fleet.Plan) {
			p.Approval = &fleet.Approval{}
			if plan != nil {
				plan(p)
			}
		})
		g.seen = func(in fleet.PageInput) fleet.Seen { return fleet.Seen{Key: key, Due: in.To} }
		survey := g.survey()
		if change != nil {
			change(&survey)
		}
		require.Equal(t, []rollout.Command{rollout.Survey{Plan: g.plan}}, g.Next(monday, false))
		g.Surveyed(survey, nil)
		for _, c := range g.Next(monday, false) {
			g.do(c)
		}
		require.Empty(t, g.Next(monday, false))
		_, digest := g.Gate()
		return digest
	}
	const released = "sha256:55f6820eef01288278dafbb57d8d3fad1324baf89ca9752d3e7ae2ba2a1eb1c6"
	first := gate(nil, nil, "k")
	require.Equal(t, released, first, "a digest of the same things is another: votes of runs under way would not count; it needs a new version")
	for name, other := range map[string]string{
		"another run":      gate(nil, func(s *fleet.Survey) { s.Run = "other" }, "k"),
		"another manifest": gate(nil, func(s *fleet.Survey) { s.Manifest = "other" }, "k"),
		"another preview":  gate(nil, nil, "other"),
	} {
		require.NotEqual(t, first, other, name)
	}
	require.Equal(t, first, gate(func(p *fleet.Plan) { p.Name = "a name" }, nil, "k"), "the manifest vouches for the plan")
}

// Whatever happens to a run, and however often it continues in a fresh history: all members are accounted for, the budget
// holds, and the run ends or waits for a person.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		budget := rapid.IntRange(0, 4).Draw(t, "budget")
		loose := rapid.Bool().Draw(t, "loose")
		seed := rapid.Uint64().Draw(t, "seed")
		members := rapid.IntRange(1, 20).Draw(t, "members")
		play := func(turns bool) *game {
			g := newGame(t, members, func(p *fleet.Plan) {
				if seed%3 == 0 {
					steps(p)
				}
				p.Pace.Cohorts = int(seed%4) + 1
				p.Waves = shares(30, 100)
				if budget > 0 {
					p.Budget = failures(budget, []fleet.Then{fleet.ThenStop, fleet.ThenRollBackWave, fleet.ThenRollBackFleet}[seed%3])
					if loose {
						p.Budget.Strict = new(bool)
					}
				}
			})
			chance := rand.New(rand.NewPCG(seed, 1))
			luck := map[string]int{}
			for _, id := range crowd(members) {
				luck[id] = chance.IntN(12)
			}
			g.fate = func(id string, try int) membership.Outcome {
				if try > 1 {
					return ""
				}
				return map[int]membership.Outcome{0: membership.RolledBack, 1: membership.Unknown, 2: membership.RollbackIncomplete, 3: membership.Refused}[luck[id]]
			}
			if turns {
				odd := 0
				g.turns = func() bool { odd++; return odd%3 == 0 }
			}
			for h := range 5 {
				g.at(time.Duration(h+1)*3*time.Hour, func() {
					name := []string{membership.ControlRetry, membership.ControlPause, membership.ControlResume, membership.ControlSkip,
						membership.ControlAbort}[(seed>>(8*h))%5]
					in := fleet.Control{}
					if name == membership.ControlSkip {
						in.Reason = "seen"
					}
					_, _ = g.Control(g.now, name, in) // it may make no sense now
				})
			}
			g.at(100*time.Hour, func() { _, _ = g.Control(g.now, membership.ControlAbort, fleet.Control{}) })
			return g.play()
		}
		straight, turned := play(false), play(true)
		over, _ := straight.Over()
		require.True(t, over, straight.tally())
		if !loose { // when so many are under way, it is a matter of time who is started
			require.Equal(t, straight.tally(), turned.tally(), "however often it continues")
		}
		if budget > 0 && !loose {
			require.LessOrEqual(t, straight.most, budget)
		}
	})
}
