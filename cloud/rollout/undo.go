package rollout

import (
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// end lets the run end before its time. What is said later may only add to what is put back. Cohorts under way are told:
// what is paused would never end.
func (r *Rollout) end(mode fleet.Then, why string, person bool) {
	if r.End == nil {
		r.End = &End{Mode: mode, Why: why}
	}
	if reach(mode) >= reach(r.End.Mode) {
		r.End.Mode = mode
	}
	r.End.Person = r.End.Person || person
	switch {
	case r.End.Person && reach(r.End.Mode) >= reach(fleet.ThenPutBack):
		r.tell(membership.ControlAbort)
	case r.Pause != nil:
		r.tell(membership.ControlResume)
	}
	r.Pause, r.Block = nil, nil
	r.closeGate()
	r.stopLooking()
}

// reach orders the ways to end by how much they put back.
func reach(t fleet.Then) int {
	return slices.Index([]fleet.Then{"", fleet.ThenFinish, fleet.ThenPutBack, fleet.ThenRollBackWave, fleet.ThenRollBackFleet}, t)
}

// tell passes a control on to every cohort under way, but not to those that undo. After an abort there is nothing to say.
func (r *Rollout) tell(control string) {
	for _, c := range r.inFlight {
		if !undoes(c.Input) && c.told != membership.ControlAbort {
			c.told = control
			r.do(TellCohort{Number: c.Number, Control: control})
		}
	}
}

// turnBack waits for what is under way, and then begins to put back what the way to end says.
func (r *Rollout) turnBack() bool {
	if len(r.inFlight) > 0 || r.looks.open > 0 {
		return false
	}
	if r.Stage == Previewing || r.Stage == Reserving {
		r.Previews = r.Previews[:min(r.Step, len(r.Previews))] // half a look is none
	}
	r.Lost = nil
	r.closeUnplannable(membership.NotStarted)
	for _, q := range r.Queue { // no member is tried again any more
		p, t := &r.Parts[q.Part], &r.Tracks[q.Part]
		t.Open += size(q.Input)
		p.Worst = append(p.Worst, q.Names...)
	}
	r.Queue = nil
	r.Rollback = min(r.Step, len(r.Survey.Steps)-1)
	return r.to(RollingBack)
}

// rollBack puts members back, step by step: one after those behind it, which may have taken its members further. Somebody
// may say meanwhile that more is to be put back.
func (r *Rollout) rollBack() bool {
	for {
		if r.Rollback >= 0 {
			r.queueUndos(r.Rollback)
		}
		for len(r.Queue) > 0 && len(r.inFlight) < r.Pace.MostAtOnce() && !r.hold() {
			next := r.Queue[0]
			r.Queue = r.Queue[1:]
			r.start(next)
		}
		if len(r.inFlight) > 0 || len(r.Queue) > 0 {
			return false
		}
		if r.Rollback--; r.Rollback < 0 {
			return r.to(Closing)
		}
	}
}

// takeOver takes what a run did that has ended for what this one did.
func (r *Rollout) takeOver(s fleet.Survey) {
	done := s.Done
	r.Previews = s.Seen
	s.Done, s.Seen = nil, nil
	r.Survey, r.Step = s, max(len(s.Steps)-1, 0)
	for _, p := range done {
		r.Parts, r.Tracks = append(r.Parts, p), append(r.Tracks, Track{})
		r.count(p)
		again := p.Input.Again
		if !undoes(p.Input) || again.Was[membership.Joined]+again.Was[membership.Left] == 0 { // nor those of whom nobody knew
			continue
		}
		for i := range r.Parts { // that it has put back already
			r.Tracks[i].Undone = r.Tracks[i].Undone || r.Parts[i].Record == again.Record
		}
	}
	r.to(Gating)
}

// toPutBack is how many members a roll-back is about.
func (r *Rollout) toPutBack() (n int) {
	for i, p := range r.Parts {
		if !undoes(p.Input) && !r.Tracks[i].Undone && p.Record != "" {
			n += wentWell(p)
		}
	}
	return n
}

// queueUndos queues what is to be put back of a step, and is not yet: members that went well, as far as the way to end
// reaches, and members of which nobody knows what was done to them.
func (r *Rollout) queueUndos(step int) {
	for i := range r.Parts {
		p, t := &r.Parts[i], &r.Tracks[i]
		if p.Input.Step != step || undoes(p.Input) {
			continue
		}
		if step == r.Step && reach(r.End.Mode) >= reach(fleet.ThenPutBack) {
			r.queueUnknown(i)
		}
		mine := r.End.Mode == fleet.ThenRollBackFleet || r.End.Mode == fleet.ThenRollBackWave && step == r.Step && p.Input.Wave == r.Wave
		if n := wentWell(*p); mine && p.Record != "" && n > 0 && !t.Undone {
			t.Undone = true
			was := make(map[membership.Outcome]int)
			for _, o := range []membership.Outcome{membership.Joined, membership.Left} {
				if p.Counts[o] > 0 {
					was[o] = p.Counts[o]
				}
			}
			in := r.again(i, fleet.Again{Undo: true, Was: was, Still: r.plan.Rollback != ""})
			in.Again.Record, in.Again.Cohort = p.Record, "" // its own, whatever it took up itself
			r.Queue = append(r.Queue, Queued{Input: in, Part: i})
		}
	}
}

// queueUnknown queues the members of a part of which nobody knows, so that what may have been done to them is undone.
func (r *Rollout) queueUnknown(part int) {
	c, ok := r.open(part, nil, func(o membership.Outcome) bool { return o == membership.Unknown })
	if !ok {
		return
	}
	r.settle(c)
	in := r.again(part, fleet.Again{Undo: true, Members: c.ids(), Was: c.was})
	r.Queue = append(r.Queue, Queued{Input: in, Part: part, Names: c.names})
}
