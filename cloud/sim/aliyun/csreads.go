package aliyun

import (
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// listedAt is the moment that reads of nodes and pools show.
func (s *Service) listedAt(now time.Time) time.Time {
	return now.Add(-time.Duration(s.config.Containers.ReadLag))
}

func shown(body any) wire.Answer { return wire.Answer{Status: http.StatusOK, Body: body} }

// container finds the caller's cluster that the call names.
func (s *Service) container(c *wire.Call, p params) (*ackCluster, *refusal) {
	for _, k := range s.ack.clusters {
		if k.ID == p.Get("ClusterId") && k.Account == s.account(c) {
			return k, nil
		}
	}
	return nil, notFound("ErrorClusterNotFound", "The specified cluster does not exist.")
}

func noPool() *refusal {
	return notFound("ErrorNodePoolNotFound", "The node pool does not exist.")
}

// csPage cuts the wanted page out of rows, whose size and number have the names that the call gives them.
func csPage(p params, rows []object, size, number string, most int) (page []object, info object, r *refusal) {
	length, r := p.whole(size, 10, 1, most)
	if r != nil {
		return nil, nil, r
	}
	at, r := p.whole(number, 1, 1, 1<<30)
	if r != nil {
		return nil, nil, r
	}
	from := min((at-1)*length, len(rows))
	return list(rows[from:min(from+length, len(rows))]),
		object{"page_number": at, "page_size": length, "total_count": len(rows)}, nil
}

// clustersLike returns the caller's clusters whose names have the text in them, and that are of the type, if that is not
// empty.
func (s *Service) clustersLike(c *wire.Call, name, kind string) (like []*ackCluster) {
	for _, k := range s.ack.clusters {
		named, _ := path.Match("*"+name+"*", k.Name)
		if k.Account == s.account(c) && named && (kind == "" || kind == k.Type) {
			like = append(like, k)
		}
	}
	return like
}

func (s *Service) describeClusters(c *wire.Call, p params) wire.Answer {
	is := func(parameter, value string) bool { return p.Get(parameter) == "" || p.Get(parameter) == value }
	var rows []object
	for _, k := range s.clustersLike(c, p.Get("name"), p.Get("cluster_type")) {
		if is("cluster_id", k.ID) && is("region_id", k.Region) {
			rows = append(rows, containerBody(k, s.listedAt(c.Now)))
		}
	}
	page, info, r := csPage(p, rows, "page_size", "page_number", 100)
	if r != nil {
		return s.refuse(c, r)
	}
	return shown(object{"clusters": page, "page_info": info})
}

// describeAllClusters is the older call, whose answer is nothing but the list.
func (s *Service) describeAllClusters(c *wire.Call, p params) wire.Answer {
	rows := []object{}
	for _, k := range s.clustersLike(c, p.Get("name"), p.Get("clusterType")) {
		rows = append(rows, unsaid(containerBody(k, s.listedAt(c.Now)), "data_disk_category vswitch_cidr", "data_disk_size", ""))
	}
	return shown(rows)
}

func (s *Service) describeCluster(c *wire.Call, p params) wire.Answer {
	k, r := s.container(c, p)
	if r != nil {
		return s.refuse(c, r)
	}
	return shown(containerBody(k, s.listedAt(c.Now)))
}

func containerBody(k *ackCluster, t time.Time) object {
	size := 0
	for _, n := range k.nodes {
		if n.state(t) != "" {
			size++
		}
	}
	return unsaid(object{"cluster_id": k.ID, "name": k.Name, "cluster_type": k.Type, "cluster_spec": "ack.pro.small",
		"profile": "Default", "state": k.State, "region_id": k.Region, "zone_id": k.Region + "-h", "vpc_id": k.VPC,
		"vswitch_id": "vsw-" + k.VPC, "security_group_id": k.SecurityGroup, "resource_group_id": k.ResourceGroup,
		"size": size, "network_mode": "vpc", "current_version": "1.30.1-aliyun.1", "init_version": "1.30.1-aliyun.1",
		"created": created, "updated": created, "tags": []object{}, "meta_data": "{}", "master_url": "{}",
		"subnet_cidr": "172.16.0.0/16", "worker_ram_role_name": "KubernetesWorkerRole-" + k.ID,
		"maintenance_window": object{"enable": false, "maintenance_time": "", "duration": "", "weekly_period": ""}},
		"docker_version external_loadbalancer_id next_version", "", "deletion_protection private_zone")
}

func (s *Service) describePools(c *wire.Call, p params) wire.Answer {
	k, r := s.container(c, p)
	if r != nil {
		return s.refuse(c, r)
	}
	rows := []object{}
	for _, p := range k.NodePools {
		rows = append(rows, poolBody(k, p, s.listedAt(c.Now)))
	}
	return shown(object{"nodepools": rows})
}

func (s *Service) describePool(c *wire.Call, p params) wire.Answer {
	k, r := s.container(c, p)
	if r != nil {
		return s.refuse(c, r)
	}
	pool, ok := k.pool(c.Group)
	if !ok || c.Group == "" {
		return s.refuse(c, noPool())
	}
	return shown(poolBody(k, pool, s.listedAt(c.Now)))
}

func poolBody(k *ackCluster, p world.ContainerPool, t time.Time) object {
	nodes, count, total, healthy := k.in(p.ID), map[string]int{}, 0, 0
	for _, n := range nodes {
		state := n.state(t)
		if state == "" {
			continue
		}
		count[state]++
		total++
		if state == nodeRunning && n.ready(t) {
			healthy++
		}
	}
	group := unsaid(object{"instance_types": []string{p.InstanceType}, "image_id": p.Image, "key_pair": p.KeyPair,
		"vswitch_ids": []string{"vsw-" + k.VPC}, "system_disk_category": "cloud_essd", "system_disk_size": 40,
		"instance_charge_type": "PostPaid", "security_group_id": k.SecurityGroup, "security_group_ids": []string{},
		"data_disks": []object{}, "rds_instances": []string{}, "spot_price_limit": []object{}, "tags": []object{},
		"multi_az_policy": "BALANCE", "platform": "AliyunLinux", "scaling_group_id": "asg-" + p.ID,
		"scaling_policy": "release", "spot_strategy": "NoSpot"},
		"login_password period_unit ram_policy", "auto_renew_period on_demand_base_capacity "+
			"on_demand_percentage_above_base_capacity period spot_instance_pools",
		"auto_renew compensate_with_on_demand spot_instance_remedy")
	if k.SecurityGroup != "" {
		group["security_group_ids"] = []string{k.SecurityGroup}
	}
	if size := desired(p, nodes, t); size != nil {
		group["desired_size"] = *size
	}
	return object{
		"nodepool_info": object{"nodepool_id": p.ID, "name": p.Name, "region_id": k.Region, "type": "ess",
			"is_default": p.Default, "resource_group_id": k.ResourceGroup, "created": created, "updated": created},
		"status": object{"state": poolState(p, nodes, t), "total_nodes": total, "healthy_nodes": healthy,
			"serving_nodes": count[nodeRunning], "failed_nodes": count[nodeFailed], "initial_nodes": count[nodeInitial],
			"removing_nodes": count[nodeRemoving], "offline_nodes": 0},
		"scaling_group": group,
		"auto_scaling": unsaid(object{"enable": p.Autoscaling, "type": "cpu"}, "eip_internet_charge_type",
			"eip_bandwidth max_instances min_instances", "is_bond_eip"),
		"kubernetes_config": object{"runtime": "containerd", "runtime_version": "1.6.28", "cpu_policy": "none",
			"labels": []object{}, "taints": []object{}, "user_data": "", "cms_enabled": false},
		"management": object{"enable": false, "auto_repair": false, "upgrade_config": unsaid(object{}, "",
			"max_unavailable surge surge_percentage", "auto_upgrade")},
		"tee_config": object{"tee_enable": false},
	}
}

// describeNodes lists the nodes of a cluster. Instances are not asked for if the call names a pool.
func (s *Service) describeNodes(c *wire.Call, p params) wire.Answer {
	k, r := s.container(c, p)
	pool, state := c.Group, p.Get("state")
	if r == nil && pool != "" {
		if _, ok := k.pool(pool); !ok {
			r = noPool()
		}
	}
	if r == nil && !slices.Contains([]string{"", "all", nodeInitial, nodeRunning, nodeRemoving, nodeFailed}, state) {
		r = invalid("state")
	}
	if r != nil {
		return s.refuse(c, r)
	}
	byInstance := pool == "" && len(c.Servers) > 0
	t, rows := s.listedAt(c.Now), []object{}
	for _, n := range k.nodes {
		told := n.state(t)
		if told == "" || pool != "" && n.Pool != pool || byInstance && !slices.Contains(c.Servers, n.Instance) ||
			state != "" && state != "all" && state != told {
			continue
		}
		rows = append(rows, s.nodeBody(n, told, t))
	}
	page, info, r := csPage(p, rows, "pageSize", "pageNumber", 100)
	if r != nil {
		return s.refuse(c, r)
	}
	return shown(object{"nodes": page, "page": info})
}

// nodeBody tells the node at t. It knows of its instance what other calls know of that.
func (s *Service) nodeBody(n *node, told string, t time.Time) object {
	body := object{"instance_id": n.Instance, "node_name": n.Name, "host_name": n.Name, "nodepool_id": n.Pool,
		"state": told, "node_status": "Unknown", "error_message": "", "instance_role": "Worker", "is_aliyun_node": true,
		"ip_address": []string{address(n.Instance)}, "instance_charge_type": postPaid, "creation_time": created,
		"expired_time": never, "instance_type": "", "instance_type_family": "", "instance_name": "", "image_id": "",
		"source": "", "spot_strategy": "NoSpot", "instance_status": ""}
	if !n.Called.IsZero() {
		body["creation_time"] = stamp(n.Called)
	}
	if past(n.Runs, t) {
		body["error_message"] = n.Error
	}
	v := s.byKey[key{"instance", n.Instance}]
	if v == nil || !v.there(t) {
		return body
	}
	state := v.at(t)
	body["instance_status"], body["image_id"], body["instance_name"] = state.Status, state.Image, v.nameAt(t)
	body["instance_type"], body["instance_type_family"] = v.Instance.InstanceType, family(v.Instance.InstanceType)
	if told == nodeRunning || told == nodeRemoving {
		body["node_status"] = "NotReady"
		if n.ready(t) && state.Status == running {
			body["node_status"] = "Ready"
		}
	}
	return body
}

// describeUserQuota tells the account's limits, of which only that of nodes can be chosen (K9).
func (s *Service) describeUserQuota(*wire.Call, params) wire.Answer {
	return shown(object{"amk_cluster_quota": 20, "ask_cluster_quota": 20, "cluster_nodepool_quota": 20, "cluster_quota": 50,
		"node_quota": s.config.Containers.NodeQuota})
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
