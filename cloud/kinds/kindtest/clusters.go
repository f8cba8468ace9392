package kindtest

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Clusters of EDAS in ClustersFleet.
const (
	EDASProd       = "00000000-0000-4000-8000-0000000000e1"
	EDASOther      = "00000000-0000-4000-8000-0000000000e2"
	EDASEmpty      = "00000000-0000-4000-8000-0000000000e3"
	EDASContainers = "00000000-0000-4000-8000-0000000000e4"
)

// ClustersFleet is a region of 254 instances. 130 of them, more than a page, are in the EDAS cluster EDASProd and in the
// pool np-workers.
func ClustersFleet() string {
	var many []string
	for n := range 130 {
		many = append(many, fmt.Sprintf("many-%03d", n+1))
	}
	in := strings.Join(many, ", ")
	return `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  edasClusters:
  - {id: ` + EDASProd + `, name: prod, members: [web-1, ` + in + `]}
  - {id: ` + EDASOther + `, name: other, members: [web-2]}
  - {id: ` + EDASEmpty + `, name: empty}
  - {id: ` + EDASContainers + `, name: containers, type: 5}
  containers: {nodeQuota: 140}
  clusters:
  - {id: c-prod, nodePools: [{id: np-workers, members: [web-1, ` + in + `]}, {id: np-others, members: [web-2]}]}
  - {id: c-other, nodePools: [{id: np-theirs, members: [web-3]}]}
  instances:
  - {id: i-1, name: web-1, zone: az1, tags: {team: web, tier: "1"}}
  - {id: i-2, name: web-2, zone: az2, tags: {team: web}}
  - {id: i-3, name: web-3, zone: az2, tags: {team: web}}
  - {id: i-9, name: db-1, vpc: vpc-9, tags: {team: db}}
  generate: [{name: many-%03d, count: 250, tags: {fleet: big}}]
`
}

// FindsInstances wants a kind whose members are instances to find those of ClustersFleet: of a group, of another one, and of
// one that does not exist.
func FindsInstances(f Finding, group, other, none string) {
	f.Helper()
	team := map[string]string{"team": "web"}
	require.Equal(f, []string{"web-1", "web-2", "web-3"}, f.Names(membership.Query{Tags: team}))
	require.Equal(f, []string{"web-2", "web-3"}, f.Names(membership.Query{Tags: team, NotIn: group}))
	require.Equal(f, []string{"web-2"}, f.Names(membership.Query{In: other}))
	require.Equal(f, []string{"db-1"}, f.Names(membership.Query{VPC: "vpc-9", NotIn: group}))
	require.Equal(f, []string{"web-1"}, f.Names(membership.Query{Name: "web*", In: group}))
	require.Len(f, f.Names(membership.Query{In: group}), 131, "more than one page of ids")
	require.Len(f, f.Names(membership.Query{Name: "*"}), 254, "more than two pages")
	require.Len(f, f.Names(membership.Query{Name: "many-*", NotIn: group}), 120)
	require.Empty(f, f.Names(membership.Query{Tags: map[string]string{"team": "nobody"}}))
	require.Empty(f, f.Names(membership.Query{In: other, Tags: map[string]string{"tier": ""}}))
	require.Empty(f, f.Names(membership.Query{IDs: []string{}}))
	require.Equal(f, []membership.Found{
		{ID: "i-1", Name: "web-1", VPC: "vpc-1", Groups: []string{group},
			Traits: map[string]string{"zone": "az1", "tag:team": "web", "tag:tier": "1"}},
		{ID: "i-3", Name: "web-3", VPC: "vpc-1", Traits: map[string]string{"zone": "az2", "tag:team": "web"}},
	}, f.Found(membership.Query{IDs: []string{"i-1", "i-none", "i-3"}}), "with where they are, for a spread")
	NoGroup(f.T, f.Failure(membership.Query{In: none}), none)
	NoGroup(f.T, f.Failure(membership.Query{Name: "*", NotIn: none}), none)
}
