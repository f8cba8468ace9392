package ecs

import (
	"fmt"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// power is a batch stop, start or reboot.
type power struct {
	kind    string // opStop, opStart or opReboot
	hard    bool
	project string
	servers []string
	now     time.Time
	rule    *fault.Rule
}

const maxBatch = 1000 // servers in one power call

// target is the status in which there is nothing left to do, "" if there always is.
func (p power) target() string {
	return map[string]string{opStop: "SHUTOFF", opStart: "ACTIVE"}[p.kind]
}

// source is the status that the operation starts from.
func (p power) source() string {
	if p.kind == opStart {
		return "SHUTOFF"
	}
	return "ACTIVE"
}

// check returns why the server cannot be powered now, or nil. A server already in the target state can (H5).
func (s *Service) check(p power, id string) *refusal {
	v := s.servers[id]
	if v == nil || v.Project != p.project {
		return s.noServer(id)
	}
	state := v.at(p.now)
	switch {
	case state.Op != nil:
		return s.busy(id)
	case v.Locked:
		return locked(id)
	case state.Status != p.source() && state.Status != p.target():
		return wrongStatus(id, state.Status)
	}
	return nil
}

// power starts the operation on every server that allows it and returns the job that tells how it goes. The call
// is refused if no server allows it, or if one does not and the world does not do batches by halves (H6).
func (s *Service) power(p power, changes *change) (*job, string, *refusal) {
	if len(p.servers) == 0 {
		return nil, journal.Refused, badRequest("The list of servers is empty.")
	}
	if len(p.servers) > maxBatch {
		return nil, journal.Refused, &refusal{Code: "Ecs.0118", Message: fmt.Sprintf("More than %d servers in one batch.", maxBatch)}
	}
	var first *refusal
	refused := 0
	for _, id := range p.servers {
		if r := s.check(p, id); r != nil {
			refused++
			if first == nil {
				first = r
			}
		}
	}
	if refused == len(p.servers) || refused > 0 && !*s.config.Knobs.BatchPartial {
		return nil, journal.Refused, first
	}

	j := s.newJob(p)
	effect := journal.None
	for i, id := range p.servers {
		sub, changed := s.powerOne(p, id, changes)
		sub.ID = s.jobID(j.Number, i+1)
		j.Subs = append(j.Subs, sub)
		if changed {
			effect = journal.Changed
		}
	}
	s.jobs[j.ID] = j
	changes.Jobs = append(changes.Jobs, j)
	return j, effect, nil
}

// powerOne does one server's part, and reports whether the server changed.
func (s *Service) powerOne(p power, id string, changes *change) (subJob, bool) {
	sub := subJob{Server: id, End: p.now}
	if r := s.check(p, id); r != nil { // again: the batch may name a server twice
		sub.Code, sub.Reason = r.Code, r.Message
		return sub, false
	}
	v := s.servers[id]
	state := v.at(p.now)
	if state.Status == p.target() {
		if s.config.Knobs.PowerOnTargetState == world.Fail {
			r := wrongStatus(id, state.Status)
			sub.Code, sub.Reason = r.Code, r.Message
		}
		return sub, false
	}
	op := &operation{Kind: p.kind}
	takes := map[string]clock.Range{opStop: s.config.Timings.Stop, opStart: s.config.Timings.Start,
		opReboot: s.config.Timings.Reboot}[p.kind]
	if p.kind == opReboot {
		op.Shown = "REBOOT"
		if p.hard {
			op.Shown = "HARD_REBOOT"
		}
	}
	switch {
	case p.kind != opStart && !p.hard && v.SoftStopHangs:
		op.Code, op.Message = "Ecs.0000", "The operating system did not react to the request to shut down." // H7
	case p.kind == opStart && (v.StartFails == world.Always || v.StartFails == world.AfterAdd && state.Placed):
		op.Code, op.Message = s.config.Knobs.NoCapacity, "No host with enough resources was found." // H15
	}
	s.begin(v, op, takes, p.now, p.rule)
	changes.Servers = append(changes.Servers, v)
	sub.End, sub.Code, sub.Reason = op.Until, op.Code, op.Message
	return sub, true
}
