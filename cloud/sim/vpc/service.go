// Package vpc simulates Huawei Cloud VPC as far as servers are concerned: security groups, and the ports by which servers
// are in them. deploy/docs/world.md lists the assumptions (V1, V2, …) made where the vendor's documents are silent.
package vpc

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Service is the state of the security groups and ports of a world. It implements wire.Service.
type Service struct {
	*huaweiapi.API[*Service]
	seed    int64
	readLag time.Duration
	takes   clock.Range
	quotas  world.Quotas
	knobs   world.Knobs

	groups   []*world.VPCSecurityGroup // in the world's order; they do not change
	byID     map[string]*world.VPCSecurityGroup
	ports    map[string]*port   // by id
	byServer map[string][]*port // in the order of the network interfaces
	order    []*port
}

// New returns the service for a completed world. Signatures are checked against wall, the real time.
func New(w world.World, wall func() time.Time) *Service {
	h := w.Huawei
	s := &Service{
		seed:     w.Seed,
		readLag:  time.Duration(h.ReadLag),
		takes:    h.Timings.SecurityGroups,
		quotas:   h.Quotas,
		knobs:    h.Knobs,
		byID:     map[string]*world.VPCSecurityGroup{},
		ports:    map[string]*port{},
		byServer: map[string][]*port{},
	}
	for i := range h.SecurityGroups {
		g := &h.SecurityGroups[i]
		s.groups, s.byID[g.ID] = append(s.groups, g), g
	}
	for _, v := range h.Servers {
		for nic := range v.NICs {
			s.putPort(newPort(w.Seed, v, nic))
		}
	}
	s.API = huaweiapi.New(huaweiapi.Config[*Service]{Name: "vpc", Service: s, Errors: s, Operations: operations(), World: w,
		Wall: wall, Throttle: h.Throttle, Foreign: "VPC.0007"})
	return s
}

func (s *Service) lagged(now time.Time) time.Time { return now.Add(-s.readLag) }

// Status is the HTTP status that goes with an error code, as in the vendor's table of error codes.
func (s *Service) Status(code string) int {
	switch code {
	case codeNoGroup, codeNotFoundV3:
		return http.StatusNotFound
	case codeThrottled:
		return http.StatusTooManyRequests
	}
	return http.StatusBadRequest
}

const (
	codeNoGroup    = "VPC.0603" // of v1
	codeBadGroups  = "VPC.0601" // of v1
	codeBadPort    = "VPC.2500"
	codeNotFoundV3 = "VPC.9904"
	codeBadV3      = "VPC.9902"
	codeThrottled  = "APIGW.0308"
)

// Refuse builds an error body: of v1 as {code, message}, of v3 in the shape of the API gateway.
func (s *Service) Refuse(c *wire.Call, status int, code, message string) wire.Answer {
	if strings.HasPrefix(c.HTTP.URL.Path, "/v3/") {
		return huaweiapi.Refuse(c, status, code, message, map[string]string{"error_code": code, "error_msg": message,
			"request_id": c.RequestID})
	}
	return huaweiapi.Refuse(c, status, code, message, map[string]string{"code": code, "message": message})
}

// Throttled is the API gateway's answer to a caller who calls too often.
func (s *Service) Throttled(c *wire.Call, status int, retryAfter string) wire.Answer {
	if status == 0 {
		status = http.StatusTooManyRequests
	}
	return huaweiapi.Throttled(s.Refuse(c, status, codeThrottled, "The throttling threshold has been reached."), retryAfter)
}

// change is a set of ports as they are after a write.
type change struct {
	Ports []*port `json:"ports"`
}

// Dump returns the whole state as a change.
func (s *Service) Dump(time.Time) any { return &change{s.order} }

// Apply puts the ports of a change, in its JSON form, in place.
func (s *Service) Apply(data json.RawMessage) error {
	var c change
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	for _, p := range c.Ports {
		s.putPort(p)
	}
	return nil
}

func (s *Service) putPort(p *port) {
	if old := s.ports[p.ID]; old != nil {
		*old = *p // lists point to it
		return
	}
	s.ports[p.ID] = p
	s.byServer[p.Server] = append(s.byServer[p.Server], p)
	s.order = append(s.order, p)
}

// Describe has nothing to add to the world: groups do not change, and what servers are in is told with them.
func (s *Service) Describe(*world.World, time.Time) {}
