package archive_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func TestHostsOfGroups(t *testing.T) {
	for want, members := range map[string][][3]string{
		"": {{"g", "", "joined"}, {"g", "h1", "rolled-back"}},
		"2 joined, on 2 hosts; 1 more, whose hosts are not told": {{"g", "h1", "joined"}, {"g", "h2", "joined"}, {"g", "", "joined"}, {"g", "h1", "already"}},
		"1 joined, on 1 host": {{"g", "h1", "joined"}},
		"2 joined in 2 groups, no two of a group on one host": {{"g", "h1", "joined"}, {"k", "h1", "joined"}},
		"5 joined, and some share a host: 2 on 1 host in group g, 3 on 2 hosts in group k": {{"g", "h1", "joined"}, {"k", "h1", "joined"},
			{"k", "h2", "joined"}, {"k", "h1", "joined"}, {"g", "h1", "joined"}},
	} {
		var hosts archive.Hosts
		for _, m := range members {
			hosts.Add(&archive.Member{Group: m[0], Try: archive.Try{Host: m[1], Outcome: membership.Outcome(m[2])}})
		}
		require.Equal(t, want, hosts.String())
	}
}
