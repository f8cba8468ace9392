package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
)

// keep files a fleet in a store as workers would: a first wave of six, of whom five fail alike, is put back, and a
// second one does not begin.
func keep(t *testing.T) (folder, account, record string) {
	t.Helper()
	folder = t.TempDir()
	kept, err := store.Open(folder)
	require.NoError(t, err)
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var page fleet.Page
	page.Group = group
	for i := range 6 {
		page.Members = append(page.Members, fmt.Sprintf("server-%d", i+1))
	}
	var manifest fleet.Manifest
	surveyed := fleet.SurveyedStep{Operation: membership.Join, Kind: "huawei.servergroup", Account: "demo", Groups: 1, Group: group, Members: 8}
	manifest.Steps = []fleet.PagedStep{{}}
	for i, p := range []fleet.Page{page, {Group: group, Members: []string{"server-7", "server-8"}}} {
		n := len(p.Members)
		manifest.Steps[0].Waves = append(manifest.Steps[0].Waves, []fleet.PageRef{{Key: keepJSON(t, kept, p), Count: n}})
		surveyed.Waves = append(surveyed.Waves, fleet.Wave{Name: fmt.Sprintf("wave %d", i+1), Members: n, Pages: []int{n}})
	}
	a := fleet.Archive{Manifest: keepJSON(t, kept, manifest)}
	cohort := func(in fleet.PageInput, counts map[membership.Outcome]int, members []membership.MemberReport) string {
		ended := at.Add(90 * time.Second)
		full := in
		full.Manifest = a.Manifest
		key := keepJSON(t, kept, fleet.Record{Input: full, Report: membership.Report{Members: members, Counts: counts, Started: at, Ended: ended}})
		a.Parts = append(a.Parts, fleet.Part{Record: key, Cohort: fmt.Sprintf("web.%d", len(a.Parts)+1), Input: in, Counts: counts, Started: at, Ended: ended})
		at = ended
		return key
	}
	members := []membership.MemberReport{{ID: "server-1", Name: "evil\x1b[2J", Outcome: membership.Joined}}
	for _, id := range page.Members[1:] {
		members = append(members, membership.MemberReport{ID: id, Outcome: membership.RolledBack, Stage: "start", Code: "start-failed",
			Reason: "no host is left", RequestID: "req-7"})
	}
	members[1].Name = "网页服务器-2"
	record = cohort(fleet.PageInput{To: 6}, map[membership.Outcome]int{membership.Joined: 1, membership.RolledBack: 5}, members)
	was := map[membership.Outcome]int{membership.Joined: 1}
	cohort(fleet.PageInput{To: 1, Again: &fleet.Again{Record: record, Undo: true, Was: was}}, map[membership.Outcome]int{membership.RolledBack: 1},
		[]membership.MemberReport{{ID: "server-1", Outcome: membership.RolledBack}})
	counts := map[membership.Outcome]int{membership.RolledBack: 6, membership.NotStarted: 2}
	a.Report = fleet.Report{Name: "web", Outcome: membership.RunRolledBack, Counts: counts, Why: "the budget is spent",
		Steps: []fleet.StepReport{{SurveyedStep: surveyed, Counts: counts}}, Started: at.Add(-3 * time.Minute), Ended: at,
		Controls: []fleet.Said{
			{At: at, What: fleet.ControlChange, Control: fleet.Control{Control: membership.Control{By: "ann"}, Cohorts: 3,
				Budget: &fleet.Budget{Failures: fleet.Share{Percent: 5}}}},
			{At: at, What: membership.ControlSkip, Control: fleet.Control{Wave: 2, Control: membership.Control{By: "bob", Reason: "they go away"}}},
			{At: at, What: membership.ControlPause, Control: fleet.Control{Control: membership.Control{Reason: "a look"}}, Refused: "the run is paused"}}}
	return folder, keepJSON(t, kept, a), record
}

// longer is the same account with more to tell than fits into a buffer.
func longer(t *testing.T, folder, account string) string {
	t.Helper()
	kept, err := store.Open(folder)
	require.NoError(t, err)
	data, err := kept.Get(t.Context(), store.Key(account))
	require.NoError(t, err)
	var a fleet.Archive
	require.NoError(t, json.Unmarshal(data, &a))
	a.Report.Why = strings.Repeat("again and again, ", 1000)
	return keepJSON(t, kept, a)
}

func keepJSON[T any](t *testing.T, kept *store.Store, v T) string {
	t.Helper()
	key, err := store.PutJSON(t.Context(), kept, v)
	require.NoError(t, err)
	return string(key)
}

