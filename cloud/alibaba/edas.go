package alibaba

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// EDAS says no with HTTP 200 and another code in the body, and what such a code means is not published, so that a write
// that ends like that may have happened.
var (
	getEDASCluster     = op{service: edas, name: "GetCluster", method: http.MethodGet}
	listEDASClusters   = op{service: edas, name: "ListCluster"}
	listClusterMembers = op{service: edas, name: "ListClusterMembers", method: http.MethodGet}
	listConvertableEcu = op{service: edas, name: "ListConvertableEcu", method: http.MethodGet}
	// It changes only what EDAS has noted of instances: whatever comes of it, it may be sent again.
	synchronizeResource = op{service: edas, name: "SynchronizeResource", method: http.MethodGet}
	installAgent        = op{service: edas, name: "InstallAgent", write: true}
	insertClusterMember = op{service: edas, name: "InsertClusterMember", write: true}
	deleteClusterMember = op{service: edas, name: "DeleteClusterMember", method: http.MethodDelete, write: true}
)

const (
	edasCluster     = "/pop/v5/resource/cluster"
	edasClusters    = "/pop/v5/resource/cluster_list"
	edasMember      = "/pop/v5/resource/cluster_member"
	edasMembers     = "/pop/v5/resource/cluster_member_list"
	edasConvertible = "/pop/v5/resource/convertable_ecu_list"
	edasSync        = "/pop/v5/resource/pop_sync_resource"
	edasAgent       = "/pop/v5/ecss/install_agent"
)

// SynchronizedAtOnce is the most instances that SynchronizeEDAS takes.
const SynchronizedAtOnce = 50

// EDASOfECS is the type of an EDASCluster whose members are ECS instances.
const EDASOfECS = 2

// The network modes of an EDASCluster.
const (
	EDASClassic = 1
	EDASInVPC   = 2
)

// EDASCluster is a cluster of EDAS, which has instances as members and applications on them.
type EDASCluster struct {
	ID          string
	Name        string
	VPC         string // "" in the classic network
	Region      string
	Type        int // EDASOfECS is the one that takes ECS instances; the others are of containers
	NetworkMode int // EDASClassic or EDASInVPC
}

// The statuses of an EDASMember.
const (
	EDASRunning    = 1
	EDASConverting = 0 // the import is under way
	EDASFailed     = -1
	EDASOffline    = -2 // the agent is not heard of, which may pass
)

// EDASMember is an instance in a cluster of EDAS.
type EDASMember struct {
	ID        string // of the membership, which DeleteEDASMember wants
	Cluster   string // id
	Instance  string // id
	PrivateIP string
	Status    int // EDASRunning, EDASConverting, EDASFailed or EDASOffline
}

// EDASInstance is an instance as EDAS sees it that is in no cluster of EDAS.
type EDASInstance struct {
	ID      string
	Status  string // "Pending", "Running", "Starting", "Stopping" or "Stopped"
	VPC     string // "" in the classic network
	Region  string
	Expired bool // its subscription has ended
}

type edasClusterRow struct {
	ClusterID   string
	ClusterName string
	VpcID       string
	RegionID    string
	ClusterType int
	NetworkMode int
}

func newEDASCluster(r edasClusterRow) EDASCluster {
	return EDASCluster{ID: r.ClusterID, Name: r.ClusterName, VPC: r.VpcID, Region: r.RegionID,
		Type: r.ClusterType, NetworkMode: r.NetworkMode}
}

// EDASCluster reads a cluster of EDAS. What comes for one that does not exist is not published: EDASClusters tells.
func (c *Client) EDASCluster(ctx context.Context, id string) (EDASCluster, error) {
	if err := checkIDs(getEDASCluster, id); err != nil {
		return EDASCluster{}, err
	}
	type answer struct{ Cluster edasClusterRow }
	a, err := call(ctx, c, getEDASCluster, request{path: edasCluster, query: map[string]string{"ClusterId": id}},
		func(a *answer) bool { return a.Cluster.ClusterID == id })
	if err != nil {
		return EDASCluster{}, err
	}
	return newEDASCluster(a.Cluster), nil
}

