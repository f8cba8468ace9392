package ecs

import (
	"net/http"

	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/vpc"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// Nova's calls by which a server gets into and out of security groups, which are the network's. They answer 202 with an
// empty body (V1).

func bindNovaAction(c *wire.Call, v vars) (handler, *refusal) {
	type group struct {
		Name string `json:"name"` // or id
	}
	var in struct {
		Add    *group `json:"addSecurityGroup"`
		Remove *group `json:"removeSecurityGroup"`
	}
	if r := decode(c, &in); r != nil {
		return nil, r
	}
	do, chosen := (*vpc.Service).Associate, in.Add
	switch {
	case in.Add != nil:
		c.Action = "NovaAssociateSecurityGroup"
	case in.Remove != nil:
		c.Action = "NovaDisassociateSecurityGroup"
		do, chosen = (*vpc.Service).Disassociate, in.Remove
	default:
		return nil, huaweiapi.Unimplemented(c.Action + " without an action in its body")
	}
	if chosen.Name == "" {
		return nil, &refusal{Code: "badRequest", Message: "Missing parameter name."}
	}
	c.Group = chosen.Name
	return func(s *Service, c *wire.Call) wire.Answer {
		if r := s.novaServer(c, v["server"]); r != nil {
			return s.Refusal(c, r)
		}
		effect, ports, r := do(s.network, c, v["server"])
		if r != nil {
			return s.Refusal(c, r)
		}
		changes := &change{}
		if ports != nil {
			changes.Network = []any{ports}
		}
		a := s.done(changes, effect, nil)
		a.Status = http.StatusAccepted
		return a
	}, nil
}

// novaServer refuses a server that does not exist, or no more, in Nova's words.
func (s *Service) novaServer(c *wire.Call, id string) *refusal {
	if v := s.servers[id]; v != nil && v.Project == c.Project && v.at(c.Now).Status != "DELETED" {
		return nil
	}
	return &refusal{Code: "itemNotFound", Message: "Instance " + id + " could not be found."}
}

type novaGroup struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Tenant      string     `json:"tenant_id"`
	Rules       []novaRule `json:"rules"`
}

type novaRule struct {
	ID       string         `json:"id"`
	Group    string         `json:"parent_group_id"`
	Protocol *string        `json:"ip_protocol"`
	From     *int           `json:"from_port"`
	To       *int           `json:"to_port"`
	Range    map[string]any `json:"ip_range"`
	Peer     map[string]any `json:"group"`
}

func (s *Service) listSecurityGroups(c *wire.Call, v vars) wire.Answer {
	if r := s.novaServer(c, v["server"]); r != nil {
		return s.Refusal(c, r)
	}
	list := []novaGroup{}
	for _, g := range s.network.GroupsOf(v["server"], s.lagged(c.Now)) {
		b := novaGroup{ID: g.ID, Name: g.Name, Description: g.Description, Tenant: g.Project, Rules: []novaRule{}}
		for _, r := range s.network.Rules(g) {
			if r.Direction == "egress" { // Nova knows rules for what comes in only
				continue
			}
			rule := novaRule{ID: r.ID, Group: g.ID, Range: map[string]any{}, Peer: map[string]any{}}
			if r.Port != 0 {
				tcp := "tcp"
				rule.Protocol, rule.From, rule.To = &tcp, &r.Port, &r.Port
			}
			if r.From != "" {
				rule.Range["cidr"] = r.From
			}
			if r.FromGroup != "" {
				rule.Peer["name"], rule.Peer["tenant_id"] = g.Name, g.Project
			}
			b.Rules = append(b.Rules, rule)
		}
		list = append(list, b)
	}
	return found(map[string]any{"security_groups": list})
}
