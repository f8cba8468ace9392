package cce

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func found(body any) wire.Answer { return wire.Answer{Status: http.StatusOK, Body: body} }

func (s *Service) listClusters(c *wire.Call, _ vars) wire.Answer {
	list := listBody[clusterBody]{Kind: "Cluster", APIVersion: "v3", Items: []clusterBody{}}
	for _, cl := range s.clusters {
		if cl.Project == c.Project {
			list.Items = append(list.Items, newClusterBody(cl))
		}
	}
	return found(list)
}

func (s *Service) showCluster(c *wire.Call, v vars) wire.Answer {
	cl := s.cluster(c.Project, v["cluster"])
	if cl == nil {
		return s.refuse(c, missing("cluster", v["cluster"]))
	}
	return found(newClusterBody(cl))
}

func (s *Service) listPools(c *wire.Call, v vars) wire.Answer {
	cl := s.cluster(c.Project, v["cluster"])
	if cl == nil {
		return s.refuse(c, missing("cluster", v["cluster"]))
	}
	list := listBody[poolBody]{Kind: "List", APIVersion: "v3", Items: []poolBody{}}
	for _, p := range cl.NodePools {
		list.Items = append(list.Items, newPoolBody(cl, p, s.lagged(c.Now)))
	}
	return found(list)
}

func (s *Service) showPool(c *wire.Call, v vars) wire.Answer {
	cl := s.cluster(c.Project, v["cluster"])
	if cl == nil {
		return s.refuse(c, missing("cluster", v["cluster"]))
	}
	p, ok := cl.pool(v["pool"])
	if !ok {
		return s.refuse(c, missing("node pool", v["pool"]))
	}
	return found(newPoolBody(cl, p, s.lagged(c.Now)))
}

func (s *Service) listNodes(c *wire.Call, v vars) wire.Answer {
	cl := s.cluster(c.Project, v["cluster"])
	if cl == nil {
		return s.refuse(c, missing("cluster", v["cluster"]))
	}
	query, t := c.HTTP.URL.Query(), s.lagged(c.Now)
	limit := 2000
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > limit {
			return s.refuse(c, badRequest("limit must be 1 to 2000."))
		}
		limit = n
	}
	var visible []*node
	for _, n := range cl.nodes {
		if n.phase(t) != "" {
			visible = append(visible, n)
		}
	}
	if marker := query.Get("marker"); marker != "" {
		at := slices.IndexFunc(visible, func(n *node) bool { return n.ID == marker })
		if at < 0 {
			return s.refuse(c, badRequest("The marker "+marker+" is not in the list."))
		}
		visible = visible[at+1:]
	}
	list := nodeList{Kind: "List", APIVersion: "v3", Items: []nodeBody{}}
	for _, n := range visible[:min(limit, len(visible))] {
		list.Items = append(list.Items, s.nodeBody(cl, n, t, query.Get("errorStatus") != ""))
	}
	list.Page.Count = len(list.Items)
	if len(visible) > limit {
		list.Page.Next = list.Items[limit-1].Metadata.ID
	}
	return found(list)
}

func (s *Service) showNode(c *wire.Call, v vars) wire.Answer {
	cl, n, t := s.cluster(c.Project, v["cluster"]), s.nodes[v["node"]], s.lagged(c.Now)
	if cl == nil || n == nil || n.Cluster != cl.ID || n.phase(t) == "" {
		return s.refuse(c, missing("node", v["node"]))
	}
	return found(s.nodeBody(cl, n, t, c.HTTP.URL.Query().Get("errorStatus") != ""))
}

// showJob answers for whole jobs and for their parts, which have ids of their own.
func (s *Service) showJob(c *wire.Call, v vars) wire.Answer {
	j, sub := s.jobs[v["job"]], s.subs[v["job"]]
	if j == nil {
		j = sub.job
	}
	if j == nil || j.Project != c.Project || j.forgotten(c.Now, time.Duration(s.config.JobRetention)) {
		return s.refuse(c, missing("job", v["job"]))
	}
	if sub.job != nil {
		return found(newPartBody(j, j.Parts[sub.at], c.Now))
	}
	return found(newJobBody(j, c.Now))
}

func (s *Service) showQuotas(c *wire.Call, _ vars) wire.Answer {
	used := 0
	for _, cl := range s.clusters {
		if cl.Project == c.Project {
			used++
		}
	}
	return found(map[string]any{"quotas": []map[string]any{
		{"quotaKey": "cluster", "quotaLimit": 50, "used": used, "unit": "count"}}})
}

// counts of a pool's nodes. The current ones include those that are being installed.
func counts(cl *cluster, p world.NodePool, t time.Time) (current, creating, deleting, active int) {
	for _, n := range cl.nodes {
		if n.Pool != p.ID {
			continue
		}
		switch n.phase(t) {
		case "":
			continue
		case phaseInstalling:
			creating++
		case phaseDeleting:
			deleting++
		case phaseActive:
			active++
		}
		current++
	}
	return current, creating, deleting, active
}