// EDASClusters reads all clusters of EDAS in the region.
func (c *Client) EDASClusters(ctx context.Context) ([]EDASCluster, error) {
	type answer struct{ ClusterList list[edasClusterRow] }
	a, err := call(ctx, c, listEDASClusters, request{path: edasClusters},
		func(a *answer) bool { return a.ClusterList != nil })
	if err != nil {
		return nil, err
	}
	clusters := make([]EDASCluster, 0, len(a.ClusterList))
	for _, r := range a.ClusterList {
		clusters = append(clusters, newEDASCluster(r))
	}
	return clusters, nil
}

// memberPage is what EDAS answers to a question for members. Left without a page size, it gives all of them; what the
// total counts, members or pages, the cloud's own pages do not agree on.
type memberPage struct {
	ClusterMemberPage struct {
		TotalSize         int
		ClusterMemberList list[struct {
			ClusterMemberID string
			ClusterID       string
			EcsID           string
			PrivateIP       string
			Status          *int // 0 means something, and must not be what is not there
		}]
	}
}

// whole tells whether no member is missing, by either reading of the total: there are never more pages than members, but
// for the one page of none.
func (a *memberPage) whole() bool {
	members := a.ClusterMemberPage.ClusterMemberList
	if members == nil || a.ClusterMemberPage.TotalSize > max(len(members), 1) {
		return false
	}
	for _, m := range members {
		if m.Status == nil || m.EcsID == "" {
			return false
		}
	}
	return true
}

// EDASMembers reads all members of a cluster of EDAS. It is the only place that tells how an import goes.
func (c *Client) EDASMembers(ctx context.Context, cluster string) ([]EDASMember, error) {
	if err := checkIDs(listClusterMembers, cluster); err != nil {
		return nil, err
	}
	a, err := call(ctx, c, listClusterMembers,
		request{path: edasMembers, query: map[string]string{"ClusterId": cluster}}, (*memberPage).whole)
	if err != nil {
		return nil, err
	}
	rows := a.ClusterMemberPage.ClusterMemberList
	members := make([]EDASMember, 0, len(rows))
	for _, r := range rows {
		members = append(members, EDASMember{ID: r.ClusterMemberID, Cluster: cmp.Or(r.ClusterID, cluster), Instance: r.EcsID,
			PrivateIP: r.PrivateIP, Status: *r.Status})
	}
	return members, nil
}

// EDASConvertible reads which instances a cluster of EDAS would take, by id. An instance that is absent is in a cluster
// already, does not fit, or is not yet known to EDAS.
func (c *Client) EDASConvertible(ctx context.Context, cluster string) (map[string]EDASInstance, error) {
	if err := checkIDs(listConvertableEcu, cluster); err != nil {
		return nil, err
	}
	type answer struct {
		InstanceList list[struct {
			InstanceID string
			Status     string
			VpcID      string
			RegionID   string
			Expired    bool
		}]
	}
	a, err := call(ctx, c, listConvertableEcu,
		request{path: edasConvertible, query: map[string]string{"clusterId": cluster}},
		func(a *answer) bool { return a.InstanceList != nil })
	if err != nil {
		return nil, err
	}
	instances := make(map[string]EDASInstance, len(a.InstanceList))
	for _, r := range a.InstanceList {
		instances[r.InstanceID] = EDASInstance{ID: r.InstanceID, Status: r.Status, VPC: r.VpcID, Region: r.RegionID,
			Expired: r.Expired}
	}
	return instances, nil
}

// SynchronizeEDAS makes EDAS look at instances that it may not know yet, 50 at most. It harms nothing and may be sent
// again, but is not to be called often.
func (c *Client) SynchronizeEDAS(ctx context.Context, instances []string) error {
	if len(instances) > SynchronizedAtOnce {
		return refuse(synchronizeResource, "%d instances; it takes %d at most", len(instances), SynchronizedAtOnce)
	}
	ids, err := commaList(synchronizeResource, instances)
	if err != nil {
		return err
	}
	_, err = call(ctx, c, synchronizeResource,
		request{path: edasSync, query: map[string]string{"Type": "ecs", "ResourceIds": ids}},
		func(a *struct{ Success bool }) bool { return a.Success })
	return err
}

