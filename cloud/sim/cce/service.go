// Package cce simulates Huawei Cloud CCE: clusters, node pools, and how servers become nodes of them and cease to be.
// The servers are those of the ECS half. deploy/docs/world.md lists the assumptions (C1, C2, …) made where the vendor's
// documents are silent.
package cce

import (
	"net/http"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/ecs"
	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweisign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/throttle"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Service is the state of the clusters of a world. It implements wire.Service.
type Service struct {
	seed     int64
	config   world.CCE
	latency  clock.Range
	accounts map[string]world.Account // by access key
	servers  *ecs.Service
	routes   []route
	limiter  *throttle.Limiter // of writes
	wall     func() time.Time

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
		seed:     w.Seed,
		config:   w.Huawei.CCE,
		latency:  w.Huawei.Latency,
		accounts: map[string]world.Account{},
		servers:  servers,
		routes:   routes(),
		limiter:  throttle.New(writes),
		wall:     wall,
		nodes:    map[string]*node{},
		jobs:     map[string]*job{},
		subs:     map[string]subRef{},
	}
	for _, a := range w.Accounts {
		s.accounts[a.AccessKey] = a
	}
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

// Name is the service's name in the state directory.
func (s *Service) Name() string { return "cce" }

// Admit checks the signature, the project and, of writes, the account's rate.
func (s *Service) Admit(c *wire.Call, now time.Time) *wire.Answer {
	access, err := huaweisign.Verify(c.HTTP, c.Body, s.wall(), func(access string) (huaweisign.Key, bool) {
		a, ok := s.accounts[access]
		return huaweisign.Key{Access: a.AccessKey, Secret: a.SecretKey, Token: a.SecurityToken}, ok
	})
	if err != nil {
		refusal := s.Refuse(c, http.StatusUnauthorized, "APIGW.0301", "Incorrect IAM authentication information: "+err.Error())
		return &refusal
	}
	account := s.accounts[access]
	c.Account = account.Name
	header := c.HTTP.Header.Get("X-Project-Id")
	if account.ProjectID == "" || c.Project != account.ProjectID || header != "" && header != c.Project {
		refusal := s.Refuse(c, http.StatusForbidden, "CCE.01403001",
			"The project ID in the URL is not the project of the credentials.")
		return &refusal
	}
	if !c.Write {
		return nil
	}
	if wait := s.limiter.Take(c.Account, "", now); wait > 0 {
		refusal := s.Throttled(c, 0, s.limiter.RetryAfter(wait))
		return &refusal
	}
	return nil
}

// Latency draws how long the call travels.
func (s *Service) Latency(c *wire.Call) time.Duration {
	if s.latency == (clock.Range{}) {
		return 0
	}
	return s.latency.Draw(world.Random(s.seed, "latency", c.RequestID))
}

// Throttled is the service's refusal of an account that calls too often.
func (s *Service) Throttled(c *wire.Call, status int, retryAfter string) wire.Answer {
	if status == 0 {
		status = http.StatusTooManyRequests
	}
	a := s.Refuse(c, status, "CCE.02429001", "Too many requests. Try again later.")
	if retryAfter != "" {
		a.Header = http.Header{"Retry-After": {retryAfter}}
	}
	return a
}
