package rollout

import (
	"fmt"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// looks are numbered reads of one stage. Those that were begun are counted in State.Looked: when a run continues in a fresh
// history, all of them have been answered.
type looks struct {
	open    int // under way
	failed  *Failure
	stopped bool
}

// Failure is why something could not be done.
type Failure struct {
	Err     error  // as it came
	Why     string // in words for people
	Refused bool   // it was refused for good, before anything was touched
	Cloud   bool   // by the cloud
}

// look begins looks, of n, as the pace allows. It reports whether all have been answered, or the first that failed has
// ended them.
func (r *Rollout) look(n int) (done bool) {
	for r.looks.failed == nil && r.Looked < n && r.looks.open < r.Pace.MostAtOnce() && !r.hold() {
		i := r.Looked
		r.Looked++
		r.looks.open++
		switch r.Stage {
		case Surveying:
			r.do(Survey{Plan: r.plan})
		case Previewing:
			r.do(PreviewPage{I: i, Of: n, Page: Pages(r.Survey, r.Step)[i]})
		case Reserving:
			r.do(Reserve{Manifest: r.Survey.Manifest, Step: r.Step, Seen: r.Previews[r.Step]})
		case Checking:
			r.do(CheckPart{I: i, Of: n, Part: r.wellOfWave()[i]})
		}
	}
	return r.looks.open == 0 && (r.looks.failed != nil || r.Looked == n)
}

// looked takes in that a look was answered. The first that fails ends the others.
func (r *Rollout) looked(f *Failure) {
	r.looks.open--
	if f != nil && r.looks.failed == nil && r.End == nil {
		r.looks.failed = f
		r.stopLooking()
	}
}

func (r *Rollout) stopLooking() {
	if r.looks.open > 0 && !r.looks.stopped {
		r.looks.stopped = true
		r.do(StopLooking{})
	}
}

// Pages are the pages of a step, in the order of its waves.
func Pages(s fleet.Survey, step int) (pages []fleet.PageInput) {
	for wave, w := range s.Steps[step].Waves {
		for page, n := range w.Pages {
			pages = append(pages, fleet.PageInput{Manifest: s.Manifest, Step: step, Wave: wave, Page: page, To: n})
		}
	}
	return pages
}

// preview looks at all members of a step on which people decide, page by page: what they say yes to is what was seen.
func (r *Rollout) preview() bool {
	pages := 0
	for _, w := range r.waves() {
		pages += len(w.Pages)
	}
	for len(r.Previews) <= r.Step {
		r.Previews = append(r.Previews, nil)
	}
	if r.Looked == 0 {
		r.Previews[r.Step] = make([]fleet.Seen, pages)
	}
	switch done := r.look(pages); {
	case !done:
		return false
	case r.looks.failed != nil:
		f := r.looks.failed
		r.Previews = r.Previews[:r.Step] // half a look is none
		r.impossible(f.Err, f.Why)
		return true
	}
	if r.step().Scarce {
		return r.to(Reserving)
	}
	if r.asksNobody(r.Step) {
		r.Previews[r.Step] = nil // no member is held to what nobody decided about
	}
	r.beginWaves()
	return true
}

// reserve counts what the cohorts of the step share, once.
func (r *Rollout) reserve() bool {
	switch done := r.look(1); {
	case !done:
		return false
	case r.looks.failed != nil:
		f := r.looks.failed
		r.Previews = r.Previews[:r.Step]
		r.impossible(f.Err, f.Why)
		return true
	}
	r.beginWaves()
	return true
}

// Reserved says what was seen of each page of the step, with those refused that find no place.
func (r *Rollout) Reserved(seen []fleet.Seen, f *Failure) {
	if f == nil && r.Stage == Reserving {
		r.Previews[r.Step] = seen
	}
	r.looked(f)
}

// Previewed says what was seen of a page.
func (r *Rollout) Previewed(i int, seen fleet.Seen, f *Failure) {
	if f == nil && r.Stage == Previewing {
		r.Previews[r.Step][i] = seen
	}
	r.looked(f)
}

// check looks whether all members that were moved in a wave are still as they were left, before the next one begins. When
// one is not, or nobody can tell, a person decides.
func (r *Rollout) check() bool {
	if r.Block != nil || !r.look(len(r.wellOfWave())) {
		return false
	}
	lost, f, after := r.Lost, r.looks.failed, "after "+r.wave().Name
	r.Lost, r.looks = nil, looks{}
	switch {
	case f != nil:
		r.Looked = len(r.wellOfWave())
		r.Block = &Block{MembersLost, fmt.Sprintf("%s, it could not be told whether its members are as they were left: %s", after, f.Why)}
		return false
	case len(lost) > 0:
		r.Block = &Block{MembersLost, fmt.Sprintf("%s, not as they were left (%d): %s", after, len(lost), strings.Join(membership.Few(lost), "; "))}
		return false
	}
	r.Wave++
	return r.to(Gating)
}

// Checked says which members of a part are not as they were left, each with the reason.
func (r *Rollout) Checked(lost []string, f *Failure) {
	if f == nil && r.End == nil {
		r.Lost = append(r.Lost, lost...)
	}
	r.looked(f)
}

// wellOfWave are the parts of the present wave with members that went well.
func (r *Rollout) wellOfWave() (parts []fleet.Part) {
	for _, p := range r.Parts {
		if p.Input.Step == r.Step && p.Input.Wave == r.Wave && p.Record != "" && wentWell(p) > 0 {
			parts = append(parts, p)
		}
	}
	return parts
}

func wentWell(p fleet.Part) int { return p.Counts[membership.Joined] + p.Counts[membership.Left] }
