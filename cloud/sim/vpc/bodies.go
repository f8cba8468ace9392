package vpc

import (
	"fmt"
	"strconv"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// The JSON bodies of the API. Group and rule differ between v1, v3 and Nova.

type groupBody struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Project     string     `json:"enterprise_project_id"`
	Rules       []ruleBody `json:"security_group_rules"`
}

type ruleBody struct {
	ID           string  `json:"id"`
	Description  string  `json:"description"`
	Group        string  `json:"security_group_id"`
	Direction    string  `json:"direction"`
	Ethertype    string  `json:"ethertype"`
	Protocol     *string `json:"protocol"`
	Min          *int    `json:"port_range_min"`
	Max          *int    `json:"port_range_max"`
	Prefix       *string `json:"remote_ip_prefix"`
	RemoteGroup  *string `json:"remote_group_id"`
	AddressGroup *string `json:"remote_address_group_id"`
	Tenant       string  `json:"tenant_id"`
}

// Rule is a rule of a group. The first four are those that a new group has: everything may go out, and whatever is in the
// group may come in.
type Rule struct {
	ID, Direction, Ethertype string
	Port                     int    // of TCP; 0: everything
	From                     string // a CIDR, or empty
	FromGroup                string // a group's id, or empty
}

// Rules returns the rules of a group.
func (s *Service) Rules(g world.VPCSecurityGroup) []Rule {
	rules := make([]Rule, g.Rules)
	for i := range rules {
		r := Rule{ID: world.ID(s.seed, "security-group-rule", fmt.Sprint(g.ID, "/", i)), Ethertype: "IPv4"}
		if i < 4 && i%2 == 1 {
			r.Ethertype = "IPv6"
		}
		switch {
		case i < 2:
			r.Direction = "egress"
		case i < 4:
			r.Direction, r.FromGroup = "ingress", g.ID
		default:
			r.Direction, r.Port, r.From = "ingress", 10_000+i, "10.0.0.0/8"
		}
		rules[i] = r
	}
	return rules
}

// optional is what null stands for in the API.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func (r Rule) protocol() *string {
	if r.Port == 0 {
		return nil
	}
	return optional("tcp")
}

func (s *Service) newGroupBody(g *world.VPCSecurityGroup) groupBody {
	b := groupBody{ID: g.ID, Name: g.Name, Description: g.Description, Project: g.EnterpriseProject, Rules: []ruleBody{}}
	for _, r := range s.Rules(*g) {
		b.Rules = append(b.Rules, ruleBody{ID: r.ID, Group: g.ID, Direction: r.Direction, Ethertype: r.Ethertype,
			Protocol: r.protocol(), Min: optional(r.Port), Max: optional(r.Port), Prefix: optional(r.From),
			RemoteGroup: optional(r.FromGroup), Tenant: g.Project})
	}
	return b
}

type groupBodyV3 struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	ProjectID   string     `json:"project_id"`
	Project     string     `json:"enterprise_project_id"`
	Created     string     `json:"created_at"`
	Updated     string     `json:"updated_at"`
	Tags        []struct{} `json:"tags"`
}

const born = "2024-01-01T00:00:00Z"

func newGroupBodyV3(g *world.VPCSecurityGroup) groupBodyV3 {
	return groupBodyV3{ID: g.ID, Name: g.Name, Description: g.Description, ProjectID: g.Project,
		Project: g.EnterpriseProject, Created: born, Updated: born, Tags: []struct{}{}}
}

type groupWithRulesV3 struct {
	groupBodyV3
	Rules []ruleBodyV3 `json:"security_group_rules"`
}

type ruleBodyV3 struct {
	ID           string  `json:"id"`
	Description  string  `json:"description"`
	Group        string  `json:"security_group_id"`
	ProjectID    string  `json:"project_id"`
	Direction    string  `json:"direction"`
	Ethertype    string  `json:"ethertype"`
	Protocol     *string `json:"protocol"`
	Ports        *string `json:"multiport"`
	Action       string  `json:"action"`
	Priority     int     `json:"priority"`
	Prefix       *string `json:"remote_ip_prefix"`
	RemoteGroup  *string `json:"remote_group_id"`
	AddressGroup *string `json:"remote_address_group_id"`
	Created      string  `json:"created_at"`
	Updated      string  `json:"updated_at"`
	Enabled      bool    `json:"enabled"`
}

func (s *Service) rulesV3(g *world.VPCSecurityGroup) []ruleBodyV3 {
	all := []ruleBodyV3{}
	for _, r := range s.Rules(*g) {
		b := ruleBodyV3{ID: r.ID, Group: g.ID, ProjectID: g.Project, Direction: r.Direction, Ethertype: r.Ethertype,
			Protocol: r.protocol(), Action: "allow", Priority: 100, Prefix: optional(r.From),
			RemoteGroup: optional(r.FromGroup), Created: born, Updated: born, Enabled: true}
		if r.Port != 0 {
			b.Ports, b.Priority = optional(strconv.Itoa(r.Port)), 1
		}
		all = append(all, b)
	}
	return all
}

type pageInfo struct {
	Previous string `json:"previous_marker"`
	Count    int    `json:"current_count"`
	Next     string `json:"next_marker,omitempty"`
}

type portBody struct {
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	Status       string         `json:"status"`
	AdminUp      bool           `json:"admin_state_up"`
	FixedIPs     []fixedIP      `json:"fixed_ips"`
	MAC          string         `json:"mac_address"`
	Network      string         `json:"network_id"`
	Tenant       string         `json:"tenant_id"`
	Project      string         `json:"project_id"`
	Device       string         `json:"device_id"`
	Owner        string         `json:"device_owner"`
	Groups       []string       `json:"security_groups"`
	Pairs        []struct{}     `json:"allowed_address_pairs"`
	DHCP         []struct{}     `json:"extra_dhcp_opts"`
	VNIC         string         `json:"binding:vnic_type"`
	VIF          map[string]any `json:"binding:vif_details"`
	Profile      struct{}       `json:"binding:profile"`
	DNS          []struct{}     `json:"dns_assignment"`
	DNSName      string         `json:"dns_name"`
	Instance     string         `json:"instance_id"`
	InstanceType string         `json:"instance_type"`
	Secure       bool           `json:"port_security_enabled"`
	Zone         string         `json:"zone_id"`
	EFI          bool           `json:"enable_efi"`
	Bandwidth    string         `json:"ipv6_bandwidth_id"`
}

type fixedIP struct {
	Subnet  string `json:"subnet_id"`
	Address string `json:"ip_address"`
}

func newPortBody(p *port, t time.Time) portBody {
	return portBody{ID: p.ID, Status: "ACTIVE", AdminUp: true, FixedIPs: []fixedIP{{p.Subnet, p.IP}}, MAC: p.mac(),
		Network: p.Subnet, Tenant: p.Project, Project: p.Project, Device: p.Server, Owner: "compute:" + p.Zone,
		Groups: append([]string{}, p.at(t)...), Pairs: []struct{}{}, DHCP: []struct{}{}, VNIC: "normal",
		VIF: map[string]any{"primary_interface": true}, DNS: []struct{}{}, Secure: true, Zone: p.Zone}
}

type quotaBody struct {
	Type  string `json:"type"`
	Used  int    `json:"used"`
	Quota int    `json:"quota"`
	Min   int    `json:"min"`
}
