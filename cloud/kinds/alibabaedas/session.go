package alibabaedas

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// accepted stands for the job of an accepted import, which has none: nothing can be asked of it, but that there is one
// tells an import that was accepted from one that may never have arrived.
const accepted = "accepted"

// session is the I/O of one activity attempt.
type session struct {
	client *alibaba.Client
	target membership.Target
	params params
	disks  *backup.Session // of a join by import, else nil
	// seen are the members of the last observation, by instance: a removal names memberships. Only Observe writes it.
	seen map[string]alibaba.EDASMember
}

func newSession(client *alibaba.Client, t membership.Target, p params) membership.Session {
	s := &session{client: client, target: t, params: p}
	if p.reimage && t.Operation == membership.Join {
		s.disks = backup.Open(client, t.Program, p.backup)
	}
	return s
}

// Observe reads the instances with their disks, and the cluster with its members and those that it would take. That the
// cluster is missing is told by the list of all: EDAS answers reads of what is not there with nothing but text.
func (s *session) Observe(ctx context.Context, look membership.Look) (membership.Observation, error) {
	o := &observation{operation: s.target.Operation, params: s.params}
	if s.disks != nil {
		if err := s.client.CheckPassword(s.params.password); err != nil {
			o.password = verdict.As(err).Message
		}
	}
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		o.instances, err = s.client.Instances(ctx, look.Members)
		return err
	})
	reads.Go(func() error { return s.readClusters(ctx, look, o) })
	if s.disks != nil {
		reads.Go(func() (err error) {
			o.disks, err = s.disks.Observe(ctx, look)
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	s.seen = o.members
	return o, nil
}

// readClusters reads the cluster, who is in it, whom it would take and, for planning, who is in others. Only clusters of
// instances have instances for members.
func (s *session) readClusters(ctx context.Context, look membership.Look, o *observation) error {
	clusters, err := s.client.EDASClusters(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(clusters, func(c alibaba.EDASCluster) bool { return c.ID == s.target.Group })
	if o.clusterMissing = at < 0; !o.clusterMissing {
		o.cluster = clusters[at]
	}
	join := s.target.Operation == membership.Join
	reads, ctx := errgroup.WithContext(ctx)
	if !o.clusterMissing && o.cluster.Type == alibaba.EDASOfECS {
		reads.Go(func() error {
			members, gone, err := missing(s.client.EDASMembers(ctx, s.target.Group))
			o.members, o.clusterMissing = byInstance(members), gone
			return err
		})
		if join {
			reads.Go(func() (err error) {
				o.offered, _, err = missing(s.client.EDASConvertible(ctx, s.target.Group))
				return err
			})
		}
	}
	if join && look.Thorough {
		reads.Go(func() (err error) {
			others := slices.DeleteFunc(clusters, func(c alibaba.EDASCluster) bool { return c.ID == s.target.Group })
			o.elsewhere, err = s.readMembers(ctx, others)
			return err
		})
	}
	return reads.Wait()
}

// missing takes it for an observation that a cluster has gone since the list of all was made.
func missing[T any](v T, err error) (T, bool, error) {
	if e := verdict.As(err); e != nil && e.Verdict == verdict.Rejected && e.Status == http.StatusOK && e.Code == "404" {
		return v, true, nil
	}
	return v, false, err
}

// byInstance finds the member that each instance is. Of several, one that runs counts before one that is on its way.
func byInstance(members []alibaba.EDASMember) map[string]alibaba.EDASMember {
	found := make(map[string]alibaba.EDASMember, len(members))
	for _, m := range members {
		if old, ok := found[m.Instance]; !ok || m.Status > old.Status {
			found[m.Instance] = m
		}
	}
	return found
}

// clustersAtOnce is how many clusters are read at the same time.
const clustersAtOnce = 10

// readMembers tells for each instance that is a member of one of the clusters which that is.
func (s *session) readMembers(ctx context.Context, clusters []alibaba.EDASCluster) (map[string]string, error) {
	in := make(map[string]string)
	var mu sync.Mutex
	reads, ctx := errgroup.WithContext(ctx)
	reads.SetLimit(clustersAtOnce)
	for _, c := range clusters {
		if c.Type != alibaba.EDASOfECS {
			continue
		}
		reads.Go(func() error {
			members, _, err := missing(s.client.EDASMembers(ctx, c.ID))
			if err != nil {
				return fmt.Errorf("cluster %s: %w", c.ID, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range members {
				in[m.Instance] = c.ID
			}
			return nil
		})
	}
	return in, reads.Wait()
}

// Do sends one write.
func (s *session) Do(ctx context.Context, action string, members []*membership.Member) (sent membership.Sent, err error) {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	switch {
	case action == actSync:
		err = s.client.SynchronizeEDAS(ctx, ids)
	case action == actInstall:
		sent.Refused, err = s.client.InstallEDASAgent(ctx, s.target.Group, ids)
	case action == actImport:
		if err = s.client.InsertEDASMembers(ctx, s.target.Group, ids, s.params.password); err == nil {
			sent.Job = accepted
		}
	case action == actRemove:
		err = s.client.DeleteEDASMember(ctx, s.target.Group, s.seen[ids[0]].ID)
	case s.disks != nil:
		err = s.disks.Do(ctx, action, members[0])
	default:
		err = &verdict.Error{Verdict: verdict.Rejected, Op: action, Message: fmt.Sprintf("%s has no such action", ID)}
	}
	return sent, err
}
