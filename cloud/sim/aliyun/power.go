package aliyun

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// maxBatch is how many instances one power call takes.
const maxBatch = 100

const (
	running  = "Running"
	starting = "Starting"
	stopping = "Stopping"
	stopped  = "Stopped"
)

// power is a checked power call. What a stop that names no mode does is the world's choice (A16).
type power struct {
	stop   bool
	reboot bool
	mode   string // how to be stopped
	dryRun bool
	region string
}

func (s *Service) readPower(c *wire.Call, p params) (power, *refusal) {
	in := power{stop: strings.HasPrefix(c.Action, "Stop"), reboot: strings.HasPrefix(c.Action, "Reboot"), region: p.Get("RegionId"),
		mode: cmp.Or(p.Get("StoppedMode"), s.config.Knobs.StoppedMode)}
	if in.mode != world.KeepCharging && in.mode != world.StopCharging {
		return in, invalid("StoppedMode")
	}
	var r *refusal
	in.dryRun, r = p.flag("DryRun")
	return in, r
}

// check returns why the instance cannot be powered now, or nil, and whether there is anything to do. A security lock
// forbids starts and reboots; the target state is the world's choice (A6).
func (s *Service) check(c *wire.Call, in power, id string) (needed bool, refused *refusal) {
	v := s.find(c, "instance", id, in.region)
	if v == nil {
		return false, noInstance()
	}
	state := v.at(c.Now)
	source, target := stopped, running
	switch {
	case in.stop:
		source, target = running, stopped
	case in.reboot:
		source, target = running, ""
	}
	switch {
	case !in.stop && slices.Contains(v.Instance.Locks, "security"):
		return false, locked()
	case state.Becoming != nil, state.Placing != nil:
		return false, wrongStatus() // as while its system is installed
	case state.Status == target && s.config.Knobs.PowerOnTarget == world.OK:
		return false, nil
	case state.Status != source:
		return false, wrongStatus()
	case !in.stop && !in.reboot && s.noStock(v, state):
		return false, forbidden(s.config.Knobs.NoStock, "The requested resource is sold out in the specified zone.")
	}
	return true, nil
}

// noStock reports whether no host is found for the instance. It is told at once, not after a while (A8).
func (s *Service) noStock(v *resource, state version) bool {
	return v.Instance.StartFails == world.Always ||
		v.Instance.StartFails == world.InDeploymentSet && state.Placed.Set != "" ||
		v.Instance.StartFails == world.AfterStopCharging && state.StoppedMode == world.StopCharging
}

// power starts the transition of an instance that check allows.
func (s *Service) power(c *wire.Call, in power, id string, changes *change) {
	v := s.byKey[key{"instance", id}]
	state := v.at(c.Now)
	end, takes := transition{Status: running}, s.config.Timings.Start
	failed := transition{Status: state.Status, StoppedMode: state.StoppedMode}
	switch {
	case in.stop:
		end, takes = transition{Status: stopped, StoppedMode: in.mode}, s.config.Timings.Stop
	case in.reboot:
		takes = s.config.Timings.Reboot
	}
	s.failSnapshots(c, id, changes)
	state.Becoming = s.begin(v, c, id, takes, end, failed)
	state.Status = starting
	if in.stop {
		state.Status = stopping
	}
	s.change(v, state, c.Now, changes)
}

// begin returns a transition of r that ends as end says, or as a transition fault about the subject makes it: like
// failed, late or never. The subject is the resource that the call names.
func (s *Service) begin(r *resource, c *wire.Call, subject string, takes clock.Range, end, failed transition) *transition {
	r.Ops++
	until := c.Now.Add(takes.Draw(world.Random(s.seed, c.Action, r.Type, r.identity().id, r.Ops)))
	if c.Rule.Hits(subject) {
		switch {
		case c.Rule.Effect == fault.JobFail:
			end = failed
		case c.Rule.For > 0:
			until = until.Add(time.Duration(c.Rule.For))
		default:
			until = time.Time{}
		}
	}
	end.Until = until
	return &end
}

// change makes v the state of r from now on.
func (s *Service) change(r *resource, v version, now time.Time, changes *change) {
	r.set(v, now, s.oldest(now))
	changes.Resources = append(changes.Resources, r)
}

func (s *Service) powerOne(c *wire.Call, p params) wire.Answer {
	in, r := s.readPower(c, p)
	if r != nil {
		return s.refuse(c, r)
	}
	id := p.Get("InstanceId")
	if id == "" {
		return s.refuse(c, missing("InstanceId"))
	}
	needed, r := s.check(c, in, id)
	if r == nil && in.dryRun {
		r = dryRun()
	}
	if r != nil {
		return s.refuse(c, r)
	}
	changes, effect := &change{}, journal.None
	if needed {
		s.power(c, in, id, changes)
		effect = journal.Changed
	}
	return done(c, changes, effect, nil)
}

// powerRow is one instance's part of a batch.
type powerRow struct {
	InstanceID     string `json:"InstanceId"`
	Code           string `json:"Code"`
	Message        string `json:"Message"`
	PreviousStatus string `json:"PreviousStatus"`
	CurrentStatus  string `json:"CurrentStatus"`
}

// powerMany serves the batches. AllTogether, the default, does all or nothing; SuccessFirst does what it can.
func (s *Service) powerMany(c *wire.Call, p params) wire.Answer {
	in, r := s.readPower(c, p)
	together := p.Get("BatchOptimization") != "SuccessFirst"
	switch mode := p.Get("BatchOptimization"); {
	case r != nil:
	case mode != "" && mode != "AllTogether" && mode != "SuccessFirst":
		r = invalid("BatchOptimization")
	case len(c.Servers) == 0:
		r = missing("InstanceId")
	case len(c.Servers) > maxBatch:
		r = invalid("InstanceId")
	case together:
		r = s.checkAll(c, in)
	}
	if r == nil && in.dryRun {
		r = dryRun()
	}
	if r != nil {
		return s.refuse(c, r)
	}
	changes, count := &change{}, map[string]int{}
	rows := make([]powerRow, 0, len(c.Servers))
	for _, id := range c.Servers {
		row, effect := s.powerInBatch(c, in, id, changes)
		rows = append(rows, row)
		count[effect]++
	}
	effect := journal.None
	switch {
	case count[journal.Changed] > 0:
		effect = journal.Changed
	case count[journal.Refused] == len(rows):
		effect = journal.Refused
	}
	return done(c, changes, effect, map[string]any{"InstanceResponses": map[string]any{"InstanceResponse": rows}})
}

// checkAll returns the first reason why not all instances can be powered, or nil.
func (s *Service) checkAll(c *wire.Call, in power) *refusal {
	for _, id := range c.Servers {
		if _, r := s.check(c, in, id); r != nil {
			return r
		}
	}
	return nil
}

// powerInBatch does one instance's part. It checks again: a batch may name an instance twice.
func (s *Service) powerInBatch(c *wire.Call, in power, id string, changes *change) (powerRow, string) {
	row := powerRow{InstanceID: id, Code: "200", Message: "success"}
	if v := s.find(c, "instance", id, in.region); v != nil {
		row.PreviousStatus = v.at(c.Now).Status
		row.CurrentStatus = row.PreviousStatus
	}
	needed, r := s.check(c, in, id)
	switch {
	case r != nil:
		row.Code, row.Message = r.code, r.message
		return row, journal.Refused
	case !needed:
		return row, journal.None
	}
	s.power(c, in, id, changes)
	row.CurrentStatus = s.byKey[key{"instance", id}].at(c.Now).Status
	return row, journal.Changed
}
