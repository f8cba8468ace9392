package limit

import (
	"math"
	"time"
)

const (
	// One wave of throttling answers is one message: the calls that were already under way do not cut the rate again.
	oneWave = time.Second
	// A cut ends a little below what it aims at. Those who share a limit become equal by that: who sends more is refused
	// more often, and so gives way more often.
	below = 0.98
	// What was granted before a cut goes on to count with so many calls, so that a few answers right behind it are not taken
	// for much.
	memory = 10
	// The curve doubles the rate in so many seconds of full use: half as many as have passed since a cut last ended far from
	// the one before, since what is known for long is doubted slowly.
	quickClimb, slowClimb, near = 10, 75, 1.25
	// It takes an API that is known to be slow so many calls at the least: a refusal now and then would be a large part of
	// its few. One that is slow because others share it must not lag behind them.
	climbCalls = 100
	// On top of the curve comes this part of the maximum in every second of full use. It is the same for all who share a
	// limit, whatever they have, and so makes them equal faster.
	equal = 1.0 / 8000
	// Rests get no longer than this, or than the time between two calls where that is longer; nor than the lowest rate has it.
	longestRest = 8 * time.Second
)

// pace is the law by which the rate of a limiter changes. It is a congestion control, additive in its first growth and
// multiplicative in its cuts: nobody says how much the cloud grants, others may share it, it may change, and the only
// message is a refusal.
//
//	rate
//	  |         x                           x: refused
//	  |       / |
//	  |     /   |  x
//	  |   /     |/ |   x          x                        x
//	  | /          | / |      _/  |                 __--   |   - - -  what is granted
//	  |                |__---     |________-----           |______
//	  +------------------------------------------------------------ time
//	  additive     cuts          curves, slower and slower
//
// It begins with the seed, and grows by a hundredth of the maximum in every second in which it is used to the full.
//
// A refusal cuts it to the middle between what it was and what the cloud granted since the last cut, or a little below: to
// half when nothing was granted, by a few hundredths when nearly all was. Halving each time would use three quarters of
// what is granted. A limit that fell far is still reached in a few waves, each of which takes half of the way.
//
// From there it grows along a curve, base × 2^((time/climb)²), and by a trifle besides: hardly at first, near what is known
// to be granted; and ever faster the longer nobody refuses, since the limit must then be elsewhere.
//
// A cloud that counts in windows refuses everything until the next one begins, however slowly it is called. So a refusal is
// followed by a rest, and then by single calls that try, each with a rest behind it that is twice as long, until one is
// granted. Rests count as time in which nothing was granted, so that what a cut aims at is right for windows too.
type pace struct {
	seed Seed
	rate float64 // calls per second allowed now

	asked time.Time // nothing is sent before, by the cloud's wish
	rest  time.Time // nor before this, by our own
	row   int       // rests since the last call that was granted

	lastCut      time.Time
	base         float64   // the rate after it, the foot of the curve; 0: the curve has not begun
	settled      time.Time // when a cut last ended far from the one before
	climb        float64   // seconds of full use in which the curve doubles the rate
	used         float64   // seconds of full use since the last cut
	taken, spent float64   // since then: calls granted, and the seconds of full use and of rests
}

// granted takes in that a call was, and reports whether that has ended a rest.
func (p *pace) granted(now time.Time) (ended bool) {
	ended = p.rest.After(now)
	p.rest, p.row = time.Time{}, 0
	turn := 1 / p.rate
	p.taken, p.spent = p.taken+1, p.spent+turn
	if p.base == 0 {
		p.rate += p.seed.Max / 100 * turn
	} else {
		p.used += turn
		x := p.used / max(p.climb, climbCalls/max(p.base, p.seed.Start))
		p.rate = p.base*math.Exp2(x*x) + equal*p.seed.Max*p.used
	}
	p.rate = min(p.rate, p.seed.Max)
	return ended
}

// refused takes in that a call was, and that the cloud asked for a pause; 0: for none.
func (p *pace) refused(now time.Time, retryAfter time.Duration) {
	paused := p.pause(now)
	if until := now.Add(retryAfter); until.After(p.asked) {
		p.asked = until
	}
	if p.row > 0 { // of the same wave, or a try: its rest began when it was sent
		p.spent += 1 / p.rate
	} else {
		if p.lastCut.IsZero() || now.Sub(p.lastCut) >= oneWave {
			p.cut(now)
		}
		p.rest = now.Add(p.nextRest())
	}
	p.spent += (p.pause(now) - paused).Seconds()
}

func (p *pace) cut(now time.Time) {
	grants := 0.0
	if p.taken > 0 {
		grants = min(p.rate, p.taken/p.spent)
	}
	p.rate = max(p.seed.Min, p.rate/2, below*(p.rate+grants)/2)
	p.lastCut = now
	if p.taken == 0 {
		return // it was blind: no foot for a curve
	}
	if p.rate > p.base*near || p.rate < p.base/near {
		p.settled = now
	}
	p.climb = min(max(now.Sub(p.settled).Seconds()/2, quickClimb), slowClimb)
	p.base, p.used = p.rate, 0
	keep := min(1, memory/p.taken)
	p.taken, p.spent = p.taken*keep, p.spent*keep
}

// sent takes in that a call goes out. While the cloud takes nothing a rest begins at once: whether the call was granted
// is known only later, and until then no other need try.
func (p *pace) sent(now time.Time) {
	if p.row == 0 {
		return
	}
	rest := p.nextRest()
	p.rest = now.Add(rest)
	p.spent += rest.Seconds() - 1/p.rate // its own turn is counted with its answer
}

func (p *pace) nextRest() time.Duration {
	turn := 1 / p.rate
	rest := min(turn*math.Pow(2, float64(p.row)), max(turn, longestRest.Seconds()), 1/p.seed.Min)
	p.row++
	return seconds(rest)
}

// pause is how long nothing is sent.
func (p *pace) pause(now time.Time) time.Duration { return max(0, p.asked.Sub(now), p.rest.Sub(now)) }

// seconds rounds up, so that what is waited for has come.
func seconds(s float64) time.Duration { return max(0, time.Duration(s*float64(time.Second))) + 1 }
