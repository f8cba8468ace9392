package alibaba

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	cs "github.com/alibabacloud-go/cs-20151215/v2/client"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire"
)

var (
	describeClusterNodes = op{service: containers, name: "DescribeClusterNodes", method: http.MethodGet}
	describeTaskInfo     = op{service: containers, name: "DescribeTaskInfo", method: http.MethodGet}
	attachInstances      = op{service: containers, name: "AttachInstances", write: true}
	removeNodePoolNodes  = op{service: containers, name: "RemoveNodePoolNodes", method: http.MethodDelete, write: true}
)

// The states of a Node.
const (
	NodeRunning  = "running"
	NodeInitial  = "initial" // being made
	NodeRemoving = "removing"
	NodeFailed   = "failed"
)

// NodeReady is the status of a Node that does its work.
const NodeReady = "Ready"

// Node is an instance as a container cluster sees it.
type Node struct {
	Instance string // id
	Name     string // as Kubernetes knows it, such as "cn-hangzhou.10.0.0.1"; "" when it is not there yet
	Pool     string // id; "" for a node of no pool
	State    string // NodeRunning, NodeInitial, NodeRemoving or NodeFailed
	Status   string // NodeReady, "NotReady", "Unknown" or "Offline"; "" when the cloud does not say
	Error    string // redacted; "" when nothing is wrong
}

// The states of a Task. The cloud has two words for a failed one; Task knows only TaskFailed.
const (
	TaskRunning = "running"
	TaskSuccess = "success"
	TaskFailed  = "failed"
)

// Task is what a container cluster does with many instances at once. It explains; the truth is in the nodes.
type Task struct {
	ID      string
	State   string            // TaskRunning, TaskSuccess, TaskFailed, or a word that is new
	Error   string            // redacted; "" when nothing is wrong
	Results map[string]string // instance id to TaskSuccess, TaskFailed, or "initial" for one that is not done
}

// Attach says which instances are to become nodes of a pool.
type Attach struct {
	Cluster, Pool string // ids
	Instances     []string
	Password      *account.Source // logs on to the new systems; nil leaves it to the pool
	FormatDisk    bool            // the last data disk without a file system is given to containers, and loses what it has
}

// ContainerNodes reads nodes of a cluster, of all pools and states, in the order of the cloud: those of some instances, in
// chunks of 100, or, without any, all that there are. An instance that is no node is absent from the result.
func (c *Client) ContainerNodes(ctx context.Context, cluster string, instances ...string) ([]Node, error) {
	if err := checkIDs(describeClusterNodes, append([]string{cluster}, instances...)...); err != nil {
		return nil, err
	}
	if len(instances) == 0 {
		return c.nodes(ctx, cluster, nil)
	}
	var all []Node
	for chunk := range slices.Chunk(unique(instances), perPage) {
		nodes, err := c.nodes(ctx, cluster, chunk)
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			if slices.Contains(chunk, n.Instance) {
				all = append(all, n)
			}
		}
	}
	return all, nil
}

func (c *Client) nodes(ctx context.Context, cluster string, instances []string) ([]Node, error) {
	type row = cs.DescribeClusterNodesResponseBodyNodes
	// An instance can be twice in the list: in the pool that it leaves and in the one that it goes to.
	id := func(p *row) string {
		r := value(p)
		return strings.Join([]string{value(r.InstanceId), value(r.NodeName), value(r.NodepoolId)}, " ")
	}
	rows, err := byNumber(describeClusterNodes, id, func(n int) ([]*row, int, error) {
		// A pool among the parameters would make the instances count for nothing. Left alone, a page has 10.
		query := map[string]string{"state": "all", "pageSize": strconv.Itoa(perPage), "pageNumber": strconv.Itoa(n)}
		if len(instances) > 0 {
			query["instanceIds"] = strings.Join(instances, ",")
		}
		a, err := call(ctx, c, describeClusterNodes, request{path: "/clusters/" + cluster + "/nodes", query: query},
			func(a *cs.DescribeClusterNodesResponseBody) bool {
				return a.Page != nil && a.Page.TotalCount != nil && (a.Nodes != nil || *a.Page.TotalCount == 0)
			})
		return a.Nodes, int(value(value(a.Page).TotalCount)), err
	})
	if err != nil {
		return nil, err
	}
	nodes := make([]Node, 0, len(rows))
	for _, p := range rows {
		r := value(p)
		nodes = append(nodes, Node{Instance: value(r.InstanceId), Name: value(r.NodeName), Pool: value(r.NodepoolId),
			State: value(r.State), Status: value(r.NodeStatus), Error: verdict.Redact(value(r.ErrorMessage))})
	}
	return nodes, nil
}

// attachAnswer is the answer to an attachment. The codes of its items are numbers, in a text as a rule.
type attachAnswer struct {
	cs.AttachInstancesResponseBody
	List []struct {
		Code       json.RawMessage `json:"code"`
		InstanceID string          `json:"instanceId"`
		Message    string          `json:"message"`
	} `json:"list"`
	RequestID string `json:"request_id"`
}

