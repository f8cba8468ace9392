package activities

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func limiter(set *limit.Set, account, api string) *limit.Limiter {
	return set.For(limit.Key{Account: account, Region: "r", API: api}, limit.Seed{Start: 8, Min: 1, Max: 10, Burst: 1})
}

func TestHeartbeatsTellWhatHoldsTheirAccountBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var set limit.Set
		require.NoError(t, limiter(&set, "mine", "Free").Wait(t.Context()))
		require.Empty(t, holding(set.State(), "mine"))

		limiter(&set, "mine", "Cut").Throttled(0)
		limiter(&set, "theirs", "Add").Throttled(time.Hour)
		limiter(&set, "mine", "Add").Throttled(8 * time.Second)
		time.Sleep(time.Second)
		require.Equal(t, []Limit{
			{Account: "mine", Region: "r", API: "Add", Rate: 4, Throttled: 1, Paused: membership.Duration(7 * time.Second)},
			{Account: "mine", Region: "r", API: "Cut", Rate: 4, Throttled: 1},
		}, holding(set.State(), "mine"))
	})
}

func TestAHeartbeatStaysSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var set limit.Set
		for i := range 100 {
			limiter(&set, "mine", fmt.Sprint("Cut", i)).Throttled(0)
		}
		limiter(&set, "mine", "Paused").Throttled(time.Minute)
		held := holding(set.State(), "mine")
		require.Len(t, held, mostLimits)
		require.Equal(t, "Paused", held[0].API, "what holds back most is not what is left out")
		payload, err := converter.GetDefaultDataConverter().ToPayload(held)
		require.NoError(t, err)
		require.Less(t, payload.Size(), 4096)
	})
}

// Who reads only the words, as workers' heartbeats were before, still finds them; the limits come after.
func TestLimitsComeAfterTheWords(t *testing.T) {
	a := New(Options{Limits: &limit.Set{}})
	beats := func() (words string, held []Limit) {
		env := quiet()
		env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
			require.NoError(t, details.Get(&words))
			require.NoError(t, details.Get(&words, &held))
		})
		work := func(ctx context.Context) error {
			a.beatAt(ctx, "mine", func() string { return "add 3" })()
			return nil
		}
		env.RegisterActivity(work)
		_, err := env.ExecuteActivity(work)
		require.NoError(t, err)
		return words, held
	}
	words, held := beats()
	require.Equal(t, "add 3", words)
	require.Empty(t, held)

	limiter(a.limits, "mine", "Add").Throttled(0)
	words, held = beats()
	require.Equal(t, "add 3", words)
	require.Equal(t, []Limit{{Account: "mine", Region: "r", API: "Add", Rate: 4, Throttled: 1}}, held)
}
