package limit_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
)

// What clients begin with: where 200 a second are known to be the most, where nothing is known, and where ten a minute are.
var (
	fast   = limit.Seed{Start: 50, Min: 0.1, Max: 200, Burst: 20}
	unsure = limit.Seed{Start: 5, Min: 0.1, Max: 50, Burst: 10}
	slow   = limit.Seed{Start: 9.0 / 60, Min: 1.0 / 60, Max: 10.0 / 60, Burst: 2}
)

// used is how much of what a cloud grants must be used, refusals which part of the calls may be refused.
const (
	used     = 1 / 1.1
	refusals = 0.05
)

// The ways in which clouds count. What was not used, a bucket keeps for a second, or for an eighth. One that keeps nothing
// is not among them: it refuses whoever shares it, or whose calls do not come at even intervals, at any rate.
var ways = map[string]func(*cloud, float64){
	"bucket of a second":  func(c *cloud, perSecond float64) { c.burst = max(1, perSecond) },
	"bucket of an eighth": func(c *cloud, perSecond float64) { c.burst = max(1, perSecond/8) },
	"windows of a second": func(c *cloud, perSecond float64) { c.window = time.Second },
	"windows of a minute": func(c *cloud, perSecond float64) { c.window = time.Minute },
}

func count(way string, perSecond float64) *cloud {
	c := &cloud{rate: steady(perSecond), latency: 20 * time.Millisecond}
	ways[way](c, perSecond)
	return c
}

// mayRefuse is which part of the calls may be refused: the tries at the end of each minute are many where it grants few.
func mayRefuse(way string) float64 {
	if way == "windows of a minute" {
		return 0.08
	}
	return refusals
}

func TestNearlyAllThatIsGrantedIsUsed(t *testing.T) {
	for _, c := range []struct {
		perSecond float64
		seed      limit.Seed
		found     time.Duration // within
	}{
		{0.15, slow, 20 * time.Minute},
		{2, unsure, 5 * time.Minute},
		{10, unsure, time.Minute},
		{10, fast, time.Minute},
		{40, unsure, 3 * time.Minute},
		{40, fast, 10 * time.Second},
		{150, fast, 2 * time.Minute},
		{200, fast, 2 * time.Minute},
	} {
		for way := range ways {
			if way == "windows of a second" && c.perSecond < 1 {
				continue
			}
			t.Run(fmt.Sprintf("%g a second, %s", c.perSecond, way), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					found := c.found
					if way == "windows of a minute" {
						found = max(found, 3*time.Minute).Round(time.Minute)
					}
					until := found + max(found, 5*time.Minute)
					w := worker(c.seed)
					count(way, c.perSecond).serve(t, until, w)
					perSecond, refused := w.share(found, until)
					assert.Greater(t, perSecond, used*c.perSecond)
					assert.Less(t, refused, mayRefuse(way))
				})
			})
		}
	}
}

func TestAChangeOfWhatIsGrantedIsNoticed(t *testing.T) {
	const before, turn, until = 40.0, 5 * time.Minute, 12 * time.Minute
	for _, after := range []float64{before / 2, before / 10, 2 * before} {
		for way := range ways {
			t.Run(fmt.Sprintf("from %g to %g, %s", before, after, way), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					noticed := turn + 30*time.Second
					if way == "windows of a minute" {
						noticed = turn + 4*time.Minute
					} else if after > before {
						noticed = turn + 2*time.Minute
					}
					c := count(way, before)
					c.rate = turning(before, after, turn)
					w := worker(fast)
					c.serve(t, until, w)
					perSecond, refused := w.share(noticed, until)
					assert.Greater(t, perSecond, used*after)
					assert.Less(t, refused, mayRefuse(way))
				})
			})
		}
	}
}

func TestWorkersShareFairly(t *testing.T) {
	const until = 16 * time.Minute
	for _, c := range []struct {
		perSecond float64
		workers   int
	}{{40, 2}, {40, 8}, {100, 4}} {
		for way := range ways {
			t.Run(fmt.Sprintf("%d share %g a second, %s", c.workers, c.perSecond, way), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					workers := make([]*user, c.workers)
					for i := range workers {
						workers[i] = worker(fast)
					}
					if way != "windows of a minute" {
						workers[0].begins = until / 4 // when the others have all
					} // It refuses all at the same moment, whatever each sends: who comes late, with more, would keep more.
					count(way, c.perSecond).serve(t, until, workers...)
					perSecond, refused := share(workers, until/2, until)
					assert.Greater(t, perSecond, used*c.perSecond)
					assert.Less(t, refused, refusals)
					for i, w := range workers {
						own, _ := w.share(until/2, until)
						assert.Greater(t, own, perSecond/float64(c.workers)/3, "worker %d", i)
					}
				})
			})
		}
	}
}

