package cce

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func found(body any) wire.Answer { return huaweiapi.Found(body) }

func (s *Service) listClusters(c *wire.Call, _ vars) wire.Answer {
	query := c.HTTP.URL.Query()
	is := func(name, value string) bool { return !query.Has(name) || query.Get(name) == value }
	list := listBody[clusterBody]{Kind: "Cluster", APIVersion: "v3", Items: []clusterBody{}}
	for _, cl := range s.clusters {
		if cl.Project == c.Project && is("status", cl.Phase) && is("type", clusterType) && is("version", clusterVersion) {
			list.Items = append(list.Items, s.newClusterBody(cl, s.lagged(c.Now), tellErrors(c), query.Get("detail") == "true"))
		}
	}
	return found(list)
}

func (s *Service) showCluster(c *wire.Call, v vars) wire.Answer {
	cl := s.cluster(c.Project, v["cluster"])
	if cl == nil {
		return s.Refusal(c, missing("cluster", v["cluster"]))
	}
	detail := c.HTTP.URL.Query().Get("detail") == "true"
	return found(s.newClusterBody(cl, s.lagged(c.Now), tellErrors(c), detail))
}

func (s *Service) listPools(c *wire.Call, v vars) wire.Answer {
	cl := s.cluster(c.Project, v["cluster"])
	if cl == nil {
		return s.Refusal(c, missing("cluster", v["cluster"]))
	}
	list := listBody[poolBody]{Kind: "List", APIVersion: "v3", Items: []poolBody{}}
	for _, p := range cl.NodePools {
		list.Items = append(list.Items, newPoolBody(cl, p, s.lagged(c.Now), tellErrors(c)))
	}
	return found(list)
}

func (s *Service) showPool(c *wire.Call, v vars) wire.Answer {
	cl := s.cluster(c.Project, v["cluster"])
	if cl == nil {
		return s.Refusal(c, missing("cluster", v["cluster"]))
	}
	p, ok := cl.pool(v["group"])
	if !ok {
		return s.Refusal(c, missing("node pool", v["group"]))
	}
	return found(newPoolBody(cl, p, s.lagged(c.Now), tellErrors(c)))
}

func (s *Service) listNodes(c *wire.Call, v vars) wire.Answer {
	cl := s.cluster(c.Project, v["cluster"])
	if cl == nil {
		return s.Refusal(c, missing("cluster", v["cluster"]))
	}
	query, t := c.HTTP.URL.Query(), s.lagged(c.Now)
	var visible []*node
	for _, n := range cl.nodes {
		if n.phase(t) != "" {
			visible = append(visible, n)
		}
	}
	page, next, wrong := huaweiapi.Page(visible, query, 2000, func(n *node) string { return n.ID })
	if wrong != "" {
		return s.Refusal(c, badRequest(wrong))
	}
	list := nodeList{Kind: "List", APIVersion: "v3", Items: []nodeBody{}}
	for _, n := range page {
		list.Items = append(list.Items, s.nodeBody(cl, n, t, tellErrors(c)))
	}
	list.Page.Count, list.Page.Next = len(page), next
	return found(list)
}

// showNode tells a node by its id, which the caller may have from the job that made it: then the read lag does not hide
// it (H18).
func (s *Service) showNode(c *wire.Call, v vars) wire.Answer {
	cl, n, t := s.cluster(c.Project, v["cluster"]), s.nodes[v["node"]], s.lagged(c.Now)
	if n != nil && t.Before(n.Since) && !s.lagHidesNew {
		t = c.Now
	}
	if cl == nil || n == nil || n.Cluster != cl.ID || n.phase(t) == "" {
		return s.Refusal(c, missing("node", v["node"]))
	}
	return found(s.nodeBody(cl, n, t, tellErrors(c)))
}

// showJob answers for whole jobs and for their parts, which have ids of their own.
func (s *Service) showJob(c *wire.Call, v vars) wire.Answer {
	j, sub := s.jobs[v["job"]], s.subs[v["job"]]
	if j == nil {
		j = sub.job
	}
	if j == nil || j.Project != c.Project || j.forgotten(c.Now, time.Duration(s.config.JobRetention)) {
		return s.Refusal(c, missing("job", v["job"]))
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
