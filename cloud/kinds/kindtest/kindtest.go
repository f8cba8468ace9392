package kindtest

import (
	"cmp"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// gaits are the two sizes of a cohort that the engine treats differently.
var gaits = map[string]int{"a handful": 3, "a page": membership.ByName + 5}

// Run is the suite.
func Run(t *testing.T, s Subject) {
	t.Run("joins, and joining again writes nothing", func(t *testing.T) { inEachGait(t, s, joinsOnce) })
	t.Run("leaves", func(t *testing.T) { inEachGait(t, s, leaves) })
	t.Run("killed anywhere", func(t *testing.T) { killedAnywhere(t, s) })
	t.Run("every write goes wrong once", func(t *testing.T) { everyWriteGoesWrong(t, s) })
	t.Run("a failure is undone", func(t *testing.T) { failuresAreUndone(t, s) })
	t.Run("a run that has ended is rolled back", func(t *testing.T) { endedRunsAreRolledBack(t, s) })
	t.Run("a retry finishes what a break began", func(t *testing.T) { retriesFinish(t, s) })
	t.Run("a failure is undone, killed anywhere", func(t *testing.T) { killedWhileUndoing(t, s) })
}

// endedRunsAreRolledBack puts back what a run did that has ended, wherever the worker dies. Who is told to be put back is as
// before, and of the others it is said that they cannot be.
func endedRunsAreRolledBack(t *testing.T, s Subject) {
	for _, dies := range [][]int{nil, {2, 9, 20}, {6, 14}} {
		t.Run(fmt.Sprintf("dies at calls %d", dies), func(t *testing.T) {
			Bubble(t, s, gaits["a handful"], func(r *Rig) {
				req := s.Request(r.Sim)
				before := r.States(req.Members)
				_, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				joined := r.States(req.Members)
				r.DieIn(dies...)
				report, err := r.RollBack()
				require.NoError(r, err)
				for _, m := range report.Members {
					switch {
					case m.Outcome == membership.RolledBack:
						require.Equal(r, before[m.ID], r.States([]string{m.ID})[m.ID], "%+v", m)
					case m.Code == membership.CodeNoUndo:
						require.Equal(r, joined[m.ID], r.States([]string{m.ID})[m.ID], "%+v", m)
					default:
						require.Fail(r, "it is neither put back nor told why not", "%+v", m)
					}
				}
				require.Len(r, report.Members, len(req.Members), "%+v", report)
				again, err := r.RollBack() // of the run that has rolled it back: nothing is left to do
				if err == nil {
					require.NotContains(r, again.Counts, membership.Joined)
				} else {
					require.ErrorContains(r, err, "there is nothing to put back")
				}
			})
		})
	}
}

// RunVariant is Run for another way into a kind whose first way Run has proved: deaths come at fewer of its calls, spread over the
// story all the same.
func RunVariant(t *testing.T, s Subject) {
	s.looks, s.writes = mostCalls/5, mostWrites/2
	Run(t, s)
}

func inEachGait(t *testing.T, s Subject, f func(*Rig, membership.Request)) {
	for name, n := range gaits {
		t.Run(name, func(t *testing.T) {
			Bubble(t, s, n, func(r *Rig) { f(r, s.Request(r.Sim)) })
		})
	}
}

func joinsOnce(r *Rig, req membership.Request) {
	before := r.States(req.Members)
	report, err := r.Run(membership.Join, req)
	require.NoError(r, err)
	require.Equal(r, membership.RunSucceeded, report.Outcome, "%+v", report)
	r.joinedOnce(req.Members, before)
	writes := len(r.Writes())
	report, err = r.Run(membership.Join, req)
	require.NoError(r, err)
	require.Equal(r, len(req.Members), report.Counts[membership.Already])
	require.Len(r, r.Writes(), writes)
}

func leaves(r *Rig, req membership.Request) {
	before := r.States(req.Members)
	_, err := r.Run(membership.Join, req)
	require.NoError(r, err)
	op, out := membership.Leave, membership.Left
	if req.From != "" { // who was moved is moved back
		op, out = membership.Join, membership.Joined
		req.Group, req.From = req.From, req.Group
	}
	report, err := r.Run(op, req)
	require.NoError(r, err)
	require.Equal(r, len(req.Members), report.Counts[out])
	require.Equal(r, before, r.States(req.Members))
	require.Empty(r, r.Needless())
	report, err = r.Run(op, req)
	require.NoError(r, err)
	require.Equal(r, len(req.Members), report.Counts[membership.Already])
}

// killedAnywhere kills the worker at calls all over a run, and at writes both before the cloud acts and after, and wants
// the run to end as if nothing had happened: everyone joined, and no write too many.
func killedAnywhere(t *testing.T, s Subject) {
	for name, n := range gaits {
		t.Run(name, func(t *testing.T) {
			var calls, writes int
			Bubble(t, s, n, func(r *Rig) {
				_, err := r.Run(membership.Join, s.Request(r.Sim))
				require.NoError(r, err)
				calls, writes = r.crash.made()
			})
			require.Positive(t, writes)
			eachDeath(t, s, n, s.deaths(calls, writes, 1), func(r *Rig) {
				req := s.Request(r.Sim)
				before := r.States(req.Members)
				report, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				require.Equal(r, membership.RunSucceeded, report.Outcome, "%+v", report)
				r.joinedOnce(req.Members, before)
				require.Equal(r, unique(r.Writes()), r.Writes(), "a write was sent twice")
			})
		})
	}
}

// A story that waits for half an hour looks a thousand times, and a death at one look is like one at the next. So of more
// calls than these, and more writes, deaths come at some, spread evenly over the story. With -short, which is for the race
// detector, they are fewer: that looks for races, which each death shows as well as any other, and takes ten times as long.
const (
	mostCalls  = 40
	mostWrites = 20
	// deathsOfStory is how many deaths one story bears. They are far apart: what one has left behind is settled when the
	// next comes, and nothing is proved of one alone that is not proved of each in a row.
	deathsOfStory = 4
)

// deaths are laid all over a story of so many calls and writes, and dealt out to as many stories as it takes. part is how
// many stories like it there are: each gets so much less.
func (s Subject) deaths(calls, writes, part int) (stories [][]death) {
	var looks, wrote []death
	for at := 1; at <= calls; at += step(calls, cmp.Or(s.looks, mostCalls)/part) {
		looks = append(looks, death{step: at})
	}
	for at := 1; at <= writes; at += step(writes, cmp.Or(s.writes, mostWrites)/part) {
		wrote = append(wrote, death{write: at}, death{write: at, after: true})
	}
	return append(deal(looks, 1), deal(wrote, 2)...)
}

// step is how far two deaths are apart, of so many that there could be.
func step(all, most int) int {
	if testing.Short() {
		most /= 12
	}
	return 1 + (all-1)/max(1, most)
}

// deal deals out deaths, so many together, so that those of a story are in order and as far apart as they can be.
func deal(deaths []death, together int) [][]death {
	stories := make([][]death, (len(deaths)+deathsOfStory-1)/deathsOfStory)
	for i, d := range deaths {
		s := i / together % len(stories)
		stories[s] = append(stories[s], d)
	}
	return stories
}

// eachDeath tells a story once for each lot of deaths.
func eachDeath(t *testing.T, s Subject, n int, lots [][]death, story func(*Rig)) {
	for _, deaths := range lots {
		t.Run(fmt.Sprint("dies ", deaths), func(t *testing.T) {
			Bubble(t, s, n, func(r *Rig) {
				r.crash.arm(deaths...)
				story(r)
				r.diedOf(deaths)
			})
		})
	}
}

// String says when, for the name of a test.
func (d death) String() string {
	switch {
	case d.write == 0:
		return fmt.Sprintf("before call %d", d.step)
	case d.after:
		return fmt.Sprintf("after write %d", d.write)
	}
	return fmt.Sprintf("before write %d", d.write)
}

// diedOf wants the worker to have died of each of them that the run came to: it looks more often or less, and shares other
// calls, when it is disturbed.
func (r *Rig) diedOf(deaths []death) {
	r.Helper()
	calls, writes := r.crash.made()
	if first := deaths[0]; first.step <= calls && first.write <= writes {
		require.Positive(r, r.crash.deaths, "the worker was to die")
	}
}

// mishaps are what can happen to one call without anybody being to blame. None of them may cost more than time.
var mishaps = []struct {
	name  string
	fault sim.Fault
}{
	{"connection dropped before", sim.Fault{Effect: fault.DropBefore}},
	{"reply lost", sim.Fault{Effect: fault.DropAfter}},
	{"timed out before", sim.Fault{Effect: fault.Timeout}},
	{"timed out after", sim.Fault{Effect: fault.Timeout, After: true}},
	{"a proxy's page before", sim.Fault{Effect: fault.HTML502}},
	{"a proxy's page after", sim.Fault{Effect: fault.HTML502, After: true}},
	{"garbage after", sim.Fault{Effect: fault.Garbage200, After: true}},
	{"redirected", sim.Fault{Effect: fault.Redirect307}},
	{"internal error before", sim.Fault{Effect: fault.Status, Status: http.StatusInternalServerError}},
	{"internal error after", sim.Fault{Effect: fault.Status, Status: http.StatusInternalServerError, After: true}},
	{"throttled", sim.Fault{Effect: fault.Throttle, RetryAfter: "7.5"}},
}

// everyWriteGoesWrong lets the first call of each write action go wrong, each in another way, until all have gone wrong in
// all ways, and wants everyone joined, each effect had exactly once.
func everyWriteGoesWrong(t *testing.T, s Subject) {
	for name, n := range gaits {
		written := actions(t, s, n)
		for first, mishap := range mishaps {
			t.Run(fmt.Sprintf("%s/%s: %s, and so on", name, written[0], mishap.name), func(t *testing.T) {
				Bubble(t, s, n, func(r *Rig) {
					req := s.Request(r.Sim)
					before := r.States(req.Members)
					for i, action := range written {
						f := mishaps[(first+i)%len(mishaps)].fault
						f.Match.Action, f.Count = action, 1
						_, err := r.Sim.Faults().Add(f)
						require.NoError(r, err)
					}
					report, err := r.Run(membership.Join, req)
					require.NoError(r, err)
					require.Equal(r, membership.RunSucceeded, report.Outcome, "%+v", report)
					r.joinedOnce(req.Members, before)
				})
			})
		}
	}
}

// joinedOnce wants all members in the group, otherwise as before, and no effect had twice.
func (r *Rig) joinedOnce(ids []string, before map[string]string) {
	r.Helper()
	r.joined(ids, before)
	effects := r.Effects()
	require.Equal(r, unique(effects), effects, "an effect was had twice")
	require.Empty(r, r.Needless())
}

func (r *Rig) joined(ids []string, before map[string]string) {
	r.Helper()
	for _, id := range ids {
		in, state := r.Subject.Member(r.Sim, id)
		require.True(r, in, id)
		require.Equal(r, before[id], state+", in group: false", id)
	}
}

// failuresAreUndone lets one member fail in each way and wants it back as it was, and the others joined.
func failuresAreUndone(t *testing.T, s Subject) {
	require.NotEmpty(t, s.Failures, "a kind whose members cannot fail has not been looked at")
	for name, n := range gaits {
		for _, f := range s.Failures {
			t.Run(name+"/"+f.Name, func(t *testing.T) {
				Bubble(t, s, n, func(r *Rig) { r.rollsBackOne(f) })
			})
		}
	}
}

// rollsBackOne runs a join in which one member fails.
func (r *Rig) rollsBackOne(f Failure) {
	r.Helper()
	req := r.Subject.Request(r.Sim)
	unlucky := r.unlucky(req.Members)
	before := r.States(req.Members)
	trouble := f.Fault
	trouble.Match.Server = req.Members[unlucky]
	_, err := r.Sim.Faults().Add(trouble)
	require.NoError(r, err)
	report, err := r.Run(membership.Join, req)
	require.NoError(r, err)
	if f.Fault.Count > 0 && r.crash.deaths > 0 && report.Outcome == membership.RunSucceeded {
		r.joined(req.Members, before) // it was bad for a while only, and had another try
		return
	}
	require.Equal(r, membership.RunPartial, report.Outcome, "%+v", report)
	m := report.Members[unlucky]
	require.Equal(r, membership.RolledBack, m.Outcome)
	require.Equal(r, f.Code, m.Code, m.Reason)
	require.Equal(r, len(req.Members)-1, report.Counts[membership.Joined], "%+v", report)
	require.Equal(r, before[m.ID], r.States(req.Members)[m.ID], "not as it was")
}

// unlucky chooses a member to fail: one that has the longest story, the first in a state that most are in.
func (r *Rig) unlucky(ids []string) int {
	counts := make(map[string]int)
	for _, state := range r.States(ids) {
		counts[state]++
	}
	best := 0
	for i, id := range ids {
		if states := r.States(ids); counts[states[id]] > counts[states[ids[best]]] {
			best = i
		}
	}
	return best
}

// killedWhileUndoing kills the worker all over a run in which a member fails.
func killedWhileUndoing(t *testing.T, s Subject) {
	for name, n := range gaits {
		for _, f := range s.Failures {
			t.Run(name+"/"+f.Name, func(t *testing.T) {
				var calls, writes int
				Bubble(t, s, n, func(r *Rig) {
					r.rollsBackOne(f)
					calls, writes = r.crash.made()
				})
				eachDeath(t, s, n, s.deaths(calls, writes, 2), func(r *Rig) {
					r.rollsBackOne(f)
					require.Empty(r, r.Needless())
				})
			})
		}
	}
}

func unique(all []string) []string {
	seen := make(map[string]bool)
	var once []string
	for _, s := range all {
		if !seen[s] {
			seen[s] = true
			once = append(once, s)
		}
	}
	return once
}
