package alibabaresourcegroup_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

const alibabaFleet = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  resourceGroups: [{id: rg-default, default: true}, {id: rg-web}, {id: rg-none}]
  securityGroups: [{id: sg-1}, {id: sg-2}]
  instances:
  - {id: i-1, name: web-1, zone: az1, securityGroups: [sg-1], resourceGroup: rg-web, tags: {team: web, tier: "1"}}
  - {id: i-2, name: web-2, zone: az2, securityGroups: [sg-1, sg-2], resourceGroup: rg-web, tags: {team: web}}
  - {id: i-3, name: db-1, vpc: vpc-9, tags: {team: db}}
  networkInterfaces: [{id: eni-1, instance: i-1, zone: az3, securityGroups: [sg-2]}]
  generate: [{name: many-%04d, count: 1100, tags: {fleet: big}, securityGroups: [sg-2]}]
`

func TestInstancesOfResourceGroupsAreFound(t *testing.T) {
	s := resourceGroup(t, "instance", "rg-web")
	f := kindtest.Find(t, s, alibabaFleet, membership.Target{Group: "rg-web", Params: membership.Params{"type": "instance"}})
	require.Equal(t, []string{"web-1", "web-2"}, f.Names(membership.Query{In: "rg-web"}))
	require.Equal(t, []string{"web-1"}, f.Names(membership.Query{In: "rg-web", Tags: map[string]string{"tier": "1"}}))
	require.Empty(t, f.Names(membership.Query{In: "rg-none"}))
	require.Equal(t, []string{"db-1"}, f.Names(membership.Query{Name: "*-1", NotIn: "rg-web"}))
	require.Len(t, f.Names(membership.Query{In: "rg-default"}), 1101, "ECS does not show who is in the default group")
	require.Equal(t, []string{"web-1", "web-2"}, f.Names(membership.Query{Name: "*", NotIn: "rg-default"}))
	require.Equal(t, []string{"rg-web"}, f.Found(membership.Query{IDs: []string{"i-1"}})[0].Groups)
	kindtest.NoGroup(t, f.Failure(membership.Query{In: "rg-nowhere"}), "rg-nowhere")

	require.Equal(t, membership.Room{All: membership.NoLimit}, f.Room("any"), "resource groups have no limit")
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

func findType(t *testing.T, resourceType string) kindtest.Finding {
	return kindtest.Find(t, resourceGroup(t, resourceType, "rg-home"), typeFleet(resourceType),
		membership.Target{Group: "rg-few", Params: membership.Params{"type": resourceType}})
}

// called returns what the world calls those found, sorted: not all types tell it.
func called(f kindtest.Finding, resourceType string, q membership.Query) (names []string) {
	f.Helper()
	for _, m := range f.Found(q) {
		r, ok := f.Sim.Resource(resourceType, m.ID)
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
			by := func(q membership.Query) []string { return called(f, resourceType, q) }
			theFew := []string{"few-1", "few-2", "few-3"}
			defaults := []string{"default-1", "default-2", "default-3", "default-4", "default-5"}
			require.Len(t, by(membership.Query{Name: "*"}), all, "all pages")
			require.Equal(t, theFew, by(membership.Query{In: "rg-few"}))
			require.Len(t, by(membership.Query{In: "rg-home"}), 120)
			require.Equal(t, defaults, by(membership.Query{In: "rg-default"}), "ECS does not show who is in it")
			require.Equal(t, append(slices.Clone(defaults), theFew...), by(membership.Query{Name: "*", NotIn: "rg-home"}))
			require.Empty(t, by(membership.Query{In: "rg-none"}))
			kindtest.NoGroup(t, f.Failure(membership.Query{In: "rg-nowhere"}), "rg-nowhere")

			found := f.Found(membership.Query{In: "rg-few"})
			for _, m := range found {
				require.Equal(t, []string{"rg-few"}, m.Groups)
			}
			ids := []string{found[1].ID, found[0].ID}
			require.Equal(t, []membership.Found{found[1], found[0]}, f.Found(membership.Query{IDs: ids}))
			require.Empty(t, f.Found(membership.Query{IDs: []string{}}))

			if alibaba.Named(resourceType) {
				require.Equal(t, theFew, by(membership.Query{Name: "few-*"}))
				require.Equal(t, []string{"few-2"}, by(membership.Query{Name: "*-2", In: "rg-few"}))
				require.Empty(t, by(membership.Query{Name: "few-*", In: "rg-home"}))
			}
			if resourceType != "eni" && resourceType != "securitygroup" { // of these the simulator knows no tags
				require.Equal(t, theFew, by(membership.Query{Tags: map[string]string{"team": "web"}}))
				require.Empty(t, by(membership.Query{Tags: map[string]string{"team": "db"}}))
				require.Equal(t, "web", found[0].Traits["tag:team"])
			}
			if alibaba.InVPC(resourceType) {
				require.Len(t, by(membership.Query{VPC: "vpc-1", In: "rg-few"}), few)
				require.Empty(t, by(membership.Query{VPC: "vpc-none"}))
			}
		})
	}
}

// The resource manager may not know of a move yet. ECS does, unless it is one into the default group.
func TestResourcesThatHaveJustMoved(t *testing.T) {
	text := strings.Replace(typeFleet("disk"), "alibaba:\n", "alibaba:\n  listLag: 1h\n", 1)
	f := kindtest.Find(t, resourceGroup(t, "disk", "rg-home"), text,
		membership.Target{Operation: membership.Join, Group: "rg-few", Params: membership.Params{"type": "disk"}})
	moved := f.Found(membership.Query{Name: "it-001"})[0]
	_, err := f.Session.Do(t.Context(), "join", []*membership.Member{{ID: moved.ID}})
	require.NoError(t, err)
	require.Empty(t, f.Names(membership.Query{Name: "it-001", In: "rg-home"}))
	require.Equal(t, []string{"rg-few"}, f.Found(membership.Query{IDs: []string{moved.ID}})[0].Groups)
	require.NotContains(t, f.Names(membership.Query{Name: "*", NotIn: "rg-few"}), "it-001")
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
		err := findType(t, resourceType).Failure(membership.Query{Name: "web-*", VPC: "vpc-1"})
		if len(want) == 0 {
			require.NoError(t, err, resourceType)
			continue
		}
		var bad *membership.BadInput
		require.ErrorAs(t, err, &bad, resourceType)
		require.Equal(t, want, bad.Problems, resourceType)
	}
}

// What cannot be read of one page, cluster or type is not taken for nobody.
func TestFindingFails(t *testing.T) {
	for _, action := range []string{"ListResources", "DescribeDisks"} {
		f := findType(t, "disk")
		_, err := f.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: action}, Nth: 2, Effect: fault.Status, Status: 503})
		require.NoError(t, err)
		require.Error(t, f.Failure(membership.Query{Name: "*"}), action)
	}
}