func TestReportOfAStoreTakesNoTemporal(t *testing.T) {
	t.Parallel()
	folder, account, record := keep(t)
	report := func(code int, args ...string) (out, errs string) {
		f, o, e := testFactory(t)
		require.Equal(t, code, run(t.Context(), f, append([]string{"report", "--store", folder, account}, args...)), e.String())
		return o.String(), e.String()
	}
	out, _ := report(ExitRolledBack)
	golden(t, "fleet-report.golden", out)
	out, _ = report(ExitRolledBack, "--all")
	require.Contains(t, out, "server-6 ")
	require.NotContains(t, out, "\x1b")
	out, _ = report(ExitRolledBack, "--csv")
	require.Equal(t, 9, strings.Count(out, "\n"))
	out, _ = report(ExitRolledBack, "--json")
	var document struct {
		Report  fleet.Report      `json:"report"`
		Members []json.RawMessage `json:"members"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &document))
	require.Equal(t, membership.RunRolledBack, document.Report.Outcome)
	require.Len(t, document.Members, 8)

	page := filepath.Join(t.TempDir(), "web.html")
	out, _ = report(ExitRolledBack, "--html", page)
	require.Empty(t, out)
	written, err := os.ReadFile(page)
	require.NoError(t, err)
	out, _ = report(ExitRolledBack, "--html", "-")
	require.Equal(t, string(written), out)
	_, errs := report(ExitCouldNotRun, "--html", filepath.Join(page, "none"))
	require.Contains(t, errs, "web.html")

	out, _ = report(ExitOK, "--verify")
	require.Equal(t, account+": the archive, the manifest, 2 pages and 2 records are what their keys say, and 8 members add up to the report\n", out)
	digits := strings.TrimPrefix(record, "sha256:")
	require.NoError(t, os.WriteFile(filepath.Join(folder, digits[:2], digits), []byte("{}"), 0o600))
	account = longer(t, folder, account)
	_, errs = report(ExitCouldNotRun, "--verify")
	require.Contains(t, errs, "the record of cohort web.1: getting blob "+record)
	require.Contains(t, errs, "damaged")
	report(ExitCouldNotRun, "--html", page)
	still, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, string(written), string(still), "what was there stays")
	require.NoError(t, os.Remove(page))
	report(ExitCouldNotRun, "--html", page)
	left, err := os.ReadDir(filepath.Dir(page))
	require.NoError(t, err)
	require.Empty(t, left, "half a page is none")
	out, _ = report(ExitCouldNotRun, "--csv")
	require.Empty(t, out, "half a list is none")
	out, _ = report(ExitCouldNotRun, "--json")
	require.True(t, json.Valid([]byte(out)), "half a document is none: %s", out)
}

func TestFilesAreWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	text := func(s string, err error) func(io.Writer) error {
		return func(to io.Writer) error { _, _ = io.WriteString(to, s); return err }
	}
	folder := t.TempDir()
	file, link := filepath.Join(folder, "page.html"), filepath.Join(folder, "link.html")
	content := func() string {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		return string(data)
	}
	require.NoError(t, writeFile(file, text("one", nil)))
	require.NoError(t, os.Chmod(file, 0o600))
	require.ErrorIs(t, writeFile(file, text("half", io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF)
	require.Equal(t, "one", content())
	require.NoError(t, os.Symlink(file, link))
	require.NoError(t, writeFile(link, text("two", nil)))
	require.Equal(t, "two", content())
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink, "a link stays one")
	info, err = os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode(), "who may not read it still may not")
	names, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, names, 2)
	from, to, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, writeFile(fmt.Sprintf("/dev/fd/%d", to.Fd()), text("through", nil)))
	require.NoError(t, to.Close())
	said, err := io.ReadAll(from)
	require.NoError(t, err)
	require.NoError(t, from.Close())
	require.Equal(t, "through", string(said), "into a pipe it is written")

	var out strings.Builder
	require.ErrorIs(t, writeWhole(&out, text("half", io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF)
	require.Empty(t, out.String())
	require.NoError(t, writeWhole(&out, text("all", nil)))
	require.Equal(t, "all", out.String())
}

func TestReportTakesOneFormat(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--csv", "--json"}, {"--html", "x", "--verify"}, {"--all", "--csv"}} {
		f, _, errs := testFactory(t)
		require.Equal(t, ExitBadInput, run(t.Context(), f, append([]string{"report", "web"}, args...)))
		require.Contains(t, errs.String(), "choose one of")
	}
	f, _, errs := testFactory(t)
	require.Equal(t, ExitBadInput, run(t.Context(), f, []string{"report", "--store", "nowhere", "sha256:00"}))
	require.Contains(t, errs.String(), `--store: "nowhere"`)
	f, _, errs = testFactory(t)
	require.Equal(t, ExitCouldNotRun, run(t.Context(), f, []string{"report", "sha256:00"}))
	require.Contains(t, errs.String(), "Temporal does not answer")
}

// However many members failed, each for a reason of its own, the table stays one that can be read.
func TestStoriesAreNotEndless(t *testing.T) {
	t.Parallel()
	f, out, _ := testFactory(t)
	s := stories{}
	for i := range 10_000 {
		m := membership.MemberReport{ID: fmt.Sprint("i-", i), Outcome: membership.RolledBack, Code: "lost", Reason: fmt.Sprint("job ", i)}
		s.add(m)
		m.Reason = "no host is left"
		s.add(m)
	}
	s.print(&f.Streams)
	require.Contains(t, out.String(), "… and 9997 more")
	require.Contains(t, out.String(), fmt.Sprintf("and %d with reasons of their own\n", 10_000-mostStories+1))
	require.Less(t, strings.Count(out.String(), "\n"), mostStories+10)
}
