package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/workflows"
)

func TestProgressOfAPlan(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	p := planProgress{now: func() time.Time { return now }}
	for _, c := range []struct {
		after  time.Duration
		looked int
		want   string
	}{
		{0, 400, "looked at 400 of 10400 members"},
		{time.Second, 400, "looked at 400 of 10400 members"},
		{time.Second, 2400, "looked at 2400 of 10400 members, 1000 a second, 8s to go"},
		{8 * time.Second, 10_400, "looked at 10400 of 10400 members"},
	} {
		now = now.Add(c.after)
		require.Equal(t, c.want, p.rate(workflows.PreviewProgress{Members: 10_400, Looked: c.looked}))
	}
}
