package huawei

import (
	"context"
	"strings"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	cce "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3/model"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// The service's own error handler loses the status of an answer that is not JSON, so it gets the general one; what an
// error says is read from the raw answer anyway. CCE takes about ten writes a minute, and counts those that it refuses,
// too.
var clusters = &service[*cce.CceClient]{
	name: "cce",
	builder: func() *core.HcHttpClientBuilder {
		return cce.CceClientBuilder().WithErrorHandler(sdkerr.DefaultErrorHandler{})
	},
	client: cce.NewCceClient,
	rules:  cceRules,
	writes: &shared{"CCE writes", limit.Seed{Start: 9.0 / 60, Min: 1.0 / 60, Max: 10.0 / 60, Burst: 2}},
}

var (
	listClusters       = clusters.read("ListClusters")
	showCluster        = clusters.read("ShowCluster")
	showNodePool       = clusters.read("ShowNodePool")
	listNodes          = clusters.read("ListNodes")
	showClusterJob     = clusters.read("ShowJob")
	addNodesToNodePool = clusters.write("AddNodesToNodePool")
	removeNode         = clusters.write("RemoveNode")
)

// NodesPerCall is the most nodes that AddNodes and RemoveNodes take.
const NodesPerCall = 200

const nodePage = 500

// tellErrors is what makes CCE say Error of a node; without it, it says Deleting.
const tellErrors = "Error"

// Cluster is a CCE cluster.
type Cluster struct {
	ID     string
	Name   string
	Phase  string // such as "Available"
	Flavor string // such as "cce.s2.large"
	VPC    string
	Subnet string
}

// NodeLimit is how many nodes a cluster of its flavor takes, 0 when the flavor does not tell.
func (c Cluster) NodeLimit() int {
	switch size := c.Flavor[strings.LastIndexByte(c.Flavor, '.')+1:]; size {
	case "small":
		return 50
	case "medium":
		return 200
	case "large":
		return 1000
	case "xlarge":
		return 2000
	}
	return 0
}

// NodePool is what the nodes of a pool have in common.
type NodePool struct {
	ID          string
	Name        string
	Phase       string // "" at rest, or such as "Deleting"
	FlavorID    string
	Zone        string // "random" or "" when its nodes may be in any
	Subnet      string // "" when it is the cluster's
	BillingMode string // "0" by use, "1" by month or year; "" when the cloud does not say
	Group       string // id of the ECS group of its nodes, "" when none
	Autoscaling bool
}

// Node is a server as a cluster sees it.
type Node struct {
	ID       string // not the server's
	ServerID string
	Pool     string // id of its pool; something else for a node of the default pool
	Phase    string // such as "Installing", "Active", "Deleting", "Error"
	Job      string // the job that made it, "" when it is not told
}

// ClusterJob is a task of CCE over one or many nodes.
type ClusterJob struct {
	ID     string
	Phase  string // "Initializing", "Running", "Success" or "Failed"
	Reason string // redacted
	Parts  []JobPart
}

// JobPart is the part of a job that is about one node.
type JobPart struct {
	NodeID string
	Phase  string
	Reason string // redacted
}

// Clusters reads all clusters of the project.
func (c *Client) Clusters(ctx context.Context) ([]Cluster, error) {
	return call(ctx, c, listClusters, func(sdk *cce.CceClient) ([]Cluster, bool, error) {
		answer, err := sdk.ListClusters(&model.ListClustersRequest{})
		if err != nil || answer.Items == nil {
			return nil, false, err
		}
		var all []Cluster
		for _, row := range *answer.Items {
			all = append(all, newCluster(row.Metadata, row.Spec, row.Status))
		}
		return all, true, nil
	})
}

// Cluster reads a cluster. One that does not exist is an error, Rejected with status 404.
func (c *Client) Cluster(ctx context.Context, id string) (Cluster, error) {
	if err := showCluster.check(id); err != nil {
		return Cluster{}, err
	}
	return call(ctx, c, showCluster, func(sdk *cce.CceClient) (Cluster, bool, error) {
		answer, err := sdk.ShowCluster(&model.ShowClusterRequest{ClusterId: id})
		if err != nil {
			return Cluster{}, false, err
		}
		cluster := newCluster(answer.Metadata, answer.Spec, answer.Status)
		return cluster, cluster.ID != "" && cluster.Phase != "", nil
	})
}

func newCluster(m *model.ClusterMetadata, spec *model.ClusterSpec, status *model.ClusterStatus) Cluster {
	var c Cluster
	if m != nil {
		c.ID, c.Name = value(m.Uid), m.Name
	}
	if spec != nil {
		c.Flavor = value(spec.Flavor)
		if spec.HostNetwork != nil {
			c.VPC, c.Subnet = spec.HostNetwork.Vpc, spec.HostNetwork.Subnet
		}
	}
	if status != nil {
		c.Phase = value(status.Phase)
	}
	return c
}

// NodePool reads a node pool. One that does not exist is an error, Rejected with status 404.
func (c *Client) NodePool(ctx context.Context, cluster, id string) (NodePool, error) {
	if err := showNodePool.check(cluster, id); err != nil {
		return NodePool{}, err
	}
	errors := tellErrors
	request := &model.ShowNodePoolRequest{ClusterId: cluster, NodepoolId: id, ErrorStatus: &errors}
	return call(ctx, c, showNodePool, func(sdk *cce.CceClient) (NodePool, bool, error) {
		answer, err := sdk.ShowNodePool(request)
		if err != nil || answer.Metadata == nil || answer.Spec == nil || answer.Spec.NodeTemplate == nil {
			return NodePool{}, false, err
		}
		p := newNodePool(answer)
		return p, p.ID != "" && p.FlavorID != "", nil
	})
}

func newNodePool(answer *model.ShowNodePoolResponse) NodePool {
	template := answer.Spec.NodeTemplate
	p := NodePool{
		ID:       value(answer.Metadata.Uid),
		Name:     answer.Metadata.Name,
		FlavorID: value(template.Flavor),
		Zone:     value(template.Az),
		Group:    value(template.EcsGroupId),
	}
	if template.BillingMode != nil {
		p.BillingMode = billing(template.BillingMode.Value())
	}
	if nic := template.NodeNicSpec; nic != nil && nic.PrimaryNic != nil {
		p.Subnet = value(nic.PrimaryNic.SubnetId)
	}
	if m := answer.Spec.NodeManagement; m != nil && value(m.ServerGroupReference) != "" {
		p.Group = value(m.ServerGroupReference)
	}
	if a := answer.Spec.Autoscaling; a != nil {
		p.Autoscaling = value(a.Enable)
	}
	if s := answer.Status; s != nil && s.Phase != nil {
		p.Phase = s.Phase.Value()
	}
	return p
}

// billing writes a billing mode as servers have it in their metadata.
func billing(mode int32) string {
	if mode == 0 {
		return "0"
	}
	return "1"
}

// Nodes reads all nodes of a cluster.
func (c *Client) Nodes(ctx context.Context, cluster string) ([]Node, error) {
	if err := listNodes.check(cluster); err != nil {
		return nil, err
	}
	type page struct {
		nodes []Node
		next  string
	}
	var all []Node
	limit, errors := int32(nodePage), tellErrors
	request := &model.ListNodesRequest{ClusterId: cluster, Limit: &limit, ErrorStatus: &errors}
	err := pages(listNodes.name, func(marker string) (string, error) {
		if marker != "" {
			request.Marker = &marker
		}
		p, err := call(ctx, c, listNodes, func(sdk *cce.CceClient) (page, bool, error) {
			answer, err := sdk.ListNodes(request)
			if err != nil || answer.Items == nil {
				return page{}, false, err
			}
			var p page
			for i := range *answer.Items {
				p.nodes = append(p.nodes, newNode(&(*answer.Items)[i]))
			}
			if answer.PageInfo != nil && len(p.nodes) > 0 {
				p.next = value(answer.PageInfo.NextMarker)
			}
			return p, true, nil
		})
		all = append(all, p.nodes...)
		return p.next, err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func newNode(row *model.Node) Node {
	var n Node
	if m := row.Metadata; m != nil {
		n.ID, n.Pool = value(m.Uid), m.Annotations["kubernetes.io/node-pool.id"]
		if m.OwnerReferences != nil && value(m.OwnerReferences.NodepoolID) != "" {
			n.Pool = value(m.OwnerReferences.NodepoolID)
		}
	}
	if s := row.Status; s != nil {
		n.ServerID, n.Job = value(s.ServerId), value(s.JobID)
		if s.Phase != nil {
			n.Phase = s.Phase.Value()
		}
	}
	return n
}

// AddNodes makes up to NodesPerCall servers nodes of a pool and returns the id of the job that does it. It WIPES their
// disks and installs their systems anew, each time that it is accepted.
func (c *Client) AddNodes(ctx context.Context, cluster, pool string, servers []string) (jobID string, err error) {
	if err := checkNodes(addNodesToNodePool, servers, cluster, pool); err != nil {
		return "", err
	}
	list := make([]model.AddNodesToNodePool, len(servers))
	for i, id := range servers {
		list[i].ServerID = id
	}
	request := &model.AddNodesToNodePoolRequest{ClusterId: cluster, NodepoolId: pool,
		Body: &model.AddNodesToNodePoolList{ApiVersion: "v3", Kind: "List", NodeList: list}}
	return call(ctx, c, addNodesToNodePool, func(sdk *cce.CceClient) (string, bool, error) {
		answer, err := sdk.AddNodesToNodePool(request)
		if err != nil {
			return "", false, err
		}
		return accepted(answer.Jobid)
	})
}

// RemoveNodes takes up to NodesPerCall nodes, by their own ids, out of a cluster and returns the id of the job that does
// it. Their servers stay; it WIPES their disks and installs their systems anew.
func (c *Client) RemoveNodes(ctx context.Context, cluster string, nodes []string) (jobID string, err error) {
	if err := checkNodes(removeNode, nodes, cluster); err != nil {
		return "", err
	}
	items := make([]model.NodeItem, len(nodes))
	for i, id := range nodes {
		items[i].Uid = id
	}
	version, kind := "v3", "RemoveNodesTask"
	request := &model.RemoveNodeRequest{ClusterId: cluster, Body: &model.RemoveNodesTask{ApiVersion: &version, Kind: &kind,
		Spec: &model.RemoveNodesSpec{Nodes: items}}}
	return call(ctx, c, removeNode, func(sdk *cce.CceClient) (string, bool, error) {
		answer, err := sdk.RemoveNode(request)
		if err != nil || answer.Status == nil {
			return "", false, err
		}
		return accepted(answer.Status.JobID)
	})
}

func checkNodes(o op[*cce.CceClient], ids []string, path ...string) error {
	if len(ids) == 0 || len(ids) > NodesPerCall {
		return o.notSent("want 1 to 200 ids")
	}
	return o.check(append(path, ids...)...)
}

// ClusterJob reads a job of CCE. The cloud forgets jobs soon: then it is Rejected, and only the nodes can tell.
func (c *Client) ClusterJob(ctx context.Context, id string) (ClusterJob, error) {
	if err := showClusterJob.check(id); err != nil {
		return ClusterJob{}, err
	}
	return call(ctx, c, showClusterJob, func(sdk *cce.CceClient) (ClusterJob, bool, error) {
		answer, err := sdk.ShowJob(&model.ShowJobRequest{JobId: id})
		if err != nil || answer.Status == nil || value(answer.Status.Phase) == "" {
			return ClusterJob{}, false, err
		}
		j := ClusterJob{ID: id, Phase: value(answer.Status.Phase), Reason: verdict.Redact(value(answer.Status.Reason))}
		if answer.Spec != nil {
			j.Parts = parts(value(answer.Spec.SubJobs))
		}
		return j, true, nil
	})
}

// parts finds, at any depth, the sub-jobs that name a node.
func parts(jobs []model.Job) (all []JobPart) {
	for _, j := range jobs {
		if j.Spec == nil {
			continue
		}
		if subs := value(j.Spec.SubJobs); len(subs) > 0 {
			all = append(all, parts(subs)...)
			continue
		}
		if j.Status != nil && value(j.Spec.ResourceID) != "" {
			all = append(all, JobPart{NodeID: value(j.Spec.ResourceID), Phase: value(j.Status.Phase),
				Reason: verdict.Redact(value(j.Status.Reason))})
		}
	}
	return all
}
