package ecs

import (
	"fmt"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// membership is one server's joining or leaving of one group.
type membership struct {
	project, group, server string
	now                    time.Time
	rule                   *fault.Rule
}

// find returns the group and the server, if both exist in the project and the server is not busy.
func (s *Service) find(m membership) (*group, *server, *refusal) {
	g := s.groups[m.group]
	if g == nil || g.Project != m.project || !g.existsAt(m.now) {
		return nil, nil, s.noGroup(m.group)
	}
	v := s.servers[m.server]
	if v == nil || v.Project != m.project {
		return nil, nil, s.noServer(m.server)
	}
	if v.at(m.now).Op != nil {
		return nil, nil, s.busy(m.server)
	}
	return g, v, nil
}

// join adds a server to a group and returns the effect. Joining again is the world's choice (H12).
func (s *Service) join(m membership, changes *change) (string, *refusal) {
	g, v, r := s.find(m)
	if r != nil {
		return journal.Refused, r
	}
	state := v.at(m.now)
	if state.Group == g.ID {
		if s.config.Knobs.RepeatAdd == world.Error {
			return journal.Refused, badRequest("The ECS " + v.ID + " is already a member of the group.")
		}
		return journal.None, nil
	}
	if r := s.joinable(g, v, state, m.now); r != nil {
		return journal.Refused, r
	}
	op := &operation{Kind: opAdd, Group: g.ID, Member: s.number()}
	s.begin(v, op, s.config.Timings.Add, m.now, m.rule)
	g.servers[v.ID] = v
	changes.Servers = append(changes.Servers, v)
	return journal.Changed, nil
}

// joinable checks the preconditions of the API page, in an order of our choosing. Whether the server must be stopped
// (H1), what QingTian is (H10) and the code for a second group (H14) are the world's choice.
func (s *Service) joinable(g *group, v *server, state version, now time.Time) *refusal {
	flavor := s.flavors[v.Flavor]
	isKVM := flavor.Virtualization == world.KVM || flavor.Virtualization == world.Unknown ||
		flavor.Virtualization == world.QingTian && s.config.Knobs.QingTianJoins
	switch {
	case v.Locked:
		return locked(v.ID)
	case state.Group != "":
		return &refusal{Code: s.config.Knobs.SecondGroup, Message: "The ECS " + v.ID + " is a member of another ECS group."}
	case !isKVM:
		return badRequest("Only KVM ECSs can be added to an ECS group.")
	case flavor.LocalDisk || flavor.NVMe || flavor.GPU || flavor.FPGA:
		return badRequest("ECSs with local disks, GPUs or FPGAs cannot be added to an ECS group.")
	case state.Status != "SHUTOFF" && (state.Status != "ACTIVE" || *s.config.Knobs.RequireStopped):
		return wrongStatus(v.ID, state.Status)
	case !slices.Equal(g.Policies, []string{"anti-affinity"}):
		return badRequest("Servers can be added to groups with the policy anti-affinity only.")
	case g.taken(now, s.lagged(now)) >= s.config.Quotas.ServerGroupMembers:
		return &refusal{Code: "Ecs.0022", Message: "Insufficient ECS group quota."}
	}
	return nil
}

// leave removes a server from a group and returns the effect. Leaving without being in is the world's choice (H13).
func (s *Service) leave(m membership, changes *change) (string, *refusal) {
	g, v, r := s.find(m)
	if r != nil {
		return journal.Refused, r
	}
	switch {
	case v.at(m.now).Group != g.ID && s.config.Knobs.RemoveNotMember == world.Error:
		return journal.Refused, badRequest("The ECS " + v.ID + " is not a member of the group.")
	case v.at(m.now).Group != g.ID:
		return journal.None, nil
	case v.Locked:
		return journal.Refused, locked(v.ID)
	}
	s.begin(v, &operation{Kind: opRemove}, s.config.Timings.Remove, m.now, m.rule)
	changes.Servers = append(changes.Servers, v)
	return journal.Changed, nil
}

// begin starts an operation on a server at rest. A transition fault decides how the operation ends.
func (s *Service) begin(v *server, op *operation, takes clock.Range, now time.Time, rule *fault.Rule) {
	v.Ops++
	d := takes.Draw(world.Random(s.seed, op.Kind, v.ID, v.Ops))
	op.Until = now.Add(d)
	if rule.Hits(v.ID) {
		switch {
		case rule.Effect == fault.JobFail:
			op.Code, op.Message = rule.Code, rule.Message
		case rule.For > 0:
			op.Until = op.Until.Add(time.Duration(rule.For))
		default:
			op.Until = time.Time{}
		}
	}
	state := v.at(now)
	state.Op = op
	if op.Kind == opReboot {
		state.Status = op.Shown
	}
	v.set(state, now, s.lagged(now))
}

// createGroup makes a group, if the project's quota allows.
func (s *Service) createGroup(projectID, name string, policies []string, now time.Time) (*group, *refusal) {
	if !slices.Equal(policies, []string{"anti-affinity"}) {
		return nil, badRequest(fmt.Sprintf("The policies %q are not supported; the only one is anti-affinity.", policies))
	}
	existing := 0
	for _, g := range s.project(projectID).groups {
		if g.existsAt(now) {
			existing++
		}
	}
	if existing >= s.config.Quotas.ServerGroups {
		return nil, &refusal{Code: "Ecs.0022", Message: "Insufficient ECS group quota."}
	}
	id := world.ID(s.seed, "group", fmt.Sprintf("created/%d", s.number()))
	g := &group{Group: world.Group{ID: id, Name: name, Project: projectID, Policies: policies}, Created: now}
	s.putGroup(g)
	return g, nil
}

// deleteGroup removes a group. Its members stay where they are and are members no more; who was joining it does not.
func (s *Service) deleteGroup(g *group, now time.Time, changes *change) {
	for _, v := range g.servers {
		state := v.at(now)
		joining := state.Op != nil && state.Op.Group == g.ID
		if state.Group != g.ID && !joining {
			continue
		}
		if joining || state.Op != nil && state.Op.Kind == opRemove {
			state.Op = nil
		}
		state.Group, state.Placed = "", false
		v.set(state, now, s.lagged(now))
		changes.Servers = append(changes.Servers, v)
	}
	g.Deleted = now
	changes.Groups = append(changes.Groups, g)
}
