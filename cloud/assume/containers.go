package assume

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const csPages = "ACK API"

// attach makes instances nodes of a pool and returns, joined, what became of each.
func (c *Alibaba) attach(cluster, pool string, instances ...string) (body object, seen refusal, each string, err error) {
	body, seen, err = c.roa("cs", "AttachInstances", "POST /clusters/"+cluster+"/attach",
		map[string]any{"nodepool_id": pool, "instances": instances, "keep_instance_name": true})
	rows, _ := body["list"].([]any)
	for _, row := range rows {
		r, _ := row.(map[string]any)
		word, _, _ := strings.Cut(fmt.Sprint(r["message"]), ":")
		each += fmt.Sprint(r["code"], " ", word, ";")
	}
	return body, seen, each, err
}

func (c *Alibaba) attachTogether(cluster, pool string, instances ...string) (object, refusal, error) {
	return c.roa("cs", "AttachInstancesToNodePool", "POST /clusters/"+cluster+"/nodepools/"+pool+"/attach",
		map[string]any{"instances": instances})
}

func (c *Alibaba) detach(cluster, pool string, instances ...string) (object, refusal, error) {
	return c.roa("cs", "RemoveNodePoolNodes", "DELETE /clusters/"+cluster+"/nodepools/"+pool+"/nodes", nil,
		"instance_ids", `["`+strings.Join(instances, `","`)+`"]`)
}

// containerNode returns what the cluster lists of an instance, nil if it lists nothing.
func (c *Alibaba) containerNode(cluster, instance string) (object, error) {
	body, _, err := c.roa("cs", "DescribeClusterNodes", "GET /clusters/"+cluster+"/nodes", nil, "instanceIds", instance)
	n, _ := body.at("nodes.0").(map[string]any)
	return n, err
}

// desired is how many nodes the cloud keeps in a pool.
func (c *Alibaba) desired(cluster, pool string) (string, error) {
	body, _, err := c.roa("cs", "DescribeClusterNodePoolDetail", "GET /clusters/"+cluster+"/nodepools/"+pool, nil)
	return fmt.Sprint(body.at("scaling_group.desired_size")), err
}

