package alibaba

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	cs "github.com/alibabacloud-go/cs-20151215/v2/client"
)

// Of the vendor's package for the container service only the models are used, what is in requests and in answers. Its
// calls know no contexts and no HTTP client but their own, lose the status of an error and the tasks of a removal, and
// panic over an empty answer. Fields that the models lack are added where they are decoded.
var (
	describeClusterDetail         = op{service: containers, name: "DescribeClusterDetail", method: http.MethodGet}
	describeClusters              = op{service: containers, name: "DescribeClustersV1", method: http.MethodGet}
	describeClusterNodePoolDetail = op{service: containers, name: "DescribeClusterNodePoolDetail", method: http.MethodGet}
	describeUserQuota             = op{service: containers, name: "DescribeUserQuota", method: http.MethodGet}
)

// ContainerCluster is a cluster of the container service (ACK).
type ContainerCluster struct {
	ID            string
	Name          string
	Type          string // such as "ManagedKubernetes", "Kubernetes", "Ask"
	State         string // "running" at rest; or such as "initial", "updating", "scaling", "deleting", "failed"
	VPC           string
	Region        string
	SecurityGroup string // id; "" when the cloud does not say
	Size          int    // how many nodes it has
}

// NodePool is a node pool of a container cluster.
type NodePool struct {
	ID             string
	Name           string
	Type           string // "ess" for one of ECS instances; others are of machines elsewhere
	State          string // "active" at rest; or such as "scaling", "removing", "updating", "deleting"
	Default        bool   // it is the one that nodes without a pool go to
	Total          int    // how many nodes it has, of whatever state
	Healthy        int
	Initial        int // being made
	Failed         int
	Offline        int
	Removing       int
	Autoscaling    bool     // the cloud adds and removes its nodes as it sees fit
	Desired        *int     // how many nodes the cloud keeps in it; nil when that is not its business
	SecurityGroups []string // ids, of its nodes
	Image          string   // id, of its nodes; "" when the cloud does not say
	KeyPair        string   // name, of its nodes; "" when it has none
	Managed        bool     // the cloud looks after its nodes
}

// ContainerCluster reads a container cluster. One that does not exist is an error, Rejected with status 404.
func (c *Client) ContainerCluster(ctx context.Context, id string) (ContainerCluster, error) {
	if err := checkIDs(describeClusterDetail, id); err != nil {
		return ContainerCluster{}, err
	}
	a, err := call(ctx, c, describeClusterDetail, request{path: "/clusters/" + id},
		func(a *cs.DescribeClusterDetailResponseBody) bool {
			return value(a.ClusterId) == id && value(a.State) != ""
		})
	if err != nil {
		return ContainerCluster{}, err
	}
	return ContainerCluster{ID: id, Name: value(a.Name), Type: value(a.ClusterType), State: value(a.State),
		VPC: value(a.VpcId), Region: value(a.RegionId), SecurityGroup: value(a.SecurityGroupId), Size: int(value(a.Size))}, nil
}

// ContainerClusters reads all container clusters that the account has; each tells its region.
func (c *Client) ContainerClusters(ctx context.Context) ([]ContainerCluster, error) {
	type row = cs.DescribeClustersV1ResponseBodyClusters
	rows, err := byNumber(describeClusters, func(r *row) string { return value(value(r).ClusterId) },
		func(n int) ([]*row, int, error) {
			query := map[string]string{"page_size": strconv.Itoa(perPage), "page_number": strconv.Itoa(n)}
			a, err := call(ctx, c, describeClusters, request{path: "/api/v1/clusters", query: query},
				func(a *cs.DescribeClustersV1ResponseBody) bool {
					return a.PageInfo != nil && a.PageInfo.TotalCount != nil && (a.Clusters != nil || *a.PageInfo.TotalCount == 0)
				})
			return a.Clusters, int(value(value(a.PageInfo).TotalCount)), err
		})
	if err != nil {
		return nil, err
	}
	clusters := make([]ContainerCluster, 0, len(rows))
	for _, p := range rows {
		r := value(p)
		clusters = append(clusters, ContainerCluster{ID: value(r.ClusterId), Name: value(r.Name), Type: value(r.ClusterType),
			State: value(r.State), VPC: value(r.VpcId), Region: value(r.RegionId), SecurityGroup: value(r.SecurityGroupId),
			Size: int(value(r.Size))})
	}
	return clusters, nil
}

// poolAnswer is a node pool in an answer, with what the model lacks.
type poolAnswer struct {
	cs.DescribeClusterNodePoolDetailResponseBody
	ScalingGroup *scalingGroup `json:"scaling_group"`
}

type scalingGroup struct {
	cs.DescribeClusterNodePoolDetailResponseBodyScalingGroup
	DesiredSize      *int     `json:"desired_size"`
	SecurityGroupIDs []string `json:"security_group_ids"`
}

// ContainerPool reads a node pool. One that does not exist is an error, Rejected with status 404.
func (c *Client) ContainerPool(ctx context.Context, cluster, pool string) (NodePool, error) {
	if err := checkIDs(describeClusterNodePoolDetail, cluster, pool); err != nil {
		return NodePool{}, err
	}
	a, err := call(ctx, c, describeClusterNodePoolDetail, request{path: "/clusters/" + cluster + "/nodepools/" + pool},
		func(a *poolAnswer) bool {
			return a.NodepoolInfo != nil && value(a.NodepoolInfo.NodepoolId) == pool && value(value(a.Status).State) != ""
		})
	if err != nil {
		return NodePool{}, err
	}
	info, status, scaling := value(a.NodepoolInfo), value(a.Status), value(a.ScalingGroup)
	groups := scaling.SecurityGroupIDs
	if one := value(scaling.SecurityGroupId); one != "" {
		groups = unique(append(slices.Clone(groups), one))
	}
	return NodePool{
		ID:             pool,
		Name:           value(info.Name),
		Type:           value(info.Type),
		State:          value(status.State),
		Default:        value(info.IsDefault),
		Total:          int(value(status.TotalNodes)),
		Healthy:        int(value(status.HealthyNodes)),
		Initial:        int(value(status.InitialNodes)),
		Failed:         int(value(status.FailedNodes)),
		Offline:        int(value(status.OfflineNodes)),
		Removing:       int(value(status.RemovingNodes)),
		Autoscaling:    value(value(a.AutoScaling).Enable),
		Desired:        scaling.DesiredSize,
		SecurityGroups: groups,
		Image:          value(scaling.ImageId),
		KeyPair:        value(scaling.KeyPair),
		Managed:        value(value(a.Management).Enable),
	}, nil
}

// quotaAnswer is the account's limits in an answer, with what the model lacks.
type quotaAnswer struct {
	cs.DescribeUserQuotaResponseBody
	Quotas map[string]json.RawMessage `json:"quotas"`
}

// ContainerNodeQuota reads how many nodes each container cluster of the account may have, of all its pools together; 0 when
// the cloud does not tell. Its reference says that quotas in the newer form go before those in the older one, and not
// what the newer one calls that of nodes: where there are such, nothing is known.
func (c *Client) ContainerNodeQuota(ctx context.Context) (int, error) {
	a, err := call(ctx, c, describeUserQuota, request{path: "/quota"},
		func(a *quotaAnswer) bool { return a.NodeQuota != nil || len(a.Quotas) > 0 })
	if err != nil || len(a.Quotas) > 0 {
		return 0, err
	}
	return int(max(value(a.NodeQuota), 0)), nil
}
