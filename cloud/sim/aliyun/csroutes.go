package aliyun

import (
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// csVersion is that of the Container Service (ACK).
const csVersion = "2015-12-15"

func csRoutes() []pathRoute {
	const (
		cluster = " /clusters/{ClusterId}"
		pools   = cluster + "/nodepools"
		pool    = pools + "/{NodepoolId}"
	)
	inCluster := func(more ...string) []string { return append([]string{"ClusterId"}, more...) }
	read := func(action, path string, resources []string, group string, known []string, serve handler) pathRoute {
		return pathRoute{operation{csVersion, action}, "GET" + path, route{false, resources, group, known, serve}}
	}
	write := func(action, path string, resource, group string, known []string, serve handler) pathRoute {
		return pathRoute{operation{csVersion, action}, path, route{true, []string{resource}, group, known, serve}}
	}
	attach := inCluster("password", "format_disk", "keep_instance_name")
	remove := inCluster("release_node", "drain_node")
	return []pathRoute{
		read("DescribeClustersV1", " /api/v1/clusters", nil, "",
			[]string{"name", "cluster_id", "cluster_type", "region_id", "page_size", "page_number"}, (*Service).describeClusters),
		read("DescribeClusters", " /clusters", nil, "", []string{"name", "clusterType"}, (*Service).describeAllClusters),
		read("DescribeClusterTasks", cluster+"/tasks", nil, "", inCluster("page_size", "page_number"),
			(*Service).describeClusterTasks),
		read("DescribeClusterEvents", cluster+"/events", nil, "", inCluster("task_id", "page_size", "page_number"),
			(*Service).describeEvents),
		read("DescribeEvents", " /events", nil, "", []string{"cluster_id", "type", "page_size", "page_number"},
			(*Service).describeEvents),
		read("DescribeClusterDetail", cluster, nil, "", inCluster(), (*Service).describeCluster),
		read("DescribeClusterNodePools", pools, nil, "", inCluster(), (*Service).describePools),
		read("DescribeClusterNodePoolDetail", pool, nil, "NodepoolId", inCluster(), (*Service).describePool),
		read("DescribeClusterNodes", cluster+"/nodes", []string{"instanceIds,"}, "nodepool_id",
			inCluster("state", "pageSize", "pageNumber"), (*Service).describeNodes),
		read("DescribeTaskInfo", " /tasks/{TaskId}", nil, "", []string{"TaskId"}, (*Service).describeTask),
		read("DescribeUserQuota", " /quota", nil, "", nil, (*Service).describeUserQuota),

		write("AttachInstances", "POST"+cluster+"/attach", "instances[]", "nodepool_id",
			append(slices.Clone(attach), append([]string{"is_edge_worker"}, ofPool()...)...), (*Service).attachInstances),
		write("AttachInstancesToNodePool", "POST"+pool+"/attach", "instances[]", "NodepoolId", attach,
			(*Service).attachToPool),
		write("RemoveNodePoolNodes", "DELETE"+pool+"/nodes", "instance_ids[]", "NodepoolId",
			append(slices.Clone(remove), "nodes", "concurrency"), (*Service).removeFromPool),
		write("DeleteClusterNodes", "POST"+cluster+"/nodes", "nodes[]", "", remove, (*Service).deleteNodes),
		write("RemoveClusterNodes", "POST /api/v2/clusters/{ClusterId}/nodes/remove", "nodes[]", "", remove,
			(*Service).deleteNodes),
	}
}

// ofPool are the parameters of AttachInstances that cannot be chosen for a pool, since it has its own.
func ofPool() []string {
	return []string{"key_pair", "image_id", "cpu_policy", "user_data", "runtime", "tags"}
}

// attachInstances serves the attach that tells of each instance how it goes, and that renames them unless it is told not
// to.
func (s *Service) attachInstances(c *wire.Call, p params) wire.Answer {
	for _, name := range ofPool() {
		switch {
		case p.Get(name) == "":
		case c.Group != "":
			return s.refuse(c, badRequest("InvalidParameter", "The parameter "+name+" cannot be used with nodepool_id."))
		case name != "key_pair" && name != "image_id":
			return s.refuse(c, unimplemented("the parameter "+name+" of "+c.Action))
		}
	}
	if edge, r := p.flag("is_edge_worker"); r != nil || edge {
		return s.refuse(c, unimplemented("is_edge_worker of "+c.Action))
	}
	return s.attach(c, p, attach{rename: true, keyPair: p.Get("key_pair"), image: p.Get("image_id")})
}

// attachToPool serves the attach that does all or nothing (K3), and that leaves names as they are unless it is told
// otherwise.
func (s *Service) attachToPool(c *wire.Call, p params) wire.Answer {
	return s.attach(c, p, attach{together: true})
}

// removeFromPool serves the removal that lowers the pool's desired size. The older way to name nodes is by their names.
func (s *Service) removeFromPool(c *wire.Call, p params) wire.Answer {
	in := removal{pool: c.Group, shrink: true}
	if !p.Has("instance_ids") && p.Has("nodes") {
		names, r := p.ids("nodes[]")
		if r != nil {
			return s.refuse(c, r)
		}
		c.Servers, in.byName = names, true
	}
	return s.remove(c, p, in)
}

// deleteNodes serves the removals that leave the desired size as it is.
func (s *Service) deleteNodes(c *wire.Call, p params) wire.Answer {
	return s.remove(c, p, removal{byName: true})
}

// distinct returns why the call's list of instances or nodes, of this name, cannot be served, or nil.
func (s *Service) distinct(c *wire.Call, list string) *refusal {
	if len(c.Servers) == 0 {
		return missing(list)
	}
	for i, id := range c.Servers {
		if id == "" || slices.Contains(c.Servers[:i], id) || i == s.config.Containers.MaxInstances {
			return invalid(list)
		}
	}
	return nil
}

// fit reports whether a password is one that nodes can have.
func fit(password string) bool { return strong(password) && !strings.ContainsAny(password, `\"`) }
