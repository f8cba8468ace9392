package cce

import (
	"strconv"
	"time"
)

type clusterBody struct {
	Kind       string        `json:"kind"`
	APIVersion string        `json:"apiVersion"`
	Metadata   metadata      `json:"metadata"`
	Spec       clusterSpec   `json:"spec"`
	Status     clusterStatus `json:"status"`
}

type clusterSpec struct {
	Category   string           `json:"category"`
	Type       string           `json:"type"`
	Flavor     string           `json:"flavor"`
	Version    string           `json:"version"`
	Platform   string           `json:"platformVersion"`
	Text       string           `json:"description"`
	SAN        []string         `json:"customSan"`
	IPv6       bool             `json:"ipv6enable"`
	Host       hostNetwork      `json:"hostNetwork"`
	Containers containerNetwork `json:"containerNetwork"`
	ENI        eniNetwork       `json:"eniNetwork"`
	Services   serviceNetwork   `json:"serviceNetwork"`
	Auth       authentication   `json:"authentication"`
	Public     publicAccess     `json:"publicAccess"`
	Billing    int              `json:"billingMode"`
	Masters    []master         `json:"masters"`
	Range      string           `json:"kubernetesSvcIpRange"`
	Tags       []struct{}       `json:"clusterTags"`
	Proxy      string           `json:"kubeProxyMode"`
	Zone       string           `json:"az"`
	Extend     map[string]any   `json:"extendParam"`
	Istio      bool             `json:"supportIstio"`
	Protected  bool             `json:"deletionProtection"`
}

type hostNetwork struct {
	VPC    string `json:"vpc"`
	Subnet string `json:"subnet"`
	Group  string `json:"SecurityGroup"`
}

type containerNetwork struct {
	Mode  string `json:"mode"`
	CIDR  string `json:"cidr"`
	CIDRs []cidr `json:"cidrs"`
}

type cidr struct {
	CIDR string `json:"cidr"`
}

// eniNetwork is of use in clusters of the kind Turbo only; it is there in all.
type eniNetwork struct {
	Subnet  string     `json:"eniSubnetId"`
	CIDR    string     `json:"eniSubnetCIDR"`
	Subnets []struct{} `json:"subnets"`
}

type serviceNetwork struct {
	IPv4 string `json:"IPv4CIDR"`
}

type authentication struct {
	Mode  string   `json:"mode"`
	Proxy struct{} `json:"authenticatingProxy"`
}

type publicAccess struct {
	CIDRs []string `json:"cidrs"`
}

type master struct {
	Zone string `json:"availabilityZone"`
}

type clusterStatus struct {
	Phase      string     `json:"phase"`
	Job        string     `json:"jobID"`
	Reason     string     `json:"reason"`
	Message    string     `json:"message"`
	Endpoints  []endpoint `json:"endpoints"`
	Locked     bool       `json:"isLocked"`
	Conditions []struct{} `json:"conditions"`
}

type endpoint struct {
	URL  string `json:"url"`
	Type string `json:"type"`
}

const (
	clusterType    = "VirtualMachine"
	clusterVersion = "v1.29"
	servicesRange  = "10.247.0.0/16"
	podsRange      = "172.16.0.0/16"
)

// newClusterBody tells a cluster at t, with numbers of its nodes if the caller wants details.
func (s *Service) newClusterBody(c *cluster, t time.Time, errors, detail bool) clusterBody {
	b := clusterBody{Kind: "Cluster", APIVersion: "v3", Metadata: newMetadata(c.Name, c.ID),
		Spec: clusterSpec{Category: "CCE", Type: clusterType, Flavor: c.Flavor, Version: clusterVersion, Platform: "cce.1.0",
			SAN: []string{}, Host: hostNetwork{VPC: c.VPC, Subnet: c.Subnet, Group: s.id("security-group", c.ID)},
			Containers: containerNetwork{"vpc-router", podsRange, []cidr{{podsRange}}},
			ENI:        eniNetwork{Subnets: []struct{}{}}, Services: serviceNetwork{servicesRange},
			Auth: authentication{Mode: "rbac"}, Public: publicAccess{[]string{}}, Masters: []master{{"az1"}},
			Range: servicesRange, Tags: []struct{}{}, Proxy: "iptables", Zone: "az1", Extend: map[string]any{}, Istio: true},
		Status: clusterStatus{Phase: told(c.Phase, errors), Conditions: []struct{}{},
			Endpoints: []endpoint{{"https://" + c.ID + ".cluster.internal:5443", "Internal"}}}}
	if detail {
		var all, active int
		for _, n := range c.nodes {
			switch n.phase(t) {
			case "":
				continue
			case phaseActive:
				active++
			}
			all++
		}
		b.Metadata.Annotations["totalNodesNumber"] = strconv.Itoa(all)
		b.Metadata.Annotations["activeNodesNumber"] = strconv.Itoa(active)
	}
	return b
}
