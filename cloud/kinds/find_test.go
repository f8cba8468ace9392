package kinds_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// finding is a session of a kind on a world of its own.
type finding struct {
	*testing.T
	sim     *sim.Sim
	session membership.Session
}

func find(t *testing.T, s kindtest.Subject, text string, target membership.Target) finding {
	t.Helper()
	w, err := sim.ParseWorld([]byte(text))
	require.NoError(t, err)
	world, err := sim.New(sim.Options{World: w, Clock: sim.NewManualClock(time.Unix(0, 0))})
	require.NoError(t, err)
	t.Cleanup(func() { _ = world.Close() })
	target.Account = "demo"
	session, err := s.Kind(world.RoundTripper()).Open(t.Context(), target)
	require.NoError(t, err)
	return finding{t, world, session}
}

// names returns the names of those found, sorted.
func (f finding) names(q membership.Query) []string {
	f.Helper()
	var names []string
	for _, m := range f.found(q) {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	return names
}

func (f finding) found(q membership.Query) (all []membership.Found) {
	f.Helper()
	require.NoError(f, f.session.Find(f.Context(), q, func(m membership.Found) error {
		all = append(all, m)
		return nil
	}))
	return all
}

func (f finding) failure(q membership.Query) error {
	return f.session.Find(f.Context(), q, func(membership.Found) error { return nil })
}

func (f finding) room(groups ...string) membership.Room {
	f.Helper()
	room, err := f.session.Room(f.Context(), groups)
	require.NoError(f, err)
	return room
}

// noGroup wants an error that names a group that does not exist.
func noGroup(t *testing.T, err error, id string) {
	t.Helper()
	var bad *membership.BadInput
	require.ErrorAs(t, err, &bad)
	require.Contains(t, err.Error(), fmt.Sprintf("%q: does not exist", id))
}

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
  quotas: {serverGroupMembers: 4}
  flavors: [{id: s6.large.2}]
  groups: [{id: g-1, name: one, members: [web-1, web-2]}, {id: g-2, name: two}, {id: g-full, name: full, members: [a, b, c, d]}]
  clusters:
  - {name: prod, id: ` + prodID + `, flavor: cce.s2.small, nodePools: [
      {id: ` + poolID + `, name: p, flavor: s6.large.2, members: [web-1]}, {id: ` + poolID2 + `, name: q, flavor: s6.large.2}]}
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
	f := find(t, huaweiServerGroup(t), huaweiFleet, membership.Target{Group: "g-1"})
	team := map[string]string{"team": "web"}
	require.Equal(t, []string{"web-1", "web-2", "web-3"}, f.names(membership.Query{Tags: team}))
	require.Equal(t, []string{"web-3"}, f.names(membership.Query{Tags: team, NotIn: "g-1"}))
	require.Equal(t, []string{"web-1", "web-2"}, f.names(membership.Query{In: "g-1"}))
	require.Equal(t, []string{"web-1"}, f.names(membership.Query{In: "g-1", Tags: map[string]string{"tier": ""}}))
	require.Empty(t, f.names(membership.Query{In: "g-2"}))
	require.Equal(t, []string{"web-3"}, f.names(membership.Query{VPC: "vpc-9"}))
	require.Equal(t, []string{"web-1", "web-2", "web-3"}, f.names(membership.Query{Name: "web-*"}))
	require.Len(t, f.names(membership.Query{Name: "many-*"}), 250, "all pages")
	require.Len(t, f.names(membership.Query{Name: "*"}), 258)
	require.Empty(t, f.names(membership.Query{Name: "none"}))
	ids := []string{f.server("web-1"), "no-such-server", f.server("web-3")}
	require.Equal(t, []string{"web-1", "web-3"}, f.names(membership.Query{IDs: ids}))
	require.Empty(t, f.names(membership.Query{IDs: []string{}, Name: "web-1"}))
	web := f.found(membership.Query{IDs: ids[:1]})[0]
	require.NotEmpty(t, web.VPC)
	require.Equal(t, membership.Found{ID: ids[0], Name: "web-1", VPC: web.VPC, Groups: []string{"g-1"},
		Traits: map[string]string{"zone": "az1", "tag:team": "web", "tag:tier": "1"}}, web)
	noGroup(t, f.failure(membership.Query{In: "g-none"}), "g-none")
	noGroup(t, f.failure(membership.Query{Name: "*", NotIn: "g-none"}), "g-none")

	require.Equal(t, membership.Room{Each: map[string]int{"g-1": 2, "g-2": 4, "g-full": 0}, All: membership.NoLimit},
		f.room("g-1", "g-2", "g-full"))
	_, err := f.session.Room(t.Context(), []string{"g-1", "g-none"})
	noGroup(t, err, "g-none")
}

