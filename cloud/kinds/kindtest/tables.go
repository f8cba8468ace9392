package kindtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Refused takes one case of a kind's Compile: what became of a member, and the codes of all that was to speak against it.
type Refused func(name string, m membership.Member, want []string)

// Decided takes one case of a kind's Decide: what was decided, and what was to be. Reasons are not compared.
type Decided func(name string, d, want membership.Decision)

// RunTables plays the tables of a kind, in which every member is due or refused, and wants them to reach every code that its
// spec documents, and no other.
func RunTables(t *testing.T, k membership.Kind, refusals func(Refused), decisions func(Decided)) {
	spec := k.Spec()
	reached := make(map[string]int)
	refusals(func(name string, m membership.Member, want []string) {
		t.Run("compile/"+name, func(t *testing.T) {
			var codes []string
			for _, o := range m.Refused {
				reached[o.Code]++
				codes = append(codes, o.Code)
				require.NotEmpty(t, o.Reason)
			}
			require.Equal(t, want, codes, "%v", m.Refused)
			require.False(t, m.Already)
		})
	})
	allReached(t, spec.Objections, reached, nil)
	clear(reached)
	decisions(func(name string, d, want membership.Decision) {
		t.Run("decide/"+name, func(t *testing.T) {
			reached[d.Code]++
			require.Equal(t, want.Verb, d.Verb, d.Reason)
			require.Equal(t, want.Action+want.Code, d.Action+d.Code, d.Reason)
			if d.Verb != membership.DoNext {
				require.NotEmpty(t, d.Reason)
			}
			if d.Verb == membership.DoAct {
				require.Contains(t, spec.Actions, d.Action)
			}
		})
	})
	delete(reached, "") // most decisions have none
	allReached(t, spec.Failures, reached, membership.EngineFailures())
}

// allReached wants every documented code to be reached, and every code that was reached to be documented.
func allReached(t *testing.T, documented []membership.Objection, reached map[string]int, engine []membership.Objection) {
	t.Helper()
	require.NotEmpty(t, documented)
	for _, o := range documented {
		require.Contains(t, reached, o.Code, "no case reaches it")
		delete(reached, o.Code)
	}
	for _, o := range engine {
		delete(reached, o.Code)
	}
	require.Empty(t, reached, "codes that the spec does not document")
}
