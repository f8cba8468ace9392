package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// toy is a cloud in which members are switched on: stage "on" wants them on, stage "seen" only looks.
type toy struct {
	membership.Session // finds nobody
	mu                 sync.Mutex
	on                 map[string]bool
	calls              []string                                              // the writes, as "action ids"
	looks              int                                                   // how often it was observed
	observe            func() error                                          // what observing fails with
	do                 func(ids []string) (map[string]*verdict.Error, error) // what a write answers instead of doing it; nil does it
}

func (t *toy) Observe(context.Context, membership.Look) (membership.Observation, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looks++
	if t.observe != nil {
		if err := t.observe(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *toy) Do(_ context.Context, action string, members []*membership.Member) (membership.Sent, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ids []string
	for _, m := range members {
		ids = append(ids, m.ID)
	}
	t.calls = append(t.calls, action+" "+strings.Join(ids, "+"))
	var sent membership.Sent
	if t.do != nil {
		refused, err := t.do(ids)
		if err != nil {
			return sent, err
		}
		sent.Refused = refused
	}
	for _, id := range ids {
		if sent.Refused[id] == nil {
			t.on[id] = true
		}
	}
	return sent, nil
}

func (t *toy) Compile(membership.Request, membership.Operation) membership.Program {
	panic("not asked for")
}

func (t *toy) Decide(m membership.Moment) membership.Decision {
	if t.on[m.Member.ID] != m.Undo {
		return membership.Next()
	}
	return membership.Act("switch", "it is not so")
}

const (
	testSettle = 5 * time.Second
	testPoll   = 2 * time.Second
)

func toyProgram(n int) *membership.Program {
	p := &membership.Program{Kind: "toy", Made: time.Now(), Pace: membership.Pace{Poll: membership.Duration(testPoll), Parallel: 4},
		Stages: []membership.Stage{
			{Name: "on", Undo: "switches it off", Timeout: membership.Duration(time.Minute), UndoTimeout: membership.Duration(time.Hour),
				Settle: membership.Duration(testSettle), MaxSends: 2},
			{Name: "seen"},
		}}
	for i := range n {
		p.Members = append(p.Members, membership.Member{ID: fmt.Sprint("m", i)})
	}
	return p
}

// walkToy walks n members through the whole program once, in virtual time.
func walkToy(t *testing.T, n int, cloud *toy, change func(*membership.SliceInput), check func(*walk, membership.Slice)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if cloud.on == nil {
			cloud.on = map[string]bool{}
		}
		p := toyProgram(n)
		in := membership.SliceInput{Lane: membership.Lane{First: 0, Last: 1}, For: membership.Duration(time.Minute),
			Slice: membership.Slice{Marks: strings.Repeat("a", n), Sends: strings.Repeat("0", n), Since: make([]int, n)}}
		if change != nil {
			change(&in)
		}
		w := newWalk(in, p, cloud, map[string]membership.Action{"switch": {Batch: 3, Prompt: true}}, time.Now(), false)
		w.run(t.Context())
		check(w, w.result())
	})
}

func TestMembersAreSentForInBatches(t *testing.T) {
	cloud := &toy{on: map[string]bool{"m1": true}}
	walkToy(t, 6, cloud, nil, func(_ *walk, out membership.Slice) {
		require.Equal(t, "cccccc", out.Marks)
		slices.Sort(cloud.calls)
		require.Equal(t, []string{"switch m0+m2+m3", "switch m4+m5"}, cloud.calls, "who is on already is left alone")
		require.Equal(t, 2, cloud.looks)
	})
}

func TestABatchThatIsRefusedIsSentOneByOne(t *testing.T) {
	cloud := &toy{do: func(ids []string) (map[string]*verdict.Error, error) {
		if slices.Contains(ids, "m1") {
			return nil, &verdict.Error{Verdict: verdict.Rejected, Op: "Switch", Code: "Toy.1", RequestID: "req-1"}
		}
		return nil, nil
	}}
	walkToy(t, 3, cloud, nil, func(_ *walk, out membership.Slice) {
		require.Equal(t, "c!c", out.Marks)
		require.Equal(t, []membership.Note{{Member: 1, Stage: 0, Code: "Toy.1", Reason: "Switch: rejected: Toy.1 [request req-1]",
			RequestID: "req-1"}}, out.Notes)
	})
}

func TestARefusalForOneOfABatchHitsThatOne(t *testing.T) {
	cloud := &toy{do: func([]string) (map[string]*verdict.Error, error) {
		return map[string]*verdict.Error{"m2": {Verdict: verdict.Rejected, Op: "Switch"}}, nil
	}}
	walkToy(t, 3, cloud, nil, func(_ *walk, out membership.Slice) {
		require.Equal(t, byte(membership.MarkFailed), out.Marks[2])
		require.Equal(t, membership.CodeRejected, out.Notes[0].Code)
		require.Equal(t, "cc", out.Marks[:2])
	})
}

