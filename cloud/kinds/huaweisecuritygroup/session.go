package huaweisecuritygroup

import (
	"context"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/huawei/finder"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// session is the I/O of one activity attempt.
type session struct {
	client *huawei.Client
	target membership.Target
}

func newSession(c *huawei.Client, t membership.Target, _ struct{}) membership.Session {
	return &session{client: c, target: t}
}

// Observe reads the servers with their groups (ListServersDetails), and for planning whether the groups are there
// (ShowSecurityGroup). Later a write into one that is gone is refused.
func (s *session) Observe(ctx context.Context, look membership.Look) (membership.Observation, error) {
	o := &observation{change: changeOf(s.target), operation: s.target.Operation}
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		o.servers, err = s.client.Servers(ctx, look.Members)
		return err
	})
	if look.Thorough {
		reads.Go(func() (err error) {
			o.addMissing, err = s.missing(ctx, o.change.add)
			return err
		})
		reads.Go(func() (err error) {
			o.dropMissing, err = s.missing(ctx, o.change.drop)
			return err
		})
	}
	return o, reads.Wait()
}

// missing reports whether a group does not exist; "" is none, and not missing.
func (s *session) missing(ctx context.Context, group string) (bool, error) {
	if group == "" {
		return false, nil
	}
	_, err := s.client.SecurityGroup(ctx, group)
	if e := verdict.As(err); e != nil && e.Status == http.StatusNotFound {
		return true, nil
	}
	return false, err
}

// Do sends one write for one server.
func (s *session) Do(ctx context.Context, action string, members []*membership.Member) (membership.Sent, error) {
	c, server := changeOf(s.target), members[0].ID
	switch action {
	case actAdd:
		return membership.Sent{}, s.client.AddToSecurityGroup(ctx, c.add, server)
	case actRemove:
		return membership.Sent{}, s.client.RemoveFromSecurityGroup(ctx, c.drop, server)
	case actTakeOut:
		return membership.Sent{}, s.client.RemoveFromSecurityGroup(ctx, c.add, server)
	case actPutBack:
		return membership.Sent{}, s.client.AddToSecurityGroup(ctx, c.drop, server)
	}
	return membership.Sent{}, &verdict.Error{Verdict: verdict.Rejected, Op: action, Message: fmt.Sprintf("%s has no such action", ID)}
}

// Find implements membership.Session: the members are servers of the project, and those of a group have a network interface in
// it (ListPorts). In which groups each is, ListServersDetails tells.
func (s *session) Find(ctx context.Context, q membership.Query, yield func(membership.Found) error) error {
	in := make(map[string][]string) // of a server, those of the query's groups
	var members []string
	for _, group := range q.Groups() {
		switch gone, err := s.missing(ctx, group); {
		case err != nil:
			return err
		case gone:
			return membership.NoGroup(group, "in the project")
		}
		err := s.client.ServersIn(ctx, group, func(server string) error {
			in[server] = append(in[server], group)
			if group == q.In {
				members = append(members, server)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return finder.Servers(ctx, s.client, q, members, func(server string) []string { return in[server] }, yield)
}

// Room implements membership.Session: nothing that is published limits the servers of a group.
func (*session) Room(context.Context, []string) (membership.Room, error) {
	return membership.NoRoomTold()
}
