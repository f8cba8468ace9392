package kinds_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

const (
	edasProd       = "00000000-0000-4000-8000-0000000000e1"
	edasOther      = "00000000-0000-4000-8000-0000000000e2"
	edasEmpty      = "00000000-0000-4000-8000-0000000000e3"
	edasContainers = "00000000-0000-4000-8000-0000000000e4"
)

// clustersFleet is a region of 254 instances. 130 of them, more than a page, are in the EDAS cluster edasProd and in the
// pool np-workers.
func clustersFleet() string {
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
  - {id: ` + edasProd + `, name: prod, members: [web-1, ` + in + `]}
  - {id: ` + edasOther + `, name: other, members: [web-2]}
  - {id: ` + edasEmpty + `, name: empty}
  - {id: ` + edasContainers + `, name: containers, type: 5}
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

func findEDAS(t *testing.T) finding {
	return find(t, edas(t, byAgent), clustersFleet(), membership.Target{Group: edasProd, Params: byAgent})
}

func findContainerNodes(t *testing.T, cluster string) finding {
	return find(t, containerNodePool(t, false), clustersFleet(), membership.Target{Group: "np-workers",
		Params: membership.Params{"cluster": cluster}})
}

// Clusters of EDAS and node pools find the same instances: the one world has them in groups of both that correspond.
func TestInstancesForClustersAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		finding
		group, other, none string
	}{
		"EDAS":       {findEDAS(t), edasProd, edasOther, "00000000-0000-4000-8000-0000000000e9"},
		"node pools": {findContainerNodes(t, "c-prod"), "np-workers", "np-others", "np-none"},
	} {
		t.Run(name, func(t *testing.T) {
			f, team := c.finding, map[string]string{"team": "web"}
			f.T = t
			require.Equal(t, []string{"web-1", "web-2", "web-3"}, f.names(membership.Query{Tags: team}))
			require.Equal(t, []string{"web-2", "web-3"}, f.names(membership.Query{Tags: team, NotIn: c.group}))
			require.Equal(t, []string{"web-2"}, f.names(membership.Query{In: c.other}))
			require.Equal(t, []string{"db-1"}, f.names(membership.Query{VPC: "vpc-9", NotIn: c.group}))
			require.Equal(t, []string{"web-1"}, f.names(membership.Query{Name: "web*", In: c.group}))
			require.Len(t, f.names(membership.Query{In: c.group}), 131, "more than one page of ids")
			require.Len(t, f.names(membership.Query{Name: "*"}), 254, "more than two pages")
			require.Len(t, f.names(membership.Query{Name: "many-*", NotIn: c.group}), 120)
			require.Empty(t, f.names(membership.Query{Tags: map[string]string{"team": "nobody"}}))
			require.Empty(t, f.names(membership.Query{In: c.other, Tags: map[string]string{"tier": ""}}))
			require.Empty(t, f.names(membership.Query{IDs: []string{}}))
			require.Equal(t, []membership.Found{
				{ID: "i-1", Name: "web-1", VPC: "vpc-1", Groups: []string{c.group},
					Traits: map[string]string{"zone": "az1", "tag:team": "web", "tag:tier": "1"}},
				{ID: "i-3", Name: "web-3", VPC: "vpc-1", Traits: map[string]string{"zone": "az2", "tag:team": "web"}},
			}, f.found(membership.Query{IDs: []string{"i-1", "i-none", "i-3"}}), "with where they are, for a spread")
			noGroup(t, f.failure(membership.Query{In: c.none}), c.none)
			noGroup(t, f.failure(membership.Query{Name: "*", NotIn: c.none}), c.none)
		})
	}
}

func TestClustersOfEDASThatHaveNoInstances(t *testing.T) {
	f := findEDAS(t)
	require.Empty(t, f.names(membership.Query{In: edasEmpty}))
	var bad *membership.BadInput
	require.ErrorAs(t, f.failure(membership.Query{Name: "*", NotIn: edasContainers}), &bad)
	require.ErrorContains(t, bad, fmt.Sprintf("group: %q: is a cluster of containers", edasContainers))
	require.Equal(t, membership.Room{All: membership.NoLimit}, f.room("any"), "no limit is known")
}