func TestARefusalDoesNotCountAgainstWhatIsSeen(t *testing.T) {
	cloud := &toy{}
	cloud.do = func(ids []string) (map[string]*verdict.Error, error) {
		cloud.on[ids[0]] = true // it happened all the same
		return nil, &verdict.Error{Verdict: verdict.Rejected, Op: "Switch", Code: "Toy.Already"}
	}
	walkToy(t, 1, cloud, nil, func(_ *walk, out membership.Slice) {
		require.Equal(t, "c", out.Marks)
		require.Empty(t, out.Notes)
	})
}

func TestAnUnknownOutcomeIsSentAgainOnlyWhenItHasHadTimeToShow(t *testing.T) {
	cloud := &toy{}
	var sent []time.Time
	cloud.do = func([]string) (map[string]*verdict.Error, error) {
		sent = append(sent, time.Now())
		return nil, &verdict.Error{Verdict: verdict.Unknown, Op: "Switch", Message: "the connection was lost"}
	}
	walkToy(t, 1, cloud, nil, func(_ *walk, out membership.Slice) {
		require.Equal(t, "?", out.Marks, "a person must look")
		require.Len(t, sent, 2, "as often as the stage allows")
		require.GreaterOrEqual(t, sent[1].Sub(sent[0]), testSettle)
		require.Equal(t, membership.CodeNoEffect, out.Notes[0].Code)
		require.Contains(t, out.Notes[0].Reason, "the connection was lost")
	})
}

func TestThrottlingCostsTimeAndNothingElse(t *testing.T) {
	cloud := &toy{}
	var sent []time.Time
	cloud.do = func([]string) (map[string]*verdict.Error, error) {
		if sent = append(sent, time.Now()); len(sent) <= 3 {
			return nil, &verdict.Error{Verdict: verdict.Throttled, Op: "Switch", RetryAfter: 7 * time.Second}
		}
		return nil, nil
	}
	walkToy(t, 1, cloud, nil, func(_ *walk, out membership.Slice) {
		require.Equal(t, "c", out.Marks)
		require.Len(t, sent, 4, "more often than MaxSends: nothing was done by the others")
		require.GreaterOrEqual(t, sent[3].Sub(sent[0]), 21*time.Second)
	})
}

func TestWhatWasSentInTheSliceBeforeIsGivenTime(t *testing.T) {
	cloud := &toy{}
	walkToy(t, 1, cloud, func(in *membership.SliceInput) { in.Sends = "1" }, func(w *walk, out membership.Slice) {
		require.Equal(t, "c", out.Marks)
		require.GreaterOrEqual(t, time.Since(w.start), testSettle)
	})
}

func TestTheQuietAfterACrashIsKeptAndHandedOn(t *testing.T) {
	cloud := &toy{}
	walkToy(t, 1, cloud, func(in *membership.SliceInput) { in.Quiet, in.For = 30, membership.Duration(10*time.Second) },
		func(_ *walk, out membership.Slice) {
			require.Empty(t, cloud.calls)
			require.Equal(t, "a", out.Marks)
			require.Equal(t, 31, out.Quiet)
		})
}

func TestACloudThatCannotBeReadIsWaitedFor(t *testing.T) {
	failing := 4
	cloud := &toy{observe: func() error {
		if failing--; failing >= 0 {
			return &verdict.Error{Verdict: verdict.Transient, Op: "Look", Status: 503}
		}
		return nil
	}}
	walkToy(t, 1, cloud, nil, func(_ *walk, out membership.Slice) {
		require.Equal(t, "c", out.Marks)
		require.Empty(t, out.Trouble)
	})
}

func TestTroubleAtTheEndOfASliceIsTold(t *testing.T) {
	cloud := &toy{observe: func() error { return fmt.Errorf("https://cloud.example/?AccessKeyId=secret is down") }}
	walkToy(t, 2, cloud, nil, func(w *walk, out membership.Slice) {
		require.Equal(t, "aa", out.Marks)
		require.Contains(t, out.Trouble, "is down")
		require.NotContains(t, out.Trouble, "secret")
		require.Contains(t, w.words(), "trouble")
		require.Less(t, cloud.looks, 10, "it asks ever more slowly")
	})
}

func TestACloudThatRefusesToBeReadIsAPersonsBusiness(t *testing.T) {
	cloud := &toy{observe: func() error { return &verdict.Error{Verdict: verdict.Rejected, Op: "Look", Code: "Toy.403"} }}
	walkToy(t, 2, cloud, nil, func(_ *walk, out membership.Slice) {
		require.Equal(t, "??", out.Marks)
		require.Equal(t, membership.CodeUnobservable, out.Notes[1].Code)
	})
}

func TestAStageThatTakesTooLongFails(t *testing.T) {
	cloud := &toy{do: func([]string) (map[string]*verdict.Error, error) {
		return nil, &verdict.Error{Verdict: verdict.Busy, Op: "Switch"}
	}}
	walkToy(t, 1, cloud, func(in *membership.SliceInput) { in.For = membership.Duration(time.Hour) }, func(w *walk, out membership.Slice) {
		require.Equal(t, "!", out.Marks)
		require.Equal(t, membership.CodeTimeout, out.Notes[0].Code)
		require.InDelta(t, time.Minute.Seconds(), time.Since(w.start).Seconds(), 5)
	})
}

