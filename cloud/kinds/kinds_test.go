package kinds_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
)

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
