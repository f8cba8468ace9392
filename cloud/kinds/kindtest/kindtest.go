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
	for _, dies := range []int{0, 2, 6, 9, 14, 20} {
		t.Run(fmt.Sprintf("dies at call %d", dies), func(t *testing.T) {
			Bubble(t, s, gaits["a handful"], func(r *Rig) {
				req := s.Request(r.Sim)
				before := r.States(req.Members)
				_, err := r.Run(membership.Join, req)
				require.NoError(r, err)
				joined := r.States(req.Members)
				if dies > 0 {
					r.DieIn(dies)
				}
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

// killedAnywhere kills the worker at calls all over a run in turn, and at writes both before the cloud acts and
// after, and wants the run to end as if nothing had happened: everyone joined, and no write too many.
func killedAnywhere(t *testing.T, s Subject) {
	for name, n := range gaits {
		t.Run(name, func(t *testing.T) {
			var calls int
			var writes []int
			Bubble(t, s, n, func(r *Rig) {
				_, err := r.Run(membership.Join, s.Request(r.Sim))
				require.NoError(r, err)
				calls, writes = r.crash.made()
			})
			require.NotEmpty(t, writes)
			for at := 1; at <= calls; at += step(calls, cmp.Or(s.looks, mostCalls)) {
				t.Run(fmt.Sprintf("before call %d", at), func(t *testing.T) { killedOnce(t, s, n, at, false) })
			}
			for i := 0; i < len(writes); i += step(len(writes), cmp.Or(s.writes, mostWrites)) {
				at := writes[i]
				t.Run(fmt.Sprintf("before write %d", at), func(t *testing.T) { killedOnce(t, s, n, at, false) })
				t.Run(fmt.Sprintf("after write %d", at), func(t *testing.T) { killedOnce(t, s, n, at, true) })
			}
		})
	}
}

// A story that waits for half an hour looks a thousand times, and a death at one look is like one at the next. So of more
// calls than these, and more writes, deaths come at some, spread evenly over the story.
const (
	mostCalls  = 40
	mostWrites = 20
)

// step is how far two deaths are apart, of so many that there could be. It thins them out more with -short, which is for
// the race detector: that looks for races, which each death shows as well as any other, and takes ten times as long.
func step(all, most int) int {
	if testing.Short() {
		most = max(1, most/12)
	}
	return 1 + (all-1)/most
}

func killedOnce(t *testing.T, s Subject, n, at int, after bool) {
	Bubble(t, s, n, func(r *Rig) {
		req := s.Request(r.Sim)
		before := r.States(req.Members)
		r.crash.arm(at, after)
		report, err := r.Run(membership.Join, req)
		require.NoError(r, err)
		r.diedAt(at)
		require.Equal(r, membership.RunSucceeded, report.Outcome, "%+v", report)
		r.joinedOnce(req.Members, before)
		require.Equal(r, unique(r.Writes()), r.Writes(), "a write was sent twice")
	})
}

// diedAt wants the worker to have died at that call. How often a run looks varies by a little, so one that ended before it
// came to its last looks proves nothing, and nothing is wrong.
func (r *Rig) diedAt(at int) {
	r.Helper()
	if calls, _ := r.crash.made(); calls >= at {
		require.Equal(r, 1, r.crash.deaths, "the worker was to die")
	}
}

// mishaps are what can happen to one call without anybody being to blame. None of them may cost more than time.
var mishaps = map[string]sim.Fault{
	"connection dropped before": {Effect: fault.DropBefore},
	"reply lost":                {Effect: fault.DropAfter},
	"timed out before":          {Effect: fault.Timeout},
	"timed out after":           {Effect: fault.Timeout, After: true},
	"a proxy's page before":     {Effect: fault.HTML502},
	"a proxy's page after":      {Effect: fault.HTML502, After: true},
	"garbage after":             {Effect: fault.Garbage200, After: true},
	"redirected":                {Effect: fault.Redirect307},
	"internal error before":     {Effect: fault.Status, Status: http.StatusInternalServerError},
	"internal error after":      {Effect: fault.Status, Status: http.StatusInternalServerError, After: true},
	"throttled":                 {Effect: fault.Throttle, RetryAfter: "7.5"},
}

// everyWriteGoesWrong lets the first call of each write action go wrong in each way, and wants everyone joined, each
// effect had exactly once.
func everyWriteGoesWrong(t *testing.T, s Subject) {
	for name, n := range gaits {
		var actions []string
		Bubble(t, s, n, func(r *Rig) {
			_, err := r.Run(membership.Join, s.Request(r.Sim))
			require.NoError(r, err)
			for _, e := range r.Sim.Journal().Entries() {
				if e.Write {
					actions = append(actions, e.Action)
				}
			}
		})
		for _, action := range unique(actions) {
			for mishap, f := range mishaps {
				t.Run(name+"/"+action+"/"+mishap, func(t *testing.T) {
					Bubble(t, s, n, func(r *Rig) {
						req := s.Request(r.Sim)
						before := r.States(req.Members)
						f.Match.Action, f.Count = action, 1
						_, err := r.Sim.Faults().Add(f)
						require.NoError(r, err)
						report, err := r.Run(membership.Join, req)
						require.NoError(r, err)
						require.Equal(r, membership.RunSucceeded, report.Outcome, "%+v", report)
						r.joinedOnce(req.Members, before)
					})
				})
			}
		}
	}
}

// joinedOnce wants all members in the group, otherwise as before, and no effect had twice.
func (r *Rig) joinedOnce(ids []string, before map[string]string) {
	r.Helper()
	for _, id := range ids {
		in, state := r.Subject.Member(r.Sim, id)
		require.True(r, in, id)
		require.Equal(r, before[id], state+", in group: false", id)
	}
	effects := r.Effects()
	require.Equal(r, unique(effects), effects, "an effect was had twice")
	require.Empty(r, r.Needless())
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

// killedWhileUndoing kills the worker at each call of a run in which a member fails.
func killedWhileUndoing(t *testing.T, s Subject) {
	for name, n := range gaits {
		for _, f := range s.Failures {
			var calls int
			var writes []int
			Bubble(t, s, n, func(r *Rig) {
				r.rollsBackOne(f)
				calls, writes = r.crash.made()
			})
			killed := func(at int, after bool) func(*testing.T) {
				return func(t *testing.T) {
					Bubble(t, s, n, func(r *Rig) {
						r.crash.arm(at, after)
						r.rollsBackOne(f)
						r.diedAt(at)
						require.Empty(r, r.Needless())
					})
				}
			}
			for at := 1; at <= calls; at += step(calls, cmp.Or(s.looks, mostCalls)/2) {
				t.Run(fmt.Sprintf("%s/%s/before call %d", name, f.Name, at), killed(at, false))
			}
			for i := 0; i < len(writes); i += step(len(writes), cmp.Or(s.writes, mostWrites)/2) {
				at := writes[i]
				t.Run(fmt.Sprintf("%s/%s/before write %d", name, f.Name, at), killed(at, false))
				t.Run(fmt.Sprintf("%s/%s/after write %d", name, f.Name, at), killed(at, true))
			}
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
