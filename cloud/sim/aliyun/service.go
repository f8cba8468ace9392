// Package aliyun simulates Alibaba Cloud: ECS with its power, disks, security groups and resource groups, the Resource
// Management service, EDAS, and the Container Service. deploy/docs/world.md lists the assumptions (A1, E1, K1, …) made
// where the vendor's documents are silent or contradict each other.
package aliyun

import (
	"net/http"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/throttle"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Service is the state of the Alibaba half of a world. It implements wire.Service.
type Service struct {
	seed     int64
	config   world.Alibaba            // defaults filled in; its resources are in the inventory
	accounts map[string]world.Account // by access key
	groups   map[string]world.ResourceGroup
	gateway  *alibabasign.Gateway
	limiter  *throttle.Limiter
	routes   map[operation]route
	paths    []pathRoute
	wall     func() time.Time

	ack *ack

	*inventory
}

// New returns the service for a completed world. Signatures are checked against wall, the real time.
func New(w world.World, wall func() time.Time) *Service {
	s := &Service{
		seed:      w.Seed,
		config:    w.Alibaba,
		accounts:  map[string]world.Account{},
		groups:    map[string]world.ResourceGroup{},
		limiter:   throttle.New(w.Alibaba.Throttle),
		routes:    routes(),
		paths:     pathRoutes(),
		wall:      wall,
		inventory: newInventory(),
	}
	for _, a := range w.Accounts {
		if a.AccountID != "" {
			s.accounts[a.AccessKey] = a
		}
	}
	s.gateway = alibabasign.NewGateway(func(access string) (alibabasign.Key, bool) {
		a, ok := s.accounts[access]
		return alibabasign.Key{Access: a.AccessKey, Secret: a.SecretKey, Token: a.SecurityToken}, ok
	})
	for _, g := range w.Alibaba.ResourceGroups {
		s.groups[g.ID] = g
		for region := range g.Regions {
			s.regions[region] = true
		}
	}
	s.populate(w.Alibaba)
	s.config.SecurityGroups, s.config.Instances, s.config.Interfaces, s.config.Resources = nil, nil, nil, nil
	s.ack = newACK(w.Alibaba.Clusters)
	s.config.EDASClusters, s.config.Clusters = nil, nil
	return s
}

// populate makes the resources as the world describes them.
func (s *Service) populate(w world.Alibaba) {
	for i := range w.SecurityGroups {
		g := &w.SecurityGroups[i]
		s.put(&resource{Type: "securitygroup", Firewall: g, Versions: []version{{ResourceGroup: g.ResourceGroup}}})
	}
	for i := range w.Instances {
		v := &w.Instances[i]
		s.put(&resource{Type: "instance", Instance: v, Versions: []version{{ResourceGroup: v.ResourceGroup,
			Status: v.Status, StoppedMode: v.StoppedMode, OSGeneration: v.OSGeneration, SecurityGroups: v.SecurityGroups,
			Image: v.Image, KeyPair: v.KeyPair, Description: v.Description, AgentOffline: v.AgentOffline, UnknownToEDAS: v.UnknownToEDAS,
			Placed: placed{v.DeploymentSet, v.DeploymentGroup}}}})
	}
	for i := range w.Interfaces {
		n := &w.Interfaces[i]
		s.put(&resource{Type: "eni", ENI: n, Versions: []version{{ResourceGroup: n.ResourceGroup,
			SecurityGroups: n.SecurityGroups}}})
	}
	for i := range w.Resources {
		o := &w.Resources[i]
		s.put(&resource{Type: o.Type, Other: o, Versions: []version{{ResourceGroup: o.ResourceGroup, Status: o.Status,
			Image: o.Image}}})
	}
	s.populateEDAS(w.EDASClusters)
}

// Name is the service's name in the state directory.
func (s *Service) Name() string { return "aliyun" }

// lagged is the moment that ECS reads show: writes become visible only after the read lag.
func (s *Service) lagged(now time.Time) time.Time { return now.Add(-time.Duration(s.config.ReadLag)) }

// oldest is the oldest moment that any read shows.
func (s *Service) oldest(now time.Time) time.Time {
	return now.Add(-time.Duration(max(s.config.ReadLag, s.config.ListLag, s.config.EDAS.ReadLag,
		s.config.Containers.ReadLag)))
}

// account is the account id of the caller.
func (s *Service) account(c *wire.Call) string { return c.Project }

// Admit checks the signature and the account's rate.
func (s *Service) Admit(c *wire.Call, now time.Time) *wire.Answer {
	access, refused := s.gateway.Verify(c.HTTP, c.Body, s.wall())
	if refused != nil {
		answer := gatewayError(c, refused.Status, refused.Code, refused.Message)
		return &answer
	}
	account := s.accounts[access]
	c.Account, c.Project = account.Name, account.AccountID
	if wait := s.limiter.Take(c.Account, c.Action, now); wait > 0 {
		answer := s.Throttled(c, 0, s.limiter.RetryAfter(wait))
		return &answer
	}
	return nil
}

// Latency draws how long the call travels.
func (s *Service) Latency(c *wire.Call) time.Duration {
	if s.config.Latency == (clock.Range{}) {
		return 0
	}
	return s.config.Latency.Draw(world.Random(s.seed, "latency", c.Number))
}

// Throttled is the answer to a caller who calls too often: a 400, unless another status is asked for.
func (s *Service) Throttled(c *wire.Call, status int, retryAfter string) wire.Answer {
	if status == 0 {
		status = http.StatusBadRequest
	}
	a := gatewayError(c, status, "Throttling.User", "Request was denied due to user flow control.")
	if retryAfter != "" {
		a.Header = http.Header{"X-Acs-Retry-After": {retryAfter}}
	}
	return a
}
