package activities

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// Who dies between filing a record and being heard files it again.
func TestACohortCanBeFiledTwice(t *testing.T) {
	blobs, err := store.Open(t.TempDir())
	require.NoError(t, err)
	a := New(Options{Store: blobs})
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(a.File)
	a.programs.remember("default-test-run-id", &membership.Program{Digest: "sha256:mine", Group: "g"})
	in := workflows.FileInput{Digest: "sha256:mine", Report: membership.Report{
		Counts: map[membership.Outcome]int{membership.Joined: 1, membership.Unknown: 1},
		Members: []membership.MemberReport{{ID: "a", Outcome: membership.Joined},
			{ID: "b", Outcome: membership.Unknown, Code: "engine", Reason: "nobody knows"}}}}
	value, err := env.ExecuteActivity(a.File, in)
	require.NoError(t, err)
	var part fleet.Part
	require.NoError(t, value.Get(&part))
	require.Equal(t, []fleet.FailedMember{{ID: "b", Outcome: membership.Unknown, Code: "engine", Reason: "nobody knows"}}, part.Worst)
	record, err := store.GetJSON[fleet.Record](t.Context(), blobs, store.Key(part.Record))
	require.NoError(t, err)
	require.Equal(t, "g", record.Program.Group)
	require.Len(t, record.Report.Members, 2)
	again, err := env.ExecuteActivity(a.File, in)
	require.NoError(t, err)
	var filed fleet.Part
	require.NoError(t, again.Get(&filed))
	require.Equal(t, part, filed, "who died before the run heard of it files it once more")
}

// Nobody was asked whether whom an earlier try left behind may be put back: the plan of a later try that never began is
// no objection.
func TestWhoWasRefusedAtARetryIsStillPutBack(t *testing.T) {
	blobs, err := store.Open(t.TempDir())
	require.NoError(t, err)
	kind := &watched{}
	a := New(Options{Kinds: []membership.Kind{kind}, Store: blobs})
	file := func(v any) string {
		key, err := store.PutJSON(t.Context(), blobs, v)
		require.NoError(t, err)
		return string(key)
	}
	page := file(fleet.Page{Group: "g1", Members: []string{"m5"}})
	manifest := file(fleet.Manifest{Steps: []fleet.PagedStep{{
		Step: fleet.Step{Kind: kind.Spec().ID, Account: "a", Group: "g1"}, Waves: [][]fleet.PageRef{{{Key: page, Count: 1}}}}}})
	record := file(fleet.Record{
		Report: membership.Report{Members: []membership.MemberReport{{ID: "m5", Outcome: membership.Unknown}}},
		Program: membership.Program{Digest: "d", Members: []membership.Member{{ID: "m5", Before: map[string]string{"power": "on"},
			Refused: []membership.Objection{{Code: "held-by-another-run", Reason: "run x acts on it"}}}}}})
	p, err := a.planCohort(t.Context(), workflows.PlanInput{Operation: membership.Join, Page: fleet.PageInput{Manifest: manifest, To: 1,
		Again: &fleet.Again{Record: record, Undo: true, Members: []string{"m5"}}}})
	require.NoError(t, err)
	require.True(t, p.Members[0].Due())
	require.Equal(t, "on", p.Members[0].Before["power"])
}

// A fleet of 100,000 in groups of 16: Temporal would not take its account as it is.
func TestWhatIsTooLargeForTemporalIsReadPacked(t *testing.T) {
	const cohorts, taken = 100_000 / 16, 2 << 20
	blobs, err := store.Open(t.TempDir())
	require.NoError(t, err)
	account := fleet.Archive{Seen: [][]fleet.Seen{nil}}
	for i := range cohorts {
		key := fmt.Sprintf("sha256:%x", sha256.Sum256(fmt.Append(nil, i)))
		account.Seen[0] = append(account.Seen[0], fleet.Seen{Key: key, Due: 16})
		account.Parts = append(account.Parts, fleet.Part{Record: key, Cohort: fmt.Sprintf("fleet.%d", i),
			Input: fleet.PageInput{Page: i, To: 16}, Counts: map[membership.Outcome]int{membership.Joined: 16}})
	}
	key, err := store.PutJSON(t.Context(), blobs, account)
	require.NoError(t, err)
	kept, err := blobs.Get(t.Context(), key)
	require.NoError(t, err)

	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	a := New(Options{Store: blobs})
	env.RegisterActivity(a.Read)
	value, err := env.ExecuteActivity(a.Read, string(key))
	require.NoError(t, err)
	var packed converter.RawValue
	require.NoError(t, value.Get(&packed))
	require.Greater(t, len(kept), taken/2)
	require.Less(t, len(packed.Payload().GetData()), taken/2)
	var data json.RawMessage
	require.NoError(t, workflows.Unpack(packed, &data))
	require.Equal(t, string(kept), string(data), "to the byte: a key is a hash of it")
}
