package cce

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// The JSON bodies of the API.

type listBody[T any] struct {
	Kind       string `json:"kind"`
	APIVersion string `json:"apiVersion"`
	Items      []T    `json:"items"`
}

type nodeList struct {
	Kind       string     `json:"kind"`
	APIVersion string     `json:"apiVersion"`
	Items      []nodeBody `json:"items"`
	Page       struct {
		Count int    `json:"currentCount"`
		Next  string `json:"nextMarker,omitempty"`
	} `json:"pageInfo"`
}

type metadata struct {
	Name        string            `json:"name"`
	ID          string            `json:"uid"`
	Created     string            `json:"creationTimestamp"`
	Updated     string            `json:"updateTimestamp"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Owner       *owner            `json:"ownerReferences,omitempty"`
}

// born is when everything was made that a world had from the start.
const born = "2024-01-01 00:00:00 +0000 UTC"

func newMetadata(name, id string) metadata {
	return metadata{Name: name, ID: id, Created: born, Updated: born, Labels: map[string]string{},
		Annotations: map[string]string{}}
}

type owner struct {
	Name string `json:"nodepoolName"`
	ID   string `json:"nodepoolID"`
}

type nodeBody struct {
	Kind       string     `json:"kind"`
	APIVersion string     `json:"apiVersion"`
	Metadata   metadata   `json:"metadata"`
	Spec       nodeSpec   `json:"spec"`
	Status     nodeStatus `json:"status"`
}

type nodeSpec struct {
	Flavor      string `json:"flavor"`
	Zone        string `json:"az"`
	OS          string `json:"os"`
	BillingMode int    `json:"billingMode"`
	Static      bool   `json:"isStatic"` // it was managed, not made by the cluster
	Group       string `json:"ecsGroupId,omitempty"`
	RootVolume  volume `json:"rootVolume"`

	DataVolumes []volume          `json:"dataVolumes"`
	Login       map[string]string `json:"login"`
	NIC         nicSpec           `json:"nodeNicSpec"`
	Public      publicIP          `json:"publicIP"`
	Runtime     map[string]string `json:"runtime"`
	KubeTags    map[string]string `json:"k8sTags"`
	UserTags    []struct{}        `json:"userTags"`
	Taints      []struct{}        `json:"taints"`
	Extend      map[string]any    `json:"extendParam"`
	Project     string            `json:"serverEnterpriseProjectID"`
}

type nicSpec struct {
	Primary primaryNIC `json:"primaryNic"`
}

type primaryNIC struct {
	Subnet string `json:"subnetId"`
}

type publicIP struct {
	IDs []string `json:"ids"`
	EIP struct{} `json:"eip"`
}

// newNodeSpec is what all nodes of a pool have in common.
func newNodeSpec(p world.NodePool) nodeSpec {
	return nodeSpec{Flavor: p.Flavor, Zone: p.Zone, OS: nodeOS, BillingMode: p.BillingMode, RootVolume: volume{"SAS", 50},
		DataVolumes: []volume{{"SAS", 100}}, Login: map[string]string{"sshKey": "cluster"}, NIC: nicSpec{primaryNIC{p.Subnet}},
		Public: publicIP{IDs: []string{}}, Runtime: map[string]string{"name": "containerd"}, KubeTags: map[string]string{},
		UserTags: []struct{}{}, Taints: []struct{}{}, Extend: map[string]any{}, Project: "0"}
}

type volume struct {
	Type string `json:"volumetype"`
	Size int    `json:"size"`
}

type nodeStatus struct {
	Phase  string `json:"phase"`
	Server string `json:"serverId"`
	Job    string `json:"jobID,omitempty"`
	Probed string `json:"lastProbeTime,omitempty"`

	PrivateIP string `json:"privateIP"`
	PublicIP  string `json:"publicIP"`
	UpToDate  bool   `json:"configurationUpToDate"`
}

const nodeOS = "Huawei Cloud EulerOS 2.0"

// tellErrors reports whether the caller wants to be told of the phase Error. All others are told Deleting instead.
func tellErrors(c *wire.Call) bool { return c.HTTP.URL.Query().Get("errorStatus") != "" }

func told(phase string, errors bool) string {
	if phase == phaseError && !errors {
		return phaseDeleting
	}
	return phase
}

// nodeBody tells the node at t.
func (s *Service) nodeBody(cl *cluster, n *node, t time.Time, errors bool) nodeBody {
	p, _ := cl.pool(n.Pool)
	b := nodeBody{Kind: "Node", APIVersion: "v3", Metadata: newMetadata("node-"+n.ID[:8], n.ID), Spec: newNodeSpec(p),
		Status: nodeStatus{Phase: told(n.phase(t), errors), Server: n.Server, Job: n.Job, Probed: t.UTC().Format(time.RFC3339),
			PrivateIP: s.servers.Address(n.Server), UpToDate: true}}
	b.Metadata.Owner, b.Metadata.Annotations["kubernetes.io/node-pool.id"] = &owner{p.Name, p.ID}, p.ID
	b.Spec.Static, b.Spec.Group = true, p.Group
	return b
}

type poolBody struct {
	Kind       string     `json:"kind"`
	APIVersion string     `json:"apiVersion"`
	Metadata   metadata   `json:"metadata"`
	Spec       poolSpec   `json:"spec"`
	Status     poolStatus `json:"status"`
}

type poolSpec struct {
	Type        string         `json:"type"`
	Template    nodeSpec       `json:"nodeTemplate"`
	Count       int            `json:"initialNodeCount"` // when it is read, the target
	Autoscaling map[string]any `json:"autoscaling"`
	Management  struct {
		Group string `json:"serverGroupReference,omitempty"`
	} `json:"nodeManagement"`
}

type poolStatus struct {
	Current  int    `json:"currentNode"`
	Creating int    `json:"creatingNode"`
	Deleting int    `json:"deletingNode"`
	Active   int    `json:"activeNode"`
	Phase    string `json:"phase"`
	Job      string `json:"jobId,omitempty"`

	Conditions []struct{} `json:"conditions"`
}

func newPoolBody(cl *cluster, p world.NodePool, t time.Time, errors bool) poolBody {
	b := poolBody{Kind: "NodePool", APIVersion: "v3", Metadata: newMetadata(p.Name, p.ID),
		Spec: poolSpec{Type: "vm", Template: newNodeSpec(p), Autoscaling: map[string]any{"enable": p.Autoscaling,
			"minNodeCount": 0, "maxNodeCount": 0, "scaleDownCooldownTime": 0, "priority": 0}},
		Status: poolStatus{Phase: told(p.Phase, errors), Conditions: []struct{}{}}}
	b.Spec.Management.Group = p.Group
	st := &b.Status
	st.Current, st.Creating, st.Deleting, st.Active = counts(cl, p, t)
	b.Spec.Count = st.Current - st.Deleting
	for _, n := range cl.nodes {
		if n.Pool == p.ID && n.phase(t) == phaseInstalling {
			st.Job = n.Job
		}
	}
	return b
}

type phaseBody struct {
	Phase  string `json:"phase"`
	Reason string `json:"reason,omitempty"`
}

type jobBody struct {
	Kind       string      `json:"kind"`
	APIVersion string      `json:"apiVersion"`
	Metadata   jobMetadata `json:"metadata"`
	Spec       jobSpec     `json:"spec"`
	Status     phaseBody   `json:"status"`
}

type jobMetadata struct {
	ID      string `json:"uid"`
	Created string `json:"creationTimestamp"`
}

type jobSpec struct {
	Type     string            `json:"type"`
	Cluster  string            `json:"clusterUID"`
	Resource string            `json:"resourceID,omitempty"`
	Name     string            `json:"resourceName,omitempty"`
	Extend   map[string]string `json:"extendParam"`
	Subs     []jobBody         `json:"subJobs"`
}

func jobFrame(j *job, id, kind, phase, reason string) jobBody {
	return jobBody{Kind: "Job", APIVersion: "v3",
		Metadata: jobMetadata{id, j.Begin.UTC().Format("2006-01-02 15:04:05.999999999 -0700 MST")},
		Spec:     jobSpec{Type: kind, Cluster: j.Cluster, Extend: map[string]string{}, Subs: []jobBody{}},
		Status:   phaseBody{phase, reason}}
}

// newJobBody tells the job at t: one sub-job for each node, and in that another that names the node.
func newJobBody(j *job, t time.Time) jobBody {
	b := jobFrame(j, j.ID, j.Type, j.phase(t), "")
	for _, p := range j.Parts {
		b.Spec.Subs = append(b.Spec.Subs, newPartBody(j, p, t))
	}
	return b
}

// newPartBody tells one node's part of a job (C3).
func newPartBody(j *job, p part, t time.Time) jobBody {
	outer, inner := "CreateNode", "InstallNode"
	if j.Type != "AddNodesToNodePool" {
		outer, inner = "DeleteNode", "RemoveNode"
	}
	phase, reason := p.phase(t), ""
	if phase == jobFailed {
		reason = p.Code + ": " + p.Reason
	}
	b := jobFrame(j, p.ID, outer, phase, reason)
	install := jobFrame(j, p.ID+"-1", inner, phase, reason)
	install.Spec.Resource, install.Spec.Name = p.Node, "node-"+p.Node[:8]
	b.Spec.Subs = append(b.Spec.Subs, install)
	return b
}

func removedBody(ids []string, jobID string) any {
	type item struct {
		ID string `json:"uid"`
	}
	items := make([]item, len(ids))
	for i, id := range ids {
		items[i].ID = id
	}
	return map[string]any{"kind": "RemoveNodesTask", "apiVersion": "v3", "spec": map[string]any{"nodes": items},
		"status": map[string]string{"jobID": jobID}}
}
