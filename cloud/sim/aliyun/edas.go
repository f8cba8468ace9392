package aliyun

import (
	"strconv"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// edasRoutes are the actions of EDAS. Some write their parameters' names in their own way.
func edasRoutes() []pathRoute {
	line := func(action, path string, r route) pathRoute {
		method, path, _ := strings.Cut(path, " ")
		return pathRoute{operation{edasVersion, action}, method + " /pop/v5/" + path, r}
	}
	return []pathRoute{
		line("InsertClusterMember", "POST resource/cluster_member",
			route{true, []string{"instanceIds,"}, "clusterId", []string{"password"}, (*Service).insertClusterMember}),
		line("TransformClusterMember", "POST resource/transform_cluster_member", route{true, []string{"InstanceIds,"},
			"TargetClusterId", []string{"Password"}, (*Service).transformClusterMember}),
		line("InstallAgent", "POST ecss/install_agent",
			route{true, []string{"InstanceIds,"}, "ClusterId", []string{"DoAsync"}, (*Service).installAgent}),
		line("DeleteClusterMember", "DELETE resource/cluster_member",
			route{true, []string{"ClusterMemberId"}, "ClusterId", nil, (*Service).deleteClusterMember}),
		line("SynchronizeResource", "GET resource/pop_sync_resource",
			route{true, []string{"ResourceIds,"}, "", []string{"Type"}, (*Service).synchronizeResource}),
		line("ListClusterMembers", "GET resource/cluster_member_list",
			route{false, nil, "ClusterId", []string{"CurrentPage", "PageSize", "EcsList"}, (*Service).listClusterMembers}),
		line("GetCluster", "GET resource/cluster", route{false, nil, "ClusterId", nil, (*Service).getCluster}),
		line("ListCluster", "POST resource/cluster_list",
			route{false, nil, "", []string{"LogicalRegionId", "ResourceGroupId"}, (*Service).listCluster}),
		line("ListConvertableEcu", "GET resource/convertable_ecu_list",
			route{false, nil, "clusterId", nil, (*Service).listConvertableEcu}),
		line("ListEcsNotInCluster", "GET resource/ecs_not_in_cluster",
			route{false, nil, "", []string{"NetworkMode", "VpcId"}, (*Service).listEcsNotInCluster}),
	}
}

// edasMember is an instance's time in a cluster of EDAS.
type edasMember struct {
	ID       string `json:"id"`
	Cluster  string `json:"cluster"`
	Instance string `json:"instance"`
	Account  string `json:"account"`
	Region   string `json:"region"`
}

// The statuses of a member; one that is not listed yet has none.
const (
	memberRunning    = "running"
	memberConverting = "converting"
	memberFailed     = "failed"
	memberOffline    = "offline"
)

// memberCodes are the statuses as EDAS tells them.
var memberCodes = map[string]int{memberRunning: 1, memberConverting: 0, memberFailed: -1, memberOffline: -2}

// memberStatus is a member's status at t. A running member is offline as long as its agent cannot speak: its instance
// does not run, or its system was installed anew by somebody else (E4).
func (s *Service) memberStatus(m *resource, t time.Time) string {
	state := m.at(t)
	if v := s.byKey[key{"instance", m.Member.Instance}]; v != nil && state.Status == memberRunning {
		if now := v.at(t); now.Status != running || now.OSGeneration != state.OSGeneration {
			return memberOffline
		}
	}
	return state.Status
}

// memberOf returns the member that an instance is at t, in any cluster, listed or not; nil if it is none.
func (s *Service) memberOf(instance string, t time.Time) *resource {
	for _, part := range s.partsAt(key{"instance", instance}, t) {
		if part.Member != nil {
			return part
		}
	}
	return nil
}

// populateEDAS makes the clusters and their members as the world describes them.
func (s *Service) populateEDAS(clusters []world.EDASCluster) {
	for i := range clusters {
		k := clusters[i]
		members := k.Members
		k.Members = nil
		s.put(&resource{Type: "edascluster", EDAS: &k, Versions: []version{{ResourceGroup: k.ResourceGroup}}})
		for _, id := range members {
			v := s.byKey[key{"instance", id}]
			s.put(&resource{Type: "edasmember", Member: s.newMember(&k, id, ""),
				Versions: []version{{Status: memberRunning, OSGeneration: v.Versions[0].OSGeneration}}})
		}
	}
}

// newMember returns a member with an id of its own: who comes again, by another call, is another member.
func (s *Service) newMember(k *world.EDASCluster, instance, call string) *edasMember {
	return &edasMember{ID: world.ID(s.seed, "edasmember", k.ID+"/"+instance+"/"+call), Cluster: k.ID, Instance: instance,
		Account: k.Account, Region: k.Region}
}

// edasWorld describes the clusters at t as a world file does.
func (s *Service) edasWorld(t time.Time) []world.EDASCluster {
	var all []world.EDASCluster
	for _, r := range s.ordered["edascluster"] {
		k := *r.EDAS
		for _, m := range s.partsAt(key{"edascluster", k.ID}, t) {
			if m.at(t).Status == memberRunning {
				k.Members = append(k.Members, m.Member.Instance)
			}
		}
		all = append(all, k)
	}
	return all
}

// EDASMember is what a member of an EDAS cluster truly is at a moment, whatever reads of the API may still show.
type EDASMember struct {
	ID, Cluster, Instance string
	Status                int // 1 running, 0 converting or not listed yet, -1 failed, -2 offline
}

// EDASMember returns the member that an instance is at t, or is about to be.
func (s *Service) EDASMember(instance string, t time.Time) (EDASMember, bool) {
	m := s.memberOf(instance, t)
	if m == nil {
		return EDASMember{}, false
	}
	return EDASMember{ID: m.Member.ID, Cluster: m.Member.Cluster, Instance: instance,
		Status: memberCodes[s.memberStatus(m, t)]}, true
}

// findCluster returns the cluster that the call names. EDAS knows its region from the host, if that tells it: a region
// is no parameter of its calls.
func (s *Service) findCluster(c *wire.Call) (*world.EDASCluster, *refusal) {
	r := s.find(c, "edascluster", c.Group, edasRegion(c))
	switch {
	case c.Group == "":
		return nil, missing(c.Input.(*bound).group)
	case r == nil:
		return nil, business(404, "the cluster does not exist: "+c.Group)
	}
	return r.EDAS, nil
}

// edasRegion is the region in the host's name, edas.cn-hangzhou.aliyuncs.com; empty: any.
func edasRegion(c *wire.Call) string {
	parts := strings.Split(c.HTTP.Host, ".")
	if len(parts) != 4 || parts[0] != "edas" || parts[2] != "aliyuncs" {
		return ""
	}
	return parts[1]
}

// business is how EDAS itself refuses a call: with a number, in the body of a 200 (E1).
func business(code int, message string) *refusal { return &refusal{200, strconv.Itoa(code), message} }

// businessBody is such a body.
func businessBody(c *wire.Call, code int, message string) object {
	return object{"Code": code, "Message": message, "RequestId": requestID(c)}
}

// edasFound answers a read of EDAS.
func edasFound(c *wire.Call, body object) wire.Answer {
	body["Code"], body["Message"] = 200, "success"
	return found(c, body)
}

// edasDone answers a write of EDAS.
func edasDone(c *wire.Call, changes *change, effect string, body object) wire.Answer {
	body["Code"], body["Message"] = 200, "success"
	return done(c, changes, effect, body)
}

// effectOf is the effect of a call that does some things and refuses others.
func effectOf(count map[string]int) string {
	switch {
	case count[journal.Changed] > 0:
		return journal.Changed
	case count[journal.Refused] > 0 && count[journal.None] == 0:
		return journal.Refused
	}
	return journal.None
}
