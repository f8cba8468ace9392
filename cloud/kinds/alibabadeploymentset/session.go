package alibabadeploymentset

import (
	"context"
	"fmt"
	"strconv"

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

func newSession(c *alibaba.Client, t membership.Target, p params) membership.Session {
	return &session{client: c, target: t, params: p}
}

// Observe reads the instances, which tell their sets, and the set side by side.
func (s *session) Observe(ctx context.Context, look membership.Look) (membership.Observation, error) {
	o := &observation{operation: s.target.Operation, params: s.params, group: s.target.Group, from: s.target.From}
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		o.instances, err = s.client.Instances(ctx, look.Members)
		return err
	})
	reads.Go(func() error {
		sets, err := s.client.DeploymentSets(ctx, []string{s.target.Group})
		if set, ok := sets[s.target.Group]; ok {
			o.set = &set
		}
		return err
	})
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	return o, nil
}

// Do sends one write.
func (s *session) Do(ctx context.Context, action string, members []*membership.Member) (membership.Sent, error) {
	m := members[0]
	switch action {
	case actStop:
		return switched(members, func(ids []string) map[string]alibaba.Power { return s.client.StopInstances(ctx, ids, false) })
	case actStart:
		return switched(members, func(ids []string) map[string]alibaba.Power { return s.client.StartInstances(ctx, ids) })
	case actPlace:
		return membership.Sent{}, s.client.PlaceInstance(ctx, m.ID, s.target.Group, 0, s.params.force)
	case actRemove:
		return membership.Sent{}, s.client.DisplaceInstance(ctx, m.ID, s.target.Group)
	case actRestore:
		number, err := strconv.Atoi(m.Before[factGroup])
		if err != nil {
			number = 0 // it had none: the cloud chooses
		}
		return membership.Sent{}, s.client.PlaceInstance(ctx, m.ID, setBefore(m), number, s.params.force)
	}
	return membership.Sent{}, &verdict.Error{Verdict: verdict.Rejected, Op: action, Message: fmt.Sprintf("%s has no such action", ID)}
}

// switched starts or stops instances, each of which is answered for.
func switched(members []*membership.Member, call func([]string) map[string]alibaba.Power) (membership.Sent, error) {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	sent := membership.Sent{Refused: make(map[string]*verdict.Error)}
	for id, p := range call(ids) {
		if p.Err != nil {
			sent.Refused[id] = verdict.As(p.Err)
		}
	}
	return sent, nil
}
