package archive

import (
	"fmt"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Hosts counts on how many hosts the members of each group are, where the cloud tells: what an anti-affinity group is for.
type Hosts struct {
	groups  []string // in the order in which they came
	in      map[string]*groupHosts
	unknown int // members that joined and of which the cloud did not tell, as of one that is off
}

type groupHosts struct {
	members int
	hosts   map[string]bool
}

// Add counts a member. The members of a group need not come together.
func (h *Hosts) Add(m *Member) {
	switch {
	case m.Outcome != membership.Joined:
		return
	case m.Host == "":
		h.unknown++
		return
	}
	g := h.in[m.Group]
	if g == nil {
		if h.in == nil {
			h.in = make(map[string]*groupHosts)
		}
		g = &groupHosts{hosts: make(map[string]bool)}
		h.groups, h.in[m.Group] = append(h.groups, m.Group), g
	}
	g.members++
	g.hosts[m.Host] = true
}

// mostCrowded is how many groups with fewer hosts than members are named.
const mostCrowded = 3

// String tells it in words, such as "32 joined, on 32 hosts"; "" when the cloud told of nobody.
func (h *Hosts) String() string {
	members, hosts := 0, 0
	var crowded []string
	for _, id := range h.groups {
		g := h.in[id]
		members, hosts = members+g.members, hosts+len(g.hosts)
		if len(g.hosts) < g.members {
			crowded = append(crowded, fmt.Sprintf("%d on %s in group %s", g.members, membership.Count(len(g.hosts), "host"), id))
		}
	}
	if more := len(crowded) - mostCrowded; more > 0 {
		crowded = append(crowded[:mostCrowded], fmt.Sprintf("and so in %s more", membership.Count(more, "group")))
	}
	var told string
	switch {
	case members == 0:
		return ""
	case len(crowded) > 0:
		told = fmt.Sprintf("%d joined, and some share a host: %s", members, strings.Join(crowded, ", "))
	case len(h.groups) > 1:
		told = fmt.Sprintf("%d joined in %d groups, no two of a group on one host", members, len(h.groups))
	default:
		told = fmt.Sprintf("%d joined, on %s", members, membership.Count(hosts, "host"))
	}
	if h.unknown > 0 {
		told += fmt.Sprintf("; %d more, whose hosts are not told", h.unknown)
	}
	return told
}
