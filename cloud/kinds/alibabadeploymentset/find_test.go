package alibabadeploymentset_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const deploymentFleet = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  deployment: {perZone: 4}
  deploymentSets: [{id: ds-1}, {id: ds-2}, {id: ds-full, perZone: 1}]
  instances:
  - {id: i-1, name: web-1, zone: az1, deploymentSet: ds-1, tags: {team: web, tier: "1"}}
  - {id: i-2, name: web-2, zone: az2, deploymentSet: ds-1, tags: {team: web}}
  - {id: i-3, name: web-3, zone: az2, tags: {team: web}, vpc: vpc-9}
  - {id: i-4, name: a, zone: az1, deploymentSet: ds-full}
  - {id: i-5, name: b, zone: az2, deploymentSet: ds-full}
  generate: [{name: many-%03d, count: 250, zone: az1}]
`

func TestInstancesAreFound(t *testing.T) {
	f := kindtest.Find(t, deploymentSet(t, ""), deploymentFleet, membership.Target{Group: "ds-1"})
	team := map[string]string{"team": "web"}
	require.Equal(t, []string{"web-1", "web-2", "web-3"}, f.Names(membership.Query{Tags: team}))
	require.Equal(t, []string{"web-3"}, f.Names(membership.Query{Tags: team, NotIn: "ds-1"}))
	require.Equal(t, []string{"web-1", "web-2"}, f.Names(membership.Query{In: "ds-1"}))
	require.Empty(t, f.Names(membership.Query{In: "ds-2"}))
	require.Equal(t, []string{"web-3"}, f.Names(membership.Query{VPC: "vpc-9"}))
	require.Len(t, f.Names(membership.Query{Name: "many-*"}), 250, "all pages")
	require.Equal(t, []string{"web-1", "web-3"}, f.Names(membership.Query{IDs: []string{"i-1", "i-none", "i-3"}}))
	require.Equal(t, []membership.Found{{ID: "i-1", Name: "web-1", VPC: "vpc-1", Groups: []string{"ds-1"},
		Traits: map[string]string{"zone": "az1", "tag:team": "web", "tag:tier": "1"}}}, f.Found(membership.Query{IDs: []string{"i-1"}}))
	kindtest.NoGroup(t, f.Failure(membership.Query{In: "ds-none"}), "ds-none")
	kindtest.NoGroup(t, f.Failure(membership.Query{Name: "*", NotIn: "ds-none"}), "ds-none")

	room := f.Room("ds-1", "ds-2", "ds-full")
	require.Equal(t, map[string]int{"ds-1": 6, "ds-2": 8, "ds-full": 0}, room.Each)
	require.Equal(t, []int{6, 8, 0}, []int{sum(room.Zones["ds-1"]), sum(room.Zones["ds-2"]), sum(room.Zones["ds-full"])})
	require.Equal(t, membership.NoLimit, room.All)
	_, err := f.Session.Room(t.Context(), []string{"ds-1", "ds-none"})
	kindtest.NoGroup(t, err, "ds-none")
}

// A cloud that fails in the middle ends the reading: half of a fleet is not found.
func TestFindingFails(t *testing.T) {
	kindtest.FindingFails(t, kindtest.Find(t, deploymentSet(t, ""), deploymentFleet, membership.Target{Group: "ds-1"}), "DescribeInstances")
}

func sum(zones map[string]int) (n int) {
	for _, free := range zones {
		n += free
	}
	return n
}
