package alibabasecuritygroup

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// session is the I/O of one activity attempt.
type session struct {
	client *alibaba.Client
	target membership.Target
	params params
}

func newSession(client *alibaba.Client, t membership.Target, p params) membership.Session {
	return &session{client: client, target: t, params: p}
}

// Observe reads the members and the group; for planning also every other group of the members, and the instances behind the
// network interfaces.
func (s *session) Observe(ctx context.Context, look membership.Look) (membership.Observation, error) {
	o := &observation{target: s.target, params: s.params}
	if !look.Thorough {
		reads, ctx := errgroup.WithContext(ctx)
		reads.Go(func() (err error) {
			o.members, err = s.read(ctx, look.Members)
			return err
		})
		reads.Go(func() (err error) {
			o.groups, err = s.client.SecurityGroups(ctx, []string{s.target.Group})
			return err
		})
		return o, reads.Wait()
	}
	var err error
	if o.members, err = s.read(ctx, look.Members); err != nil {
		return nil, err
	}
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		o.groups, err = s.client.SecurityGroups(ctx, o.allGroups())
		return err
	})
	reads.Go(func() error { return s.readLocks(ctx, o.members) })
	return o, reads.Wait()
}

// read reads instances or network interfaces, whichever the ids are of.
func (s *session) read(ctx context.Context, ids []string) (map[string]subject, error) {
	found := make(map[string]subject, len(ids))
	if len(ids) > 0 && isInterface(ids[0]) {
		interfaces, err := s.client.NetworkInterfaces(ctx, ids)
		for id, n := range interfaces {
			found[id] = ofInterface(n)
		}
		return found, err
	}
	instances, err := s.client.Instances(ctx, ids)
	for id, i := range instances {
		found[id] = ofInstance(i)
	}
	return found, err
}

// readLocks adds what instances lend to their network interfaces: a lock of the one holds for the other.
func (s *session) readLocks(ctx context.Context, members map[string]subject) error {
	hosts := make(map[string]bool)
	for _, m := range members {
		if m.host != "" {
			hosts[m.host] = true
		}
	}
	if len(hosts) == 0 {
		return nil
	}
	instances, err := s.client.Instances(ctx, slices.Collect(maps.Keys(hosts)))
	for id, m := range members {
		if m.host != "" {
			m.locked = lockedForSecurity(instances[m.host])
			members[id] = m
		}
	}
	return err
}

// Do sends one write for one member.
func (s *session) Do(ctx context.Context, action string, members []*membership.Member) (membership.Sent, error) {
	m := members[0]
	c := changeOf(s.target)
	switch action {
	case actJoin, actLeave:
	case actRestore:
		c = c.undo(groupsBefore(m))
	default:
		return membership.Sent{}, &verdict.Error{Verdict: verdict.Rejected, Op: action,
			Message: fmt.Sprintf("%s has no such action", ID)}
	}
	if s.params.legacy {
		return membership.Sent{}, s.changeOne(ctx, m.ID, c)
	}
	return membership.Sent{}, s.changeSet(ctx, m.ID, c)
}

// changeSet writes the whole set of groups. The write replaces what it does not name, so the set is read once more right
// before it: the observation that asked for the write may be seconds old, and others change groups, too.
func (s *session) changeSet(ctx context.Context, id string, c change) error {
	now, err := s.read(ctx, []string{id})
	if err != nil {
		return err
	}
	m, exists := now[id]
	switch {
	case !exists:
		return &verdict.Error{Verdict: verdict.Transient, Op: "read before write", Message: id + " is not there"}
	case c.done(m.groups):
		return &verdict.Error{Verdict: verdict.Done, Op: "read before write", Message: "the groups are as they should be"}
	case isInterface(id):
		return s.client.SetInterfaceSecurityGroups(ctx, id, c.of(m.groups))
	default:
		return s.client.SetInstanceSecurityGroups(ctx, id, c.of(m.groups))
	}
}

// changeOne joins or leaves the one group, by the older actions.
func (s *session) changeOne(ctx context.Context, id string, c change) error {
	t := alibaba.Target{Instance: id}
	if isInterface(id) {
		t = alibaba.Target{NetworkInterface: id}
	}
	if c.add != "" {
		return s.client.JoinSecurityGroup(ctx, c.add, t)
	}
	return s.client.LeaveSecurityGroup(ctx, c.drop, t)
}
