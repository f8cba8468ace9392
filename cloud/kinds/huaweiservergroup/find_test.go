package huaweiservergroup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const huaweiFleet = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, projectId: 0123456789abcdef0123456789abcdef, region: sim-1}
huawei:
  quotas: {serverGroupMembers: 4}
  flavors: [{id: s6.large.2}]
  groups: [{id: g-1, name: one, members: [web-1, web-2]}, {id: g-2, name: two}, {id: g-full, name: full, members: [a, b, c, d]}]
  servers:
  - {name: web-1, flavor: s6.large.2, zone: az1, tags: [team=web, tier=1]}
  - {name: web-2, flavor: s6.large.2, zone: az2, tags: [team=web]}
  - {name: web-3, flavor: s6.large.2, zone: az2, tags: [team.web], vpc: vpc-9}
  - {name: website, flavor: s6.large.2, tags: [team=website]}
  - {name: a, flavor: s6.large.2}
  - {name: b, flavor: s6.large.2}
  - {name: c, flavor: s6.large.2}
  - {name: d, flavor: s6.large.2}
  generate: [{name: many-%03d, count: 250, flavor: s6.large.2}]
`

func TestServersAreFound(t *testing.T) {
	f := kindtest.Find(t, huaweiServerGroup(t), huaweiFleet, membership.Target{Group: "g-1"})
	team := map[string]string{"team": "web"}
	require.Equal(t, []string{"web-1", "web-2", "web-3"}, f.Names(membership.Query{Tags: team}))
	require.Equal(t, []string{"web-3"}, f.Names(membership.Query{Tags: team, NotIn: "g-1"}))
	require.Equal(t, []string{"web-1", "web-2"}, f.Names(membership.Query{In: "g-1"}))
	require.Equal(t, []string{"web-1"}, f.Names(membership.Query{In: "g-1", Tags: map[string]string{"tier": ""}}))
	require.Empty(t, f.Names(membership.Query{In: "g-2"}))
	require.Equal(t, []string{"web-3"}, f.Names(membership.Query{VPC: "vpc-9"}))
	require.Equal(t, []string{"web-1", "web-2", "web-3"}, f.Names(membership.Query{Name: "web-*"}))
	require.Len(t, f.Names(membership.Query{Name: "many-*"}), 250, "all pages")
	require.Len(t, f.Names(membership.Query{Name: "*"}), 258)
	require.Empty(t, f.Names(membership.Query{Name: "none"}))
	ids := []string{f.Server("web-1"), "no-such-server", f.Server("web-3")}
	require.Equal(t, []string{"web-1", "web-3"}, f.Names(membership.Query{IDs: ids}))
	require.Empty(t, f.Names(membership.Query{IDs: []string{}, Name: "web-1"}))
	web := f.Found(membership.Query{IDs: ids[:1]})[0]
	require.NotEmpty(t, web.VPC)
	require.Equal(t, membership.Found{ID: ids[0], Name: "web-1", VPC: web.VPC, Groups: []string{"g-1"},
		Traits: map[string]string{"zone": "az1", "tag:team": "web", "tag:tier": "1"}}, web)
	kindtest.NoGroup(t, f.Failure(membership.Query{In: "g-none"}), "g-none")
	kindtest.NoGroup(t, f.Failure(membership.Query{Name: "*", NotIn: "g-none"}), "g-none")

	require.Equal(t, membership.Room{Each: map[string]int{"g-1": 2, "g-2": 4, "g-full": 0}, All: membership.NoLimit},
		f.Room("g-1", "g-2", "g-full"))
	_, err := f.Session.Room(t.Context(), []string{"g-1", "g-none"})
	kindtest.NoGroup(t, err, "g-none")
}

// A cloud that fails in the middle ends the reading: half of a fleet is not found.
func TestFindingFails(t *testing.T) {
	kindtest.FindingFails(t, kindtest.Find(t, huaweiServerGroup(t), huaweiFleet, membership.Target{Group: "g-1"}), "ListServersDetails")
}
