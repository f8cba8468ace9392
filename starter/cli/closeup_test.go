package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

var nearby = closeUp{where: []string{"2 stop", "1 add", "now stop 1, add 2"}, trouble: "huawei.servergroup.add: no such\x1b account"}

func TestTheOnlyCohortIsSeenFromNear(t *testing.T) {
	h := historyOf([]fleet.Status{sampleFleet()})
	h.near = nearby
	h.now.Warnings = []string{"other runs (first) act on 1 member now"}
	require.Contains(t, frameText(h.frame(80, 40)), "\nwarning  other runs (first) act on 1 member now\n")
	require.Contains(t, frameText(h.frame(80, 40)), `
cohort   2 stop · 1 add · now stop 1, add 2
         trying again: huawei.servergroup.add: no such� account
`)
}

func TestLinesOfTheOnlyCohort(t *testing.T) {
	var out bytes.Buffer
	f := &Factory{Streams: Streams{Out: &out}}
	v := &runView{f: f, now: func() time.Time { return noon }}
	s := fleet.Status{Phase: membership.Running, Wave: "wave 1", Members: 3, InFlight: 3, Warnings: []string{"mind the gap"}}
	v.show(s, closeUp{})
	v.show(s, nearby)
	v.show(s, nearby) // nothing has changed, nothing is said
	require.Equal(t, `warning: mind the gap
12:00:00 running · wave 1 · 3 in flight, of 3
12:00:00 trying again: huawei.servergroup.add: no such� account
12:00:00 running · wave 1 · 3 in flight, of 3 · 2 stop, 1 add, now stop 1, add 2
`, out.String())
}

func TestAMomentOfAnotherDaySaysSo(t *testing.T) {
	now := time.Now()
	require.Len(t, moment(now.Add(time.Minute)), len("15:04:05"))
	require.Equal(t, now.Add(72*time.Hour).Format("Mon 2 Jan 15:04"), moment(now.Add(72*time.Hour)))
}
