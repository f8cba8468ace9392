package report

import (
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
)

func verify(t *testing.T, y *yard, key string) (archive.Checked, error) {
	f, err := archive.Open(t.Context(), y.get, key)
	if err != nil {
		return archive.Checked{}, err
	}
	return f.Verify(t.Context())
}

func TestVerify(t *testing.T) {
	t.Parallel()
	y, key := small(t)
	c, err := verify(t, y, key)
	require.NoError(t, err)
	require.Equal(t, "the archive, the manifest, 5 pages, 6 records and 5 previews are what their keys say, and 12 members add up to the report", c.String())
	y, key = large(t, 5000)
	c, err = verify(t, y, key)
	require.NoError(t, err)
	require.Equal(t, "the archive, the manifest, 27 pages and 28 records are what their keys say, and 5000 members add up to the report", c.String())
}

// There is no blob that could be missing, or another, without being noticed.
func TestEveryBlobIsChecked(t *testing.T) {
	t.Parallel()
	y, key := small(t)
	blobs := keysOf(y.folder)
	require.Len(t, blobs, 2+5+6+5)
	for _, k := range blobs {
		good := y.blobs[k]
		delete(y.blobs, k)
		_, err := verify(t, y, key)
		require.ErrorIs(t, err, store.ErrMissing)
		require.ErrorContains(t, err, k)
		y.blobs[k] = append([]byte(" "), good...) // the same for a reader of JSON
		_, err = verify(t, y, key)
		require.ErrorIs(t, err, store.ErrDamaged)
		require.ErrorContains(t, err, k)
		y.blobs[k] = good
	}
	_, err := verify(t, y, key)
	require.NoError(t, err)
}

// The first in the order of the plan is named, whichever was read first.
func TestTheFirstIsNamed(t *testing.T) {
	t.Parallel()
	y, key := large(t, 10_000)
	var records []string
	for _, p := range y.account.Parts {
		records = append(records, p.Record)
	}
	for _, k := range records[1:] {
		delete(y.blobs, k)
	}
	_, err := verify(t, y, key)
	require.ErrorContains(t, err, "the record of cohort web.2: blob "+records[1])
}

func TestWhatDoesNotFitTogether(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(t *testing.T, y *yard)
		want   string
	}{
		"a record of another cohort": {func(_ *testing.T, y *yard) { y.account.Parts[0].Record = y.account.Parts[1].Record },
			"the record of cohort web.1, sha256:"},
		"a record that is none": {func(_ *testing.T, y *yard) { y.account.Parts[0].Record = y.account.Manifest }, "it is that of another cohort"},
		"a blob that is not JSON": {func(_ *testing.T, y *yard) {
			data := []byte("flat")
			y.account.Parts[0].Record = string(store.KeyOf(data))
			y.blobs[y.account.Parts[0].Record] = data
		}, "is no fleet.Record"},
		"a part that counts otherwise": {func(_ *testing.T, y *yard) {
			y.account.Parts[0].Counts = map[membership.Outcome]int{membership.Left: 1}
		}, "its members are 1 joined, and the archive counts 1 left"},
		"a part about nobody":    {func(_ *testing.T, y *yard) { y.account.Parts[0].Input.Page = 7 }, "cohort web.1 is about a page that the manifest does not have"},
		"a part about too many":  {func(_ *testing.T, y *yard) { y.account.Parts[0].Input.To = 7 }, "is about members 0 to 7 of a page that has 1"},
		"a try of what was none": {func(_ *testing.T, y *yard) { y.account.Parts[3].Input.Again.Record = "sha256:00" }, "cohort web.4: takes up record sha256:00"},
		"other members": {func(_ *testing.T, y *yard) { y.account.Parts[3].Input.Again.Members = ids(5, 1) },
			"the record of cohort web.4"},
		"a part without a record that tells two things": {func(_ *testing.T, y *yard) {
			y.account.Parts[1].Record = ""
			y.account.Parts = y.account.Parts[:2]
		}, "cohort web.2 has no record, 4 members, and counts"},
		"a total": {func(_ *testing.T, y *yard) {
			y.account.Report.Counts = map[membership.Outcome]int{membership.Joined: 12}
		},
			"it counts 12 joined, and its members are"},
		"a step": {func(_ *testing.T, y *yard) {
			y.account.Report.Steps[0].Counts = map[membership.Outcome]int{membership.Joined: 12}
		},
			"it counts 12 joined in step 1, and its members are"},
		"fewer waves": {func(_ *testing.T, y *yard) { y.account.Report.Steps[0].Waves = y.account.Report.Steps[0].Waves[:1] },
			"the report has other steps and waves than the manifest"},
		"a preview of others": {func(_ *testing.T, y *yard) { y.account.Seen[0][1] = y.account.Seen[0][0] }, "it has 1 members, and the page 4"},
		"a page of others": {func(_ *testing.T, y *yard) {
			y.manifest.Steps[0].Waves[0][0].Key = y.manifest.Steps[0].Waves[1][0].Key
			y.account.Manifest = y.put(y.manifest)
		}, "has 4 members, and the manifest says 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y, _ := small(t)
			c.change(t, y)
			_, err := verify(t, y, y.put(y.account))
			require.ErrorContains(t, err, c.want)
		})
	}
	t.Run("a key of something else", func(t *testing.T) {
		t.Parallel()
		y, _ := small(t)
		_, err := archive.Open(t.Context(), y.get, y.account.Manifest)
		require.ErrorContains(t, err, "is not the key of a run's archive")
	})
}

