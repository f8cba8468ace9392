package main

import (
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// inGroup returns who is in a group of any kind, by the simulator. Ids of groups differ between kinds.
func inGroup(w world.World, group string) (ids []string) {
	for _, s := range w.Huawei.Servers {
		if s.Group == group || slices.Contains(s.SecurityGroups, group) {
			ids = append(ids, s.ID)
		}
	}
	for _, c := range w.Huawei.Clusters {
		for _, p := range c.NodePools {
			if p.ID == group {
				ids = append(ids, p.Members...)
			}
		}
	}
	for _, c := range w.Alibaba.Clusters {
		for _, p := range c.NodePools {
			if p.ID == group {
				ids = append(ids, p.Members...)
			}
		}
	}
	for _, i := range w.Alibaba.Instances {
		if i.ResourceGroup == group || i.DeploymentSet == group || slices.Contains(i.SecurityGroups, group) {
			ids = append(ids, i.ID)
		}
	}
	for _, r := range w.Alibaba.Resources {
		if r.ResourceGroup == group {
			ids = append(ids, r.ID)
		}
	}
	for _, c := range w.Alibaba.EDASClusters {
		if c.ID == group {
			ids = append(ids, c.Members...)
		}
	}
	return ids
}
