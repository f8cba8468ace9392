package policies

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func specs() (all []membership.Spec) {
	for _, k := range kinds.All(kinds.Clouds{}) {
		all = append(all, k.Spec())
	}
	return all
}

// grants are the pairs of action and resource that something allows.
func grants(actions, resources []string) (all []string) {
	for _, a := range actions {
		for _, r := range resources {
			all = append(all, a+" on "+r)
		}
	}
	return all
}

func TestEveryKindHasAPolicyForWhatItMayDo(t *testing.T) {
	require.NotEmpty(t, specs())
	for _, s := range specs() {
		text, err := os.ReadFile(filepath.Join("../..", kinds.Dir(s.ID), File))
		require.NoError(t, err, "%s has no policy; make it with: make docs", s.ID)
		var policy map[string]any
		require.NoError(t, json.Unmarshal(text, &policy), s.ID)
		require.Equal(t, map[string]string{"alibaba": "1", "huawei": "1.1"}[s.Provider], policy["Version"], s.ID)
		require.Len(t, policy, 2, s.ID)
		var given, wanted []string
		for _, st := range policy["Statement"].([]any) {
			st := st.(map[string]any)
			require.Equal(t, "Allow", st["Effect"], s.ID)
			resources := []string{"*"}
			if st["Resource"] != nil {
				resources = words(st["Resource"])
			} else {
				require.Equal(t, "huawei", s.Provider, "RAM wants a resource in every statement")
			}
			given = append(given, grants(words(st["Action"]), resources)...)
		}
		permissions, err := Of(s)
		require.NoError(t, err)
		require.NotEmpty(t, permissions, s.ID)
		for _, p := range permissions {
			wanted = append(wanted, grants(p.Actions, p.Resources)...)
		}
		require.ElementsMatch(t, wanted, given, "the policy of %s; renew it with: make docs", s.ID)
	}
}

func words(list any) (all []string) {
	for _, w := range list.([]any) {
		all = append(all, w.(string))
	}
	return all
}

// Every right that a call needs is granted to some kind, so that a misspelt one does not go unnoticed.
func TestRightsOfCallsAreGranted(t *testing.T) {
	var granted []string
	for _, s := range specs() {
		permissions, err := Of(s)
		require.NoError(t, err)
		for _, p := range permissions {
			granted = append(granted, p.Actions...)
		}
	}
	for call, right := range rights {
		require.True(t, right == "" || slices.Contains(granted, right), "%s, for %s, is granted to no kind", right, call)
	}
}

func TestAllows(t *testing.T) {
	permissions := []Permission{
		{Actions: []string{"ecs:DescribeInstances", "edas:ReadCluster"}, Resources: []string{"*"}},
		{Actions: []string{"ecs:cloudServers:start"}, Resources: []string{"*"}, Only: "power: true"},
	}
	for call, want := range map[string]bool{
		"DescribeInstances": true, "ListClusterMembers": true, "BatchStartServers": true, "ShowJob": true,
		"Instances": false, "BatchStopServers": false, "InsertClusterMember": false, "": false,
	} {
		require.Equal(t, want, Allows(permissions, call), call)
	}
}

func TestParse(t *testing.T) {
	p, err := Parse("ecs:CreateImage, ecs:cloudServers:get on acs:ecs:{region}:{account}:disk/*, ECS:{region}:*:instance:{server} (only with backup: true)")
	require.NoError(t, err)
	require.Equal(t, Permission{Actions: []string{"ecs:CreateImage", "ecs:cloudServers:get"},
		Resources: []string{"acs:ecs:{region}:{account}:disk/*", "ECS:{region}:*:instance:{server}"}, Only: "backup: true"}, p)
	p, err = Parse("cs:DescribeClustersV1 on *")
	require.NoError(t, err)
	require.Equal(t, Permission{Actions: []string{"cs:DescribeClustersV1"}, Resources: []string{"*"}}, p)
	for _, text := range []string{
		"", "ecs:DescribeDisks", "(a remark)", "describe on *", "ecs: on *", "ecs:A; ecs:B on *", "ecs:A on everything", "ecs:A on *, *",
		"ecs:A on *, acs:ecs:r:a:disk/*", "ecs:A on acs:ecs:r:disk/*", "ecs:A on * (only sometimes)", "ecs:A on * (only with x: y) z",
	} {
		_, err := Parse(text)
		require.Error(t, err, text)
	}
}

func TestRenderRefusesWhatItDoesNotKnow(t *testing.T) {
	_, err := Render(membership.Spec{ID: "k", Provider: "alibaba", Permissions: []string{"everything"}})
	require.ErrorContains(t, err, "permissions of k")
	_, err = Render(membership.Spec{ID: "k", Provider: "nebula"})
	require.ErrorContains(t, err, "nebula")
}