func TestRoomOfNodePools(t *testing.T) {
	f := findContainerNodes(t, "c-prod")
	require.Equal(t, membership.Room{Each: map[string]int{"np-workers": 8, "np-others": 8}, All: 8}, f.room("np-workers", "np-others"),
		"the pools share what the cluster takes")
	_, err := f.session.Room(t.Context(), []string{"np-others", "np-none"})
	noGroup(t, err, "np-none")

	refuse := sim.Fault{Match: sim.Match{Action: "DescribeUserQuota"}, Count: 1, Effect: fault.Status, Status: http.StatusForbidden,
		Code: "Forbidden.RAM"}
	_, err = f.sim.Faults().Add(refuse)
	require.NoError(t, err)
	require.Equal(t, membership.Room{Each: map[string]int{"np-others": membership.NoLimit}, All: membership.NoLimit}, f.room("np-others"),
		"who may not read the quota may still attach")
	refuse.Status, refuse.Code = http.StatusServiceUnavailable, "ServiceUnavailable"
	_, err = f.sim.Faults().Add(refuse)
	require.NoError(t, err)
	_, err = f.session.Room(t.Context(), []string{"np-others"})
	require.Error(t, err, "a limit that could not be read is not none")

	f = findContainerNodes(t, "c-nowhere")
	var bad *membership.BadInput
	require.ErrorAs(t, f.failure(membership.Query{Name: "*"}), &bad)
	require.ErrorContains(t, bad, `params.cluster: "c-nowhere": does not exist`)
}

// What cannot be read of one page, cluster or type is not taken for nobody.
func TestFindingInClustersFails(t *testing.T) {
	for action, f := range map[string]finding{
		"DescribeInstances":    findEDAS(t),
		"ListClusterMembers":   findEDAS(t),
		"DescribeClusterNodes": findContainerNodes(t, "c-prod"),
		"ListResources":        findType(t, "disk"),
		"DescribeDisks":        findType(t, "disk"),
	} {
		_, err := f.sim.Faults().Add(sim.Fault{Match: sim.Match{Action: action}, Nth: 2, Effect: fault.Status, Status: 503})
		require.NoError(t, err)
		require.Error(t, f.failure(membership.Query{Name: "*"}), action)
	}
}

// typeFleet has 128 resources of one type, more than a page: 120 in rg-home, 5 in the default group, which ECS hides, and 3
// that are called otherwise in rg-few.
func typeFleet(resourceType string) string {
	text := `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  resourceGroups: [{id: rg-default, default: true}, {id: rg-home}, {id: rg-few}, {id: rg-none}]
`
	if resourceType != "securitygroup" {
		return text + fmt.Sprintf(`  generate:
  - {name: it-%%03d, type: %[1]s, count: 120, resourceGroup: rg-home, zone: az1}
  - {name: default-%%d, type: %[1]s, count: 5}
  - {name: few-%%d, type: %[1]s, count: 3, resourceGroup: rg-few, tags: {team: web}}
`, resourceType)
	}
	text += "  securityGroups:\n"
	for n := range 120 {
		text += fmt.Sprintf("  - {name: it-%03d, resourceGroup: rg-home}\n", n+1)
	}
	return text + `  - {name: default-1}
  - {name: default-2}
  - {name: default-3}
  - {name: default-4}
  - {name: default-5, vpc: vpc-9}
  - {name: few-1, resourceGroup: rg-few}
  - {name: few-2, resourceGroup: rg-few}
  - {name: few-3, resourceGroup: rg-few}
`
}

func findType(t *testing.T, resourceType string) finding {
	return find(t, resourceGroup(t, resourceType, "rg-home"), typeFleet(resourceType),
		membership.Target{Group: "rg-few", Params: membership.Params{"type": resourceType}})
}

