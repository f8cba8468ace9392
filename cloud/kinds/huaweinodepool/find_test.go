package huaweinodepool_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const (
	poolID  = "00000000-0000-4000-8000-00000000000a"
	poolID2 = "00000000-0000-4000-8000-00000000000b"
	prodID  = "00000000-0000-4000-8000-0000000000cc"
)

var huaweiFleet = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, projectId: 0123456789abcdef0123456789abcdef, region: sim-1}
huawei:
  flavors: [{id: s6.large.2}]
  clusters:
  - {name: prod, id: ` + prodID + `, flavor: cce.s2.small, nodePools: [
      {id: ` + poolID + `, name: p, flavor: s6.large.2, members: [web-1]}, {id: ` + poolID2 + `, name: q, flavor: s6.large.2}]}
  servers:
  - {name: web-1, flavor: s6.large.2, zone: az1, tags: [team=web, tier=1]}
  - {name: web-2, flavor: s6.large.2, zone: az2, tags: [team=web]}
  - {name: web-3, flavor: s6.large.2, zone: az2, tags: [team.web], vpc: vpc-9}
  - {name: website, flavor: s6.large.2, tags: [team=website]}
`

func TestNodesAreFound(t *testing.T) {
	f := kindtest.Find(t, huaweiNodePool(t), huaweiFleet, membership.Target{Group: poolID, Params: membership.Params{"cluster": prodID}})
	require.Equal(t, []string{"web-1"}, f.Names(membership.Query{In: poolID}))
	require.Empty(t, f.Names(membership.Query{In: poolID2}))
	require.Equal(t, []string{"web-2", "web-3"}, f.Names(membership.Query{Tags: map[string]string{"team": "web"}, NotIn: poolID}))
	web := f.Found(membership.Query{IDs: []string{f.Server("web-1")}})
	require.Equal(t, []string{poolID}, web[0].Groups)
	require.Equal(t, "az1", web[0].Traits["zone"])
	const none = "00000000-0000-4000-8000-000000000000"
	kindtest.NoGroup(t, f.Failure(membership.Query{In: none}), none)

	require.Equal(t, membership.Room{All: 49}, f.Room(poolID, poolID2),
		"the pools share what the cluster takes")
	_, err := f.Session.Room(t.Context(), []string{none})
	kindtest.NoGroup(t, err, none)
}
