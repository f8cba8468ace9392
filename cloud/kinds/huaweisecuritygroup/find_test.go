package huaweisecuritygroup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const fleet = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, projectId: 0123456789abcdef0123456789abcdef, region: sim-1}
huawei:
  flavors: [{id: s6.large.2}]
  securityGroups: [{name: one}, {name: two}]
  servers:
  - {name: web-1, flavor: s6.large.2, zone: az1, tags: [team=web], securityGroups: [one]}
  - {name: web-2, flavor: s6.large.2, zone: az2, tags: [team=web], securityGroups: [one, two], nics: 2}
  - {name: db-1, flavor: s6.large.2}
  generate: [{name: many-%04d, count: 1100, flavor: s6.large.2, securityGroups: [two]}]
`

func TestServersAreFound(t *testing.T) {
	one, two := group("one"), group("two")
	f := kindtest.Find(t, added(t), fleet, membership.Target{Group: one})
	team := map[string]string{"team": "web"}
	require.Equal(t, []string{"web-1", "web-2"}, f.Names(membership.Query{Tags: team}))
	require.Equal(t, []string{"web-1"}, f.Names(membership.Query{Tags: team, NotIn: two}))
	require.Equal(t, []string{"web-1", "web-2"}, f.Names(membership.Query{In: one}))
	require.Equal(t, []string{"web-2"}, f.Names(membership.Query{In: two, Name: "web-*"}))
	require.Len(t, f.Names(membership.Query{In: two}), 1101, "all pages of ports, and each server once")
	require.Equal(t, []string{"db-1"}, f.Names(membership.Query{Name: "db-*"}))
	web := f.Found(membership.Query{IDs: []string{f.Server("web-2")}, In: one})
	require.Len(t, web, 1)
	require.Equal(t, []string{one}, web[0].Groups)
	const none = "00000000-0000-4000-8000-000000000000"
	kindtest.NoGroup(t, f.Failure(membership.Query{In: none}), none)
	kindtest.NoGroup(t, f.Failure(membership.Query{Name: "*", NotIn: none}), none)
	require.Equal(t, membership.NoLimit, f.Room(one).All)
}

func TestFindingFails(t *testing.T) {
	kindtest.FindingFails(t, kindtest.Find(t, added(t), fleet, membership.Target{Group: group("one")}), "ListServersDetails")
}