// AttachInstances makes instances nodes of a pool. IT INSTALLS THEIR SYSTEM ANEW: what is on their system disks is lost,
// every time that it is called. Their names stay. nil means that the cloud has accepted it, but for the instances in
// refused; only ContainerNodes tells how it went. The call has no token, so that one whose effect is unknown must not be
// sent again. task is what ContainerTask explains it by, "" when all are refused.
func (c *Client) AttachInstances(ctx context.Context, a Attach) (
	task string, refused map[string]*verdict.Error, err error,
) {
	if err := checkNodes(attachInstances, a.Cluster, a.Pool, a.Instances); err != nil {
		return "", nil, err
	}
	yes := true // its default renames the instances
	body := &cs.AttachInstancesRequest{NodepoolId: &a.Pool, FormatDisk: &a.FormatDisk, KeepInstanceName: &yes}
	for _, id := range unique(a.Instances) {
		body.Instances = append(body.Instances, &id)
	}
	var secret string
	if a.Password != nil {
		if secret, err = c.password(attachInstances, *a.Password); err != nil {
			return "", nil, err
		}
		body.Password = &secret
	}
	answer, err := call(ctx, c, attachInstances,
		request{path: "/clusters/" + a.Cluster + "/attach", body: body, secret: secret},
		func(a *attachAnswer) bool { return value(a.TaskId) != "" || len(a.List) > 0 })
	if err != nil {
		return "", nil, err
	}
	refused = make(map[string]*verdict.Error)
	for _, id := range a.Instances {
		refused[id] = itemError(attachInstances, http.StatusAccepted, "", unmentioned, answer.RequestID)
	}
	for _, item := range answer.List {
		if refused[item.InstanceID] == nil {
			continue
		}
		if delete(refused, item.InstanceID); text(item.Code) != "200" {
			refused[item.InstanceID] = itemError(attachInstances, http.StatusAccepted, text(item.Code),
				hide(secret, item.Message), answer.RequestID)
		}
	}
	return wire.Token(value(answer.TaskId)), refused, nil
}

// RemoveNodes takes instances out of a pool and its cluster; drain moves their work elsewhere first. The instances go on
// running, with the system that they had as nodes. A pool with a desired size gets a smaller one. task is what
// ContainerTask explains it by.
func (c *Client) RemoveNodes(ctx context.Context, cluster, pool string, instances []string, drain bool) (
	task string, err error,
) {
	if err := checkNodes(removeNodePoolNodes, cluster, pool, instances); err != nil {
		return "", err
	}
	query := map[string]string{
		"instance_ids": asJSON(unique(instances)),
		"release_node": "false", // true would release the instances
		"drain_node":   strconv.FormatBool(drain),
	}
	answer, err := call(ctx, c, removeNodePoolNodes,
		request{path: "/clusters/" + cluster + "/nodepools/" + pool + "/nodes", query: query},
		func(a *struct {
			TaskID string `json:"task_id"`
		}) bool {
			return a.TaskID != ""
		})
	return wire.Token(answer.TaskID), err
}

func checkNodes(o op, cluster, pool string, instances []string) error {
	if len(instances) == 0 {
		return refuse(o, "no instances")
	}
	return checkIDs(o, append([]string{cluster, pool}, instances...)...)
}

// taskAnswer is a task in an answer, with what the model lacks.
type taskAnswer struct {
	cs.DescribeTaskInfoResponseBody
	Error json.RawMessage `json:"error"` // an object with code and message, or a text
}

// ContainerTask reads a task of any cluster. One that does not exist (any more) is an error, Rejected with status 404.
func (c *Client) ContainerTask(ctx context.Context, id string) (Task, error) {
	if err := checkIDs(describeTaskInfo, id); err != nil {
		return Task{}, err
	}
	a, err := call(ctx, c, describeTaskInfo, request{path: "/tasks/" + id},
		func(a *taskAnswer) bool { return value(a.TaskId) == id && value(a.State) != "" })
	if err != nil {
		return Task{}, err
	}
	task := Task{ID: id, State: taskState(value(a.State)), Error: verdict.Redact(a.failure()), Results: map[string]string{}}
	for _, p := range a.TaskResult {
		if r := value(p); value(r.Data) != "" {
			task.Results[value(r.Data)] = taskState(value(r.Status))
		}
	}
	return task, nil
}

func (a taskAnswer) failure() string {
	var e struct{ Code, Message string }
	if json.Unmarshal(a.Error, &e) != nil {
		return text(a.Error)
	}
	return strings.Join(slices.DeleteFunc([]string{e.Code, e.Message}, func(s string) bool { return s == "" }), ": ")
}

// taskState makes one word of the two that the cloud has for failed.
func taskState(s string) string {
	if s == "fail" {
		return TaskFailed
	}
	return s
}
