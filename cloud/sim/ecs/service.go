// Package ecs simulates Huawei Cloud ECS: servers, their power, and server groups. deploy/docs/world.md lists the
// assumptions (H1, H2, …) made where the vendor's documents are silent or contradict each other.
package ecs

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/vpc"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Service is the state of the ECS half of a world. It implements wire.Service.
type Service struct {
	*huaweiapi.API[*Service]
	seed    int64
	config  world.Huawei // defaults filled in; its servers and groups are in the maps below
	flavors map[string]world.Flavor
	network *vpc.Service
	zones   []string // in which the world has something

	next     int64 // number for the next thing that needs one: job, group, membership
	servers  map[string]*server
	groups   map[string]*group
	jobs     map[string]*job
	projects map[string]*project
}

// project lists what a project has, in the order in which the API lists it.
type project struct {
	servers []*server
	groups  []*group
}

// New returns the service for a completed world whose servers are on the network. Signatures are checked against wall,
// the real time.
func New(w world.World, network *vpc.Service, wall func() time.Time) *Service {
	s := &Service{
		seed:     w.Seed,
		config:   w.Huawei,
		flavors:  map[string]world.Flavor{},
		network:  network,
		servers:  map[string]*server{},
		groups:   map[string]*group{},
		jobs:     map[string]*job{},
		projects: map[string]*project{},
	}
	s.API = huaweiapi.New(huaweiapi.Config[*Service]{Name: "ecs", Service: s, Errors: s, Operations: operations(), World: w,
		Wall: wall, Throttle: w.Huawei.Throttle, Foreign: "Ecs.0023"})
	for _, f := range w.Huawei.Flavors {
		s.flavors[f.ID] = f
	}
	for _, g := range w.Huawei.Groups {
		s.putGroup(&group{Group: g})
	}
	for _, c := range w.Huawei.Clusters {
		for _, p := range c.NodePools {
			s.addZone(p.Zone)
		}
	}
	for _, v := range w.Huawei.Servers {
		born := version{Status: v.Status, Group: v.Group, Placed: v.Placed, OSGeneration: v.OSGeneration,
			Image: v.Image, Tags: v.Tags, Member: s.number()}
		s.putServer(&server{Server: v, Versions: []version{born}})
	}
	s.config.Servers, s.config.Groups = nil, nil
	return s
}

func (s *Service) addZone(zone string) {
	if !slices.Contains(s.zones, zone) {
		s.zones = append(s.zones, zone)
	}
}

func (s *Service) number() int64 {
	s.next++
	return s.next
}

func (s *Service) project(id string) *project {
	p := s.projects[id]
	if p == nil {
		p = &project{}
		s.projects[id] = p
	}
	return p
}

// sortedProjects returns the projects in the order of their ids.
func (s *Service) sortedProjects() []*project {
	sorted := make([]*project, 0, len(s.projects))
	for _, id := range slices.Sorted(maps.Keys(s.projects)) {
		sorted = append(sorted, s.projects[id])
	}
	return sorted
}

// lagged is the moment that reads show: writes become visible only after the read lag.
func (s *Service) lagged(now time.Time) time.Time { return now.Add(-time.Duration(s.config.ReadLag)) }

// Throttled is the API gateway's answer to a caller who calls too often: 429, or, under another status, the service's
// own. The 202 is the one that clients take for success.
func (s *Service) Throttled(c *wire.Call, status int, retryAfter string) wire.Answer {
	const busy = "The system is busy. Try again later."
	var a wire.Answer
	switch status {
	case 0, http.StatusTooManyRequests:
		a = s.Refuse(c, http.StatusTooManyRequests, "APIGW.0308",
			"The throttling threshold has been reached: policy user over ratelimit,limit:"+
				strconv.FormatFloat(s.config.Throttle.PerSecond, 'f', -1, 64)+",time:1 second")
	case http.StatusAccepted:
		a = s.Refuse(c, status, "Common.0024", busy)
	default:
		a = s.Refuse(c, status, "Common.1503", busy)
	}
	return huaweiapi.Throttled(a, retryAfter)
}