// called returns what the world calls those found, sorted: not all types tell it.
func (f finding) called(resourceType string, q membership.Query) (names []string) {
	f.Helper()
	for _, m := range f.found(q) {
		r, ok := f.sim.Resource(resourceType, m.ID)
		require.True(f, ok, m.ID)
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return names
}

func TestResourcesOfEveryTypeAreFound(t *testing.T) {
	const all, few = 128, 3
	require.Len(t, alibaba.ResourceTypes(), 13)
	for _, resourceType := range alibaba.ResourceTypes() {
		t.Run(resourceType, func(t *testing.T) {
			t.Parallel()
			f := findType(t, resourceType)
			called := func(q membership.Query) []string { return f.called(resourceType, q) }
			theFew := []string{"few-1", "few-2", "few-3"}
			defaults := []string{"default-1", "default-2", "default-3", "default-4", "default-5"}
			require.Len(t, called(membership.Query{Name: "*"}), all, "all pages")
			require.Equal(t, theFew, called(membership.Query{In: "rg-few"}))
			require.Len(t, called(membership.Query{In: "rg-home"}), 120)
			require.Equal(t, defaults, called(membership.Query{In: "rg-default"}), "ECS does not show who is in it")
			require.Equal(t, append(slices.Clone(defaults), theFew...), called(membership.Query{Name: "*", NotIn: "rg-home"}))
			require.Empty(t, called(membership.Query{In: "rg-none"}))
			noGroup(t, f.failure(membership.Query{In: "rg-nowhere"}), "rg-nowhere")

			found := f.found(membership.Query{In: "rg-few"})
			for _, m := range found {
				require.Equal(t, []string{"rg-few"}, m.Groups)
			}
			ids := []string{found[1].ID, found[0].ID}
			require.Equal(t, []membership.Found{found[1], found[0]}, f.found(membership.Query{IDs: ids}))
			require.Empty(t, f.found(membership.Query{IDs: []string{}}))

			if alibaba.Named(resourceType) {
				require.Equal(t, theFew, called(membership.Query{Name: "few-*"}))
				require.Equal(t, []string{"few-2"}, called(membership.Query{Name: "*-2", In: "rg-few"}))
				require.Empty(t, called(membership.Query{Name: "few-*", In: "rg-home"}))
			}
			if resourceType != "eni" && resourceType != "securitygroup" { // of these the simulator knows no tags
				require.Equal(t, theFew, called(membership.Query{Tags: map[string]string{"team": "web"}}))
				require.Empty(t, called(membership.Query{Tags: map[string]string{"team": "db"}}))
				require.Equal(t, "web", found[0].Traits["tag:team"])
			}
			if alibaba.InVPC(resourceType) {
				require.Len(t, called(membership.Query{VPC: "vpc-1", In: "rg-few"}), few)
				require.Empty(t, called(membership.Query{VPC: "vpc-none"}))
			}
		})
	}
}

// The resource manager may not know of a move yet. ECS does, unless it is one into the default group.
func TestResourcesThatHaveJustMoved(t *testing.T) {
	text := strings.Replace(typeFleet("disk"), "alibaba:\n", "alibaba:\n  listLag: 1h\n", 1)
	f := find(t, resourceGroup(t, "disk", "rg-home"), text,
		membership.Target{Operation: membership.Join, Group: "rg-few", Params: membership.Params{"type": "disk"}})
	moved := f.found(membership.Query{Name: "it-001"})[0]
	_, err := f.session.Do(t.Context(), "join", []*membership.Member{{ID: moved.ID}})
	require.NoError(t, err)
	require.Empty(t, f.names(membership.Query{Name: "it-001", In: "rg-home"}))
	require.Equal(t, []string{"rg-few"}, f.found(membership.Query{IDs: []string{moved.ID}})[0].Groups)
	require.NotContains(t, f.names(membership.Query{Name: "*", NotIn: "rg-few"}), "it-001")
}

// What no resource of a type can match is refused, and not an answer of nobody.
func TestQueriesThatDoNotApplyToAType(t *testing.T) {
	for _, resourceType := range alibaba.ResourceTypes() {
		var want []membership.Problem
		if resourceType == "activation" {
			want = append(want, membership.Problem{Field: "targets.cloud.name", Value: `"web-*"`,
				Want: `resources of type "activation" have no names; want tags, in, or "*" for everybody`})
		}
		if !slices.Contains([]string{"eni", "instance", "securitygroup"}, resourceType) {
			want = append(want, membership.Problem{Field: "targets.cloud.vpc", Value: `"vpc-1"`,
				Want: fmt.Sprintf("resources of type %q are in no VPC, only those of types eni, instance, securitygroup are; "+
					"want tags, name or in", resourceType)})
		}
		err := findType(t, resourceType).failure(membership.Query{Name: "web-*", VPC: "vpc-1"})
		if len(want) == 0 {
			require.NoError(t, err, resourceType)
			continue
		}
		var bad *membership.BadInput
		require.ErrorAs(t, err, &bad, resourceType)
		require.Equal(t, want, bad.Problems, resourceType)
	}
}
