package activities

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// What has been filed is in the store: a worker that has seen many cohorts has no more in memory than those under way.
func TestAFiledCohortIsForgotten(t *testing.T) {
	blobs, err := store.Open(t.TempDir())
	require.NoError(t, err)
	a := New(Options{Store: blobs})
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(a.File)
	a.programs.remember("default-test-run-id", &membership.Program{Digest: "sha256:mine", Group: "g"})
	value, err := env.ExecuteActivity(a.File, workflows.FileInput{Digest: "sha256:mine", Report: membership.Report{
		Counts: map[membership.Outcome]int{membership.Joined: 1, membership.Unknown: 1},
		Members: []membership.MemberReport{{ID: "a", Outcome: membership.Joined},
			{ID: "b", Outcome: membership.Unknown, Code: "engine", Reason: "nobody knows"}}}})
	require.NoError(t, err)
	var part fleet.Part
	require.NoError(t, value.Get(&part))
	require.Equal(t, []fleet.FailedMember{{ID: "b", Outcome: membership.Unknown, Code: "engine", Reason: "nobody knows"}}, part.Worst)
	record, err := store.GetJSON[fleet.Record](t.Context(), blobs, store.Key(part.Record))
	require.NoError(t, err)
	require.Equal(t, "g", record.Program.Group)
	require.Len(t, record.Report.Members, 2)
	_, known := a.programs.recall("default-test-run-id")
	require.False(t, known)
}