// A cohort that was killed leaves no record: its members are all in the same doubt.
func TestACohortWithoutARecord(t *testing.T) {
	t.Parallel()
	y := newYard(t, fleet.Plan{})
	y.step(membership.Join, "k")
	y.wave("wave 1", fleet.Page{Group: group1, Members: ids(0, 3)})
	y.account.Manifest = y.put(y.manifest)
	y.account.Parts = []fleet.Part{{Cohort: "web.1", Input: fleet.PageInput{From: 0, To: 2}, Error: "terminated", Code: "engine-error",
		Counts: map[membership.Outcome]int{membership.Unknown: 2}}}
	f := open(t, y, y.close())
	var got []string
	for m, err := range f.Members(t.Context()) {
		require.NoError(t, err)
		got = append(got, fmt.Sprintf("%s %s %s", m.Outcome, m.Code, m.Reason))
	}
	require.Equal(t, []string{"unknown engine-error terminated", "unknown engine-error terminated", "not-started  "}, got)
	_, err := f.Verify(t.Context())
	require.NoError(t, err)
	require.Nil(t, newChart(f, nil), "there is no time to it")
}

// Whoever takes a member at a time has only a few pages in memory.
func TestMembersAreReadAsTheyAreTaken(t *testing.T) {
	t.Parallel()
	y, key := large(t, 20_000)
	f := open(t, y, key)
	y.reads.Store(0)
	for range f.Members(t.Context()) {
		break
	}
	require.LessOrEqual(t, y.reads.Load(), int64(2*archive.ReadAhead))
	next, stop := iter.Pull2(f.Members(t.Context()))
	defer stop()
	y.reads.Store(0)
	for range 150 {
		_, err, ok := next()
		require.True(t, ok)
		require.NoError(t, err)
	}
	require.LessOrEqual(t, y.reads.Load(), int64(4*archive.ReadAhead))
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		require.Equal(t, want, thousands(n))
	}
	for d, want := range map[time.Duration]string{83 * time.Millisecond: "83ms", 12 * time.Second: "12s", 250 * time.Second: "4m 10s", time.Hour: "1h",
		185 * time.Minute: "3h 5m", 52 * time.Hour: "2d 4h"} {
		require.Equal(t, want, span(d))
	}
	require.Equal(t, "no member", after(membership.Leave, membership.Left))
	require.Equal(t, "member, as before", after(membership.Leave, membership.RolledBack))
	require.Equal(t, "a=1;b=2", facts(map[string]string{"b": "2", "a": "1"}, ";"))
	require.Equal(t, "stops at 5% failures; stops at 3 failures in a wave; then roll back wave", allowance(&fleet.Budget{
		Failures: fleet.Share{Percent: 5}, PerWave: fleet.Share{Count: 3}, Then: fleet.ThenRollBackWave}))
	for _, what := range []string{membership.ControlPause, membership.ControlResume, membership.ControlAbort, membership.ControlRetry,
		membership.ControlSkip, membership.ControlMarkDone, fleet.ControlChange} {
		require.Regexp(t, `(ed|had .* again|took .* out)\b`, past(what))
	}
	require.Equal(t, "then put back; 3 cohorts at once; stops at 1 failure; 2 members", Detail(fleet.Report{}, fleet.Control{Then: fleet.ThenPutBack, Cohorts: 3,
		Budget: &fleet.Budget{Failures: fleet.Share{Count: 1}}, Control: membership.Control{Members: []string{"a", "b"}}}))
	for _, o := range membership.Outcomes() {
		require.GreaterOrEqual(t, severity(o), 0, o)
		require.Regexp(t, `(?m)^(\.joined, )?\.`+string(o)+`[ ,].*--tone: `, pageCSS, "every outcome has a colour")
		require.True(t, strings.TrimSpace(after(membership.Join, o)) != "")
	}
}