// InstallEDASAgent makes running instances members of a cluster by installing the agent of EDAS, which leaves the
// system and its data as they are. refused has the instances for which the cloud says that it did not work, and why; it
// may be sent again for these. An err is about the call as a whole.
func (c *Client) InstallEDASAgent(ctx context.Context, cluster string, instances []string) (
	refused map[string]*verdict.Error, err error,
) {
	if err := checkIDs(installAgent, cluster); err != nil {
		return nil, err
	}
	ids, err := commaList(installAgent, instances)
	if err != nil {
		return nil, err
	}
	type answer struct {
		RequestID           string
		ExecutionResultList list[struct {
			InstanceID         string
			Success            bool
			Status             string
			InvokeRecordStatus string
		}]
	}
	a, err := call(ctx, c, installAgent,
		request{path: edasAgent, query: map[string]string{"ClusterId": cluster, "InstanceIds": ids}},
		func(a *answer) bool { return a.ExecutionResultList != nil })
	if err != nil {
		return nil, err
	}
	refused = make(map[string]*verdict.Error)
	for _, id := range instances {
		refused[id] = itemError(installAgent, http.StatusOK, "", unmentioned, a.RequestID)
	}
	for _, r := range a.ExecutionResultList {
		if refused[r.InstanceID] == nil {
			continue
		}
		if delete(refused, r.InstanceID); !r.Success {
			e := itemError(installAgent, http.StatusOK, "", fmt.Sprintf(
				"the agent was not installed: status %q, command %q", r.Status, r.InvokeRecordStatus), a.RequestID)
			e.Verdict = rejected // it harms nothing and can be sent again, so that a "no" may be taken at its word
			refused[r.InstanceID] = e
		}
	}
	return refused, nil
}

// InsertEDASMembers imports instances into a cluster of EDAS. IT INSTALLS THEIR SYSTEM ANEW: what is on their system disks
// is lost, every time that it is called. nil means that the cloud has accepted it, and only EDASMembers tells how it went;
// the call has no token, so that one whose effect is unknown must not be sent again. The password, which logs on to the
// new system, is read where it is kept and passes CheckPassword first.
func (c *Client) InsertEDASMembers(ctx context.Context, cluster string, instances []string, password account.Source) error {
	if err := checkIDs(insertClusterMember, cluster); err != nil {
		return err
	}
	ids, err := commaList(insertClusterMember, instances)
	if err != nil {
		return err
	}
	secret, err := c.password(insertClusterMember, password)
	if err != nil {
		return err
	}
	// The API takes the password in the URL and nowhere else: what may end up in an error is hidden by secret.
	_, err = call[struct{}](ctx, c, insertClusterMember, request{
		path:   edasMember,
		query:  map[string]string{"clusterId": cluster, "instanceIds": ids, "password": secret},
		secret: secret,
	}, nil)
	return err
}

// DeleteEDASMember takes an instance out of a cluster of EDAS, by the id of its membership. Its system stays as it is.
// The error is Busy as long as applications are deployed in the cluster.
func (c *Client) DeleteEDASMember(ctx context.Context, cluster, member string) error {
	if err := checkIDs(deleteClusterMember, cluster, member); err != nil {
		return err
	}
	_, err := call(ctx, c, deleteClusterMember,
		request{path: edasMember, query: map[string]string{"ClusterId": cluster, "ClusterMemberId": member}},
		func(a *struct{ Data *bool }) bool { return a.Data == nil || *a.Data })
	if e := verdict.As(err); e != nil && e.Status == http.StatusOK && strings.Contains(e.Message, stillDeployed) {
		busyNow := *e
		busyNow.Verdict = busy
		return &busyNow
	}
	return err
}

// stillDeployed is what EDAS says, with HTTP 200 and no code of its own, of a member that it does not let go yet. It is the
// one place where a text decides.
const stillDeployed = "there are still applications deployed in this cluster"

// commaList writes the ids of instances as the ROA actions want them.
func commaList(o op, instances []string) (string, error) {
	if err := checkIDs(o, instances...); err != nil {
		return "", err
	}
	if len(instances) == 0 {
		return "", refuse(o, "no instances")
	}
	return strings.Join(unique(instances), ","), nil
}
