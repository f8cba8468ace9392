// Package cce simulates Huawei Cloud CCE: clusters, node pools, and how servers become nodes of them and cease to be.
// The servers are those of the ECS half. deploy/docs/world.md lists the assumptions (C1, C2, …) made where the vendor's
// documents are silent.
package cce

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/ecs"
	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Service is the state of the clusters of a world. It implements wire.Service.
type Service struct {
	*huaweiapi.API[*Service]
	seed   int64
	config world.CCE
	// lagHidesNew is a world's wish.
	lagHidesNew bool
	servers     *ecs.Service

	clusters []*cluster // in the world's order; they and their pools do not change
	next     int64      // number for the next node or job
	nodes    map[string]*node
	jobs     map[string]*job
	subs     map[string]subRef // sub-jobs by id
}

type cluster struct {
	world.Cluster
	nodes []*node // in the order of their coming, with those that are gone
}

type subRef struct {
	job *job
	at  int
}

// New returns the service for a completed world whose servers are servers. Signatures are checked against wall, the
// real time.
func New(w world.World, servers *ecs.Service, wall func() time.Time) *Service {
	writes := world.Throttle{Rate: world.Rate{PerSecond: w.Huawei.CCE.WritesPerMinute / 60,
		Burst: int(w.Huawei.CCE.WritesPerMinute)}, RetryAfter: w.Huawei.Throttle.RetryAfter}
	s := &Service{
		seed:    w.Seed,
		config:  w.Huawei.CCE,
		servers: servers,

		lagHidesNew: w.Huawei.Knobs.LagHidesNew,
		nodes:       map[string]*node{},
		jobs:        map[string]*job{},
		subs:        map[string]subRef{},
	}
	s.API = huaweiapi.New(huaweiapi.Config[*Service]{Name: "cce", Service: s, Errors: s, Operations: operations(), World: w,
		Wall: wall, Throttle: writes, WritesOnly: true, Foreign: "CCE.01403001"})
	for _, given := range w.Huawei.Clusters {
		c := &cluster{Cluster: given}
		s.clusters = append(s.clusters, c)
		for _, p := range c.NodePools {
			for _, server := range p.Members {
				s.putNode(&node{ID: world.ID(s.seed, "node", server), Cluster: c.ID, Pool: p.ID, Server: server})
			}
		}
	}
	return s
}

func (s *Service) number() int64 {
	s.next++
	return s.next
}

// cluster returns the cluster with this id in a project, or nil.
func (s *Service) cluster(project, id string) *cluster {
	for _, c := range s.clusters {
		if c.ID == id && c.Project == project {
			return c
		}
	}
	return nil
}

func (c *cluster) pool(id string) (world.NodePool, bool) {
	for _, p := range c.NodePools {
		if p.ID == id {
			return p, true
		}
	}
	return world.NodePool{}, false
}

// lagged is the moment that reads show: writes become visible only after the read lag.
func (s *Service) lagged(now time.Time) time.Time { return now.Add(-time.Duration(s.config.ReadLag)) }