// The limit is one of the account, but each API has a limiter: those that need little get that, and the others share.
func TestAPIsShareTheLimitOfAnAccount(t *testing.T) {
	const granted, until = 40.0, 10 * time.Minute
	for _, way := range []string{"bucket of a second", "bucket of an eighth", "windows of a second"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var set limit.Set
				api := func(name string, callers int, every time.Duration) *user {
					return &user{Limiter: set.For(limit.Key{API: name}, fast), callers: callers, every: every}
				}
				add, stop := api("Add", 200, 0), api("Stop", 60, 0)
				list, show := api("List", 20, 2*time.Second), api("Show", 1, 2*time.Second)
				count(way, granted).serve(t, until, add, stop, list, show)
				perSecond, refused := share([]*user{add, stop, list, show}, time.Minute, until)
				assert.Greater(t, perSecond, used*granted)
				assert.Less(t, refused, refusals)
				for little, wants := range map[*user]float64{list: 10, show: 0.5} {
					has, _ := little.share(time.Minute, until)
					assert.Greater(t, has, 0.9*wants)
				}
				adds, _ := add.share(time.Minute, until)
				stops, _ := stop.share(time.Minute, until)
				assert.Greater(t, min(adds, stops), 0.5*(perSecond-10.5)/2)
			})
		})
	}
}

// A fleet begins with calls of all sorts, and goes on with one: that one then has what the others had.
func TestARushIsSoonForgotten(t *testing.T) {
	for _, way := range []string{"bucket of a second", "bucket of an eighth", "windows of a second"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const granted, rush, until = 40.0, 15 * time.Second, 5 * time.Minute
				var set limit.Set
				users := []*user{{Limiter: set.For(limit.Key{API: "Add"}, fast), callers: 200}}
				for n := range 7 {
					other := set.For(limit.Key{API: fmt.Sprint("Other", n)}, fast)
					users = append(users, &user{Limiter: other, callers: 20, ends: rush})
				}
				count(way, granted).serve(t, until, users...)
				perSecond, refused := share(users, rush+45*time.Second, until)
				assert.Less(t, refused, refusals)
				assert.Greater(t, perSecond, used*granted)
			})
		})
	}
}

func TestARetryAfterOfEachRefusalCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := count("bucket of a second", 40)
		c.asks = time.Second
		w := worker(fast)
		c.serve(t, 10*time.Minute, w)
		perSecond, refused := w.share(time.Minute, 10*time.Minute)
		assert.Greater(t, perSecond, used*40)
		assert.Less(t, refused, refusals)
	})
}

func TestWhateverTheCloudGrants(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		perSecond := math.Exp(rapid.Float64Range(math.Log(4), math.Log(200)).Draw(r, "log of the rate"))
		way := rapid.SampledFrom([]string{"bucket of a second", "windows of a second", "windows of a minute"}).Draw(r, "way")
		if way == "windows of a second" {
			perSecond = math.Ceil(perSecond) // they grant no halves
		}
		c := count(way, perSecond)
		c.latency = time.Duration(rapid.IntRange(0, 50).Draw(r, "latency in ms")) * time.Millisecond
		seed := limit.Seed{Start: perSecond * rapid.Float64Range(0.2, 5).Draw(r, "start"), Max: 5 * perSecond, Burst: rapid.IntRange(1, 20).Draw(r, "burst")}
		found := 4*time.Minute + (time.Duration(600/perSecond) * time.Second).Round(time.Minute)
		until := 2 * found
		var has, refused float64
		synctest.Test(t, func(t *testing.T) {
			w := worker(seed)
			c.serve(t, until, w)
			has, refused = w.share(found, until)
		})
		require.Greater(r, has, used*perSecond)
		require.Less(r, refused, 2*refusals)
	})
}
