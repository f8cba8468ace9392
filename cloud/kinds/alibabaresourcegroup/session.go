package alibabaresourcegroup

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// lookups bounds the calls for single resources in one observation. An observation that takes long is too old to act on,
// and the cloud takes some five calls a second; so where a page cannot be read in batches, its members take turns.
const lookups = 5

// session is the I/O of one activity attempt.
type session struct {
	client *alibaba.Client
	target membership.Target
	params params
	goal   string         // the group that members are to be in
	looks  map[string]int // when a member last had its turn, see lookups
	look   int            // how many turns there were
}

func newSession(c *alibaba.Client, t membership.Target, p params) membership.Session {
	s := &session{client: c, target: t, params: p, goal: t.Group, looks: make(map[string]int)}
	if t.Operation == membership.Leave {
		s.goal = p.to
	}
	return s
}

// Observe reads in which groups the resources are, and the group that they are to be in, side by side.
func (s *session) Observe(ctx context.Context, look membership.Look) (membership.Observation, error) {
	o := &observation{operation: s.target.Operation, params: s.params, region: s.client.Region(), group: s.target.Group}
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		o.goal, err = s.readGroup(ctx, s.goal)
		return err
	})
	reads.Go(func() (err error) {
		if look.Thorough {
			o.groups, err = s.client.ResourceGroupOf(ctx, s.params.resourceType, look.Members)
			return err
		}
		o.groups, o.waiting, err = s.glance(ctx, look.Members)
		return err
	})
	if look.Thorough {
		reads.Go(func() (err error) {
			o.follows, err = s.readTransfer(ctx)
			return err
		})
		reads.Go(func() (err error) {
			if s.goal != s.target.Group {
				o.source, err = s.readGroup(ctx, s.target.Group)
			}
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	return o, nil
}

// glance reads the groups of as many resources as can be read at once, and says whose turn has not come.
func (s *session) glance(ctx context.Context, ids []string) (groups map[string]string, waiting map[string]bool, err error) {
	waiting = make(map[string]bool)
	if alibaba.OneByOne(s.params.resourceType) {
		ids = s.turn(ids, waiting)
	}
	groups, err = s.client.ResourceGroupShown(ctx, s.params.resourceType, ids)
	if err != nil {
		return nil, nil, err
	}
	var hidden []string
	for _, id := range ids {
		if group, exists := groups[id]; exists && group == "" {
			hidden = append(hidden, id)
		}
	}
	for _, id := range s.turn(hidden, waiting) {
		if groups[id], err = s.client.ResourceGroupListed(ctx, s.params.resourceType, id); err != nil {
			return nil, nil, err
		}
	}
	return groups, waiting, nil
}

// turn chooses those whose turn it is, the longest not looked at first, and adds the others to waiting. Among equals
// chance decides: the next session knows nothing of the turns of this one, and would always begin with the same.
func (s *session) turn(ids []string, waiting map[string]bool) []string {
	if len(ids) <= lookups {
		return ids
	}
	ids = slices.Clone(ids)
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	slices.SortStableFunc(ids, func(a, b string) int { return s.looks[a] - s.looks[b] })
	s.look++
	for i, id := range ids {
		if i < lookups {
			s.looks[id] = s.look
		} else {
			waiting[id] = true
		}
	}
	return ids[:lookups]
}

// readGroup reads a resource group; that there is none is an observation.
func (s *session) readGroup(ctx context.Context, id string) (group, error) {
	g, err := s.client.ResourceGroup(ctx, id)
	e := verdict.As(err)
	switch {
	case e == nil:
		return group{ResourceGroup: g}, nil
	case e.Status == http.StatusNotFound && e.Code == "EntityNotExists.ResourceGroup":
		return group{ResourceGroup: alibaba.ResourceGroup{ID: id}, missing: true}, nil
	default:
		return group{}, err
	}
}

// readTransfer asks whether other resources follow those that move. Who may not ask may still move resources.
func (s *session) readTransfer(ctx context.Context) (follows, error) {
	on, err := s.client.AssociatedTransferEnabled(ctx)
	switch {
	case verdict.Of(err) == verdict.Rejected:
		return followsUnknown, nil
	case err != nil:
		return "", err
	case on:
		return followsYes, nil
	default:
		return followsNo, nil
	}
}

// Do moves one resource.
func (s *session) Do(ctx context.Context, action string, members []*membership.Member) (membership.Sent, error) {
	member, to := members[0], ""
	switch action {
	case actJoin, actLeave:
		to = s.goal
	case actPutBack:
		to = member.Before[factGroup]
	default:
		return membership.Sent{}, &verdict.Error{Verdict: verdict.Rejected, Op: action,
			Message: fmt.Sprintf("%s has no such action", ID)}
	}
	return membership.Sent{}, s.client.JoinResourceGroup(ctx, s.params.resourceType, member.ID, to)
}