func containers() []Assumption[*Alibaba] {
	return []Assumption[*Alibaba]{
		{Claim{ID: "K1", Says: "what becomes of an instance that is a node already; of another pool or cluster, it is always ErrorInstanceAttached",
			Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			_, _, own, err := c.attach(ids[0], ids[1], ids[2])
			if err != nil {
				return err
			}
			_, _, other, err := c.attach(ids[0], ids[1], ids[3])
			return first(err, equal("what becomes of a node", own, "409 ErrorInstanceAttached;"),
				equal("what becomes of another pool's", other, "409 ErrorInstanceAttached;"))
		}, "cluster", "pool", "node", "node elsewhere")},
		{Claim{ID: "K2", Says: "AttachInstances answers 202 whatever becomes of the single instances; the `code` of one that is not taken is an HTTP status, and its message begins with a code in words; if none is taken there is no task",
			Source: csPages + ", AttachInstances", Writes: true}, with(func(c *Alibaba, ids []string) error {
			body, seen, each, err := c.attach(ids[0], ids[1], "i-none", ids[2])
			if err != nil {
				return err
			}
			nothing, _, _, err := c.attach(ids[0], ids[1], "i-none")
			return first(err, equal("the status", seen.status, 202),
				equal("what becomes of each", each, "404 ErrorInstanceNotFound;200 successful;"),
				equal("that there is a task", fmt.Sprint(body["task_id"]) != "", true),
				equal("the task of nothing", nothing["task_id"], nil))
		}, "cluster", "pool", "running")},
		{Claim{ID: "K3", Says: "AttachInstancesToNodePool takes all instances or, with the code of the first that cannot be one, none",
			Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			_, seen, err := c.attachTogether(ids[0], ids[1], ids[2], "i-none")
			n, other := c.containerNode(ids[0], ids[2])
			return first(err, other, equal("the answer", seen, refusal{404, "ErrorInstanceNotFound"}),
				equal("that the first became a node", n != nil, false))
		}, "cluster", "pool", "running")},
		{Claim{ID: "K4", Says: "whether a pool's nodes can be changed while others of its nodes come or go",
			Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			if _, _, _, err := c.attach(ids[0], ids[1], ids[2]); err != nil {
				return err
			}
			c.Sleep(20 * time.Second)
			_, seen, err := c.detach(ids[0], ids[1], ids[3])
			return first(err, equal("removing a node while another comes", seen, refusal{202, ""}))
		}, "cluster", "pool", "running", "node")},
		{Claim{ID: "K5", Says: "the system is installed from the call on, whenever the node shows", Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			wiped, err := c.wiped(ids[2], func() error { _, _, _, err := c.attach(ids[0], ids[1], ids[2]); return err })
			n, other := c.containerNode(ids[0], ids[2])
			return first(err, other, equal("that the system is installed before the node shows", wiped && n == nil, true))
		}, "cluster", "pool", "running")},
		{Claim{ID: "K6", Says: "one node that cannot be removed refuses the whole call", Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			_, seen, err := c.detach(ids[0], ids[1], ids[2], "i-none")
			n, other := c.containerNode(ids[0], ids[2])
			return first(err, other, equal("the answer", seen, refusal{404, "ErrorNodeNotFound"}),
				equal("the state of the one that can be", fmt.Sprint(n["state"]), "running"))
		}, "cluster", "pool", "node")},
		{Claim{ID: "K7", Says: "whether a node can be removed while it is installed", Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			if _, _, _, err := c.attach(ids[0], ids[1], ids[2]); err != nil {
				return err
			}
			c.Sleep(20 * time.Second)
			_, seen, err := c.detach(ids[0], ids[1], ids[2])
			return first(err, equal("removing a node that is being installed", seen, refusal{400, "ErrorNodeState"}))
		}, "cluster", "pool", "running")},
		{Claim{ID: "K8", Says: "an instance that is released is gone at once, though its node goes later", Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			_, seen, err := c.roa("cs", "RemoveNodePoolNodes", "DELETE /clusters/"+ids[0]+"/nodepools/"+ids[1]+"/nodes", nil,
				"instance_ids", `["`+ids[2]+`"]`, "release_node", "true")
			if err := first(err, equal("the answer", seen.status, 202)); err != nil {
				return err
			}
			body, _, err := c.ecs("DescribeInstances", "InstanceIds", `["`+ids[2]+`"]`)
			n, other := c.containerNode(ids[0], ids[2])
			return first(err, other, equal("how many instances there are", fmt.Sprint(body["TotalCount"]), "0"),
				equal("that its node is there", n != nil, true))
		}, "cluster", "pool", "node")},
		{Claim{ID: "K9", Says: "an attach beyond the quota of nodes is taken, since what the cloud says to it is not published; DescribeUserQuota answers without the `quotas` that some accounts have",
			Source: csPages + ", DescribeUserQuota"}, func(_ context.Context, c *Alibaba) error {
			body, _, err := c.roa("cs", "DescribeUserQuota", "GET /quota", nil)
			return first(err, equal("that there is a quota of nodes", body["cluster_nodepool_quota"] != nil || body["node_quota"] != nil, true),
				equal("that there are quotas", body["quotas"] != nil, false))
		}},
		{Claim{ID: "K10", Says: "the vendor names ErrorClusterNotFound and ErrorNodePoolNotFound (404); in the same style are ErrorTaskNotFound, ErrorNodeNotFound, ErrorInstanceNotFound (404), ErrorInstanceAttached, ErrorNodeRemoving (409), ErrorClusterState, ErrorNodePoolState, ErrorNodeState, ErrorInstanceState, ErrorInstanceVpc, ErrorInstanceLocked and InvalidPassword (400)",
			Source: csPages + ", Error Codes"}, func(_ context.Context, c *Alibaba) error {
			_, cluster, err := c.roa("cs", "DescribeClusterDetail", "GET /clusters/none", nil)
			if err != nil {
				return err
			}
			_, task, err := c.roa("cs", "DescribeTaskInfo", "GET /tasks/none", nil)
			return first(err, equal("the answer to no cluster", cluster, refusal{404, "ErrorClusterNotFound"}),
				equal("the answer to no task", task, refusal{404, "ErrorTaskNotFound"}))
		}},
		{Claim{ID: "K11", Says: "all writes that are accepted answer 202; errors have the service's shape, but for those of the gateway (signature, throttling)",
			Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			_, together, err := c.attachTogether(ids[0], ids[1], ids[2])
			if err != nil {
				return err
			}
			_, away, err := c.detach(ids[0], ids[1], ids[3])
			return first(err, equal("the status of an attach", together.status, 202), equal("the status of a removal", away.status, 202))
		}, "cluster", "pool", "running", "node")},
		{Claim{ID: "K12", Says: "attaching leaves security groups, tags and data disks as they are, `format_disk` or not",
			Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			look := func() (string, error) {
				v, err := c.instance(ids[2])
				if err != nil {
					return "", err
				}
				disks, _, err := c.ecs("DescribeDisks", "InstanceId", ids[2], "DiskType", "data")
				return fmt.Sprint(v["SecurityGroupIds"], v["Tags"], disks.at("Disks.Disk.0.DiskId")), err
			}
			before, err := look()
			if err != nil {
				return err
			}
			_, _, err = c.roa("cs", "AttachInstances", "POST /clusters/"+ids[0]+"/attach",
				map[string]any{"nodepool_id": ids[1], "instances": ids[2:], "format_disk": true})
			after, other := look()
			return first(err, other, equal("groups, tags and data disks", after, before))
		}, "cluster", "pool", "running")},
		{Claim{ID: "K13", Says: "a pool's desired size goes up with what is attached and down with what RemoveNodePoolNodes takes; after the other removals the cloud makes new instances until there are as many as desired",
			Source: csPages + ", RemoveNodePoolNodes", Writes: true}, with(func(c *Alibaba, ids []string) error {
			if _, _, _, err := c.attach(ids[0], ids[1], ids[2]); err != nil {
				return err
			}
			up, err := c.desired(ids[0], ids[1])
			if err != nil {
				return err
			}
			if _, _, err := c.detach(ids[0], ids[1], ids[3]); err != nil {
				return err
			}
			down, err := c.desired(ids[0], ids[1])
			return first(err, equal("the desired size after an attach", up, "2"), equal("after a removal", down, "1"))
		}, "cluster", "second pool", "running", "node elsewhere")},
	}
}