// server returns the id of a server by its name.
func (f finding) server(name string) string {
	f.Helper()
	for _, s := range f.sim.World().Huawei.Servers {
		if s.Name == name {
			return s.ID
		}
	}
	f.Fatalf("there is no server %s", name)
	return ""
}

func TestNodesAreFound(t *testing.T) {
	f := find(t, huaweiNodePool(t), huaweiFleet, membership.Target{Group: poolID, Params: membership.Params{"cluster": prodID}})
	require.Equal(t, []string{"web-1"}, f.names(membership.Query{In: poolID}))
	require.Empty(t, f.names(membership.Query{In: poolID2}))
	require.Equal(t, []string{"web-2", "web-3"}, f.names(membership.Query{Tags: map[string]string{"team": "web"}, NotIn: poolID}))
	web := f.found(membership.Query{IDs: []string{f.server("web-1")}})
	require.Equal(t, []string{poolID}, web[0].Groups)
	require.Equal(t, "az1", web[0].Traits["zone"])
	const none = "00000000-0000-4000-8000-000000000000"
	noGroup(t, f.failure(membership.Query{In: none}), none)

	require.Equal(t, membership.Room{Each: map[string]int{poolID: 49, poolID2: 49}, All: 49}, f.room(poolID, poolID2),
		"the pools share what the cluster takes")
	_, err := f.session.Room(t.Context(), []string{none})
	noGroup(t, err, none)
}

const alibabaFleet = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  resourceGroups: [{id: rg-default, default: true}, {id: rg-web}, {id: rg-none}]
  securityGroups: [{id: sg-1}, {id: sg-2}, {id: sg-ent, type: enterprise}]
  instances:
  - {id: i-1, name: web-1, zone: az1, securityGroups: [sg-1], resourceGroup: rg-web, tags: {team: web, tier: "1"}}
  - {id: i-2, name: web-2, zone: az2, securityGroups: [sg-1, sg-2], resourceGroup: rg-web, tags: {team: web}}
  - {id: i-3, name: db-1, vpc: vpc-9, tags: {team: db}}
  networkInterfaces: [{id: eni-1, instance: i-1, zone: az3, securityGroups: [sg-2]}]
  generate: [{name: many-%04d, count: 1100, tags: {fleet: big}, securityGroups: [sg-2]}]
