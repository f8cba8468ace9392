package aliyun

import (
	"maps"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// describeRegions lists the regions in which the world has something.
func (s *Service) describeRegions(c *wire.Call, _ params) wire.Answer {
	rows := []object{}
	for _, region := range slices.Sorted(maps.Keys(s.regions)) {
		rows = append(rows, object{"RegionId": region, "LocalName": region, "Status": "available",
			"RegionEndpoint": "ecs." + region + ".aliyuncs.com"})
	}
	return found(c, object{"Regions": object{"Region": rows}})
}

// describeZones lists the zones of a region in which the world has something, and what is sold there: what there is.
func (s *Service) describeZones(c *wire.Call, p params) wire.Answer {
	region := p.Get("RegionId")
	switch {
	case region == "":
		return s.refuse(c, missing("RegionId"))
	case !s.regions[region]:
		return s.refuse(c, notFound("InvalidRegionId.NotFound", "The specified RegionId does not exist."))
	}
	types := map[string]map[string]bool{} // of instances, by zone
	for _, resources := range s.ordered {
		for _, r := range resources {
			it := r.identity()
			if it.region != region || it.zone == "" {
				continue
			}
			if types[it.zone] == nil {
				types[it.zone] = map[string]bool{}
			}
			if r.Instance != nil {
				types[it.zone][r.Instance.InstanceType] = true
			}
		}
	}
	rows := []object{}
	for _, zone := range slices.Sorted(maps.Keys(types)) {
		row := object{"ZoneId": zone, "LocalName": zone, "ZoneType": "AvailabilityZone", "ZoneNo": ""}
		if p.Get("Verbose") != "false" {
			merge(row, zoneDetails(slices.Sorted(maps.Keys(types[zone]))))
		}
		rows = append(rows, row)
	}
	return found(c, object{"Zones": object{"Zone": rows}})
}

func zoneDetails(types []string) object {
	disks, sold, families := []string{"cloud_essd"}, list(types), []string{}
	for _, name := range types {
		if kind := family(name); !slices.Contains(families, kind) {
			families = append(families, kind)
		}
	}
	return object{
		"AvailableInstanceTypes":      object{"InstanceTypes": sold},
		"AvailableDiskCategories":     object{"DiskCategories": disks},
		"AvailableVolumeCategories":   object{"VolumeCategories": []string{}},
		"AvailableResourceCreation":   object{"ResourceTypes": []string{"VSwitch", "IoOptimized", "Instance", "DedicatedHost", "Disk"}},
		"AvailableDedicatedHostTypes": object{"DedicatedHostType": []string{}},
		"DedicatedHostGenerations":    object{"DedicatedHostGeneration": []string{}},
		"NetworkTypes":                object{"NetworkType": []string{"vpc"}},
		"AvailableResources": object{"ResourcesInfo": []object{{"IoOptimized": true,
			"SystemDiskCategories": object{"supportedSystemDiskCategory": disks},
			"DataDiskCategories":   object{"supportedDataDiskCategory": disks},
			"InstanceGenerations":  object{"supportedInstanceGeneration": []string{}},
			"InstanceTypes":        object{"supportedInstanceType": sold},
			"InstanceTypeFamilies": object{"supportedInstanceTypeFamily": families},
			"NetworkTypes":         object{"supportedNetworkCategory": []string{"vpc"}}}}},
	}
}

// describeInstanceAttribute tells of one instance.
func (s *Service) describeInstanceAttribute(c *wire.Call, p params) wire.Answer {
	id, t := p.Get("InstanceId"), s.lagged(c.Now)
	if id == "" {
		return s.refuse(c, missing("InstanceId"))
	}
	r := s.byKey[key{"instance", id}]
	if r == nil || r.identity().account != s.account(c) || p.Has("RegionId") && r.identity().region != p.Get("RegionId") {
		return s.refuse(c, noInstance())
	}
	v := s.viewed(r, p, t, true)
	if !r.there(v.at) {
		return s.refuse(c, noInstance())
	}
	return found(c, merge(instanceFacts(v), object{"Cpu": 2, "IoOptimized": "optimized", "EnableJumboFrame": false}))
}