func TestAnUndoIsTriedForAsLongAsItMay(t *testing.T) {
	cloud := &toy{on: map[string]bool{"m0": true}}
	undo := func(in *membership.SliceInput) {
		in.Undo, in.Marks, in.For = true, "A", membership.Duration(2*time.Hour)
	}
	cloud.do = func([]string) (map[string]*verdict.Error, error) {
		return nil, &verdict.Error{Verdict: verdict.Rejected, Op: "Switch", Code: "Toy.NoRoom"}
	}
	walkToy(t, 1, cloud, undo, func(w *walk, out membership.Slice) {
		require.Equal(t, "!", out.Marks)
		require.Equal(t, membership.CodeTimeout, out.Notes[0].Code)
		require.True(t, out.Notes[0].Undo)
		require.GreaterOrEqual(t, time.Since(w.start), time.Hour)
		require.Greater(t, len(cloud.calls), 10)
		require.Less(t, len(cloud.calls), 60, "ever more slowly")
	})
}

func TestThatThereIsNothingToUndoIsNotBelievedAtOnce(t *testing.T) {
	cloud := &toy{}
	walkToy(t, 1, cloud, func(in *membership.SliceInput) { in.Undo, in.Marks = true, "A" }, func(w *walk, out membership.Slice) {
		require.Equal(t, "-", out.Marks)
		require.GreaterOrEqual(t, time.Since(w.start), testSettle, "a write on the way forward may still come to show")
	})
}

func TestACancelledWalkHandsItsStateBackAndSendsNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cloud := &toy{on: map[string]bool{}}
		cloud.do = func([]string) (map[string]*verdict.Error, error) {
			cancel() // while the write is under way
			return nil, nil
		}
		p := toyProgram(20)
		p.Pace.Parallel = 1
		in := membership.SliceInput{Lane: membership.Lane{First: 0, Last: 1}, For: membership.Duration(time.Minute),
			Slice: membership.Slice{Marks: strings.Repeat("a", 20), Sends: strings.Repeat("0", 20), Since: make([]int, 20)}}
		w := newWalk(in, p, cloud, map[string]membership.Action{"switch": {Batch: 1}}, time.Now(), false)
		w.run(ctx)
		require.Len(t, cloud.calls, 1, "what was under way ended, and nothing was sent after it")
		require.Equal(t, "1"+strings.Repeat("0", 19), w.result().Sends)
	})
}

func TestAStoppingWorkerHandsItsStateBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopping := make(chan struct{})
		cloud := &toy{on: map[string]bool{}, do: func([]string) (map[string]*verdict.Error, error) {
			return nil, &verdict.Error{Verdict: verdict.Busy, Op: "Switch"}
		}}
		in := membership.SliceInput{Lane: membership.Lane{First: 0, Last: 1}, For: membership.Duration(time.Minute),
			Slice: membership.Slice{Marks: "a", Sends: "0", Since: []int{0}}}
		w := newWalk(in, toyProgram(1), cloud, nil, time.Now(), false)
		w.stopping = stopping
		time.AfterFunc(7*time.Second, func() { close(stopping) })
		w.run(t.Context())
		require.Equal(t, 7*time.Second, time.Since(w.start))
		require.Equal(t, "a", w.result().Marks)
	})
}

func TestAnEarlyLaneLetsTheFirstGo(t *testing.T) {
	cloud := &toy{do: func(ids []string) (map[string]*verdict.Error, error) {
		return map[string]*verdict.Error{"m1": {Verdict: verdict.Busy, Op: "Switch"}}, nil
	}}
	walkToy(t, 2, cloud, func(in *membership.SliceInput) { in.Lane = membership.Lane{First: 0, Last: 0, Early: true} },
		func(w *walk, out membership.Slice) {
			require.Equal(t, "ba", out.Marks)
			require.Zero(t, time.Since(w.start))
		})
}

func TestAnOldObservationSendsNothing(t *testing.T) {
	cloud := &toy{}
	slow := true
	cloud.do = func([]string) (map[string]*verdict.Error, error) {
		if slow {
			slow = false
			time.Sleep(10 * time.Second)
		}
		return nil, nil
	}
	synctest.Test(t, func(t *testing.T) {
		cloud.on = map[string]bool{}
		p := toyProgram(2)
		p.Pace.Parallel = 1
		in := membership.SliceInput{Lane: membership.Lane{First: 0, Last: 1}, For: membership.Duration(time.Minute),
			Slice: membership.Slice{Marks: "aa", Sends: "00", Since: []int{0, 0}}}
		w := newWalk(in, p, cloud, map[string]membership.Action{"switch": {Batch: 1, Prompt: true}}, time.Now(), false)
		looks := 0
		cloud.observe = func() error { looks++; return nil }
		w.run(t.Context())
		require.Equal(t, "cc", w.result().Marks)
		require.Equal(t, 3, looks, "the second write waited for a look of its own")
	})
}
