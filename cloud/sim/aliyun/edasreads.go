package aliyun

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// edasLagged is the moment that reads of EDAS show.
func (s *Service) edasLagged(now time.Time) time.Time {
	return now.Add(-time.Duration(s.config.EDAS.ReadLag))
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		t, _ = time.Parse(time.RFC3339, created)
	}
	return t.UnixMilli()
}

// listedMembers returns the members that a cluster is said to have at t.
func (s *Service) listedMembers(k *world.EDASCluster, t time.Time) []*resource {
	return slices.DeleteFunc(s.partsAt(key{"edascluster", k.ID}, t), func(m *resource) bool { return m.at(t).Status == "" })
}

// listClusterMembers answers with all members, unless a page size is given. EcsList has no effect (E3).
func (s *Service) listClusterMembers(c *wire.Call, p params) wire.Answer {
	k, r := s.findCluster(c)
	if r != nil {
		return s.refuse(c, r)
	}
	t := s.edasLagged(c.Now)
	members := s.listedMembers(k, t)
	size, r := p.whole("PageSize", max(len(members), 1), 1, 1<<30)
	if r != nil {
		return s.refuse(c, r)
	}
	number, r := p.whole("CurrentPage", 1, 1, 1<<30)
	if r != nil {
		return s.refuse(c, r)
	}
	page, _ := cut(members, paging{from: (number - 1) * size, size: size, number: number})
	rows := []object{}
	for _, m := range page {
		rows = append(rows, object{"ClusterMemberId": m.Member.ID, "ClusterId": k.ID, "EcsId": m.Member.Instance,
			"EcuId": s.ecu(m.Member.Instance), "PrivateIp": address(m.Member.Instance),
			"Status": memberCodes[s.memberStatus(m, t)], "CreateTime": millis(m.Born), "UpdateTime": millis(m.at(t).Since)})
	}
	return edasFound(c, object{"ClusterMemberPage": object{"CurrentPage": number, "PageSize": size,
		"TotalSize":         (len(members) + size - 1) / size, // of pages
		"ClusterMemberList": object{"ClusterMember": rows}}})
}

// ecu is the id under which EDAS knows an instance itself.
func (s *Service) ecu(instance string) string { return world.ID(s.seed, "ecu", instance) }

func (s *Service) clusterBody(k *world.EDASCluster, t time.Time) object {
	return unsaid(object{"ClusterId": k.ID, "ClusterName": k.Name, "RegionId": k.Region, "VpcId": k.VPC, "ClusterType": *k.Type,
		"NetworkMode": k.NetworkMode, "ClusterImportStatus": 0, "ClusterStatus": 1, "NodeNum": len(s.listedMembers(k, t)),
		"ResourceGroupId": k.ResourceGroup, "Description": "", "IaasProvider": "ALIYUN", "OversoldFactor": 1,
		"CreateTime": millis(time.Time{}), "UpdateTime": millis(time.Time{})},
		"CsClusterId CsClusterStatus SubClusterType SubNetCidr VswitchId", "Cpu CpuUsed Mem MemUsed", "")
}

func (s *Service) getCluster(c *wire.Call, _ params) wire.Answer {
	k, r := s.findCluster(c)
	if r != nil {
		return s.refuse(c, r)
	}
	return edasFound(c, object{"Cluster": s.clusterBody(k, s.edasLagged(c.Now))})
}

// listCluster lists the clusters of the region, which a logical region's id begins with.
func (s *Service) listCluster(c *wire.Call, p params) wire.Answer {
	region := edasRegion(c)
	if logical := p.Get("LogicalRegionId"); logical != "" {
		region, _, _ = strings.Cut(logical, ":")
	}
	rows := []object{}
	for _, r := range s.ordered["edascluster"] {
		k, group := r.EDAS, p.Get("ResourceGroupId")
		if s.find(c, r.Type, k.ID, region) != nil && (group == "" || group == k.ResourceGroup) {
			rows = append(rows, s.clusterBody(k, s.edasLagged(c.Now)))
		}
	}
	return edasFound(c, object{"ClusterList": object{"Cluster": rows}})
}

// outside returns the caller's instances that EDAS knows and that are in none of its clusters at t.
func (s *Service) outside(c *wire.Call, region, vpc string, t time.Time) []object {
	rows := []object{}
	for _, r := range s.ordered["instance"] {
		v, state := r.Instance, r.at(t)
		if v.Account != s.account(c) || region != "" && v.Region != region || v.VPC != vpc || !r.there(t) ||
			state.UnknownToEDAS || s.memberOf(v.ID, t) != nil || v.OSType != "linux" {
			continue
		}
		name := cmp.Or(state.Name, v.Name)
		rows = append(rows, unsaid(object{"InstanceId": v.ID, "InstanceName": name, "HostName": name,
			"Status": state.Status, "VpcId": v.VPC,
			"RegionId": v.Region, "ZoneId": v.Zone, "PrivateIp": address(v.ID), "Expired": expired(v), "Cpu": 2, "Mem": 8192,
			"EcuId": s.ecu(v.ID), "UserId": v.Account, "SerialNum": v.ID, "SgId": strings.Join(state.SecurityGroups, ","),
			"Description": state.Description, "VpcEntity": unsaid(object{"VpcId": v.VPC, "RegionId": v.Region, "UserId": v.Account,
				"Status": "Available"}, "Cidrblock Description VpcName", "EcsNum", "Expired"),
			"EcuEntity": unsaid(object{"EcuId": s.ecu(v.ID), "InstanceId": v.ID, "Name": name, "IpAddr": address(v.ID),
				"RegionId": v.Region, "ZoneId": v.Zone, "VpcId": v.VPC, "UserId": v.Account, "Cpu": 2, "Mem": 8192},
				"AppId", "AvailableCpu AvailableMem CreateTime HeartbeatTime UpdateTime", "DockerEnv Online")},
			"AppId Eip GroupId GroupName InnerIp NodeLabels NodeName PodRaw PublicIp Version VpcName", "", "Canary"))
	}
	return rows
}

// expired is what EDAS takes an instance for that is locked because it was not paid (E2).
func expired(v *world.Instance) bool { return slices.Contains(v.Locks, "financial") }

func (s *Service) listConvertableEcu(c *wire.Call, _ params) wire.Answer {
	k, r := s.findCluster(c)
	if r != nil {
		return s.refuse(c, r)
	}
	return edasFound(c, object{"InstanceList": object{"Instance": s.outside(c, k.Region, k.VPC, s.edasLagged(c.Now))}})
}

func (s *Service) listEcsNotInCluster(c *wire.Call, p params) wire.Answer {
	mode, r := p.whole("NetworkMode", 0, world.ClassicMode, world.VPCMode)
	switch {
	case r != nil:
	case mode == 0:
		r = missing("NetworkMode")
	case mode == world.VPCMode && p.Get("VpcId") == "":
		r = missing("VpcId")
	}
	if r != nil {
		return s.refuse(c, r)
	}
	return edasFound(c, object{"EcsEntityList": object{
		"EcsEntity": s.outside(c, edasRegion(c), p.Get("VpcId"), s.edasLagged(c.Now))}})
}
