package fleet_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
)

func TestSharesAreReadAsPeopleWriteThem(t *testing.T) {
	for input, c := range map[string]struct {
		want  fleet.Share
		again string
	}{
		`12`:         {fleet.Share{Count: 12}, `12`},
		`"12"`:       {fleet.Share{Count: 12}, `12`},
		`"5%"`:       {fleet.Share{Percent: 5}, `"5%"`},
		`"2.5%"`:     {fleet.Share{Percent: 2.5}, `"2.5%"`},
		`"0.125%"`:   {fleet.Share{Percent: 0.125}, `"0.125%"`},
		`"100.000%"`: {fleet.Share{Percent: 100}, `"100%"`},
		`"120%"`:     {fleet.Share{Percent: 120}, `"120%"`}, // Problems objects, and knows where it stands
	} {
		var s fleet.Share
		require.NoError(t, json.Unmarshal([]byte(input), &s), input)
		require.Equal(t, c.want, s, input)
		again, err := json.Marshal(s)
		require.NoError(t, err)
		require.Equal(t, c.again, string(again))
		s = fleet.Share{}
		require.NoError(t, json.Unmarshal(again, &s))
		require.Equal(t, c.want, s)
	}
}

func TestSharesInYAML(t *testing.T) {
	var waves []fleet.Share
	require.NoError(t, yaml.Unmarshal([]byte("- 12\n- \"12\"\n- 5%\n- 2.5%\n"), &waves))
	require.Equal(t, []fleet.Share{{Count: 12}, {Count: 12}, {Percent: 5}, {Percent: 2.5}}, waves)
}

func TestSharesOf(t *testing.T) {
	for _, c := range []struct {
		share fleet.Share
		total int
		want  int
	}{
		{fleet.Share{Percent: 5}, 100, 5},
		{fleet.Share{Percent: 5}, 119, 5}, // rounded down
		{fleet.Share{Percent: 5}, 3, 1},   // but never none
		{fleet.Share{Percent: 5}, 0, 0},   // of nothing
		{fleet.Share{Percent: 100}, 7, 7},
		{fleet.Share{Percent: 2.3}, 1000, 23},   // no float is 2.3
		{fleet.Share{Percent: 0.29}, 10000, 29}, // 0.29*10000/100 is 28.999… in floats
		{fleet.Share{Percent: 0.001}, 100_000, 1},
		{fleet.Share{Count: 12}, 100, 12},
		{fleet.Share{Count: 12}, 3, 12}, // a budget of 12 is not spent by 3
		{fleet.Share{Count: 12}, 0, 0},
	} {
		require.Equal(t, c.want, c.share.Of(c.total), "%v of %d", c.share, c.total)
	}
}

func TestPercentagesAreRoundedDownAndNeverAboveTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		thousandths := rapid.IntRange(1, 100_000).Draw(t, "thousandths of a percent")
		total := rapid.IntRange(1, 10_000_000).Draw(t, "total")
		got := fleet.Share{Percent: float64(thousandths) / 1000}.Of(total)
		require.Equal(t, max(1, total*thousandths/100_000), got)
		require.LessOrEqual(t, got, total)
	})
}
