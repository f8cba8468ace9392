package backup

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
)

// Two systems were kept before snapshots had parts, one after that, and one not at all.
const keptWorld = `
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  instances: [{id: i-1}, {id: i-2}, {id: i-3}, {id: i-4}]
  resources:
  - {type: snapshot, id: s-1, disk: d-1, status: accomplished, tags: {fleetjoin: aaaaaaaaaaaa}}
  - {type: snapshot, id: s-2, disk: d-2, status: progressing, tags: {fleetjoin: aaaaaaaaaaaa}}
  - {type: snapshot, id: s-3, disk: d-3, status: progressing, tags: {fleetjoin: %s}}
  - {type: snapshot, id: s-0, disk: d-4, status: accomplished, tags: {fleetjoin: bbbbbbbbbbbb}}
`

func TestSnapshotsAreFoundAgain(t *testing.T) {
	t.Setenv("FLEETJOIN_TEST_AK", "AKDEMO")
	t.Setenv("FLEETJOIN_TEST_SK", "SKDEMO")
	synctest.Test(t, func(t *testing.T) {
		const digest = "sha256:aaaaaaaaaaaaaaaa"
		w, err := sim.ParseWorld(fmt.Appendf(nil, keptWorld, partTag(digest, "i-3").Value))
		require.NoError(t, err)
		cloud, err := sim.New(sim.Options{World: w})
		require.NoError(t, err)
		defer cloud.Close()
		client, err := alibaba.Dial(t.Context(), alibaba.Config{Transport: cloud.RoundTripper(), Account: account.Account{
			Name: "demo", Provider: account.Alibaba, Region: "cn-hangzhou",
			Endpoints: map[string]string{"ecs": "http://127.0.0.1:1"},
			Credentials: account.Sources{AccessKey: account.Source{Env: "FLEETJOIN_TEST_AK"},
				SecretKey: account.Source{Env: "FLEETJOIN_TEST_SK"}}}})
		require.NoError(t, err)
		p := &membership.Program{Digest: digest}
		for n := 1; n <= 4; n++ {
			p.Members = append(p.Members, membership.Member{ID: fmt.Sprintf("i-%d", n),
				Before: map[string]string{FactSystemDisk: fmt.Sprintf("d-%d", n)}})
		}
		s := Open(client, p, true)
		reads := func() (n int) {
			for _, e := range cloud.Journal().Entries() {
				if e.Action == "DescribeSnapshots" {
					n++
				}
			}
			return n
		}
		see := func(members ...string) map[string]string {
			e, err := s.Observe(t.Context(), membership.Look{Members: members})
			require.NoError(t, err)
			found := make(map[string]string)
			for disk, s := range e.Snapshots {
				found[disk] = s.ID
			}
			return found
		}
		all := map[string]string{"d-1": "s-1", "d-2": "s-2", "d-3": "s-3"}
		require.Equal(t, map[string]string{"d-1": "s-1", "d-2": "s-2"}, see("i-1"))
		require.Equal(t, 2, reads(), "its part, and what was made before there were parts")
		require.Equal(t, all, see("i-3"), "another part, and nothing is forgotten")
		require.Equal(t, 3, reads())
		time.Sleep(refresh)
		require.Equal(t, all, see("i-1"))
		require.Equal(t, 3, reads(), "what is complete is not read again")
		require.Equal(t, all, see("i-3"))
		require.Equal(t, 5, reads())
	})
}

// With a tag the cloud lists 1,000 resources: 200 instances with 17 disks each have to find room.
func TestPartsAreSmall(t *testing.T) {
	for run := range 200 {
		in := make(map[alibaba.Tag]int)
		for n := range 200 {
			in[partTag("sha256:aaaaaaaaaaaaaaaa", fmt.Sprintf("i-bp%d%04d", run, n))] += 17
		}
		for tag, snapshots := range in {
			require.Less(t, snapshots, 1000, tag)
		}
	}
}