`

func TestInstancesAreFound(t *testing.T) {
	f := find(t, securityGroup(t, ofInstances), alibabaFleet, membership.Target{Group: "sg-1"})
	team := map[string]string{"team": "web"}
	require.Equal(t, []string{"web-1", "web-2"}, f.names(membership.Query{Tags: team}))
	require.Equal(t, []string{"web-1"}, f.names(membership.Query{Tags: team, NotIn: "sg-2"}))
	require.Equal(t, []string{"web-2"}, f.names(membership.Query{In: "sg-2", Name: "web*"}))
	require.Equal(t, []string{"web-1", "web-2"}, f.names(membership.Query{Name: "*-*", In: "sg-1"}))
	require.Equal(t, []string{"db-1"}, f.names(membership.Query{VPC: "vpc-9"}))
	require.Len(t, f.names(membership.Query{Tags: map[string]string{"fleet": ""}}), 1100, "more than the cloud filters by tag")
	require.Equal(t, []string{"many-1100"}, f.names(membership.Query{Tags: map[string]string{"fleet": ""}, Name: "many-1100"}))
	require.Equal(t, []membership.Found{{ID: "i-1", Name: "web-1", VPC: "vpc-1", Groups: []string{"sg-1"},
		Traits: map[string]string{"zone": "az1", "tag:team": "web", "tag:tier": "1"}}}, f.found(membership.Query{IDs: []string{"i-1"}}))
	eni := f.found(membership.Query{IDs: []string{"eni-1"}})
	require.Len(t, eni, 1)
	require.Equal(t, []string{"sg-2"}, eni[0].Groups)
	require.Equal(t, map[string]string{"zone": "az3"}, eni[0].Traits)
	groups := make(map[string][]string)
	for _, m := range f.found(membership.Query{IDs: []string{"i-1", "eni-1", "i-2"}}) {
		groups[m.ID] = m.Groups
	}
	require.Equal(t, map[string][]string{"i-1": {"sg-1"}, "eni-1": {"sg-2"}, "i-2": {"sg-1", "sg-2"}}, groups, "a list may have both")
	require.Empty(t, f.names(membership.Query{IDs: []string{}}))
	noGroup(t, f.failure(membership.Query{In: "sg-none"}), "sg-none")

	room := f.room("sg-1", "sg-2", "sg-ent")
	require.Equal(t, map[string]int{"sg-1": 6000 - 2, "sg-2": 6000 - 1102, "sg-ent": 65536}, room.Each)
	require.Equal(t, membership.NoLimit, room.All)
	_, err := f.session.Room(t.Context(), []string{"sg-none"})
	noGroup(t, err, "sg-none")

	f = find(t, securityGroup(t, ofInstances), alibabaFleet, membership.Target{Group: "sg-1", Params: membership.Params{"capacity": 3.0}})
	require.Equal(t, map[string]int{"sg-1": 1, "sg-2": 0}, f.room("sg-1", "sg-2").Each, "the capacity that was asked for")
}

func TestInstancesOfResourceGroupsAreFound(t *testing.T) {
	s := resourceGroup(t, "instance", "rg-web")
	f := find(t, s, alibabaFleet, membership.Target{Group: "rg-web", Params: membership.Params{"type": "instance"}})
	require.Equal(t, []string{"web-1", "web-2"}, f.names(membership.Query{In: "rg-web"}))
	require.Equal(t, []string{"web-1"}, f.names(membership.Query{In: "rg-web", Tags: map[string]string{"tier": "1"}}))
	require.Empty(t, f.names(membership.Query{In: "rg-none"}))
	require.Equal(t, []string{"db-1"}, f.names(membership.Query{Name: "*-1", NotIn: "rg-web"}))
	require.Len(t, f.names(membership.Query{In: "rg-default"}), 1101, "ECS does not show who is in the default group")
	require.Equal(t, []string{"web-1", "web-2"}, f.names(membership.Query{Name: "*", NotIn: "rg-default"}))
	require.Equal(t, []string{"rg-web"}, f.found(membership.Query{IDs: []string{"i-1"}})[0].Groups)
	noGroup(t, f.failure(membership.Query{In: "rg-nowhere"}), "rg-nowhere")

	require.Equal(t, membership.Room{All: membership.NoLimit}, f.room("any"), "resource groups have no limit")
}

// A cloud that fails in the middle ends the reading: half of a fleet is not found.
func TestFindingFails(t *testing.T) {
	for name, f := range map[string]finding{
		"servers":         find(t, huaweiServerGroup(t), huaweiFleet, membership.Target{Group: "g-1"}),
		"security groups": find(t, securityGroup(t, ofInstances), alibabaFleet, membership.Target{Group: "sg-1"}),
	} {
		action := map[string]string{"servers": "ListServersDetails", "security groups": "DescribeInstances"}[name]
		_, err := f.sim.Faults().Add(sim.Fault{Match: sim.Match{Action: action}, Nth: 2, Effect: fault.Status, Status: 503})
		require.NoError(t, err)
		found := 0
		err = f.session.Find(t.Context(), membership.Query{Name: "*"}, func(membership.Found) error {
			found++
			return nil
		})
		require.Error(t, err, name)
		require.Equal(t, 100, found, name)
	}
}
