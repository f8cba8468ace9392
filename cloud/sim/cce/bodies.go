package cce

import (
	"time"

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
	Annotations map[string]string `json:"annotations,omitempty"`
	Owner       *owner            `json:"ownerReferences,omitempty"`
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
}

const nodeOS = "Huawei Cloud EulerOS 2.0"

// nodeBody tells the node at t. Callers that do not ask for the status Error are told Deleting instead.
func (s *Service) nodeBody(cl *cluster, n *node, t time.Time, tellErrors bool) nodeBody {
	p, _ := cl.pool(n.Pool)
	phase := n.phase(t)
	if phase == phaseError && !tellErrors {
		phase = phaseDeleting
	}
	return nodeBody{Kind: "Node", APIVersion: "v3",
		Metadata: metadata{Name: "node-" + n.ID[:8], ID: n.ID, Owner: &owner{p.Name, p.ID},
			Annotations: map[string]string{"kubernetes.io/node-pool.id": p.ID}},
		Spec: nodeSpec{Flavor: p.Flavor, Zone: p.Zone, OS: nodeOS, BillingMode: p.BillingMode, Static: true, Group: p.Group,
			RootVolume: volume{"SAS", 50}},
		Status: nodeStatus{Phase: phase, Server: n.Server, Job: n.Job, Probed: t.UTC().Format(time.RFC3339)}}
}

type clusterBody struct {
	Kind       string      `json:"kind"`
	APIVersion string      `json:"apiVersion"`
	Metadata   metadata    `json:"metadata"`
	Spec       clusterSpec `json:"spec"`
	Status     phaseBody   `json:"status"`
}

type clusterSpec struct {
	Category string `json:"category"`
	Type     string `json:"type"`
	Flavor   string `json:"flavor"`
	Version  string `json:"version"`
	Network  struct {
		VPC    string `json:"vpc"`
		Subnet string `json:"subnet"`
	} `json:"hostNetwork"`
	ContainerNetwork struct {
		Mode string `json:"mode"`
	} `json:"containerNetwork"`
}

type phaseBody struct {
	Phase  string `json:"phase"`
	Reason string `json:"reason,omitempty"`
}

func newClusterBody(c *cluster) clusterBody {
	b := clusterBody{Kind: "Cluster", APIVersion: "v3", Metadata: metadata{Name: c.Name, ID: c.ID},
		Spec: clusterSpec{Category: "CCE", Type: "VirtualMachine", Flavor: c.Flavor, Version: "v1.29"}, Status: phaseBody{Phase: c.Phase}}
	b.Spec.Network.VPC, b.Spec.Network.Subnet = c.VPC, c.Subnet
	b.Spec.ContainerNetwork.Mode = "vpc-router"
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
	Template    nodeTemplate   `json:"nodeTemplate"`
	Count       int            `json:"initialNodeCount"` // when it is read, the target
	Autoscaling map[string]any `json:"autoscaling"`
	Management  struct {
		Group string `json:"serverGroupReference,omitempty"`
	} `json:"nodeManagement"`
}

type nodeTemplate struct {
	nodeSpec
	NIC struct {
		Primary struct {
			Subnet string `json:"subnetId"`
		} `json:"primaryNic"`
	} `json:"nodeNicSpec"`
}

type poolStatus struct {
	Current  int    `json:"currentNode"`
	Creating int    `json:"creatingNode"`
	Deleting int    `json:"deletingNode"`
	Active   int    `json:"activeNode"`
	Phase    string `json:"phase"`
	Job      string `json:"jobId,omitempty"`
}

func newPoolBody(cl *cluster, p world.NodePool, t time.Time) poolBody {
	b := poolBody{Kind: "NodePool", APIVersion: "v3", Metadata: metadata{Name: p.Name, ID: p.ID},
		Spec:   poolSpec{Type: "vm", Autoscaling: map[string]any{"enable": p.Autoscaling}},
		Status: poolStatus{Phase: p.Phase}}
	b.Spec.Template.nodeSpec = nodeSpec{Flavor: p.Flavor, Zone: p.Zone, OS: nodeOS, BillingMode: p.BillingMode,
		RootVolume: volume{"SAS", 50}}
	b.Spec.Template.NIC.Primary.Subnet = p.Subnet
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
