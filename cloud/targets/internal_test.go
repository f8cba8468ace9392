package targets

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATargetTooMany(t *testing.T) {
	yielded := 0
	l := &targetList{count: Most - 1, seen: make(map[memberHash]place)}
	l.yield = func(Target) error { yielded++; return nil }
	require.NoError(t, l.add(draft{Target: Target{Member: "i-1"}, names: "id", at: place{line: 7}}))
	require.ErrorIs(t, l.add(draft{Target: Target{Member: "i-2"}, names: "id", at: place{line: 8}}), errStop)
	require.Equal(t, 1, yielded)
	require.Len(t, l.problems, 1)
	const want = "line 8: has a target too many; want at most 2000000 in a list: split it over several plans"
	require.Equal(t, want, l.problems[0].String())
}
