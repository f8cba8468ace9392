package sim_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// TestAlibabaConcurrently reads and writes at once, for the race detector, and counts: a group never overfills.
func TestAlibabaConcurrently(t *testing.T) {
	const instances, room = 60, 25
	f := startAlibaba(t, func(a *world.Alibaba) {
		a.Generate = []world.GenerateResources{{Name: "web-%d", Count: instances}}
		a.SecurityGroups = append(a.SecurityGroups, world.SecurityGroup{ID: "sg-narrow", Capacity: room})
	})
	var wg sync.WaitGroup
	codes := make(chan string, instances)
	for n := 1; n <= instances; n++ {
		id := world.AlibabaID(7, "instance", fmt.Sprintf("web-%d", n))
		wg.Go(func() {
			out, err := f.try("JoinSecurityGroup", "InstanceId", id, "SecurityGroupId", "sg-narrow")
			if err == nil {
				codes <- out.code
			}
			_, _ = f.try("DescribeInstances", "SecurityGroupId", "sg-narrow")
			_, _ = f.try("DescribeSecurityGroups", "IsQueryEcsCount", "true")
			_, _ = f.try("ListResources", "PageSize", "100")
			_, _ = f.try("GetResourceGroup", "ResourceGroupId", "rg-web")
			f.World()
		})
	}
	wg.Wait()
	close(codes)
	count := map[string]int{}
	for code := range codes {
		count[code]++
	}
	require.Equal(t, map[string]int{"": room, "SecurityGroupInstanceLimitExceeded": instances - room}, count)
	group, _ := f.SecurityGroup("sg-narrow")
	require.Len(t, group.Members, room)
}
