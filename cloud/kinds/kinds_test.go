package kinds_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabaedas"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabanodepool"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabaresourcegroup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabasecuritygroup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/huaweinodepool"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/huaweiservergroup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
)

// TestMain sets the secrets of all test accounts, once: tests run side by side.
func TestMain(m *testing.M) {
	for name, secret := range map[string]string{"FLEETJOIN_TEST_AK": "AKDEMO", "FLEETJOIN_TEST_SK": "SKDEMO",
		"FLEETJOIN_PASSWORD_EDAS": "Secret-of-edas-12", "FLEETJOIN_PASSWORD_NODES": "Secret-of-nodes-12"} {
		if err := os.Setenv(name, secret); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// Every slice begins by giving what the one before has sent its time to show. Where that took as long as a slice, nothing would
// ever be sent again.
func TestWritesSettleWellWithinASlice(t *testing.T) {
	const longestSlice = 5 * time.Minute // of package workflows
	stages := 0
	for _, k := range kinds.All(kinds.Clouds{}) {
		for op, all := range k.Spec().Stages {
			for _, s := range all {
				stages++
				require.LessOrEqual(t, s.Settle.Std(), longestSlice/2, "%s, %s, %s", k.Spec().ID, op, s.Name)
			}
		}
	}
	require.NotZero(t, stages)
}

func TestConformance(t *testing.T) {
	subjects := map[string]kindtest.Subject{
		alibabaedas.ID:          edas(t, byAgent),
		alibabanodepool.ID:      containerNodePool(t, false),
		alibabaresourcegroup.ID: resourceGroup(t, "instance", "rg-home"),
		alibabasecuritygroup.ID: securityGroup(t, ofInstances),
		huaweinodepool.ID:       huaweiNodePool(t),
		huaweiservergroup.ID:    huaweiServerGroup(t),
	}
	all := kinds.All(kinds.Clouds{})
	require.Len(t, all, len(subjects))
	for _, k := range all {
		t.Run(k.Spec().ID, func(t *testing.T) {
			t.Parallel() // virtual time, and a world of its own for each
			subject, ok := subjects[k.Spec().ID]
			require.True(t, ok, "the kind has no subject: add one")
			kindtest.Run(t, subject)
		})
	}
}
