package alibabasecuritygroup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const alibabaFleet = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  securityGroups: [{id: sg-1}, {id: sg-2}, {id: sg-ent, type: enterprise}]
  instances:
  - {id: i-1, name: web-1, zone: az1, securityGroups: [sg-1], tags: {team: web, tier: "1"}}
  - {id: i-2, name: web-2, zone: az2, securityGroups: [sg-1, sg-2], tags: {team: web}}
  - {id: i-3, name: db-1, vpc: vpc-9, tags: {team: db}}
  networkInterfaces: [{id: eni-1, instance: i-1, zone: az3, securityGroups: [sg-2]}]
  generate: [{name: many-%04d, count: 1100, tags: {fleet: big}, securityGroups: [sg-2]}]
`

func TestInstancesAreFound(t *testing.T) {
	f := kindtest.Find(t, securityGroup(t, ofInstances), alibabaFleet, membership.Target{Group: "sg-1"})
	team := map[string]string{"team": "web"}
	require.Equal(t, []string{"web-1", "web-2"}, f.Names(membership.Query{Tags: team}))
	require.Equal(t, []string{"web-1"}, f.Names(membership.Query{Tags: team, NotIn: "sg-2"}))
	require.Equal(t, []string{"web-2"}, f.Names(membership.Query{In: "sg-2", Name: "web*"}))
	require.Equal(t, []string{"web-1", "web-2"}, f.Names(membership.Query{Name: "*-*", In: "sg-1"}))
	require.Equal(t, []string{"db-1"}, f.Names(membership.Query{VPC: "vpc-9"}))
	require.Len(t, f.Names(membership.Query{Tags: map[string]string{"fleet": ""}}), 1100, "more than the cloud filters by tag")
	require.Equal(t, []string{"many-1100"}, f.Names(membership.Query{Tags: map[string]string{"fleet": ""}, Name: "many-1100"}))
	require.Equal(t, []membership.Found{{ID: "i-1", Name: "web-1", VPC: "vpc-1", Groups: []string{"sg-1"},
		Traits: map[string]string{"zone": "az1", "tag:team": "web", "tag:tier": "1"}}}, f.Found(membership.Query{IDs: []string{"i-1"}}))
	eni := f.Found(membership.Query{IDs: []string{"eni-1"}})
	require.Len(t, eni, 1)
	require.Equal(t, []string{"sg-2"}, eni[0].Groups)
	require.Equal(t, map[string]string{"zone": "az3"}, eni[0].Traits)
	groups := make(map[string][]string)
	for _, m := range f.Found(membership.Query{IDs: []string{"i-1", "eni-1", "i-2"}}) {
		groups[m.ID] = m.Groups
	}
	require.Equal(t, map[string][]string{"i-1": {"sg-1"}, "eni-1": {"sg-2"}, "i-2": {"sg-1", "sg-2"}}, groups, "a list may have both")
	require.Empty(t, f.Names(membership.Query{IDs: []string{}}))
	kindtest.NoGroup(t, f.Failure(membership.Query{In: "sg-none"}), "sg-none")

	room := f.Room("sg-1", "sg-2", "sg-ent")
	require.Equal(t, map[string]int{"sg-1": 6000 - 2, "sg-2": 6000 - 1102, "sg-ent": 65536}, room.Each)
	require.Equal(t, membership.NoLimit, room.All)
	_, err := f.Session.Room(t.Context(), []string{"sg-none"})
	kindtest.NoGroup(t, err, "sg-none")

	f = kindtest.Find(t, securityGroup(t, ofInstances), alibabaFleet, membership.Target{Group: "sg-1", Params: membership.Params{"capacity": 3.0}})
	require.Equal(t, map[string]int{"sg-1": 1, "sg-2": 0}, f.Room("sg-1", "sg-2").Each, "the capacity that was asked for")
}

// A cloud that fails in the middle ends the reading: half of a fleet is not found.
func TestFindingFails(t *testing.T) {
	kindtest.FindingFails(t, kindtest.Find(t, securityGroup(t, ofInstances), alibabaFleet, membership.Target{Group: "sg-1"}), "DescribeInstances")
}
