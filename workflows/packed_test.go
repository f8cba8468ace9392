package workflows

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/rollout"
)

// travel takes a value through Temporal's default data converter, and says how many bytes it is on the way.
func travel(t *testing.T, v any) (raw converter.RawValue, bytes int) {
	t.Helper()
	p, err := converter.GetDefaultDataConverter().ToPayload(v)
	require.NoError(t, err)
	return converter.NewRawValue(p), len(p.GetData())
}

// A fleet of 100,000 in Huawei's groups of 16, on which people decide, with as many failed members as are known by name.
func TestTheStateOfALargeFleetIsTaken(t *testing.T) {
	const cohorts, taken = 100_000 / 16, 2 << 20 // Temporal's limit for one value
	key := func(what string, i int) string {
		return fmt.Sprintf("sha256:%x", sha256.Sum256(fmt.Append(nil, what, i)))
	}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	state := rollout.State{Previews: [][]fleet.Seen{nil}}
	for i := range cohorts {
		p := fleet.Part{Record: key("record", i), Cohort: fmt.Sprintf("fleet-of-a-hundred-thousand.%d", i),
			Input:   fleet.PageInput{Page: i, To: 16},
			Counts:  map[membership.Outcome]int{membership.Joined: 16},
			Started: begin.Add(time.Duration(i) * 7919 * time.Millisecond), Ended: begin.Add(time.Duration(i) * 7927 * time.Millisecond)}
		for n := i; n < 5000; n += cohorts {
			p.Worst = append(p.Worst, fleet.FailedMember{ID: key("id", n)[7:43], Outcome: membership.Unknown, Code: "no-effect",
				Reason: key("reason", n)})
		}
		state.Parts = append(state.Parts, p)
		state.Previews[0] = append(state.Previews[0], fleet.Seen{Key: key("seen", i), Due: 16})
	}
	plain, err := json.Marshal(state)
	require.NoError(t, err)
	require.Greater(t, len(plain), taken, "else there would be no need for this")
	raw, packed := travel(t, Pack(state))
	require.Less(t, packed, taken/2)
	var back rollout.State
	require.NoError(t, Unpack(raw, &back))
	require.Equal(t, state, back)
}

func TestWhatIsSmallStaysReadable(t *testing.T) {
	state := rollout.State{Wave: 3, End: &rollout.End{Why: "because"}}
	raw, _ := travel(t, Pack(state))
	plain, _ := travel(t, state) // as runs of earlier versions hand it on
	require.Equal(t, string(plain.Payload().GetData()), string(raw.Payload().GetData()))
	require.Equal(t, "json/plain", string(raw.Payload().GetMetadata()["encoding"]))
	var back rollout.State
	require.NoError(t, Unpack(raw, &back))
	require.Equal(t, state, back)
}

func TestWhatIsNotPackedIsRefused(t *testing.T) {
	for _, data := range []string{"", "{", "\x1f\x8b", "\x1f\x8bnonsense"} {
		raw, _ := travel(t, []byte(data))
		require.Error(t, Unpack(raw, new(rollout.State)), "%q", data)
	}
}
