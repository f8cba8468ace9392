package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// putBack puts back the members that joined, when the run ends like that: those of the present wave, or of the run. A
// step is put back after the ones behind it, which may have taken its members further.
func (f *fleetRun) putBack(ctx workflow.Context) error {
	if f.Ending != "" { // nobody is started any more, and nobody tried again
		f.Queue = slices.DeleteFunc(f.Queue, func(in fleet.PageInput) bool { return !puttingBack(in) })
	}
	for step := f.Step; step >= 0; step-- {
		for {
			f.claim(step)
			for len(f.Queue) > 0 && len(f.flights) < f.pace() && !full(ctx) {
				in := f.Queue[0]
				f.Queue = f.Queue[1:]
				f.start(ctx, in)
			}
			if len(f.flights) == 0 {
				if len(f.Queue) == 0 {
					break
				}
				return errTurnover
			}
			if err := f.wait(ctx, time.Time{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// restore queues the members of a step about whom nobody knows, so that what may have been done to them is undone.
func (f *fleetRun) restore(step int) {
	if step != f.Step || reach(f.Ending) < reach(fleet.ThenPutBack) {
		return
	}
	for _, c := range f.choose(fleet.Control{}, true) {
		in := f.input(c.part)
		var unknown []string
		for _, w := range c.part.Worst {
			if w.Outcome == membership.Unknown && slices.Contains(c.members, w.ID) {
				unknown = append(unknown, w.ID)
			}
		}
		if len(unknown) == 0 {
			continue
		}
		in.Again = &fleet.Again{Record: recordOf(c.part), Undo: true, Members: unknown,
			Was: map[membership.Outcome]int{membership.Unknown: len(unknown)}}
		in.To = in.From + len(unknown)
		f.Queue = append(f.Queue, in)
	}
}

// claim queues what is to be put back of a step, and is not yet.
func (f *fleetRun) claim(step int) {
	claimed := make(map[string]bool) // records
	note := func(in fleet.PageInput) {
		if puttingBack(in) && len(in.Again.Members) == 0 {
			claimed[in.Again.Record] = true
		}
	}
	for _, in := range f.Queue {
		note(in)
	}
	for _, fl := range f.flights {
		note(fl.input)
	}
	for _, p := range f.Parts {
		note(p.Input)
	}
	f.restore(step)
	for _, p := range f.Parts {
		mine := f.Ending == fleet.ThenRollBackFleet || f.Ending == fleet.ThenRollBackWave && step == f.Step && p.Input.Wave == f.Wave
		n := p.Counts[membership.Joined]
		if !mine || p.Input.Step != step || p.Record == "" || n == 0 || claimed[p.Record] {
			continue
		}
		in := f.input(p)
		in.Again = &fleet.Again{Record: p.Record, Undo: true, Was: map[membership.Outcome]int{membership.Joined: n}}
		in.To = in.From + n
		f.Queue = append(f.Queue, in)
	}
}
